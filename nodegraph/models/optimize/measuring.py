"""How fast a version is, and how far from its original."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from nodegraph.models.optimize.hearing import Call

ROUNDS, FEWEST = 30, 5
LONGEST_S: Final = 20.0
WARM_UPS: Final = 2


def speeds(first: Any, second: Any, calls: Sequence[Call], tell: Callable[[float, str], None]) -> tuple[float, float]:
    """Milliseconds a run of two sessions, by turns with the same calls: the medians."""
    times: tuple[list[float], list[float]] = ([], [])
    began = time.monotonic()
    for number in range(-WARM_UPS, ROUNDS):
        call = calls[number % len(calls)]
        tell(max(0, number), "measuring the speed")
        for session, taken in zip((first, second), times, strict=True):
            at = time.perf_counter()
            session.run(call.names, call.feed)
            if number >= 0:
                taken.append(1e3 * (time.perf_counter() - at))
        if number >= FEWEST and time.monotonic() - began > LONGEST_S:
            break
    return float(np.median(times[0])), float(np.median(times[1]))


def errors(session: Any, calls: Sequence[Call], tell: Callable[[float, str], None]) -> tuple[float, float]:
    """The greatest and the mean error of a session over these calls, relative to the largest number that the original
    said at that output; of its worst output. A number that is none counts as infinitely far."""
    worst: dict[str, float] = {}
    sums: dict[str, list[float]] = {}
    largest: dict[str, float] = {}
    for number, call in enumerate(calls):
        tell(number, "measuring the error")
        for name, true, found in zip(call.names, call.out, session.run(call.names, call.feed), strict=True):
            if not isinstance(true, np.ndarray) or not np.issubdtype(true.dtype, np.floating) or not true.size:
                continue
            off = np.abs(np.asarray(found, np.float64) - true)
            off = np.where(np.isfinite(off), off, np.inf)
            worst[name] = max(worst.get(name, 0.0), float(off.max()))
            largest[name] = max(largest.get(name, 0.0), float(np.abs(true).max()))
            sums.setdefault(name, []).append(float(off.mean()))
    scale = {name: largest[name] or 1.0 for name in largest}
    greatest = max((worst[name] / scale[name] for name in worst), default=0.0)
    mean = max((float(np.mean(sums[name])) / scale[name] for name in sums), default=0.0)
    return greatest, mean
