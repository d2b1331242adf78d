"""Counters, sequences, Euclidean rhythms, chance."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.core import BANG
from nodegraph.nodes.steps import bjorklund
from tests.contracts.moments import give, make, values


def bang(node, count, inlet="x"):
    for _ in range(count):
        give(node, inlet)
    return node.host.sent


def test_a_counter_counts_round_and_carries():
    node = make("counter", modulo=3)
    assert [(outlet, value) for _, outlet, value in bang(node, 7)] == [
        ("y", 0), ("y", 1), ("y", 2), ("carry", BANG), ("y", 0), ("y", 1), ("y", 2), ("carry", BANG), ("y", 0),
    ]  # fmt: skip
    give(node, "reset")
    bang(node, 2)
    assert values(node)[-2:] == [0, 1]


def test_a_counter_counts_in_steps_backwards_and_without_end():
    node = make("counter", modulo=4, step=-1)
    bang(node, 6)
    assert values(node) == [0, 3, 2, 1, 0, 3] and len(values(node, "carry")) == 2
    endless = make("counter", step=5)
    bang(endless, 4)
    assert values(endless) == [0, 5, 10, 15] and not values(endless, "carry")


def test_a_modulo_that_shrinks_goes_round():
    node = make("counter", modulo=10)
    bang(node, 8)
    node.controls["modulo"] = 4
    bang(node, 2)
    assert values(node)[-2:] == [0, 1]


def test_a_sequence_plays_its_steps_with_rests_chords_and_words():
    node = make("sequence", {"values": [60, "-", [60, 64, None], "0.5 go", None, 7]})
    sent = [(outlet, value) for _, outlet, value in bang(node, 8)]
    line = [("y", 60), ("y", (60, 64)), ("y", (0.5, "go")), ("y", 7), ("end", BANG)]
    assert sent == [*line, ("y", 60)]


def test_a_sequence_goes_where_a_number_says():
    node = make("sequence", {"values": [10, 11, 12, 13]})
    for message in (2, BANG, BANG, 5, BANG, -1, 0.9):
        give(node, "x", message)
    assert values(node) == [12, 13, 10, 11, 12, 13, 10]
    give(node, "reset")
    bang(node, 1)
    assert values(node)[-1] == 10


def test_a_sequence_without_a_loop_ends():
    node = make("sequence", {"values": [1, 2], "loop": False})
    bang(node, 5)
    assert values(node) == [1, 2] and values(node, "end") == [BANG]
    give(node, "reset")
    bang(node, 3)
    assert values(node) == [1, 2, 1, 2]
    empty = make("sequence", {"values": []})
    assert bang(empty, 2) == []
    give(empty, "x", 3)
    assert empty.host.sent == []


# G. Toussaint, "The Euclidean Algorithm Generates Traditional Musical Rhythms", 2005, section 4
RHYTHMS = [
    "x.", "x..", "x...", "x.x", "x.x..", "x.xx", "x.x.x", "x.x.x..", "x..x..x.", "x.x.x.x", "x.x.x.x..", "x..x..x..x.",
    "x.xxxx", "x.xx.xx", "x.xx.xx.", "x.x.x.x.x", "x.x.x.x.x..", "x..x.x..x.x.", "x..x..x..x..x...", "x.xxxxxx",
    "x.xx.x.xx.x.", "x..x.x.x..x.x.x.", "x.xx.x.x.xx.x.x.", "x..x.x.x.x.x..x.x.x.x.x.", "x.xx.x.x.x.x.xx.x.x.x.x.",
]  # fmt: skip


@pytest.mark.parametrize("rhythm", RHYTHMS)
def test_the_rhythms_of_the_world(rhythm):
    found = "".join("x" if hit else "." for hit in bjorklund(rhythm.count("x"), len(rhythm)))
    assert found == rhythm


@given(steps=st.integers(1, 64), pulses=st.integers(-3, 70))
def test_pulses_are_spread_evenly(steps, pulses):
    """All distances from pulse to pulse are steps / pulses, rounded up or down."""
    pattern = bjorklund(pulses, steps)
    wanted = min(max(pulses, 0), steps)
    assert len(pattern) == steps and sum(pattern) == wanted
    places = [place for place, hit in enumerate(pattern * 2) if hit]
    if wanted:
        assert pattern[0]
        assert {b - a for a, b in pairwise(places)} <= {steps // wanted, -(-steps // wanted)}


def test_euclid_walks_round_its_pattern():
    node = make("euclid", pulses=3, steps=8)
    sent = "".join("x" if outlet == "hit" else "." for _, outlet, _ in bang(node, 11, "step"))
    assert sent == "x..x..x.x.."
    turned = make("euclid", pulses=3, steps=8, rotate=-1)
    bang(turned, 3, "step")
    give(turned, "reset")
    sent = "".join("x" if outlet == "hit" else "." for _, outlet, _ in bang(turned, 8, "step"))
    assert sent == ".x." + ".x..x..x"


def test_euclid_takes_new_numbers_at_the_next_step():
    node = make("euclid", pulses=4, steps=8)
    bang(node, 7, "step")
    node.controls.update(steps=3.0, pulses=3.0)
    bang(node, 2, "step")
    assert [outlet for _, outlet, _ in node.host.sent[-2:]] == ["hit", "hit"]


def test_chance_lets_its_part_through():
    """4000 draws at 0.3: a standard deviation of 29."""
    sent = bang(make("chance", {"seed": 3}, probability=0.3), 4_000)
    assert len([1 for _, outlet, _ in sent if outlet == "y"]) == pytest.approx(1_200, abs=5 * 29)
    assert len(sent) == 4_000
    assert sent == bang(make("chance", {"seed": 3}, probability=0.3), 4_000)
    assert sent != bang(make("chance", {"seed": 4}, probability=0.3), 4_000)


def test_chance_is_certain_at_both_ends():
    assert not values(_after(make("chance", probability=0.0)), "y")
    assert not values(_after(make("chance", probability=1.0)), "rest")


def _after(node):
    bang(node, 500)
    return node
