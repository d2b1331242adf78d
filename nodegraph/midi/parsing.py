"""A stream of bytes as whole MIDI messages. Whatever comes, it raises nothing and keeps no more than it is allowed to.

Source: MIDI 1.0 Detailed Specification 4.2 (1996): running status, real-time messages inside others, system exclusive.
"""

from __future__ import annotations

import re
from typing import Final

MOST_SYSEX: Final = 65_536
"""Bytes of a system exclusive message, its ends included."""
DATA_BYTES: Final = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
COMMON_BYTES: Final = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0}
REAL_TIME: Final = frozenset({0xF8, 0xFA, 0xFB, 0xFC, 0xFE, 0xFF})
_DATA: Final = re.compile(rb"[\x00-\x7f]*")


class Parser:
    """Bytes in, messages out. One a port; not for several threads at once."""

    def __init__(self, most_sysex: int = MOST_SYSEX) -> None:
        self.most_sysex = most_sysex
        self.skipped = 0
        """Bytes that belong to no message."""
        self.broken = 0
        """Messages that another one cut off, or that were too long."""
        self._status = 0
        self._needed = 0
        self._data = bytearray()
        self._sysex: bytearray | None = None
        self._drops = False

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are whole with these bytes, in order; a real-time byte comes before what it is inside."""
        found: list[bytes] = []
        at, end = 0, len(data)
        while at < end:
            if self._sysex is not None or self._drops:
                match = _DATA.match(data, at)
                assert match is not None
                self._more(data[at : match.end()])
                at = match.end()
                if at == end:
                    break
            byte = data[at]
            at += 1
            if byte >= 0xF8:
                if byte in REAL_TIME:
                    found.append(bytes((byte,)))
                else:
                    self.skipped += 1
            elif byte >= 0x80:
                self._begin(byte, found)
            else:
                self._go_on(byte, found)
        return found

    def reset(self) -> None:
        """Forget what is incomplete: the port begins anew."""
        self._status = self._needed = 0
        self._data.clear()
        self._sysex, self._drops = None, False

    def _more(self, data: bytes) -> None:
        """Data of a system exclusive message."""
        if self._sysex is None:
            self.skipped += len(data)
        elif len(self._sysex) + len(data) + 1 > self.most_sysex:
            self.broken += 1
            self.skipped += len(self._sysex) + len(data)
            self._sysex, self._drops = None, True
        else:
            self._sysex += data

    def _begin(self, byte: int, found: list[bytes]) -> None:
        """A status byte."""
        if byte == 0xF7:
            self._end(found)
            return
        if self._sysex is not None or self._data:
            self.broken += 1
            self.skipped += len(self._sysex) if self._sysex is not None else 1 + len(self._data)
        self._sysex, self._drops = None, False
        self._data.clear()
        self._status = self._needed = 0
        if byte < 0xF0:
            self._status, self._needed = byte, DATA_BYTES[byte & 0xF0]
        elif byte == 0xF0:
            self._sysex = bytearray(b"\xf0")
        elif byte not in COMMON_BYTES:
            self.skipped += 1
        elif COMMON_BYTES[byte]:
            self._status, self._needed = byte, COMMON_BYTES[byte]
        else:
            found.append(bytes((byte,)))

    def _end(self, found: list[bytes]) -> None:
        """The end of a system exclusive message, or of nothing."""
        if self._sysex is not None:
            found.append(bytes(self._sysex) + b"\xf7")
        else:
            self.skipped += 1 + len(self._data)
        self._sysex, self._drops = None, False
        self._status = self._needed = 0
        self._data.clear()

    def _go_on(self, byte: int, found: list[bytes]) -> None:
        """A data byte."""
        if not self._status:
            self.skipped += 1
            return
        self._data.append(byte)
        if len(self._data) == self._needed:
            found.append(bytes((self._status,)) + bytes(self._data))
            self._data.clear()
            if self._status >= 0xF0:  # system common messages have no running status
                self._status = 0
