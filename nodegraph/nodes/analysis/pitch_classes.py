"""How much each of the twelve pitch classes sounds, overtones not counted: what keys and chords are told from.

The spectrum is laid on a scale of thirds of a semitone, flattened, and explained as a sum of notes, each with its
overtones; what remains of a note is its loudness.

Source: M. Mauch and S. Dixon, "Approximate Note Transcription for the Improved Identification of Difficult Chords",
ISMIR 2010, sections 2 and 3 (overtones of a note fall as 0.7 to the power of their number); the loudness of the notes
is found by D. Lee and H. S. Seung's rule, "Algorithms for Non-negative Matrix Factorization", NIPS 2000.
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LOWEST_KEY, NOTES, PARTS = 24, 72, 3
"""From C1 (32.7 Hz) up six octaves, in thirds of a semitone."""
OVERTONES, DECAY, TURNS = 16, 0.7, 40
SILENCE: Final = 1e-4
BASS_KEYS, TREBLE_KEYS = (26, 55), (38, 96)


class Classes(NamedTuple):
    """Loudness of the pitch classes from C to B, in the bass and above it: (12,) each. `level` is that of the sound."""

    bass: Floats
    treble: Floats
    level: float


class PitchClasses:
    """Hears windows of `size` samples at `rate`."""

    def __init__(self, rate: int, size: int) -> None:
        self.size = size
        self._hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)
        self._laid = _laid(rate, size)
        self._notes = _notes()
        self._among = self._notes @ self._notes.T
        keys = LOWEST_KEY + np.arange(NOTES)
        self._bass = _folded(keys, BASS_KEYS)
        self._treble = _folded(keys, TREBLE_KEYS)
        self._phase = 0.0 + 0.0j
        """Where between the semitones the peaks lie, over some time: how the instruments are tuned."""

    @property
    def tuning_cents(self) -> float:
        """By how much the music is tuned above 440 Hz."""
        return float(-np.angle(self._phase) / (2.0 * np.pi) * 100.0) if self._phase else 0.0

    def hear(self, window: NDArray[np.float32]) -> Classes:
        """The pitch classes of one window, (size,)."""
        level = float(np.sqrt(np.mean(np.square(window, dtype=np.float64))))
        if not level > SILENCE:
            return Classes(np.zeros(12), np.zeros(12), level)
        spectrum = np.abs(np.fft.rfft(window * self._hann)[: len(self._laid)])
        found = self._tuned(spectrum @ self._laid)
        loud = self._explained(_flattened(found))
        return Classes(loud @ self._bass, loud @ self._treble, level)

    def _tuned(self, scale: Floats) -> Floats:
        """The scale shifted so that notes fall into the middle of their semitones."""
        turn = np.exp(-2j * np.pi * (np.arange(len(scale)) - 1) / PARTS)
        self._phase = 0.98 * self._phase + complex(np.sum(scale * turn) / max(float(scale.sum()), 1e-12))
        shift = self.tuning_cents / 100.0 * PARTS
        places = np.arange(len(scale))
        found: Floats = np.interp(places + shift, places, scale)
        return found

    def _explained(self, scale: Floats) -> Floats:
        """How loud each note is, so that their sum is the scale."""
        match = self._notes @ scale
        loud: Floats = match.copy()
        for _ in range(TURNS):
            loud *= match / np.maximum(self._among @ loud, 1e-9)
        return loud


def _laid(rate: int, size: int) -> Floats:
    """From bins of a spectrum to thirds of semitones: (bins up to the highest of them, NOTES * PARTS)."""
    count = NOTES * PARTS
    highest = 440.0 * 2.0 ** ((LOWEST_KEY + NOTES + 1 - 69) / 12.0)
    hz = np.maximum(np.arange(min(size // 2 + 1, int(highest * size / rate) + 2)) * (rate / size), 1e-3)
    place = (69.0 + 12.0 * np.log2(hz / 440.0) - LOWEST_KEY) * PARTS + 1.0  # the middle third is the note itself
    width = np.maximum(1.0, 12.0 * PARTS * np.log2(1.0 + rate / size / hz))  # a bin may be wider than a third
    weight: Floats = np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(count)) / width[:, None])
    weight /= np.maximum(weight.sum(axis=1, keepdims=True), 1.0)
    return weight


def _flattened(scale: Floats) -> Floats:
    """Without what is broad: each place against those within half an octave, counted in how much they vary."""
    half = 6 * PARTS
    padded = np.pad(scale, half, mode="edge")
    sums, squares = np.cumsum(np.append(0.0, padded)), np.cumsum(np.append(0.0, padded**2))
    count = 2 * half + 1
    mean = (sums[count:] - sums[:-count]) / count
    spread = np.sqrt(np.maximum((squares[count:] - squares[:-count]) / count - mean**2, 0.0))
    loudest = float(scale.max())
    found: Floats = np.maximum(scale - mean, 0.0) / (spread + 0.02 * loudest + 1e-12)
    return found


@cache
def _notes() -> Floats:
    """What each note looks like on the scale, its overtones included: (NOTES, NOTES * PARTS)."""
    count = NOTES * PARTS
    rows = np.zeros((NOTES, count))
    places = np.arange(count)
    for note in range(NOTES):
        for number in range(1, OVERTONES + 1):
            middle = (note + 12.0 * np.log2(number)) * PARTS + 1.0
            near = np.abs(places - middle)
            rows[note] += DECAY ** (number - 1) * np.where(near < 2.0, 0.5 + 0.5 * np.cos(np.pi * near / 2.0), 0.0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows.setflags(write=False)  # it is the same for all
    return rows


def _folded(keys: NDArray[np.int64], span: tuple[int, int]) -> Floats:
    """From notes to pitch classes, those within a span, softly at its ends: (NOTES, 12)."""
    inside = np.clip(np.minimum(keys - span[0], span[1] - keys) / 6.0, 0.0, 1.0)
    folded = np.zeros((len(keys), 12))
    folded[np.arange(len(keys)), keys % 12] = inside
    return folded
