"""Packets in a stream: SLIP, as OSC 1.1 has it, and a length in front of each, as OSC 1.0 has it.

Source: J. Romkey, RFC 1055, 1988; OSC 1.0 and 1.1 (`nodegraph.osc.packets`).
"""

from __future__ import annotations

import struct
from typing import Final, Literal, Protocol

from nodegraph.core.errors import Problem
from nodegraph.osc.packets import LARGEST, OscError

END, ESC = b"\xc0", b"\xdb"
ESC_END, ESC_ESC = b"\xdb\xdc", b"\xdb\xdd"
Framing = Literal["slip", "length"]
FRAMINGS: Final[tuple[Framing, ...]] = ("slip", "length")


class Framed(Protocol):
    """Takes a stream apart into packets, piece by piece."""

    framing: Framing

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that this piece completes. Raises OscError when the stream is none, or a packet too large."""


class Slip:
    """A stream of packets between END bytes."""

    framing: Framing = "slip"

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """As `Framed.feed`."""
        self._held += data
        *whole, rest = self._held.split(END)
        self._held = rest
        if len(rest) > 2 * LARGEST:
            raise too_large()
        found = []
        for part in whole:
            if not part:
                continue
            packet = bytes(part)
            if ESC in packet:
                packet = packet.replace(ESC_END, END).replace(ESC_ESC, ESC)
            found.append(packet)
        return found


class Lengths:
    """A stream of packets, each behind its length as 32 bits."""

    framing: Framing = "length"

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """As `Framed.feed`."""
        self._held += data
        held, at, found = self._held, 0, []
        while at + 4 <= len(held):
            (size,) = struct.unpack_from(">I", held, at)
            if size > LARGEST:
                raise too_large()
            if at + 4 + size > len(held):
                break
            found.append(bytes(held[at + 4 : at + 4 + size]))
            at += 4 + size
        del held[:at]
        return found


def framed(framing: Framing) -> Framed:
    """A fresh stream of this framing."""
    return Slip() if framing == "slip" else Lengths()


def framing_of(first: bytes) -> Framing:
    """How a stream is framed whose first byte this is: no packet is so long that its length begins with another one
    than 0, and none begins with it."""
    return "length" if first[:1] == b"\0" else "slip"


def frame(packet: bytes, framing: Framing) -> bytes:
    """A packet for a stream."""
    if framing == "length":
        return struct.pack(">I", len(packet)) + packet
    return END + packet.replace(ESC, ESC_ESC).replace(END, ESC_END) + END


def too_large() -> OscError:
    """A stream whose packets are none, or without an end."""
    return OscError(Problem("bad-osc", f"A stream has a packet of more than {LARGEST} bytes.", "Look at its framing."))
