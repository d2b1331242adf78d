"""What the contract tests call the machinery of `nodegraph.validation` by, and decibels."""

from __future__ import annotations

import math

from nodegraph.validation.comparing import Floats, same_bits
from nodegraph.validation.unit import Unit, play

__all__ = ["Floats", "Unit", "db", "play", "same_bits"]


def db(ratio: float) -> float:
    """Decibels of an amplitude ratio."""
    return 20.0 * math.log10(max(abs(float(ratio)), 1e-30))
