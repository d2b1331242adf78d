"""What we send is what others read."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage

from nodegraph.core.messages import BANG, Note, NoteExpression, Tag
from nodegraph.osc.building import Floats, arguments, bundle, message, time_tag
from nodegraph.osc.packets import OscError, Timed, parse


def read_back(*args: Any) -> tuple[Any, ...]:
    (found,) = parse(message("/x", args))
    return found.args


@pytest.mark.parametrize(
    ("value", "types"),
    [(5, "i"), (2**31 - 1, "i"), (2**31, "h"), (-(2**31), "i"), (2**63 - 1, "h"), (2**64, "d"), (0.25, "f"),
     (1e300, "d"), (math.inf, "f"), ("word", "s"), ("", "s"), ("♪", "s"), (b"bytes", "b"), (True, "T"), (False, "F"),
     (None, "N"), ((1, (2.0, "a"), True), "[i[fs]T]"), ((), "[]"), (b"", "N"),
     ([1, 2], "[ii]"), ((1, 2, 3, 4), "[iiii]"),
     (np.float32(0.5), "f"), (np.int64(3), "i"), (np.array([1.0, 2.0]), "[ff]")],
    ids=repr,
)  # fmt: skip
def test_every_value_has_a_type(value: Any, types: str) -> None:
    data = message("/x", (value,))
    assert b"," + types.encode() + b"\0" in data
    (back,) = read_back(value)
    if isinstance(value, np.ndarray):
        assert back == tuple(value)
    elif types[0] == "[":
        assert back == (tuple(value) if isinstance(value, list) else value)
    else:
        assert back == (None if types == "N" else value)
    if types != "[i[fs]T]":  # python-osc reads it too
        assert OscMessage(data).address == "/x"


@pytest.mark.parametrize("value", [object(), {"a": 1}, {1}])
def test_what_osc_cannot_carry_is_refused(value: Any) -> None:
    with pytest.raises(OscError, match="cannot be sent"):
        message("/x", (value,))


@pytest.mark.parametrize("address", ["x", "", "/a\0b"])
def test_an_address_begins_with_a_slash(address: str) -> None:
    with pytest.raises(OscError, match="no OSC address"):
        message(address)


def test_lists_deeper_than_anybody_reads_are_refused() -> None:
    deep: Any = 1
    for _ in range(200):
        deep = (deep,)
    with pytest.raises(OscError):
        message("/x", (deep,))
    parse(message("/x", arguments(deep)))


@pytest.mark.parametrize(
    ("said", "args"),
    [(BANG, ()), (3, (3,)), ("go", ("go",)), ((1, "a"), (1, "a")), (Note(60, 0.5), (60, 0.5)),
     (Note(60, 0.5, 2.0), (60, 0.5, 2.0)), (Tag("Speech", 0.25), ("Speech", 0.25)),
     (NoteExpression(60, "bend", 0.5), (60, "bend", 0.5)), ((1, object(), 2), (1, 2)), (object(), ())],
)  # fmt: skip
def test_messages_of_a_patch_have_arguments(said: Any, args: tuple[Any, ...]) -> None:
    assert arguments(said) == args
    message("/x", arguments(said))


SCALARS = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.floats(width=32, allow_nan=False), st.booleans(), st.none(),
    st.binary(min_size=1), st.text().filter(lambda text: "\0" not in text),
)  # fmt: skip


@given(st.lists(st.one_of(SCALARS, st.lists(SCALARS, min_size=1, max_size=4).map(tuple)), max_size=8))
def test_what_is_sent_comes_back(args: list[Any]) -> None:
    assert read_back(*args) == tuple(args)


def test_a_bundle_is_read_by_python_osc_with_its_time() -> None:
    data = bundle([message("/a", (1,)), message("/b", (2,))], time_tag(3_208_988_800.25))
    theirs = OscBundle(data)
    assert theirs.timestamp == pytest.approx(1_000_000_000.25)
    assert [part.address for part in theirs] == ["/a", "/b"]
    assert parse(data) == [Timed(3_208_988_800.25, "/a", (1,)), Timed(3_208_988_800.25, "/b", (2,))]
    assert parse(bundle([message("/a")])) == [Timed(None, "/a", ())]


def test_messages_of_one_number_are_those_of_python_osc() -> None:
    floats = Floats()
    for value in (0.0, 1.5, -2.25, 1e30):
        assert floats.message("/patch/a/b", value) == message("/patch/a/b", (value,))
    assert parse(floats.message("/x", 1e300))[0].args[0] < math.inf
