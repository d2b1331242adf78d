"""A runtime in miniature: gives a listening node a sound, window by window, and keeps what it says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from nodegraph.core import At, Clip, InferenceNode

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Said:
    """`time`: seconds from the beginning of the sound to where the answer stands, without the node's `answer_s`."""

    time: float
    outlet: str
    value: Any


def read(path: Path, rate: int) -> Floats:
    """A sound file as one channel at `rate`."""
    sound, found = soundfile.read(path, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(sound.mean(axis=1), found, rate), np.float32)


def hear(node: InferenceNode, sound: Floats, settle_s: float = 0.0) -> list[Said]:
    """All answers to `sound`, which has the node's own rate. `settle_s`: silence that follows it.

    A node with `Clip` hears its first window when that is full; a shorter sound is filled up with silence.
    """
    hears = node.hears
    sound = np.concatenate([sound, np.zeros(round(settle_s * hears.rate), np.float32)])
    if isinstance(hears, Clip):
        length, hop = hears.samples, round(getattr(node, "hop", hears.hop_s) * hears.rate)
        sound = np.pad(sound, (0, max(0, length - len(sound))))
    else:
        length = hop = hears.samples
    node.reset()
    said: list[Said] = []
    for start in range(0, len(sound) - length + 1, hop):
        end_s = (start + length) / hears.rate
        for outlet, answer in node.infer(sound[start : start + length]).items():
            for item in answer if isinstance(answer, list) else [answer]:
                if isinstance(item, At):
                    said.append(Said(end_s + item.offset_s, outlet, item.message))
                else:
                    said.append(Said(end_s, outlet, item))
    return said


def values(said: list[Said], outlet: str) -> list[Any]:
    """What came out of one outlet, in order."""
    return [item.value for item in said if item.outlet == outlet]
