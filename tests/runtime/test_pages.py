"""The audio thread meets no fresh page: the system would stop it for as long as it takes to find and clear one."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nodegraph.runtime.resources import LEAST_SECONDS, RING_BYTES, RING_SECONDS, tap_frames


@pytest.fixture(scope="module")
def asked() -> dict[str, Any]:
    """What `pages` has counted."""
    if not hasattr(resource, "RUSAGE_THREAD"):
        pytest.skip("only Linux counts a thread's faults")
    command = [sys.executable, "-m", "tests.runtime.pages"]
    said = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    return dict(json.loads(said.stdout))


def test_a_touched_array_costs_nothing_at_the_first_write(asked: dict[str, Any]) -> None:
    assert asked["fresh"] >= 32, "not even pages of 2 MB are counted: this proves nothing"
    assert asked["touched"] == 0


def test_a_patch_that_begins_to_play_asks_for_no_memory(asked: dict[str, Any]) -> None:
    assert len(asked["played"]) > 4 and sum(asked["played"]) <= 2, f"pages, piece by piece: {asked['played']}"


@pytest.mark.parametrize("rate", [8_000, 48_000, 192_000])
def test_what_a_tap_may_miss_is_bounded_by_time_and_then_by_memory(rate: int) -> None:
    assert tap_frames(1, rate) >= RING_SECONDS * rate
    for channels in (1, 2, 8, 16, 64):
        frames = tap_frames(channels, rate)
        assert frames & (frames - 1) == 0 and frames >= LEAST_SECONDS * rate
        assert 4 * channels * frames <= RING_BYTES or frames < 2 * LEAST_SECONDS * rate
    assert 4 * 64 * tap_frames(64, 48_000) < 40 << 20
