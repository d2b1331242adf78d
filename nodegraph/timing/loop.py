"""A delay-locked loop: from numbered instants that come with jitter to the straight line on which they lie.

It begins as the line of least squares through all that came so far, and ends as a loop of fixed, narrow bandwidth. So
it is close after a few instants and smooth after many, and its line never jumps.

Source: F. Adriaensen, "Using a DLL to filter time", 2005: the loop, of second order, so that it follows a constant
drift without an error. T. R. Benedict, G. W. Bordner, 1962, and the expanding-memory filter of E. Brookner, *Tracking
and Kalman Filtering Made Easy*, 1998: the gains of the beginning, and what they become.
"""

from __future__ import annotations


class Loop:
    """Values against an index: the time of a frame, the frame of a tick. `step` is a first guess of the value from one
    index to the next; `known` is how many instants that guess is worth (0: nothing)."""

    def __init__(self, index: float, value: float, step: float = 0.0, known: int = 0) -> None:
        self.index = index
        self.value = value
        self.step = step
        self.count = 1 + known

    def value_at(self, index: float) -> float:
        """The value on the line at an index."""
        return self.value + (index - self.index) * self.step

    def index_at(self, value: float) -> float:
        """The index on the line at a value."""
        return self.index + (value - self.value) / self.step

    def take(self, index: float, error: float, memory: int) -> None:
        """Go on to a later index, at which a value was `error` beyond the line; weigh in about the last `memory`."""
        passed = index - self.index
        self.count = count = min(self.count + 1, max(memory, 2))
        # the first and second gain of the line of least squares through so many equally distant points
        place = 2.0 * (2.0 * count - 1.0) / (count * (count + 1.0))
        slope = 6.0 / (count * (count + 1.0))
        self.value += passed * self.step + place * error
        self.step += slope * error / passed
        self.index = index
