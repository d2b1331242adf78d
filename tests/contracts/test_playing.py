"""Notes in logical time: made, ended, sounded one at a time, arpeggiated."""

from __future__ import annotations

import pytest

from nodegraph import Patch
from nodegraph.core import BANG, Note, NoteExpression, Tag
from tests.contracts.moments import RATE, give, make, values


def heard(node, seconds=10.0):
    """What was sent, once everything that was asked for has happened: (frame, outlet, value)."""
    node.host.run(seconds)
    return node.host.sent


def test_a_note_ends_in_its_time():
    node = make("makenote", velocity=0.6, duration=0.5)
    give(node, "x", 60)
    node.host.run(0.25)
    give(node, "x", (64, 67))
    give(node, "x", BANG)
    assert heard(node) == [
        (0, "y", Note(60, 0.6)),
        (12_000, "y", Note(64, 0.6)), (12_000, "y", Note(67, 0.6)),
        (24_000, "y", Note(60, 0.0)),
        (36_000, "y", Note(64, 0.0)), (36_000, "y", Note(67, 0.0)),
    ]  # fmt: skip


def test_a_pitch_that_sounds_is_ended_before_it_begins_again():
    node = make("makenote", duration=0.5)
    give(node, "x", 60)
    node.host.run(0.4)
    give(node, "x", 60)
    assert heard(node) == [
        (0, "y", Note(60, 0.8)),
        (19_200, "y", Note(60, 0.0)), (19_200, "y", Note(60, 0.8)),
        (43_200, "y", Note(60, 0.0)),
    ]  # fmt: skip


def test_a_note_keeps_what_it_says_of_itself():
    node = make("makenote", duration=1.0)
    for note in (Note(50, 0.2, 0.1), Note(51, 0.3), Note(51, 0.0), Note(99, 0.0)):
        give(node, "x", note)
    assert heard(node) == [
        (0, "y", Note(50, 0.2)), (0, "y", Note(51, 0.3)), (0, "y", Note(51, 0.0)), (4_800, "y", Note(50, 0.0)),
    ]  # fmt: skip


def test_what_is_expressed_on_a_note_is_let_through_and_is_no_note():
    bend = NoteExpression(60, "bend", 0.3)
    node = make("makenote")
    give(node, "x", bend)
    assert heard(node) == [(0, "y", bend)]
    for kind in ("mono", "arpeggio"):
        node = make(kind)
        give(node, "x", bend)
        assert heard(node) == []


def test_release_ends_all_notes():
    node = make("makenote", duration=5.0)
    give(node, "x", (60, 64))
    give(node, "release")
    assert [value.velocity for _, _, value in heard(node)] == [0.8, 0.8, 0.0, 0.0]


def test_one_voice_plays_the_last_note_and_goes_back():
    node = make("mono", legato=1.0)
    for seconds, note in ((0, Note(60, 0.5)), (1, Note(64, 0.9)), (2, Note(64, 0.0)), (3, Note(60, 0.0))):
        node.host.run(seconds)
        give(node, "x", note)
    assert [(frame // RATE, outlet, value) for frame, outlet, value in heard(node)] == [
        (0, "pitch", 60), (0, "velocity", 0.5), (0, "gate", 1),
        (1, "pitch", 64), (1, "velocity", 0.9),
        (2, "pitch", 60), (2, "velocity", 0.5),
        (3, "gate", 0),
    ]  # fmt: skip


def gates(node):
    return [(frame, value) for frame, outlet, value in heard(node) if outlet == "gate"]


def test_a_note_that_follows_strikes_again_a_frame_later():
    node = make("mono")
    give(node, "x", Note(60, 0.5))
    node.host.run(1)
    give(node, "x", Note(62, 0.5))
    node.host.run(2)
    give(node, "x", Note(60, 0.0))  # is not what sounds: nothing happens
    give(node, "x", Note(62, 0.0))
    assert gates(node) == [(0, 1), (RATE, 0), (RATE + 1, 1), (2 * RATE, 0)]


@pytest.mark.parametrize(("legato", "again"), [(0.0, RATE + 1), (1.0, RATE)], ids=["apart", "bound"])
def test_notes_that_touch_are_two(legato, again):
    """The end and the new note at one frame: an envelope sees only the last value of a frame, so it comes one later."""
    node = make("mono", legato=legato)
    give(node, "x", Note(60, 0.5))
    node.host.run(1)
    give(node, "x", Note(60, 0.0))
    give(node, "x", Note(62, 0.5))
    assert gates(node) == [(0, 1), (RATE, 0), (again, 1)]


def test_notes_with_a_length_end_by_themselves():
    node = make("mono")
    give(node, "x", Note(60, 0.5, 0.25))
    node.host.run(0.2)
    give(node, "x", Note(60, 0.5, 0.25))  # again: the first end is forgotten
    give(node, "x", "word")
    assert gates(node) == [(0, 1), (9_600, 0), (9_601, 1), (21_600, 0)]


def test_lists_and_numbers_are_notes():
    node = make("mono", legato=1.0)
    for message in ((60, 0.3), 62, (64, 0.5, 0.1), (), Tag("Speech", 0.9), BANG):
        give(node, "x", message)
    node.host.run(1)
    assert values(node, "pitch") == [60, 62, 64, 62] and values(node, "velocity") == [0.3, 0.8, 0.5, 0.8]


def test_a_note_that_ends_in_the_frame_of_its_strike_is_silent():
    node = make("mono")
    for note in (Note(60, 0.5), Note(62, 0.5), Note(62, 0.0), Note(60, 0.0)):
        give(node, "x", note)
    assert gates(node) == [(0, 1), (0, 0)]
    give(node, "x", (64, 0.7))
    assert values(node, "pitch")[-1] == 64 and gates(node)[-1][1] == 1


def test_release_lets_go():
    node = make("mono")
    give(node, "release")
    assert not node.host.sent
    for pitch in (60, 64):
        give(node, "x", Note(pitch, 0.5))
    node.host.run(1)
    give(node, "release")
    assert gates(node)[-1] == (RATE, 0)


@pytest.mark.parametrize(
    ("order", "octaves", "wanted"),
    [
        ("up", 1, [60, 64, 67, 60, 64, 67, 60]),
        ("down", 1, [67, 64, 60, 67, 64, 60, 67]),
        ("up and down", 1, [60, 64, 67, 64, 60, 64, 67]),
        ("as played", 1, [64, 60, 67, 64, 60, 67, 64]),
        ("up", 2, [60, 64, 67, 72, 76, 79, 60]),
        ("down", 2, [79, 76, 72, 67, 64, 60, 79]),
    ],
)
def test_an_arpeggio_plays_its_chord_in_order(order, octaves, wanted):
    node = make("arpeggio", {"order": order}, octaves=octaves)
    give(node, "step")
    give(node, "x", (64, 60, 67, 60))
    for _ in range(7):
        give(node, "step")
    assert values(node) == wanted


def test_notes_join_an_arpeggio_and_leave_it():
    node = make("arpeggio")
    for note in (Note(60, 1.0), Note(72, 1.0, 0.5), Note(64, 1.0)):
        give(node, "x", note)
    for seconds in (0.1, 0.2, 0.3, 0.6, 0.7, 0.8):
        node.host.run(seconds)
        give(node, "step")
    give(node, "x", Note(60, 0.0))
    give(node, "x", Note(64, 0.0))
    give(node, "step")
    steps = values(node)
    assert steps[:3] == [60, 64, 72] and set(steps[3:]) == {60, 64} and len(steps) == 6


def test_one_note_goes_up_and_down_alone_and_chance_repeats():
    node = make("arpeggio", {"order": "up and down"})
    give(node, "x", 60)
    for _ in range(3):
        give(node, "step")
    assert values(node) == [60, 60, 60]
    draws = []
    for seed in (1, 1, 2):
        node = make("arpeggio", {"order": "random", "seed": seed}, octaves=3)
        give(node, "x", (60, 64, 67))
        for _ in range(60):
            give(node, "step")
        draws.append(values(node))
    assert draws[0] == draws[1] != draws[2] and set(draws[0]) == {60, 64, 67, 72, 76, 79, 84, 88, 91}


def test_a_line_of_notes_strikes_an_envelope_each_time():
    """In a patch: notes as long as the beat, so each end meets the next beginning; the envelope begins four times."""
    patch = Patch()
    clock, line = patch.add("metro", interval=0.1), patch.add("sequence")
    note, voice = patch.add("makenote", duration=0.1), patch.add("mono")
    shape = patch.add("adsr~", attack=0.001, decay=0.02, sustain=0.1, release=0.01)
    patch.connect(clock.bang, line.x)
    patch.connect(line.y, note.x)
    patch.connect(note.y, voice.x)
    patch.connect(voice.gate, shape.gate)
    patch.connect(shape, patch.add("out~"))
    found = patch.render(seconds=0.4)
    assert [event.value for event in found[voice.pitch]] == [60, 62, 64, 67]
    peaks = found.audio[0].reshape(4, -1).max(axis=1)
    assert (peaks > 0.8).all(), peaks
