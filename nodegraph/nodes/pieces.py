"""Pieces of sound that come with messages, laid out so that they follow one another without a click."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
NEAR: int = 4
"""Samples by which a piece may miss the end of the one before, and still goes on from there: frames of the engine are
whole, and those of a model at another rate fall between them."""


class Pieces:
    """The sound that a decoder in a worker is to say: `lay` what a message brought, `take` what is to be played.

    It comes `fade` samples later than it was laid (declare that as the node's `delay`), so that a piece which nothing
    follows can fade before it ends. One that comes while another still sounds fades over it.
    """

    def __init__(self, channels: int, fade: int) -> None:
        self.channels, self.fade = channels, fade
        self._line: Floats = np.zeros((channels, 0), np.float32)
        self._end = 0
        """Where the last piece ends, from the beginning of what is taken next."""
        self._open = False
        rise = (np.arange(fade, dtype=np.float32) + np.float32(0.5)) / np.float32(max(fade, 1))
        self._rise: Floats = rise * rise * (np.float32(3.0) - np.float32(2.0) * rise)

    def lay(self, at: float, sound: Any) -> None:
        """Sound ``(channels, samples)`` that begins `at` samples after the beginning of what is taken next."""
        rows = np.atleast_2d(np.asarray(sound, np.float32))
        made = np.array(np.broadcast_to(rows, (self.channels, rows.shape[1])))
        place = round(at) + self.fade
        if self._open and abs(place - self._end) <= NEAR:
            self._put(self._end, made)
            return
        if place < 0:  # it came too late for its beginning
            made, place = made[:, -place:], 0
        if not made.shape[1]:
            return
        self._close(place)
        length = min(self.fade, made.shape[1])
        made[:, :length] *= self._rise[:length]
        self._put(place, made)

    def take(self, samples: int) -> Floats:
        """What is played next. All messages before its end have been laid."""
        if self._open and self._end - self.fade < samples - NEAR:  # what could follow would have come
            self._close(self._end)
        self._reach(samples)
        found, self._line = self._line[:, :samples], self._line[:, samples:]
        self._end = max(self._end - samples, 0)
        return np.ascontiguousarray(found)

    def clear(self) -> None:
        """Forget everything."""
        self._line, self._end, self._open = self._line[:, :0], 0, False

    def _put(self, place: int, sound: Floats) -> None:
        end = place + sound.shape[1]
        self._reach(end)
        self._line[:, place:end] += sound
        self._end, self._open = end, True

    def _reach(self, end: int) -> None:
        missing = end - self._line.shape[1]
        if missing > 0:
            self._line = np.concatenate([self._line, np.zeros((self.channels, missing), np.float32)], axis=1)

    def _close(self, before: int) -> None:
        """Let what there is fade: to silence at its end, or within a fade from `before` on."""
        end = min(self._end, before + self.fade)
        start = max(0, end - self.fade)
        if self._open and end > start:
            self._line[:, start:end] *= self._rise[: end - start][::-1]
        self._line[:, end:] = 0.0
        self._end, self._open = end, False
