"""A closer look at an outlet as what can be drawn: lines of text, a wave, a spectrum, a strip of values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.editor.texts import cut

SHOWN: Final = 1_024
"""Samples of the wave that is drawn: as many more may pass until it rises through zero, so that it stands still."""
POINTS: Final = 160
BANDS: Final = 80
LOWEST_HZ: Final = 30.0
HIGHEST_HZ: Final = 20_000.0
FLOOR_DB: Final = -90.0
CELLS: Final = 128
MOST_TEXT: Final = 60
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Closeup:
    """What is seen of an outlet.

    `wave` lies between -1 and 1, lowest and highest by turns; `spectrum` between 0 (-90 dB) and 1 (a sine at full
    scale), at frequencies in even steps of pitch from `LOWEST_HZ` on; `strip` between 0 and 1.
    """

    name: str
    kind: str
    lines: tuple[str, ...]
    wave: tuple[float, ...] = ()
    spectrum: tuple[float, ...] = ()
    strip: tuple[float, ...] = ()


def closeup(data: Mapping[str, Any]) -> Closeup:
    """Of what the session tells under ``probe``."""
    kind, name = str(data["kind"]), f"{data['node']}.{data['port']}"
    if kind == "signal":
        return _signal(name, data)
    lines = []
    if "values" in data:
        values = np.array(data["values"], np.float32)
        shape = " x ".join(str(size) for size in data["shape"]) or "one number"
        lines.append(f"tensor, {shape}")
        if len(values):
            lines.append(f"{values.min():.4g} to {values.max():.4g}, mean {values.mean():.4g}")
        return Closeup(name, kind, (*lines, _when(data)), strip=_strip(values))
    lines.append("nothing yet" if data.get("ago") is None else text_of(data.get("value")))
    return Closeup(name, kind, (*lines, _when(data)))


def _signal(name: str, data: Mapping[str, Any]) -> Closeup:
    channels, rate = int(data["channels"]), float(data["rate"])
    if channels == 0:
        return Closeup(name, "signal", ("has no cable: it is not computed",))
    samples: Floats = np.nan_to_num(np.frombuffer(data["samples"], "<f4"), posinf=0.0, neginf=0.0)
    about = f"{channels} channel{'s' if channels > 1 else ''}, {rate / 1000:g} kHz"
    if not len(samples):
        return Closeup(name, "signal", (about,))
    peak, rms = float(np.abs(samples).max()), float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    level = f"peak {decibels(peak)}, rms {decibels(rms)}"
    return Closeup(name, "signal", (about, level), wave_of(samples), spectrum_of(samples, rate))


def extent(data: Mapping[str, Any]) -> tuple[float, float] | None:
    """The lowest and the highest of a signal's samples; None where there are none."""
    samples = np.frombuffer(data.get("samples", b""), "<f4")
    if not len(samples) or not np.isfinite(samples).all():
        return None
    return float(samples.min()), float(samples.max())


def decibels(level: float) -> str:
    """A level in words: full scale is 0 dBFS."""
    return f"{20.0 * np.log10(level):.1f} dBFS" if level > 1e-7 else "silent"


def wave_of(samples: Floats) -> tuple[float, ...]:
    """A piece of the wave that begins where it rises through zero."""
    spare = max(0, len(samples) - SHOWN)
    rises = np.flatnonzero((samples[:spare] <= 0.0) & (samples[1 : spare + 1] > 0.0)) if spare else np.zeros(0, int)
    start = int(rises[0]) if len(rises) else spare
    piece = samples[start : start + SHOWN]
    parts = np.array_split(piece, min(POINTS, max(1, len(piece))))
    highest = max(1.0, float(np.abs(piece).max()))
    return tuple(float(end) / highest for part in parts for end in (part.min(), part.max()))


def spectrum_of(samples: Floats, rate: float) -> tuple[float, ...]:
    """How strong it is at each of `BANDS` pitches."""
    window = np.hanning(len(samples) + 1)[:-1]
    strength = np.abs(np.fft.rfft(samples * window)) / (0.5 * window.sum())
    highest = min(HIGHEST_HZ, rate / 2)
    edges = LOWEST_HZ * (highest / LOWEST_HZ) ** (np.arange(BANDS + 1) / BANDS) * len(samples) / rate
    found = []
    for low, high in pairwise(edges):
        first, last = int(np.ceil(low)), int(np.floor(high))
        if first <= last:
            found.append(strength[first : last + 1].max(initial=0.0))
        else:  # a band between two bins
            found.append(np.interp(0.5 * (low + high), np.arange(len(strength)), strength))
    heights = 1.0 - 20.0 * np.log10(np.maximum(found, 1e-9)) / FLOOR_DB
    return tuple(float(height) for height in np.clip(heights, 0.0, 1.0))


def _strip(values: Floats) -> tuple[float, ...]:
    """Values from the lowest to the highest as 0 to 1, as many as can be seen side by side; small ones are lifted, for
    most of a spectrum would be black.
    """
    values = np.nan_to_num(values)
    if not len(values):
        return ()
    cells = np.array([part.max() for part in np.array_split(values, min(CELLS, len(values)))])
    low, high = float(cells.min()), float(cells.max())
    return tuple(float(cell) for cell in np.sqrt((cells - low) / (high - low if high > low else 1.0)))


def _when(data: Mapping[str, Any]) -> str:
    ago = data.get("ago")
    if ago is None:
        return "0 a second"
    return f"{ago:.1f} s ago, {data['per_s']:g} a second"


def text_of(value: Any) -> str:
    """A message as it came over the line, in a few words."""
    if isinstance(value, Mapping) and len(value) == 1:
        ((word, told),) = value.items()
        text = word if told is True else f"{word} {_plain(told)}"
    else:
        text = _plain(value)
    return cut(text, MOST_TEXT)


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(item) if not isinstance(item, Mapping) else text_of(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value, default=str)
