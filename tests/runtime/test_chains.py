"""Chains of operations without memory run as one, and nothing else shows it than the time that they take."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nodegraph.core.graph import Graph
from nodegraph.core.registry import Registry, registry
from nodegraph.runtime.engine import Engine
from nodegraph.runtime.native import words as w
from nodegraph.runtime.player import Player
from tests.runtime.playing import assert_same, render
from tests.runtime.test_guards import Breaker
from tests.runtime.test_oversampling import THROUGH, played

KINDS = ("*~", "+~", "-~", "/~", "gain~", "abs~", "clip~", "wrap~", "scale~", "tanh~", "fold~")


def chain(length: int, *, kinds: tuple[str, ...] = ("*~", "+~"), known: Registry | None = None) -> Graph:
    """Noise through `length` operations, c0 to the last one."""
    graph = Graph(known) if known else Graph()
    graph.add("noise~", "hiss")
    graph.add("sine~", "slow", freq=30.0)
    graph.add("out~", "out", channels=1)
    before = "hiss.y"
    for k in range(length):
        kind = kinds[k % len(kinds)]
        numbers = {"*~": {"b": 0.9}, "+~": {"b": 0.01}, "-~": {"b": 0.02}, "/~": {"b": 1.1}}.get(kind, {})
        graph.add(kind, f"c{k}", **numbers)
        graph.connect(before, f"c{k}.x")
        before = f"c{k}.y"
    graph.connect(before, "out.x")
    return graph


def walked(graph: Graph) -> int:
    """Rows that the dispatcher walks."""
    engine = Engine(48_000, 0, 1)
    return int(engine.compile(graph.view, engine.plan(graph.view)).block[w.COUNT])


def both(graph: Graph, what: str, frames: int = 6_000, steps: Callable | None = None, **options: object) -> np.ndarray:
    """The sound, in chains and one by one: the same bits at every block."""
    make = steps or (lambda: [])
    reference = render(graph, frames, packing=False, steps=make(), **options)
    assert np.abs(reference).max() > 1e-3, "silence proves nothing"
    for block in (1, 16, 64, 100, 512):
        assert_same(render(graph, frames, block=block, steps=make(), **options), reference, f"{what}, block {block}")
    return reference


def test_a_chain_is_one_row() -> None:
    assert walked(chain(100)) == walked(chain(50)) < 6
    assert walked(chain(2)) == walked(chain(1)) + 1, "two alone cost as much"


def test_a_chain_of_many_kinds_has_the_same_bits() -> None:
    both(chain(40, kinds=KINDS), "many kinds")


def test_signals_that_join_a_chain_on_its_way() -> None:
    graph = chain(12)
    for k in (1, 4, 5):
        graph.connect("slow.y", f"c{k}.b")
    graph.connect("hiss.y", "c8.b")
    both(graph, "modulated")
    squared = chain(6)
    squared.connect("c2.y", "c3.b")  # x and b are the same signal
    both(squared, "squared")


@pytest.mark.parametrize("ends", ["a second reader", "an output"])
def test_what_else_is_heard_of_a_chain_ends_it(ends: str) -> None:
    graph = chain(20)
    if ends == "an output":
        graph.add("out~", "tap", channels=1, channel=2)
        graph.connect("c9.y", "tap.x")
    else:
        graph.add("onepole~", "soft", cutoff=500.0)
        graph.connect("c9.y", "soft.x")
        graph.connect("soft.y", "out.x")
    assert walked(graph) > walked(chain(20))
    both(graph, ends)


def test_ramps_inside_a_chain() -> None:
    def start(player: Player) -> None:
        for k, frame in ((3, 500), (4, 700), (3, 900), (11, 3_001)):
            player.messages.post(frame, f"c{k}", "b", 0.5)
            player.messages.post(frame + 333, f"c{k}", "b", 0.9)

    graph = chain(20)
    moved = both(graph, "ramps", steps=lambda: [(0, start)])
    assert not np.array_equal(moved, render(graph, 6_000)), "the control: the ramps are heard"


def test_a_chain_whose_controls_have_arrived_runs_as_one_again() -> None:
    """The count of operations that ramp goes up and back to nothing, over an edit in the middle of a ramp, too."""
    graph = chain(20)
    player = Player(graph.view, 48_000)
    out = np.zeros((1, 100), np.float32)

    def ramping() -> int:
        assert player.engine.schedule is not None
        return sum(int(block[w.C_RAMPING]) for block in player.engine.schedule.chain_states)

    player.messages.post(0, "c3", "b", 0.5)
    player.messages.post(0, "c4", "b", 0.5)
    player.render(out, block=64)
    assert ramping() == 2
    graph.add("sine~", "other")
    graph.connect("other.y", "out.x")
    player.edit(graph.view)
    player.render(out, block=64)
    assert ramping() == 2, "the edit carried the ramps over"
    player.render(np.zeros((1, 9_000), np.float32), block=64)
    assert ramping() == 0
    player.close()


def test_edits_in_a_chain_are_the_same_as_without() -> None:
    """Nodes come, go and are bypassed while it plays: each edit fades, as one by one."""

    def play(packing: bool) -> np.ndarray:
        graph = chain(16)
        player = Player(graph.view, 48_000, packing=packing)
        choose = random.Random(4)
        out = np.zeros((1, 40 * 700), np.float32)
        for number in range(40):
            at = choose.randrange(1, 15)
            cables = [str(cable) for cable in graph.into(f"c{at}", "x")]
            if cables:
                graph.disconnect(cables[0])
            else:
                graph.connect(f"c{at - 1}.y", f"c{at}.x")
            player.edit(graph.view)
            player.render(out[:, number * 700 : (number + 1) * 700], block=128)
        player.close()
        return out

    assert_same(play(True), play(False), "edited")


def test_the_node_of_a_chain_that_makes_nan_is_named() -> None:
    known = Registry([*(spec.cls for spec in registry()), Breaker])
    graph = chain(9, kinds=("*~", "+~", "breaker~"), known=known)
    assert walked(graph) < 6, "it is a chain"
    said: list[tuple[str, str]] = []

    def start(player: Player) -> None:
        player.messages.post(1_000, "c5", "broken", 1.0)
        player.messages.post(3_000, "c5", "broken", 0.0)

    sound = render(
        graph, 6_000, steps=[(0, start), (6_000, lambda player: player.advance())],
        report=lambda id, text: said.append((id, text)),
    )  # fmt: skip
    assert np.isfinite(sound).all()
    assert said and {id for id, _ in said} == {"c5"}, said
    assert np.abs(sound[0, 4_000:]).max() > 1e-3


def test_what_goes_round_in_a_loop_stays_as_it_is() -> None:
    graph = chain(10)
    graph.connect("c9.y", "c2.x")
    graph.set("c5", "b", 0.3)
    both(graph, "loop", frames=2_000)


def test_what_runs_at_a_higher_rate_stays_as_it_is(tmp_path: Path) -> None:
    inner = THROUGH | {f"c{k}": {"kind": "*~", "b": 0.95} for k in range(8)}
    cables = ["x.y -> c0.x", *(f"c{k}.y -> c{k + 1}.x" for k in range(7)), "c7.y -> y.x"]
    graph = played(tmp_path, inner, cables, 4)
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, (1, 2_000)).astype(np.float32)
    both(graph, "oversampled", frames=2_000, ins=sound)
