"""Numbers as messages, in logical time."""

from __future__ import annotations

import math
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.core import BANG, Note, NoteExpression, Tag
from nodegraph.nodes.numbers import SCALES
from tests.contracts.moments import RATE, give, make, values

NUMBERS = st.floats(-1e6, 1e6)


def answers(node, *messages, outlet="y"):
    for message in messages:
        give(node, "x", message)
    return values(node, outlet)


@pytest.mark.parametrize(
    ("kind", "does"),
    [("+", operator.add), ("-", operator.sub), ("*", operator.mul), ("/", operator.truediv), ("mod", operator.mod)],
)
@given(x=NUMBERS, b=NUMBERS.filter(bool))
def test_arithmetic_is_pythons_own(kind, does, x, b):
    assert answers(make(kind, b=b), x, (x, "word", 2), "word", BANG) == [does(x, b), (does(x, b), does(2.0, b))]


@pytest.mark.parametrize("kind", ["/", "mod"])
def test_nothing_is_divided_by_nothing(kind):
    assert answers(make(kind, b=0.0), 5, -1.0, 0) == [0.0, 0.0, 0.0]


def test_a_remainder_is_never_negative_and_infinity_has_none():
    assert answers(make("mod", b=12.0), -1, 12, 25.5, math.inf) == [11.0, 0.0, 1.5, 0.0]


def test_plus_transposes_notes_and_times_makes_numbers_of_them():
    note, chord = Note(60, 0.5, 2.0), (60, 64)
    assert answers(make("+", b=7.0), note, chord) == [Note(67, 0.5, 2.0), (67, 71)]
    assert answers(make("-", b=12.0), note) == [Note(48, 0.5, 2.0)]
    bend = NoteExpression(60, "bend", 0.3)
    assert answers(make("+", b=7.0), bend) == [bend._replace(pitch=67)], "what bends a note follows it"
    assert answers(make("*", b=2.0), note, Tag("Speech", 0.25)) == [120.0, 0.5]


def test_clip_keeps_numbers_within():
    assert answers(make("clip", low=1.0, high=3.0), 0, 2, 9.5, (0, 7), "x") == [1.0, 2.0, 3.0, (1.0, 3.0)]


def test_change_lets_only_news_through():
    assert answers(make("change"), 1, 1, 1.0, 2, BANG, BANG, 2, "a", "a", (1, 2), (1, 2), (1, 3)) == [
        1, 2, BANG, 2, "a", (1, 2), (1, 3),
    ]  # fmt: skip


def test_change_has_slack_from_what_passed_last():
    assert answers(make("change", slack=0.5), 0, 0.4, 0.5, 0.6, 1.0, 0.2, 0.0) == [0, 0.6, 0.0]


def test_the_mean_and_the_median_of_the_last_few():
    assert answers(make("average", count=3), 3, 6, 9, 12, "x", Tag("s", 0.0)) == [3, 4.5, 6, 9, 7]
    jump = answers(make("average", {"of": "median"}, count=3), 60, 60, 72, 60, 61, 61)
    assert jump == [60, 60, 60, 60, 61, 61], "an octave for a moment is thrown away"


def test_a_whole_number_that_no_float_holds_is_news():
    huge = 10**400
    assert answers(make("change", slack=0.5), 0.5, huge, huge, 0.5, -huge) == [0.5, huge, 0.5, -huge]


def test_the_mean_of_numbers_whose_sum_is_too_large_for_a_number():
    mean = answers(make("average", count=3), 1e308, 1e308, 1e308, -1e308)
    assert mean == pytest.approx([1e308, 1e308, 1e308, 1e308 / 3])


def test_an_average_can_forget_and_change_its_length():
    node = make("average", count=4)
    answers(node, 0, 0, 0, 8)
    give(node, "count", 2.0)
    give(node, "x", 8)
    give(node, "clear")
    assert answers(node, 1)[4:] == [8, 1]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("root", [0, 5, 11])
def test_quantise_gives_the_nearest_pitch_of_the_scale(scale, root):
    """Against a search through all pitches there are."""
    every = [p for p in range(-24, 152) if (p - root) % 12 in SCALES[scale]]
    for tenths in range(0, 1_280, 7):
        pitch = tenths / 10
        wanted = min(every, key=lambda p: (abs(p - pitch), p))
        assert answers(make("quantise", {"scale": scale}, root=root), pitch) == [wanted], pitch


def test_quantise_takes_a_scale_of_your_own_lists_and_notes():
    node = make("quantise", {"degrees": [0, 3.5, "x", 19]}, root=2)
    assert answers(node, 5, (2.2, 9.1), Note(14.6, 0.3, 1.0), "word", BANG) == [5.5, (2.0, 9.0), Note(14.0, 0.3, 1.0)]


def test_a_timer_measures_from_message_to_message():
    timer = make("timer")
    for time in (1.0, 1.25, 3.0):
        timer.host.run(time)
        give(timer, "x")
    give(timer, "reset")
    give(timer, "x", "anything")
    timer.host.run(3.0 + 1 / RATE)
    give(timer, "x")
    assert values(timer) == [0.25, 1.75, 1 / RATE]
