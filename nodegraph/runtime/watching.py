"""What every node costs the processor, and how late it is: measured while somebody looks, and for nothing else.

The audio thread counts cycles beside every row of its schedule (`native.watching`). What one row does for several nodes
is shared among them equally: sixteen that are packed side by side cost the same; those of a chain or of a loop may not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nodegraph.runtime.compile.schedule import Schedule
from nodegraph.runtime.engine import Engine
from nodegraph.runtime.machine import cycles_per_second
from nodegraph.runtime.native import words as w


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one node: the share of one core's time that it took, and among how many nodes it was shared."""

    share: float
    among: int


class Watching:
    """The counting of one engine. `look` may be called from any thread, one call after another."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._schedule: Schedule | None = None
        self._before: np.ndarray[Any, Any] = np.zeros(1, np.int64)

    @property
    def on(self) -> bool:
        """Whether it counts."""
        return bool(self.engine.words[w.WATCHED])

    @on.setter
    def on(self, on: bool) -> None:
        self.engine.words[w.WATCHED] = int(on)
        self._schedule = None

    def look(self) -> tuple[float, dict[str, Cost]]:
        """Since the last look: how many seconds of sound were counted (0 at the first look, and after an edit), and
        what each node cost meanwhile.
        """
        schedule = self.engine.schedule
        if schedule is None:
            return 0.0, {}
        now = schedule.counted.copy()
        if schedule is not self._schedule:
            self._schedule, self._before = schedule, np.zeros_like(now)
            if now[0] == 0:
                return 0.0, {}
        spent, self._before = now - self._before, now
        if spent[0] <= 0:
            return 0.0, {}
        seconds = float(spent[0]) / self.engine.rate
        return seconds, shares(schedule, spent[1:] / (cycles_per_second() * seconds))


def shares(schedule: Schedule, rows: np.ndarray[Any, Any]) -> dict[str, Cost]:
    """What rows cost, by node."""
    found: dict[str, float] = {}
    among: dict[str, int] = {}
    for share, (first, end) in zip(rows.tolist(), schedule.spans, strict=True):
        nodes = [name for one in schedule.operations[first:end] for name in one.names if name]
        several = len(set(nodes))
        for node in nodes:
            found[node] = found.get(node, 0.0) + share / len(nodes)
            among[node] = max(among.get(node, 1), several)
    return {node: Cost(share, among[node]) for node, share in found.items()}
