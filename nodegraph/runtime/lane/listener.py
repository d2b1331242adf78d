"""A worker's record of one node: its model, what it hears, and what it is asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from nodegraph.core.declare import InferenceNode
from nodegraph.runtime.lane.ears import Ear
from nodegraph.runtime.lane.ring import Ring
from nodegraph.runtime.lane.streams import Outflow


@dataclass
class Request:
    """A clip that is due. `late_after`: an answer is of no use any more once the sound is past this frame."""

    number: int
    end_frame: int
    controls: dict[str, float]
    sent: float
    order: int
    late_after: int | None
    said: list[list[Any]] = field(default_factory=list)


@dataclass
class Listener:
    """One node of the patch."""

    key: int
    id: str
    kind: str
    ring: Ring
    order: dict[str, Any]
    requests: deque[Request] = field(default_factory=deque)
    said: deque[tuple[str, int, Any]] = field(default_factory=deque)
    """Messages for its inlets that no clip has come up to yet."""
    kept: dict[str, tuple[str, int, Any]] = field(default_factory=dict)
    """The last messages of inlets that keep them."""
    node: InferenceNode | None = None
    ear: Ear | None = None
    stream: Ring | None = None
    outflow: Outflow | None = None
    ready: bool = False
    settled: bool = False
    gone: bool = False
    asleep: bool = False
    """Its model was unloaded, and comes back when it is asked again."""
    version: str = ""
    used: float = 0.0
    """When it was asked last."""
    broken: bool = False
    """Its sound has a gap: the next chunk begins anew."""

    @property
    def models(self) -> frozenset[str]:
        """The files of its model: nodes that have the same ones share what is loaded."""
        return frozenset(self.order["files"].values())

    @property
    def urgent(self) -> bool:
        """Whether it is heard: sound comes before words."""
        return self.outflow is not None

    def learn(self, items: Iterable[tuple[str, int, Any]]) -> None:
        """Keep what lasts of these messages."""
        self.kept.update((item[0], item) for item in items if item[0] in self.order["lasting"])

    def due(self) -> bool:
        return self.ready and bool(self.requests) and self.requests[0].end_frame <= self.ring.written
