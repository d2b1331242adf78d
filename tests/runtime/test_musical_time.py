"""Musical time: beats fall on their frame whatever the tempo does, and everything that counts them agrees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from nodegraph.core.graph import Graph
from nodegraph.core.messages import BANG, Event
from nodegraph.runtime.clock import Clock
from nodegraph.runtime.player import Player
from tests.runtime.playing import Sound, assert_same, render

RATE = 48_000
Step = tuple[int, Callable[[Player], None]]


def post(frame: int, node: str, inlet: str, value: Any) -> Step:
    """A message for a frame to come, posted when the patch begins."""
    return 0, lambda player: player.messages.post(frame, node, inlet, value)


def heard(
    graph: Graph, frames: int, outlets: Sequence[str], steps: Sequence[Step] = (), block: int = 64, logged: Any = ()
) -> tuple[dict[str, list[tuple[int, Any]]], Sound]:
    """What left the outlets, as (frame, value), and the sound."""
    told: dict[str, list[tuple[int, Any]]] = {outlet: [] for outlet in outlets}

    def watch(player: Player) -> None:
        for outlet in outlets:
            node, port = outlet.split(".")

            def keep(event: Event, kept: list[tuple[int, Any]] = told[outlet]) -> None:
                if event.frame < frames:
                    kept.append((event.frame, event.value))

            player.watch(node, port, keep)

    playing: list[Player] = []
    sound = render(graph, frames, steps=[(0, playing.append), (0, watch), *steps], block=block)
    assert outlets == [] or all(told.values())
    assert [text for _, text in playing[0].log] == list(logged)
    return told, sound


def song(beats: float = 1.0, **transport: Any) -> Graph:
    graph = Graph()
    graph.add("transport", "t", **transport)
    graph.add("every", "grid", beats=beats)
    graph.add("phase~", "ramp", beats=beats)
    graph.add("out~", "out", channels=1)
    graph.add("*~", "half", b=0.5)
    graph.connect("ramp.y", "half.x")
    graph.connect("half.y", "out.x")
    return graph


def when(told: list[tuple[int, Any]]) -> list[int]:
    return [frame for frame, _ in told]


# -- the clock


@pytest.mark.parametrize(("bpm", "target", "seconds"), [(120, 120, 0), (60, 240, 8), (200, 30, 3.3), (1, 1000, 60)])
def test_the_frame_of_a_beat_is_the_first_that_is_not_before_it(bpm: float, target: float, seconds: float) -> None:
    clock = Clock(44_100)
    clock.go_at(0, bpm)
    clock.go_at(1_000, target, seconds)
    for beat in np.linspace(clock.beat_at(1_000) + 0.01, 500, 300):
        frame = clock.frame_at(float(beat))
        assert frame is not None
        assert clock.beat_at(frame) >= beat - 1e-9
        assert clock.beat_at(frame - 1) < beat


def test_a_gliding_tempo_gathers_the_beats_of_its_middle() -> None:
    clock = Clock(RATE)
    clock.go_at(0, 60)
    clock.go_at(0, 180, 10)
    assert clock.tempo_at(5 * RATE) == pytest.approx(120)
    assert clock.beat_at(10 * RATE) == pytest.approx(20)  # ten seconds at 120 beats a minute, on the whole
    assert clock.beat_at(20 * RATE) == pytest.approx(20 + 30)


def test_an_odd_tempo_does_not_drift_in_a_month() -> None:
    """At 48 kHz and 133.7 beats a minute a beat has no whole number of frames."""
    clock = Clock(RATE)
    clock.go_at(0, 133.7)
    for beat in (1, 1_000, 5_775_840):  # the last is thirty days
        exact = Fraction(beat) * 60 * RATE / Fraction(133.7)
        assert clock.frame_at(beat) == -(-exact.numerator // exact.denominator)


def test_a_clock_that_stands_goes_on_where_it_stood_while_its_tempo_glides_on() -> None:
    clock = Clock(RATE)
    clock.go_at(0, 60)
    clock.go_at(0, 120, 4)
    clock.run_at(RATE, False)
    stood = clock.beat_at(RATE)
    assert clock.beat_at(3 * RATE) == stood
    assert clock.frame_at(stood + 1) is None
    clock.run_at(3 * RATE, True)
    assert clock.beat_at(3 * RATE) == stood
    assert clock.tempo_at(3 * RATE) == pytest.approx(105)
    assert clock.tempo_at(12 * RATE) == pytest.approx(120)


@pytest.mark.parametrize("swing", [0.5, 0.6, 2 / 3, 0.75])
def test_swing_moves_every_second_note_and_leaves_the_beats(swing: float) -> None:
    clock = Clock(RATE)
    clock.swing, clock.swing_beats = swing, 0.5
    assert [clock.swung(beat) for beat in range(9)] == pytest.approx(list(range(9)))
    assert [clock.swung(beat + 0.5) % 1 for beat in range(9)] == pytest.approx([swing] * 9)
    straight = np.linspace(0, 4, 400)
    moved = np.array([clock.swung(float(beat)) for beat in straight])
    assert np.all(np.diff(moved) > 0)


# -- the nodes


def test_beats_bars_and_grids_fall_on_their_frames() -> None:
    told, _ = heard(song(0.5, tempo=120, meter=3), 4 * RATE, ["t.beat", "t.bar", "grid.bang", "grid.count"])
    assert told["t.beat"] == [(24_000 * beat, beat % 3 + 1) for beat in range(8)]
    assert told["t.bar"] == [(72_000 * bar, bar + 1) for bar in range(3)]
    assert when(told["grid.bang"]) == [12_000 * k for k in range(16)]
    assert told["grid.count"] == [(12_000 * k, k) for k in range(16)]


def test_swing_is_heard_on_the_grid() -> None:
    told, _ = heard(song(0.5, tempo=60, swing=0.75), 3 * RATE, ["grid.bang", "t.beat"])
    assert when(told["grid.bang"]) == [0, 36_000, 48_000, 84_000, 96_000, 132_000]
    assert when(told["t.beat"]) == [0, 48_000, 96_000]


def test_another_tempo_moves_the_beats_that_are_to_come() -> None:
    steps = [post(36_000, "t", "tempo", 60.0)]  # half-way to beat 2
    told, _ = heard(song(1.0, tempo=120), 4 * RATE, ["grid.bang"], steps)
    assert when(told["grid.bang"]) == [0, 24_000, 60_000, 108_000, 156_000]


def test_a_change_at_the_very_frame_of_a_beat_neither_loses_nor_repeats_it() -> None:
    for tempo in (133.7, 60.0, 999.0):
        clock = Clock(RATE)
        clock.go_at(0, 133.7)
        at = [clock.frame_at(beat) or 0 for beat in range(1, 6)]
        steps = [post(frame, "t", "tempo", tempo if k % 2 else 133.7) for k, frame in enumerate(at)]
        told, _ = heard(song(1.0, tempo=133.7), at[-1] + 10, ["grid.count", "t.beat"], steps)
        assert [count for _, count in told["grid.count"]] == list(range(len(told["grid.count"])))
        assert len(told["t.beat"]) == len(told["grid.count"])


def test_a_glide_is_heard_where_the_clock_says() -> None:
    steps = [post(0, "t", "glide", 4.0), post(0, "t", "tempo", 240.0)]
    told, _ = heard(song(1.0, tempo=60), 5 * RATE, ["grid.bang"], steps)
    # 60 to 240 in 4 s: beats = t + 3 t^2 / 8
    expected = [int(np.ceil(RATE * (-4 + np.sqrt(16 + 24 * beat)) / 3 - 1e-6)) for beat in range(11)]
    assert when(told["grid.bang"])[:11] == expected


def test_a_transport_stops_goes_on_and_is_put_elsewhere() -> None:
    steps = [
        post(30_000, "t", "play", 0.0), post(90_000, "t", "play", 1.0),
        post(120_000, "t", "locate", 7.5), post(150_000, "t", "locate", BANG),
    ]  # fmt: skip
    told, _ = heard(song(1.0, tempo=120), 4 * RATE, ["grid.count", "t.beat"], steps)
    assert told["grid.count"] == [(0, 0), (24_000, 1), (108_000, 2), (132_000, 8), (150_000, 0), (174_000, 1)]
    assert [beat for _, beat in told["t.beat"]] == [1, 2, 3, 1, 1, 2]


def test_a_phase_goes_with_the_beats_through_jumps_and_glides() -> None:
    steps = [post(50_000, "t", "tempo", 90.0), post(60_000, "t", "glide", 2.0), post(70_000, "t", "tempo", 200.0)]
    _, sound = heard(song(1.0, tempo=120), 4 * RATE, [], steps)
    clock = Clock(RATE)
    expected = np.zeros(4 * RATE)
    changes = {0: (120.0, 0.0), 50_000: (90.0, 0.0), 70_000: (200.0, 2.0)}
    for frame in range(4 * RATE):
        if frame in changes:
            clock.go_at(frame, *changes[frame])
        expected[frame] = clock.beat_at(frame) % 1.0
    away = np.abs(2 * sound[0] - expected)
    away = np.minimum(away, 1 - away)
    # a quarter of a beat is one straight line: while the tempo glides by 55 BPM/s the clock bends within it
    assert away.max() < 0.003
    assert away[: 2 * 24_000].max() < 1e-4


def test_a_phase_stands_when_the_transport_does() -> None:
    _, sound = heard(song(4.0, tempo=120), 2 * RATE, [], [post(30_000, "t", "play", 0.0)])
    assert np.ptp(sound[0, 30_100:]) == 0.0
    assert 2 * sound[0, -1] == pytest.approx(30_000 / 24_000 / 4, abs=1e-4)


def test_lengths_in_beats_follow_the_tempo() -> None:
    graph = song(1.0, tempo=120)
    graph.add("beats", "echo", value=0.75)
    told, _ = heard(graph, RATE, ["echo.y"], [post(10_000, "t", "tempo", 60.0), post(20_000, "echo", "x", 2.0)])
    assert told["echo.y"][-2:] == [(10_000, pytest.approx(0.75)), (20_000, pytest.approx(2.0))]


def test_lengths_in_beats_follow_a_tempo_that_glides() -> None:
    graph = song(1.0, tempo=120)
    graph.add("beats", "echo", value=1.0)
    steps = [post(0, "t", "glide", 0.5), post(10_000, "t", "tempo", 60.0)]
    told, _ = heard(graph, RATE, ["echo.y"], steps)
    clock = Clock(RATE)
    clock.go_at(10_000, 60.0, 0.5)
    for frame, seconds in told["echo.y"]:
        assert seconds == pytest.approx(60 / clock.tempo_at(max(frame, 10_000)))
    assert told["echo.y"][-1][1] == pytest.approx(1.0)
    assert max(np.diff(when(told["echo.y"]))) <= 10_000


@pytest.mark.parametrize("frame", [0, 24_000, 30_000])
def test_a_grid_that_changes_at_the_frame_of_a_beat_bangs_once(frame: int) -> None:
    told, _ = heard(song(1.0, tempo=120), 2 * RATE, ["grid.bang"], [post(frame, "grid", "beats", 0.5)])
    assert when(told["grid.bang"]) == [*range(0, frame, 24_000), *range(-(-frame // 12_000) * 12_000, 2 * RATE, 12_000)]


def test_a_grid_that_is_stopped_at_a_beat_does_not_bang_there() -> None:
    told, _ = heard(song(1.0, tempo=120), 2 * RATE, ["grid.bang"], [post(48_000, "grid", "on", 0.0)])
    assert when(told["grid.bang"]) == [0, 24_000]


@pytest.mark.parametrize("block", [1, 32, 480, 4_096])
def test_beats_are_the_same_at_every_block(block: int) -> None:
    graph = song(0.25, tempo=133.7, swing=0.6, swing_beats=0.25)
    steps = [post(7_777, "t", "tempo", 71.3)]
    outlets = ["grid.count", "t.beat"]
    told, sound = heard(graph, RATE // 2, outlets, steps)
    again, other = heard(graph, RATE // 2, outlets, steps, block=block)
    assert told == again
    assert_same(other, sound, f"block {block}")


def test_what_is_not_a_beat_is_refused_in_words() -> None:
    heard(
        song(), 1_000, [], [post(100, "t", "locate", "chorus")],
        logged=["'locate' takes a beat or a bang, not 'chorus'."],
    )  # fmt: skip


def test_cancelled_beats_leave_nothing_behind() -> None:
    graph = Graph()
    graph.add("every", "beat", beats=0.5)
    graph.add("metro", "change", interval=0.01)
    graph.add("random", "to", low=0.25, high=2.0)
    graph.connect("change", "to.x")
    graph.connect("to", "beat.beats")
    player = Player(graph.view, 48_000)
    sound = np.zeros((2, 48_000), np.float32)
    player.render(sound)
    assert len(player.messages.clock._tickets) == 1
    player.close()


@pytest.mark.parametrize("far", [1e30, -1e30, float("inf"), 10**400])
def test_a_beat_that_nobody_reaches_does_not_stop_the_clock(far: float) -> None:
    steps = [post(30_000, "t", "locate", far), post(60_000, "t", "locate", BANG)]
    told, _ = heard(song(1.0, tempo=120), 2 * RATE, ["grid.count", "t.beat"], steps)
    assert [(frame, count) for frame, count in told["grid.count"] if frame >= 60_000] == [(60_000, 0), (84_000, 1)]
    counts = [count for frame, count in told["grid.count"] if 30_000 <= frame < 60_000]
    assert 1 <= len(counts) <= 2 and all(abs(abs(count) - 1e9) < 10 for count in counts)


def test_a_beat_that_is_no_number_is_refused_in_words() -> None:
    graph, steps = song(1.0, tempo=120), [post(100, "t", "locate", float("nan"))]
    told, _ = heard(graph, RATE, ["t.beat"], steps, logged=["'locate' takes a beat or a bang, not nan."])
    assert when(told["t.beat"]) == [0, 24_000]


# -- a tempo that is bent so that a beat falls on a frame


@pytest.mark.parametrize("bpm", [20.0, 118.7, 120.0, 400.0])
@pytest.mark.parametrize("off", [-0.05, -1e-6, 0.0, 0.02])
def test_a_bend_gets_to_its_beat_at_its_frame_and_goes_on_at_its_tempo(bpm: float, off: float) -> None:
    clock = Clock(RATE)
    clock.go_at(0, bpm)
    clock.go_at(10_000, bpm * 1.2, 3.0)
    before, tempo = clock.beat_at(50_000), clock.tempo_at(50_000)
    goal = before + tempo / 60.0 + off
    clock.go_through_at(50_000, goal, 50_000 + RATE, bpm)
    assert clock.beat_at(50_000) == before, "the place does not jump"
    assert clock.beat_at(50_000 + RATE) == pytest.approx(goal, abs=1e-9)
    assert clock.beat_at(50_000 + 3 * RATE) == pytest.approx(goal + 2 * bpm / 60.0, abs=1e-9)
    beats = [clock.beat_at(frame) for frame in range(50_000, 50_000 + 2 * RATE, 500)]
    assert all(one < other for one, other in pairwise(beats))
    frame = clock.frame_at(goal)
    assert frame is not None and abs(frame - 50_000 - RATE) <= 1


def test_a_bend_that_would_go_backwards_is_cut_at_the_slowest_tempo() -> None:
    clock = Clock(RATE)
    clock.go_through_at(RATE, 1.0, 2 * RATE, 120.0)  # it stands at 2.0 already
    assert clock.tempo_at(RATE) == 1.0
    assert clock.beat_at(2 * RATE) > 2.0


def test_no_beat_is_lost_or_heard_twice_while_the_tempo_is_bent_often() -> None:
    steps = [
        (0, lambda player, at=at: player.act("clock", "go_through", at / RATE * 2.0 + 0.5, at + RATE, 120.0, frame=at))
        for at in range(4_800, 6 * RATE, 2_400)
    ]
    told, _ = heard(song(0.125), 7 * RATE, ["grid.count"], steps)
    counts = [value for _, value in told["grid.count"]]
    assert counts == list(range(len(counts)))
