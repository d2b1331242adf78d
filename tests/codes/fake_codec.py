"""A codec without a model, whose codes are the sound's own bits: for tests of what lies between its two halves.

64 samples are a frame; each sample is two codes of 16 bits. The worker imports this module.
"""

from pathlib import Path
from typing import Any

import numpy as np

from nodegraph.core import (
    Chunks,
    EventNode,
    InferenceNode,
    Registry,
    StreamNode,
    Weights,
    inlet,
    node,
    outlet,
    registry,
)
from nodegraph.nodes.codecs.messages import codes_in
from nodegraph.nodes.pieces import Pieces

RATE, HOP, FRAMES = 48_000, 64, 8
CHUNK = HOP * FRAMES
CODEC = {"codec": "test-bits", "rate": RATE, "hop": HOP, "bits": 16}


def coded(sound: Any) -> Any:
    """Samples → codes (128, frames)."""
    words = np.ascontiguousarray(sound, "<f4").view("<u2").reshape(-1, 2 * HOP)
    return words.T.astype(np.int64)


def decoded(codes: Any) -> Any:
    """The inverse."""
    return np.ascontiguousarray(np.asarray(codes).T).astype("<u2").reshape(-1).view("<f4")


@node("test.coded~")
class Coded(InferenceNode):
    """Every chunk as codes."""

    x = inlet.signal("sound", channels=1)
    codes = outlet.tensor("the chunk", shape=(2 * HOP, FRAMES))
    weights = Weights("fake")
    hears = Chunks(samples=CHUNK, rate=RATE)
    answer_s = 0.02

    def load(self, files: dict[str, Path], device: str) -> None:
        pass

    def infer(self, clip: Any) -> dict[str, Any]:
        return {"codes": coded(clip)}


@node("test.decoded~")
class Decoded(StreamNode):
    """The sound in the codes that come."""

    codes = inlet.tensor("some frames", shape=(2 * HOP, "frames"))
    y = outlet.signal("piece after piece", channels=1)
    weights = Weights("fake")
    hears = Chunks(samples=CHUNK, rate=RATE)
    delay = 240

    def load(self, files: dict[str, Path], device: str) -> None:
        self.pieces = Pieces(1, self.delay)

    def on_codes(self, message: Any, offset_s: float) -> None:
        self.pieces.lay(offset_s * RATE, decoded(codes_in(message)))

    def infer(self, clip: Any) -> dict[str, Any]:
        return {"y": self.pieces.take(len(clip))}

    def reset(self) -> None:
        self.pieces.clear()


@node("test.numbered")
class Numbered(EventNode):
    """Codes at every 40 ms, as an encoder at 24 kHz says them: their first stage counts."""

    go = inlet.event("begin")
    codes = outlet.tensor("three frames", shape=(4, 3))
    every_s = 0.04

    def start(self, when: Any) -> None:
        self.count = 0
        self.host.after(self, self.every_s, self._next)

    def on_go(self) -> None:
        pass

    def _next(self, when: Any) -> None:
        self.codes(numbered(self.count))
        self.count += 1
        self.host.after(self, self.every_s, self._next)


def numbered(count: int) -> Any:
    """Codes of three frames that tell their number."""
    found = np.empty((4, 3), np.int64)
    found[:] = [[count % 1024], [count // 1024], [7], [1023]]
    return found


KINDS = Registry([*registry(), Coded, Decoded, Numbered])
