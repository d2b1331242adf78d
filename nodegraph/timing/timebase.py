"""Frames and time: when the device asks for which frame, on the monotonic clock and on the clock on the wall.

The audio thread writes down when the device asked for each block (`Engine.stamp`). These times jitter, and only ever
one way: a thread may wake late, never early. So what comes late counts for little, and the line runs along the
earliest. A device that falls behind for good (it lost blocks, it was changed for another) moves the line at once.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from nodegraph.timing.loop import Loop

if TYPE_CHECKING:
    from nodegraph.runtime.engine import Engine

MEMORY_S: Final = 4.0
"""How far back the loop remembers, once it has run so long."""
KNOWN: Final = 8
"""What the nominal rate is worth in the beginning, in stamps."""
LATE_S: Final = 0.000_3
EARLY_S: Final = 0.005
"""A stamp that is further off the line than this counts as if it were so far."""
STEP_S: Final = 0.005
STEP_AFTER_S: Final = 0.25
LEAST_STAMPS: Final = 8
"""All stamps of so long, and so many, beyond the line on one side: the line is moved."""
BELIEVED_PPM: Final = 500.0
"""Another line goes on at the rate of the last one, if a crystal can be so far off."""
GAP_S: Final = 0.2
"""Nothing for so long: what comes then begins a new line."""
BRACKET_S: Final = 0.000_2
"""The two clocks are compared when both can be read within this."""


class _Line(NamedTuple):
    frame: float
    at: float
    frame_s: float


class TimeBase:
    """When each frame is handed to the device. It is heard `latency_s` (`Playing.status`) later.

    `look` and `feed` belong to the player's thread; the rest may be called from any.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.steps = 0
        """How often the line was moved, because the device lost blocks or was changed."""
        self._line = _Line(0.0, time.monotonic(), 1.0 / rate)
        self._offset = time.time() - time.monotonic()
        self._engine: Engine | None = None
        self._pinned = False
        self._restart()

    def _restart(self) -> None:
        self._loop: Loop | None = None
        self._last, self._at = -1, 0.0
        self._off: deque[tuple[float, float]] = deque()

    # -- asking

    def time_of(self, frame: float) -> float:
        """When a frame is handed to the device, as `time.monotonic` counts seconds."""
        line = self._line
        return line.at + (frame - line.frame) * line.frame_s

    def frame_at(self, monotonic: float) -> int:
        """The frame that is handed to the device at a time of `time.monotonic`, rounded."""
        line = self._line
        return round(line.frame + (monotonic - line.at) / line.frame_s)

    def wall_of(self, frame: float) -> float:
        """When a frame is handed to the device, as `time.time` counts seconds."""
        return self.time_of(frame) + self._offset

    def frame_of(self, wall_seconds: float) -> int:
        """The frame that is handed to the device at a time of `time.time`, rounded."""
        return self.frame_at(wall_seconds - self._offset)

    @property
    def drift_ppm(self) -> float:
        """By how much the device's clock is faster than the machine's, in parts per million."""
        return (1.0 / (self._line.frame_s * self.rate) - 1.0) * 1e6

    # -- telling it

    def anchor(self, wall: float, frame: float) -> None:
        """Pin it: `frame` is at `wall`, the others at the nominal rate, whatever the device does, until `release`."""
        self._pinned = True
        self._line = _Line(frame, wall - self._offset, 1.0 / self.rate)

    def release(self) -> None:
        """Follow the device again."""
        self._pinned = False
        self._restart()

    def look(self, engine: Engine) -> None:
        """Once a round: take in what the audio thread wrote down.

        While a server freewheels frames have no time of their own: the line stays as it was.
        """
        if engine is not self._engine:
            self._engine = engine
            if engine.rate != self.rate and not self._pinned:
                line = self._line
                seconds = line.frame / self.rate
                self.rate = engine.rate
                self._line = _Line(seconds * self.rate, line.at, 1.0 / self.rate)
            self._restart()
        self._look_at_the_wall()
        if engine.waiting:
            self._restart()
            return
        stamp = engine.stamp()
        if stamp is not None:
            self.feed(*stamp)

    def feed(self, frame: int, at: float) -> None:
        """The device asked for `frame` at a time of `time.monotonic`."""
        if self._pinned or frame == self._last:
            return
        loop = self._loop
        if loop is None or frame < self._last or at - self._at > GAP_S:
            self._begin(frame, at)
            return
        error = at - loop.value_at(frame)
        if self._has_stepped(at, error):
            self.steps += 1
            self._begin(frame, at - error + min((off for _, off in self._off), key=abs))
            return
        memory = round(MEMORY_S * self.rate / (frame - self._last))
        loop.take(frame, min(max(error, -EARLY_S), LATE_S), memory)
        self._last, self._at = frame, at
        self._line = _Line(loop.index, loop.value, loop.step)

    def _begin(self, frame: int, at: float) -> None:
        step = self._line.frame_s
        if self._loop is None or abs(self.drift_ppm) > BELIEVED_PPM:
            step = 1.0 / self.rate
        self._loop = Loop(frame, at, step, KNOWN)
        self._last, self._at = frame, at
        self._off.clear()
        self._line = _Line(frame, at, step)

    def _has_stepped(self, at: float, error: float) -> bool:
        """Whether stamps have been beyond the line, all on one side of it, for long enough."""
        off = self._off
        if abs(error) < STEP_S or (off and (off[-1][1] > 0.0) != (error > 0.0)):
            off.clear()
            return False
        off.append((at, error))
        return len(off) >= LEAST_STAMPS and at - off[0][0] >= STEP_AFTER_S

    def _look_at_the_wall(self) -> None:
        """Follow the clock on the wall, which people and network time may set at any time."""
        before = time.monotonic()
        wall = time.time()
        after = time.monotonic()
        if after - before < BRACKET_S:
            self._offset = wall - 0.5 * (before + after)
