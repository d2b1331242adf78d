"""The map of the patch, in the lower right corner of the canvas: where boxes are, and what of them is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

SIZE: Final = (190.0, 130.0)
"""At most, in points of the screen at the usual size of everything, as all lengths here."""
MARGIN: Final = 12.0
INSIDE: Final = 6.0
ROOM: Final = 40.0
"""So much of the patch, in its own points, is shown around its boxes."""
SHARE: Final = 0.4
"""It takes no more of the canvas than this, across and down; smaller than `LEAST` it is not shown."""
LEAST: Final = 60.0
Rectangle = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Layout = tuple[Rectangle, float, float, float]
"""The rectangle of the map, its scale, and where the origin of the patch is on the screen."""


class MiniMap:
    """Where things are on the map. Places on it are the screen's, from the canvas's upper left corner."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.asked: bool | None = None
        """Whether it is to be shown; None: when the patch does not fit."""
        self._of: object = None
        self._layout: Layout = ((0.0, 0.0, 0.0, 0.0), 1.0, 0.0, 0.0)

    def toggle(self) -> None:
        """Show it, or take it away."""
        self.asked = not self.shown

    @property
    def shown(self) -> bool:
        """Whether it is there."""
        width, height = self.editing.size
        bounds = self.editing.scene.bounds()
        if bounds is None or min(width, height) * SHARE < LEAST * self.editing.natural or self.asked is False:
            return False
        return True if self.asked else not _within(bounds, self._seen())

    def _seen(self) -> Rectangle:
        """What of the patch is seen."""
        view, (width, height) = self.editing.viewport, self.editing.size
        return *view.patch(0.0, 0.0), *view.patch(width, height)

    def layout(self) -> Layout:
        """The rectangle of the map, and how a place in the patch gets there: its scale, and where the origin is."""
        of = self.editing.scene.bounds() or (0.0, 0.0, 1.0, 1.0), self.editing.size, self.editing.natural
        if of != self._of:
            self._of, self._layout = of, _layout(*of)
        return self._layout

    def frame(self) -> Rectangle:
        """What is seen, on the map; held within it."""
        place, scale, x, y = self.layout()
        left, top, right, bottom = self._seen()
        across = [min(max(item * scale + x, place[0] + 1), place[2] - 1) for item in (left, right)]
        down = [min(max(item * scale + y, place[1] + 1), place[3] - 1) for item in (top, bottom)]
        return across[0], down[0], across[1], down[1]

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies on it."""
        if not self.shown:
            return False
        left, top, right, bottom = self.layout()[0]
        return left <= x <= right and top <= y <= bottom

    def centre(self, x: float, y: float) -> None:
        """Bring what lies there on the map into the middle of the canvas."""
        _, scale, left, top = self.layout()
        self.editing.viewport.centre((x - left) / scale, (y - top) / scale, *self.editing.size)


def _layout(bounds: Rectangle, window: tuple[float, float], natural: float) -> Layout:
    (left, top, right, bottom), (width, height) = bounds, window
    inside, margin, least = INSIDE * natural, MARGIN * natural, LEAST * natural
    across, down = right - left + 2 * ROOM, bottom - top + 2 * ROOM
    most = min(SIZE[0] * natural, SHARE * width), min(SIZE[1] * natural, SHARE * height)
    scale = min((most[0] - 2 * inside) / across, (most[1] - 2 * inside) / down)
    wide, high = max(least, across * scale + 2 * inside), max(least, down * scale + 2 * inside)
    place = width - margin - wide, height - margin - high, width - margin, height - margin
    middle = (place[0] + place[2]) / 2, (place[1] + place[3]) / 2
    return place, scale, middle[0] - scale * (left + right) / 2, middle[1] - scale * (top + bottom) / 2


def _within(inner: Rectangle, outer: Rectangle) -> bool:
    return inner[0] >= outer[0] and inner[1] >= outer[1] and inner[2] <= outer[2] and inner[3] <= outer[3]
