"""What we send as OSC: messages and bundles as bytes, built by python-osc.

=======================================  ====================================================================
a value                                  becomes
=======================================  ====================================================================
whole number                             ``i``, beyond 32 bits ``h``, beyond 64 bits ``d``
number                                   ``f``, beyond what that can hold ``d``
text                                     ``s`` (up to its first NUL)
bytes                                    ``b``; none at all are ``N``, as python-osc writes no empty blob
True, False, None, bang among others     ``T``, ``F``, ``N``, ``N``
list in a list                           an array, ``[`` … ``]``
bang alone                               no argument
note, tag, note expression               its fields one after another; what it does not have is left out
=======================================  ====================================================================
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from typing import Any, Final

from nodegraph.core.errors import Problem
from nodegraph.core.messages import BANG, Note, NoteExpression, Tag
from nodegraph.osc.packets import BUNDLE, DEEPEST, OscError

LARGEST_FLOAT: Final = 3.4028235677973366e38
"""What rounds to a float32 that is finite lies below it."""
MOST_ITEMS: Final = 4_096
SENDABLE: Final = (bool, int, float, str, bytes, tuple, list, type(BANG), type(None))
AT_ONCE: Final = struct.pack(">Q", 1)


def arguments(message: Any) -> tuple[Any, ...]:
    """A message of a patch as the arguments of an OSC message, lists cut at their bounds. What OSC has no word for is
    left out."""
    if message is BANG:
        return ()
    if isinstance(message, (Note, Tag, NoteExpression)):
        return tuple(item for item in message if item is not None)
    items = message[:MOST_ITEMS] if isinstance(message, (tuple, list)) else (message,)
    return tuple(_plain(item, 0) for item in items if isinstance(item, SENDABLE))


def _plain(item: Any, depth: int) -> Any:
    if isinstance(item, (tuple, list)):
        inner = item[:MOST_ITEMS] if depth < DEEPEST - 2 else ()
        return tuple(_plain(inside, depth + 1) for inside in inner if isinstance(inside, SENDABLE))
    return item


def message(address: str, args: Iterable[Any] = ()) -> bytes:
    """One message. Raises OscError when an argument is nothing that OSC can carry, or the address none."""
    from pythonosc.osc_message_builder import BuildError, OscMessageBuilder

    if not address.startswith("/") or "\0" in address:
        raise OscError(Problem("bad-address", f"{address!r} is no OSC address.", "Begin it with '/'."))
    builder = OscMessageBuilder(_sendable(address))
    try:
        for item in args:
            value, kind = _typed(item, 0)
            builder.add_arg(value, kind)
        return bytes(builder.build().dgram)
    except (BuildError, ValueError, OverflowError, TypeError) as error:
        raise OscError(Problem("bad-osc", f"{address} cannot be sent: {error}.")) from None


def _typed(item: Any, depth: int) -> tuple[Any, Any]:
    """A value, and its type for python-osc: a letter, or a list of types."""
    if isinstance(item, bool):
        return item, "T" if item else "F"
    if item is None or item is BANG:
        return None, "N"
    if isinstance(item, str):
        return _sendable(item), "s"
    if isinstance(item, (bytes, bytearray, memoryview)):
        return (bytes(item), "b") if len(item) else (None, "N")
    listed = getattr(item, "tolist", None)  # NumPy's numbers and arrays
    if callable(listed):
        return _typed(listed(), depth)
    if isinstance(item, int):
        if -(2**31) <= item < 2**31:
            return item, "i"
        if -(2**63) <= item < 2**63:
            return item, "h"
        try:
            return float(item), "d"
        except OverflowError:
            return math.copysign(math.inf, item), "d"
    if isinstance(item, float):
        return item, "f" if not math.isfinite(item) or abs(item) < LARGEST_FLOAT else "d"
    if isinstance(item, (tuple, list)) and depth < DEEPEST and len(item) <= MOST_ITEMS:
        typed = [_typed(inner, depth + 1) for inner in item]
        return [value for value, _ in typed], [kind for _, kind in typed]
    raise OscError(Problem("bad-osc", f"A {type(item).__name__} cannot be sent.", "Send numbers, texts and lists."))


def _sendable(text: str) -> str:
    return text.partition("\0")[0].encode("utf-8", "replace").decode()


def bundle(packets: Sequence[bytes], tag: bytes = AT_ONCE) -> bytes:
    """Several packets as one, that act at `tag` (`time_tag`)."""
    parts = [BUNDLE, tag]
    for packet in packets:
        parts += (struct.pack(">i", len(packet)), packet)
    return b"".join(parts)


def time_tag(seconds: float) -> bytes:
    """The time tag of a time in seconds since 1900 (NTP)."""
    whole = min(max(round(seconds * 4_294_967_296.0), 2), 2**64 - 1)
    return struct.pack(">Q", whole)


class Floats:
    """Messages of one number each, of addresses that come again and again: all but the number is kept."""

    def __init__(self) -> None:
        self._heads: dict[str, bytes] = {}

    def message(self, address: str, value: float) -> bytes:
        """A message with one float32."""
        head = self._heads.get(address)
        if head is None:
            if len(self._heads) >= 65_536:
                self._heads.clear()
            head = self._heads[address] = message(address, (0.0,))[:-4]
        return head + struct.pack(">f", min(max(value, -3.4e38), 3.4e38))
