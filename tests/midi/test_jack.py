"""MIDI through JACK, with a client of its own as the peer: every event at its sample, both ways."""

from __future__ import annotations

import random
import time

import jack
import pytest

from nodegraph import Patch
from nodegraph.api.playing import Playing
from nodegraph.midi.door import MidiDoor
from nodegraph.midi.lines import DeviceLine
from nodegraph.midi.messages import taken
from nodegraph.runtime.drivers.jack import JackDriver
from nodegraph.runtime.player import Player
from tests.midi.jack_peer import Peer
from tests.midi.waiting import PATIENCE_S, until
from tests.runtime.conftest import JackServer

EVENTS = 1_000


def echo() -> Patch:
    """What comes goes out again, and a sound goes on beside it."""
    patch = Patch()
    patch.connect(patch.add("sine~", "tone"), patch.add("out~"))
    patch.connect(patch.add("midiin", "from").message, patch.add("midiout", "to").x)
    return patch


@pytest.mark.parametrize("lookahead_s", [0.03, 0.006])
def test_a_thousand_events_act_and_leave_at_their_sample_in_freewheel(
    jack_server: JackServer, lookahead_s: float
) -> None:
    choose = random.Random(1)
    player = Player(echo().graph.view, 48_000, lookahead_s=lookahead_s)
    acted: list[tuple[int, bytes]] = []
    player.acts.noted.append(lambda act: acted.append((act.frame, act.args[1].data)))
    player.engine.waiting = True
    driver = JackDriver(player.engine, "player", server=jack_server.name)
    line = DeviceLine(lambda: driver.midi)
    player.lines.append(line)
    player.messages.outside.sink("midi", lambda frame, value: line.send(frame, *(taken(value) or ("", b""))))
    peer = Peer(jack_server.name)
    peer.start()
    peer.client.set_freewheel(True)
    driver.start()
    peer.client.connect(peer.out, driver.midi.input)
    peer.client.connect(driver.midi.output, peer.into)
    frame = 20_000  # connections that are made in freewheel take effect some blocks later
    for number in range(EVENTS):
        data = bytes((0x90, number % 128, 1 + number // 128))
        if number % 50 == 0:
            data = b"\xf0" + bytes((number // 8, number % 128)) + bytes(choose.randrange(2_000)) + b"\xf7"
        peer.sends.append((frame, data))
        frame += choose.choice((0, 1, 2, 37, 255, 256, 257))
    peer.runs = True
    end = time.monotonic() + PATIENCE_S
    player.live(lambda: len(peer.heard) < EVENTS and time.monotonic() < end)
    driver.stop()
    peer.client.set_freewheel(False)
    peer.close()
    player.close()
    assert [data for _, data in peer.sent] == [data for _, data in acted] == [data for _, data in peer.heard]
    assert len(peer.sent) == EVENTS
    came = {there - here for (here, _), (there, _) in zip(peer.sent, acted, strict=True)}
    went = {there - here for (here, _), (there, _) in zip(peer.sent, peer.heard, strict=True)}
    assert len(came) == 1 and len(went) == 1, f"came {sorted(came)}, went {sorted(went)}"
    assert player.acts.late == 0
    wrong = {name: count for name, count in line.counters().items() if name not in ("received", "sent")}
    assert not any(wrong.values()), wrong


def test_what_comes_acts_one_lookahead_later(jack_server: JackServer) -> None:
    """An event at frame f of the engine acts at f + lookahead: asked of the native ring, without a peer's clock."""
    player = Player(echo().graph.view, 48_000, lookahead_s=0.02)
    driver = JackDriver(player.engine, "player", server=jack_server.name)
    read = driver.midi.read
    came: list[int] = []

    def noted() -> list[tuple[int, bytes]]:
        found = read()
        came.extend(frame for frame, _ in found)
        return found

    driver.midi.read = noted  # type: ignore[method-assign]
    acted: list[int] = []
    player.acts.noted.append(lambda act: acted.append(act.frame))
    player.lines.append(DeviceLine(lambda: driver.midi))
    peer = Peer(jack_server.name)
    peer.start()
    driver.start()
    peer.client.connect(peer.out, driver.midi.input)
    peer.sends.extend((100 * number, bytes((0x90, number % 128, 1))) for number in range(100_000))
    peer.runs = True
    end = time.monotonic() + PATIENCE_S
    player.live(lambda: len(acted) < 200 and time.monotonic() < end)
    driver.stop()
    peer.close()
    player.close()
    on_time = sum(there - here == 960 for here, there in zip(came, acted, strict=True))
    assert len(acted) >= 200 and on_time == len(acted) - player.acts.late


def test_a_full_ring_loses_and_counts_and_long_messages_go_round_its_end(jack_server: JackServer) -> None:
    """Without anybody who reads, by hand: the ring as the native side and Python see it."""
    player = Player(echo().graph.view, 48_000)
    driver = JackDriver(player.engine, "player", server=jack_server.name)
    midi, data = driver.midi, bytes(range(128)) * 128
    written = 0
    while midi.write(written, data):
        written += 1
    assert written == (1 << 20) // (len(data) + 16)
    assert not midi.given
    driver.start()
    until(lambda: midi.given, "the device takes what is due")  # frames 0 to 63 were over at once
    for number in range(100):
        until(lambda: midi.write(0, data), "there is room again")
        assert number >= 0
    until(lambda: midi.given, "the device goes round the end of the ring")
    driver.stop()
    player.close()


def test_nothing_sounds_on_when_the_patch_stops(jack_server: JackServer) -> None:
    patch = Patch()
    out, song = patch.add("noteout", "out"), patch.add("sequence", "notes", values=[[60, 1.0], [64, 1.0]])
    patch.connect(patch.add("metro", "beat", interval=0.02).bang, song)
    patch.connect(song.y, out.notes)
    patch.connect(patch.add("sine~", "tone"), patch.add("out~"))
    peer = Peer(jack_server.name)
    peer.start()
    playing = Playing(patch, driver="jack", device=jack_server.name)
    door = MidiDoor(playing, system=None)
    until(lambda: door.line.device is not None, "the device's MIDI is found")
    peer.client.connect("nodegraph:midi_out", peer.into)
    peer.runs = True
    peer.client.set_freewheel(True)  # a client that is late in real time loses what comes to it
    until(lambda: len(peer.heard) > 6, "notes come")
    playing.stop()
    peer.client.set_freewheel(False)
    assert door.wait(PATIENCE_S)
    held: set[int] = set()
    for _, data in list(peer.heard):
        (held.add if data[0] == 0x90 else held.discard)(data[1])
    assert playing.error is None and peer.heard and not held, f"{held} sound on"
    peer.close()


def test_a_physical_port_that_comes_is_connected_once(jack_server: JackServer) -> None:
    with echo().play(driver="jack", device=jack_server.name) as playing:
        door = MidiDoor(playing, system=None, look_s=0.02)
        looks: list[list[str]] = []
        midi = door.line.device or playing.supervisor.driver.midi  # type: ignore[attr-defined]
        look = midi.connect
        midi.connect = lambda: looks.append(look())
        keyboard = jack.Client("keyboard", servername=jack_server.name, no_start_server=True)
        keys = keyboard.midi_outports.register("keys", is_physical=True, is_terminal=True)
        keyboard.activate()
        until(lambda: ["keyboard:keys"] in looks, "it is found")
        until(lambda: keyboard.get_all_connections(keys), "it is connected")
        keyboard.disconnect(keys, "nodegraph:midi_in")
        until(lambda: not keyboard.get_all_connections(keys), "it is cut")
        seen = len(looks)
        until(lambda: len(looks) > seen + 2, "it is looked at again")
        assert not keyboard.get_all_connections(keys), "what was cut stays cut"
        keyboard.close()
        playing.stop()
        assert door.wait(PATIENCE_S)
