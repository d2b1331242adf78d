"""Packing changes no bit: the benchmark's nine patches, at every block, with events inside the blocks."""

import numpy as np
import pytest

from bench import ours
from bench.peers.music import PATCHES
from nodegraph.core.graph import Graph
from nodegraph.runtime.player import Player
from tests.runtime.playing import assert_same, render, voices

FRAMES = 6_000
MOVES = {
    "b1": [("s3", "freq", 333.0), ("s700", "freq", 50.0)],
    "b2": [("o7", "freq", 220.0), ("l5", "target", 0.1), ("g9", "b", 0.0), ("f11", "b0", 0.01)],
    "b3": [("c0_0", "feedback", 0.5), ("r3", "b", 0.3), ("a2_1", "feedback", -0.4)],
    "b4": [("m7", "b", 0.5), ("p100", "b", 0.01)],
    "b5": [("f3", "resonance", 0.1), ("e5", "gate", 0.0), ("o9_1", "freq", 1000.0), ("c12", "mul", 10.0)],
    "b6": [("f3", "resonance", 0.1), ("e5", "sustain", 0.1), ("t9", "freq", 300.0), ("h12", "mul", 10.0)],
    "b7": [("cloud", "density", 900.0), ("cloud", "pitch", 7.0), ("cloud", "grain", 1.0), ("cloud", "length", 0.01)],
    "b8": [("sum", "b", 0.5), ("sum", "b", 0.01)],
    "b9": [("v3", "cutoff", 900.0), ("e5", "attack", 0.1), ("c9", "resonance", 0.2), ("m12", "b", 0.0)],
}


def with_events(patch: str):
    """The patch's moves, at frames that fall inside blocks of every size."""

    def start(player: Player) -> None:
        for number, (node, port, value) in enumerate(MOVES[patch]):
            player.messages.post(1_001 + 777 * number, node, port, value)
            player.messages.post(1_002 + 777 * number, node, port, value * 0.5)

    return [(0, start)]


@pytest.mark.parametrize("patch", PATCHES)
def test_packed_and_unpacked_are_the_same_bits_at_every_block(patch: str) -> None:
    graph = ours.graph(patch)
    reference = render(graph, FRAMES, packing=False, steps=with_events(patch))
    assert np.abs(reference).max() > 1e-4, "silence proves nothing"
    for block in (16, 64, 100, 512):
        packed = render(graph, FRAMES, packing=True, block=block, steps=with_events(patch))
        assert_same(packed, reference, f"{patch} packed, blocks of {block}")


@pytest.mark.parametrize("patch", ["b1", "b2", "b5", "b6", "b9"])
def test_patches_of_voices_are_packed(patch: str) -> None:
    packed = len(ours.engine(patch, packing=True).schedule.operations)
    alone = len(ours.engine(patch, packing=False).schedule.operations)
    assert packed * 6 < alone, f"{packed} operations packed, {alone} alone"


def test_an_event_changes_what_is_heard() -> None:
    """The control of the tests above: the moves are not lost."""
    graph = ours.graph("b5")
    assert not np.array_equal(render(graph, FRAMES, steps=with_events("b5")), render(graph, FRAMES))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 15, 16, 17, 31, 33])
def test_a_mix_of_any_size_is_the_same_packed(count: int) -> None:
    graph = voices(count)
    assert_same(render(graph, 2_000), render(graph, 2_000, packing=False), f"{count} voices")


def test_unlike_voices_in_one_mix() -> None:
    """Two kinds of voices, single ones between them, and a signal that goes into the mix twice."""
    graph = voices(20)
    for k in range(0, 20, 3):
        graph.disconnect(f"cut{k}.low", "sum.x")
        graph.connect(f"cut{k}.band", "sum.x")
    graph.add("noise~", "hiss")
    graph.add("sine~", "lfo", freq=3.0)
    graph.connect("hiss.y", "sum.x")
    for k in range(20):
        if k % 4:
            graph.connect("lfo.y", f"cut{k}.resonance")
    graph.connect("osc3.y", "sum.x")
    assert_same(render(graph, 3_000), render(graph, 3_000, packing=False), "unlike voices")


def test_many_channels_are_many_monos() -> None:
    wide = Graph()
    wide.add("in~", "mic", channels=8)
    wide.add("svf~", "cut", cutoff=900.0)
    wide.add("onepole~", "soft")
    wide.add("out~", "out", channels=8)
    wide.connect("mic.y", "cut.x")
    wide.connect("cut.low", "soft.x")
    wide.connect("soft.y", "out.x")
    monos = Graph()
    for k in range(8):
        monos.add("in~", f"mic{k}", channel=k + 1)
        monos.add("svf~", f"cut{k}", cutoff=900.0)
        monos.add("onepole~", f"soft{k}")
        monos.add("out~", f"out{k}", channel=k + 1, channels=1)
        monos.connect(f"mic{k}.y", f"cut{k}.x")
        monos.connect(f"cut{k}.low", f"soft{k}.x")
        monos.connect(f"soft{k}.y", f"out{k}.x")
    sound = np.random.default_rng(1).standard_normal((8, 3_000)).astype(np.float32) * 0.1
    assert_same(render(wide, 3_000, ins=sound), render(monos, 3_000, ins=sound, packing=False), "8 channels")
