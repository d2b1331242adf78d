"""The order in which nodes run, and the cables that lead back.

Along cables that carry sound a node stands behind what it hears. Where cables form a loop there is no such order: one
cable of each loop leads back, and what comes along it is one sample old. Which one follows from the patch alone: in a
knot of loops the nodes that hear something from outside come first, in the order of their ids, and the others as they
are reached from there along the cables; every cable that then leads to its own node or to an earlier one leads back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nodegraph.core.cable import Cable, natural
from nodegraph.core.order import components
from nodegraph.core.view import GraphView, NodeEntry, Store
from nodegraph.runtime.compile.units import sound_outlets

_NOTHING: Mapping[str, tuple[Cable, ...]] = {}


@dataclass(frozen=True, slots=True)
class Order:
    """Nodes in the order in which they run. A knot is a row of nodes that hear one another; it stands for itself.

    `back` are the cables that lead back, `inside` all cables between nodes of one knot.
    """

    rows: tuple[tuple[NodeEntry, ...], ...]
    knots: frozenset[int]
    back: frozenset[Cable] = frozenset()
    inside: frozenset[Cable] = frozenset()

    def entries(self) -> Iterator[NodeEntry]:
        """All nodes."""
        for row in self.rows:
            yield from row


def order_of(view: GraphView) -> Order:
    """The order of a graph."""
    found = _without_loops(view)
    if found is not None:
        return Order(tuple([(entry,) for entry in found]), frozenset())
    return _with_loops(view)


def carries_sound(store: Store, cable: Cable) -> bool:
    """Whether signals flow along this cable."""
    entry = store.nodes.get(cable[0])
    return entry is not None and entry.spec is not None and cable[1] in sound_outlets(entry.spec)


def _without_loops(view: GraphView) -> list[NodeEntry] | None:
    """Depth first, without recursion; None when a cable closes a loop."""
    store = view._store
    nodes, into = store.nodes, store.into
    found: list[NodeEntry] = []
    open_, done = 1, 2
    state: dict[str, int] = {}
    for start in view.nodes:
        if start in state:
            continue
        stack = [start]
        while stack:
            node = stack[-1]
            seen = state.get(node)
            if seen is not None:
                stack.pop()
                if seen == open_:
                    state[node] = done
                    found.append(nodes[node])
                continue
            state[node] = open_
            for cables in into.get(node, _NOTHING).values():
                for cable in cables:
                    source = cable[0]
                    before = state.get(source)
                    if before == done:
                        continue
                    spec = nodes[source].spec
                    if spec is None or cable[1] not in sound_outlets(spec):
                        continue
                    if before == open_:
                        return None
                    stack.append(source)
    return found


def _with_loops(view: GraphView) -> Order:
    store = view._store
    ids = list(view.nodes)
    number = {id: index for index, id in enumerate(ids)}
    cables = [cable for cable in view.cables if carries_sound(store, cable)]
    part = components(len(ids), [(number[cable[0]], number[cable[2]]) for cable in cables])
    members: dict[int, list[str]] = {}
    for id in ids:
        members.setdefault(part[number[id]], []).append(id)
    inside: dict[int, list[Cable]] = {}
    entered: set[str] = set()
    for cable in cables:
        if part[number[cable[0]]] == part[number[cable[2]]]:
            inside.setdefault(part[number[cable[0]]], []).append(cable)
        else:
            entered.add(cable[2])
    rows: list[tuple[NodeEntry, ...]] = []
    knots: set[int] = set()
    back: set[Cable] = set()
    # a component gets its number after those that it leads to: the highest number first is the way that sound goes
    for name in sorted(members, reverse=True):
        row = members[name]
        if name in inside:
            row = _inner_order(row, inside[name], entered)
            place = {id: index for index, id in enumerate(row)}
            back |= {cable for cable in inside[name] if place[cable[0]] >= place[cable[2]]}
            knots.add(len(rows))
        rows.append(tuple(store.nodes[id] for id in row))
    return Order(
        tuple(rows), frozenset(knots), frozenset(back), frozenset(cable for row in inside.values() for cable in row)
    )


def _inner_order(row: list[str], cables: list[Cable], entered: set[str]) -> list[str]:
    """The nodes of a knot: reverse postorder along the cables, from where sound comes in. Each reaches every other."""
    feeds: dict[str, list[str]] = {}
    for cable in sorted(cables, key=lambda cable: cable.key):
        feeds.setdefault(cable[0], []).append(cable[2])
    start = min(row, key=lambda id: (id not in entered, natural(id)))
    seen = {start}
    finished: list[str] = []
    walk: list[tuple[str, int]] = [(start, 0)]
    while walk:
        node, at = walk.pop()
        targets = feeds[node]
        while at < len(targets) and targets[at] in seen:
            at += 1
        if at == len(targets):
            finished.append(node)
            continue
        walk.append((node, at + 1))
        seen.add(targets[at])
        walk.append((targets[at], 0))
    return finished[::-1]
