"""From likelihoods of beats, one each 20 ms, to beats that are foretold, and their tempo and bar.

A beat's tempo and phase are one state of a hidden Markov model: `interval` frames long, `place` frames into it. With
every frame all states move on by one, and those at the end of a beat begin another, mostly of the same length. The
likeliest state says when the next beat will be. Positions in the bar are counted by a second, small model, which moves
on with every beat.

Source: F. Krebs, S. Böck and G. Widmer, "An Efficient State-Space Model for Joint Tempo and Meter Tracking", ISMIR
2015, sections 3.1 to 3.3 (spread 100, beats in the first sixteenth of an interval); L. Rabiner, "A Tutorial on Hidden
Markov Models", 1989, the forward procedure.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SPREAD: Final = 100.0
"""How unlikely another tempo is at the next beat."""
BEAT_PART: Final = 16
"""A beat is heard in one such part of its interval."""
FLOOR: Final = 0.02
"""No likelihood says that something cannot be."""
METERS: Final = (2, 3, 4, 6)
STAY: Final = 0.995
"""How likely a meter goes on to the next beat."""
SOONEST: Final = 0.55
"""Of an interval: a beat that would come sooner after the last one is the same beat, seen anew."""
EARLY: Final = 0.5
"""Frames by which beats are heard before they come: a window is around its frame. Measured on recorded drums."""
NEAR: Final = 0.15
"""Of an interval: states so close to the likeliest one speak of the same beat."""


class Beat(NamedTuple):
    """A beat that is foretold: `frame` counts from the first one, and may lie between two."""

    frame: float
    interval: float
    place: int
    """In the bar: 1 is its first beat."""
    meter: int


class BeatTracker:
    """Follows beats. `lowest` and `highest` are beats a minute, `rate` frames a second."""

    def __init__(self, lowest: float, highest: float, rate: float) -> None:
        shortest = max(4, round(60.0 * rate / highest))
        longest = max(shortest + 1, round(60.0 * rate / lowest))
        self._lengths = np.arange(shortest, longest + 1)
        ends = np.cumsum(self._lengths)
        self._firsts, self._lasts = ends - self._lengths, ends - 1
        self._length = np.repeat(self._lengths, self._lengths)
        self._place = np.arange(ends[-1]) - np.repeat(self._firsts, self._lengths)
        self._is_beat = self._place * BEAT_PART < self._length
        self._left = (self._length - self._place).astype(np.float64)
        ratio = self._lengths[None, :] / self._lengths[:, None]
        change = np.exp(-SPREAD * np.abs(ratio - 1.0))
        self._change = change / change.sum(axis=1, keepdims=True)
        self._state = 1.0 / (self._length * len(self._lengths))
        self._bars = [np.full(meter, 1.0 / (meter * len(METERS))) for meter in METERS]
        self.frame = -1
        self._told = -1e9
        self._strong = 0.0
        """The likeliest downbeat since the last beat was told."""

    def hear(self, beat: float, downbeat: float, horizon: float) -> Beat | None:
        """One more frame: how likely a beat that is no downbeat, and a downbeat, are now. Gives the next beat, once, as
        soon as it lies no more than `horizon` frames ahead."""
        self.frame += 1
        any_beat = min(max(beat + downbeat, FLOOR), 1.0 - FLOOR)
        state = np.empty_like(self._state)
        state[1:] = self._state[:-1]
        state[self._firsts] = self._state[self._lasts] @ self._change
        state *= np.where(self._is_beat, any_beat, (1.0 - any_beat) / (BEAT_PART - 1))
        self._state = state / state.sum()
        self._strong = max(self._strong, downbeat / (beat + downbeat + FLOOR))
        best = int(self._state.argmax())
        interval, ahead = float(self._length[best]), float(self._left[best])
        just_begun = self._place[best] * BEAT_PART < interval and self.frame - self._told > SOONEST * interval
        if not just_begun and ahead > horizon + NEAR * interval:
            return None
        # Frames are 20 ms long. The mean over the states around the likeliest one knows it better than that.
        near = np.abs(self._length - interval) <= max(2.0, NEAR * interval)
        if just_begun:  # it was not foretold
            since = np.where(self._place > 0.5 * self._length, -self._left, self._place)
            near &= np.abs(since - self._place[best]) <= NEAR * interval
            ahead = -float(self._state[near] @ since[near] / self._state[near].sum())
        else:
            near &= np.abs(self._left - ahead) <= NEAR * interval
            ahead = float(self._state[near] @ self._left[near] / self._state[near].sum())
        ahead += EARLY + 0.5 * (interval // BEAT_PART)  # a beat is the middle of the frames in which it is heard
        when = self.frame + ahead
        if ahead > horizon or when - self._told < SOONEST * interval:
            return None
        interval = float(self._state[near] @ self._length[near] / self._state[near].sum())
        self._told = when
        place, meter = self._count()
        return Beat(when, interval, place, meter)

    def _count(self) -> tuple[int, int]:
        """A beat has come: where it stands in the bar. What was heard until now belongs to the beat before."""
        strong = min(max(self._strong, FLOOR), 1.0 - FLOOR)
        self._strong = 0.0
        for bar in self._bars:  # the beat that has passed
            bar[0] *= strong
            bar[1:] *= 1.0 - strong
        total = sum(float(bar.sum()) for bar in self._bars)
        moved = [np.roll(bar / total, 1) for bar in self._bars]
        other = 1.0 - STAY
        self._bars = [STAY * bar + other / (len(METERS) * len(bar)) for bar in moved]
        which = int(np.argmax([bar.max() for bar in self._bars]))
        return int(self._bars[which].argmax()) + 1, METERS[which]

    @property
    def sureness(self) -> float:
        """How much of the likelihood lies on the likeliest tempo, its neighbours included: 0 to 1."""
        by_length = np.add.reduceat(self._state, self._firsts)
        best = int(by_length.argmax())
        return float(by_length[max(0, best - 2) : best + 3].sum())
