"""Messages and arrays reach nodes in workers at their own instants, the same however a patch is played."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

import tests.lane.fake_streams as fakes
from nodegraph.core.declare import InferenceNode, node
from nodegraph.core.errors import DeclarationError
from nodegraph.core.graph import Graph
from nodegraph.core.listening import Clip, Weights
from nodegraph.core.ports import inlet, outlet
from nodegraph.nodes.pieces import Pieces
from nodegraph.runtime.lane.streams import answer_frames, latency_frames
from nodegraph.runtime.player import Player
from tests.lane.test_streams import OPTIONS, RATE, noise, played, shifted
from tests.runtime.playing import assert_same, discontinuity

BOUND = 3.2e-5
PATIENCE_S = 60.0


def through(*between: str) -> Graph:
    """Sound, packed, through some nodes, and unpacked."""
    graph = Graph(fakes.KINDS)
    graph.add("in~", "in", channels=1)
    graph.add("test.packed~", "pack")
    graph.add("test.unpacked~", "unpack")
    graph.add("out~", "out")
    graph.connect("in.y", "pack.x")
    graph.connect("pack.codes", "unpack.codes")
    graph.connect("unpack.y", "out.x")
    return graph


@pytest.mark.parametrize("block", [64, 333])
def test_sound_that_is_packed_and_unpacked_comes_back_whole(block: int) -> None:
    sound = noise(0.6)
    late = 480 + answer_frames(fakes.Packed, RATE) + latency_frames(fakes.Unpacked, RATE)
    made = played(through(), sound, block=block)[:1]
    wanted = shifted(sound, late)
    settled = late + 400
    assert np.abs(made[:, settled:]).max() > 0.5
    assert_same(made[:, settled:], wanted[:, settled:], "the sound, later")
    assert np.all(np.abs(made) <= np.abs(wanted) + 1e-7), "it comes up from silence"


def test_it_is_the_same_however_it_is_played() -> None:
    sound = noise(0.4, seed=3)
    assert_same(played(through(), sound, block=64), played(through(), sound, block=100), "other blocks")


@pytest.mark.parametrize("names", [("pack", "unpack"), ("z", "a")])
def test_a_path_beside_packing_and_unpacking_waits_for_both(names: tuple[str, str]) -> None:
    """Whichever stands first in the patch; another node that takes arrays and gives arrays may lie between them."""
    pack, unpack = names
    graph = Graph(fakes.KINDS)
    graph.add("in~", "in", channels=1)
    graph.add("test.unpacked~", unpack)
    graph.add("test.passed", "passed")
    graph.add("test.packed~", pack)
    graph.add("*~", "dry", b=-1.0)
    graph.add("out~", "out")
    for cable in (
        ("in.y", f"{pack}.x"), (f"{pack}.codes", "passed.x"), ("passed.y", f"{unpack}.codes"), (f"{unpack}.y", "out.x"),
        ("in.y", "dry.x"), ("dry.y", "out.x"),
    ):  # fmt: skip
        graph.connect(*cable)
    late = 480 + answer_frames(fakes.Packed, RATE) + latency_frames(fakes.Unpacked, RATE)
    player = Player(graph.view, RATE, **OPTIONS)
    assert player.timing.total == late
    player.close()
    made = played(graph, noise(0.5))[0]
    assert np.abs(made[late + 400 :]).max() == 0.0 and np.abs(made[: late + 200]).max() > 0.1


def test_a_loop_through_arrays_is_played() -> None:
    graph = through()
    graph.connect("unpack.y", "pack.x")
    made = played(graph, noise(0.5))
    late = 480 + answer_frames(fakes.Packed, RATE) + latency_frames(fakes.Unpacked, RATE)
    assert np.abs(made[:, 2 * late + 400 : 3 * late]).max() > 0.5, "it goes round"


def prompted() -> Graph:
    graph = Graph(fakes.KINDS)
    graph.add("in~", "in", channels=1)
    graph.add("test.prompted~", "ears")
    graph.add("out~", "out")
    graph.connect("in.y", "ears.x")
    graph.connect("in.y", "out.x")
    return graph


def answers(player: Player, seconds: float) -> list[tuple[int, Any]]:
    heard: list[tuple[int, Any]] = []
    player.watch("ears", "answer", lambda event: heard.append((event.frame, event.value)))
    out = np.zeros((player.engine.outputs, round(seconds * RATE)), np.float32)
    player.render(out, np.zeros((1, out.shape[1]), np.float32))
    return heard


def test_a_message_is_heard_with_the_clip_in_which_it_comes() -> None:
    player = Player(prompted().view, RATE, **OPTIONS)
    player.act("set", "ears", "say", "one", frame=3_000)
    player.act("set", "ears", "say", "two", frame=4_799)
    player.act("set", "ears", "say", "three", frame=4_800)
    try:
        found = answers(player, 0.4)
    finally:
        player.close()
    late = answer_frames(fakes.Prompted, RATE)
    assert [frame - late for frame, _ in found] == [2_400 * n for n in range(1, len(found) + 1)]
    assert [value for _, value in found][:4] == ["nothing", ("two", 2_399), ("three", 0), ("three", 0)]


def test_a_handler_that_raises_is_told_and_the_next_clip_is_answered() -> None:
    player = Player(prompted().view, RATE, **OPTIONS)
    player.act("set", "ears", "say", "raise", frame=3_000)
    try:
        found = answers(player, 0.5)
        assert "not that word" in player.status()["listeners"]["ears"]["error"]
    finally:
        player.close()
    late = answer_frames(fakes.Prompted, RATE)
    assert 4_800 not in [frame - late for frame, _ in found] and 7_200 in [frame - late for frame, _ in found]


def test_what_cannot_be_sent_is_refused_by_name() -> None:
    told: list[tuple[str, str]] = []
    player = Player(prompted().view, RATE, report=lambda id, text: told.append((id, text)), **OPTIONS)
    player.act("set", "ears", "say", object(), frame=100)
    player.act("set", "ears", "say", 1 << 70, frame=100)
    for number in range(1_100):
        player.act("set", "ears", "say", number, frame=5_000)
    try:
        found = answers(player, 0.4)
    finally:
        player.close()
    assert sum("cannot be sent" in text or "infer answered" in text for id, text in told if id == "ears") == 2
    assert sum("more than 1000 messages" in text for _, text in told) == 1
    assert found[-1][1] == (999, 200)


def test_what_lasts_is_told_again_to_a_worker_that_begins_anew() -> None:
    told: list[str] = []
    player = Player(prompted().view, RATE, report=lambda _, text: told.append(text), **OPTIONS)
    heard: list[Any] = []
    player.watch("ears", "answer", lambda event: heard.append(event.value))
    block = np.zeros((player.engine.outputs, 480), np.float32)
    silence = np.zeros((1, 480), np.float32)

    def until(what: Any) -> None:
        end = time.monotonic() + PATIENCE_S
        while not what():
            assert time.monotonic() < end, (heard[-3:], told)
            player.render(block, silence)

    try:
        player.act("set", "ears", "say", "hold this")
        until(lambda: heard and heard[-1] != "nothing")
        player.act("set", "ears", "fall", 1.0)
        until(lambda: "listens again." in told)
        heard.clear()
        until(lambda: len(heard) >= 3)
        assert {value[0] for value in heard} == {"hold this"}
    finally:
        player.close()


def test_a_node_that_hears_messages_alone_is_asked_when_there_are_some() -> None:
    graph = Graph(fakes.KINDS)
    graph.add("test.echo", "ears")
    player = Player(graph.view, RATE, **OPTIONS)
    for frame, word in ((1_000, "a"), (1_001, "b"), (9_600, "c")):
        player.act("set", "ears", "say", word, frame=frame)
    try:
        found = answers(player, 0.4)
    finally:
        player.close()
    late = answer_frames(fakes.Echo, RATE)
    assert [(frame - late, value[1]) for frame, value in found] == [(1_440, "a"), (1_440, "b"), (10_080, "c")]
    assert found[-1][1][0] - found[0][1][0] == 1, "it was asked twice"


def test_handlers_are_held_to_the_declaration() -> None:
    def declare(**extra: Any) -> None:
        base = {
            "x": inlet.signal("sound", channels=1), "gain": inlet.control(0.0, "a control"),
            "say": inlet.event("words"),
            "answer": outlet.event("words"), "hears": Clip(0.1, 48_000), "weights": Weights("fake"),
        }  # fmt: skip
        node("test.declared~")(type("Declared", (InferenceNode,), base | extra))

    declare(on_say=lambda self, message, offset_s: None)
    for extra, text in (
        ({"on_word": lambda self: None}, "on_word answers no inlet"),
        ({"on_gain": lambda self, message: None}, "on_gain answers no inlet"),
        ({"on_say": lambda self, when: None}, "asks for 'when'"),
        ({"lasting": ("words",)}, "lasts and is no inlet"),
    ):
        with pytest.raises(DeclarationError, match=text):
            declare(**extra)


class TestPieces:
    FADE = 100

    def line(self, pieces: list[tuple[int, int]], chunk: int = 480, chunks: int = 8) -> Any:
        """A constant of 1, in pieces (place, length), as chunk after chunk takes it."""
        made = Pieces(1, self.FADE)
        found = []
        for number in range(chunks):
            for at, length in pieces:
                if number * chunk <= at < (number + 1) * chunk:
                    made.lay(at - number * chunk, np.ones(length, np.float32))
            found.append(made.take(chunk))
        return np.concatenate(found, axis=1)[0]

    def test_what_follows_is_joined_to_the_bit(self) -> None:
        found = self.line([(200, 700), (900, 700), (1_602, 700), (2_300, 500)])
        assert np.all(found[200 + 2 * self.FADE : 2_700] == 1.0)
        assert np.all(found[: 200 + self.FADE] == 0.0) and np.all(found[2_802 + self.FADE :] == 0.0)

    @pytest.mark.parametrize("second", [700, 1_000, 1_101, 1_433, 2_000, 480 * 3])
    def test_gaps_and_overlaps_fade(self, second: int) -> None:
        found = self.line([(100, 860), (second, 900)])
        sound = np.sin(np.arange(len(found)) * 0.02).astype(np.float32)
        assert discontinuity(found * sound) < discontinuity(sound) + 0.02
        assert np.abs(np.diff(found)).max() < 1.6 / self.FADE
        assert found.max() <= 1.0 + 1e-6
        if second > 1_200:
            assert found[second + self.FADE - 50] == 0.0, "silence between them"

    def test_what_comes_too_late_loses_its_beginning(self) -> None:
        made = Pieces(1, self.FADE)
        made.lay(-300.0, np.ones(500, np.float32))
        found = made.take(480)[0]
        assert found[0] < 0.01 and np.abs(np.diff(found)).max() < 1.6 / self.FADE
        assert found[self.FADE] == 1.0 and found[300] == 0.0
        made.lay(-900.0, np.ones(500, np.float32))
        assert np.all(made.take(480) == 0.0)

    def test_bits_do_not_depend_on_the_chunks(self) -> None:
        places = [(30, 333), (363, 333), (900, 200), (1_010, 400)]
        assert_same(self.line(places, 480, 6)[None], self.line(places, 96, 30)[None], "chunks")
