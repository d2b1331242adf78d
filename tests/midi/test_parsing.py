"""The parser: what the specification says, any split, and whatever else may come."""

from __future__ import annotations

import random
import time

import pytest

from nodegraph.midi.parsing import MOST_SYSEX, Parser

ON, OFF, CLOCK = bytes((0x90, 60, 100)), bytes((0x80, 60, 64)), b"\xf8"
STREAMS = 100_000
CPU_S = 0.001


@pytest.mark.parametrize(
    ("stream", "messages"),
    [
        (ON + OFF, [ON, OFF]),
        (bytes((0x90, 60, 100, 62, 101, 60, 0)), [ON, bytes((0x90, 62, 101)), bytes((0x90, 60, 0))]),
        (bytes((0x90, 60, 0xF8, 100)), [CLOCK, ON]),
        (bytes((0xF0, 1, 0xF8, 2, 0xFA, 0xF7)), [CLOCK, b"\xfa", bytes((0xF0, 1, 2, 0xF7))]),
        (bytes((0xC3, 5, 6)), [bytes((0xC3, 5)), bytes((0xC3, 6))]),
        (bytes((0xF2, 1, 2, 3)), [bytes((0xF2, 1, 2))]),
        (bytes((0xF1, 0x23, 0xF6, 0xF3, 4)), [bytes((0xF1, 0x23)), b"\xf6", bytes((0xF3, 4))]),
        (bytes((0xF0, 1, 2)) + ON, [ON]),
        (bytes((0x90, 60)) + OFF, [OFF]),
        (bytes((60, 100, 0xF4, 0xF5, 0xF7, 0xF9, 0xFD)), []),
        (bytes((0x90, 60, 100, 0xF4, 62, 100)), [ON]),
        (bytes((0x90, 60, 100, 0xF8, 62, 100)), [ON, CLOCK, bytes((0x90, 62, 100))]),
        (b"\xff\xfe\xfb\xfc", [b"\xff", b"\xfe", b"\xfb", b"\xfc"]),
        (b"\xf0\xf7", [b"\xf0\xf7"]),
    ],
)
def test_streams_are_read_as_the_specification_says_however_they_are_split(
    stream: bytes, messages: list[bytes]
) -> None:
    assert Parser().feed(stream) == messages
    for size in (1, 2, 3):
        parser = Parser()
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert [message for piece in pieces for message in parser.feed(piece)] == messages


def test_a_system_exclusive_message_that_is_too_long_is_left_out_and_the_next_is_not() -> None:
    parser = Parser()
    assert parser.feed(b"\xf0" + bytes(MOST_SYSEX - 2) + b"\xf7") == [b"\xf0" + bytes(MOST_SYSEX - 2) + b"\xf7"]
    assert parser.feed(b"\xf0" + bytes(MOST_SYSEX - 1) + b"\xf7") == []
    assert (parser.broken, parser.feed(ON)) == (1, [ON])
    for _ in range(100):  # it holds no more than it may
        parser.feed(bytes(10_000))
    assert len(parser._data) < 3 and parser._sysex is None
    endless = Parser(most_sysex=64)
    endless.feed(b"\xf0")
    for _ in range(100):
        assert endless.feed(b"\x01" * 50 + CLOCK) == [CLOCK]
    assert endless._sysex is None


def test_every_data_byte_is_in_one_message_or_counted() -> None:
    choose = random.Random(1)
    for _ in range(2_000):
        parser = Parser(most_sysex=32)
        stream = _stream(choose)
        messages = parser.feed(stream) + parser.feed(b"\xf6")  # what was open is over
        came, gone = (sum(byte < 0x80 for byte in data) for data in (stream, b"".join(messages)))
        assert gone <= came <= gone + parser.skipped
        for message in messages:
            assert message[0] >= 0x80 and all(byte < 0x80 for byte in message[1:-1])


def test_a_hundred_thousand_mutated_streams_raise_nothing_and_take_no_time() -> None:
    """CPU time of this thread, the least of three tries where one seems slow: what others do here does not count."""
    choose = random.Random(2)
    slowest = 0.0
    for _ in range(STREAMS):
        stream = _stream(choose)
        took = _took(stream)
        if took > CPU_S:
            took = min(took, *(_took(stream) for _ in range(3)))
        slowest = max(slowest, took)
    assert slowest < CPU_S, f"{slowest * 1e3:.3f} ms"


def _took(stream: bytes) -> float:
    began = time.thread_time()
    for message in Parser(most_sysex=256).feed(stream):
        assert message
    return time.thread_time() - began


def _stream(choose: random.Random) -> bytes:
    """Good messages, then bytes changed, cut out, repeated and put in."""
    made = bytearray()
    for _ in range(choose.randrange(1, 12)):
        kind = choose.randrange(6)
        if kind < 4:
            status = choose.choice((0x80, 0x90, 0xA0, 0xB0, 0xE0)) | choose.randrange(16)
            made += bytes((status, choose.randrange(128), choose.randrange(128)))
        elif kind == 4:
            made += b"\xf0" + choose.randbytes(choose.randrange(40)).translate(_SEVEN) + b"\xf7"
        else:
            made.append(choose.choice((0xF8, 0xFA, 0xFC, 0xFE, 0xF6)))
    for _ in range(choose.randrange(6)):
        at = choose.randrange(len(made) + 1)
        what = choose.randrange(4)
        if what == 0 and at < len(made):
            made[at] = choose.randrange(256)
        elif what == 1:
            del made[at : at + choose.randrange(4)]
        elif what == 2:
            made[at:at] = choose.randbytes(choose.randrange(5))
        else:
            made[at:at] = made[: choose.randrange(8)]
    return bytes(made)


_SEVEN = bytes(byte & 127 for byte in range(256))
