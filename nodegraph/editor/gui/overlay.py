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

    def press(self, x: float, y: float, button: int) -> bool:
        """A button goes down on the canvas, at a place of `front`. True takes it, with all that the mouse does until a
        button goes up: neither the canvas nor another overlay hears of it. The frontmost is asked first.
        """
        return False

    def move(self, x: float, y: float) -> None:
        """The mouse moves, while it is this one's."""

    def release(self, x: float, y: float) -> None:
        """The button goes up, and the mouse is the canvas's again."""

    def show(self) -> bool:
        """Draw what looks otherwise than it did; called before every frame. Whether it shows something that moves by
        itself and wants to be asked again soon.
        """
        return False
