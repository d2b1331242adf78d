"""Measuring pitches without knowing how they were made: the highest point of a long spectrum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]


def pitch(sound: Sound, rate: int, near: float, semitones: float = 1.0) -> float:
    """The frequency of the strongest partial within so many semitones of `near`.

    A Blackman window over all of the sound, four times its length of zeros, and a parabola through the logarithms of
    the three highest points. A partial that dies away is measured as one that stays: its peak is as symmetrical.
    """
    size = 1 << int(np.ceil(np.log2(4 * len(sound))))
    spectrum = np.abs(np.fft.rfft(sound * np.blackman(len(sound)), size))
    low, high = (int(near * 2.0 ** (away / 12) * size / rate) for away in (-semitones, semitones))
    k = low + int(np.argmax(spectrum[low : high + 2]))
    before, at, after = np.log(spectrum[k - 1 : k + 2])
    return float((k + 0.5 * (before - after) / (before - 2 * at + after)) * rate / size)


def cents(found: float, wanted: float) -> float:
    """By how many hundredths of a semitone a frequency is too high."""
    return float(1_200 * np.log2(found / wanted))


def fall(sound: Sound, rate: int, freq: float) -> float:
    """By how many dB the partial at `freq` falls in a second, from two windows half the sound apart."""
    half = len(sound) // 2
    turned = sound * np.exp(-2j * np.pi * freq * np.arange(len(sound)) / rate)
    window = np.blackman(half)
    early, late = (abs(np.mean(window * turned[at : at + half])) for at in (0, half))
    return float(20 * np.log10(late / early) * rate / half)


def decay_time(sound: Sound, rate: int) -> float:
    """The time in which all of it falls by 60 dB, from -5 to -45 dB of what is to come (Schroeder)."""
    left = np.cumsum((sound**2)[::-1])[::-1]
    level = 10 * np.log10(left / left[0])
    return float(1.5 * (np.argmax(level < -45) - np.argmax(level < -5)) / rate)
