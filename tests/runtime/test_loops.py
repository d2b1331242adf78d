"""Loops of signals: one sample late in one place each, whatever the block, packed or not, and through edits."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

from nodegraph.core.cable import Cable
from nodegraph.core.graph import Graph
from nodegraph.runtime.compile.order import order_of
from nodegraph.runtime.player import Player
from tests.runtime.editing import SMOOTH
from tests.runtime.playing import assert_same, click, render, voices

FRAMES = 6_000


def feedback(graph: Graph, name: str, source: str, gain: float, target: str) -> None:
    """``y[n] = x[n] + gain y[n-1]``, patched from a sum and a gain."""
    graph.add("mix~", f"sum{name}")
    graph.add("gain~", f"back{name}", gain=gain)
    graph.connect(source, f"sum{name}.x")
    graph.connect(f"sum{name}.y", f"back{name}.x")
    graph.connect(f"back{name}.y", f"sum{name}.x")
    graph.connect(f"sum{name}.y", target)


def leaky(gain: float = 0.9) -> Graph:
    graph = Graph()
    graph.add("noise~", "n")
    graph.add("gain~", "soft", gain=0.05)
    graph.add("out~", "out", channels=1)
    graph.connect("soft.y", "out.x")
    feedback(graph, "", "n.y", gain, "soft.x")
    return graph


def test_a_loop_of_two_nodes_is_a_one_pole_filter() -> None:
    graph = leaky()
    plain = Graph()
    for id, entry in graph.nodes.items():
        if id not in ("sum", "back"):
            plain.put(entry)
    plain.connect("n", "soft")
    plain.connect("soft", "out")
    noise = render(plain, FRAMES, outputs=1)[0].astype(np.float64)
    expected = lfilter([1.0], [1.0, -0.9], noise)
    found = render(graph, FRAMES, outputs=1)[0]
    assert np.abs(found - expected).max() < 2e-6 * np.abs(expected).max() * 10, "float32 against float64"
    assert np.abs(expected).max() > 0.1


@pytest.mark.parametrize("block", [1, 7, 64, 500])
def test_a_loop_sounds_the_same_at_every_block_with_events_inside(block: int) -> None:
    def start(player: Player) -> None:
        player.messages.post(1_001, "back", "gain", 0.5)
        player.messages.post(3_333, "back", "gain", -0.8)

    graph = leaky()
    assert_same(
        render(graph, FRAMES, block=block, steps=[(0, start)]), render(graph, FRAMES, steps=[(0, start)]), f"{block}"
    )


def strings(count: int) -> Graph:
    """Plucked strings, each a loop of a sum, a delay line and a low-pass."""
    graph = Graph()
    graph.add("gain~", "sum", gain=0.2)
    graph.add("out~", "out", channels=1)
    graph.connect("sum.y", "out.x")
    for k in range(count):
        graph.add("noise~", f"noise{k}", seed=k)
        graph.add("adsr~", f"pluck{k}", gate=1.0, attack=0.0005, decay=0.002, sustain=0.0)
        graph.add("*~", f"burst{k}")
        graph.add("mix~", f"bridge{k}")
        graph.add("delay~", f"string{k}", time=(0.004 + 0.0003 * k))
        graph.add("onepole~", f"soft{k}", cutoff=6_000.0 + 100.0 * k)
        graph.add("gain~", f"loss{k}", gain=0.99)
        for a, b in (
            (f"noise{k}.y", f"burst{k}.x"), (f"pluck{k}.y", f"burst{k}.b"), (f"burst{k}.y", f"bridge{k}.x"),
            (f"bridge{k}.y", f"string{k}.x"), (f"string{k}.y", f"soft{k}.x"), (f"soft{k}.y", f"loss{k}.x"),
            (f"loss{k}.y", f"bridge{k}.x"), (f"string{k}.y", "sum.x"),
        ):  # fmt: skip
            graph.connect(a, b)
    return graph


@pytest.mark.parametrize("count", [1, 5, 20])
def test_loops_packed_side_by_side_are_the_same_bits(count: int) -> None:
    graph = strings(count)
    sound = render(graph, FRAMES)
    assert np.abs(sound).max() > 0.01
    assert_same(sound, render(graph, FRAMES, packing=False), f"{count} strings packed")


def test_like_loops_are_packed() -> None:
    def operations(count: int) -> int:
        player = Player(strings(count).view, 48_000)
        schedule = player.engine.schedule
        assert schedule is not None
        rows = sum(len(island.rows) for island, _ in schedule._island_blocks)
        player.close()
        return rows + len(schedule.operations)

    assert operations(16) < 16 * operations(1) / 2, "the delay lines stay alone, the rest does not"


def test_a_string_sounds_at_the_length_of_its_loop() -> None:
    """Delay, one sample, and the low-pass's own delay."""
    graph = strings(1)
    graph.set("soft0", "cutoff", 20_000.0)
    graph.set("string0", "time", 479 / 48_000)
    sound = render(graph, 48_000)[0]
    spectrum = np.abs(np.fft.rfft(sound[2_000:] * np.hanning(len(sound) - 2_000), 1 << 19))
    low, high = (round(hertz * (1 << 19) / 48_000) for hertz in (80, 130))
    frequency = (low + np.argmax(spectrum[low:high])) * 48_000 / (1 << 19)
    a = 1.0 - math.exp(-math.tau * 20_000 / 48_000)
    expected = 48_000 / (479 + 1 + (1 - a) / a)
    assert 1_200 * abs(math.log2(frequency / expected)) < 3, f"{frequency} Hz, {expected} Hz"


def test_a_node_may_modulate_itself() -> None:
    """Feedback FM: ``y[n] = sin(2 pi (p + k y[n-1]))``."""
    graph = Graph()
    graph.add("sine~", "osc", freq=300.0)
    graph.add("*~", "depth", b=0.1)
    graph.add("out~", "out", channels=1)
    graph.connect("osc.y", "depth.x")
    graph.connect("depth.y", "osc.phase")
    graph.connect("osc.y", "out.x")
    found = render(graph, 2_000)[0].astype(np.float64)
    y = np.zeros(2_000)
    for n in range(1, 2_000):
        y[n] = math.sin(math.tau * (300.0 * n / 48_000 + 0.1 * found[n - 1]))
    assert np.abs(found - y)[1:].max() < 2e-5
    graph.connect("osc.y", "osc.freq")  # and straight into itself
    assert np.isfinite(render(graph, 2_000)).all()


def test_channels_that_lead_back_are_as_many_as_they_become() -> None:
    """A mono sound is panned inside the loop: the whole loop has two channels."""
    graph = Graph()
    graph.add("noise~", "n")
    graph.add("mix~", "sum")
    graph.add("gain~", "left", gain=0.5)
    graph.add("pan~", "pan", pan=0.4)
    graph.add("gain~", "soft", gain=0.05)
    graph.add("out~", "out")
    for a, b in (
        ("n.y", "pan.x"), ("pan.y", "sum.x"), ("sum.y", "left.x"), ("left.y", "sum.x"), ("sum.y", "soft.x"),
        ("soft.y", "out.x"),
    ):  # fmt: skip
        graph.connect(a, b)
    sound = render(graph, FRAMES)
    assert not np.array_equal(sound[0], sound[1])
    for block in (1, 100):
        assert_same(render(graph, FRAMES, block=block, packing=False), sound, "two channels round")


def test_loops_within_loops_and_two_that_meet() -> None:
    graph = leaky(0.5)
    graph.add("onepole~", "slow", cutoff=300.0)
    graph.add("*~", "more", b=-0.3)
    graph.connect("back.y", "slow.x")
    graph.connect("slow.y", "more.x")
    graph.connect("more.y", "sum.x")
    graph.connect("more.y", "slow.x")
    feedback(graph, "2", "soft.y", 0.4, "out.x")
    sound = render(graph, FRAMES)
    assert np.isfinite(sound).all() and np.abs(sound).max() > 0.01
    for block in (1, 33):
        assert_same(render(graph, FRAMES, block=block), sound, f"blocks of {block}")


def test_edits_elsewhere_leave_a_loop_alone() -> None:
    graph = strings(3)
    graph.remove("out")
    graph.add("out~", "safe", channel=1, channels=1)
    graph.connect("sum.y", "safe.x")

    def edit(number: int):
        def step(player: Player) -> None:
            if f"tone{number - 1}" in graph:
                graph.remove(f"tone{number - 1}")
            graph.add("sine~", f"tone{number}", freq=100.0 + number)
            graph.connect(f"tone{number}.y", "other.x")
            player.edit(graph.view)

        return step

    graph.add("gain~", "other", gain=0.01)
    graph.add("out~", "edited", channel=2, channels=1)
    graph.connect("other.y", "edited.x")
    still = render(graph, 20_000)
    edited = render(graph, 20_000, steps=[(1_000 * number, edit(number)) for number in range(1, 19)])
    assert_same(edited[:1], still[:1], "the strings")


def test_closing_and_opening_a_loop_does_not_click() -> None:
    graph = Graph()
    graph.add("sine~", "tone", freq=150.0)
    graph.add("gain~", "soft", gain=0.02)
    graph.add("delay~", "echo", time=0.01)
    graph.add("mix~", "sum")
    graph.add("gain~", "round", gain=0.6)
    graph.add("out~", "out", channels=1)
    for a, b in (
        ("tone.y", "soft.x"), ("soft.y", "sum.x"), ("sum.y", "echo.x"), ("echo.y", "round.x"), ("sum.y", "out.x"),
    ):  # fmt: skip
        graph.connect(a, b)
    steps = []
    for number in range(20):

        def step(player: Player, number: int = number) -> None:
            cable = Cable("round", "y", "sum", "x")
            if cable in graph.cables:
                graph.disconnect(cable)
            else:
                graph.connect("round.y", "sum.x")
            player.edit(graph.view)

        steps.append((3_000 + 1_500 * number, step))
    sound = render(graph, 36_000, steps=steps)[0]
    assert click(sound[2_000:]) < SMOOTH
    assert abs(np.abs(sound[3_600:4_400]).max() - np.abs(sound[1_000:2_800]).max()) > 0.003, "the loop is heard"


def test_a_loop_that_blows_up_is_named_and_starts_anew() -> None:
    graph = leaky(3.0)
    said: list[tuple[str, str]] = []
    player = Player(graph.view, 48_000, report=lambda id, text: said.append((id, text)))
    out = np.zeros((2, 9_600), np.float32)
    player.render(out)
    player.close()
    assert np.isfinite(out).all() and np.abs(out).max() <= 1.0
    assert any("NaN" in text for _, text in said), said


nodes = st.integers(2, 8)
ends = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20)


@given(nodes, ends, st.randoms())
def test_without_the_cables_that_lead_back_there_is_no_loop(count: int, ends, random) -> None:
    cables = sorted({(a % count, b % count) for a, b in ends})
    random.shuffle(cables)
    graph = Graph()
    names = list(range(count))
    random.shuffle(names)
    for number in names:
        graph.add("svf~", f"n{number}")
    for a, b in cables:
        graph.connect(f"n{a}.low", f"n{b}.x")
    order = order_of(graph.view)
    whole = nx.DiGraph((f"n{a}", f"n{b}") for a, b in cables)
    whole.add_nodes_from(graph.nodes)
    place = {entry.id: index for index, entry in enumerate(order.entries())}
    assert sorted(place) == sorted(graph.nodes)
    forward = nx.DiGraph((c.from_node, c.to_node) for c in graph.cables if c not in order.back)
    assert nx.is_directed_acyclic_graph(forward)
    assert all(place[a] < place[b] for a, b in forward.edges)
    knots = {
        frozenset(part) for part in nx.strongly_connected_components(whole)
        if len(part) > 1 or any(whole.has_edge(n, n) for n in part)
    }  # fmt: skip
    assert {frozenset(e.id for e in order.rows[k]) for k in order.knots} == knots
    other = Graph()
    for number in range(count):
        other.add("svf~", f"n{number}")
    for a, b in sorted(cables):
        other.connect(f"n{a}.low", f"n{b}.x")
    assert order_of(other.view).back == order.back, "the same whatever the order of the edits"


def test_a_thousand_voices_beside_a_loop_stay_packed() -> None:
    graph = voices(32)
    feedback(graph, "1", "osc0.y", 0.3, "sum.x")
    assert_same(render(graph, 2_000), render(graph, 2_000, packing=False), "voices and a loop")
