"""The order in which the nodes of a graph run, and the loops that forbid one.

The order depends on nothing but the cables and the ids: a node runs after everything that it hears, and among those
that may run the one whose id comes first in natural order does.

A cable that brings what it carries at a later instant does not bind the nodes of a loop: a signal (in a loop it is one
sample old), a message into a `delay` or `pipe`, and the messages of nodes that speak a little later than they hear:
sound nodes, taps and models.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Final

from nodegraph.core.cable import Cable, natural
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.ports import CableKind
from nodegraph.core.spec import Role
from nodegraph.core.view import GraphView

LATER_KINDS: Final = frozenset({"delay", "pipe"})
LATER_ROLES: Final = frozenset({Role.TAP, Role.INFERENCE, Role.KERNEL, Role.BLOCK})
MOST_LOOPS: Final = 50


@dataclass(frozen=True, slots=True)
class Loop:
    """Message cables that lead back to where they began, at one instant. A delay of the messages breaks it."""

    cables: tuple[Cable, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes in the direction of the cables, from the one whose id comes first."""
        return tuple(cable.from_node for cable in self.cables)

    def __str__(self) -> str:
        return " -> ".join((*self.nodes, self.cables[0].from_node))

    def problem(self, file: str | None = None, line: int | None = None) -> Problem:
        """The finding for `check`."""
        what = f"Loop of messages without a delay: {self}."
        do = "Put a `delay` or `pipe` node into it, so that a message comes back at a later instant."
        return Problem("event-loop", what, do, file, line, self.cables[-1].to_node, self.cables[-1].to_port)


def in_order(view: GraphView) -> list[str]:
    """The ids of all nodes, each after the nodes whose cables it takes.

    Raises PatchError with one problem a loop when there is no such order.
    """
    links = _Links(view)
    order = links.sorted()
    if order is None:
        links.let_go_later()
        order = links.sorted()
    if order is None:
        raise PatchError([loop.problem() for loop in links.loops()])
    return [links.ids[index] for index in order]


def loops(view: GraphView) -> list[Loop]:
    """Loops that cannot be played: short ones, enough to lead through every knot of the graph, at most 50.

    Taking one cable out of each may show others.
    """
    links = _Links(view)
    if links.sorted() is not None:
        return []
    links.let_go_later()
    return links.loops()


class _Links:
    """Nodes as numbers in natural order of their ids, and who feeds whom."""

    def __init__(self, view: GraphView) -> None:
        self.view = view
        self.ids: list[str] = list(view.nodes)
        self.rank = {id: index for index, id in enumerate(self.ids)}
        self.implicit = frozenset(view.implicit_cables())
        self.cables: list[Cable] = [*view.cables, *sorted(self.implicit)]
        rank = self.rank
        self.ends = [(rank[cable[0]], rank[cable[2]]) for cable in self.cables]

    def sorted(self) -> list[int] | None:
        """Kahn's algorithm with a heap; None when there is a loop."""
        waits = [0] * len(self.ids)
        feeds: list[list[int]] = [[] for _ in self.ids]
        for source, target in self.ends:
            feeds[source].append(target)
            waits[target] += 1
        ready = [index for index, count in enumerate(waits) if not count]
        heapify(ready)
        order = []
        while ready:
            index = heappop(ready)
            order.append(index)
            for target in feeds[index]:
                waits[target] -= 1
                if not waits[target]:
                    heappush(ready, target)
        return order if len(order) == len(self.ids) else None

    def let_go_later(self) -> None:
        """Forget the cables inside loops that bring their message at a later instant."""
        component = components(len(self.ids), self.ends)
        kept = [
            (cable, ends)
            for cable, ends in zip(self.cables, self.ends, strict=True)
            if component[ends[0]] != component[ends[1]] or not self._comes_later(cable)
        ]
        self.cables = [cable for cable, _ in kept]
        self.ends = [ends for _, ends in kept]

    def loops(self) -> list[Loop]:
        """Shortest loops, until no node that is part of one is left."""
        component = components(len(self.ids), self.ends)
        inner: dict[int, list[int]] = {}
        for index, (source, target) in enumerate(self.ends):
            if component[source] == component[target]:
                inner.setdefault(source, []).append(index)
        found: list[Loop] = []
        covered: set[int] = set()
        for index, (source, target) in enumerate(self.ends):
            if source in covered or component[source] != component[target]:
                continue
            path = [index, *self._path(inner, target, source)]
            covered.update(self.ends[step][0] for step in path)
            first = min(range(len(path)), key=lambda at: self.ends[path[at]][0])
            found.append(Loop(tuple(self.cables[step] for step in path[first:] + path[:first])))
            if len(found) == MOST_LOOPS:
                break
        return sorted(found, key=lambda loop: [natural(node) for node in loop.nodes])

    def _path(self, inner: dict[int, list[int]], start: int, goal: int) -> list[int]:
        """The cables of a shortest way from node to node, inside one component."""
        if start == goal:
            return []
        came: dict[int, int] = {}
        queue = deque([start])
        while goal not in came:
            node = queue.popleft()
            for index in inner[node]:
                target = self.ends[index][1]
                if target not in came and target != start:
                    came[target] = index
                    queue.append(target)
        path = [came[goal]]
        while self.ends[path[-1]][0] != start:
            path.append(came[self.ends[path[-1]][0]])
        return path[::-1]

    def _kind(self, cable: Cable) -> CableKind | None:
        return CableKind.EVENT if cable in self.implicit else self.view.cable_kind(cable)

    def _comes_later(self, cable: Cable) -> bool:
        kind = self._kind(cable)
        if kind is None or kind is CableKind.SIGNAL:  # of a placeholder's cable it is not known what it does
            return True
        source, target = self.view.nodes[cable.from_node], self.view.nodes[cable.to_node]
        return target.kind in LATER_KINDS or (source.spec is not None and source.spec.role in LATER_ROLES)


def components(count: int, ends: Iterable[tuple[int, int]]) -> list[int]:
    """For each of `count` nodes the number of its strongly connected component.

    Source: R. Tarjan, "Depth-First Search and Linear Graph Algorithms", 1972; without recursion.
    """
    feeds: list[list[int]] = [[] for _ in range(count)]
    for source, target in ends:
        feeds[source].append(target)
    seen = [-1] * count  # the order of the first visit
    low = [0] * count
    component = [-1] * count
    open_: list[int] = []
    visits = named = 0
    for root in range(count):
        if seen[root] >= 0:
            continue
        walk = [(root, 0)]
        while walk:
            node, at = walk.pop()
            if at == 0:
                seen[node] = low[node] = visits
                visits += 1
                open_.append(node)
            row = feeds[node]
            while at < len(row):
                target = row[at]
                at += 1
                if seen[target] < 0:
                    walk.append((node, at))
                    walk.append((target, 0))
                    break
                if component[target] < 0:
                    low[node] = min(low[node], seen[target])
            else:
                if low[node] == seen[node]:
                    while True:
                        member = open_.pop()
                        component[member] = named
                        if member == node:
                            break
                    named += 1
                if walk:
                    parent = walk[-1][0]
                    low[parent] = min(low[parent], low[node])
    return component
