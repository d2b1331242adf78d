"""Edits while playing: what is untouched keeps every bit, what is touched fades."""

import random
from collections.abc import Callable

import numpy as np
import pytest

from nodegraph.core.cable import Cable
from nodegraph.core.errors import PatchError
from nodegraph.core.graph import Graph
from nodegraph.runtime.player import Player
from tests.runtime.editing import SMOOTH, random_edit, two_paths
from tests.runtime.playing import assert_same, click, discontinuity, render, same_bits, voices


def edited(edits: int, frames_each: int, seed: int) -> tuple[np.ndarray, set[str]]:
    graph = two_paths()
    player = Player(graph.view, 48_000)
    choose = random.Random(seed)
    out = np.zeros((2, edits * frames_each), np.float32)
    kinds = set()
    for number in range(edits):
        start = number * frames_each
        kinds.add(random_edit(graph, choose, number))
        player.edit(graph.view)
        player.render(out[:, start : start + frames_each], block=256)
    player.close()
    return out, kinds


def test_a_thousand_random_edits_leave_the_rest_alone_and_never_click() -> None:
    edits, frames = 1_000, 800
    sound, kinds = edited(edits, frames, seed=3)
    still = render(two_paths(), edits * frames, block=512)
    assert len(kinds) >= 5, kinds
    assert_same(sound[:1], still[:1], "the untouched path")
    worst = click(sound[1, 200:])  # the tones begin at once, and that is no edit
    assert worst < SMOOTH, f"a discontinuity of {worst:.2g}"
    planted = sound[1].copy()
    planted[len(planted) // 2 :] += np.float32(1.1 * SMOOTH / 3.0)
    assert click(planted) > SMOOTH, "the detector finds a planted click of -89 dBFS"


def test_an_edit_is_heard_and_undone_comes_back_to_the_same_state() -> None:
    graph = voices(20)

    def cut(player: Player) -> None:
        graph.disconnect("cut3.low", "sum.x")
        player.edit(graph.view)

    def mend(player: Player) -> None:
        graph.connect("cut3.low", "sum.x")
        player.edit(graph.view)

    plain = render(graph, 12_000)
    changed = render(graph, 12_000, steps=[(4_000, cut), (8_000, mend)])
    assert same_bits(plain[:, :4_000], changed[:, :4_000])
    assert np.abs(plain[:, 5_000:8_000] - changed[:, 5_000:8_000]).max() > 1e-4
    # the voice kept running while it was not heard, so after the fade the mix is the same again, to the bit
    assert_same(plain[:, 9_000:], changed[:, 9_000:], "after undo")


@pytest.mark.parametrize("packing", [True, False])
def test_edits_are_the_same_packed_and_not(packing: bool) -> None:
    def play(packing: bool) -> np.ndarray:
        graph = two_paths()
        choose = random.Random(11)
        steps = []
        for number in range(20):

            def step(player: Player, number: int = number) -> None:
                random_edit(graph, choose, number)
                player.edit(graph.view)

            steps.append((500 + 900 * number, step))
        return render(graph, 20_000, steps=steps, packing=packing)

    assert_same(play(packing), play(True), "twenty edits")


def test_a_ramp_goes_on_through_an_edit() -> None:
    graph = voices(8)
    graph.add("line~", "rise", target=0.0, time=0.2)
    graph.connect("rise.y", "cut2.resonance")

    def start(player: Player) -> None:
        player.messages.post(1_000, "sum", "gain", 0.2)
        player.messages.post(1_000, "rise", "target", 0.9)

    def edit(player: Player) -> None:
        graph.add("sine~", "new")
        player.edit(graph.view)

    plain = render(graph, 6_000, steps=[(0, start)])
    changed = render(graph, 6_000, steps=[(0, start), (1_100, edit)])
    assert_same(plain, changed, "an edit that is not heard, in the middle of a ramp")


def test_a_changed_setting_fades() -> None:
    graph = Graph()
    graph.add("sine~", "tone", freq=200.0)
    graph.add("gain~", "g", gain=0.5)
    graph.add("out~", "out", channels=1)
    graph.connect("tone.y", "g.x")
    graph.connect("g.y", "out.x")

    def other_channel(player: Player) -> None:
        graph.set("out", "channel", 2)
        player.edit(graph.view)

    sound = render(graph, 6_000, steps=[(3_000, other_channel)], outputs=2)
    assert np.abs(sound[1, :3_000]).max() == 0.0
    assert np.abs(sound[0, 3_600:]).max() == 0.0
    assert np.abs(sound[1, 3_600:]).max() > 0.4
    assert click(sound) < 2e-3


def test_mono_becomes_stereo_without_a_click() -> None:
    graph = Graph()
    graph.add("sine~", "tone", freq=200.0)
    graph.add("pan~", "pan", pan=0.5)
    graph.add("gain~", "g", gain=0.3)
    graph.add("out~", "out")
    graph.connect("tone.y", "g.x")
    graph.connect("tone.y", "pan.x")
    graph.connect("g.y", "out.x")

    def widen(player: Player) -> None:
        graph.disconnect("tone.y", "g.x")
        graph.connect("pan.y", "g.x")
        player.edit(graph.view)

    sound = render(graph, 6_000, steps=[(3_000, widen)])
    assert np.abs(sound[0, 4_000:]).max() < np.abs(sound[1, 4_000:]).max()
    assert click(sound) < 2e-3


@pytest.mark.parametrize("counts", [(1, 2), (2, 1), (3, 1), (1, 5), (2, 4), (4, 3)])
@pytest.mark.parametrize("after", ["sum~", "spread~"])
def test_channels_that_come_and_go_do_not_click(counts: tuple[int, int], after: str) -> None:
    """What sees all channels at once may do something else with each when there are more of them."""
    graph = Graph()
    graph.add("sine~", "tone", freq=150.0)
    graph.add("dup~", "wide", count=counts[0])
    graph.add("gain~", "soft", gain=0.02)
    graph.add("onepole~", "cut", cutoff=900.0)
    graph.add(after, "all")
    graph.add("out~", "out")
    for cable in ("tone.y -> wide.x", "wide.y -> soft.x", "soft.y -> cut.x", "cut.y -> all.x"):
        graph.lay(Cable.parse(cable))
    graph.connect("all", "out")

    def change(player: Player) -> None:
        graph.set("wide", "count", counts[1])
        player.edit(graph.view)

    sound = render(graph, 6_000, steps=[(3_000, change)])[:, 200:]
    assert np.abs(sound[:, 4_000:]).max() > 0.01
    assert discontinuity(sound) < 10.0 ** (-90.0 / 20.0)


@pytest.mark.parametrize("width", [1, 2, 4])
def test_cables_of_other_widths_take_turns_without_a_click(width: int) -> None:
    """At an inlet of fixed width each cable is fitted before the sum, so none depends on its neighbours."""
    graph = Graph()
    graph.add("sine~", "tone", freq=150.0)
    graph.add("gain~", "soft", gain=0.02)
    graph.add("dup~", "two", count=2)
    graph.add("dup~", "three", count=3)
    graph.add("pan~", "place")
    graph.add("out~", "out", channels=width)
    graph.add("out~", "placed", channel=5, channels=2)
    for cable in ("tone.y -> soft.x", "soft.y -> two.x", "soft.y -> three.x", "place.y -> placed.x"):
        graph.lay(Cable.parse(cable))
    sources = ["soft.y", "two.y", "three.y"]
    for inlet in ("out.x", "place.x"):
        graph.connect(sources[0], inlet)

    def other(before: str, now: str) -> Callable[[Player], None]:
        def change(player: Player) -> None:
            for inlet in ("out.x", "place.x"):
                graph.disconnect(before, inlet)
                graph.connect(now, inlet)
            player.edit(graph.view)

        return change

    turns = [(0, 1), (1, 2), (2, 0), (0, 2), (2, 1), (1, 0)]
    steps = [(2_000 + 1_500 * n, other(sources[a], sources[b])) for n, (a, b) in enumerate(turns)]
    sound = render(graph, 13_000, steps=steps)[:, 200:]
    assert np.abs(sound[4:]).max() > 0.01 and np.abs(sound[0]).max() > 0.01
    assert discontinuity(sound) < 10.0 ** (-90.0 / 20.0)


def test_an_edit_that_turns_cables_round_fades_one_after_the_other() -> None:
    graph = Graph()
    graph.add("sine~", "tone", freq=150.0)
    graph.add("gain~", "a", gain=0.5)
    graph.add("onepole~", "b", cutoff=800.0)
    graph.add("out~", "out", channels=1)
    for cable in ("tone.y -> a.x", "a.y -> b.x", "b.y -> out.x"):
        graph.lay(Cable.parse(cable))

    def turn(player: Player) -> None:
        for cable in ("tone.y -> a.x", "a.y -> b.x", "b.y -> out.x"):
            graph.disconnect(Cable.parse(cable))
        for cable in ("tone.y -> b.x", "b.y -> a.x", "a.y -> out.x"):
            graph.lay(Cable.parse(cable))
        player.edit(graph.view)

    sound = render(graph, 8_000, steps=[(3_000, turn)])
    assert np.abs(sound[0, 5_000:]).max() > 0.1
    assert click(sound) < 2e-3


def test_a_refused_edit_leaves_the_sound_as_it_was() -> None:
    graph = voices(6)
    bad = graph.copy()
    bad.add("in~", "mic", channel=10, channels=64)
    bad.connect("mic", "sum")

    def refuse(player: Player) -> None:
        with pytest.raises(PatchError, match="would have 73 channels"):
            player.edit(bad.view)

    assert_same(render(graph, 4_000), render(graph, 4_000, steps=[(2_000, refuse)]), "after a refused edit")


def test_nodes_with_memory_and_taps_come_and_go_while_they_sound() -> None:
    """Delay lines, recorders' rings and arrays are let go only when no schedule uses them any more."""
    graph = voices(6)
    player = Player(graph.view, 48_000)
    out = np.zeros((2, 900), np.float32)
    for number in range(40):
        if "echo" in graph.nodes:
            graph.remove("echo")
            graph.remove("look")
        else:
            graph.add("comb~", "echo", time=0.01 + 0.001 * number)
            graph.add("spectrum~", "look")
            graph.connect("osc1.y", "echo.x")
            graph.connect("echo.y", "sum.x")
            graph.connect("echo.y", "look.x")
        player.edit(graph.view)
        player.render(out)
        assert np.isfinite(out).all()
    assert player.engine.resources.rings.keys() <= {"look"}
    player.close()


def through(kind: str, **params: object) -> Graph:
    """A low sine through a node with a long memory."""
    graph = Graph()
    graph.add("sine~", "tone", freq=150.0)
    graph.add("gain~", "soft", gain=0.02)
    graph.add(kind, "node", **params)
    graph.add("out~", "out", channels=1)
    graph.connect("tone", "soft")
    graph.connect("soft", "node")
    graph.connect("node", "out")
    return graph


REMEMBERING = {
    "reverb~": ({"decay": 1.0, "mix": 1.0}, ("size", 2.0)),
    "delay~": ({"time": 0.05, "feedback": 0.5}, ("longest", 1.0)),
    "comb~": ({"time": 0.02}, ("longest", 0.2)),
    "limiter~": ({}, None),
}


@pytest.mark.parametrize("kind", REMEMBERING)
def test_a_node_with_a_long_memory_comes_changes_and_goes_without_a_click(kind: str) -> None:
    params, change = REMEMBERING[kind]
    graph = through(kind, **params)

    def go(player: Player) -> None:
        graph.remove("node")
        graph.connect("soft", "out")
        player.edit(graph.view)

    def come(player: Player) -> None:
        graph.disconnect("soft.y", "out.x")
        graph.add(kind, "node", **params)
        graph.connect("soft", "node")
        graph.connect("node", "out")
        player.edit(graph.view)

    def set_(player: Player) -> None:
        if change is not None:
            graph.set("node", *change)
            player.edit(graph.view)

    steps = [(24_000, go), (30_000, come), (54_000, set_), (78_000, go)]
    sound = render(graph, 90_000, steps=steps)[0]
    assert click(sound[12_000:]) < SMOOTH
    assert np.abs(sound[50_000:54_000]).max() > 5e-3, "it is heard again"


def test_edits_that_come_faster_than_their_fades_end_where_the_last_one_says() -> None:
    graph = voices(8)
    player = Player(graph.view, 48_000)
    out = np.zeros((2, 64), np.float32)
    player.render(out, block=16)
    for number in range(50):
        if number % 2:
            graph.remove("new")
        else:
            graph.add("sine~", "new", freq=100.0 + number)
            graph.connect("new", "sum")
        player.edit(graph.view)
        player.render(out, block=16)
    graph.add("sine~", "last", freq=50.0)
    graph.connect("last", "sum")
    player.edit(graph.view)
    out = np.zeros((2, 12_000), np.float32)
    player.render(out)
    assert not player.editing
    assert set(player._view.nodes) == set(graph.nodes)
    player.close()
