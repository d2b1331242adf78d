"""What a lane tells about each of its nodes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

State = Literal["loading", "warming", "ready", "unloaded", "restarting", "failed"]
REMEMBERED: Final = 512  # measurements from which the percentiles are taken


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One node. Times in milliseconds over the last 512 measurements; None before the first.

    ``queue`` is how long a request waited once its sound was there, ``total`` the same with the inference and the way
    back. ``answered``: requests answered well. ``misses``: requests that failed, came too late, or were lost with a
    worker. ``pending``: requests without an answer yet. ``error``: the last thing that went wrong, empty when nothing
    has. ``version``: which version of its model it has, empty for the original. ``note``: what should be said of its
    model.
    """

    state: State
    inference_p50_ms: float | None
    inference_p99_ms: float | None
    queue_p50_ms: float | None
    queue_p99_ms: float | None
    total_p50_ms: float | None
    total_p99_ms: float | None
    answered: int
    misses: int
    pending: int
    restarts: int
    error: str
    version: str = ""
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return asdict(self)


@dataclass
class Figures:
    """What is counted for one node."""

    inference_s: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    queue_s: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    total_s: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    answered: int = 0
    misses: int = 0
    restarts: int = 0
    error: str = ""
    version: str = ""
    note: str = ""

    def status(self, state: State, pending: int) -> NodeStatus:
        return NodeStatus(
            state,
            percentile_ms(self.inference_s, 50), percentile_ms(self.inference_s, 99),
            percentile_ms(self.queue_s, 50), percentile_ms(self.queue_s, 99),
            percentile_ms(self.total_s, 50), percentile_ms(self.total_s, 99),
            self.answered, self.misses, pending, self.restarts, self.error, self.version, self.note,
        )  # fmt: skip


def percentile_ms(seconds: Iterable[float], percent: int) -> float | None:
    """The least measurement that `percent` of them do not exceed, in milliseconds."""
    ordered = sorted(seconds)
    if not ordered:
        return None
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] * 1e3
