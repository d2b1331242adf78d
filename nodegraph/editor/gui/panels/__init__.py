"""The panels, in the order of their tabs."""

from __future__ import annotations

from typing import Final

from nodegraph.editor.gui.panel import Panel
from nodegraph.editor.gui.panels.browser import Browser
from nodegraph.editor.gui.panels.differences import DifferencesPanel
from nodegraph.editor.gui.panels.inspector import Inspector
from nodegraph.editor.gui.panels.lanes import LanesPanel
from nodegraph.editor.gui.panels.log import LogPanel
from nodegraph.editor.gui.panels.outline import OutlinePanel
from nodegraph.editor.gui.panels.presets import PresetsPanel

PANELS: Final[tuple[type[Panel], ...]] = (
    Browser, Inspector, PresetsPanel, OutlinePanel, LogPanel, LanesPanel, DifferencesPanel,
)  # fmt: skip
