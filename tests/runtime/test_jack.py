"""Live equals offline: a capture through JACK in freewheel has a render's bits, listeners' answers included."""

from __future__ import annotations

import random

import numpy as np
import pytest

from nodegraph.core.errors import DeviceError
from nodegraph.core.graph import Graph
from nodegraph.models.store import Store
from nodegraph.runtime.drivers.jack import TRIES, JackDriver, close_client, open_client
from nodegraph.runtime.player import Player
from tests.needs import needs
from tests.runtime.capturing import aligned, capture
from tests.runtime.conftest import JackServer
from tests.runtime.editing import SMOOTH, random_edit, two_paths
from tests.runtime.playing import assert_same, click, render, voices


def test_freewheel_capture_is_the_render(jack_server: JackServer) -> None:
    frames = 96_000
    graph = voices(24)
    reference = render(graph, frames + 6_144, block=512)
    player = Player(graph.view, 48_000)
    captured = capture(player, jack_server, frames)
    player.close()
    start = aligned(captured, reference)
    count = min(captured.shape[1], frames - start)
    assert count > frames // 2
    assert_same(captured[:, :count], reference[:, start : start + count], "captured in freewheel")


def listening() -> Graph:
    """Every listener hears a guitar, and what they say is heard: the pitch moves a sine, the voice its level."""
    sounds = needs("/usr/share/sonic-pi/samples/guit_em9.flac", install="apt install sonic-pi-samples")
    graph = Graph()
    graph.add("play~", "loop", file=str(sounds), loop=True)
    graph.add("yamnet.tag~", "ears", hop=0.5)
    graph.add("vad~", "voice")
    graph.add("pitch.swift~", "pitch", threshold=0.2)
    graph.add("sine~", "follow", freq=200.0)
    graph.add("gain~", "level", gain=0.0)
    graph.add("gain~", "dry", gain=0.2)
    graph.add("svf~", "tagged", cutoff=300.0)
    graph.add("out~", "out")
    for a, b in (
        ("loop.y", "ears.x"), ("loop.y", "voice.x"), ("loop.y", "pitch.x"), ("pitch.pitch", "follow.freq"),
        ("voice.speech", "level.gain"), ("follow.y", "level.x"), ("level.y", "out.x"), ("loop.y", "dry.x"),
        ("dry.y", "tagged.x"), ("tagged.low", "out.x"),
    ):  # fmt: skip
        graph.connect(a, b)
    return graph


def test_freewheel_capture_is_the_render_with_listeners(jack_server: JackServer) -> None:
    store = Store()
    for name in ("yamnet", "silero-vad", "swift-f0"):
        store.fetch(name)
    frames = 144_000
    graph = listening()

    def player(events: list[tuple[int, str, str, str]]) -> Player:
        made = Player(graph.view, 48_000, weights=store.files)
        for node, outlet in (("ears", "tags"), ("voice", "speech"), ("pitch", "pitch")):
            made.watch(
                node, outlet, lambda event: events.append((event.frame, event.node, event.port, str(event.value)))
            )
        return made

    said: list[tuple[int, str, str, str]] = []
    offline = player(said)
    reference = np.zeros((2, frames + 6_144), np.float32)
    offline.render(reference, block=512)
    offline.close()
    assert not offline.messages.late, "nothing is late offline"
    said_live: list[tuple[int, str, str, str]] = []
    live = player(said_live)
    captured = capture(live, jack_server, frames)
    live.close()
    start = aligned(captured, reference)
    count = min(captured.shape[1], frames - start)
    assert count > frames // 2
    assert_same(captured[:, :count], reference[:, start : start + count], "captured in freewheel, with listeners")
    last = min(said[-1][0], said_live[-1][0])
    assert [event for event in said if event[0] <= last] == [event for event in said_live if event[0] <= last]
    assert len({event[1] for event in said}) == 3, "every listener has spoken"


def test_a_thousand_random_edits_in_freewheel_leave_the_rest_alone_and_never_click(jack_server: JackServer) -> None:
    graph = two_paths()
    player = Player(graph.view, 48_000)
    choose = random.Random(5)
    edits = 0
    last = 0

    def edit() -> None:
        nonlocal edits, last
        if edits < 1_000 and not player.editing and player.engine.done > 9_600:
            random_edit(graph, choose, edits)
            player.edit(graph.view)
            edits += 1
            last = player.engine.done

    captured = capture(
        player, jack_server, 10_000_000, edit, lambda: edits == 1_000 and player.engine.done > last + 9_600
    )
    player.close()
    end = last + 4_800  # what comes after is the end of the player, which is not an edit
    reference = render(two_paths(), end, block=512)
    start = aligned(captured[:1], reference[:1])
    count = end - start
    assert edits == 1_000 and captured.shape[1] >= count
    assert_same(captured[:1, :count], reference[:1, start:], "the untouched path")
    worst = click(captured[1, :count])
    assert 1e-6 < worst < SMOOTH, f"a discontinuity of {worst:.2g}"


def test_a_wrong_rate_and_an_absent_server_are_named(
    jack_server: JackServer, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    player = Player(voices(2).view, 44_100)
    with pytest.raises(DeviceError, match=r"48000 Hz.*--rate 48000"):
        JackDriver(player.engine, "wrong", server=jack_server.name)
    with pytest.raises(DeviceError, match="no JACK server"):
        JackDriver(player.engine, "absent", server="nobody-is-there")
    player.close()
    assert capfd.readouterr() == ("", ""), "libjack's own words are not printed"


def test_a_server_that_was_too_busy_is_asked_again(jack_server: JackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    import jack

    real, refusals = jack.Client, [0x21, 0x21]

    def sometimes(name: str, **how: object) -> jack.Client:
        if refusals:
            raise jack.JackOpenError(name, jack.Status(refusals.pop()))
        return real(name, **how)

    monkeypatch.setattr(jack, "Client", sometimes)
    monkeypatch.setattr("nodegraph.runtime.drivers.jack.PAUSE_S", 0.0)
    client, server = open_client("patient", jack_server.name)
    assert client.name == "patient" and not refusals
    close_client(client, server)
    refusals += [0x21] * TRIES
    with pytest.raises(DeviceError, match=f"'{jack_server.name}' is there, but did not take the client 'patient'"):
        open_client("patient", jack_server.name)
    assert not refusals
    refusals += [0x11] * TRIES
    with pytest.raises(DeviceError, match="no JACK server"):
        open_client("patient", jack_server.name)
    assert len(refusals) == TRIES - 1, "one that is not there is asked once"
