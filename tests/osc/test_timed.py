"""Bundles with time tags act at their samples: a thousand of a thousand, through JACK in freewheel."""

from __future__ import annotations

import struct
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np

from nodegraph import Patch
from nodegraph.core.flatten import flatten
from nodegraph.core.messages import Ramp
from nodegraph.osc.building import bundle, message, time_tag
from nodegraph.osc.door import Door
from nodegraph.osc.timebase import NTP_EPOCH, Anchored
from nodegraph.runtime.acts import as_tuple
from nodegraph.runtime.player import Player
from nodegraph.session.session import Session
from tests.osc.conftest import Client, until
from tests.runtime.capturing import aligned, capture
from tests.runtime.conftest import JackServer
from tests.runtime.playing import assert_same

RATE = 48_000
COUNT = 1_000
FADERS = 8
START = 1_790_000_000.0 + NTP_EPOCH
"""A time of day, as NTP tells it, that is nailed to frame 0."""


def panel() -> Patch:
    """Tones with levels of their own: a control that moves one frame too late gives other bits."""
    patch = Patch("Panel")
    patch.add("out~", "out", channels=1)
    for k in range(FADERS):
        patch.connect(patch.add("saw~", f"o{k}", freq=55 * (k + 1)), patch.add("gain~", f"g{k}", gain=0.02), "out")
    return patch


def moves() -> list[tuple[int, list[float], int | None]]:
    """A thousand moments, distances of 1 to 1999 frames between them: all faders as they ramp by themselves, or one of
    them at once."""
    random = np.random.default_rng(4)
    frame, found = 9_600, []
    for number in range(COUNT):
        frame += int(random.integers(1, 2_000))
        found.append(
            (
                frame,
                [float(np.float32(x)) for x in random.random(FADERS) * 0.1],
                number % FADERS if number % 2 else None,
            )
        )
    return found


def session_of(patch: Patch, player: Player) -> Session:
    """A session in which this player plays, in freewheel, by the test's own hand."""
    session = Session(patch)
    playing: Any = SimpleNamespace(player=player, running=True, setting=threading.Lock(), stop=lambda: None)
    session.playing = playing
    session._attach()
    return session


def came(door: Door, count: int) -> None:
    """Wait until so many packets were read: how much the system keeps meanwhile is no part of these tests."""
    until(lambda: door.counters.received == count, f"{count} packets")


def test_a_thousand_timed_bundles_act_at_their_samples(jack_server: JackServer) -> None:
    every = moves()
    frames = every[-1][0] + 9_600
    patch = panel()
    expected = Player(flatten(patch.document), RATE)
    for frame, values, only in every:
        for k, value in enumerate(values):
            if only is None:
                expected.act("set", f"g{k}", "gain", value, frame=frame)
            elif only == k:
                expected.act("set", f"g{k}", "gain", Ramp(value, 0.0), frame=frame)
    reference = np.zeros((2, frames + 6_144), np.float32)
    expected.render(reference, block=512)
    expected.close()

    player = Player(flatten(patch.document), RATE)
    session = session_of(patch, player)
    anchor = Anchored(START, 0, RATE)
    with Door(session, port=0, timebase=anchor, horizon_s=60.0) as door:
        client = Client(door)
        for number, (frame, values, only) in enumerate(every):
            if only is None:
                parts = [message(f"/patch/g{k}/gain", (value,)) for k, value in enumerate(values)]
            else:
                parts = [message(f"/patch/g{only}/gain", (values[only], 0))]
            client.send_bytes(bundle(parts, time_tag(anchor.ntp_of(frame))))
            came(door, number + 1)
        client.close()
        noted: list[int] = []
        player.acts.noted.append(lambda act: noted.append(act.frame))
        captured = capture(player, jack_server, frames)
        assert door.counters.late == door.counters.dropped == door.counters.refused == 0
        assert noted == [frame for frame, _, _ in every], f"{len(noted)} of {COUNT} acts at their frames"
        assert player.acts.late == 0
    player.close()
    start = aligned(captured[:1], reference[:1])
    count = min(captured.shape[1], frames - start)
    assert start + count > every[-1][0]
    assert_same(captured[:, :count], reference[:, start : start + count], "1000 timed bundles in freewheel")


def test_a_known_bundle_and_an_unknown_one_do_the_same() -> None:
    """From its second coming on a bundle is read in one go: the acts are those of the first."""
    patch = panel()
    player = Player(flatten(patch.document), RATE)
    session = session_of(patch, player)
    noted: list[Any] = []
    player.acts.noted.append(noted.append)
    with Door(session, port=0, timebase=Anchored(START, 0, RATE)) as door:
        client = Client(door)
        for turn in range(4):
            parts = [message(f"/patch/g{k}/gain", (0.125 * (turn + k),)) for k in range(FADERS)]
            client.send_bytes(bundle(parts, time_tag(START + 1 + turn)))
        nan = struct.pack(">f", float("nan"))
        client.send_bytes(bundle([*parts[:-1], parts[-1][:-4] + nan]))
        until(lambda: door.counters.received == 5 and door.counters.errors == 1, "all five")
        assert len(door.handling._layouts._bundles) == 1
        client.close()
    player.advance()
    assert [act.frame for act in noted[:4]] == [RATE * (1 + turn) for turn in range(4)]
    assert all(act.what == "sets" and len(act.args[0]) == FADERS for act in noted[:4])
    assert [as_tuple(act.args[1]) for act in noted[:4]] == [
        tuple(0.125 * (turn + k) for k in range(FADERS)) for turn in range(4)
    ]
    assert as_tuple(noted[4].args[1]) == tuple(0.125 * (3 + k) for k in range(FADERS - 1)), "all but what is no number"
    player.close()


def test_more_than_can_wait_is_dropped_and_counted() -> None:
    patch = panel()
    player = Player(flatten(patch.document), RATE)
    session = session_of(patch, player)
    with Door(session, port=0) as door:
        client = Client(door)
        for number in range(6_000):  # the player does not come to them
            client.send("/patch/g0/gain", 0.5, 10)
            if number % 200 == 199:
                came(door, number + 1)
        until(lambda: door.counters.dropped == 6_000 - 4_096, "the rest is dropped")
        assert player.asked == 4_096
        player.advance()
        assert player.asked == 0
        client.send("/patch/g0/gain", 0.25, 10)
        until(lambda: player.asked == 1, "there is room again")
        client.close()
    player.close()
