"""MIDI clock that a patch sends: every byte at its frame, and another patch that follows it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nodegraph.core.graph import Graph
from nodegraph.runtime.acts import Act
from nodegraph.timing.midi_clock import MidiClock
from tests.timing.following import RATE, Came, follow, sent

TICK, START, CONTINUE, STOP = b"\xf8", b"\xfa", b"\xfb", b"\xfc"


def leader(tempo: float = 120.0, **clock: float) -> Graph:
    graph = Graph()
    graph.add("midi.clock.out", "clock", **clock)
    graph.add("transport", "t", tempo=tempo)
    return graph


def position(sixteenth: int) -> bytes:
    return bytes((0xF2, sixteenth & 127, sixteenth >> 7))


def acts(found: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """All but the ticks."""
    return [(frame, data) for frame, data in found if data != TICK]


@pytest.mark.parametrize("tempo", [33.3, 120.0, 125.0, 174.3, 999.0])
def test_ticks_are_at_the_frames_of_their_places_in_the_beats_and_do_not_drift(tempo: float) -> None:
    found = sent(leader(tempo), 20.0)
    assert found[0] == (0, START) and found[1] == (0, TICK), "the first tick is the first beat"
    frames = [frame for frame, data in found if data == TICK]
    assert frames == [math.ceil(number * RATE * 60 / (24 * tempo) - 1e-6) for number in range(len(frames))]
    assert len(acts(found)) == 1


def test_a_tempo_that_glides_is_sent_as_it_glides() -> None:
    glide = Act(RATE, "clock", ("go", 180.0, 4.0))
    frames = np.array([frame for frame, data in sent(leader(60.0), 6.0, [glide]) if data == TICK])
    seconds = frames / RATE - 1.0
    beats = np.where(seconds < 0, seconds, np.where(seconds < 4, seconds + seconds**2 / 4, 8 + (seconds - 4) * 3)) + 1.0
    assert np.abs(beats * 24 - np.arange(len(frames))).max() < 0.002


def test_stop_and_continue_go_on_at_the_next_sixteenth_with_its_first_tick() -> None:
    """120 beats a minute: 1000 frames a tick, 6000 a sixteenth."""
    found = sent(leader(), 3.0, [Act(50_500, "clock", ("run", False)), Act(70_000, "clock", ("run", True))])
    assert acts(found) == [
        (0, START), (50_500, STOP), (70_000, position(9)), (70_000 + 54_000 - 50_500, CONTINUE),
    ]  # fmt: skip
    at = 70_000 + 54_000 - 50_500
    assert [data for frame, data in found if frame == at] == [CONTINUE, TICK], "the tick comes after it"
    assert not [frame for frame, data in found if data == TICK and 50_500 <= frame < 70_000]


def test_a_jump_while_it_plays_stops_the_others_and_puts_them_there() -> None:
    found = sent(leader(), 3.0, [Act(RATE, "clock", ("locate", 64.0)), Act(2 * RATE, "clock", ("locate", 0.0))])
    assert acts(found) == [
        (0, START), (RATE, STOP), (RATE, position(256)), (RATE, CONTINUE), (2 * RATE, STOP), (2 * RATE, START),
    ]  # fmt: skip
    assert (RATE, TICK) in found and (2 * RATE, TICK) in found


def test_a_jump_while_it_stands_tells_the_position() -> None:
    steps = [
        Act(24_000, "clock", ("run", False)),
        Act(30_000, "clock", ("locate", 10.1)),
        Act(36_000, "clock", ("run", True)),
    ]
    found = sent(leader(), 2.0, steps)
    # beat 10.25 comes 0.15 beats after the start
    assert acts(found) == [
        (0, START), (24_000, STOP), (30_000, position(41)), (36_000, position(41)), (36_000 + 3_600, CONTINUE),
    ]  # fmt: skip


def test_another_tempo_is_no_jump() -> None:
    steps = [Act(RATE + 500 * k, "clock", ("go", 100.0 + 7 * (k % 9))) for k in range(100)]
    assert acts(sent(leader(), 3.0, steps)) == [(0, START)]


def test_it_is_silent_when_it_is_off_and_later_by_its_offset() -> None:
    assert sent(leader(on=0.0), 1.0) == []
    found = sent(leader(offset=0.01), 1.0)
    assert found[:3] == [(480, START), (480, TICK), (1_480, TICK)]
    found = sent(
        leader(), 2.0, [Act(RATE, "set", ("clock", "on", 0.0)), Act(RATE + 24_500, "set", ("clock", "on", 1.0))]
    )
    assert acts(found) == [(0, START), (RATE, STOP), (72_500, position(13)), (78_000, CONTINUE)]


@pytest.mark.parametrize("tempo", [80.0, 125.0])
def test_one_patch_follows_the_other_through_everything(tempo: float) -> None:
    steps = [
        Act(6 * RATE, "clock", ("go", tempo * 1.1)), Act(12 * RATE, "clock", ("run", False)),
        Act(13 * RATE, "clock", ("run", True)), Act(16 * RATE, "clock", ("locate", 100.0)),
    ]  # fmt: skip
    came: list[Came] = [(frame / RATE, data) for frame, data in sent(leader(tempo), 20.0, steps)]
    made = follow(MidiClock(), came, 19.9)
    for second, expected in ((5.5, tempo), (11.9, tempo * 1.1), (19.5, tempo * 1.1)):
        assert made.tempi[made.at(second)] == pytest.approx(expected, abs=0.2)
    place = made.at(19.5)
    assert made.beats[place] == pytest.approx(100.0 + (made.frames[place] / RATE - 16.0) * tempo * 1.1 / 60, abs=0.002)
    assert not made.on[made.at(12.5)] and made.jumps == 0
