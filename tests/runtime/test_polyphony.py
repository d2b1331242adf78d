"""Voices are channels: notes reach them at their exact frame, and each sounds as a mono patch of its own would."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nodegraph.core.graph import Graph
from nodegraph.core.messages import Note, NoteExpression
from nodegraph.runtime.player import Player
from tests.runtime.playing import assert_same, render

RATE = 48_000


def voices(count: int, **params: Any) -> Graph:
    """A subtractive synthesizer; every voice is a channel of the output."""
    graph = Graph()
    graph.add("voices~", "v", count=count, **params)
    graph.add("saw~", "osc")
    graph.add("adsr~", "env", attack=0.002, decay=0.05, sustain=0.5, release=0.05)
    graph.add("svf~", "cut", cutoff=900.0)
    graph.add("*~", "vca")
    graph.add("gain~", "soft", gain=0.1)
    graph.add("out~", "out", channels=count)
    for a, b in (
        ("v.freq", "osc.freq"), ("v.gate", "env.gate"), ("osc.y", "cut.x"), ("cut.low", "vca.x"), ("env.y", "vca.b"),
        ("vca.y", "soft.x"), ("soft.y", "out.x"),
    ):  # fmt: skip
        graph.connect(a, b)
    return graph


def playing(*events: tuple[int, Any]) -> Any:
    def start(player: Player) -> None:
        for frame, message in events:
            player.messages.post(frame, "v", "notes", message)

    return [(0, start)]


def outlet(graph: Graph, port: str, frames: int, *events: tuple[int, Any]) -> np.ndarray:
    """One signal outlet of the voices, scaled so that the safety limiter leaves it alone."""
    made = Graph()
    entry = graph.nodes["v"]
    made.put(entry)
    made.add("*~", "small", b=1e-4)
    made.add("out~", "out", channels=int(entry.value("count")))
    made.connect(f"v.{port}", "small.x")
    made.connect("small", "out")
    return render(made, frames, steps=playing(*events)) * 1e4


def test_gates_open_and_close_at_the_frame_of_their_note() -> None:
    gates = outlet(
        voices(4), "gate", 4_000, (1_000, Note(60, 0.5)), (1_001, Note(64, 0.25)), (2_000, Note(60, 0.0)),
        (2_500, Note(67, 1.0, 100 / RATE)),
    )  # fmt: skip
    assert [int(np.flatnonzero(gates[c])[0]) for c in (0, 1, 2)] == [1_000, 1_001, 2_500]
    assert gates[0, 1_999] == pytest.approx(0.5) and gates[0, 2_000] == 0.0
    assert gates[1, -1] == pytest.approx(0.25), "it is still held"
    assert gates[2, 2_599] == pytest.approx(1.0) and gates[2, 2_600] == 0.0, "its duration is over"
    assert not gates[3].any()


def test_pitches_are_in_tune_and_bend_note_by_note() -> None:
    freq = outlet(
        voices(2), "freq", 4_000, (0, Note(69, 0.5)), (0, Note(57.5, 0.5)), (2_000, NoteExpression(69, "bend", 12.0))
    )
    assert freq[0, 1_000] == pytest.approx(440.0, rel=1e-5)
    assert freq[1, 1_000] == pytest.approx(440.0 * 2 ** (-11.5 / 12), rel=1e-5)
    assert freq[0, -1] == pytest.approx(880.0, rel=1e-5) and freq[1, -1] == freq[1, 1_000]
    assert np.abs(np.diff(freq[0])).max() < 440 / 140, "a bend moves in 3 ms, it does not jump"


@pytest.mark.parametrize("port", ["freq", "gate", "pressure", "timbre"])
def test_notes_and_expressions_that_are_no_numbers_stop_here(port: str) -> None:
    nan, inf = float("nan"), float("inf")
    odd = [
        Note(nan, 0.5), Note(60, nan), Note(62, 0.5, inf), Note(-inf, 1.0, nan), (nan, 0.5), (60, 0.5, inf), 10**400,
        *(NoteExpression(69, what, value) for what in ("bend", "pressure", "timbre") for value in (nan, inf)),
    ]  # fmt: skip
    good = (0, Note(69, 0.5))
    graph = voices(2)
    with_odd = outlet(graph, port, 2_000, good, *((500 + 10 * number, message) for number, message in enumerate(odd)))
    assert_same(with_odd, outlet(graph, port, 2_000, good), "with and without them")


def test_pressure_and_timbre_move_one_note() -> None:
    events = (
        (0, Note(60, 0.5)), (0, Note(64, 0.5)), (1_000, NoteExpression(64, "pressure", 0.7)),
        (1_000, NoteExpression(60, "timbre", 1.0)),
    )  # fmt: skip
    pressure, timbre = outlet(voices(2), "pressure", 3_000, *events), outlet(voices(2), "timbre", 3_000, *events)
    assert not pressure[0].any() and pressure[1, -1] == pytest.approx(0.7)
    assert timbre[0, -1] == pytest.approx(1.0) and timbre[1, -1] == pytest.approx(0.5)


STEALING = {
    # which channels hold which pitches after five notes on three voices
    "oldest": ({0: 66, 1: 67, 2: 65}, {}),
    "quietest": ({0: 63, 1: 67, 2: 65}, {}),
    "none": ({0: 63, 1: 64, 2: 65}, {}),
}


@pytest.mark.parametrize("steal", STEALING)
def test_when_all_are_held_one_gives_way_as_wanted(steal: str) -> None:
    expected, _ = STEALING[steal]
    notes = [Note(63, 0.9), Note(64, 0.1), Note(65, 0.8), Note(66, 0.2), Note(67, 0.7)]
    freq = outlet(voices(3, steal=steal), "freq", 6_000, *((100 * k, note) for k, note in enumerate(notes)))
    found = {c: round(float(69 + 12 * np.log2(freq[c, -1] / 440))) for c in range(3)}
    assert found == expected


def test_a_voice_that_is_taken_over_begins_its_envelope_anew_without_a_click() -> None:
    events = ((0, Note(50, 0.8)), (4_800, Note(53, 0.8)))
    gates = outlet(voices(1), "gate", 9_600, *events)
    assert gates[0, 4_799] > 0 and gates[0, 4_800] == 0.0 and gates[0, 4_801] == pytest.approx(0.8)


def test_a_note_takes_a_silent_voice_before_one_that_still_rings() -> None:
    gates = outlet(
        voices(3, tail=0.05), "gate", 12_000, (0, Note(60, 0.5, 0.01)), (10, Note(62, 0.5, 0.15)),
        (7_300, Note(64, 0.5)), (7_301, Note(65, 0.5)), (7_302, Note(67, 0.5)),
    )  # fmt: skip
    begins = [int(np.flatnonzero(gates[c, 7_290:])[0]) + 7_290 for c in range(3)]
    assert begins == [7_301, 7_302, 7_300], "never used, silent, and last the one that ended 90 frames ago"


def test_each_channel_is_a_mono_patch_of_its_own() -> None:
    count = 20
    events = [(137 * k, Note(40 + k, 0.3 + 0.03 * k, 0.03 + 0.001 * k)) for k in range(count)]
    together = render(voices(count), 8_000, steps=playing(*events))
    assert_same(together, render(voices(count), 8_000, steps=playing(*events), packing=False), "packed")
    for k in (0, 7, 19):
        alone = render(voices(1), 8_000, steps=playing(events[k]), outputs=1)
        assert_same(together[k : k + 1], alone, f"voice {k}")


def test_sixty_four_voices_are_a_handful_of_operations() -> None:
    def operations(count: int) -> int:
        graph = voices(count)
        graph.add("sum~", "sum")
        graph.disconnect("soft.y", "out.x")
        graph.connect("soft", "sum")
        graph.connect("sum", "out")
        player = Player(graph.view, RATE)
        assert player.engine.schedule is not None
        found = len(player.engine.schedule.operations)
        player.close()
        return found

    assert operations(64) < 10 * operations(1)


def test_more_voices_while_it_plays_fade_and_keep_playing() -> None:
    graph = voices(4)
    graph.add("sum~", "sum")
    graph.disconnect("soft.y", "out.x")
    graph.connect("soft", "sum")
    graph.connect("sum", "out")

    def more(player: Player) -> None:
        graph.set("v", "count", 12)
        player.edit(graph.view)

    events = playing(*((1_000 * k, Note(50 + k, 0.5)) for k in range(12)))
    sound = render(graph, 16_000, steps=[*events, (6_500, more)])
    assert np.isfinite(sound).all() and np.abs(sound[0, -1_000:]).max() > 1e-3
