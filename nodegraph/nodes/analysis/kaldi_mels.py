"""Mel columns as Kaldi makes them: what networks see that were trained on its "fbank" features."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Window = Literal["povey", "hanning"]
WINDOW_S, HOP_S = 0.025, 0.010
PREEMPHASIS: Final = 0.97
LOW_HZ: Final = 20.0
FLOOR: Final = float(np.finfo(np.float32).eps)
"""The least energy of a band, before the logarithm."""


def kaldi_columns(sound: NDArray[Any], rate: int, bands: int, *, window: Window = "povey") -> Floats:
    """Log mel energies of a sound, time first: (samples,) → (1 + (samples - window) // hop, bands).

    Frames of 25 ms every 10 ms, the first of them at the first sample, none beyond the last; each without its mean,
    pre-emphasised by 0.97, windowed, filled up to a power of two. Triangles stand evenly on mel = 1127 ln(1 + Hz / 700)
    from 20 Hz to half the rate and are straight in mel. No dither. A sound shorter than a frame gives no column.

    `sound` has the scale that the network was trained on: Kaldi's own is that of 16-bit integers.

    Source: Kaldi, feat/feature-window.cc, feat/feature-fbank.cc and feat/mel-computations.cc; D. Povey and others,
    "The Kaldi Speech Recognition Toolkit", ASRU 2011.
    """
    size, hop = round(WINDOW_S * rate), round(HOP_S * rate)
    if len(sound) < size:
        return np.zeros((0, bands), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(sound, np.float64), size)[::hop]
    frames = frames - frames.mean(axis=1, keepdims=True)
    frames[:, 1:] -= PREEMPHASIS * frames[:, :-1]  # the right side is computed before anything is written
    frames[:, 0] *= 1.0 - PREEMPHASIS
    fft = 1 << (size - 1).bit_length()
    spectrum = np.fft.rfft(frames * _window(window, size), fft)
    energies = (spectrum.real**2 + spectrum.imag**2) @ _bank(bands, fft, rate)
    return np.log(np.maximum(energies, FLOOR)).astype(np.float32)


@lru_cache(maxsize=8)
def _window(name: Window, size: int) -> NDArray[np.float64]:
    """A window that ends as it begins. Povey's is Hann's to the power of 0.85."""
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / (size - 1))
    return hann**0.85 if name == "povey" else hann


@lru_cache(maxsize=8)
def _bank(bands: int, fft: int, rate: int) -> NDArray[np.float64]:
    """The triangles, (fft // 2 + 1, bands). What stands at half the rate belongs to none."""
    corners = np.linspace(_mel(LOW_HZ), _mel(rate / 2.0), bands + 2)
    mels = _mel(np.arange(fft // 2 + 1) * (rate / fft))[:, None]
    rising = (mels - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - mels) / (corners[2:] - corners[1:-1])
    bank: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    return bank


def _mel(hz: Any) -> Any:
    return 1127.0 * np.log(1.0 + hz / 700.0)
