"""JACK transport: position, start and stop shared by all clients of a server; tempo by the one that is its timebase.

The server is asked from the player's thread, through a client of its own that has no process callback. Who leads the
tempo does it in native code (`runtime.native.jack_time`).
"""

from __future__ import annotations

import ctypes
import ctypes.util
import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from nodegraph.core.errors import DeviceError, Problem
from nodegraph.runtime.acts import Act
from nodegraph.runtime.drivers.jack import close_client, open_client
from nodegraph.runtime.native import jack_time
from nodegraph.runtime.native.compiled import address
from nodegraph.timing.places import Here, Place, SecondsToBeats

ROLLING: Final = (1, 2)
BBT: Final = 0x10
JUMP_S: Final = 0.02
"""A position this far from where it should have come to is another one."""
UNTOLD_S: Final = 0.2
"""After a jump a server says for a block or more where it is in seconds only, though it has a timebase."""
COMES_S: Final = 1.0
"""How long the server may take for what it was told."""


class _Told(NamedTuple):
    """What the server said: where its transport was at the beginning of a block."""

    rolls: bool
    at: float
    """`time.monotonic`."""
    second: float
    beat: float | None
    bpm: float


class JackTransport:
    """Follows the transport of a JACK server, and moves it. `lead`: the patch gives the tempo, bars and beats."""

    leads = True
    door = ""

    def __init__(self, *, lead: bool = False, server: str | None = None) -> None:
        """Raises DeviceError when no server runs, or another client gives the tempo already."""
        self.lead = lead
        self.client, self.server = open_client("nodegraph transport", server)
        import jack

        self._library, self._ffi = jack._lib, jack._ffi
        # JACK's clock, which the client's library leaves out
        self._now = ctypes.CDLL(ctypes.util.find_library("jack") or "libjack.so.0").jack_get_time
        self._now.restype = ctypes.c_uint64
        self._line = np.zeros(jack_time.LINE_WORDS, np.int64)
        self._told: _Told | None = None
        self._beats: SecondsToBeats | None = None
        self._run = 0
        self._first = 0.0
        self._apart: int | None = None
        """Transport frames less engine frames, when this server plays the engine and rolls: exact, whatever is late."""
        self._found: int | None = None
        self._meter = 4
        self._bars_at = 0.0
        """When the server told bars and beats last."""
        self._wanted: tuple[bool, float] | None = None
        """Whether it is to roll, and until when the server may take for that."""
        self._gone = False
        self.client.set_shutdown_callback(self._shut)
        if lead:
            self._write(0.0, 0.0, 120.0, 4.0)
            self._callback = self._ffi.cast("JackTimebaseCallback", address(jack_time.timebase))
            data = self._ffi.cast("void *", int(self._line.ctypes.data))
            if self._library.jack_set_timebase_callback(self.client._ptr, 1, self._callback, data):
                close_client(self.client, self.server)
                what = "another client of the JACK server gives the tempo."
                raise DeviceError(Problem("device-busy", what, "Follow it without lead, or have the other one stop."))
        self.client.activate()

    def _shut(self, status: object, reason: str) -> None:
        self._gone = True

    def begin(self, here: Here) -> None:
        if self._beats is None:
            self._beats = SecondsToBeats(here.clock.tempo_at(here.frame))
        self._lay(here)

    def hear(self, act: Act, here: Here) -> bool:
        return False

    # -- the server

    def _ask(self) -> _Told | None:
        if self._gone:
            return None
        position = self._ffi.new("jack_position_t *")
        state = int(self._library.jack_transport_query(self.client._ptr, position))
        away = time.monotonic() - 1e-6 * self._now()
        if not position.frame_rate:
            return None
        beat, bpm = None, 0.0
        if position.valid & BBT and position.beats_per_minute > 0.0:
            beat = (position.bar - 1) * position.beats_per_bar + position.beat - 1.0
            beat += position.tick / position.ticks_per_beat
            bpm = position.beats_per_minute
        second = position.frame / position.frame_rate
        return _Told(state in ROLLING, 1e-6 * position.usecs + away, second, beat, bpm)

    @property
    def _block_s(self) -> float:
        return float(self.client.blocksize / self.client.samplerate)

    def _look(self, here: Here) -> None:
        stamp, told, before, apart = here.stamp(), self._ask(), self._told, self._apart
        if told is None or not told.rolls or here.server != self.server:
            self._apart = None
        elif stamp is not None and stamp == here.stamp() and 0.0 <= stamp[1] - told.at < self._block_s:
            # it stayed the same block; once, even so, may be two that met by chance
            found = round(told.second * here.rate) - stamp[0]
            if found == self._found or apart is None:
                self._apart = found
            self._found = found
        if told is None or self._beats is None:
            self._told = None
            return
        if told.beat is not None:
            self._bars_at = time.monotonic()
        elif not self.lead and time.monotonic() - self._bars_at < UNTOLD_S:
            return
        if self._wanted is not None:
            if told.rolls != self._wanted[0] and time.monotonic() < self._wanted[1]:
                told = told._replace(rolls=self._wanted[0])
            else:
                self._wanted = None
        self._told = told
        if before is None:
            self._run += 1
            self._first = self._beat(told)
            return
        went = told.at - before.at if before.rolls else 0.0
        off = told.second - before.second - went
        if not here.coupled and before.rolls:  # seconds do not go with the time then, but with frames
            off = 0.0 if apart is None or self._apart is None else (self._apart - apart) / here.rate
        if abs(off) > JUMP_S and not (told.rolls and not before.rolls):
            self._beats.jump()
            self._run += 1
            self._first = self._beat(told)
        elif told.rolls != before.rolls:
            self._run += 1
            self._first = self._beat(before)

    def _beat(self, told: _Told) -> float:
        assert self._beats is not None
        return self._beats.beat(told.second) if told.beat is None or self.lead else told.beat

    def place(self, here: Here, frame: float) -> Place | None:
        if self.lead and here.clock.beats_a_bar != self._meter:
            self._lay(here)
        self._look(here)
        told = self._told
        if told is None or self._beats is None or not (here.coupled or self._apart is not None or not told.rolls):
            return None
        bpm = self._beats.bpm if told.beat is None or self.lead else told.bpm
        # the others' sound of a position is heard a block after it began, as ours is
        passed = 0.0
        if self._apart is not None:
            passed = (frame + self._apart) / here.rate - self._block_s - told.second
        elif told.rolls:
            passed = here.timebase.time_of(frame) - self._block_s - told.at
        return Place(self._beat(told) + passed * bpm / 60.0, bpm, told.rolls, self._run, self._first)

    def tell(
        self, here: Here, *, bpm: float | None = None, playing: bool | None = None, beat: float | None = None
    ) -> None:
        told, beats = self._told, self._beats
        if self._gone or told is None or beats is None:
            return
        if bpm is not None:
            second = told.second + (time.monotonic() - told.at if told.rolls else 0.0)
            beats.change(bpm, second)
            self._lay(here)
        if beat is not None:
            beats.jump()
            self._lay(here)
            self._locate(max(beat, 0.0) * 60.0 / beats.bpm)
        if playing is not None:
            (self.client.transport_start if playing else self.client.transport_stop)()
            self._wanted = playing, time.monotonic() + COMES_S

    # -- the tempo that it gives

    def _lay(self, here: Here) -> None:
        """Give the tempo that counts now."""
        if self.lead and self._beats is not None:
            second, beat = self._beats.origin
            self._meter = here.clock.beats_a_bar
            self._write(beat, second * self.client.samplerate, self._beats.bpm, float(self._meter))
            told = self._ask()
            if told is not None and not told.rolls:  # a server that stands asks again only for another position
                self._locate(told.second)

    def _locate(self, second: float) -> None:
        self.client.transport_frame = round(second * self.client.samplerate)

    def _write(self, beat: float, frame: float, bpm: float, meter: float) -> None:
        other = 1 - int(self._line[0])
        start = 1 + jack_time.RECORD * other
        record = self._line.view(np.float64)[start : start + jack_time.RECORD]
        record[:] = beat, frame, bpm / (60.0 * self.client.samplerate), meter, bpm
        self._line[0] = other

    def status(self) -> Mapping[str, Any]:
        told = self._told
        found: dict[str, Any] = {"source": "jack", "server": self.server, "heard": told is not None, "leads": self.lead}
        return found | ({} if told is None else {"on": told.rolls, "second": told.second, "tempo": told.bpm or None})

    def close(self) -> None:
        if self.lead and not self._gone:
            self._library.jack_release_timebase(self.client._ptr)
        close_client(self.client, self.server)
