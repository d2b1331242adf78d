"""The taps of a running graph: Python nodes that get the sound in equal chunks, a little after it was played."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nodegraph.core.declare import PythonNode, TapNode
from nodegraph.runtime.messages import Instant, Messages
from nodegraph.runtime.resources import Resources


@dataclass
class Tap:
    """A tap and how far it has heard."""

    node: TapNode
    answer: int
    heard: int


class Taps:
    """All taps of one player. What a tap sends bears the time of its chunk's end plus its answer time."""

    def __init__(self, rate: int, messages: Messages, resources: Resources, report: Callable[[str, str], None]) -> None:
        self.rate = rate
        self._messages = messages
        self._resources = resources
        self._report = report
        self._of: dict[str, Tap] = {}

    def add(self, node: TapNode, frame: int) -> None:
        """Let a node hear from `frame` on."""
        self._of[node.id] = Tap(node, round(node.answer_s * self.rate), frame)

    def remove(self, id: str, done: int) -> None:
        """Let a node go, after it has heard the rest."""
        if id in self._of:
            self._finish(id, self._of.pop(id), done)

    def rename(self, names: Mapping[str, str]) -> None:
        """Nodes have other ids from now on."""
        self._of = {names.get(id, id): tap for id, tap in self._of.items()}

    def hear(self, done: int) -> None:
        """Hand over what has been played until `done`, in whole chunks."""
        for id, tap in list(self._of.items()):
            self._chunks(id, tap, done)

    def _chunks(self, id: str, tap: Tap, done: int) -> None:
        ring = self._resources.rings.get(id)
        if ring is None:
            tap.heard = done
            return
        stride = max(1, tap.node.stride())
        if done - tap.heard > ring.size:
            lost = (done - tap.heard) // stride * stride
            self._report(id, f"{lost} frames came too fast and were not heard.")
            tap.heard += lost
        while done - tap.heard >= stride:
            self._chunk(id, tap, ring, stride)

    def _chunk(self, id: str, tap: Tap, ring: Any, frames: int) -> None:
        start = tap.heard
        tap.heard = start + frames
        found: list[tuple[str, Any]] = []
        tap.node.host = _Collector(self._messages, found)
        self._messages.guarded(id, tap.node.hear, ring.read(start, frames), Instant(start, self.rate))
        tap.node.host = self._messages
        for outlet, value in found:
            self._messages.emit(tap.heard + tap.answer, id, outlet, value)

    def earliest(self, otherwise: int) -> int:
        """The earliest frame at which something that a tap has not sent yet may act."""
        for tap in self._of.values():
            otherwise = min(otherwise, tap.heard + max(1, tap.node.stride()) + tap.answer)
        return otherwise

    def finish(self, done: int) -> None:
        """The end: what is left is heard, shorter than a chunk."""
        for id, tap in list(self._of.items()):
            self._finish(id, tap, done)

    def _finish(self, id: str, tap: Tap, done: int) -> None:
        ring = self._resources.rings.get(id)
        if ring is None:
            return
        self._chunks(id, tap, done)
        if 0 < done - tap.heard <= ring.size:
            self._chunk(id, tap, ring, done - tap.heard)


class _Collector:
    """The host of a tap while it hears: what it sends is stamped when it is done."""

    def __init__(self, messages: Messages, found: list[tuple[str, Any]]) -> None:
        self.rate = messages.rate
        self._messages = messages
        self._found = found

    def send(self, node: PythonNode, outlet: str, value: Any) -> None:
        self._found.append((outlet, value))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._messages, name)
