"""The engine's record of one node in a lane."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from nodegraph.core.listening import Chunks, Clip, Files
from nodegraph.core.spec import NodeSpec
from nodegraph.core.values import plain
from nodegraph.runtime.lane.ring import Ring
from nodegraph.runtime.lane.status import Figures, State

STRIKES: Final = 3  # so many times it may take the worker down, with no answer in between, before it is left out


@dataclass
class Asked:
    """A request without an answer.

    `said`: the messages that came since the one before. `due`: when its sound was first seen in the ring, on the
    monotonic clock. `given`: the worker knows of it.
    """

    number: int
    end_frame: int
    controls: dict[str, float]
    sent: float
    late_after: int | None
    said: list[list[Any]] = field(default_factory=list)
    due: float | None = None
    given: bool = False


@dataclass
class Seat:
    """One node: what the worker must know of it, and what is known of its answers.

    ``worker``: the count of the worker process that knows it; 0 for none. ``heard``: up to where its flow of chunks has
    got, so that a new worker goes on from there. ``lasting``: the last messages of inlets that keep them. ``stream``:
    where its sound is laid. ``begun``: since when its model is being loaded or warmed up.
    """

    key: int
    node: str
    spec: NodeSpec
    hears: Clip | Chunks
    settings: dict[str, Any]
    controls: dict[str, float]
    ring: Ring
    folder: Path | None
    heard: int
    stream: Ring | None = None
    lasting: dict[str, list[Any]] = field(default_factory=dict)
    files: Files | None = None
    state: State = "loading"
    worker: int = 0
    begun: float | None = None
    strikes: int = 0
    pending: dict[int, Asked] = field(default_factory=dict)
    figures: Figures = field(default_factory=Figures)

    def adding(self) -> dict[str, Any]:
        """The message that makes a worker take this node; the ring's memory goes beside it."""
        files = self.files or Files({})
        return {
            "do": "add",
            "key": self.key,
            "node": self.node,
            "kind": self.spec.kind,
            "ring": _shape(self.ring),
            "stream": None if self.stream is None else _shape(self.stream),
            "settings": plain(self.settings),
            "controls": self.controls,
            "files": {name: str(path) for name, path in files.items()},
            "on_gpu": {name: str(path) for name, path in files.on_gpu.items()},
            "version": files.version,
            "gpu_version": files.gpu_version,
            "folder": str(self.folder) if self.folder else "",
            "start": self.heard,
            "said": list(self.lasting.values()),
            "lasting": list(self.spec.cls.lasting),  # type: ignore[attr-defined]
        }

    @property
    def memory(self) -> list[int]:
        """The files that go with it."""
        return [self.ring.fd] if self.stream is None else [self.ring.fd, self.stream.fd]

    def listening(self, asked: Asked) -> dict[str, Any]:
        """The message of one request."""
        return {
            "do": "listen",
            "key": self.key,
            "request": [asked.number, asked.end_frame, asked.controls],
            "sent": asked.sent,
            "late_after": asked.late_after,
            "said": asked.said,
        }

    def learn(self, asked: Asked) -> None:
        """The worker knows what was said with this request, or was to know it."""
        keep = self.spec.cls.lasting  # type: ignore[attr-defined]
        self.lasting.update((item[0], item) for item in asked.said if item[0] in keep)

    def waits_since(self, now: float) -> float | None:
        """Since when its oldest request could have been answered; None when there is none, or no sound for it yet."""
        if self.state != "ready" or not self.worker or not self.pending:
            return None
        oldest = next(iter(self.pending.values()))
        if oldest.due is None and self.ring.written >= oldest.end_frame:
            oldest.due = now
        return oldest.due


def _shape(ring: Ring) -> list[int]:
    return [ring.channels, ring.frames, ring.longest_block]
