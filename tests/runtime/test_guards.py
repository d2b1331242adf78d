"""What reaches the ears is finite and at most full scale, and who spoils it is named."""

from __future__ import annotations

import numpy as np
import pytest

from nodegraph.core import KernelNode, inlet, memory, node, outlet
from nodegraph.core.graph import Graph
from nodegraph.core.registry import Registry, registry
from nodegraph.runtime.player import Player
from tests.runtime.playing import render


@node("breaker~")
class Breaker(KernelNode):
    """Pass a signal, and make NaN while `broken` is 1."""

    x = inlet.signal("signal")
    broken = inlet.control(0.0, "1: make NaN", ramp_s=0.0)
    y = outlet.signal("signal or NaN")

    @staticmethod
    def tick(x, broken):
        nothing = broken - broken
        return x if broken < 0.5 else nothing / nothing


@node("runaway~")
class Runaway(KernelNode):
    """Grow without bound while `x` is not silent."""

    x = inlet.signal("signal")
    y = outlet.signal("sum of squares of sums")
    held = memory(0.0)

    @staticmethod
    def tick(x, held):
        held = held * 3.0 + x
        return held, held


def with_breakers() -> Registry:
    return Registry([*(spec.cls for spec in registry()), Breaker, Runaway])


def broken_patch() -> Graph:
    graph = Graph(with_breakers())
    graph.add("sine~", "tone", freq=200.0)
    graph.add("gain~", "before", gain=0.5)
    graph.add("breaker~", "culprit")
    graph.add("onepole~", "after", cutoff=5000.0)
    graph.add("out~", "out", channels=1)
    for a, b in (("tone.y", "before.x"), ("before.y", "culprit.x"), ("culprit.y", "after.x"), ("after.y", "out.x")):
        graph.connect(a, b)
    return graph


def test_nan_is_silenced_blamed_and_over_within_a_block() -> None:
    said: list[tuple[str, str]] = []
    graph = broken_patch()

    def start(player: Player) -> None:
        player.messages.post(1_000, "culprit", "broken", 1.0)
        player.messages.post(4_000, "culprit", "broken", 0.0)

    counters: dict[str, int] = {}

    def look(player: Player) -> None:
        player.advance()
        counters.update(player.engine.counters())

    sound = render(graph, 8_000, steps=[(0, start), (8_000, look)], report=lambda id, text: said.append((id, text)))
    assert np.isfinite(sound).all()
    assert np.abs(sound[0, 100:1_000]).max() > 0.4
    plain = render(graph, 8_000)
    recovered = np.abs(sound[0, 4_064:4_200] - plain[0, 4_064:4_200])
    assert recovered.max() < 0.5, "the sound is back a block after the NaN ends"
    assert np.abs(sound[0, 4_500:] - plain[0, 4_500:]).max() < 1e-6
    assert [id for id, _ in said] == ["culprit"] * len(said) and said, said
    assert "NaN" in said[0][1]
    assert counters["bad"] > 0


def test_a_filter_that_explodes_starts_anew() -> None:
    graph = Graph(with_breakers())
    graph.add("sine~", "tone")
    graph.add("runaway~", "r")
    graph.add("out~", "out", channels=1)
    graph.connect("tone.y", "r.x")
    graph.connect("r.y", "out.x")
    sound = render(graph, 20_000)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 1.0
    assert np.abs(sound[0, 10_000:]).max() > 0.0, "it does not fall silent for ever"


@pytest.mark.parametrize("gain", [1.0, 1.5, 30.0])
def test_the_safety_limiter_holds_full_scale_without_a_jump(gain: float) -> None:
    graph = Graph()
    graph.add("sine~", "tone", freq=100.0)
    graph.add("*~", "loud", b=gain)
    graph.add("out~", "out")
    graph.connect("tone.y", "loud.x")
    graph.connect("loud.y", "out.x")
    sound = render(graph, 24_000)
    assert np.abs(sound).max() <= 1.0
    assert np.abs(sound[0, 1_000:]).max() > 0.9
    steepest = gain * 2 * np.pi * 100.0 / 48_000
    assert np.abs(np.diff(sound)).max() <= steepest * 1.001, "the limiter bends the wave and never jumps"


def test_below_full_scale_the_limiter_changes_nothing() -> None:
    graph = Graph()
    graph.add("noise~", "hiss")
    graph.add("*~", "level", b=0.999)
    graph.add("out~", "out", channels=1)
    graph.connect("hiss.y", "level.x")
    graph.connect("level.y", "out.x")
    player = Player(graph.view, 48_000)
    out = np.zeros((2, 9_000), np.float32)
    player.render(out)
    assert player.engine.counters()["limited"] == 0
    player.close()


def test_denormals_are_flushed_on_the_audio_side() -> None:
    """A filter that rings down into silence costs no more than one that plays: its memory ends at exactly zero."""
    graph = Graph()
    graph.add("in~", "mic")
    graph.add("onepole~", "soft", cutoff=200.0)
    graph.add("out~", "out", channels=1)
    graph.connect("mic.y", "soft.x")
    graph.connect("soft.y", "out.x")
    impulse = np.zeros((1, 96_000), np.float32)
    impulse[0, 0] = 1.0
    sound = render(graph, 96_000, ins=impulse)
    tiny = np.abs(sound[0]) < np.finfo(np.float32).tiny
    assert not np.any(tiny & (sound[0] != 0.0)), "a denormal came out"
    assert sound[0, -1] == 0.0
