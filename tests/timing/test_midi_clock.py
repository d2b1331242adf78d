"""The clock of a patch follows MIDI clock: its tempo, its phase, start, stop, continue and song position."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nodegraph.core.graph import Graph
from nodegraph.timing.midi_clock import MidiClock
from tests.runtime.playing import first_difference
from tests.timing.following import RATE, Came, Followed, follow, late, replay, ticks

TICK, START, CONTINUE, STOP = b"\xf8", b"\xfa", b"\xfb", b"\xfc"
FIRST = 0.1


def clock(times: list[float], start: bytes = START) -> list[Came]:
    return [(times[0] - 0.001, start), *((time, TICK) for time in times)]


def quantised(times: list[float], block: int) -> list[float]:
    """As they come from a sender that looks once a period."""
    return [math.ceil(time * RATE / block) * block / RATE for time in times]


def behind_ms(made: Followed, times: list[float]) -> np.ndarray:
    """How far the patch is behind the leader's ticks, at every round; ms."""
    leader = np.interp(np.array(made.frames) / RATE, times, np.arange(len(times)) / 24.0)
    return (leader - np.array(made.beats)) * 60_000.0 / np.array(made.tempi)


@pytest.mark.parametrize("bpm", [60.0, 100.0, 125.0, 174.3])
@pytest.mark.parametrize("arrival", ["exact", "5 ms of jitter", "periods of 64", "periods of 256", "periods of 512"])
def test_after_four_bars_the_tempo_is_within_a_fifth_of_a_beat_a_minute(bpm: float, arrival: str) -> None:
    four_bars = FIRST + 16 * 60 / bpm
    due = ticks(bpm, four_bars + 8)
    if arrival == "exact":
        came = due
    elif arrival.startswith("periods"):
        came = quantised(due, int(arrival.split()[-1]))
    else:
        came = late(due, 0.005)
    made = follow(MidiClock(), clock(came), four_bars + 6)
    after = made.at(four_bars)
    tempo = np.array(made.tempi[after:])
    assert np.abs(tempo - bpm).max() < 0.2, f"{tempo.min():.3f} to {tempo.max():.3f}"
    error = behind_ms(made, due)[after:]
    # how late a clock is on the average nobody can hear from the clock alone
    lateness = np.mean(np.array(came) - np.array(due)) * 1e3
    assert np.abs(error - lateness).max() < 1.5, f"{error.min():.2f} to {error.max():.2f} ms"
    assert made.jumps == 0 and made.largest_step(1.0) < 1e-6


@pytest.mark.parametrize("ppm", [300.0, -300.0])
def test_a_clock_that_drifts_is_followed_for_twenty_minutes_without_a_step(ppm: float) -> None:
    """The leader's crystal is off, and wanders: its tempo goes slowly up and down by 100 ppm more."""
    minutes = 20

    def bpm(time: float) -> float:
        return 120.0 * (1.0 + 1e-6 * (ppm + 100.0 * math.sin(time / 60.0)))

    graph = Graph()
    graph.add("every", "grid", beats=1.0)
    due = ticks(bpm, 60.0 * minutes)
    made = follow(MidiClock(), clock(late(due, 0.002)), 60.0 * minutes - 1, graph, rounds_frames=1_920, sounds=False)
    settled = made.at(10.0)
    error = behind_ms(made, due)[settled:]
    assert made.jumps == 0
    assert made.largest_step(2.0) < 1e-6, "the phase never steps"
    assert np.abs(error - 1.0).max() < 1.0, f"behind by {error.min():.2f} to {error.max():.2f} ms"
    assert np.abs(np.array(made.tempi[settled:]) - 120.0).max() < 0.25


@pytest.mark.parametrize(
    ("name", "bpm", "most_ms"),
    [
        ("a tempo that jumps up", lambda time: 120.0 if time < 10 else 140.0, 40.0),
        ("a tempo that jumps down", lambda time: 120.0 if time < 10 else 80.0, 120.0),
        ("an accelerando", lambda time: 120.0 + 2.0 * min(max(time - 10.0, 0.0), 20.0), 25.0),
        ("a little more", lambda time: 120.0 if time < 10 else 121.0, 15.0),
    ],
)
def test_the_leaders_tempo_changes(name: str, bpm: object, most_ms: float) -> None:
    assert callable(bpm)
    due = ticks(bpm, 42.0)
    made = follow(MidiClock(), clock(late(due, 0.003)), 40.0, lookahead=True)
    error = behind_ms(made, due)
    assert np.abs(error[made.at(5.0) :]).max() < most_ms
    assert np.abs(error[made.at(36.0) :] - 1.5).max() < 1.5
    assert abs(made.tempi[-1] - bpm(40.0)) < 0.2
    assert made.jumps == 0 and made.largest_step(1.0) < 1e-6


def test_start_stop_and_continue_act_at_their_frame() -> None:
    due = ticks(120.0, 8.0)
    came = [(time, TICK) for time in due]
    came += [(due[24] - 0.001, START), (due[72] + 0.001, STOP), (due[100] - 0.001, CONTINUE)]
    made = follow(MidiClock(), came, 7.0)
    begin = round(due[24] * RATE)
    heard = [(frame, count) for frame, count in made.told if frame >= begin]
    assert heard[:3] == [(begin, 0), (begin + 6_000, 1), (begin + 12_000, 2)], "from the first beat, at its tick"
    stop, again = round((due[72] + 0.001) * RATE), round(due[100] * RATE)
    assert not [frame for frame, _ in heard if stop < frame < again]
    at_stop = made.beats[made.at(due[72] + 0.01)]
    assert at_stop == pytest.approx(49 / 24), "the tick that comes next is where it goes on"
    place = made.at(due[100] + 0.5)
    assert made.beats[place] == pytest.approx(49 / 24 + (made.frames[place] / RATE - due[100]) * 2.0, abs=1e-3)


def test_a_song_position_is_gone_to_at_once() -> None:
    due = ticks(120.0, 6.0)
    came = [(time, TICK) for time in due]
    came += [(due[10] - 0.001, bytes((0xF2, 37, 1))), (due[20] - 0.001, CONTINUE)]
    came += [(due[100] - 0.001, STOP), (due[100] - 0.0009, bytes((0xF2, 8, 0))), (due[100] - 0.0008, CONTINUE)]
    made = follow(MidiClock(), came, 5.0)
    assert made.beats[made.at(due[15])] == (37 + 128) / 4 and not made.on[made.at(due[15])]
    for first, beat, time in ((20, (37 + 128) / 4, 1.5), (100, 2.0, 4.5)):
        place = made.at(time)
        assert made.beats[place] == pytest.approx(beat + (made.frames[place] / RATE - due[first]) * 2.0, abs=1e-3)
    assert made.jumps == 0, "a jump of the leader is no error"


def test_a_position_while_it_plays_moves_the_song_with_the_next_tick() -> None:
    due = ticks(120.0, 4.0)
    made = follow(MidiClock(), [*clock(due), (due[48] - 0.001, bytes((0xF2, 64, 0)))], 3.0)
    place = made.at(due[48] + 1.0)
    assert made.beats[place] == pytest.approx(16.0 + (made.frames[place] / RATE - due[48]) * 2.0, abs=1e-3)


def test_live_a_start_loses_no_note_and_catches_up_within_a_bar() -> None:
    """What comes is handled 30 ms later than it came, and is heard 10 ms later still."""
    due = ticks(120.0, 8.0)
    made = follow(MidiClock(), clock(due), 7.0, lookahead=True, latency_s=0.01)
    assert 0 in [count for frame, count in made.told if frame >= due[0] * RATE], "beat 0 is heard"
    place = made.at(FIRST + 2.5)
    ahead = made.beats[place] - (made.frames[place] / RATE - due[0]) * 2.0
    assert ahead * 500 == pytest.approx(10.0, abs=0.2), "ahead by what the device takes, in ms"
    assert made.largest_step(0.4) < 1e-6 and made.jumps == 0


def test_a_clock_that_falls_silent_is_held_and_the_port_is_free() -> None:
    first = ticks(120.0, 3.0)
    source = MidiClock()
    made = follow(source, clock(first), 8.0)
    assert made.on[-1] and made.tempi[-1] == pytest.approx(120.0, abs=0.01), "the music goes on"
    assert source.port == "in"


def test_only_the_port_that_is_named_counts() -> None:
    made = follow(MidiClock("other"), clock(ticks(90.0, 3.0)), 2.0)
    assert made.tempi[-1] == 120.0 and not [act for act in made.acts if act.what == "clock"]


def test_bytes_that_are_no_clock_change_nothing() -> None:
    chance = np.random.default_rng(4)
    due = ticks(120.0, 6.0)
    noise = []
    for time in chance.uniform(0.0, 5.0, 400):
        data = bytes(chance.integers(0, 256, chance.integers(0, 5)).tolist())
        if data[:1] not in (START, CONTINUE, STOP, TICK) and data[:1] != b"\xf2":
            noise.append((float(time), data))
    noise += [(1.0, b"\xf2"), (1.1, b"\xf2\x01")]
    made, alone = follow(MidiClock(), [*clock(due), *noise], 5.0), follow(MidiClock(), clock(due), 5.0)
    assert made.beats == alone.beats and made.log == []


def test_what_was_followed_plays_again_to_the_bit_without_the_leader() -> None:
    due = ticks(lambda time: 120.0 + 10.0 * math.sin(time), 9.0)
    came = [*clock(late(due, 0.004)), (4.0, STOP), (5.0, bytes((0xF2, 9, 0))), (5.1, CONTINUE)]
    made = follow(MidiClock(), came, 8.0, lookahead=True)
    assert len([act for act in made.acts if act.what == "clock"]) > 10
    again = replay(made.acts, made.sound.shape[1])
    part = first_difference(again, made.sound)
    assert np.array_equal(again.view(np.int32), made.sound.view(np.int32)), part
