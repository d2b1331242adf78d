"""Mel columns: what most listening networks see of a sound."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nodegraph.models.own_networks import Mels

Floats = NDArray[np.float32]
Scale = Literal["htk", "slaney"]
LINEAR_HZ, MELS_BELOW = 1_000.0, 15.0
LOG_STEP = float(np.log(6.4) / 27.0)
LOUDEST: Final = np.float32(1e6)
"""What is louder is no sound; its spectrum would leave the range of float32."""


def mel_bank(
    bands: int, low_hz: float, high_hz: float, fft: int, rate: int, *, scale: Scale = "htk",
    area: Literal["", "hz", "sum"] = "",
) -> Floats:  # fmt: skip
    """Triangles that stand evenly on a mel scale and are straight in Hz: (fft // 2 + 1, bands).

    Their peak is 1; with `area` ``hz`` each covers 1 Hz, with ``sum`` its weights add up to 1.

    Source: the HTK Book, "Filterbank Analysis": mel = 2595 log10(1 + Hz / 700); M. Slaney, *Auditory Toolbox*, 1998:
    linear to 1 kHz, then logarithmic.
    """
    to, back = (_htk, _from_htk) if scale == "htk" else (_slaney, _from_slaney)
    corners = back(np.linspace(to(low_hz), to(high_hz), bands + 2))
    bins = np.arange(fft // 2 + 1)[:, None] * (rate / fft)
    rising = (bins - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - bins) / (corners[2:] - corners[1:-1])
    bank = np.maximum(0.0, np.minimum(rising, falling))
    if area == "hz":
        bank *= 2.0 / (corners[2:] - corners[:-2])
    elif area == "sum":
        bank /= np.maximum(bank.sum(axis=0), 1e-12)
    return bank.astype(np.float32)


@cache
def hann(size: int) -> Floats:
    """A periodic Hann window; the same for all who ask, so it cannot be changed."""
    window = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)).astype(np.float32)
    window.flags.writeable = False
    return window


def powers(sound: NDArray[Any], window: Floats, hop: int) -> Floats:
    """Power spectra of a sound, time first: (frames, size // 2 + 1). The first window begins with the sound."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, len(window))[::hop]
    spectra = np.fft.rfft(frames * window)
    return np.square(spectra.real, dtype=np.float32) + np.square(spectra.imag, dtype=np.float32)


def columns(sound: NDArray[Any], window: Floats, hop: int, fft: int, bank: Floats, power: float) -> Floats:
    """Mel columns of a sound, time first: (frames, bands). The first window begins with the sound."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, len(window))[::hop]
    magnitudes = np.abs(np.fft.rfft(frames * window, fft)).astype(np.float32)
    found = (magnitudes if power == 1.0 else magnitudes ** np.float32(power)) @ bank
    return found.astype(np.float32, copy=False)


def log_columns(sound: Floats, mels: Mels) -> Floats:
    """What a network of the user's own hears of a sound at its rate: (samples,) → (frames, bins), time first.

    Windows under a periodic Hann window, the first one beginning with the sound and none reaching beyond it, are
    transformed (`n_fft` points, filled up with zeros), their magnitudes taken to the `power` and added up in bands;
    then the natural logarithm of what is above the floor. A frame has the same bits however many stand beside it, so a
    sound that flows gives what the whole gives. A sound shorter than a window has no frame. Training and playing call
    this same function.

    Source: S. B. Davis and P. Mermelstein, "Comparison of Parametric Representations for Monosyllabic Word
    Recognition", 1980, for bands on the mel scale; `mel_bank` for the bands.
    """
    if len(sound) < mels.window:
        return np.zeros((0, mels.bins), np.float32)
    window, bank = _made(mels)
    frames = np.lib.stride_tricks.sliding_window_view(held(sound), mels.window)[:: mels.hop]
    magnitudes = np.abs(np.fft.rfft(frames * window, mels.n_fft)).astype(np.float32, copy=False)
    bands = magnitudes if mels.power == 1.0 else np.square(magnitudes)
    # One product a frame: a product of all of them would be added up in another order, which changes the last bit.
    heard: Floats = np.stack([band @ bank for band in bands])
    return np.log(np.maximum(heard, np.float32(mels.log_floor)))


def held(sound: Floats) -> Floats:
    """The sound, with silence for what is no number and nothing louder than `LOUDEST`."""
    return np.clip(np.nan_to_num(sound, nan=0.0), -LOUDEST, LOUDEST)


@lru_cache(maxsize=64)
def _made(mels: Mels) -> tuple[Floats, Floats]:
    """Window and bands."""
    area: Any = {"none": "", "slaney": "hz", "sum": "sum"}[mels.norm]
    bank = mel_bank(mels.bins, mels.low_hz, mels.high_hz, mels.n_fft, mels.rate, scale=mels.scale, area=area)
    return hann(mels.window), bank


def _htk(hz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hz / 700.0))


def _from_htk(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    return found


def _slaney(hz: float) -> float:
    linear = 3.0 * hz / 200.0
    return linear if hz < LINEAR_HZ else MELS_BELOW + float(np.log(hz / LINEAR_HZ)) / LOG_STEP


def _from_slaney(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    above = LINEAR_HZ * np.exp(LOG_STEP * (mels - MELS_BELOW))
    return np.where(mels < MELS_BELOW, mels * 200.0 / 3.0, above)
