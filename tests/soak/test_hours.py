"""Hours of sound in freewheel: the same bits twice, and what the process holds stays what it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

import pytest

from tests.runtime.conftest import JackServer, start_jack
from tests.soak.hours import PIECE, RATE, SECONDS, WARM
from tests.soak.length import report
from tests.soak.memory import Held

GROWTH: Final = 0.01
ROOT: Final = Path(__file__).parents[2]
HOUR: Final = 3_600 * RATE // PIECE


@pytest.fixture
def servers() -> Iterator[list[JackServer]]:
    """Two, so that both runs go on at once."""
    with ExitStack() as stack:
        found = []
        for name in ("nodegraph-hours-1", "nodegraph-hours-2"):
            found.append(start_jack(name, 1_024))
            stack.callback(found[-1].stop)
        yield found


def test_hours_of_sound_are_the_same_twice_and_nothing_grows(servers: list[JackServer]) -> None:
    with ExitStack() as stack:
        runs = [stack.enter_context(closing(Run(server.name))) for server in servers]
        many = 0
        for lines in zip(*(run.pieces() for run in runs), strict=True):
            many += 1
            assert lines[0] == lines[1], f"piece {many}, from second {(many - 1) * PIECE // RATE} on"
            if many % HOUR == 0:
                report(f"{many // HOUR} h are the same")
    assert many == SECONDS * RATE // PIECE
    assert len(runs[0].seen) == many, "it never repeats itself"
    for run in runs:
        warm, end = Held(**run.last["warm"]), Held(**run.last["end"])
        report(
            f"{SECONDS / 3600:.2f} h, {run.last['messages']} messages, peak {run.peak:.2f}; memory after {WARM} s"
            f" {warm.bytes / 1e6:.1f} MB, at the end {end.bytes / 1e6:.1f} MB"
        )
        assert run.last["lost"] == 0 and not run.last["said"], run.last
        assert 0.02 < run.peak <= 1.0 and run.last["messages"] > SECONDS
        assert end.growth(warm) < GROWTH, f"memory grew from {warm} to {end}"
        assert (end.threads, end.files) == (warm.threads, warm.files)


class Run:
    """One run, in a process of its own."""

    def __init__(self, server: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.hours", server], stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env=dict(os.environ),
        )  # fmt: skip
        self.seen: set[str] = set()
        self.peak = 0.0
        self.last: dict[str, Any] = {}

    def pieces(self) -> Iterator[str]:
        """The hash of each piece of sound, as it comes."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            if "piece" not in said:
                self.last = said
                continue
            self.seen.add(said["piece"])
            self.peak = max(self.peak, said["peak"])
            yield said["piece"]
        assert self.process.wait(60) == 0 and self.last, "it did not come to its end"

    def close(self) -> None:
        """It is over, or not wanted."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
