"""MIDI of a JACK client, exact to the frame both ways: ``midi_in`` and ``midi_out``, and the rings behind them."""

from __future__ import annotations

import threading
from typing import Any, Final

import numpy as np

from nodegraph.runtime.compile.memory import touched
from nodegraph.runtime.machine import libc
from nodegraph.runtime.native import words as w

RING_BYTES: Final = 1 << 20
LONGEST: Final = RING_BYTES // 4
"""Bytes of a message that goes through."""


class JackMidi:
    """The MIDI ports of one client. Python's side is for one thread at a time, the player's."""

    def __init__(self, client: Any, jack: Any) -> None:
        """Registers the ports; the client is not active yet."""
        library, ffi = jack._lib, jack._ffi
        self.client = client
        self.input = client.midi_inports.register("midi_in")
        self.output = client.midi_outports.register("midi_out")
        self.names: tuple[str, str] = (self.input.name, self.output.name)
        raw = np.zeros(w.MIDI_WORDS + 8, np.int64)
        skip = (-raw.ctypes.data % 64) // 8
        self._raw = raw
        self.words = raw[skip : skip + w.MIDI_WORDS]
        self.address = int(self.words.ctypes.data)
        self._rings = touched(np.zeros((2, RING_BYTES // 8), np.int64))
        self._ins, self._outs = (ring.view(np.uint8) for ring in self._rings)
        self._event = np.zeros(3, np.int64)
        self._open, self._closed = threading.Lock(), False
        self._met: list[set[str]] = [set(), set()]

        def number(pointer: Any) -> int:
            return int(ffi.cast("intptr_t", pointer))

        words = self.words
        words[w.M_IN_PORT], words[w.M_OUT_PORT] = number(self.input._ptr), number(self.output._ptr)
        words[w.M_GET_BUFFER] = number(library.jack_port_get_buffer)
        words[w.M_COUNT] = number(library.jack_midi_get_event_count)
        words[w.M_GET] = number(library.jack_midi_event_get)
        words[w.M_CLEAR] = number(library.jack_midi_clear_buffer)
        words[w.M_WRITE] = number(library.jack_midi_event_write)
        words[w.M_COPY] = libc("memcpy")
        words[w.M_EVENT] = self._event.ctypes.data
        words[w.M_IN_RING], words[w.M_OUT_RING] = (ring.ctypes.data for ring in self._rings)
        words[w.M_RING_BYTES] = RING_BYTES

    def read(self) -> list[tuple[int, bytes]]:
        """What has come since the last look: (frame, bytes)."""
        read, written = int(self.words[w.M_IN_READ]), int(self.words[w.M_IN_WRITTEN])
        found = []
        while read < written:
            at = read & (RING_BYTES - 1)
            size = int(self._rings[0, at // 8 + 1])
            if size == w.REST:
                read += RING_BYTES - at
                continue
            start = at + w.RECORD_BYTES
            found.append((int(self._rings[0, at // 8]), self._ins[start : start + size].tobytes()))
            read += _record(size)
        self.words[w.M_IN_READ] = read
        return found

    def write(self, frame: int, data: bytes) -> bool:
        """Send bytes at a frame, not before what was written last. False when there is no room; try again later."""
        written = int(self.words[w.M_OUT_WRITTEN])
        room = RING_BYTES - (written - int(self.words[w.M_OUT_READ]))
        at, needed = written & (RING_BYTES - 1), _record(len(data))
        rest = RING_BYTES - at if at + needed > RING_BYTES else 0
        if rest + needed > room:
            return False
        if rest:
            self._rings[1, at // 8 + 1] = w.REST
            at = 0
        start = at + w.RECORD_BYTES
        self._outs[start : start + len(data)] = np.frombuffer(data, np.uint8)
        self._rings[1, at // 8], self._rings[1, at // 8 + 1] = frame, len(data)
        self.words[w.M_OUT_WRITTEN] = written + rest + needed
        return True

    @property
    def given(self) -> bool:
        """Whether all that was written has gone out."""
        return int(self.words[w.M_OUT_READ]) >= int(self.words[w.M_OUT_WRITTEN])

    def connect(self) -> list[str]:
        """Connect physical MIDI ports that were not there at the last look, both ways. What was cut stays cut.

        Returns the names of the new ones. From any thread but the audio thread.
        """
        found: list[str] = []
        with self._open:
            if self._closed:
                return found
            for number, ours in enumerate((self.input, self.output)):
                wanted = {"is_output": True} if number == 0 else {"is_input": True}
                names = {port.name for port in self.client.get_ports(is_midi=True, is_physical=True, **wanted)}
                for name in sorted(names - self._met[number]):
                    ours.connect(name)
                    found.append(name)
                self._met[number] = names
        return found

    def close(self) -> None:
        """The client is about to close: no port is connected any more."""
        with self._open:
            self._closed = True

    def counters(self) -> dict[str, int]:
        """What went wrong so far: messages."""
        words = self.words
        return {
            "in_lost": int(words[w.M_IN_LOST]), "out_late": int(words[w.M_OUT_LATE]),
            "out_lost": int(words[w.M_OUT_LOST]),
        }  # fmt: skip


def _record(size: int) -> int:
    """Bytes of a record with a message of so many."""
    return w.RECORD_BYTES + (size + w.RECORD_BYTES - 1) // w.RECORD_BYTES * w.RECORD_BYTES
