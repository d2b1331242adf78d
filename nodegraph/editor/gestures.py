"""What a moving hand means: boxes that snap to others, a box that is shaken, a stroke that cuts cables."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from nodegraph.core.cable import Cable
from nodegraph.editor.scene import Box, Scene, curve, pieces

Point = tuple[float, float]
Line = tuple[float, float, float, float]
SNAP: Final = 5.0
"""So near, in points of the screen, an edge is taken to that of another box."""
NEIGHBOURS: Final = 700.0
"""Boxes farther away than so, in points of the patch, are no neighbours to be in line with."""
SAME: Final = 0.01
REVERSALS: Final = 3
SWING: Final = 14.0
"""So many points of the screen in one direction are a swing."""
SHAKE_S: Final = 0.9
"""The reversals of a shake come within so long."""


class Shake:
    """Tells a shake from a move: three reversals, soon after one another."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turned: list[float] = []
        self._from = 0.0
        self._way = 0

    def move(self, x: float) -> bool:
        """The hand is at `x`, from where it began; whether this was a shake."""
        away = x - self._from
        way = (away > 0) - (away < 0)
        if way == self._way:  # farther in the same direction
            self._from = x
        elif abs(away) >= SWING:
            if self._way:
                now = self._clock()
                self._turned = [at for at in self._turned if now - at <= SHAKE_S] + [now]
            self._way, self._from = way, x
        if len(self._turned) < REVERSALS:
            return False
        self._turned.clear()
        return True


@dataclass
class Cutting:
    """A straight stroke, and the cables that it crosses."""

    start: Point
    at: Point
    cables: list[Cable] = field(default_factory=list)

    def move(self, scene: Scene, x: float, y: float) -> None:
        """The stroke ends elsewhere."""
        self.at = (x, y)
        self.cables = crossed(scene, self.start, self.at)


@dataclass
class Copying:
    """Copies of boxes in the hand; the boxes stay where they are."""

    start: Point
    nodes: set[str]
    held: str
    """The one under the hand."""
    by: Point = (0.0, 0.0)
    begun: bool = False


def crossed(scene: Scene, start: Point, end: Point) -> list[Cable]:
    """The cables that a straight line crosses."""
    left, right = min(start[0], end[0]), max(start[0], end[0])
    top, bottom = min(start[1], end[1]), max(start[1], end[1])
    found = []
    for cable in scene.document.graph.cables:
        ends = scene.ends(cable)
        if ends is None:
            continue
        points = curve(*ends)
        xs, ys = [point[0] for point in points], [point[1] for point in points]
        if min(xs) > right or max(xs) < left or min(ys) > bottom or max(ys) < top:
            continue
        along = pieces(points)
        if any(_cross(start, end, a, b) for a, b in pairwise(along)):
            found.append(cable)
    return found


def cable_across(scene: Scene, box: Box) -> Cable | None:
    """The cable that runs through a box, nearest to its middle."""
    x, y = box.x + box.width / 2, box.y + box.height / 2
    found: Cable | None = None
    best = float("inf")
    for cable in scene.document.graph.cables:
        ends = scene.ends(cable)
        if ends is None:
            continue
        points = curve(*ends)
        xs, ys = [point[0] for point in points], [point[1] for point in points]
        if not box.meets(min(xs), min(ys), max(xs), max(ys)):
            continue
        for px, py in pieces(points, 40):
            away = (px - x) ** 2 + (py - y) ** 2
            if away < best and box.holds(px, py):
                found, best = cable, away
    return found


def snapped(
    scene: Scene, held: str, nodes: Collection[str], dx: float, dy: float, zoom: float
) -> tuple[Point, list[Line]]:
    """How far boxes are moved when the one that is `held` snaps to its neighbours, and lines that show to which."""
    box, (x, y) = scene.boxes[held], scene.home(held)
    near = [
        other for other in scene.boxes.values()
        if other.node not in nodes and abs(other.x - x - dx) < NEIGHBOURS and abs(other.y - y - dy) < NEIGHBOURS
    ]  # fmt: skip
    reach, right = SNAP / zoom, x + dx + box.width
    lefts = [other.x - x - dx for other in near]
    rights = [other.x + other.width - right for other in near]
    by_x = _nearest((*lefts, *rights), reach)
    by_y = _nearest((other.y - y - dy for other in near), reach)
    dx, dy = dx + (by_x or 0.0), dy + (by_y or 0.0)
    moved = replace(box, x=x + dx, y=y + dy)
    lines: list[Line] = []
    if by_x is not None:
        lines += _upright(moved.x, moved, [other for other in near if abs(other.x - moved.x) < SAME])
        edge = moved.x + moved.width
        lines += _upright(edge, moved, [other for other in near if abs(other.x + other.width - edge) < SAME])
    if by_y is not None:
        level = [moved, *(other for other in near if abs(other.y - moved.y) < SAME)]
        lines.append((
            min(other.x for other in level), moved.y, max(other.x + other.width for other in level), moved.y,
        ))  # fmt: skip
    return (dx, dy), lines


def _upright(x: float, moved: Box, along: list[Box]) -> list[Line]:
    if not along:
        return []
    boxes = [moved, *along]
    return [(x, min(box.y for box in boxes), x, max(box.y + box.height for box in boxes))]


def _nearest(found: Iterable[float], reach: float) -> float | None:
    return min((away for away in found if abs(away) <= reach), key=abs, default=None)


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether two lines cross."""

    def side(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) <= 0 and side(c, d, a) * side(c, d, b) <= 0 and a != b
