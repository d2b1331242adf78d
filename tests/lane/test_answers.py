"""Answers keep what a model said, and when."""

import msgpack
import numpy as np
import pytest

from nodegraph.core import BANG, At, Note, Tag, WorkerError
from nodegraph.runtime.lane.answers import pack_answer, unpack_items
from tests.lane.fake_listeners import ClipListener

SPEC = ClipListener.spec


def over_the_wire(answer, end_frame=1_000, rate=100):
    packed = msgpack.packb(pack_answer(SPEC, answer, end_frame, rate))
    return unpack_items(msgpack.unpackb(packed, strict_map_key=False))


@pytest.mark.parametrize(
    "message", [1, 0.5, "ouch", BANG, True, (1, "two", (3.0,)), Tag("Crow", 0.9), Note(60.5, 0.5), Note(60.0, 0.0, 1.5)]
)
def test_every_kind_of_message_comes_back_as_it_was(message) -> None:
    ((outlet, stamp, value),) = over_the_wire({"said": message})
    assert (outlet, stamp, value) == ("said", 1_000, message)
    assert type(value) is type(message)


def test_numbers_of_numpy_are_numbers() -> None:
    answer = {"said": [np.float32(0.5), np.int64(3), Tag("a", np.float32(0.25)), np.array([1.0, 2.0])]}
    assert [value for _, _, value in over_the_wire(answer)] == [0.5, 3, Tag("a", 0.25), (1.0, 2.0)]


def test_a_tensor_is_float32_and_keeps_its_shape() -> None:
    given = np.arange(6).reshape(2, 3).T  # not contiguous, not float
    ((_, _, value),) = over_the_wire({"clip": given})
    assert value.dtype == np.float32
    np.testing.assert_array_equal(value, given)


def test_items_stand_by_stamp_then_by_outlet_then_as_they_were_said() -> None:
    answer = {"said": [At(0.05, "late"), "now", At(0.05, "later"), At(0.01, "soon")], "level": 1.0, "clip": np.zeros(1)}
    order = [(stamp, outlet, value if outlet == "said" else None) for outlet, stamp, value in over_the_wire(answer)]
    assert order == [
        (1_000, "clip", None), (1_000, "level", None), (1_000, "said", "now"), (1_001, "said", "soon"),
        (1_005, "said", "late"), (1_005, "said", "later"),
    ]  # fmt: skip


@pytest.mark.parametrize("nothing", [None, {}, {"said": []}, {"said": None, "clip": None}])
def test_no_answer_is_an_answer(nothing) -> None:
    assert over_the_wire(nothing) == []


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"sayed": 1}, "'sayed', which is no outlet. Outlets are 'clip', 'level', 'said'"),
        ([1], "a value of type list"),
        ({"said": object()}, "a value of type object on 'said'"),
        ({"clip": "text"}, "A tensor outlet takes an array"),
    ],
)
def test_what_no_cable_can_carry_is_refused_by_name(answer, text) -> None:
    with pytest.raises(WorkerError, match=text):
        pack_answer(SPEC, answer, 0, 100)
