"""Words there and back; fine controllers, NRPN and RPN; MPE zones."""

from __future__ import annotations

import mido
import pytest

from nodegraph.core import Note, NoteExpression
from nodegraph.midi import words
from nodegraph.midi.gathering import Controls
from nodegraph.midi.holding import Pedals, Sounding
from nodegraph.midi.mpe import Mpe


def heard(controls: Controls, *messages: bytes) -> list[tuple[str, int, int, int]]:
    return [tuple(moved) for message in messages for moved in controls.feed(message) if moved.kind != "7 bit"]


def test_messages_are_those_that_mido_makes() -> None:
    """An implementation that is not ours is the reference."""
    pairs = [
        (words.note_on(1, 60, 100), mido.Message("note_on", note=60, velocity=100)),
        (words.note_off(16, 127, 0), mido.Message("note_off", channel=15, note=127, velocity=0)),
        (words.control(3, 74, 5), mido.Message("control_change", channel=2, control=74, value=5)),
        (words.program(2, 9), mido.Message("program_change", channel=1, program=9)),
        (words.pressure(2, 9), mido.Message("aftertouch", channel=1, value=9)),
        (words.poly_pressure(2, 60, 9), mido.Message("polytouch", channel=1, note=60, value=9)),
        (words.bend(1, -1.0), mido.Message("pitchwheel", pitch=-8192)),
        (words.bend(1, 0.0), mido.Message("pitchwheel", pitch=0)),
        (words.bend(1, 1.0), mido.Message("pitchwheel", pitch=8191)),
        (words.sysex((0xF0, 1, 2, 300, 0xF7)), mido.Message("sysex", data=(1, 2, 127))),
    ]
    for ours, theirs in pairs:
        assert ours == bytes(theirs.bytes())


def test_numbers_are_held_within_their_bounds() -> None:
    assert words.note_on(99, 1e30, -5.0) == bytes((0x9F, 127, 1))
    assert words.control(0, -1, float("nan")) == bytes((0xB0, 0, 0))
    assert [words.bent(raw) for raw in (0, 8192, 16383)] == [-1.0, 0.0, 1.0]
    for raw in range(0, 16384, 7):
        message = words.bend(1, words.bent(raw))
        assert message[1] | message[2] << 7 == raw


def test_fine_controllers_and_parameters_come_together() -> None:
    controls = Controls()
    assert heard(controls, *words.control_14(2, 7, 9_000)) == [("14 bit", 2, 7, 8_960), ("14 bit", 2, 7, 9_000)]
    assert heard(controls, *words.parameter(2, 1_234, 16_000))[-1] == ("nrpn", 2, 1_234, 16_000)
    assert heard(controls, *words.parameter(2, 1, 300, registered=True))[-1] == ("rpn", 2, 1, 300)
    up, down = words.control(2, words.UP, 0), words.control(2, words.DOWN, 0)
    assert heard(controls, up, up, down) == [("rpn", 2, 1, 301), ("rpn", 2, 1, 302), ("rpn", 2, 1, 301)]
    null = words.control(2, words.RPN_FINE, 127), words.control(2, words.RPN_COARSE, 127)
    assert heard(controls, *null, words.control(2, words.DATA, 5)) == [("14 bit", 2, 6, 640)], "no parameter"
    assert heard(controls, *words.parameter(3, 5, 127 << 7))[-2:-1] != [("nrpn", 2, 5, 127 << 7)], "channels are apart"


def test_mpe_notes_are_bent_pressed_and_coloured_one_by_one() -> None:
    mpe = Mpe()
    assert mpe.feed(words.bend(2, 0.5)) == [], "nothing sounds yet"
    first = mpe.feed(words.note_on(2, 60, 127))
    assert first[0] == Note(60.0, 1.0)
    assert first[1][:2] == (60.0, "bend") and first[1][2] == pytest.approx(24.0, abs=0.01), "the bend came before"
    assert mpe.feed(words.note_on(3, 64, 127)) == [Note(64.0, 1.0)]
    assert mpe.feed(words.pressure(3, 127)) == [NoteExpression(64.0, "pressure", 1.0)]
    assert mpe.feed(words.control(2, words.TIMBRE, 0)) == [NoteExpression(60.0, "timbre", 0.0)]
    moved = mpe.feed(words.bend(1, 1.0))  # the master bends by 2 semitones, on top
    assert [(item.pitch, round(item.value, 2)) for item in moved] == [(60.0, 26.0), (64.0, 2.0)]
    assert mpe.feed(words.note_off(2, 60)) == [Note(60.0, 0.0)]
    assert mpe.feed(words.note_off(2, 60)) == []
    assert mpe.end() == [Note(64.0, 0.0)]


def test_mpe_zones_are_configured_and_give_way_to_each_other() -> None:
    mpe = Mpe()
    for message in words.parameter(16, 6, 5 << 7, registered=True):
        mpe.feed(message)
    assert mpe.members == {"lower": 9, "upper": 5}
    assert [mpe.zone_of(channel) for channel in (1, 2, 10, 11, 15, 16)] == ["lower"] * 3 + ["upper"] * 3
    for message in words.parameter(15, 0, 12 << 7, registered=True):  # for all members of the upper zone
        mpe.feed(message)
    mpe.feed(words.bend(11, 1.0))
    assert mpe.feed(words.note_on(11, 40, 127))[1] == NoteExpression(40.0, "bend", 12.0)
    mpe.feed(words.bend(10, 1.0))
    assert mpe.feed(words.note_on(10, 41, 127))[1] == NoteExpression(41.0, "bend", 48.0), "the lower one is as it was"
    for message in words.parameter(1, 6, 0, registered=True):
        ended = mpe.feed(message)
    assert mpe.members["lower"] == 0 and mpe.zone_of(5) is None
    mpe.feed(words.bend(5, -1.0))
    assert mpe.feed(words.note_on(5, 42, 127))[1] == NoteExpression(42.0, "bend", -2.0), "a plain channel"
    assert ended == []


def test_a_pitch_that_two_channels_hold_ends_with_the_second() -> None:
    mpe = Mpe()
    mpe.feed(words.note_on(2, 60, 100))
    mpe.feed(words.note_on(3, 60, 100))
    assert mpe.feed(words.note_off(2, 60)) == []
    assert mpe.feed(words.note_off(3, 60)) == [Note(60.0, 0.0)]


def test_the_pedal_of_a_zone_holds_its_notes() -> None:
    mpe = Mpe()
    mpe.feed(words.control(1, words.PEDAL, 127))
    mpe.feed(words.note_on(2, 60, 100))
    assert mpe.feed(words.note_off(2, 60)) == []
    assert mpe.feed(words.control(1, words.PEDAL, 0)) == [Note(60.0, 0.0)]
    mpe.feed(words.note_on(4, 61, 100))
    assert mpe.feed(words.control(1, words.NOTES_OFF, 0)) == [Note(61.0, 0.0)]


def test_what_sounds_is_ended() -> None:
    sounding = Sounding()
    for message in (
        words.note_on(1, 60, 1), words.note_on(1, 62, 1), words.note_off(1, 60), words.note_on(2, 60, 1),
        bytes((0x91, 60, 0)), words.control(3, 64, 127), words.note_on(4, 9, 9), words.control(4, 123, 0),
    ):  # fmt: skip
        sounding.note(message)
    assert sounding.ends() == [words.note_off(1, 62), words.control(3, 64, 0)]
    assert not sounding and sounding.ends() == []


def test_a_key_that_is_struck_again_while_the_pedal_holds_it_is_held_by_itself() -> None:
    pedals = Pedals()
    pedals.moves("pedal", True)
    assert not pedals.ends("pedal", 60)
    pedals.begins("pedal", 60)
    assert pedals.moves("pedal", False) == []
    assert pedals.ends("pedal", 60)
