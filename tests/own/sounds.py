"""Sounds that the tests and their golden networks can make again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
RATE = 16_000
LABELS = ("low", "high", "noise")


def sound(label: str, seed: int, samples: int) -> Floats:
    """A low tone, a high tone, or noise, each at some level; the tones a little noisy."""
    dice = np.random.default_rng([seed, LABELS.index(label)])
    level = 10.0 ** dice.uniform(-1.5, -0.2)
    noise = dice.standard_normal(samples)
    if label == "noise":
        return (0.3 * level * noise).astype(np.float32)
    hertz = dice.uniform(120.0, 500.0) if label == "low" else dice.uniform(2_000.0, 6_000.0)
    tone = np.sin(2.0 * np.pi * (hertz * np.arange(samples) / RATE + dice.uniform()))
    return (level * (tone + 0.003 * noise)).astype(np.float32)


def scene(seed: int, samples: int = 48_000) -> Floats:
    """Tones and noise that come and go: something to spike at."""
    dice = np.random.default_rng(seed)
    made = 0.001 * dice.standard_normal(samples)
    at = 0
    while at < samples:
        length = int(dice.integers(800, 6_000))
        piece = sound(LABELS[int(dice.integers(3))], int(dice.integers(1 << 30)), length)
        fade = np.minimum(1.0, np.minimum(np.arange(length), np.arange(length)[::-1]) / 200.0)
        made[at : at + length] += (piece * fade)[: samples - at]
        at += length + int(dice.integers(0, 4_000))
    return made.astype(np.float32)
