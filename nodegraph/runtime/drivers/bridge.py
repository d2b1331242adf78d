"""The bridge from one device's inputs to another device's clock, as Python handles it: its memory, and how it is."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any, Final

import numpy as np

from nodegraph.runtime.compile.memory import touched
from nodegraph.runtime.drivers.null import MONOTONIC
from nodegraph.runtime.machine import libc
from nodegraph.runtime.native import bridge as native
from nodegraph.runtime.native import words as w

RING: Final = 1 << 15
SLOWEST_HZ: Final = 0.05
JITTER_S: Final = 0.002
"""How much later than others a block may come before there is too little."""
MOST_S: Final = 0.25
CUTOFF: Final = 22.0 / 48.0
BETA: Final = 11.2
"""Of the Kaiser window: what is aliased lies 110 dB below."""


class Bridge:
    """A ring and a resampler between two devices of the same nominal rate."""

    def __init__(self, rate: int, channels: int, in_block: int, out_block: int, now: int | None = None) -> None:
        """`now` is the time that clocks show, in ns; it is the machine's, if it is not given."""
        self.rate, self.channels = rate, channels
        groups = (channels + 15) // 16
        self.words = np.zeros(w.BRIDGE_WORDS, np.int64)
        self.floats = self.words.view(np.float64)
        self.address = int(self.words.ctypes.data)
        self._ring, ring = _aligned(RING * groups * 16)
        self._table, table = _aligned((native.PHASES + 2) * native.TAPS + 16)
        self._table[: (native.PHASES + 1) * native.TAPS] = filter_table().reshape(-1)
        least = in_block + out_block + native.HALF + native.RESERVE + round(JITTER_S * rate) + out_block // 32
        for word, value in (
            (w.B_RING, ring), (w.B_MASK, RING - 1), (w.B_GROUPS, groups), (w.B_CHANNELS, channels),
            (w.B_TABLE, table), (w.B_CLOCK, libc("clock_gettime")), (w.B_CLOCK_ID, MONOTONIC),
            (w.B_EPOCH, (time.monotonic_ns() if now is None else now) - 10**9),
        ):  # fmt: skip
            self.words[word] = value
        for word, real in (
            (w.B_RATE, float(rate)), (w.B_SLOWEST, SLOWEST_HZ), (w.B_TARGET, float(least)),
            (w.B_MOST, max(float(least), MOST_S * rate)), (w.B_RATIO, 1.0), (w.B_EACH, 1.0 / rate),
            (w.B_OUT_EACH, 1.0 / rate),
        ):  # fmt: skip
            self.floats[word] = real

    @property
    def latency_s(self) -> float:
        """How long the input is on its way through the bridge."""
        return float(self.floats[w.B_TARGET] / self.rate)

    @property
    def written(self) -> int:
        """Frames that the input has given."""
        return int(self.words[w.B_WRITTEN])

    def status(self) -> dict[str, Any]:
        """The delay aimed at and now, how much faster the input's clock is, how often it began anew: plain data."""
        return {
            "latency_s": self.latency_s,
            "delay_s": float(self.floats[w.B_DELAY] / self.rate),
            "drift_ppm": 1e6 * (float(self.floats[w.B_RATIO]) - 1.0),
            "playing": bool(self.words[w.B_STATE]),
            "restarts": int(self.words[w.B_LOST]),
        }


@lru_cache(maxsize=1)
def filter_table() -> np.ndarray[Any, np.dtype[np.float32]]:
    """A windowed sinc at every phase between two frames, and once more at the next frame; each row sums to one."""
    phases = np.arange(native.PHASES + 1)[:, None] / native.PHASES
    distance = np.arange(native.TAPS)[None, :] - (native.HALF - 1) - phases
    window = np.i0(BETA * np.sqrt(np.maximum(0.0, 1.0 - (distance / native.HALF) ** 2))) / np.i0(BETA)
    rows = 2.0 * CUTOFF * np.sinc(2.0 * CUTOFF * distance) * window
    return np.asarray(rows / rows.sum(axis=1, keepdims=True), np.float32)


def _aligned(count: int) -> tuple[np.ndarray[Any, np.dtype[np.float32]], int]:
    """Room for so many float32 at an address that lanes can be loaded from, and the address."""
    raw = np.zeros(count + 16, np.float32)
    skip = (-raw.ctypes.data % 64) // 4
    found = touched(raw[skip : skip + count])
    return found, int(found.ctypes.data)
