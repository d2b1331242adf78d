"""Paths that are late meet aligned: what cancels without latency cancels with it, to the last bit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nodegraph.core.graph import Graph
from nodegraph.runtime.player import Player
from tests.runtime.editing import SMOOTH
from tests.runtime.late_nodes import KINDS, LATENCIES
from tests.runtime.playing import assert_same, click, render

FRAMES = 4_000


def cancelling(late: str, *more: str) -> Graph:
    """Noise by way of late nodes, and the same noise upside down straight: nothing is left."""
    graph = Graph(KINDS)
    graph.add("noise~", "n")
    graph.add("*~", "minus", b=-1.0)
    graph.add("mix~", "sum")
    graph.add("out~", "out", channels=1)
    before = "n.y"
    for number, kind in enumerate((late, *more)):
        graph.add(kind, f"late{number}")
        graph.connect(before, f"late{number}.x")
        before = f"late{number}.y"
    graph.connect(before, "sum.x")
    graph.connect("n.y", "minus.x")
    graph.connect("minus.y", "sum.x")
    graph.connect("sum.y", "out.x")
    return graph


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("block", [1, 64, 500])
@pytest.mark.parametrize("frames", LATENCIES)
def test_a_late_path_and_a_straight_one_cancel(rate: int, block: int, frames: int) -> None:
    graph = cancelling(f"late{frames}~")
    assert not render(graph, FRAMES, rate=rate, block=block).any()
    graph.disconnect("minus.y", "sum.x")
    assert render(graph, FRAMES, rate=rate, block=block)[:, frames:].any(), "one alone is heard"


@pytest.mark.parametrize(("first", "second"), list(itertools.product(LATENCIES[:4], LATENCIES[1:])))
def test_latencies_add_up_along_a_path(first: int, second: int) -> None:
    assert not render(cancelling(f"late{first}~", f"late{second}~"), FRAMES).any()


def timing(graph: Graph, rate: int = 48_000) -> tuple[dict[str, int], int]:
    player = Player(graph.view, rate)
    found = player.timing
    player.close()
    return dict(found.late), found.total


def test_every_node_and_the_whole_say_how_late_they_are() -> None:
    graph = cancelling("late64~", "late7~")
    graph.add("sine~", "tone")
    graph.add("out~", "other", channel=2, channels=1)
    graph.connect("tone", "other")
    late, total = timing(graph)
    assert late == {"late0": 64, "late1": 71, "sum": 71} and total == 71


def test_all_outputs_are_aligned() -> None:
    graph = Graph(KINDS)
    graph.add("noise~", "n")
    graph.add("late96~", "late")
    for channel, source in ((1, "n"), (2, "late")):
        graph.add("out~", f"out{channel}", channel=channel, channels=1)
        graph.connect(source if source != "n" else "n.y", f"out{channel}")
    graph.connect("n", "late")
    sound = render(graph, FRAMES)
    assert_same(sound[:1], sound[1:], "left and right")
    assert not sound[:, :96].any() and sound[:, 96:].any()


def test_a_node_that_opts_out_is_heard_at_once() -> None:
    graph = Graph(KINDS)
    graph.add("noise~", "n")
    graph.add("late96~", "late")
    graph.add("gain~", "monitor", gain=1.0, compensate=False)
    graph.add("out~", "out1", channel=1, channels=1)
    graph.add("out~", "out2", channel=2, channels=1)
    graph.connect("n", "late")
    graph.connect("late", "out1")
    graph.connect("n", "monitor")
    graph.connect("monitor", "out2")
    sound = render(graph, FRAMES)
    assert_same(sound[:1, 96:], sound[1:, :-96], "the monitor is 96 frames earlier")


def test_modulation_waits_for_what_it_modulates() -> None:
    """An envelope that multiplies a late sound: the same as a late product."""

    def graph(late_product: bool) -> Graph:
        made = Graph(KINDS)
        made.add("noise~", "n")
        made.add("sine~", "lfo", freq=40.0)
        made.add("*~", "times")
        made.add("late96~", "late")
        made.add("out~", "out", channels=1)
        made.connect("lfo.y", "times.b")
        if late_product:
            made.connect("n", "times")
            made.connect("times", "late")
            made.connect("late", "out")
        else:
            made.connect("n", "late")
            made.connect("late.y", "times.x")
            made.connect("times", "out")
        return made

    assert_same(render(graph(True), FRAMES), render(graph(False), FRAMES), "modulated before and after")


def test_many_channels_wait_together() -> None:
    graph = Graph(KINDS)
    graph.add("in~", "mic", channels=4)
    graph.add("late64~", "late")
    graph.add("*~", "minus", b=-1.0)
    graph.add("mix~", "sum")
    graph.add("out~", "out", channels=4)
    for a, b in (("mic", "late"), ("mic", "minus"), ("late", "sum"), ("minus", "sum"), ("sum", "out")):
        graph.connect(a, b)
    sound = np.random.default_rng(1).standard_normal((4, FRAMES)).astype(np.float32)
    assert not render(graph, FRAMES, ins=sound).any()
    graph.disconnect("minus.y", "sum.x")
    assert render(graph, FRAMES, ins=sound)[:, 64:].any()


def test_what_comes_into_a_loop_is_aligned_and_the_loop_keeps_its_length() -> None:
    def graph(late: bool) -> Graph:
        made = Graph(KINDS)
        made.add("noise~", "n")
        made.add("*~", "minus", b=-1.0)
        made.add("sine~", "tone", freq=500.0)
        made.add("mix~", "sum")
        made.add("gain~", "back", gain=0.7)
        made.add("out~", "out", channels=1)
        for a, b in (
            ("n", "minus"),
            ("minus", "sum"),
            ("tone", "sum"),
            ("sum", "back"),
            ("back", "sum"),
            ("sum", "out"),
        ):
            made.connect(a, b)
        if late:
            made.add("late96~", "late")
            made.connect("n", "late")
            made.connect("late", "sum")
        else:
            made.connect("n", "sum")
        return made

    late, prompt = render(graph(True), FRAMES)[:, 96:], render(graph(False), FRAMES)[:, :-96]
    assert np.abs(late - prompt).max() < 1e-5, "the same but for the order of the additions"


def test_a_late_node_that_comes_or_goes_fades() -> None:
    graph = Graph(KINDS)
    graph.add("sine~", "tone", freq=200.0)
    graph.add("gain~", "dry", gain=0.01)
    graph.add("gain~", "wet", gain=0.01)
    graph.add("out~", "out", channels=1)
    graph.connect("tone", "dry")
    graph.connect("dry", "out")
    graph.connect("tone", "wet")
    graph.connect("wet", "out")
    steps = []
    for number in range(12):

        def step(player: Player, number: int = number) -> None:
            if "late" in graph:
                graph.remove("late")
                graph.connect("wet", "out")
            else:
                graph.disconnect("wet.y", "out.x")
                graph.add("late1000~" if number % 4 else "late96~", "late")
                graph.connect("wet", "late")
                graph.connect("late", "out")
            player.edit(graph.view)

        steps.append((3_000 + 3_000 * number, step))
    sound = render(graph, 40_000, steps=steps)[0]
    assert click(sound) < SMOOTH
    assert np.abs(sound[-2_000:]).max() == pytest.approx(0.02, abs=1e-4)


def test_a_limiter_beside_its_dry_sound_is_aligned() -> None:
    """The library's own late node, below its ceiling: wet minus dry is nothing."""
    graph = Graph()
    graph.add("noise~", "n")
    graph.add("gain~", "soft", gain=0.1)
    graph.add("limiter~", "limit")
    graph.add("*~", "minus", b=-1.0)
    graph.add("out~", "out", channels=1)
    for a, b in (("n", "soft"), ("soft", "limit"), ("limit", "out"), ("soft", "minus"), ("minus", "out")):
        graph.connect(a, b)
    for rate in (44_100, 48_000, 96_000):
        assert not render(graph, FRAMES, rate=rate).any()
