"""Messages in logical time: Python's event nodes, run ahead of the sound by a small lookahead.

Every message acts at a frame. Messages are handled in the order of their frames; at one frame in the order of the
graph, so that a node acts once, after everything upstream of it has. What a node receives at one frame reaches it in
the order of its inlets, controls first: no message overtakes another, wherever the boxes stand on the screen. Who
watches an outlet is told in the same order, never when something happened to arrive.
"""

from __future__ import annotations

import heapq
import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import Any

import numpy as np

from nodegraph.core.declare import EventNode, PythonNode
from nodegraph.core.errors import Fault, NodegraphError, PatchError, Problem
from nodegraph.core.flatten import BOUNDARY
from nodegraph.core.host import Placed
from nodegraph.core.messages import BANG, Event, Ramp, Tag, as_number
from nodegraph.core.order import LATER_KINDS, LATER_ROLES
from nodegraph.core.ports import CableKind, Control
from nodegraph.core.presets import Book
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.core.view import GraphView, NodeEntry
from nodegraph.runtime.musical_time import MusicalTime
from nodegraph.runtime.outside import Outside
from nodegraph.runtime.recall import Recalls
from nodegraph.runtime.ticket import Ticket

MOST_AT_ONCE = 100_000
LAST = 1 << 62
"""Behind every cable: who watches is told when the node has acted."""
BEAT = LAST - 1
"""Behind every cable, too: a beat finds its node as what came at this frame has left it."""
LONGEST_RAMP_S = 3_600.0
NEVER_S = 1e9
"""Thirty years: nobody waits longer."""
NOBODY = ""
"""Whose calls from outside the patch are: what they do comes before all that nodes do at that frame."""
NATIVE = (Role.KERNEL, Role.BLOCK)
NO_PRESETS = Book()
NOWHERE: Set[tuple[str, str]] = frozenset()
APART = 1 << 32
"""Between two that were asked for one after the other there is room for what the first of them sets going."""


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in logical time."""

    frame: int
    rate: int

    @property
    def time(self) -> float:
        """Seconds since the patch began."""
        return self.frame / self.rate


@dataclass(frozen=True, slots=True)
class Told:
    """A message on its way to those who watch its outlet."""

    event: Event


class Messages:
    """The message side of one running graph.

    `to_control`, `to_native` and `to_signal` hand a message to the engine; `report` gets log lines as (node, text).
    """

    def __init__(
        self,
        rate: int,
        to_control: Callable[[int, str, NodeSpec, str, float, int], None],
        to_native: Callable[[int, str, NodeSpec, str], None],
        to_signal: Callable[[int, str, str, int, float, int], None],
        report: Callable[[str, str], None],
    ) -> None:
        self.rate = rate
        self.to_control = to_control
        self.to_native = to_native
        self.to_signal = to_signal
        self.report = report
        self.now = 0
        self.handled = 0
        self.floor = 0
        """Nothing reaches the engine for an earlier frame."""
        self.late: Counter[str] = Counter()
        self.nodes: dict[str, PythonNode] = {}
        self.watchers: dict[tuple[str, str], list[Callable[[Event], None]]] = {}
        self.everything: Callable[[Event], None] | None = None
        """Is told of every message of every outlet."""
        self.moved: Callable[[str, str, float], None] | None = None
        """Is told of every number that reaches a control: node, inlet, value."""
        self.to_worker: Callable[[str, int, str, Any], None] | None = None
        """Takes what comes to the message inlets of nodes in workers: node, frame, inlet, message."""
        self.moved_all: Callable[[tuple[tuple[str, str], ...], np.ndarray[Any, Any]], None] | None = None
        """Is told instead, where many controls are moved at once: their places and their values."""
        self.entries: dict[str, NodeEntry] = {}
        self._targets: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
        self._rank: dict[str, int] = {}
        self.clock = MusicalTime(self)
        self.outside = Outside(self.call)
        self.recalls = Recalls(self)
        self.books: Mapping[str, Book] = {}
        """The presets of the patch, and of the patches in it, by the prefix of their nodes."""
        self._heap: list[tuple[int, int, int, int, str, str, Any]] = []
        self._count = 0
        self._posted: dict[int, set[tuple[str, str]]] = {}
        """Frame → inlets that messages from outside reach then, one by one."""
        self._asked: int | None = None
        """The place among all that was asked for of the call from outside that is under way."""
        self._current: str | None = None

    # -- the graph

    def follow(self, view: GraphView) -> None:
        """Take over the message cables of a graph. Nodes and pending messages stay."""
        self.entries = dict(view.nodes)
        self.recalls.keep(self.entries)
        self._targets = {}
        edges: dict[str, list[str]] = {}
        cables = [cable for cable in view.cables if view.cable_kind(cable) in (CableKind.EVENT, CableKind.TENSOR)]
        for index, (source, outlet, target, inlet) in enumerate(cables):
            self._targets.setdefault((source, outlet), []).append((index, target, inlet))
            edges.setdefault(source, []).append(target)
        for index, (source, inlet, target, outlet) in enumerate(view.implicit_cables()):
            # what arrives at a send goes out of every receive of its name
            self._targets.setdefault((source, "\0" + inlet), []).append((index, target, "\0" + outlet))
            edges.setdefault(source, []).append(target)
        self._rank = self._ranks(edges)
        rank = self._rank
        self._heap = [(item[0], rank[item[4]], *item[2:]) for item in self._heap if item[4] in rank]
        heapq.heapify(self._heap)
        self._posted = {frame: places for frame, places in self._posted.items() if frame >= self.now}

    def _ranks(self, edges: dict[str, list[str]]) -> dict[str, int]:
        """A place for each node, behind all that it hears messages from; among equals in the order of the ids.

        What leaves a delay, or a node that answers later than it hears, belongs to a later frame and does not count.
        """
        later = {id for id, entry in self.entries.items() if _answers_later(entry)}
        waiting: Counter[str] = Counter()
        for source, targets in edges.items():
            if source not in later:
                waiting.update(targets)
        way = dict.fromkeys(self.entries, 0)
        ready = [id for id in self.entries if not waiting[id]]
        while ready:
            source = ready.pop()
            if source in later:
                continue
            for target in edges.get(source, ()):
                way[target] = max(way[target], way[source] + 1)
                waiting[target] -= 1
                if not waiting[target]:
                    ready.append(target)
        return {id: place for place, id in enumerate(sorted(way, key=lambda id: way[id]))} | {NOBODY: -1}

    def join(self, node: PythonNode, frame: int) -> None:
        """Let a Python node in; it starts at `frame`."""
        node.host = self
        self.nodes[node.id] = node
        self.call(node, frame, node.start)

    def leave(self, id: str) -> None:
        """Stop a Python node."""
        node = self.nodes.pop(id, None)
        self.clock.forget(id)
        if node is not None:
            self.outside.forget(node)
            node.stop()

    def rename(self, names: Mapping[str, str]) -> None:
        """Nodes have other ids from now on; what is on its way to them still arrives."""
        self.nodes = {names.get(id, id): node for id, node in self.nodes.items()}
        for id, node in self.nodes.items():
            node.id = id
        self._heap = [(*item[:4], names.get(item[4], item[4]), *item[5:]) for item in self._heap]
        self._rank = {names.get(id, id): rank for id, rank in self._rank.items()}
        self._posted = {
            frame: {(names.get(id, id), inlet) for id, inlet in places} for frame, places in self._posted.items()
        }
        self.recalls.rename(names)

    # -- what nodes may ask (core.declare.Host)

    def send(self, node: Any, outlet: str, value: Any) -> None:
        """A message from a node, now (in logical time)."""
        self.emit(self.now, node.id, outlet, value)

    def after(self, node: Any, seconds: float, call: Callable[[Any], None]) -> Ticket:
        """Call back `seconds` later, at least one frame; after an infinite time, never."""
        return self.call(node, self.now + max(1, round(min(seconds, NEVER_S) * self.rate)), call)

    def cancel(self, ticket: object) -> None:
        """Forget a call that was asked for."""
        if isinstance(ticket, Ticket):
            ticket.cancel()

    def write(self, node: Any, outlet: str, channel: int, value: float, ramp_s: float) -> None:
        """Move what a signal outlet of a node holds in one channel, now (in logical time)."""
        self.to_signal(max(self.now, self.floor), node.id, outlet, channel, float(value), round(ramp_s * self.rate))

    def presets(self, node: Any) -> Book:
        """The presets of the patch in which a node stands."""
        outer, boundary, _ = node.id.rpartition(BOUNDARY)
        return self.books.get(outer + boundary, NO_PRESETS)

    def recall(self, node: Any, values: Iterable[Placed], seconds: float = 0.0, curve: str = "linear") -> None:
        """Move controls, now (in logical time)."""
        self.recalls.recall([(item.node, item.inlet, item.value) for item in values], seconds, curve)

    def instant(self) -> Instant:
        """Now (in logical time)."""
        return Instant(self.now, self.rate)

    def log(self, node: Any, text: str) -> None:
        """A line for the log."""
        self.report(node.id, text)

    # -- posting

    def call(self, node: Any, frame: int, call: Callable[[Any], None], place: int = -1) -> Ticket:
        """Call a function in logical time, as if a message had come for the node: before all others, unless told."""
        ticket = Ticket(call)
        self._push(frame, self._rank.get(node.id, 0), place, node.id, "", ticket)
        return ticket

    def at(self, frame: int, call: Callable[[Any], None]) -> None:
        """Call a function for nobody in particular, in logical time, before any node acts at that frame."""
        self._push(max(frame, self.handled), -1, -1, NOBODY, "", Ticket(call))

    def on_beat(self, node: Any, frame: int, call: Callable[[Any], None]) -> Ticket:
        """Call a function in logical time, when the node has everything that comes at this frame."""
        return self.call(node, frame, call, BEAT)

    def emit(self, frame: int, node: str, outlet: str, value: Any) -> None:
        """A message leaves an outlet at `frame`."""
        if frame < self.handled:
            self.late[node] += 1
            frame = self.handled
        if self.everything is not None or (node, outlet) in self.watchers:
            told = Told(Event(frame, frame / self.rate, value, node, outlet))
            self._push(frame, self._rank.get(node, 0), LAST, node, outlet, told)
        for index, target, inlet in self._targets.get((node, outlet), ()):
            self._push(frame, self._rank.get(target, 0), index, target, inlet, value)

    def post(self, frame: int, node: str, inlet: str, value: Any) -> None:
        """A message from outside arrives at an inlet."""
        frame = max(frame, self.handled)
        self._posted.setdefault(frame, set()).add((node, inlet))
        self._push(frame, self._rank.get(node, 0), -1, node, inlet, value, self._asked)

    def posted(self, frame: int) -> Set[tuple[str, str]]:
        """The inlets that messages from outside reach at a frame, one by one: what moves many at once before any node
        acts must not overtake those."""
        return self._posted.get(frame, NOWHERE)

    def _push(
        self, frame: int, rank: int, index: int, node: str, inlet: str, value: Any, asked: int | None = None
    ) -> None:
        self._count += 1
        place = self._count * APART if asked is None else asked + self._count % APART
        heapq.heappush(self._heap, (frame, rank, index, place, node, inlet, value))

    # -- running

    def run(self, horizon: int) -> None:
        """Handle every message before frame `horizon`."""
        heap = self._heap
        spent = 0
        while heap and heap[0][0] < horizon:
            frame, _, _, place, node, inlet, value = heapq.heappop(heap)
            if isinstance(value, Told):
                self._tell(node, inlet, value.event)
                continue
            spent = spent + 1 if frame == self.now else 0
            if spent > MOST_AT_ONCE:
                raise PatchError(
                    Problem(
                        "event-storm", f"More than {MOST_AT_ONCE} messages at one instant.",
                        "A loop of messages needs a 'delay' node.", node=node,
                    )
                )  # fmt: skip
            self._go_to(max(frame, self.now))
            self.handled = self.now
            if isinstance(value, Ticket):
                if value.call is not None:
                    self._asked = place if node == NOBODY else None
                    self.guarded(node, value.call, Instant(frame, self.rate))
                    self._asked = None
                continue
            batch = [(inlet, value)]
            while heap and heap[0][0] == frame and heap[0][4] == node and not isinstance(heap[0][6], (Ticket, Told)):
                item = heapq.heappop(heap)
                batch.append((item[5], item[6]))
            self._deliver(frame, node, batch)
        self.handled = max(self.handled, horizon)
        self._go_to(max(self.now, min(self.handled, horizon)))

    def _go_to(self, frame: int) -> None:
        """It is this frame now."""
        if frame != self.now:
            self._posted.pop(self.now, None)
            self.now = frame

    def _tell(self, node: str, outlet: str, event: Event) -> None:
        for watcher in self.watchers.get((node, outlet), ()):
            watcher(event)
        if self.everything is not None:
            self.everything(event)

    def _deliver(self, frame: int, id: str, batch: list[tuple[str, Any]]) -> None:
        entry = self.entries.get(id)
        if entry is None or entry.spec is None:
            return
        spec = entry.spec
        if len(batch) > 1:
            first = spec.cls.lasting if issubclass(spec.cls, EventNode) else ()
            order = {
                item.name: (not isinstance(item, Control), item.name not in first, number)
                for number, item in enumerate(spec.inlets)
            }
            batch.sort(key=lambda item: order.get(item[0], (True, True, 0)))
        node = self.nodes.get(id)
        ramps = {inlet: value.seconds for inlet, value in batch if isinstance(value, Ramp)}
        taken = [(inlet, self._taken(entry, spec, inlet, value)) for inlet, value in batch]
        if node is not None:
            # a handler sees every control as it is at this frame, whichever inlets come before its own
            node.controls.update(
                (inlet, value) for inlet, value in taken if inlet in node.controls and value is not None
            )
        for inlet, value in taken:
            if inlet.startswith("\0"):
                self.emit(frame, id, inlet[1:], value)
                continue
            port = spec.inlet_named.get(inlet)
            if port is None or value is None:
                continue
            if self.moved is not None and isinstance(port, Control):
                self.moved(id, inlet, value)
            if spec.role in NATIVE:
                if isinstance(port, Control):
                    seconds = min(max(ramps.get(inlet, port.ramp_s), 0.0), LONGEST_RAMP_S)
                    frames = round(seconds * self.rate)
                    self.recalls.moved(id, inlet, value, frames, float(entry.value(inlet)))
                    self.to_control(max(frame, self.floor), id, spec, inlet, value, frames)
                else:
                    self.to_native(max(frame, self.floor), id, spec, inlet)
                continue
            if node is None:
                continue
            if isinstance(port, Control):
                node.controls[inlet] = value
            if entry.kind == "send":
                for _, target, outlet in self._targets.get((id, "\0" + inlet), ()):
                    self._push(frame, self._rank.get(target, 0), -1, target, outlet, value)
            if isinstance(node, EventNode):
                handler = getattr(node, intern("on_" + inlet), None)  # the interpreter keeps new texts that it looks up
                if handler is not None:
                    self.guarded(id, _bound(handler), value, Instant(frame, self.rate))
            elif spec.role is Role.INFERENCE and self.to_worker is not None and not isinstance(port, Control):
                self.to_worker(id, frame, inlet, value)

    def _taken(self, entry: NodeEntry, spec: NodeSpec, inlet: str, value: Any) -> Any:
        """What an inlet makes of a message: a control its number, or None, if it takes none such."""
        port = spec.inlet_named.get(inlet)
        return self._number(entry, port, value) if isinstance(port, Control) else value

    def _number(self, entry: NodeEntry, port: Control, value: Any) -> float | None:
        """A message as this control's value, held within its span; a bang repeats the stored value."""
        if value is BANG:
            return float(entry.value(port.name))
        number = as_number(value) if not isinstance(value, np.ndarray) else None
        if number is None or not np.isfinite(number):
            self.report(entry.id, Fault(f"'{port.name}' takes numbers, not {value!r}."))
            return None
        low, high = port.span
        return min(max(number, low), high)

    def guarded(self, id: str, call: Callable[..., None], *args: Any) -> None:
        """A node's own mistake is its own: it is reported, and the patch plays on."""
        try:
            call(*args)
        except NodegraphError:
            raise
        except Exception as error:
            where = inspect.trace()[-1]
            self.report(id, Fault(f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"))


def _answers_later(entry: NodeEntry) -> bool:
    return entry.kind in LATER_KINDS or (entry.spec is not None and entry.spec.role in LATER_ROLES)


def _bound(handler: Callable[..., None]) -> Callable[[Any, Any], None]:
    """A handler that takes what its author wrote of (message, when)."""
    names = _parameters(getattr(handler, "__func__", handler), hasattr(handler, "__func__"))
    if names == ("message", "when"):
        return handler
    return lambda message, when: handler(*({"message": message, "when": when}[name] for name in names))


@lru_cache(maxsize=1_024)
def _parameters(function: Callable[..., None], bound: bool) -> tuple[str, ...]:
    """The names of what a handler takes: to ask takes longer than most handlers."""
    return tuple(inspect.signature(function).parameters)[bound:]


def described(value: Any) -> str:
    """A message as text for people."""
    if isinstance(value, Tag):
        return f"{value.label} {value.score:.2f}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (tuple, list)):
        return ", ".join(described(item) for item in value)
    if isinstance(value, np.ndarray):
        return f"array {value.shape}"
    return str(value)


def controls_of(entry: NodeEntry) -> dict[str, float]:
    """The stored values of a node's control inlets."""
    assert entry.spec is not None
    return {item.name: float(entry.value(item.name)) for item in entry.spec.controls}


def moved_controls(entry: NodeEntry, controls: Mapping[str, float]) -> dict[str, float]:
    """Those of a node's controls that messages have moved away from what is stored."""
    stored = controls_of(entry)
    return {name: value for name, value in controls.items() if stored.get(name) != value}
