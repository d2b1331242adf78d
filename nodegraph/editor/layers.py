"""Layers of boxes: which box stands in which, in what order, and how far to the right. `tidying` makes use of it."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

Place = tuple[float, float]
Places = dict[str, Place]
Link = tuple[str, int, str, int]
"""A cable: from this box, its outlet counted from 0, to that box, its inlet."""

PORT_STEP: Final = 20.0
ROUNDS: Final = 12
"""So often at most the order of the layers is tried another way. In hundreds of random graphs more never helped."""
MOST_EXCHANGED: Final = 1_000
"""In a part with more boxes, those that stand in for long cables among them, neighbours are not tried the other way
round: a second is as long as somebody waits for a key."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box of the canvas: its top left and its size in points.

    `inlets` and `outlets` tell how far from its left edge each port stands. Without them ports stand 20 points apart,
    the first at the edge.
    """

    id: str
    x: float
    y: float
    width: float
    height: float
    inlets: tuple[float, ...] = ()
    outlets: tuple[float, ...] = ()

    def port_x(self, ports: Sequence[float], index: int) -> float:
        """How far from the left edge a port stands."""
        return ports[index] if index < len(ports) else min(self.width, PORT_STEP * index)


@dataclass(slots=True)
class _Piece:
    """A cable, or the piece of a long one, between two neighbouring layers.

    `out` and `into` are where it stands among the ports of its ends, between 0 and 1; `out_x` and `in_x` the same in
    points.
    """

    upper: int
    lower: int
    out: float = 0.5
    into: float = 0.5
    out_x: float = 0.0
    in_x: float = 0.0
    weight: float = 1.0


@dataclass(slots=True)
class Layers:
    """One part: boxes, and the stand-ins that keep room for cables that pass a layer, as numbered vertices."""

    boxes: Sequence[Box]
    links: Sequence[Link]
    gap: float
    widths: list[float] = field(default_factory=list)
    layers: list[list[int]] = field(default_factory=list)
    above: list[list[_Piece]] = field(default_factory=list)
    below: list[list[_Piece]] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    """Where each vertex stands in its layer."""

    def __post_init__(self) -> None:
        number = {box.id: at for at, box in enumerate(self.boxes)}
        layer = _layer_of(list(number), self.links)
        self.layers = [[] for _ in range(max(layer.values()) + 1)]
        seeds: list[float] = []
        for box in self.boxes:
            self._vertex(layer[box.id], box.width)
            seeds.append(box.x)
        outs, ins = _most(self.links, 0, 1), _most(self.links, 2, 3)
        passing: dict[tuple[str, int], list[int]] = {}
        for source, outlet, target, inlet in sorted(self.links, key=lambda link: layer[link[2]] - layer[link[0]]):
            upper, lower = self.boxes[number[source]], self.boxes[number[target]]
            piece = _Piece(
                number[source], number[target],
                (outlet + 0.5) / outs[source], (inlet + 0.5) / ins[target],
                upper.port_x(upper.outlets, outlet), lower.port_x(lower.inlets, inlet),
                2.0 if inlet == 0 else 1.0,
            )  # fmt: skip
            chain = passing.setdefault((source, outlet), [])  # cables of one outlet share the way
            while len(chain) < layer[target] - layer[source] - 1:
                vertex = self._vertex(layer[source] + 1 + len(chain), 0.0)
                seeds.append(upper.x + piece.out_x)
                if chain:
                    self._join(_Piece(chain[-1], vertex, weight=8.0))
                else:
                    self._join(_Piece(piece.upper, vertex, out=piece.out, out_x=piece.out_x, weight=4.0))
                chain.append(vertex)
            if layer[target] - layer[source] > 1:
                last = chain[layer[target] - layer[source] - 2]
                piece = _Piece(last, piece.lower, into=piece.into, in_x=piece.in_x, weight=4.0)
            self._join(piece)
        self.at = [0] * len(self.widths)
        for vertices in self.layers:
            vertices.sort(key=lambda vertex: (seeds[vertex], vertex))
            self._number(vertices)

    def _vertex(self, layer: int, width: float) -> int:
        vertex = len(self.widths)
        self.widths.append(width)
        self.above.append([])
        self.below.append([])
        self.layers[layer].append(vertex)
        return vertex

    def _join(self, piece: _Piece) -> None:
        self.below[piece.upper].append(piece)
        self.above[piece.lower].append(piece)

    def _number(self, vertices: Sequence[int]) -> None:
        for place, vertex in enumerate(vertices):
            self.at[vertex] = place

    # the order in the layers

    def untangle(self) -> None:
        """Order the layers so that cables cross as seldom as can be found; the order stays where nothing is won."""
        best, fewest = [list(layer) for layer in self.layers], self.crossings()
        idle = 0
        for turn in range(ROUNDS):
            if not fewest or idle > 3:
                break
            self._sweep(down=turn % 2 == 0, median=turn % 4 < 2)
            self._exchange()
            found = self.crossings()
            idle += 1
            if found < fewest:
                best, fewest, idle = [list(layer) for layer in self.layers], found, 0
        self.layers = best
        for layer in best:
            self._number(layer)

    def crossings(self) -> int:
        """How often cables cross, the order of the ports considered."""
        return sum(self._crossings(layer) for layer in self.layers[:-1])

    def _crossings(self, layer: Sequence[int]) -> int:
        ends = [
            (self.at[piece.upper] + piece.out, self.at[piece.lower] + piece.into)
            for vertex in layer
            for piece in self.below[vertex]
        ]
        seen: list[float] = []
        count = 0
        for _, end in sorted(ends):
            count += len(seen) - bisect_right(seen, end)
            insort(seen, end)
        return count

    def _sweep(self, *, down: bool, median: bool) -> None:
        for layer in self.layers[1:] if down else self.layers[-2::-1]:
            wanted = {vertex: self._wanted(vertex, down, median) for vertex in layer}
            layer.sort(key=lambda vertex: (wanted[vertex], self.at[vertex]))
            self._number(layer)

    def _wanted(self, vertex: int, down: bool, median: bool) -> float:
        """Where its cables from the one side would have a vertex."""
        at = self.at
        if down:
            ends = sorted(at[piece.upper] + piece.out - piece.into + 0.5 for piece in self.above[vertex])
        else:
            ends = sorted(at[piece.lower] + piece.into - piece.out + 0.5 for piece in self.below[vertex])
        if not ends:
            return at[vertex] + 0.5
        if median:
            return (ends[(len(ends) - 1) // 2] + ends[len(ends) // 2]) / 2
        return sum(ends) / len(ends)

    def _exchange(self) -> None:
        """Let neighbours change places as long as that takes crossings out."""
        if len(self.widths) > MOST_EXCHANGED:
            return
        restless = set(range(len(self.layers)))
        for _ in range(ROUNDS):
            moved: set[int] = set()
            for number in sorted(restless):
                layer = self.layers[number]
                for place in range(len(layer) - 1):
                    left, right = layer[place], layer[place + 1]
                    if self._gain(left, right) > 0:
                        layer[place], layer[place + 1] = right, left
                        self.at[right], self.at[left] = place, place + 1
                        moved |= {number - 1, number, number + 1}
            restless = moved & set(range(len(self.layers)))
            if not restless:
                break

    def _gain(self, left: int, right: int) -> int:
        """How many crossings go when two neighbours change places."""
        at, gain = self.at, 0
        for one in self.above[left]:
            start = at[one.upper] + one.out
            for other in self.above[right]:
                distance = start - at[other.upper] - other.out
                gain += (distance > 0) - (distance < 0)
        for one in self.below[left]:
            end = at[one.lower] + one.into
            for other in self.below[right]:
                distance = end - at[other.lower] - other.into
                gain += (distance > 0) - (distance < 0)
        return gain

    # the places

    def places(self, row_gap: float) -> Places:
        """The top left of each box, the leftmost and the topmost at 0."""
        x = [0.0] * len(self.widths)
        for layer in self.layers:
            for left, right in pairwise(layer):
                x[right] = x[left] + self._step(left, right)
        best, least = x, self._bend(x)
        for sides in ("above", "below") * 4 + ("both", "both"):
            x = list(x)
            for layer in self.layers if sides != "below" else self.layers[::-1]:
                self._straighten(layer, x, sides)
            bend = self._bend(x)
            if bend < least:
                best, least = x, bend
        x = best
        count = len(self.boxes)
        leftmost, y = min(x[:count]), 0.0
        places: Places = {}
        for layer in self.layers:
            real = [vertex for vertex in layer if vertex < count]
            for vertex in real:
                places[self.boxes[vertex].id] = (x[vertex] - leftmost, y)
            y += max(self.boxes[vertex].height for vertex in real) + row_gap
        return places

    def _bend(self, x: Sequence[float]) -> float:
        """How far cables are from being straight, all together."""
        return sum(
            abs(x[piece.upper] + piece.out_x - x[piece.lower] - piece.in_x) * piece.weight
            for pieces in self.below
            for piece in pieces
        )

    def _step(self, left: int, right: int) -> float:
        """How far apart the left edges of neighbours stand at least."""
        both_boxes = left < len(self.boxes) and right < len(self.boxes)
        return self.widths[left] + (self.gap if both_boxes else self.gap / 2)

    def _straighten(self, layer: Sequence[int], x: list[float], sides: str) -> None:
        """Put the vertices of a layer where their cables are straight, as many as can be without one overlapping the
        next: neighbours that push each other become a block, which goes to the median of what its members want."""
        blocks: list[_Block] = []
        offset = 0.0
        for place, vertex in enumerate(layer):
            if place:
                offset += self._step(layer[place - 1], vertex)
            wishes: list[tuple[float, float]] = []
            if sides != "below":
                wishes += [
                    (x[item.upper] + item.out_x - item.in_x - offset, item.weight) for item in self.above[vertex]
                ]
            if sides != "above":
                wishes += [
                    (x[item.lower] + item.in_x - item.out_x - offset, item.weight) for item in self.below[vertex]
                ]
            block = _Block(wishes or [(x[vertex] - offset, 0.01)], [(vertex, offset)])
            while blocks and blocks[-1].at >= block.at:
                block = _Block(blocks[-1].wishes + block.wishes, blocks.pop().members + block.members)
            blocks.append(block)
        for block in blocks:
            for vertex, offset in block.members:
                x[vertex] = block.at + offset


class _Block:
    """Neighbours that stand as close as they may. `at` is where it goes: the weighted median of its wishes."""

    __slots__ = ("at", "members", "wishes")

    def __init__(self, wishes: list[tuple[float, float]], members: list[tuple[int, float]]) -> None:
        self.wishes, self.members = wishes, members
        half = sum(weight for _, weight in wishes) / 2
        for value, weight in sorted(wishes):
            half -= weight
            if half <= 1e-9:
                self.at = value
                break


def _layer_of(ids: Sequence[str], links: Sequence[Link]) -> dict[str, int]:
    """In which layer each box stands: below all that feeds it, and what nothing feeds just above what it feeds."""
    out: dict[str, list[str]] = {id: [] for id in ids}
    waits = dict.fromkeys(ids, 0)
    for source, _, target, _ in links:
        out[source].append(target)
        waits[target] += 1
    begins = [id for id in ids if not waits[id]]
    layer = dict.fromkeys(ids, 0)
    ready = list(begins)
    while ready:
        id = ready.pop()
        for target in out[id]:
            layer[target] = max(layer[target], layer[id] + 1)
            waits[target] -= 1
            if not waits[target]:
                ready.append(target)
    for id in begins:
        if out[id]:
            layer[id] = min(layer[target] for target in out[id]) - 1
    return layer


def _most(links: Sequence[Link], end: int, port: int) -> dict[str, int]:
    """How many ports of each box are in use, counted to the last."""
    most: dict[str, int] = {}
    for link in links:
        id, index = str(link[end]), int(link[port])
        most[id] = max(most.get(id, 0), index + 1)
    return most
