"""How what has moved comes to its new place: with a spring that does not swing, in about 180 ms.

The model is at its place at once; what is kept here is how far from there something is still drawn. Nothing here draws.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

SETTLE_S: Final = 0.18
"""After this time a hundredth of the way is left."""
STIFF: Final = 6.64 / SETTLE_S
"""(1 + 6.64) * exp(-6.64) is a hundredth."""
REST: Final = 0.4
"""Points: nearer than this, it is there."""
SMALL: Final = 2.0
"""A way of fewer points is gone at once: the whole points on which boxes are put down."""
DROP: Final = 12.0
"""So far above its place a new box begins."""
MANY_NEW: Final = 24
"""More new boxes than these are another patch, and stand where they stand."""
MANY: Final = 300
"""More boxes than these would take longer to draw than to arrive."""
FACTOR: Final = 1.15
"""A view that was smaller or larger by more than this jumps the rest of the way."""
FAR: Final = 0.5
"""And one that was farther away than so much of the window."""
Point = tuple[float, float]


class Placed(Protocol):
    """Something at a place."""

    x: float
    y: float


@dataclass(slots=True)
class Spring:
    """How far something is from where it belongs, and how fast it is: critically damped, solved exactly."""

    away: float = 0.0
    speed: float = 0.0

    def step(self, seconds: float) -> None:
        """Let time pass."""
        pull = self.speed + STIFF * self.away
        fades = math.exp(-STIFF * seconds)
        self.away = (self.away + pull * seconds) * fades
        self.speed = (self.speed - STIFF * pull * seconds) * fades

    def rests(self, near: float) -> bool:
        """Whether it is there, and stays."""
        return abs(self.away) < near and abs(self.speed) < STIFF * near


class Motion:
    """The boxes of one canvas that are on their way."""

    def __init__(self) -> None:
        self._places: dict[str, Point] = {}
        self._ways: dict[str, tuple[Spring, Spring]] = {}
        self._at = 0.0
        self._begun = False

    @property
    def moving(self) -> bool:
        """Whether any is."""
        return bool(self._ways)

    def forget(self) -> None:
        """Everything is another now: what comes next stands where it stands."""
        self._places.clear()
        self._ways.clear()
        self._begun = False

    def follow(self, boxes: Mapping[str, Placed], now: float, held: Collection[str] = (), still: bool = False) -> None:
        """Take in where they belong at a time. Those that a hand holds are there at once, as all are with `still`."""
        for way in self._ways.values():
            for spring in way:
                spring.step(now - self._at)
        self._at = now
        before, self._places = self._places, {id: (box.x, box.y) for id, box in boxes.items()}
        if still or not self._begun:
            self._ways.clear()
            self._begun = bool(boxes)
            return
        self._start(before, held)
        self._ways = {
            id: way for id, way in self._ways.items()
            if id in boxes and id not in held and not all(spring.rests(REST) for spring in way)
        }  # fmt: skip

    def carry(self, boxes: Mapping[str, Placed], moved: Iterable[str]) -> None:
        """A hand has brought some elsewhere; they are there."""
        for id in moved:
            if id in self._places and id in boxes:
                self._places[id] = (boxes[id].x, boxes[id].y)

    def _start(self, before: Mapping[str, Point], held: Collection[str]) -> None:
        new = [id for id in self._places if id not in before]
        gone = {id: (x - self._places[id][0], y - self._places[id][1]) for id, (x, y) in before.items()
                if id in self._places}  # fmt: skip
        moved = {id: way for id, way in gone.items() if max(map(abs, way)) >= SMALL and id not in held}
        if len(new) <= MANY_NEW and before:
            moved |= {id: (0.0, -DROP) for id in new if id not in held}
        if len(moved) > MANY:
            self._ways.clear()
            return
        for id, (dx, dy) in moved.items():
            across, down = self._ways.setdefault(id, (Spring(), Spring()))
            across.away += dx
            down.away += dy

    def offset(self, id: str) -> Point:
        """How far from its place one is drawn."""
        way = self._ways.get(id)
        return (0.0, 0.0) if way is None else (way[0].away, way[1].away)

    def moved(self) -> Iterable[str]:
        """Those on their way."""
        return self._ways.keys()


class View(Protocol):
    """What a canvas shows: `nodegraph.editor.viewport`."""

    x: float
    y: float
    zoom: float
    jumps: int


Seen = tuple[float, float, float]
"""x, y and zoom, as of a viewport."""


class Glide:
    """The way of what is shown, after a jump."""

    def __init__(self) -> None:
        self._from: Seen | None = None
        self._left = Spring()
        """How much of the way is left: 1 when it begins."""
        self._jumps: int | None = None
        self._at = 0.0
        self._seen: Seen = (0.0, 0.0, 1.0)

    @property
    def moving(self) -> bool:
        """Whether it is under way."""
        return self._from is not None

    def forget(self) -> None:
        """It is another canvas now."""
        self._from = self._jumps = None

    def follow(self, view: View, size: Point, now: float, still: bool = False) -> Seen:
        """What is to be shown at a time of a view in a window of this size."""
        target = (view.x, view.y, view.zoom)
        if self._jumps is not None and view.jumps != self._jumps and not still:
            self._from, self._left = _near(target, self._seen, size), Spring(1.0)
        elif self._from is not None:
            self._left.step(now - self._at)
        self._jumps, self._at = view.jumps, now
        if self._from is None or still or self._left.rests(0.004):
            self._from = None
            self._seen = target
        else:
            self._seen = _between(target, self._from, self._left.away, size)
        return self._seen


def _near(target: Seen, seen: Seen, size: Point) -> Seen:
    """Where a glide begins: where it was seen, but near enough to the target that texts, which have its size from the
    first, fit their boxes, and that the eye can follow.
    """
    zoom = min(target[2] * FACTOR, max(target[2] / FACTOR, seen[2]))
    (x, y), (far_x, far_y) = _middle(target, size), _middle(seen, size)
    dx, dy = far_x - x, far_y - y
    most = FAR * size[0] / target[2]
    share = min(1.0, most / max(1e-9, math.hypot(dx, dy)))
    return size[0] / 2 - (x + dx * share) * zoom, size[1] / 2 - (y + dy * share) * zoom, zoom


def _middle(seen: Seen, size: Point) -> Point:
    """The place of the patch in the middle of the window."""
    return (size[0] / 2 - seen[0]) / seen[2], (size[1] / 2 - seen[1]) / seen[2]


def _between(target: Seen, start: Seen, share: float, size: Point) -> Seen:
    """Zooms by factors, and leads the middle of the window straight from one place to the other."""
    zoom = target[2] * (start[2] / target[2]) ** share
    (x, y), (far_x, far_y) = _middle(target, size), _middle(start, size)
    x, y = x + (far_x - x) * share, y + (far_y - y) * share
    return size[0] / 2 - x * zoom, size[1] / 2 - y * zoom, zoom
