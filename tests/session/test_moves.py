"""Where controls stand and what is told of it: the same, however many were moved at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.runtime.acts import Act
from nodegraph.runtime.recall import Place
from nodegraph.server.outbox import Outbox
from nodegraph.session.layout import Gathered, Layout, Together, selection
from nodegraph.session.moves import Moves
from nodegraph.session.parameters import Parameter, parameters_of

COUNT = 24


@pytest.fixture(scope="module")
def known() -> Mapping[str, Parameter]:
    patch = Patch("Bank")
    for number in range(COUNT):
        patch.add("gain~", f"g{number}")
    return parameters_of(patch.document)


def places_of(known: Mapping[str, Parameter], numbers: list[int]) -> tuple[Place, ...]:
    return tuple(known[f"/patch/g{number}/gain"].place for number in numbers)


def moves_of(known: Mapping[str, Parameter]) -> Moves:
    made = Moves()
    made.follow(known)
    return made


def test_many_at_once_are_as_one_by_one(known: Mapping[str, Parameter]) -> None:
    random = np.random.default_rng(4)
    everything, some = places_of(known, list(range(COUNT))), places_of(known, [3, 1, 17])
    others = (*some, ("gone", "gain"))
    one, many = moves_of(known), moves_of(known)
    told: tuple[dict[str, float], dict[str, float]] = ({}, {})
    for turn in range(600):
        places = (everything, some, others)[int(random.choice(3, p=(0.8, 0.1, 0.1)))]
        values = np.where(random.random(len(places)) < 0.05, np.nan, random.integers(-50, 50, len(places)) / 10)
        if turn % 9 == 0:
            values = np.full(len(places), 0.5)
        for place, value in zip(places, values.tolist(), strict=True):
            one.note(Act(0, "set", (*place, value)))
        many.note(Act(0, "sets", (places, values if turn % 3 else tuple(values.tolist()))))
        if turn % 4 == 0:
            one.move(*some[0], float(turn))
            many.move(*some[0], float(turn))
        if turn % 5 == 0:
            for made, found in zip((one, many), told, strict=True):
                found.update(made.taken()[1])
            assert told[0] == told[1]
        if turn % 7 == 0:
            assert one.live == many.live
        if turn % 50 == 0:
            one.stored(["/patch/g1/gain"])
            many.stored(["/patch/g1/gain"])
    assert one.live == many.live and len(many.live) == COUNT


def test_what_stands_where_it_stood_is_not_told(known: Mapping[str, Parameter]) -> None:
    places = places_of(known, list(range(COUNT)))
    made = moves_of(known)
    values = np.linspace(0.1, 0.9, COUNT)
    made.asked_many(places, "pad")
    made.move_many(places, values)
    by, batch = made.taken()
    assert by == "pad" and isinstance(batch, Together) and dict(batch) == made.live
    made.move_many(places, values.copy())
    assert made.taken() == ("", {})
    values[5] = 0.75
    made.move_many(places, values)
    assert made.live["/patch/g5/gain"] == 0.75
    assert made.taken()[1] == {"/patch/g5/gain": 0.75}


def test_a_control_that_is_named_twice_ends_with_its_last_value(known: Mapping[str, Parameter]) -> None:
    places = places_of(known, [2, 2])
    made = moves_of(known)
    made.move_many(places, np.array([0.25, 0.5]))
    assert made.live == made.taken()[1] == {"/patch/g2/gain": 0.5}


def test_what_is_held_within_its_span_is_told_so(known: Mapping[str, Parameter]) -> None:
    places = places_of(known, [0, 1])
    made = moves_of(known)
    made.move_many(places, np.array([1e9, -1e9]))
    spans = [item.control.span for item in map(known.__getitem__, made.live) if item.control is not None]
    assert list(made.live.values()) == [spans[0][1], spans[1][0]]


def test_values_gather_in_the_order_in_which_they_came(known: Mapping[str, Parameter]) -> None:
    all_of_them = selection(known[f"/patch/g{number}/gain"] for number in range(3))
    two = selection(known[f"/patch/g{number}/gain"] for number in range(1, 3))
    found = Gathered()
    assert not found and dict(found.take()) == {}
    last = Together(all_of_them, np.array([4.0, 5.0, 6.0]))
    found.add(Together(all_of_them, np.array([1.0, 2.0, 3.0])))
    found.add(last)
    assert found.take() is last and not found
    for moved in (last, {"/patch/g0/gain": 7.0}, Together(two, np.array([8.0, 9.0]))):
        found.add(moved)
    assert found.take() == {"/patch/g0/gain": 7.0, "/patch/g1/gain": 8.0, "/patch/g2/gain": 9.0}
    assert dict(last) == {"/patch/g0/gain": 4.0, "/patch/g1/gain": 5.0, "/patch/g2/gain": 6.0}, "nobody else's changes"


def test_a_layout_packs_them_as_it_packs_others(known: Mapping[str, Parameter]) -> None:
    layout = Layout(3, known.values(), known)
    chosen = selection(known[f"/patch/g{number}/gain"] for number in (5, 0, 7))
    for turn in range(3):
        moved = Together(chosen, np.array([0.1, 0.2, 0.3]) + turn)
        assert layout.packed(moved) == layout.packed(dict(moved)) == Layout(3, known.values(), known).packed(moved)


def test_an_outbox_tells_the_last_of_each(known: Mapping[str, Parameter]) -> None:
    chosen = selection(known[f"/patch/g{number}/gain"] for number in range(3))
    box = Outbox(lambda data: repr({**data, "values": dict(data["values"])}), lambda data: iter([("values", data)]))
    for by, value in (("one", 0.1), ("one", 0.2)):
        box.push("values", {"by": by, "values": Together(chosen, np.full(3, value))})
    values = dict.fromkeys(chosen.addresses, 0.2)
    assert box.take() == repr({"on": "values", "by": "one", "values": values})
    box.push("values", {"by": "one", "values": Together(chosen, np.full(3, 0.3))})
    box.push("values", {"by": "two", "values": {chosen.addresses[1]: 0.4}})
    values = dict.fromkeys(chosen.addresses, 0.3) | {chosen.addresses[1]: 0.4}
    assert box.take() == repr({"on": "values", "by": "", "values": values}) and box.take() is None


def test_many_that_move_time_and_again_are_told_25_times_a_second(
    known: Mapping[str, Parameter], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("nodegraph.session.moves.time.monotonic", lambda: now)
    places, few = places_of(known, list(range(COUNT))), places_of(known, [0, 1])
    made = moves_of(known)
    told = []
    for frame in range(100):
        made.note(Act(0, "sets", (places, np.full(COUNT, 0.1 + 0.005 * frame))))
        found = made.taken()[1]
        told.append(dict(found))
        now += 0.01
    assert 20 <= sum(bool(item) for item in told) <= 26 and told[0]
    now += 0.05
    last = told[-1] or made.taken()[1]
    assert set(last.values()) == {0.1 + 0.005 * 99}, "the last of them is told when they stand still"
    for frame in range(10):
        made.note(Act(0, "sets", (few, np.full(2, 0.3 + 0.01 * frame))))
        assert made.taken()[1], "a few are told at once"
    made.note(Act(0, "sets", (places, np.full(COUNT, 0.9))))
    made.note(Act(0, "set", (*places[3], 0.2)))
    assert made.taken()[1] == dict.fromkeys(made.live, 0.9) | {"/patch/g3/gain": 0.2}
