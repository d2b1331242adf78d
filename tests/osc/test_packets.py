"""Packets of others are understood, and whatever else comes is refused: by one kind of error, in little time."""

from __future__ import annotations

import random
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from nodegraph.core.messages import BANG
from nodegraph.osc import packets
from nodegraph.osc.packets import Colour, MidiBytes, OscError, Timed, TimeTag, parse


def encoded(address: str, *args: tuple[object, str]) -> bytes:
    """A message by python-osc, which knows nothing of us."""
    builder = OscMessageBuilder(address)
    for value, kind in args:
        builder.add_arg(value, kind)  # type: ignore[arg-type]
    return bytes(builder.build().dgram)


def bundled(when: float, *parts: bytes) -> bytes:
    tag = 1 if when == 0 else round(when * 2**32)
    return b"#bundle\0" + struct.pack(">Q", tag) + b"".join(struct.pack(">i", len(part)) + part for part in parts)


def raw(types: str, data: bytes = b"", address: bytes = b"/a\0\0") -> bytes:
    text = types.encode() + b"\0"
    return address + text + b"\0" * (-len(text) % 4) + data


def args_of(data: bytes) -> tuple[object, ...]:
    (message,) = parse(data)
    return message.args


@pytest.mark.parametrize(
    ("value", "kind"),
    [(7, "i"), (-(2**31), "i"), (0.5, "f"), ("text", "s"), ("", "s"), ("grün ♪", "s"), (b"\1\2\3", "b"),
     (2**40, "h"), (-(2**63), "h"), (1 / 3, "d"), (True, "T"), (False, "F"), (None, "N")],
)  # fmt: skip
def test_what_python_osc_writes_is_read(value: object, kind: str) -> None:
    assert parse(encoded("/some/where", (value, kind))) == [Timed(None, "/some/where", (value,))]


def test_types_that_python_osc_does_not_write() -> None:
    assert args_of(raw(",I")) == (BANG,)
    assert args_of(raw(",b", b"\0\0\0\0")) == (b"",)
    assert args_of(raw(",S", b"word\0\0\0\0")) == ("word",)
    assert args_of(raw(",c", b"\0\0\0x")) == ("x",)
    assert args_of(raw(",r", b"\1\2\3\xff")) == (Colour(1, 2, 3, 255),)
    assert args_of(raw(",m", b"\0\x90\x3c\x7f")) == (MidiBytes(0, 0x90, 60, 127),)
    assert args_of(raw(",t", struct.pack(">Q", 3 << 31))) == (TimeTag(1.5),)
    assert args_of(raw(",[i[f]N]T", struct.pack(">if", 5, 0.25))) == ((5, (0.25,), None), True)
    assert args_of(b"/a\0\0") == (), "old senders leave out the types of nothing"


def test_bundles_keep_their_order_and_each_its_time() -> None:
    inner = bundled(20.5, raw(",i", b"\0\0\0\2"))
    data = bundled(0, raw(",i", b"\0\0\0\1"), inner, raw(",i", b"\0\0\0\3"))
    assert parse(data) == [Timed(None, "/a", (1,)), Timed(20.5, "/a", (2,)), Timed(None, "/a", (3,))]
    assert parse(bundled(10.0)) == []
    built = OscBundleBuilder(1_000_000_000)  # python-osc counts from 1970
    built.add_content(OscMessageBuilder("/x").build())
    assert parse(built.build().dgram) == [Timed(3_208_988_800.0, "/x", ())]


DEEP = raw(",i", b"\0\0\0\1")
for _ in range(packets.DEEPEST):
    DEEP = bundled(0, DEEP)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "0 bytes"),
        (b"/ab", "multiple of 4"),
        (b"/" + b"a" * packets.LARGEST + b"\0\0\0", "are the most"),
        (b"abc\0,\0\0\0", "does not begin"),
        (b"/" + b"a" * 600 + b"\0\0\0,\0\0\0", "too long"),
        (b"/\n\0\0,\0\0\0", "has characters"),
        (b"/abc", "does not end"),
        (b"/a\0\0i\0\0\0", "types"),
        (b"/\xff\0\0,\0\0\0", "UTF-8"),
        (raw(",i"), "ends within"),
        (raw(",h", b"\0" * 4), "ends within"),
        (raw(",s", b"abcd"), "does not end"),
        (raw(",b", b"\0\0\0\x09abcd"), "a blob of 9"),
        (raw(",b", b"\xff\xff\xff\xfcabcd"), "a blob of -4"),
        (raw(",x"), "no type 'x'"),
        (raw(",["), "does not end"),
        (raw(",]"), "not begun"),
        (raw("," + "[" * 40 + "]" * 40), "lists lie more than 8 deep"),
        (raw(",", b"\0\0\0\0"), "left over"),
        (raw("," + "T" * 20_000), "arguments"),
        (b"#bundle\0\0\0\0\0", "time tag"),
        (bundled(0) + b"\0\0\0\4", "element of 4 bytes"),
        (bundled(0) + b"\0\0\0\3abcd", "element of 3 bytes"),
        (bundled(0) + b"\xff\xff\xff\xfc", "element of -4 bytes"),
        (bundled(0, DEEP), "8 deep"),
        (bundled(0, *[b"/a\0\0"] * 5_000), "more than 4096 messages"),
        (bundled(0, *[raw("," + "T" * 9_000)] * 2), "more than 16384 arguments"),
    ],
)
def test_what_is_no_osc_is_refused_in_words(data: bytes, says: str) -> None:
    with pytest.raises(OscError, match=says) as caught:
        parse(data)
    assert [problem.code for problem in caught.value.problems] == ["bad-osc"]


def test_the_deepest_bundle_and_the_fullest_packet_are_taken() -> None:
    assert parse(DEEP) == [Timed(None, "/a", (1,))]
    assert len(parse(bundled(0, *[b"/a\0\0"] * packets.MOST_MESSAGES))) == packets.MOST_MESSAGES


@given(st.binary(max_size=200))
def test_any_bytes_are_messages_or_an_error(data: bytes) -> None:
    for candidate in (data, b"/a\0\0," + data, bundled(0, data), data + b"\0" * (-len(data) % 4)):
        try:
            assert all(isinstance(message, Timed) for message in parse(candidate))
        except OscError as error:
            assert str(error)


def seeds() -> list[bytes]:
    """Packets as they come: single messages of every type, bundles, bundles in bundles."""
    one = encoded("/patch/cut/cutoff", (440.0, "f"))
    mixed = encoded("/note", (60, "i"), (0.5, "f"), ("piano", "s"), (b"blob!", "b"), (True, "T"), (None, "N"))
    lists = raw(",[i[f]N]Tt", struct.pack(">ifQ", 5, 0.25, 77))
    faders = bundled(3.9e9, *[encoded(f"/patch/g{k}/gain", (0.5, "f")) for k in range(32)])
    return [one, mixed, lists, faders, bundled(0, one, bundled(9.0, mixed, lists)), DEEP, b"/a\0\0", bundled(0)]


def mutated(chance: random.Random, data: bytes) -> bytes:
    """Some bytes are others; pieces are cut out, doubled, moved; sizes lie."""
    made = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        if not made:
            return bytes(made)
        at = chance.randrange(len(made))
        what = chance.randrange(6)
        if what == 0:
            made[at] = chance.randrange(256)
        elif what == 1:
            made[at] ^= 1 << chance.randrange(8)
        elif what == 2:
            del made[at : at + chance.randrange(1, 9)]
        elif what == 3:
            made[at:at] = made[at : at + chance.randrange(1, 65)]
        elif what == 4:
            place = at & ~3
            made[place : place + 4] = struct.pack(">I", chance.choice((0, 1, 4, 0x7FFFFFFF, 0xFFFFFFFF, len(made))))
        else:
            del made[at:]
    return bytes(made)


def test_a_hundred_thousand_mutated_packets_raise_nothing_else_and_cost_little() -> None:
    """Each under a millisecond: of three tries the fastest, in the thread's own time, so that a busy machine has no
    part in it."""
    chance = random.Random(1)
    every = seeds()
    refused = 0
    slow: list[tuple[float, bytes]] = []
    for _ in range(100_000):
        data = mutated(chance, chance.choice(every))
        tries = []
        for _ in range(5):
            begins = time.thread_time()
            try:
                parse(data)
            except OscError:
                refused += not tries
            tries.append(time.thread_time() - begins)
            if tries[-1] < 0.001:
                break
        if min(tries) >= 0.001:
            slow.append((min(tries), data))
    assert not slow
    assert 50_000 < refused < 99_000, "some are still OSC, most are not"
