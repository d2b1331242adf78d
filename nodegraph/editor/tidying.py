"""Tidy up: lay boxes out in layers, from top to bottom as patches are read.

The layers come from the longest way along the cables, the order in each from sweeps that take crossings out, and the
places from sweeps that make cables straight.

Sources: K. Sugiyama, S. Tagawa, M. Toda, "Methods for Visual Understanding of Hierarchical System Structures", 1981
(layers, barycentres, stand-ins for long cables); E. Gansner, E. Koutsofios, S. North, K. Vo, "A Technique for Drawing
Directed Graphs", 1993 (medians, exchange of neighbours); R. Barlow and others, *Statistical Inference under Order
Restrictions*, 1972 (pool adjacent violators).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from nodegraph.core.cable import natural
from nodegraph.editor.layers import Box, Layers, Link, Place, Places

SETTLING: Final = 4
"""So often at most the whole is done again, until nothing moves."""


def tidy(
    boxes: Iterable[Box],
    cables: Iterable[Link],
    column_gap: float = 20.0,
    row_gap: float = 30.0,
    part_gap: float = 40.0,
) -> Places:
    """Lay boxes out in layers, the beginning of each cable above its end.

    No two boxes overlap; between neighbours are at least `column_gap` points, between layers `row_gap`. Parts that no
    cable joins stand side by side, `part_gap` apart. Boxes keep their order from left to right where that costs no
    crossing. A cable that closes a cycle runs back up. The top left of the whole stays where it was. The same boxes and
    cables give the same places, in whatever order they come; tidying what is tidy moves nothing, but for rare graphs
    that find no rest.

    Cables to boxes that are not there are passed over, so a selection can be given with all cables of its patch.
    """
    every = {box.id: box for box in sorted(boxes, key=lambda box: natural(box.id))}
    links = sorted(
        {link for link in cables if link[0] in every and link[2] in every and link[0] != link[2]},
        key=lambda link: (natural(link[0]), link[1], natural(link[2]), link[3]),
    )
    downward = _without_feedback(list(every), links)
    parts = list(_parts(list(every), links))
    gaps = (column_gap, row_gap, part_gap)
    places: Places = {id: (box.x, box.y) for id, box in every.items()}
    for _ in range(SETTLING):
        before = places
        standing = {id: replace(box, x=places[id][0], y=places[id][1]) for id, box in every.items()}
        places = _side_by_side(standing, parts, downward, gaps)
        if places == before:
            break
    return places


def _side_by_side(
    boxes: Mapping[str, Box], parts: Sequence[Sequence[str]], links: Sequence[Link], gaps: tuple[float, float, float]
) -> Places:
    """Each part by itself, then one right of the other, in the order in which their left edges stand."""
    places: Places = {}
    if not boxes:
        return places
    left, top = min(box.x for box in boxes.values()), min(box.y for box in boxes.values())
    column_gap, row_gap, part_gap = gaps
    at = 0.0
    for part in sorted(parts, key=lambda part: (min(boxes[id].x for id in part), natural(part[0]))):
        within = set(part)
        inner = [link for link in links if link[0] in within]
        layout = Layers([boxes[id] for id in part], inner, column_gap)
        layout.untangle()
        found = layout.places(row_gap)
        for id, (x, y) in found.items():
            places[id] = (left + round(at + x, 3), top + round(y, 3))
        at += max(x + boxes[id].width for id, (x, _) in found.items()) + part_gap
    return places


def _parts(ids: Sequence[str], links: Sequence[Link]) -> Iterator[list[str]]:
    """The boxes that cables join, part by part, in the order of `ids`."""
    beside: dict[str, list[str]] = {id: [] for id in ids}
    for source, _, target, _ in links:
        beside[source].append(target)
        beside[target].append(source)
    seen: set[str] = set()
    for id in ids:
        if id not in seen:
            seen.add(id)
            part, open = [], [id]
            while open:
                part.append(open.pop())
                new = [other for other in beside[part[-1]] if other not in seen]
                seen.update(new)
                open.extend(dict.fromkeys(new))
            yield sorted(part, key=natural)


def _without_feedback(ids: Sequence[str], links: Sequence[Link]) -> list[Link]:
    """The cables without those that close a cycle, as somebody sees it who follows the cables from where they begin."""
    out: dict[str, list[Link]] = {id: [] for id in ids}
    entered = set()
    for link in links:
        out[link[0]].append(link)
        entered.add(link[2])
    state: dict[str, bool] = {}  # True while on the way, False when done
    kept: list[Link] = []
    for start in sorted(ids, key=lambda id: (id in entered, natural(id))):
        if start in state:
            continue
        state[start] = True
        way = [(start, iter(out[start]))]
        while way:
            id, rest = way[-1]
            for link in rest:
                target = link[2]
                if state.get(target):
                    continue  # back to where it came from
                kept.append(link)
                if target not in state:
                    state[target] = True
                    way.append((target, iter(out[target])))
                    break
            else:
                state[id] = False
                way.pop()
    return kept


__all__ = ["Box", "Link", "Place", "Places", "tidy"]
