"""Sound that comes in chunks, answered frame by frame: each once, and each the same time after it sounded."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import At


class Heard(NamedTuple):
    """Frames that can be answered now: `first`, and `ripe` of them from there on. `sound` begins `before` frames before
    the first one (with silence, where there was none yet), and reaches `ahead` frames beyond the last."""

    first: int
    ripe: int
    end: int
    sound: NDArray[np.float32]


class Frames:
    """What was heard, as far as it is needed still. Lengths are in frames of `hop` samples.

    A frame needs what stands `before` it, and what is `ahead` of it, to be answered; sound comes `chunk` frames at a
    time.
    """

    def __init__(self, hop: int, *, before: int, ahead: int, chunk: int) -> None:
        self.hop, self.before, self.ahead, self.chunk = hop, before, ahead, chunk
        self.answered = 0
        self._sound = np.zeros(before * hop, np.float32)

    def hear(self, clip: NDArray[np.float32]) -> Heard:
        """More sound; gives the frames that have become ripe."""
        self._sound = np.concatenate([self._sound, clip])
        first = self.answered
        end = first + len(self._sound) // self.hop - self.before
        count = max(0, end - self.ahead - first)
        heard = Heard(first, count, end, self._sound)
        self.answered += count
        self._sound = self._sound[count * self.hop :]
        return heard

    def offset_s(self, heard: Heard, frame: int, rate: int) -> float:
        """When the answer to a frame is due, counted from its chunk: the same time after every frame."""
        return (frame + self.ahead + self.chunk - heard.end) * self.hop / rate


def steady(
    frames: Frames, heard: Heard, pitches: NDArray[Any], confidences: NDArray[Any], threshold: float, rate: int
) -> dict[str, list[At]]:
    """Pitches of frames as messages: every confidence, and the pitch where it reaches the threshold."""
    sent: dict[str, list[At]] = {"pitch": [], "confidence": []}
    for number in range(heard.ripe):
        offset_s = frames.offset_s(heard, heard.first + number, rate)
        sent["confidence"].append(At(offset_s, float(confidences[number])))
        if confidences[number] >= threshold:
            sent["pitch"].append(At(offset_s, float(pitches[number])))
    return sent
