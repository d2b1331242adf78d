"""Where frames of codes wait for those that were sent before them and come later: a jitter buffer.

Frames are taken out one after another at their own pace; what has not come by then is lost.

Source: H. Schulzrinne and others, "RTP: A Transport Protocol for Real-Time Applications", RFC 3550, 2003, appendices
A.1 (numbers that go round, senders that begin anew) and A.8.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.codes.packets import ROUND, Packet

Codes = NDArray[np.int64]
LOST: Final = -1
"""In the place of every code of a frame that is not there."""
MOST_AHEAD: Final = 1_024
"""Frames that may wait."""
LATE_IN_A_ROW: Final = 8
"""After so many packets that came too late, the place at which it plays goes back."""


class Waiting:
    """The frames of one stream. `depth` is how many are to wait before the first is played."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.stream: int | None = None
        self.lost = self.late = 0
        self.forget()

    def forget(self) -> None:
        """Nobody sends."""
        self._frames: dict[int, Codes] = {}
        self._next = 0
        self._newest = 0
        self._late_now = 0
        self._stages = 1
        self.stream = None
        self.missing = 0
        """Frames in a row that were not there."""

    @property
    def waits(self) -> int:
        """How many frames lie between what is played next and the newest that has come."""
        return self._newest - self._next

    def put(self, packet: Packet) -> bool:
        """A packet has come; whether its stream begins with it."""
        begins = packet.stream != self.stream
        if begins:
            self.forget()
            self.stream = packet.stream
            self._next = packet.first
            self._newest = packet.first
        first = self._unrolled(packet.first)
        end = first + packet.codes.shape[1]
        if end <= self._next:
            self.late += 1
            self._late_now += 1
            if self._late_now < LATE_IN_A_ROW:
                return begins
            self._next, self._newest = end - self.depth, end  # the network has become slower: wait for it anew
        self._late_now = 0
        if end - self._next > self.depth + MOST_AHEAD:  # nobody could wait for so much
            self._next = end - self.depth
        for frame in range(max(first, self._next), end):
            self._frames.setdefault(frame, packet.codes[:, frame - first])
        self._newest = max(self._newest, end)
        if self.waits > 3 * self.depth + packet.codes.shape[1]:  # the sender's clock is faster: leave something out
            self._next = self._newest - self.depth - packet.codes.shape[1]
            self._frames = {frame: codes for frame, codes in self._frames.items() if frame >= self._next}
        return begins

    def take(self, count: int) -> Codes:
        """The next frames, ``(stages, count)``: as many stages as all of them have; `LOST` where one is not there."""
        found = [self._frames.pop(self._next + number, None) for number in range(count)]
        self._next += count
        there = [codes for codes in found if codes is not None]
        if there:
            self._stages = min(len(codes) for codes in there)
        for codes in found:
            self.missing = self.missing + 1 if codes is None else 0
        self.lost += count - len(there)
        gone = np.full(self._stages, LOST, np.int64)
        return np.stack([gone if codes is None else codes[: self._stages] for codes in found], axis=1)

    def _unrolled(self, number: int) -> int:
        """A frame's number, which goes round, near those that are awaited."""
        return self._next + (number - self._next + ROUND // 2) % ROUND - ROUND // 2
