"""How late every sound is, and how long others must wait for it.

A node declares by how many frames its outlets lag its inlets. Where paths meet, the earlier ones wait for the latest:
at the inlets of every node, and at all outputs of the engine together. Every wait belongs to a cable. A node that opts
out (``"compensate": false``, for monitoring) is heard as soon as can be: nobody waits for it, nor it for anybody.
Inside a loop nothing waits, since that would change the loop's length; what comes into a knot of loops is
aligned.

Sound may also go as arrays: a model in a worker hears a flow of it and says arrays, and another one makes sound of
them. What that one says is late by both, so a dry path beside the two waits for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import cast

from nodegraph.core.cable import Cable
from nodegraph.core.declare import InferenceNode, Node
from nodegraph.core.listening import Chunks
from nodegraph.core.ports import CableKind
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.core.streams import StreamNode
from nodegraph.core.view import GraphView, NodeEntry
from nodegraph.runtime.compile.crossing import crossing_frames
from nodegraph.runtime.compile.order import Order, carries_sound
from nodegraph.runtime.lane.streams import answer_frames, latency_frames, streams


@dataclass(frozen=True, slots=True)
class Timing:
    """Latencies in frames at the engine's rate.

    ``late``: by how much each node's outlets lag what came into the engine; only those that do. ``waits``: by how many
    frames what comes along a cable must be delayed, in samples of the rate at which it leaves its node. ``total``: by
    how much the outputs lag. ``own``: what each node adds by itself; only those that do.
    """

    late: Mapping[str, int] = field(default_factory=dict)
    waits: Mapping[Cable, int] = field(default_factory=dict)
    total: int = 0
    own: Mapping[str, int] = field(default_factory=dict)


NO_WAITS = Timing()


def timing_of(view: GraphView, order: Order, rate: int, factors: Mapping[str, int]) -> Timing:
    """The timing of a graph. `factors`: how many times the engine's rate nodes run at, where it is not once."""
    own = {
        entry.id: frames
        for entry in order.entries()
        if entry.spec is not None and (frames := _own(entry.spec, rate * factors.get(entry.id, 1)))
    }
    if not own and not factors:
        return NO_WAITS
    return _Timer(view, order, own, factors, rate).timing()


def coders(view: GraphView) -> dict[str, tuple[str, ...]]:
    """The nodes that make sound of arrays alone, and those that hear the flows of sound from which the arrays come:
    straight, or through nodes that take arrays and give arrays."""
    nodes = view._store.nodes
    makers = [
        id
        for id, entry in nodes.items()
        if entry.spec is not None
        and issubclass(entry.spec.cls, StreamNode)
        and all(item.kind is not CableKind.SIGNAL for item in entry.spec.inlets)
    ]
    found: dict[str, tuple[str, ...]] = {}
    for maker in makers:
        reached, sources, ahead = {maker}, [], [maker]
        while ahead:
            for cables in view._store.into.get(ahead.pop(), {}).values():
                for cable in cables:
                    entry = nodes.get(cable[0])
                    if entry is None or entry.spec is None or cable[0] in reached:
                        continue
                    if view.cable_kind(cable) is not CableKind.TENSOR:
                        continue
                    reached.add(cable[0])
                    if entry.spec.role is Role.EVENT:
                        ahead.append(cable[0])
                    elif issubclass(entry.spec.cls, InferenceNode) and isinstance(entry.spec.cls.hears, Chunks):
                        sources.append(cable[0])
        found[maker] = tuple(sorted(sources))
    return found


def _own(spec: NodeSpec, rate: int) -> int:
    """The latency that a node declares."""
    if streams(spec):
        return latency_frames(cast("type[StreamNode]", spec.cls), rate)
    return 0 if spec.cls.latency is Node.latency else spec.cls.latency(rate)


def opted_out(entry: NodeEntry) -> bool:
    """Whether nothing waits for this node."""
    return entry.params.get("compensate") is False


class _Timer:
    def __init__(
        self, view: GraphView, order: Order, own: Mapping[str, int], factors: Mapping[str, int], rate: int
    ) -> None:
        self.view, self.order, self.own, self.factors, self.rate = view, order, own, factors, rate
        self.sources = coders(view)
        self.late: dict[str, int] = {}
        self.waits: dict[Cable, int] = {}

    def timing(self) -> Timing:
        ends: list[Cable] = []
        for number in self._turns():
            row = self.order.rows[number]
            cables = [cable for entry in row for cable in self._into(entry)]
            if number not in self.order.knots and row[0].spec is not None and row[0].spec.role is Role.DEVICE:
                ends += cables
                self._leave(row[0], 0)
                continue
            if number in self.order.knots:
                cables = [cable for cable in cables if cable not in self.order.inside]
            start = self._align(cables)
            for entry in row:
                self._leave(entry, self._said(entry.id) if entry.id in self.sources else start)
        total = self._align(ends)
        late = {id: frames for id, frames in self.late.items() if frames}
        own = {id: -(-frames // self.factors.get(id, 1)) for id, frames in self.own.items() if id in late}
        return Timing(late, {cable: wait for cable, wait in self.waits.items() if wait}, total, own)

    def _turns(self) -> list[int]:
        """The rows in their order, those that make sound of arrays behind those that say these."""
        rows = self.order.rows
        if not self.sources:
            return list(range(len(rows)))
        row_of = {entry.id: number for number, row in enumerate(rows) for entry in row}
        behind: dict[int, set[int]] = {}
        for number, row in enumerate(rows):
            heard = {row_of[cable[0]] for entry in row for cable in self._into(entry)}
            said = {row_of[source] for entry in row for source in self.sources.get(entry.id, ())}
            for source in (heard | said) - {number}:
                behind.setdefault(source, set()).add(number)
        waiting = Counter(number for numbers in behind.values() for number in numbers)
        ready = [number for number in range(len(rows)) if not waiting[number]]
        found: list[int] = []
        while ready:
            found.append(number := heappop(ready))
            for other in behind.get(number, ()):
                waiting[other] -= 1
                if not waiting[other]:
                    heappush(ready, other)
        return found + sorted(set(range(len(rows))) - set(found))  # a loop through arrays: they say when they can

    def _said(self, id: str) -> int:
        """How late the arrays are that reach a node."""
        late = []
        for source in self.sources[id]:
            spec = self.view._store.nodes[source].spec
            if source in self.late and spec is not None and issubclass(spec.cls, InferenceNode):
                heard = spec.cls.hears
                ahead = round(spec.cls.delay * self.rate / heard.rate)
                said = round(heard.seconds * self.rate) + answer_frames(spec.cls, self.rate) + ahead
                late.append(self.late[source] + said)
        return max(late, default=0)

    def _into(self, entry: NodeEntry) -> list[Cable]:
        store = self.view._store
        return [cable for row in store.into.get(entry.id, {}).values() for cable in row if carries_sound(store, cable)]

    def _align(self, cables: list[Cable]) -> int:
        """Let what comes along these cables wait for the latest of them; gives how late that is."""
        arriving = {
            cable: self._arrival(cable)
            for cable in cables
            if cable[0] in self.late and not opted_out(self.view._store.nodes[cable[2]])
        }  # fmt: skip
        latest = max(arriving.values(), default=0)
        for cable, frames in arriving.items():
            self.waits[cable] = (latest - frames) * self.factors.get(cable[0], 1) + self._rest(cable[0])
        return latest

    def _arrival(self, cable: Cable) -> int:
        crossed = crossing_frames(self.factors.get(cable[0], 1), self.factors.get(cable[2], 1))
        return self.late[cable[0]] + crossed

    def _leave(self, entry: NodeEntry, start: int) -> None:
        """How late a node's outlets are: whole frames at the engine's rate."""
        if opted_out(entry):
            return
        factor = self.factors.get(entry.id, 1)
        self.late[entry.id] = start + -(-self.own.get(entry.id, 0) // factor)

    def _rest(self, id: str) -> int:
        """What is missing to whole frames at the engine's rate, in samples of the node's."""
        return -self.own.get(id, 0) % self.factors.get(id, 1)
