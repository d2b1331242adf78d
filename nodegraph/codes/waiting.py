"""Codes that wait for their turn: what came early, late, twice, out of order or not at all goes on at exact frames.

Plain arithmetic in frames of the engine, without clocks: the same packets at the same frames give the same codes.
"""

from __future__ import annotations

import statistics
from collections import deque
from typing import Final, NamedTuple

import numpy as np

from nodegraph.codes.kinds import Codec
from nodegraph.codes.packets import AROUND, Codes, Packet

MOST_WAITING: Final = 1_024
"""Packets that wait."""
FARTHEST_S: Final = 5.0
"""What is so far ahead of its turn, beyond the buffer, is astray."""
QUIET_S: Final = 0.5
"""After so long without a packet another stream may take over."""
REST_S: Final = 1.0
"""After so long without a packet, and nothing left to say, the stream is over; the next packet begins anew."""
RUN, RUN_S = 3, 0.2
"""So many packets one after another, over so long, that are all late or astray say that the way is another one now; one
burst after a halt does not."""
WINDOW_S: Final = 10.0
"""How long it is looked how early packets are, before the distance is corrected."""
MOST_CORRECTED: Final = 16
"""Frames that are left out or repeated after one such look."""


class Said(NamedTuple):
    """What is said at a turn. `lost`: packets before it that never came; None for codes: silence."""

    codes: Codes | None
    lost: int


class Waiting:
    """One receiver's stream. Call `arrive` with what comes; at the frame `due` call `say`."""

    def __init__(self, rate: int) -> None:
        """`rate` is the engine's."""
        self.rate = rate
        self.late = self.twice = self.astray = self.foreign = self.corrected = 0
        self._packets: dict[int, Packet] = {}
        self._stream: int | None = None
        self._codec: Codec | None = None
        self._heard = self._base = self._end = 0
        self._forget()

    def _forget(self) -> None:
        self._packets.clear()
        self._passed: deque[int] = deque(maxlen=256)
        """First frames of packets that were said, so that a second one is not taken for a late one."""
        self._last: Packet | None = None
        self._sequence: int | None = None
        self._playing = False
        self._said = self._next = self._held = self._run = self._correct = 0
        self._early: deque[int] = deque(maxlen=MOST_WAITING)
        self._looked_at = self._run_since = 0

    @property
    def due(self) -> int | None:
        """The frame at which it is to be said next what there is; None while there is nothing to wait for."""
        return self._place(self._said) if self._playing else None

    def _place(self, said: int) -> int:
        assert self._codec is not None
        return self._base + self._codec.engine_frames(said, self.rate)

    # -- what comes

    def arrive(self, packet: Packet, frame: int, buffer_s: float) -> None:
        """A packet comes at a frame. It waits until its turn, which for the first is `buffer_s` later."""
        if packet.stream != self._stream or packet.codec != self._codec:
            if self._stream is not None and frame - self._heard < QUIET_S * self.rate:
                self.foreign += 1
                return
            self._forget()
            self._stream, self._codec = packet.stream, packet.codec
        self._heard = frame
        buffer = round(buffer_s * self.rate)
        if not self._playing:
            self._anchor(packet, frame, buffer)
        if not self._said and packet.first < self._next:
            self._begin_earlier(packet, frame)
        ahead = packet.first - self._next
        if packet.first in self._packets or packet.first in self._passed:
            self.twice += 1
            return
        far = ahead * packet.codec.hop > (FARTHEST_S + buffer_s) * packet.codec.rate
        if ahead < 0 or far or len(self._packets) >= MOST_WAITING:
            self.late += ahead < 0
            self.astray += ahead >= 0
            self._run += 1
            if self._run == 1:
                self._run_since = frame
            if self._run < RUN or frame - self._run_since < RUN_S * self.rate:
                if not far:
                    self._look(packet, frame, buffer)
                return
            self._packets.clear()
            self._anchor(packet, frame, buffer)
        self._run = 0
        self._packets[packet.first] = packet
        self._look(packet, frame, buffer)

    def _anchor(self, packet: Packet, frame: int, buffer: int) -> None:
        """This packet is said next, and time is counted from then on."""
        self._base = max(frame + buffer, self._place(self._said) if self._playing else self._end)
        self._playing, self._said, self._next, self._run = True, 0, packet.first, 0
        self._looked_at, self._correct = frame, 0
        self._early.clear()

    def _begin_earlier(self, packet: Packet, frame: int) -> None:
        """The first that came was not the first that was sent."""
        base = self._base - packet.codec.engine_frames(self._next - packet.first, self.rate)
        if base > max(frame, self._end):
            self._base, self._next = base, packet.first

    # -- two clocks

    def _look(self, packet: Packet, frame: int, buffer: int) -> None:
        """How early it came, before its turn. What most of them are early by is held at the buffer's length: a sender
        whose clock is faster has frames left out now and then, a slower one has frames repeated."""
        turn = self._base + packet.codec.engine_frames(self._said + packet.first - self._next, self.rate)
        self._early.append(turn - frame)
        if frame - self._looked_at < WINDOW_S * self.rate:
            return
        error = statistics.median_low(self._early) - buffer
        wanted = int(error / packet.codec.engine_frames(1, self.rate))
        self._correct = max(-MOST_CORRECTED, min(MOST_CORRECTED, wanted))
        self._looked_at = frame
        self._early.clear()

    def _corrected(self, codes: Codes) -> Codes:
        if self._correct > 0:
            self._correct -= 1
            self.corrected += 1
            return codes[:, :-1]
        if self._correct < 0:
            self._correct += 1
            self.corrected += 1
            return np.concatenate([codes, codes[:, -1:]], axis=1)
        return codes

    # -- what is said

    def say(self, frame: int, hold_s: float) -> Said:
        """What it is the turn of. `hold_s`: so long what was said last is said again where nothing has come."""
        packet = self._packets.pop(self._next, None)
        if packet is None:
            return Said(self._conceal(frame, hold_s), 0)
        codes, lost = self._corrected(packet.codes), 0
        if self._sequence is not None:
            lost = (packet.sequence - self._sequence - 1) % AROUND
            lost = 0 if lost >= AROUND // 2 else lost
        self._last, self._sequence, self._held = packet, packet.sequence, 0
        self._passed.append(packet.first)
        self._go_on(codes.shape[1], packet.frames)
        return Said(codes if codes.size else None, lost)

    def _go_on(self, said: int, passed: int) -> None:
        self._said += said
        self._next += passed
        self._end = self._place(self._said)

    def _conceal(self, frame: int, hold_s: float) -> Codes | None:
        for first in [first for first in self._packets if first < self._next]:
            del self._packets[first]  # packets that overlap
        if not self._packets and frame - self._heard > REST_S * self.rate:
            self._playing = False
            return None
        assert self._codec is not None
        count = 1 if self._last is None else self._last.frames
        if self._packets:
            count = min(count, min(self._packets) - self._next)
        most = int(hold_s * self._codec.rate / self._codec.hop + 1e-6) - self._held
        if self._last is None or most < 1:
            self._go_on(count, count)
            return None
        count = min(count, most)
        self._held += count
        self._go_on(count, count)
        return self._last.codes[:, :count]
