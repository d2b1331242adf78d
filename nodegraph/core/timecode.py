"""Timecode: hours, minutes, seconds and frames of a picture, and the seconds that they stand for.

29.97 drop: 30 frames are counted a second though 30 000 / 1 001 go by, so the numbers 00 and 01 are left out at the
beginning of every minute but each tenth. 108 000 numbers less 108 an hour are then 3 600 s less 3.6 ms.

Source: SMPTE ST 12-1, *Time and Control Code*. MIDI 1.0 Detailed Specification, "MIDI Time Code".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

RATES: Final = ("24", "25", "29.97 drop", "30")
"""In the order in which MIDI timecode numbers them."""
COUNTED: Final = (24, 25, 30, 30)
DROP: Final = 2
A_MINUTE: Final = 1_798
TEN_MINUTES: Final = 17_982
A_DAY_H: Final = 24


@dataclass(frozen=True, slots=True)
class Timecode:
    """One timecode. `rate` is a place in `RATES`."""

    hours: int
    minutes: int
    second: int
    frame: int
    rate: int

    @property
    def fps(self) -> float:
        """Frames a second."""
        return 30_000.0 / 1_001.0 if self.rate == DROP else float(COUNTED[self.rate])

    @property
    def number(self) -> int:
        """Frames since 00:00:00:00."""
        minutes = 60 * self.hours + self.minutes
        counted = (60 * minutes + self.second) * COUNTED[self.rate] + self.frame
        return counted - 2 * (minutes - minutes // 10) if self.rate == DROP else counted

    @property
    def seconds(self) -> float:
        """Seconds since 00:00:00:00, by the clock."""
        return self.number / self.fps

    def __str__(self) -> str:
        mark = ";" if self.rate == DROP else ":"
        return f"{self.hours:02}:{self.minutes:02}:{self.second:02}{mark}{self.frame:02}"

    def after(self, seconds: float) -> Timecode:
        """The timecode so many seconds later, or earlier."""
        return Timecode.at(self.seconds + seconds, self.rate)

    @classmethod
    def at(cls, seconds: float, rate: int) -> Timecode:
        """The timecode of the frame that shows at a second; a day begins at 0 again."""
        fps = 30_000.0 / 1_001.0 if rate == DROP else float(COUNTED[rate])
        return cls.numbered(math.floor(seconds * fps + 1e-6), rate)

    @classmethod
    def numbered(cls, number: int, rate: int) -> Timecode:
        """The timecode of a frame, counted from 00:00:00:00."""
        counted = COUNTED[rate]
        if rate == DROP:
            number %= 6 * A_DAY_H * TEN_MINUTES
            tens, rest = divmod(number, TEN_MINUTES)
            number += 18 * tens + (2 * ((rest - 2) // A_MINUTE) if rest >= 2 else 0)
        else:
            number %= 3_600 * A_DAY_H * counted
        second, frame = divmod(number, counted)
        return cls(second // 3_600, second // 60 % 60, second % 60, frame, rate)

    # -- as MIDI

    def quarter_frame(self, piece: int) -> bytes:
        """One of the eight MIDI messages that tell it."""
        values = (self.frame, self.second, self.minutes, self.hours | self.rate << 5)
        value = values[piece >> 1]
        return bytes((0xF1, piece << 4 | (value >> 4 if piece & 1 else value & 15)))

    @classmethod
    def of_quarter_frames(cls, data: Sequence[int]) -> Timecode | None:
        """The inverse, of the second bytes of all eight; None when they tell no time."""
        values = [(data[2 * k] & 15) | (data[2 * k + 1] & 15) << 4 for k in range(4)]
        return cls._of(values[3], values[2], values[1], values[0])

    def full_frame(self) -> bytes:
        """The MIDI message that tells where a sender stands."""
        hours = self.hours | self.rate << 5
        return bytes((0xF0, 0x7F, 0x7F, 0x01, 0x01, hours, self.minutes, self.second, self.frame, 0xF7))

    @classmethod
    def of_full_frame(cls, data: bytes) -> Timecode | None:
        """The inverse; None when it is another message."""
        if len(data) != 10 or data[:2] != b"\xf0\x7f" or data[3:5] != b"\x01\x01":
            return None
        return cls._of(*data[5:9])

    @classmethod
    def _of(cls, hours: int, minutes: int, second: int, frame: int) -> Timecode | None:
        rate = hours >> 5 & 3
        hours, minutes, second, frame = hours & 31, minutes & 63, second & 63, frame & 31
        if hours >= A_DAY_H or minutes > 59 or second > 59 or frame >= COUNTED[rate]:
            return None
        return cls(hours, minutes, second, frame, rate)
