"""Where boxes stand: aligned, distributed, on the grid, or tidied up. From boxes to places; nothing is moved here.

Each function takes the selected boxes and returns the place of each by its id, ``(x, y)`` in points, so that the editor
can make one `core.commands.Move` of it. The order in which the boxes are given means nothing. `tidy` stands in
`nodegraph.editor.tidying` and is found here too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, get_args

from nodegraph.core.cable import natural
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.hints import did_you_mean, listed
from nodegraph.editor.tidying import Box, Link, Place, Places, tidy

Edge = Literal["left", "centre", "right", "top", "middle", "bottom"]
Direction = Literal["horizontally", "vertically"]
Spacing = Literal["centres", "gaps"]

_ALIGNED: Final[Mapping[str, Callable[[Box, Box], Place]]] = {
    "left": lambda box, all: (all.x, box.y),
    "centre": lambda box, all: (all.x + (all.width - box.width) / 2, box.y),
    "right": lambda box, all: (all.x + all.width - box.width, box.y),
    "top": lambda box, all: (box.x, all.y),
    "middle": lambda box, all: (box.x, all.y + (all.height - box.height) / 2),
    "bottom": lambda box, all: (box.x, all.y + all.height - box.height),
}


def bounds(boxes: Iterable[Box]) -> Box:
    """The smallest box around all of them; one without size at the origin when there are none."""
    every = list(boxes)
    if not every:
        return Box("", 0.0, 0.0, 0.0, 0.0)
    left, top = min(box.x for box in every), min(box.y for box in every)
    right, bottom = max(box.x + box.width for box in every), max(box.y + box.height for box in every)
    return Box("", left, top, right - left, bottom - top)


def align(boxes: Iterable[Box], edge: Edge) -> Places:
    """Put boxes on one line: their left, right, top or bottom edges on the outermost of these edges, or their centres
    (side by side) or middles (one above the other) on that of the box around them all.

    Raises PatchError when there is no such edge.
    """
    place = _ALIGNED.get(edge)
    if place is None:
        raise PatchError(_unknown("align", edge, tuple(_ALIGNED)))
    every = list(boxes)
    around = bounds(every)
    return {box.id: place(box, around) for box in every}


def distribute(boxes: Iterable[Box], direction: Direction, by: Spacing = "gaps", gap: float | None = None) -> Places:
    """Spread boxes evenly between the outermost two, which stay where they are.

    `by` says what becomes equal: the gaps between the boxes, or the distances of their centres. Boxes that have not
    enough room overlap evenly. With a `gap` (in points) the first stays, and the others follow at this distance.

    Raises PatchError when there is no such direction or spacing.
    """
    if direction not in get_args(Direction):
        raise PatchError(_unknown("distribute", direction, get_args(Direction)))
    if by not in get_args(Spacing):
        raise PatchError(_unknown("distribute by", by, get_args(Spacing)))
    is_row = direction == "horizontally"
    spans = [(box, box.x, box.width) if is_row else (box, box.y, box.height) for box in boxes]
    spans.sort(key=lambda item: (2 * item[1] + item[2], item[1], natural(item[0].id)))
    starts = [start for _, start, _ in spans]
    sizes = [size for _, _, size in spans]
    if len(spans) > 1 and (by == "gaps" or gap is not None):
        room = starts[-1] - starts[0] - sum(sizes[:-1])
        step = room / (len(spans) - 1) if gap is None else gap
        last = len(spans) - (gap is None)
        for at in range(1, last):
            starts[at] = starts[at - 1] + sizes[at - 1] + step
    elif len(spans) > 1:
        first, end = starts[0] + sizes[0] / 2, starts[-1] + sizes[-1] / 2
        for at in range(1, len(spans) - 1):
            starts[at] = first + (end - first) * at / (len(spans) - 1) - sizes[at] / 2
    return {
        box.id: (start, box.y) if is_row else (box.x, start) for (box, _, _), start in zip(spans, starts, strict=True)
    }


def snap(boxes: Iterable[Box], grid: float) -> Places:
    """Put the top left of each box on the nearest point of a grid, whose lines are `grid` points apart.

    Raises PatchError when the grid is not a number above 0.
    """
    if not (math.isfinite(grid) and grid > 0):
        what = f"The grid is {grid:g} points wide."
        raise PatchError(Problem("bad-grid", what, "It takes a number above 0."))
    return {box.id: (_nearest(box.x, grid), _nearest(box.y, grid)) for box in boxes}


def _nearest(value: float, grid: float) -> float:
    return math.floor(value / grid + 0.5) * grid


def _unknown(what: str, word: str, legal: tuple[str, ...]) -> Problem:
    do = did_you_mean(word, legal, f"It takes {listed(legal)}.")
    return Problem("unknown-arrangement", f"Boxes cannot be put this way: {what} '{word}'.", do)


__all__ = ["Box", "Direction", "Edge", "Link", "Place", "Places", "Spacing", "align", "bounds", "distribute", "snap",
           "tidy"]  # fmt: skip
