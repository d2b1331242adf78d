"""The audio thread meets no fresh page: the system would stop it for as long as it takes to find and clear one."""

from __future__ import annotations

import resource

import numpy as np
import pytest

from nodegraph.core.document import Document
from nodegraph.core.flatten import flatten
from nodegraph.core.graph import Graph
from nodegraph.core.registry import registry
from nodegraph.runtime.compile.memory import SYSTEM_PAGE, touched
from nodegraph.runtime.player import Player
from nodegraph.runtime.resources import LEAST_SECONDS, RING_BYTES, RING_SECONDS, tap_frames

pytestmark = pytest.mark.skipif(not hasattr(resource, "RUSAGE_THREAD"), reason="only Linux counts a thread's faults")
CHANNELS = 16
FRAMES = 24_000


def faults() -> int:
    """Pages that this thread had to be given since it began."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt


def heavy() -> Graph:
    """Rings, delay lines, tables, oversized buffers: whatever keeps sound."""
    graph = Graph(registry())
    graph.add("in~", "in", channels=CHANNELS)
    graph.add("delay~", "late", time=0.4)
    graph.add("spectrum~", "look")
    graph.add("reverb~", "room")
    graph.add("sum~", "sum")
    graph.add("out~", "out")
    for source, target in (
        ("in.y", "late.x"), ("late.y", "look.x"), ("late.y", "sum.x"), ("sum.y", "room.x"), ("room.y", "out.x"),
    ):  # fmt: skip
        graph.connect(source, target)
    return graph


def test_a_touched_array_costs_nothing_at_the_first_write() -> None:
    sized = 64 << 20
    fresh, made = np.zeros(sized, np.uint8), touched(np.zeros(sized, np.uint8))
    counts = []
    for array in (fresh, made):
        before = faults()
        array[::SYSTEM_PAGE] = 1
        counts.append(faults() - before)
    assert counts[0] >= sized >> 21, "not even pages of 2 MB are counted: this proves nothing"
    assert counts[1] == 0


def test_a_patch_that_begins_to_play_asks_for_no_memory() -> None:
    quiet = Player(flatten(Document(heavy())), 48_000, inputs=CHANNELS)  # what is loaded once is loaded now
    sound = np.zeros((CHANNELS, FRAMES), np.float32)
    out = np.zeros((2, FRAMES), np.float32)
    out[:], sound[:] = 0.1, 0.1  # ours are not the engine's
    quiet.render(out, sound)
    quiet.close()
    player = Player(flatten(Document(heavy())), 48_000, inputs=CHANNELS)
    try:
        process, found = player.engine.process, []

        def counting(*given: object) -> None:
            before = faults()
            process(*given)  # type: ignore[arg-type]
            found.append(faults() - before)

        player.engine.process = counting  # type: ignore[method-assign, assignment]
        player.render(out, sound)
    finally:
        player.close()
    assert len(found) > 4 and sum(found) <= 2, f"pages asked for, call by call: {found}"


@pytest.mark.parametrize("rate", [8_000, 48_000, 192_000])
def test_what_a_tap_may_miss_is_bounded_by_time_and_then_by_memory(rate: int) -> None:
    assert tap_frames(1, rate) >= RING_SECONDS * rate
    for channels in (1, 2, 8, 16, 64):
        frames = tap_frames(channels, rate)
        assert frames & (frames - 1) == 0 and frames >= LEAST_SECONDS * rate
        assert 4 * channels * frames <= RING_BYTES or frames < 2 * LEAST_SECONDS * rate
    assert 4 * 64 * tap_frames(64, 48_000) < 40 << 20
