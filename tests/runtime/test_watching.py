"""What nodes cost is counted while somebody looks: it changes no bit, and the sums are those of the callback."""

from __future__ import annotations

import time

import numpy as np
import pytest

from nodegraph.core.graph import Graph
from nodegraph.runtime.native import words as w
from nodegraph.runtime.player import Player
from nodegraph.runtime.watching import Watching
from tests.runtime.playing import assert_same
from tests.runtime.tangles import reckless, tangle
from tests.runtime.test_chains import chain
from tests.runtime.test_threads import patient

FRAMES = 24_000


def rendered(graph: Graph, *, watched: bool, threads: int = 1) -> tuple[np.ndarray, Player, Watching]:
    player = Player(graph.view, 48_000, inputs=1, outputs=2, threads=threads)
    watching = Watching(player.engine)
    watching.on = watched
    out = np.zeros((2, FRAMES), np.float32)
    ins = np.random.default_rng(2).uniform(-0.3, 0.3, (1, FRAMES)).astype(np.float32)
    try:
        player.render(out, ins, block=256)
    finally:
        player.close()
    return out, player, watching


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_counting_changes_no_bit(seed: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    patient(monkeypatch)
    reckless(monkeypatch, seed)
    expected, unwatched, nothing = rendered(tangle(seed), watched=False, threads=threads)
    found, player, watching = rendered(tangle(seed), watched=True, threads=threads)
    assert np.abs(expected).max() > 1e-4, "silence proves nothing"
    assert_same(found, expected, f"tangle {seed} on {threads} threads")
    assert (player.engine.sharing()["tasks"] > 1) == (threads > 1)
    seconds, costs = watching.look()
    assert seconds == FRAMES / 48_000
    assert all(cost.share > 0.0 for cost in costs.values()) and set(costs) <= set(tangle(seed).nodes)
    assert nothing.look() == (0.0, {}) and unwatched.engine.schedule is not None
    assert not unwatched.engine.schedule.counted.any(), "nobody looked"


def test_all_costs_together_are_what_the_callback_took() -> None:
    _, player, watching = rendered(tangle(1), watched=True)
    schedule = player.engine.schedule
    assert schedule is not None
    counted, busy = int(schedule.counted[1:].sum()), int(player.engine.words[w.BUSY])
    assert 0.3 * busy < counted <= busy, "the rest is events, meters and the limiter"
    named = [any(any(one.names) for one in schedule.operations[first:end]) for first, end in schedule.spans]
    of_nodes = int(schedule.counted[1:][named].sum())
    _, costs = watching.look()
    assert sum(cost.share for cost in costs.values()) == pytest.approx(player.engine.load() * of_nodes / busy)
    assert watching.look() == (0.0, {}), "nothing was played since"


def test_a_dear_node_is_told_from_cheap_ones_and_a_chain_is_shared() -> None:
    graph = chain(12)
    graph.add("reverb~", "hall")
    graph.connect("c11.y", "hall.x")
    graph.connect("hall.y", "out.x")
    _, _, watching = rendered(graph, watched=True)
    _, costs = watching.look()
    assert max(costs, key=lambda node: costs[node].share) == "hall"
    assert costs["hall"].among == 1
    assert len({costs[f"c{k}"].share for k in range(12)}) == 1 and costs["c3"].among == 12


def test_looking_costs_little() -> None:
    """A cycle counter beside every row: measured 4 %, of small nodes in a row; a quarter is a mistake."""
    player = Player(
        chain(200, kinds=("onepole~", "delay~", "highpass~")).view, 48_000, inputs=0, outputs=1, packing=False
    )
    watching = Watching(player.engine)
    out = np.zeros((1, 4_800), np.float32)
    best = {False: float("inf"), True: float("inf")}
    try:
        player.render(out, block=256)
        for _ in range(20):
            for watching.on in (False, True):
                began = time.thread_time()
                player.render(out, block=256)
                best[watching.on] = min(best[watching.on], time.thread_time() - began)
    finally:
        player.close()
    assert best[True] < 1.25 * best[False], f"{best[True] / best[False]:.3f}"
