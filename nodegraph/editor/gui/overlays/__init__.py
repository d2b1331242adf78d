"""The overlays of the canvas, those that are drawn first first."""

from __future__ import annotations

from typing import Final

from nodegraph.editor.gui.overlay import Overlay
from nodegraph.editor.gui.overlays.closer import Closer
from nodegraph.editor.gui.overlays.differences import Differences
from nodegraph.editor.gui.overlays.found import Found
from nodegraph.editor.gui.overlays.heat import HeatOverlay
from nodegraph.editor.gui.overlays.levels import Levels
from nodegraph.editor.gui.overlays.minimap import MapOverlay
from nodegraph.editor.gui.overlays.modes import ModesOverlay
from nodegraph.editor.gui.overlays.notes import NotesOverlay
from nodegraph.editor.gui.overlays.signs import SignsOverlay

OVERLAYS: Final[tuple[type[Overlay], ...]] = (
    NotesOverlay, Levels, HeatOverlay, Differences, Found, SignsOverlay, Closer, MapOverlay, ModesOverlay,
)  # fmt: skip
