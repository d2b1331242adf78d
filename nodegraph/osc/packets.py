"""OSC packets from strangers: bytes into messages, or one kind of error.

Everything is bounded: the size of a packet, how deep bundles and lists lie in one another, how many messages and
arguments there are. Nothing is evaluated, nothing waits, and no other exception than `OscError` comes out.

Source: M. Wright, "The Open Sound Control 1.0 Specification", 2002; A. Freed, A. Schmeder, "Features and Future of Open
Sound Control version 1.1", NIME 2009.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any, Final, NamedTuple

from nodegraph.core.errors import NodegraphError, Problem
from nodegraph.core.messages import BANG

LARGEST: Final = 65_536
"""Bytes of a packet."""
DEEPEST: Final = 8
"""Bundles in bundles, and lists in lists."""
MOST_MESSAGES: Final = 4_096
MOST_ARGS: Final = 16_384
"""Arguments of all messages of a packet together."""
LONGEST_ADDRESS: Final = 512
BUNDLE: Final = b"#bundle\0"
AT_ONCE: Final = 1
"""The time tag that means: immediately."""

_I32, _I64 = Struct(">i"), Struct(">q")
_F32, _F64, _U64 = Struct(">f"), Struct(">d"), Struct(">Q")


class OscError(NodegraphError):
    """A packet is no OSC, or OSC beyond the bounds."""


class TimeTag(NamedTuple):
    """A time as an argument: seconds since 1900, as NTP counts."""

    seconds: float


class Colour(NamedTuple):
    """An argument of type ``r``: 0 to 255 each."""

    red: int
    green: int
    blue: int
    alpha: int


class MidiBytes(NamedTuple):
    """An argument of type ``m``."""

    port: int
    status: int
    first: int
    second: int


class Timed(NamedTuple):
    """One message. `time` is when it is to act, in seconds since 1900 (NTP); None: now."""

    time: float | None
    address: str
    args: tuple[Any, ...]


def parse(data: bytes) -> list[Timed]:
    """The messages of a packet, in their order. Raises OscError, and nothing else."""
    if len(data) > LARGEST:
        raise _bad(f"it has {len(data)} bytes; {LARGEST} are the most")
    if not data or len(data) % 4:
        raise _bad(f"it has {len(data)} bytes, which is no multiple of 4")
    found: list[Timed] = []
    args = 0
    waiting: list[tuple[int, int, int, float | None]] = [(0, len(data), 0, None)]
    while waiting:
        start, end, depth, time = waiting.pop()
        if data[start : start + 8] != BUNDLE:
            if len(found) >= MOST_MESSAGES:
                raise _bad(f"it has more than {MOST_MESSAGES} messages")
            message = _message(data, start, end, time)
            args += len(message.args)
            if args > MOST_ARGS:
                raise _bad(f"it has more than {MOST_ARGS} arguments")
            found.append(message)
            continue
        if depth >= DEEPEST:
            raise _bad(f"bundles lie more than {DEEPEST} deep in one another")
        waiting.extend(reversed(_elements(data, start, end, depth + 1)))
        if len(waiting) > MOST_MESSAGES:
            raise _bad(f"it has more than {MOST_MESSAGES} messages")
    return found


def _elements(data: bytes, start: int, end: int, depth: int) -> list[tuple[int, int, int, float | None]]:
    """What lies in a bundle: where each begins and ends."""
    at = start + 16
    if at > end:
        raise _bad("a bundle ends before its time tag")
    time = seconds_of(_U64.unpack_from(data, start + 8)[0])
    found = []
    while at < end:
        if at + 4 > end:
            raise _bad("a bundle ends within a size")
        size = _I32.unpack_from(data, at)[0]
        at += 4
        if size <= 0 or size % 4 or at + size > end:
            raise _bad(f"a bundle has an element of {size} bytes")
        found.append((at, at + size, depth, time))
        at += size
    return found


def seconds_of(tag: int) -> float | None:
    """A time tag's 64 bits as seconds since 1900; None for the one that means now."""
    return None if tag == AT_ONCE else tag / 4_294_967_296.0


def _message(data: bytes, start: int, end: int, time: float | None) -> Timed:
    address, at = _text(data, start, end)
    if not address.startswith("/") or len(address) > LONGEST_ADDRESS or not address.isprintable():
        raise _bad("an address does not begin with '/', is too long, or has characters that none has")
    if at >= end:
        return Timed(time, address, ())  # of old senders that leave out the types of nothing
    types, at = _text(data, at, end)
    if not types.startswith(","):
        raise _bad("a message does not say the types of its arguments")
    if len(types) > MOST_ARGS:
        raise _bad(f"it has more than {MOST_ARGS} arguments")
    lists: list[list[Any]] = [[]]
    for letter in types[1:]:
        if letter in CONSTANTS:
            lists[-1].append(CONSTANTS[letter])
        elif letter == "[":
            if len(lists) > DEEPEST:
                raise _bad(f"lists lie more than {DEEPEST} deep in one another")
            lists.append([])
        elif letter == "]":
            if len(lists) == 1:
                raise _bad("a list ends that has not begun")
            inner = tuple(lists.pop())
            lists[-1].append(inner)
        elif letter in FIXED:
            size, read = FIXED[letter]
            if at + size > end:
                raise _bad(f"it ends within an argument of type '{letter}'")
            lists[-1].append(read(data, at))
            at += size
        elif letter in "sS":
            text, at = _text(data, at, end)
            lists[-1].append(text)
        elif letter == "b":
            blob, at = _blob(data, at, end)
            lists[-1].append(blob)
        else:
            raise _bad(f"there is no type {letter!r}")
    if len(lists) > 1:
        raise _bad("a list does not end")
    if at != end:
        raise _bad(f"{end - at} bytes are left over behind a message's arguments")
    return Timed(time, address, tuple(lists[0]))


def _text(data: bytes, at: int, end: int) -> tuple[str, int]:
    """The text at a place, and where it goes on."""
    stop = data.find(0, at, end)
    after = stop + 4 - (stop - at) % 4
    if stop < 0 or after > end:
        raise _bad("a text does not end")
    try:
        return data[at:stop].decode(), after
    except UnicodeDecodeError:
        raise _bad("a text is no UTF-8") from None


def _blob(data: bytes, at: int, end: int) -> tuple[bytes, int]:
    if at + 4 > end:
        raise _bad("it ends within an argument of type 'b'")
    size = _I32.unpack_from(data, at)[0]
    after = at + 4 + size + (-size % 4)
    if size < 0 or after > end:
        raise _bad(f"it has a blob of {size} bytes")
    return data[at + 4 : at + 4 + size], after


def _character(data: bytes, at: int) -> str:
    code = _I32.unpack_from(data, at)[0]
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else ""


CONSTANTS: Final[dict[str, Any]] = {"T": True, "F": False, "N": None, "I": BANG}
FIXED: Final[dict[str, tuple[int, Callable[[bytes, int], Any]]]] = {
    "i": (4, lambda data, at: _I32.unpack_from(data, at)[0]),
    "f": (4, lambda data, at: _F32.unpack_from(data, at)[0]),
    "h": (8, lambda data, at: _I64.unpack_from(data, at)[0]),
    "d": (8, lambda data, at: _F64.unpack_from(data, at)[0]),
    "t": (8, lambda data, at: TimeTag(_U64.unpack_from(data, at)[0] / 4_294_967_296.0)),
    "c": (4, _character),
    "r": (4, lambda data, at: Colour(*data[at : at + 4])),
    "m": (4, lambda data, at: MidiBytes(*data[at : at + 4])),
}


def _bad(why: str) -> OscError:
    return OscError(Problem("bad-osc", f"A packet was not understood: {why}.", "Look at what sends it."))
