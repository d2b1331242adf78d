"""`osc.send` and `osc.receive`: what leaves a patch and when, and what comes in and where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nodegraph import BANG, Note, Patch, Tag
from nodegraph.core import registry
from nodegraph.core.osc import DOOR, OscIn, OscOut
from nodegraph.runtime.player import Player

RATE = 48_000


class Run:
    """A patch played offline; what leaves it is kept as (frame, message)."""

    def __init__(self, patch: Patch, frames: int, acts: list[tuple[Any, ...]], *, sink: bool = True) -> None:
        self.out: list[tuple[int, OscOut]] = []
        self.log: list[tuple[str, str]] = []
        self.events: list[tuple[int, str, Any]] = []
        player = Player(patch.graph.view, RATE, report=lambda *line: self.log.append(line))
        if sink:
            player.messages.outside.sink(DOOR, lambda frame, value: self.out.append((frame, value)))
        player.messages.everything = lambda event: self.events.append((event.frame, event.port, event.value))
        for frame, what, *args in acts:
            player.act(what, *args, frame=frame)
        player.advance()
        player.messages.run(frames)
        player.close()


def sending(**settings: Any) -> Patch:
    patch = Patch()
    patch.add("osc.send", "it", **settings)
    return patch


@pytest.mark.parametrize(
    ("message", "address", "args"),
    [
        (3, "/a", (3,)),
        (0.5, "/a", (0.5,)),
        ("word", "/a", ("word",)),
        (BANG, "/a", ()),
        ((1, "b", 2.5), "/a", (1, "b", 2.5)),
        (Note(60, 0.5), "/a", (60, 0.5)),
        (Tag("Speech", 0.5), "/a", ("Speech", 0.5)),
        (("/b/c", 1), "/b/c", (1,)),
        ("/b/c", "/b/c", ()),
        ((b"blob", True, None), "/a", (b"blob", True, None)),
    ],
)
def test_every_message_leaves_as_osc(message: Any, address: str, args: tuple[Any, ...]) -> None:
    patch = sending(address="/a", port=57_110, timetag=True, protocol="tcp")
    run = Run(patch, 10_000, [(4_800, "set", "it", "x", message)])
    assert run.out == [(4_800, OscOut("127.0.0.1", 57_110, "tcp", address, args, True))]


def test_what_comes_too_fast_is_made_fewer_the_newest_of_each_address() -> None:
    """A number every 10 frames for a second, at most 100 a second: each 480 frames the newest one leaves."""
    acts: list[tuple[Any, ...]] = [(frame, "set", "it", "x", frame) for frame in range(0, RATE, 10)]
    acts += [(frame, "set", "it", "x", ("/other", frame)) for frame in range(0, RATE, 1_000)]
    run = Run(sending(rate=100.0), 2 * RATE, acts)
    mine = [(frame, out.args[0]) for frame, out in run.out if out.address == "/nodegraph"]
    assert [frame for frame, _ in mine] == list(range(0, RATE + 1, 480))
    assert all(frame - 480 <= value <= frame for frame, value in mine) and mine[-1][1] == RATE - 10
    assert [out.args[0] for _, out in run.out if out.address == "/other"] == list(range(0, RATE, 1_000))


def test_a_rate_of_nothing_sends_all() -> None:
    run = Run(sending(rate=0.0), RATE, [(frame, "set", "it", "x", frame) for frame in range(0, 4_000, 4)])
    assert [frame for frame, _ in run.out] == list(range(0, 4_000, 4))


def test_nothing_leaves_offline_and_no_address_is_told_once() -> None:
    patch = sending(address="nowhere")
    patch.connect(patch.add("metro", interval=0.01), "it")
    run = Run(patch, RATE, [])
    assert not run.out and len(run.log) == 1 and "no OSC address" in run.log[0][1]
    patch = sending()
    patch.connect(patch.add("metro", interval=0.01), "it")
    assert patch.render(seconds=0.2).seconds == pytest.approx(0.2)


def receiving(address: str) -> Patch:
    patch = Patch()
    patch.add("osc.receive", "it", address=address)
    return patch


@pytest.mark.parametrize(
    ("pattern", "address", "heard"),
    [
        ("/a/b", "/a/b", True), ("/a/b", "/a/c", False), ("/a/*", "/a/c", True), ("//b", "/x/y/b", True),
        ("/{note,cc}", "/cc", True), ("/{note,cc}", "/pitch", False), ("/a/b", "/a/*", True), ("/a/b", "/[c]", False),
    ],
)  # fmt: skip
def test_an_address_or_a_pattern_on_either_side(pattern: str, address: str, heard: bool) -> None:
    run = Run(receiving(pattern), RATE, [(4_800, "arrive", DOOR, OscIn(address, (0.5,)))])
    assert run.events == ([(4_800, "source", address), (4_800, "message", 0.5)] if heard else [])


@pytest.mark.parametrize(
    ("args", "message"), [((), BANG), ((1,), 1), (("word",), "word"), ((1, 2.0, "x"), (1, 2.0, "x")), ((None,), None)]
)
def test_arguments_are_a_message(args: tuple[Any, ...], message: Any) -> None:
    run = Run(receiving("/a"), RATE, [(100, "arrive", DOOR, ("/a", args))])
    assert run.events[1:] == [(100, "message", message)]


def test_a_broken_pattern_is_told_and_hears_nothing() -> None:
    run = Run(receiving("/[a"), RATE, [(100, "arrive", DOOR, OscIn("/[a", ()))])
    assert not run.events and "no pattern" in run.log[0][1]


@pytest.mark.parametrize(
    ("word", "kind"),
    [("udpsend", "osc.send"), ("netsend", "osc.send"), ("NetAddr", "osc.send"), ("udpreceive", "osc.receive"),
     ("netreceive", "osc.receive"), ("OSCdef", "osc.receive")],
)  # fmt: skip
def test_the_words_of_others_find_them(word: str, kind: str) -> None:
    assert registry().resolve(word) == kind


def test_a_node_that_leaves_hears_no_more() -> None:
    patch = receiving("/a")
    player = Player(patch.graph.view, RATE)
    player.advance()
    assert len(player.messages.outside._ears[DOOR]) == 1
    patch.remove("it")
    player.edit(patch.graph.view)
    for _ in range(100):
        player.advance()
        player.engine.process(None, np.zeros((2, 512), np.float32))
    assert not player.messages.outside._ears[DOOR]
    player.close()
