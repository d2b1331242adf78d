"""From one rate to another inside a patch: nodes of an oversampled subpatch run at 2, 4 or 8 times the engine's rate.

Each doubling has a half-band filter of linear phase whose delay is a whole number of frames at the engine's rate. Flat
within 0.001 dB up to 0.41 of the engine's rate (19.7 kHz at 48 kHz); what would fold back below there is 100 dB down.

Source: F. Mintzer, "On half-band, third-band and Nth-band FIR filters and their design", IEEE Trans. ASSP, 1982;
J. F. Kaiser's window.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np

from nodegraph.runtime.native import halfband

STOPBAND_DB: Final = 106.0
MIDDLES: Final = {1: 39, 2: 15, 4: 15}
"""By the lower factor: the place of the filter's middle, odd, so that with one sample more the delay is whole."""


def steps(factor: int, target: int) -> list[tuple[int, bool]]:
    """The doublings (True) and halvings between two factors, each with its lower factor."""
    found = []
    while factor < target:
        found.append((factor, True))
        factor *= 2
    while factor > target:
        factor //= 2
        found.append((factor, False))
    return found


@cache
def crossing_frames(factor: int, target: int) -> int:
    """By how many frames at the engine's rate sound is late behind the filters between two factors."""
    return sum((MIDDLES[lower] + 1) // (2 * lower) for lower, _ in steps(factor, target))


@cache
def half_band(lower: int) -> np.ndarray[Any, Any]:
    """The filter between `lower` and twice that, as `native.halfband` reads it."""
    middle = MIDDLES[lower]
    at = np.arange(-middle, middle + 1)
    taps = np.sinc(at / 2.0) * np.kaiser(len(at), 0.1102 * (STOPBAND_DB - 8.7))
    outer = taps[at % 2 != 0]
    outer /= outer.sum()  # the samples between have exactly the level of those that are there
    block = np.zeros(4 + len(outer), np.float32)
    block[:4].view(np.int64)[:] = len(outer), (middle + 1) // 2
    block[4:] = outer
    assert len(outer) <= halfband.MOST
    return block


def memory() -> np.ndarray[Any, Any]:
    """A filter's memory."""
    return np.zeros(2 * (halfband.MOST + halfband.ROOM), np.float32)
