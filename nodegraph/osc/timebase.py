"""From the time of day to frames and back: at which frame a bundle's time tag is.

OSC tells times as NTP does, in seconds since 1900.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

NTP_EPOCH = 2_208_988_800.0
"""Seconds from 1900 to 1970."""
DRIFT = 2e-4
"""By so much a sound card's clock may be off that of the day."""
JUMP_S = 0.25
"""Off by more, the clocks are set anew: one of them has been put elsewhere."""


class Timebase(Protocol):
    """What the door asks of a clock."""

    def frame_of(self, ntp_seconds: float) -> int:
        """The frame at a time."""

    def ntp_of(self, frame: int) -> float:
        """The time at a frame."""


def ntp_now() -> float:
    """The time of day, in seconds since 1900."""
    return time.time() + NTP_EPOCH


class Anchored:
    """A time and a frame nailed to each other: for tests, and for whoever knows."""

    def __init__(self, ntp_seconds: float, frame: int, rate: float) -> None:
        self.rate = rate
        self.anchor(ntp_seconds, frame)

    def anchor(self, ntp_seconds: float, frame: int) -> None:
        """From now on this time is at this frame."""
        self._time, self._frame = ntp_seconds, frame

    def frame_of(self, ntp_seconds: float) -> int:
        """As `Timebase.frame_of`."""
        return self._frame + round((ntp_seconds - self._time) * self.rate)

    def ntp_of(self, frame: int) -> float:
        """As `Timebase.ntp_of`."""
        return self._time + (frame - self._frame) / self.rate


class EngineTime:
    """The engine's frames against the time of day, looked at whenever it is asked.

    The engine goes on block by block, so what it has done lags by up to a block: the least lag that was seen is the
    right one, and is forgotten slowly, as clocks drift.
    """

    def __init__(self, done: Callable[[], tuple[int, int]], now: Callable[[], float] = ntp_now) -> None:
        """`done`: the frames that the engine has done, and its rate."""
        self._done, self._now = done, now
        self._rate = 0
        self._zero = self._seen = 0.0

    def _look(self) -> None:
        now = self._now()
        frames, rate = self._done()
        zero = now - frames / rate  # when frame 0 was; the least of them is the right one
        if rate != self._rate or abs(zero - self._zero) > JUMP_S:
            self._rate, self._zero = rate, zero
        else:
            self._zero = min(zero, self._zero + DRIFT * max(now - self._seen, 0.0))
        self._seen = now

    def frame_of(self, ntp_seconds: float) -> int:
        """As `Timebase.frame_of`."""
        self._look()
        return round((ntp_seconds - self._zero) * self._rate)

    def ntp_of(self, frame: int) -> float:
        """As `Timebase.ntp_of`."""
        self._look()
        return self._zero + frame / self._rate
