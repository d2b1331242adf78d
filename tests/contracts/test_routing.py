"""Where messages go."""

from __future__ import annotations

from nodegraph import Patch
from nodegraph.core import BANG, Note, Tag
from tests.contracts.moments import give, make, values


def test_a_toggle_turns_over_and_can_be_set():
    node = make("toggle")
    for message in (BANG, BANG, BANG, 0, 5, "word"):
        give(node, "x", message)
    give(node, "value", 1.0)
    give(node, "x")
    assert values(node) == [1, 0, 1, 0, 1, 0, 1, 0]


def test_a_gate_opens_and_closes():
    node = make("gate")
    for open_, message in ((1.0, 1), (0.0, 2), (1.0, "three")):
        node.controls["open"] = open_
        give(node, "x", message)
    assert values(node) == [1, "three"]


def test_a_switch_lets_one_inlet_through():
    node = make("switch")
    for pick in range(5):
        node.controls["pick"] = float(pick)
        for name in "abcd":
            give(node, name, f"{name}{pick}")
    assert values(node) == ["a1", "b2", "c3", "d4"]


def test_pack_keeps_the_others_and_unpack_takes_apart():
    node = make("pack", {"size": 3}, b=0.5)
    give(node, "a", 60)
    node.controls["c"] = 7.0
    give(node, "a")
    give(node, "a", "note")
    assert values(node) == [(60, 0.5, 0.0), (60, 0.5, 7.0), ("note", 0.5, 7.0)]
    apart = make("unpack")
    for message in ((1, "two", 3, 4, 5), Note(60, 0.8), Note(62, 0.1, 2.0), Tag("Speech", 0.9), 9):
        give(apart, "x", message)
    assert values(apart, "a") == [1, 60, 62, "Speech", 9]
    assert values(apart, "b") == ["two", 0.8, 0.1, 0.9]
    assert values(apart, "c") == [3, 2.0] and values(apart, "d") == [4]


def test_what_comes_at_one_instant_is_in_one_list():
    """In a patch: a clock counts, and the count and its double arrive at the same frame."""
    patch = Patch()
    clock, count = patch.add("metro", interval=0.1), patch.add("counter")
    double, pair = patch.add("*", b=2.0), patch.add("pack")
    patch.connect(clock.bang, count.x)
    patch.connect(count.y, pair.a)
    patch.connect(count.y, double.x)
    patch.connect(double.y, pair.b)
    assert [event.value for event in patch.render(seconds=0.35)[pair.y]] == [(0, 0.0), (1, 2.0), (2, 4.0), (3, 6.0)]
