"""Watching a patch: the level of every signal with a cable, and not one bit of the sound other than without."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nodegraph.core.graph import Graph
from nodegraph.runtime.compile.gauges import PROBED
from nodegraph.runtime.player import Player
from tests.runtime.editing import random_edit, two_paths
from tests.runtime.playing import Sound, assert_same, voices
from tests.runtime.tangles import tangle
from tests.runtime.test_loops import leaky
from tests.runtime.test_oversampling import played

RATE = 48_000
Do = Callable[[Player, int], None]


def sound(graph: Graph, watch: Do, *, pieces: int = 24, frames: int = 500, **options: object) -> Sound:
    """A graph in pieces, with values that move; before each piece something is done."""
    player = Player(graph.view, RATE, inputs=1, outputs=2, **options)  # type: ignore[arg-type]
    choose = random.Random(1)
    for id, entry in graph.nodes.items():
        if entry.spec and "gain" in entry.spec.inlet_named and not graph.into(id, "gain"):
            for _ in range(3):
                player.messages.post(choose.randrange(pieces * frames), id, "gain", choose.uniform(0.01, 0.2))
    ins = np.random.default_rng(2).uniform(-0.3, 0.3, (1, pieces * frames)).astype(np.float32)
    out = np.zeros((2, pieces * frames), np.float32)
    try:
        for number in range(pieces):
            watch(player, number)
            at = slice(number * frames, (number + 1) * frames)
            player.render(out[:, at], ins[:, at])
    finally:
        player.close()
    return out


def never(player: Player, number: int) -> None:
    assert player.engine.probes.gauges is None


def by_turns(player: Player, number: int) -> None:
    """Watched, not watched, watched; with probes that come and go."""
    player.watched = number % 6 < 4
    gauges = player.engine.probes.gauges
    if gauges is not None:
        assert len(gauges.read()) == len(gauges.ports)
        ports = list(gauges.ports)
        player.engine.probes.add(*ports[number % len(ports)])
        if number % 2:
            player.engine.probes.remove(next(iter(player.engine.probes._probes)))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("threads", [1, 3])
def test_the_sound_is_the_same_to_the_bit(seed: int, threads: int) -> None:
    graph = tangle(seed)
    for packing in (True, False):
        plain = sound(graph, never, threads=threads, packing=packing)
        assert plain.any()
        assert_same(plain, sound(graph, by_turns, threads=threads, packing=packing), f"watched, tangle {seed}")


@pytest.mark.parametrize("exact", [False, True])
def test_edits_while_it_is_watched_leave_the_rest_alone(exact: bool) -> None:
    def edited(watched: bool) -> Sound:
        graph, choose = two_paths(), random.Random(5)

        def edit(player: Player, number: int) -> None:
            player.exact = exact
            player.watched = watched and number % 5 != 2
            random_edit(graph, choose, number)
            player.edit(graph.view)

        return sound(graph, edit, pieces=60, frames=700)

    plain, seen = edited(False), edited(True)
    assert_same(plain[:1], seen[:1], "the untouched path")
    assert np.abs(plain - seen).max() < 1e-6, "edits wait for a block more or less, no more"


def level(player: Player, port: str, channels: int = 1) -> float:
    gauges = player.engine.probes.gauges
    assert gauges is not None
    node, _, outlet = port.partition(".")
    ports = list(gauges.ports)
    assert len(gauges.ports[node, outlet]) == channels
    return float(gauges.read()[ports.index((node, outlet))])


def watched(graph: Graph, frames: int = 9_600, **options: object) -> Player:
    player = Player(graph.view, RATE, **options)  # type: ignore[arg-type]
    player.watched = True
    outs = np.zeros((player.engine.outputs, frames), np.float32)
    player.render(outs)
    player.render(outs)  # the first piece may begin without gauges
    return player


def test_a_level_is_the_peak_since_the_last_look() -> None:
    graph = Graph()
    graph.add("sine~", "osc", freq=1_000.0)
    graph.add("gain~", "half", gain=0.5)
    graph.add("gain~", "unheard", gain=0.25)
    graph.add("gain~", "end", gain=0.0)
    graph.add("out~", "out")
    for cable in ("osc.y -> half.x", "half.y -> out.x", "osc.y -> unheard.x", "unheard.y -> end.x"):
        graph.connect(*cable.split(" -> "))
    player = watched(graph)
    try:
        assert player.engine.probes.gauges is not None
        assert list(player.engine.probes.gauges.ports) == [("half", "y"), ("osc", "y"), ("unheard", "y")], (
            "those with cables"
        )
        found = player.engine.probes.gauges.read()
        assert found == pytest.approx([0.5, 1.0, 0.25], abs=1e-3)
        assert not player.engine.probes.gauges.read().any(), "nothing was played since"
        player.watched = False
        player.advance()
        assert player.engine.probes.gauges is None
    finally:
        player.close()


def test_levels_of_voices_side_by_side_and_of_wide_signals() -> None:
    graph = voices(20)
    graph.add("noise~", "wide")
    graph.add("gain~", "loud", gain=3.0)
    player = watched(graph)
    try:
        gauges = player.engine.probes.gauges
        assert gauges is not None and any(lane for places in gauges.ports.values() for _, lane in places)
        found = dict(zip(gauges.ports, gauges.read(), strict=True))
        apart = watched(graph, packing=False)
        try:
            assert apart.engine.probes.gauges is not None
            alone = dict(zip(apart.engine.probes.gauges.ports, apart.engine.probes.gauges.read(), strict=True))
        finally:
            apart.close()
        assert found == alone, "to the bit, packed or not"
        assert 0.9 < found["osc3", "y"] < 1.1
    finally:
        player.close()


def test_what_is_inside_a_loop_and_at_another_rate_is_seen_too(tmp_path: Path) -> None:
    player = watched(leaky())
    try:
        assert level(player, "back.y") > 0.1 and level(player, "sum.y") == 0.0, "the look before took it"
    finally:
        player.close()
    graph = played(tmp_path, {"x": {"kind": "inlet~"}, "y": {"kind": "outlet~"}, "g": {"kind": "gain~", "gain": 0.5}},
                   ["x.y -> g.x", "g.y -> y.x"], 4)  # fmt: skip
    player = Player(graph.view, RATE, inputs=1)
    player.watched = True
    try:
        outs = np.zeros((2, 9_600), np.float32)
        player.render(outs, np.full((1, 9_600), 0.5, np.float32))
        probe = player.engine.probes.add("box/g", "y")
        player.render(outs, np.full((1, 9_600), 0.5, np.float32))
        assert level(player, "box/g.y") == pytest.approx(0.25, abs=0.02)
        assert probe.factor == 4 and probe.read(100) == pytest.approx(np.full(100, 0.25), abs=1e-3)
    finally:
        player.close()


@pytest.mark.parametrize("packing", [True, False])
def test_a_probe_keeps_the_last_samples(packing: bool) -> None:
    graph = voices(20)
    player = watched(graph, packing=packing)
    try:
        probes = [
            player.engine.probes.add("sum", "y"),
            player.engine.probes.add("sum", "y"),
            player.engine.probes.add("osc5", "y"),
        ]
        nothing = player.engine.probes.add("out", "y")
        outs = np.zeros((2, 10_000), np.float32)
        player.render(outs)
        for probe in probes[:2]:
            assert np.array_equal(probe.read(2_048), outs[0, -2_048:]), "to the sample"
        assert probes[2].channels == 1 and probes[2].read(2_048).max() > 0.9
        assert nothing.channels == 0 and not len(nothing.read(10))
        player.engine.probes.remove(probes[0])
        player.engine.probes.remove(probes[0])
        before = probes[0].read(100)
        player.edit(graph.view)  # probes stay over edits
        player.render(outs)
        assert np.array_equal(probes[0].read(100), before), "it is left alone"
        assert np.array_equal(probes[1].read(PROBED), outs[0, -PROBED:])
        late = player.engine.probes.add("sum", "y")  # it has heard nothing of what was before
        player.render(outs[:, :1_000])
        assert np.array_equal(late.read(2_048), outs[0, :1_000])
        player.engine.retire()
        assert len(player.engine.probes) == 4
    finally:
        player.close()
