"""The pieces that the checks stand on: guard zones, comparisons to the bit, findings as data."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nodegraph.core import BANG, Note, Tag, outlet
from nodegraph.core.messages import Event
from nodegraph.validation.comparing import first_difference, first_not_finite
from nodegraph.validation.finding import Finding, Outcome, Report
from nodegraph.validation.finding import Note as Remark
from nodegraph.validation.memory import Guarded, Trespass
from nodegraph.validation.messages import first_other_event, plain, raised, unfit
from nodegraph.validation.rig import Heard
from nodegraph.validation.shrinking import MOST_TRIES, fewest, told
from nodegraph.validation.unit import blocks


@pytest.mark.parametrize(("offset", "words"), [(-1, "before the line was written to, 1 bytes before"),
                                               (-300, "300 bytes before"), (40, "after the line"),
                                               (47, "7 bytes after")])  # fmt: skip
def test_a_write_beside_an_array_is_found_with_its_distance(offset, words):
    guarded = Guarded("the line", np.zeros(10, np.float32))
    assert guarded.address % 64 == 0
    guarded.array[:] = 7.0
    guarded.check()
    guarded.raw[guarded.start + offset] = 0
    with pytest.raises(Trespass, match=words):
        guarded.check()


def test_the_first_difference_is_that_of_the_earliest_frame():
    a = {"x": np.zeros((2, 8), np.float32), "y": np.zeros((1, 8), np.float32)}
    b = {name: sound.copy() for name, sound in a.items()}
    assert first_difference(a, b) is None
    b["x"][1, 5], b["x"][0, 6], b["y"][0, 3] = 1.0, 1.0, -0.0
    found = first_difference(a, b)
    assert found is not None and found[:5] == ("y", 0, 3, "0.0", "-0.0"), "zeros of another sign are other bits"
    b["y"][0, 3] = 0.0
    assert str(first_difference(a, b)) == "'x' channel 1 frame 5: 0.0 and 1.0 (2 differ)"
    assert "shape (2, 8) and (2, 7)" in str(first_difference(a, {"x": b["x"][:, :7], "y": b["y"]}))


def test_the_same_nan_is_the_same_bits_and_no_finite_number():
    a = {"y": np.array([[0.0, 1.0, np.nan, np.inf]], np.float32)}
    assert first_difference(a, {"y": a["y"].copy()}) is None
    found = first_not_finite(a)
    assert found is not None and found[:4] == ("y", 0, 2, "nan")


def test_blocks_add_up():
    assert list(blocks(10, [3])) == [3, 3, 3, 1]
    assert list(blocks(10, [1, 4])) == [1, 4, 1, 4]
    assert list(blocks(10, None)) == [10]


def test_messages_are_equal_when_they_are_the_same_and_only_then():
    same = [math.nan, (math.nan, 1), Note(60, math.nan), np.arange(3, dtype=np.float32), BANG, "a"]
    for value in same:
        assert plain(value) == plain(value)
    for one, two in [(1, 1.0), (0.0, -0.0), ((1,), [1]), (Tag("a", 1.0), ("a", 1.0)), (True, 1), ("1", 1),
                     (np.zeros(2, np.float32), np.zeros(2))]:  # fmt: skip
        assert plain(one) != plain(two), (one, two)
    first, second = (
        [Event(frame, 0.0, value, "it", "y") for frame, value in row] for row in ([(1, 2)], [(1, 2), (3, 4)])
    )
    assert first_other_event(first, first) is None
    assert first_other_event(first, second) == (None, second[1])


@pytest.mark.parametrize("value", [1, 0.5, math.nan, "a", BANG, (1, "a", (2,)), Note(60, 1.0), Tag("a", 0.5), True])
def test_what_is_a_message(value):
    port = outlet.event("")
    assert not unfit(Event(0, 0.0, value), port)


NONE = [None, [1, 2], {"a": 1}, np.float32(1.0), np.zeros(3), (1, [2]), Tag("a", None), Note(60, None)]


@pytest.mark.parametrize("value", NONE, ids=repr)
def test_what_is_none(value):
    assert unfit(Event(0, 0.0, value), outlet.event(""))


SHAPES = [
    ((4, 9), np.float32, True),
    ((4, 9), np.float64, False),
    ((5, 9), np.float32, False),
    ((4,), np.float32, False),
]


@pytest.mark.parametrize(("shape", "dtype", "fits"), SHAPES)
def test_a_tensor_has_the_declared_shape(shape, dtype, fits):
    port = outlet.tensor("", shape=(4, "bins"))
    assert (not unfit(Event(0, 0.0, np.zeros(shape, dtype)), port)) is fits


def test_an_error_that_a_node_let_out_is_told_with_the_message_that_came():
    heard = Heard(np.zeros((1, 1), np.float32), reports=[
        (5, "it", "'freq' takes numbers, not 'x'."), (7, "it", "ValueError: odd\nvalue (nodes.py:12)"),
    ])  # fmt: skip
    found = raised(heard, [(5, "it", "x", 1), (7, "it", "x", "word")])
    assert found is not None and found.frame == 7 and "'word' to 'x'" in found.when and "ValueError" in found.what
    assert raised(Heard(heard.audio, reports=heard.reports[:1])) is None, "a refused value is no error of the node"


def test_findings_survive_the_way_between_processes():
    finding = Finding("broken", "y", 0, 17, ("0.5", "nan"), "blocks of [1]")
    assert finding.describe() == "broken: 'y', channel 0, frame 17: 0.5 and nan (blocks of [1])"
    outcome = Outcome("blocks", "failed", 0.25, (finding, Finding("bare")), (Remark("1 ns", "ns", 1.0), Remark("x")))
    assert Outcome.from_dict(outcome.as_dict()) == outcome
    skipped = Outcome("clips", "skipped", 0.0, why="no model")
    assert Outcome.from_dict(skipped.as_dict()) == skipped
    report = Report("a~", "kernel", (outcome, skipped))
    assert report.failed == (outcome,) and report.note("ns") == Remark("1 ns", "ns", 1.0)


def test_of_many_messages_the_few_that_do_the_harm_are_left():
    posts = [(frame, "it", "x", frame) for frame in range(500)]
    tries = []

    def harm(fewer):
        tries.append(fewer)
        return {17, 481} <= {frame for frame, *_ in fewer}

    few = fewest(posts, harm)
    assert [frame for frame, *_ in few] == [17, 481] and len(tries) <= MOST_TRIES
    assert told(few) == "after 17 to 'x' at frame 17, 481 to 'x' at frame 481"
    assert told(posts).startswith("after 494 messages and 494 to 'x'") and told([]) == ""


def test_harm_that_takes_all_messages_keeps_all_within_the_tries():
    posts = [(frame, "it", "x", 1) for frame in range(300)]
    assert fewest(posts, lambda fewer: len(fewer) == 300) == posts
