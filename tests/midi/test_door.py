"""The door: ports come and go while a patch plays, nothing sounds on, the log stays readable."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from nodegraph import Patch
from nodegraph.api.playing import Playing
from nodegraph.core.errors import DeviceError, NodegraphError
from nodegraph.midi.door import MidiDoor, uses_midi
from nodegraph.midi.ports import plain_names, rtmidi_system
from nodegraph.midi.saying import Saying
from nodegraph.midi.sending import Sender
from tests.midi.fake_system import FakeSystem
from tests.midi.waiting import PATIENCE_S, until


def through() -> Patch:
    """Raw bytes from the keys go to the synth; a note out is there for the test."""
    patch = Patch(title="Through")
    patch.connect(patch.add("sine~", "tone"), patch.add("out~"))
    patch.connect(patch.add("midiin", "from", port="keys").message, patch.add("midiout", "to", port="synth").x)
    patch.add("noteout", "out", port="synth")
    return patch


@contextmanager
def played(system: FakeSystem, log: list[str] | None = None) -> Iterator[tuple[Playing, MidiDoor]]:
    with through().play(driver="null") as playing:
        report = None if log is None else log.append
        door = MidiDoor(playing, system=lambda: system, report=report, look_s=0.02)
        yield playing, door
        playing.stop()
        assert door.wait(PATIENCE_S)
        assert playing.error is None


def test_what_comes_by_a_port_goes_out_by_another() -> None:
    system = FakeSystem(["My Keys", "pads"], ["Synth", "lamp"])
    with played(system) as (_, door):
        system.play("My Keys", 0x90, 60, 100, 62)  # in pieces, with running status
        system.play("My Keys", 100)
        system.play("pads", 0x90, 1, 1)
        until(lambda: len(system.sent) == 2, "both notes go out")
        assert system.sent == [("Synth", bytes((0x90, 60, 100))), ("Synth", bytes((0x90, 62, 100)))]
        assert door.status()["received"] == 3 and door.status()["lost"] == 0


def test_ports_come_and_go_without_a_restart() -> None:
    system, log = FakeSystem(), []
    with played(system, log) as (playing, door):
        assert door.status()["inputs"] == []
        heard: list[tuple[int, str]] = []
        playing.player.acts.noted.append(lambda act: heard.append((act.frame, act.args[1].data.hex(" "))))
        for round_ in (1, 2):
            system.ins.append("keys")
            system.outs.append("synth")
            until(lambda: (door.status()["inputs"], door.status()["outputs"]) == (["keys"], ["synth"]), "they are open")
            system.play("keys", 0x90, 60, 100)
            until(lambda: len(system.sent) == round_, "a note comes through")  # noqa: B023
            system.ins.clear()
            system.outs.clear()
            until(lambda: door.status()["inputs"] == [] == door.status()["outputs"], "they are gone")
            until(lambda: len(heard) == 2 * round_, "the key that was held is let go")  # noqa: B023
        assert [data for _, data in heard] == ["90 3c 64", "80 3c 40"] * 2
        frames = [frame for frame, _ in heard]
        assert frames == sorted(frames)
    assert any("'keys' is open" in line for line in log) and any("'keys' has gone" in line for line in log)


def test_a_port_that_is_taken_or_dies_is_said_and_the_rest_plays_on() -> None:
    system, log = FakeSystem(["keys", "taken"], ["synth", "synth dead"]), []
    system.dead = {"taken", "synth dead"}
    with played(system, log) as (_, door):
        assert door.status()["inputs"] == ["keys"]
        system.play("keys", 0x90, 60, 100)
        until(lambda: system.data_sent("synth") == ["90 3c 64"], "the other one gets it")
        until(lambda: any("does not answer" in line for line in log), "it is said")
        assert door.status()["lost"] >= 1
    assert any("'taken' is taken" in line for line in log)


def test_nothing_sounds_on_when_the_patch_stops() -> None:
    system = FakeSystem([], ["synth"])
    with played(system) as (playing, _):
        for pitch in (60, 64, 67):
            playing.set("out.notes", (pitch, 1.0))
        until(lambda: len(system.sent) == 3, "three notes go out")
    assert sorted(system.data_sent("synth")[3:]) == ["80 3c 40", "80 40 40", "80 43 40"]


def test_without_any_midi_the_log_says_why_and_the_patch_plays() -> None:
    def absent() -> FakeSystem:
        raise DeviceError("There is no MIDI here.", "Plug something in.")

    with through().play(driver="null") as playing:
        door = MidiDoor(playing, system=absent)
        assert ("midi", "There is no MIDI here. Plug something in.") in playing.log
        assert door.status()["system"] is None
        playing.stop()
        assert door.wait(PATIENCE_S)


def test_virtual_ports_bear_the_name_of_the_patch() -> None:
    system = FakeSystem()
    system.virtual = True
    patch = Patch(title="Keys of mine")
    patch.connect(patch.add("midiin", "from").message, patch.add("midiout", "to").x)
    patch.connect(patch.add("sine~", "tone"), patch.add("out~"))
    with patch.play(driver="null") as playing:
        door = MidiDoor(playing, system=lambda: system, look_s=0.02)
        system.play("Keys of mine", 0xB0, 1, 2)
        until(lambda: system.sent == [("Keys of mine", bytes((0xB0, 1, 2)))], "it goes round")
        playing.stop()
        assert door.wait(PATIENCE_S)


def test_a_flood_is_bounded_counted_and_said_once_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nodegraph.midi.door.MOST_ARRIVED", 50)
    system, log = FakeSystem(["keys"], []), []
    with played(system, log) as (playing, door):
        freed = threading.Event()
        holding = threading.Event()
        threading.Thread(target=lambda: playing.call(lambda: (holding.set(), freed.wait(PATIENCE_S)))).start()
        assert holding.wait(PATIENCE_S)
        for _ in range(10_000):
            system.play("keys", 0xB0, 1, 2)
        assert door.status()["lost"] == 9_950 and door.status()["received"] == 50
        freed.set()
        until(lambda: not door._arrived, "the rest is played")
    assert sum("more MIDI comes" in line for line in log) < 8 + 60


def test_a_lookahead_that_cannot_be_is_refused() -> None:
    with pytest.raises(NodegraphError, match="lookahead is 2 s"):
        Playing(through(), driver="null", lookahead_s=2.0)
    with Playing(through(), driver="null", lookahead_s=0.01) as playing:
        assert playing.player.lookahead == 480


def test_patches_that_want_midi_are_known() -> None:
    assert uses_midi(through())
    patch = Patch()
    patch.connect(patch.add("sine~"), patch.add("out~"))
    assert not uses_midi(patch)
    patch.document.extra["learned"] = {"midi": [{"address": "/patch/a/b", "what": "bend", "channel": 1, "number": 0}]}
    assert uses_midi(patch)


def test_a_sender_sends_in_the_order_of_time_and_what_is_due_before_it_closes() -> None:
    sent: list[int] = []
    sender = Sender(lambda port, data: sent.append(data[0]))
    now = time.monotonic()
    for delay, byte in ((0.05, 3), (0.0, 1), (0.02, 2), (3_600.0, 9)):
        sender.at(now + delay, "", bytes((byte,)))
    until(lambda: len(sent) == 3, "what is due is sent")
    sender.drop()
    sender.at(0.0, "", b"\x04")
    sender.close()
    assert sent == [1, 2, 3, 4]
    sender.at(0.0, "", b"\x05")
    assert sender.lost == 1


def test_a_log_gets_a_line_a_second() -> None:
    lines: list[str] = []
    now = [0.0]
    say = Saying(lines.append, lambda: now[0])
    for number in range(1_000):
        now[0] = number / 100
        say("no")
    assert len(lines) <= 8 + 10
    say.flush()
    assert "left out" in lines[-1]


def test_names_of_ports_stay_when_their_numbers_change() -> None:
    assert plain_names(["nano CTRL 24:0", "nano CTRL 28:0", "Midi Through Port-0 14:0", "x (2)"]) == [
        "nano CTRL", "nano CTRL (2)", "Midi Through Port-0", "x (2)"
    ]  # fmt: skip


def test_a_system_that_is_not_here_is_named() -> None:
    with pytest.raises(DeviceError, match=r"no MIDI system 'windows' here. Choose one of auto"):
        rtmidi_system("windows")
