"""The overlays of the canvas, those that are drawn first first."""

from __future__ import annotations

from typing import Final

from nodegraph.editor.gui.overlay import Overlay

OVERLAYS: Final[tuple[type[Overlay], ...]] = ()
