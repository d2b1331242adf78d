"""Comparing sounds to the bit, and looking for numbers that are none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Sounds = Mapping[str, Floats]
"""Sound by outlet, each ``(channels, frames)``."""


class Difference(NamedTuple):
    """Where two sounds part first: the outlet, the channel, the frame and both values as text."""

    port: str
    channel: int | None
    frame: int | None
    first: str
    second: str
    many: int = 1

    def __str__(self) -> str:
        if self.frame is None:
            return f"'{self.port}' has shape {self.first} and {self.second}"
        more = f" ({self.many} differ)" if self.many > 1 else ""
        return f"'{self.port}' channel {self.channel} frame {self.frame}: {self.first} and {self.second}{more}"


def first_difference(a: Sounds, b: Sounds) -> Difference | None:
    """The first frame in which two sounds are not equal bit for bit; None when they are."""
    found: Difference | None = None
    for name in a:
        if a[name].shape != b[name].shape:
            return Difference(name, None, None, str(a[name].shape), str(b[name].shape))
        wrong = np.argwhere(a[name].view(np.int32) != b[name].view(np.int32))
        if len(wrong):
            channel, frame = map(int, wrong[wrong[:, 1].argmin()])
            values = text_of(a[name][channel, frame]), text_of(b[name][channel, frame])
            if found is None or found.frame is None or frame < found.frame:
                found = Difference(name, channel, frame, *values, len(wrong))
    return found


def same_bits(a: Sounds, b: Sounds) -> str:
    """Empty when both are equal bit for bit, else the first difference in words."""
    found = first_difference(a, b)
    return "" if found is None else str(found)


def first_not_finite(sounds: Sounds) -> Difference | None:
    """The first frame that is NaN or infinite; None when there is none."""
    found: Difference | None = None
    for name, sound in sounds.items():
        wrong = np.argwhere(~np.isfinite(sound))
        if len(wrong):
            channel, frame = map(int, wrong[wrong[:, 1].argmin()])
            if found is None or found.frame is None or frame < found.frame:
                found = Difference(name, channel, frame, text_of(sound[channel, frame]), "a finite number", len(wrong))
    return found


def text_of(value: Any) -> str:
    """A number so that it can be told from every other: the shortest text that gives it back."""
    return str(value)
