"""Which frame of the engine sounds when: for ports that know nothing but the time of day."""

from __future__ import annotations

from typing import Final

SETTLE_S: Final = 1.0
"""Time constant of the smoothing: blocks make steps of some milliseconds, clocks drift by some parts in a million."""
JUMP_S: Final = 0.1
"""Further off than this it begins anew: the device stood still, or another one took over."""


class Pace:
    """Time and frames of one engine, compared in every round. Frames at the rate of the device, smoothed.

    `look` is for one thread; the others may be asked from any.
    """

    def __init__(self) -> None:
        self._line: tuple[float, int] | None = None
        self._last = 0.0
        self._looked_s = 0.0

    def look(self, done: int, rate: int, now: float) -> None:
        """At time `now` (`time.monotonic`), `done` frames have been played."""
        found = now - done / rate
        line = self._line
        if line is None or line[1] != rate or abs(found - line[0]) > JUMP_S:
            self._looked_s, self._line = 0.0, (found, rate)
        else:
            passed = max(now - self._last, 0.0)
            self._looked_s = min(self._looked_s + passed, SETTLE_S)
            share = min(passed / max(self._looked_s, passed, 1e-6), 1.0)
            self._line = line[0] + share * (found - line[0]), rate
        self._last = now

    def frame_at(self, moment: float) -> int | None:
        """The frame that is played at a time; None before the first look."""
        line = self._line
        return None if line is None else round((moment - line[0]) * line[1])

    def time_of(self, frame: int) -> float | None:
        """When a frame is played."""
        line = self._line
        return None if line is None else line[0] + frame / line[1]
