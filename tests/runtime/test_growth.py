"""Large patches: ten times the nodes are ten times the work, and what is too large says so while the sound goes on."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from bench import growth
from nodegraph.core.errors import PatchError
from nodegraph.core.flatten import MOST_NODES, flatten
from nodegraph.core.patchfile import load
from nodegraph.runtime.drivers import open_driver
from nodegraph.runtime.native import words as w
from nodegraph.runtime.player import Player
from tests.runtime.playing import assert_same, render, voices


def work(shape: str, nodes: int) -> tuple[int, int, int]:
    """Rows that are walked, operations, and words of signals and states: what playing costs, without a clock."""
    player = Player(growth.SHAPES[shape](nodes).view, 48_000)
    schedule = player.engine.schedule
    assert schedule is not None
    found = int(schedule.block[w.COUNT]), len(schedule.operations), len(schedule.buffers.lanes)
    player.close()
    return found


@pytest.mark.parametrize("shape", growth.SHAPES)
def test_ten_times_the_nodes_are_ten_times_the_work(shape: str) -> None:
    small, large = work(shape, 1_000), work(shape, 10_000)
    for before, after in zip(small, large, strict=True):
        assert after <= 10.5 * before, f"{shape}: {small} and {large}"


@pytest.mark.parametrize("shape", growth.SHAPES)
def test_ten_thousand_nodes_sound_the_same_packed_and_alone(shape: str) -> None:
    graph = growth.SHAPES[shape](10_000)
    packed = render(graph, 300)
    assert np.abs(packed).max() > 0.0
    assert_same(packed, render(graph, 300, packing=False), shape)


def test_a_hundred_thousand_nodes_in_a_file_are_refused_and_the_sound_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "huge.ng"
    path.write_text(json.dumps({"nodegraph": 1, "nodes": {f"n{k}": {"kind": "noise~"} for k in range(100_000)}}))
    player = Player(voices(4).view, 48_000)
    driver = open_driver("null", player.engine, block=256)
    driver.start()
    try:
        before = player.engine.done
        with pytest.raises(PatchError, match=str(MOST_NODES)) as refused:
            flatten(load(path))
        assert "huge.ng" in str(refused.value)
        during = player.engine.done
        assert during > before, "it played while the file was read"
        patience = time.monotonic() + 10.0
        while player.engine.done < during + 4_800 and time.monotonic() < patience:
            time.sleep(0.01)
        assert player.engine.done >= during + 4_800
        assert max(meter.peak for meter in player.engine.meters()[1]) > 1e-3, "and it is no silence"
    finally:
        driver.stop()
        player.close()
