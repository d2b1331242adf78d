"""Two devices whose clocks differ, simulated to the nanosecond: what the bridge between them makes of a sound."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from nodegraph.runtime.drivers.bridge import Bridge
from nodegraph.runtime.machine import pointers
from nodegraph.runtime.native import bridge as native
from nodegraph.runtime.native.compiled import address

RATE = 48_000
UPTIME_NS = 10**15


@lru_cache(maxsize=1)
def entries() -> tuple[Any, Any]:
    push = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 4)(address(native.push))
    pull = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 5)(address(native.pull))
    return push, pull


def run(
    sound: Callable[[np.ndarray], np.ndarray],
    seconds: float,
    *,
    ppm: Callable[[float], float] | float = 0.0,
    in_block: int = 256,
    out_block: int = 256,
    jitter_s: float = 0.0,
    channels: int = 1,
    input_runs: Callable[[float], bool] = lambda time: True,
    output_runs: Callable[[float], bool] = lambda time: True,
    each: Callable[[float, Bridge], None] = lambda time, bridge: None,
    seed: int = 1,
) -> tuple[np.ndarray, Bridge]:
    """What comes out, ``(channels, frames)``, and the bridge. `sound` gives the input's samples at its frame numbers.

    The input's clock is `ppm` faster than the output's. Every block comes up to `jitter_s` late.
    """
    bridge = Bridge(RATE, channels, in_block, out_block, now=UPTIME_NS)
    push, pull = entries()
    chance = np.random.default_rng(seed)
    faster = ppm if callable(ppm) else lambda time: float(ppm)
    outs = np.zeros((channels, out_block), np.float32)
    table = pointers(outs)
    found = []
    in_due, out_due = in_block / RATE + 0.0013, out_block / RATE
    in_next, out_next = in_due, out_due
    given = 0
    while out_due < seconds:
        if in_next <= out_next:
            if input_runs(in_due):
                block = np.ascontiguousarray(sound(given + np.arange(in_block)).reshape(-1, channels), np.float32)
                push(bridge.address, block.ctypes.data, in_block, round(in_next * 1e9) + UPTIME_NS)
            given += in_block
            in_due += in_block / (RATE * (1.0 + 1e-6 * faster(in_due)))
            in_next = max(in_due + chance.uniform(0.0, 1.0) * jitter_s, in_next)
        else:
            if output_runs(out_due):
                pull(bridge.address, table.ctypes.data, channels, out_block, round(out_next * 1e9) + UPTIME_NS)
                found.append(outs.copy())
                each(out_due, bridge)
            out_due += out_block / RATE
            out_next = max(out_due + chance.uniform(0.0, 1.0) * jitter_s, out_next)
    return np.concatenate(found, axis=1), bridge


def snr_db(sound: np.ndarray, freq: float) -> float:
    """The level of a steady sine near `freq` over everything else; its own frequency, level and phase are fitted."""
    n = len(sound)
    time = (np.arange(n) - n / 2) / RATE
    best = freq
    for _ in range(8):
        sine = np.stack([np.cos(2 * np.pi * best * time), np.sin(2 * np.pi * best * time)], axis=1)
        # the derivative by the frequency, so that the fit corrects it
        terms = np.concatenate([sine, sine * time[:, None], np.ones((n, 1))], axis=1)
        c = np.linalg.lstsq(terms, sound.astype(np.float64), rcond=None)[0]
        # d/df of a cos + b sin = 2 pi t (b cos - a sin)
        change = (c[2] * c[1] - c[3] * c[0]) / (c[0] ** 2 + c[1] ** 2) / (2 * np.pi)
        best += change
    sine = np.stack([np.cos(2 * np.pi * best * time), np.sin(2 * np.pi * best * time), np.ones(n)], axis=1)
    c = np.linalg.lstsq(sine, sound.astype(np.float64), rcond=None)[0]
    rest = sound - sine @ c
    return float(10.0 * np.log10((c[0] ** 2 + c[1] ** 2) / 2 / np.mean(rest**2)))
