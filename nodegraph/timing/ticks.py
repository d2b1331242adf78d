"""Ticks that should be evenly spaced and are not quite: where between two of them the sender is at a frame.

Jitter is averaged out over many ticks. When several in a row lie off on the same side by more than jitter explains, the
sender has changed its tempo, and the last few count alone.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

import numpy as np

from nodegraph.timing.loop import Loop

JITTER_S: Final = 0.002
"""Is expected in the beginning."""
LEAST_JITTER_S: Final = 0.000_3
RUN: Final = 3
"""So many ticks in a row off on one side, at least, are another tempo: one that is late alone was held up."""
CHANGED: Final = 6.0
"""What they are off together, over the jitter times the root of how many they are."""
KEPT: Final = 64
STRANGE: Final = 4.0
"""A tick that begins a run is a new line when it is off by so many times the jitter."""
TRUSTED: Final = 24
"""What the spacing of the last run is worth in the next one, in ticks."""
FORGETS: Final = 1.0 / 32.0


class Ticks:
    """A line through ticks that are numbered from 0. `memory` is how many count, `longest_s` the longest from one to
    the next: after a longer pause they begin anew."""

    def __init__(self, rate: int, memory: int, longest_s: float) -> None:
        self.rate = rate
        self.memory = memory
        self.longest = longest_s * rate
        self.number = -1
        """Of the last tick."""
        self.frame = 0.0
        """At which the last one came."""
        self.changes = 0
        self._loop: Loop | None = None
        self._square = (JITTER_S * rate) ** 2
        self._in_a_row = 0
        self._off = 0.0
        """What so many ticks in a row on one side of the line are off together, in frames."""
        self._frames: deque[int] = deque(maxlen=KEPT)

    def take(self, frame: int, begins: bool = False) -> None:
        """A tick came at a frame. `begins`: it may be anywhere, as fast as before."""
        self.number += 1
        loop, pause = self._loop, frame - self.frame
        self.frame = frame
        if loop is not None and loop.step and pause > self.longest:
            loop = None
        if loop is None:
            self._loop = Loop(self.number, frame)
            self._in_a_row, self._off = 0, 0.0
            self._frames.clear()
        elif pause >= 0:
            error = frame - loop.value_at(self.number)
            if begins and loop.step and abs(error) > STRANGE * self._jitter:
                self._loop = Loop(self.number, frame, loop.step, min(loop.count, TRUSTED))
                self._in_a_row, self._off = 0, 0.0
                self._frames.clear()
                self._frames.append(frame)
                return
            if not loop.step:  # the second tick says how far apart they are
                loop.take(self.number, error, self.memory)
            elif not self._changed(error):
                loop.take(self.number, error, self.memory)
                most = 9.0 * self._square
                self._square += (min(error * error, most) - self._square) * FORGETS
            else:
                self._frames.append(frame)
                self._again()
                return
        self._frames.append(frame)

    @property
    def spacing(self) -> float | None:
        """Frames from tick to tick; None before the second one."""
        return self._loop.step if self._loop is not None and self._loop.step > 0.0 else None

    def index_at(self, frame: float) -> float | None:
        """The number of a tick that is due at a frame; between two of them a number between theirs."""
        return None if self.spacing is None or self._loop is None else self._loop.index_at(frame)

    def forget(self) -> None:
        """The ticks have ended; the next one is the first."""
        self._loop = None

    def _changed(self, error: float) -> bool:
        if error * self._off > 0.0:
            self._in_a_row, self._off = self._in_a_row + 1, self._off + error
        else:
            self._in_a_row, self._off = 1, error
        return self._in_a_row >= RUN and abs(self._off) > CHANGED * self._jitter * self._in_a_row**0.5

    @property
    def _jitter(self) -> float:
        return max(math.sqrt(self._square), LEAST_JITTER_S * self.rate)

    def _again(self) -> None:
        """The line of least squares through those that were off, and the one before them."""
        frames = np.array(self._frames, np.float64)[-(self._in_a_row + 1) :]
        places = np.arange(len(frames)) - (len(frames) - 1)
        step, value = np.polyfit(places, frames, 1)
        self.changes += 1
        self._in_a_row, self._off = 0, 0.0
        self._loop = Loop(self.number, float(value), max(float(step), 1.0), len(frames) - 1)
