"""What an overlay of the canvas is: something drawn below the cables, above the boxes, or in front of the window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui import looks
from nodegraph.editor.gui.looks import Colour, px, see_through

BESIDE: Final = 8
ABOVE: Final = 5
BETWEEN: Final = 4
"""Of the lines of a plate: what is left free beside, above and between them."""


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

    def across(self, width: float, size: float) -> int:
        """How many characters of a size (at the usual size of everything) go into a width of the screen."""
        return max(1, int(width / (self.character * px(size))))

    def size_of(self, lines: Sequence[str], size: float) -> tuple[float, float]:
        """How wide and high a plate with these lines is."""
        wide = self.character * px(size) * max((len(line) for line in lines), default=0)
        return wide + 2 * px(BESIDE), px(size + BETWEEN) * len(lines) + 2 * px(ABOVE) - px(BETWEEN)

    def plate(
        self, at: int | str, lines: Sequence[str], left: float, top: float, size: float, ink: Colour, edge: Colour
    ) -> None:
        """Lines of text on a plate, so that they can be read whatever lies below."""
        width, height = self.size_of(lines, size)
        dpg.draw_rectangle(
            (left, top), (left + width, top + height), rounding=px(6), fill=looks.POPUP, thickness=px(1), parent=at,
            color=see_through(edge, 170),
        )  # fmt: skip
        for number, line in enumerate(lines):
            place = left + px(BESIDE), top + px(ABOVE) + number * px(size + BETWEEN)
            dpg.draw_text(place, line, size=float(px(size)), color=ink, parent=at)


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
        """Draw what looks otherwise than it did; called before every frame, so nothing is to be worked out anew while
        nothing has happened (`Scene.places`, `Health.version` and so on, `LOOKS.version`). Whether it shows something
        that moves by itself and wants to be asked again soon.
        """
        return False
