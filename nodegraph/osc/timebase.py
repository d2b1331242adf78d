"""From the time of day to frames and back: at which frame a bundle's time tag is.

OSC tells times as NTP does, in seconds since 1900.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nodegraph.timing.timebase import TimeBase

NTP_EPOCH = 2_208_988_800.0
"""Seconds from 1900 to 1970."""


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


class DeviceTime:
    """The device's own time, drift and all (`timing.timebase`)."""

    def __init__(self, base: TimeBase) -> None:
        self.base = base

    def frame_of(self, ntp_seconds: float) -> int:
        """As `Timebase.frame_of`."""
        return self.base.frame_of(ntp_seconds - NTP_EPOCH)

    def ntp_of(self, frame: int) -> float:
        """As `Timebase.ntp_of`."""
        return self.base.wall_of(frame) + NTP_EPOCH
