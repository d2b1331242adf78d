"""How late every sound is, and how long others must wait for it.

A node declares by how many frames its outlets lag its inlets. Where paths meet, the earlier ones wait for the latest:
at the inlets of every node, and at all outputs of the engine together. Every wait belongs to a cable. A node that opts
out (``"compensate": false``, for monitoring) is heard as soon as can be: nobody waits for it, nor it for anybody.
Inside a loop nothing waits, since that would change the loop's length; what comes into a knot of loops is
aligned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from nodegraph.core.cable import Cable
from nodegraph.core.declare import Node
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.core.view import GraphView, NodeEntry
from nodegraph.runtime.compile.crossing import crossing_frames
from nodegraph.runtime.compile.order import Order, carries_sound
from nodegraph.runtime.lane.streams import latency_frames, streams

if TYPE_CHECKING:
    from nodegraph.core.streams import StreamNode


@dataclass(frozen=True, slots=True)
class Timing:
    """Latencies in frames at the engine's rate.

    ``late``: by how much each node's outlets lag what came into the engine; only those that do. ``waits``: by how many
    frames what comes along a cable must be delayed, in samples of the rate at which it leaves its node. ``total``: by
    how much the outputs lag.
    """

    late: Mapping[str, int] = field(default_factory=dict)
    waits: Mapping[Cable, int] = field(default_factory=dict)
    total: int = 0


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
    return _Timer(view, order, own, factors).timing()


def _own(spec: NodeSpec, rate: int) -> int:
    """The latency that a node declares."""
    if streams(spec):
        return latency_frames(cast("type[StreamNode]", spec.cls), rate)
    return 0 if spec.cls.latency is Node.latency else spec.cls.latency(rate)


def opted_out(entry: NodeEntry) -> bool:
    """Whether nothing waits for this node."""
    return entry.params.get("compensate") is False


class _Timer:
    def __init__(self, view: GraphView, order: Order, own: Mapping[str, int], factors: Mapping[str, int]) -> None:
        self.view, self.order, self.own, self.factors = view, order, own, factors
        self.late: dict[str, int] = {}
        self.waits: dict[Cable, int] = {}

    def timing(self) -> Timing:
        ends: list[Cable] = []
        for number, row in enumerate(self.order.rows):
            cables = [cable for entry in row for cable in self._into(entry)]
            if number not in self.order.knots and row[0].spec is not None and row[0].spec.role is Role.DEVICE:
                ends += cables
                self._leave(row[0], 0)
                continue
            if number in self.order.knots:
                cables = [cable for cable in cables if cable not in self.order.inside]
            start = self._align(cables)
            for entry in row:
                self._leave(entry, start)
        total = self._align(ends)
        late = {id: frames for id, frames in self.late.items() if frames}
        return Timing(late, {cable: wait for cable, wait in self.waits.items() if wait}, total)

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
