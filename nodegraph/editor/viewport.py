"""What part of the patch the window shows: where its origin is on the screen, and how large a point is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SMALLEST: Final = 0.2
LARGEST: Final = 4.0
STEP: Final = 1.15
"""One notch of the wheel."""
Point = tuple[float, float]


@dataclass
class Viewport:
    """Screen = patch * `zoom` + (`x`, `y`). The screen's origin is the canvas's upper left corner."""

    x: float = 40.0
    y: float = 40.0
    zoom: float = 1.0

    def screen(self, x: float, y: float) -> Point:
        """Where a place in the patch is seen."""
        return x * self.zoom + self.x, y * self.zoom + self.y

    def patch(self, x: float, y: float) -> Point:
        """What place in the patch is seen there."""
        return (x - self.x) / self.zoom, (y - self.y) / self.zoom

    def pan(self, dx: float, dy: float) -> None:
        """Move what is seen, by points of the screen."""
        self.x += dx
        self.y += dy

    def zoom_at(self, x: float, y: float, notches: float) -> None:
        """Larger or smaller; what lies under the cursor stays there."""
        self.zoom_to(self.zoom * STEP**notches, x, y)

    def zoom_to(self, zoom: float, x: float, y: float) -> None:
        """Another size, within the smallest and the largest."""
        at = self.patch(x, y)
        self.zoom = min(LARGEST, max(SMALLEST, zoom))
        self.x, self.y = x - at[0] * self.zoom, y - at[1] * self.zoom

    def bring(
        self, left: float, top: float, right: float, bottom: float, width: float, height: float,
        room: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0),
    ) -> None:  # fmt: skip
        """Move a part of the patch into a window of this size, with room around it, unless it is seen there."""
        x0, y0 = self.screen(left, top)
        x1, y1 = self.screen(right, bottom)
        if x0 < room[0] or y0 < room[1] or x1 > width - room[2] or y1 > height - room[3]:
            self.centre((left + right) / 2, (top + bottom) / 2, width, height)

    def centre(self, x: float, y: float, width: float, height: float) -> None:
        """Bring a place in the patch into the middle of a window of this size."""
        self.x, self.y = width / 2 - x * self.zoom, height / 2 - y * self.zoom

    def show(
        self, left: float, top: float, right: float, bottom: float, width: float, height: float, most: float = 1.0
    ) -> None:
        """All of a part of the patch in a window of this size; no larger than it is, or than `most` times that."""
        margin = 40.0
        across = max(1.0, width - 2 * margin) / max(1.0, right - left)
        down = max(1.0, height - 2 * margin) / max(1.0, bottom - top)
        self.zoom = min(most, max(SMALLEST, min(across, down)))
        self.x = (width - (left + right) * self.zoom) / 2
        self.y = (height - (top + bottom) * self.zoom) / 2
