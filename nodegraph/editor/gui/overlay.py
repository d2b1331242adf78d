"""What an overlay of the canvas is: something drawn below the cables, above the boxes, or in front of the window."""

from __future__ import annotations

from dataclasses import dataclass

from nodegraph.editor.editing import Editing


@dataclass(frozen=True, slots=True)
class Layers:
    """Where overlays draw. `under` (the cables), `along` (over the cables, under the boxes) and `over` move with the
    patch: a place there is that of the patch times the zoom. `front` does not: a place there is the screen's, from the
    canvas's upper left corner.
    """

    under: int | str
    along: int | str
    over: int | str
    front: int | str
    character: float
    """The width of a character of height 1."""


class Overlay:
    """Draws something of its own on the canvas. `gui.overlays` lists all of them."""

    def __init__(self, editing: Editing, layers: Layers) -> None:
        self.editing, self.layers = editing, layers

    def show(self) -> bool:
        """Draw what looks otherwise than it did; called before every frame. Whether it shows something that moves by
        itself and wants to be asked again soon.
        """
        return False
