"""The listeners of a running graph: when each is asked, when its answer acts, and what becomes of its worker."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from nodegraph.core.declare import InferenceNode
from nodegraph.core.errors import Fault, WorkerError
from nodegraph.core.listening import Chunks, Workers, hop_of
from nodegraph.core.ports import CableKind
from nodegraph.core.view import NodeEntry
from nodegraph.runtime.lane import Lanes
from nodegraph.runtime.lane.answers import pack_message
from nodegraph.runtime.lane.ring import Ring
from nodegraph.runtime.lane.streams import MISSED, answer_frames, fade_frames, header, lag_of
from nodegraph.runtime.messages import Messages

MOST_SAID = 1_000
"""Messages for one node between two requests."""
LOOK_EVERY = 50
"""Rounds between two looks at the workers' states."""


class Weights(Protocol):
    """How a model's files are found: a name in the store to its files."""

    def __call__(self, name: str) -> dict[str, Path]: ...


@dataclass
class Listener:
    """A listener's requests: which clips it owes an answer for.

    `answer` is the fixed time from the end of what was heard to the answer. A node that hears a flow of chunks is asked
    once a chunk, so a chunk may have to wait for the next request: that is part of its time. `lag` is the most by which
    the flow's resampler holds sound back: a chunk that ended so long before a request may come with the next one.
    """

    node: InferenceNode
    answer: int
    flow: bool
    lag: int
    reached: int
    fade: int = 0
    pending: deque[int] = field(default_factory=deque)
    number: int = 0
    told: str = ""
    noted: str = ""
    restarts: int = 0
    stream: Ring | None = None
    missing: int = 0
    """Up to here there will be no sound: its inference failed."""
    missed: int = 0
    said: list[list[Any]] = field(default_factory=list)
    """Messages that came to its inlets since it was asked last."""
    left_out: bool = False
    deaf: bool = False
    """It hears messages alone: without any it is not asked."""

    def earliest(self, otherwise: int) -> int:
        """The earliest frame at which an answer that is not here yet may act."""
        if self.stream is not None:
            there = max(self.stream.written, self.missing) + self.answer - self.fade
            return min(there, self.reached + self.answer)
        if self.flow:
            return self.reached + self.answer
        return self.pending[0] + self.answer if self.pending else otherwise


class Listeners:
    """All listeners of one player. A worker is started when the first one joins, unless `lanes` are lent."""

    def __init__(
        self,
        rate: int,
        messages: Messages,
        report: Callable[[str, str], None],
        weights: Weights | None,
        modules: list[str],
        workers: Workers,
        lanes: Lanes | None = None,
    ) -> None:
        self.rate, self.workers = rate, workers
        self._told_device = ""
        self.lanes, self._lent = lanes, lanes is not None
        self._messages = messages
        self._report = report
        self._weights = weights
        self._modules = modules
        self._of: dict[str, Listener] = {}
        self._look = 0
        messages.to_worker = self._say

    def add(self, entry: NodeEntry, node: InferenceNode, ring: Any, frame: int, stream: Ring | None = None) -> None:
        """Let a node listen to its ring from `frame` on; what it says as sound it lays into `stream`."""
        assert entry.spec is not None
        if self.lanes is None:
            self.lanes = Lanes(self.rate, self._weights or _no_weights, self.workers, self._modules)
        flow = isinstance(node.hears, Chunks)
        lag = lag_of(node.hears, self.rate)
        answer = answer_frames(type(node), self.rate)
        one = self._of[entry.id] = Listener(node, answer, flow, lag, frame)
        one.deaf = not flow and all(item.kind is not CableKind.SIGNAL for item in entry.spec.inlets)
        if stream is not None:
            one.stream, one.missing, one.fade = stream, frame, 2 * fade_frames(self.rate)
        self.lanes.add(
            entry.id, entry.spec, node.hears, dict(node.settings), dict(node.controls), ring, start_frame=frame,
            stream=stream,
        )  # fmt: skip
        # What a resampler holds back of a chunk is there so much after its end: asked at its end, a flow would hear it
        # with the next request only, and a long chunk be late by itself.
        self._next_clip(one, frame + lag)

    def remove(self, id: str) -> None:
        """Let a node go."""
        if self._of.pop(id, None) is not None and self.lanes is not None:
            self.lanes.remove(id)

    def rename(self, names: Mapping[str, str]) -> None:
        """Nodes have other ids from now on; they listen on."""
        self._of = {names.get(id, id): one for id, one in self._of.items()}
        if self.lanes is not None:
            self.lanes.rename(names)

    def _next_clip(self, one: Listener, frame: int) -> None:
        """Ask for the next clip when logical time comes to its end."""
        end = frame + max(1, round(hop_of(one.node.hears, one.node.controls) * self.rate))

        def ask(_when: Any) -> None:
            if self._of.get(one.node.id) is not one or self.lanes is None:
                return
            said = [item for item in one.said if item[1] < end]
            one.said, one.left_out = one.said[len(said) :], False
            if one.deaf and not said:
                self._next_clip(one, end)
                return
            one.pending.append(end)
            one.number += 1
            late = None if one.flow or one.deaf else end + one.answer
            self.lanes.request(one.node.id, one.number, end, dict(one.node.controls), said=said, late_after=late)
            self._next_clip(one, end)

        self._messages.call(one.node, end, ask)

    def _say(self, id: str, frame: int, inlet: str, value: Any) -> None:
        """A message for a node in a worker: it goes with the next request."""
        one = self._of.get(id)
        if one is None:
            return
        try:
            item = pack_message(inlet, frame, value)
        except WorkerError as error:
            self._report(id, Fault(error))
            return
        if len(one.said) < MOST_SAID:
            one.said.append(item)
        elif not one.left_out:
            one.left_out = True
            self._report(id, f"gets more than {MOST_SAID} messages between two answers: the others are left out.")

    def answers(self) -> None:
        """Send out what the workers have answered."""
        if self.lanes is None:
            return
        for answer in self.lanes.poll():
            one = self._of.get(answer.node)
            if one is None:
                continue
            while one.pending and one.pending[0] <= answer.end_frame:
                one.pending.popleft()
            one.reached = max(one.reached, answer.end_frame - one.lag)
            for note in answer.notes:
                self._report(answer.node, note)
            if not answer.ok:
                one.missing = max(one.missing, answer.end_frame)
                self._look = 0
                continue
            for outlet, stamp, value in answer.items:
                for message in value if isinstance(value, list) else [value]:
                    self._messages.emit(stamp + one.answer, answer.node, outlet, message)
        self._states()

    def _states(self) -> None:
        """Tell when a listener's worker is lost, comes back, or gives up; looked at now and then."""
        self._look -= 1
        if self.lanes is None or self._look > 0:
            return
        self._look = LOOK_EVERY
        if self.workers.on != "cpu" and (line := self.lanes.runs_on) != self._told_device:
            self._told_device = line
            self._report("", f"models run on {line}.")
        for id, status in self.lanes.status().items():
            one = self._of.get(id)
            if one is None:
                continue
            if one.stream is not None and (missed := int(header(one.stream)[MISSED])) > one.missed:
                for _ in range(missed - one.missed):
                    self.lanes.miss(id)
                one.missed = missed
            if status.restarts != one.restarts and status.state != "failed":  # it may be back already
                one.restarts, one.told = status.restarts, "restarting"
                self._report(id, Fault(status.error or "its worker is started again."))
            if status.note != one.noted:
                one.noted = status.note
                self._report(id, status.note)
            if status.state == one.told:
                continue
            if status.state == "failed":
                self._report(id, Fault(status.error or "has failed."))
            elif status.state == "unloaded":
                self._report(id, Fault(f"does not listen now: {status.error}."))
            elif status.state in ("loading", "warming") and one.told == "unloaded":
                continue
            elif status.state == "ready" and one.told in ("unloaded", "restarting"):
                self._report(id, "listens again.")
            elif one.told == "restarting":
                continue  # loading again: the next word is that it listens
            one.told = status.state

    def earliest(self, otherwise: int) -> int:
        """The earliest frame at which any answer that is not here yet may act."""
        for one in self._of.values():
            otherwise = min(otherwise, one.earliest(otherwise))
        return otherwise

    @property
    def due(self) -> bool:
        """Whether an answer is owed."""
        return any(one.pending for one in self._of.values())

    def wait(self, timeout: float) -> None:
        """Wait for an answer, if one is owed."""
        if self.lanes is not None and self.due:
            self.lanes.wait(timeout)

    def status(self) -> dict[str, dict[str, Any]]:
        """How every listener is."""
        return {} if self.lanes is None else {id: status.as_dict() for id, status in self.lanes.status().items()}

    def close(self) -> None:
        """End the workers; or only leave those that were lent."""
        if self.lanes is None:
            return
        if self._lent:
            for id in self._of:
                self.lanes.remove(id)
        else:
            self.lanes.close()
        self.lanes = None


def _no_weights(_name: str) -> dict[str, Path]:
    return {}
