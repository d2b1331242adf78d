"""expr~ in a patch that plays: packed like any other node, edited without a click, ramped, blamed."""

from __future__ import annotations

import numpy as np
import pytest

from nodegraph.core.graph import Graph
from nodegraph.runtime.engine import Engine
from nodegraph.runtime.player import Player
from tests.runtime.playing import assert_same, click, render

VOICE = "p = fract(p[-1] + freq / rate); s = 2 * p - 1; y = 0.9 * y[-1] + 0.1 * tanh(drive * s * (1 + 0.5 * x1))"


def voices(count: int, code: str = VOICE) -> Graph:
    """Voices of one expression each, all of the same text, shaken by one slow sine."""
    graph = Graph()
    graph.add("sine~", "lfo", freq=3.0)
    graph.add("mix~", "sum", gain=1.0 / count)
    graph.add("out~", "out", channels=1)
    graph.connect("sum.y", "out.x")
    for k in range(count):
        graph.add("expr~", f"v{k}", code=code, freq=50.0 + 2.3 * k, drive=1.0 + k % 7)
        graph.connect("lfo.y", f"v{k}.x1")
        graph.connect(f"v{k}.y", "sum.x")
    return graph


def operations(graph: Graph, packing: bool) -> int:
    engine = Engine(48_000, 0, 1, packing=packing)
    return len(engine.compile(graph.view, engine.plan(graph.view)).operations)


def test_two_hundred_voices_of_one_text_run_sixteen_at_a_time() -> None:
    graph = voices(200)
    assert operations(graph, True) * 6 < operations(graph, False)


def test_packed_and_unpacked_are_the_same_bits_at_every_block() -> None:
    graph = voices(200)

    def start(player: Player) -> None:
        player.messages.post(1_001, "v7", "freq", 333.0)
        player.messages.post(1_501, "v150", "drive", 9.0)

    reference = render(graph, 3_000, packing=False, steps=[(0, start)], outputs=1)
    assert np.abs(reference).max() > 1e-2
    assert not np.array_equal(reference, render(graph, 3_000, packing=False, outputs=1)), "the messages are heard"
    for block in (16, 64, 100):
        assert_same(render(graph, 3_000, block=block, steps=[(0, start)], outputs=1), reference, f"blocks of {block}")


def test_texts_that_differ_in_spaces_are_packed_together() -> None:
    graph = voices(16)
    for k in range(0, 16, 2):
        graph.set(f"v{k}", "code", VOICE.replace(" ", "").replace("2*p", "2  *\np"))
    assert operations(graph, True) < operations(graph, False) / 3


def through(code: str, **values: float) -> Graph:
    """A sine through an expression, beside a filter that no edit touches."""
    graph = Graph()
    graph.add("sine~", "tone", freq=110.0)
    graph.add("expr~", "bend", code=code, **values)
    graph.add("onepole~", "slow", cutoff=20.0)
    graph.add("out~", "left", channel=1, channels=1)
    graph.add("out~", "right", channel=2, channels=1)
    for cable in ("tone.y -> bend.x1", "bend.y -> left.x", "tone.y -> slow.x", "slow.y -> right.x"):
        graph.connect(*cable.split(" -> "))
    return graph


def test_a_changed_code_plays_after_a_fade_and_leaves_the_rest_alone() -> None:
    graph = through("0.1 * x1")

    def edit(player: Player) -> None:
        graph.set("bend", "code", "w = x1; level * w[-1]")
        graph.set("bend", "level", 0.3)
        player.edit(graph.view)

    before, sound = render(graph, 9_600), render(graph, 9_600, steps=[(4_800, edit)])
    assert_same(sound[:, :4_800], before[:, :4_800], "before the edit")
    assert_same(sound[1:], before[1:], "the filter, which keeps its memory")
    late = sound[0, 6_000:]
    np.testing.assert_allclose(late, 3.0 * before[0, 5_999:-1], atol=1e-6)
    assert click(sound[:1]) < 2e-4, "no jump"
    planted = sound[:1].copy()
    planted[:, 7_000:] += 0.002
    assert click(planted) > 2e-4, "the detector finds a planted click"


def test_a_change_of_a_knob_is_no_change_of_the_code() -> None:
    graph = through("m = m[-1] + 0.0001 * level; m + x1 * 0", level=1.0)

    def edit(player: Player) -> None:
        graph.set("bend", "level", 0.0)
        player.edit(graph.view)
        player.set("bend", "level", 0.0)

    sound = render(graph, 9_600, steps=[(480, edit)])[0]
    assert sound[-1] == sound[-2_000] > 0.1, "its memory goes on, and the knob has ramped to 0"
    assert np.abs(np.diff(sound)).max() < 1.1e-4


def test_inlets_that_come_and_go_while_it_plays() -> None:
    graph = through("0.1 * x1")
    graph.add("sine~", "other", freq=55.0)

    def more(player: Player) -> None:
        graph.set("bend", "code", "0.1 * x1 + 0.1 * x2")
        graph.connect("other.y", "bend.x2")
        player.edit(graph.view)

    def less(player: Player) -> None:
        dropped = graph.set("bend", "code", "0.1 * x2")
        assert [str(cable) for cable in dropped] == ["tone.y -> bend.x1"]
        player.edit(graph.view)

    sound = render(graph, 14_400, steps=[(4_800, more), (9_600, less)])[0]
    assert 0.15 < np.abs(sound[6_000:9_600]).max() < 0.21
    assert np.abs(sound[11_000:]).max() == pytest.approx(0.1, abs=1e-3)
    assert click(sound[None]) < 2e-4


def test_a_knob_ramps_within_ten_milliseconds() -> None:
    graph = through("level + x1 * 0")

    def move(player: Player) -> None:
        player.messages.post(480, "bend", "level", 0.5)

    sound = render(graph, 1_200, steps=[(0, move)])[0]
    assert sound[479] == 0.0 and sound[480 + 480 + 64] == 0.5
    assert 0 < np.diff(sound).max() < 0.5 / 450


def test_what_is_not_finite_is_blamed_and_silenced() -> None:
    graph = through("y[-1] * 4 + 1e30 * x1")
    player = Player(graph.view, 48_000)
    out = np.zeros((2, 4_800), np.float32)
    player.render(out)
    player.close()
    assert np.isfinite(out).all() and out[1].any()
    assert any(node == "bend" and "NaN or infinity" in text for node, text in player.log)
