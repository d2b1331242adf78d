"""Lanes with real worker processes, and sound for them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph.core import NodeSpec
from nodegraph.runtime.lane import Answer, Lane, Ring, ring_frames

RATE = 48_000
PATIENCE_S = 120.0  # far more than anything here takes; a test that needs it fails


def noise(frames: int, seed: int = 1) -> Any:
    """White noise, (1, frames) float32."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (1, frames)).astype(np.float32)


def until(true: Callable[[], object], what: str) -> None:
    """Wait for a condition, and fail when it does not come."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > end:
            pytest.fail(f"waited {PATIENCE_S:g} s in vain until {what}")
        time.sleep(0.002)


def soon_s(libraries: str) -> float:
    """How soon a killed worker must answer again: 3 s, or on a machine that stands still, as its own imports take."""
    took = []
    for _ in range(2):
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", f"import {libraries}"], check=True)
        took.append(time.monotonic() - began)
    return max(3.0, 6.0 * max(took))  # idle, the imports take 0.3 to 0.4 s


def alive(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@dataclass
class Company:
    """A lane, its rings, and the answers that came."""

    lane: Lane
    rings: dict[str, Ring] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)

    def add(self, node: str, spec: NodeSpec, controls: dict[str, float] | None = None, frames: int = 0) -> Ring:
        ring = self.rings[node] = Ring(1, frames or ring_frames(spec.cls.hears, RATE))
        self.lane.add(node, spec, {}, controls or {}, ring)
        return ring

    def ready(self) -> None:
        assert self.lane.wait_ready(PATIENCE_S), self.lane.status()

    def hear(self, node: str, sound: Any, start: int = 0) -> None:
        self.rings[node].write(start, sound)

    def ask(self, node: str, number: int, end_frame: int, **controls: float) -> None:
        self.lane.request(node, number, end_frame, controls)

    def collect(self, count: int) -> list[Answer]:
        """The next `count` answers."""
        end = time.monotonic() + PATIENCE_S
        while len(self.answers) < count and time.monotonic() < end:
            self.lane.wait(0.5)
            self.answers += self.lane.poll()
        found, self.answers = self.answers[:count], self.answers[count:]
        assert len(found) == count, f"{len(found)} answers of {count}; {self.lane.status()}\n{self.lane.log()}"
        return found

    def answer(self, node: str, number: int, end_frame: int, **controls: float) -> Answer:
        """Ask, and wait for the answer."""
        self.ask(node, number, end_frame, **controls)
        (found,) = self.collect(1)
        assert (found.node, found.number, found.end_frame) == (node, number, end_frame)
        return found

    def answers_again(self, node: str, number: int, end_frame: int) -> Answer:
        """The first good answer, whatever fails before it."""
        end = time.monotonic() + PATIENCE_S
        while not (answer := self.answer(node, number, end_frame)).ok:
            assert time.monotonic() < end, f"no good answer any more: {self.lane.status()}\n{self.lane.log()}"
            number, end_frame = number + 1, end_frame + 1
        return answer

    def state(self, node: str) -> str:
        return self.lane.status()[node].state
