"""Beside the device: what goes to it, kept for a file; and a sound in place of what comes from it.

Both are taken and given inside the engine, so a recording holds exactly the samples that the device got, safety limiter
and final fade included, and a sound that is fed starts with the engine's first frame.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodegraph.runtime.compile.memory import touched
from nodegraph.runtime.engine import Engine
from nodegraph.runtime.native import words as w

SECONDS = 8.0
"""How long Python may be busy elsewhere before sound is lost."""


class Capture:
    """Keeps what the engine plays from now on. `drain` it often, from one thread."""

    def __init__(self, engine: Engine, seconds: float = SECONDS) -> None:
        self.engine = engine
        self.size = 1 << int(np.ceil(np.log2(seconds * engine.rate)))
        self.data = touched(np.zeros((engine.outputs, self.size), np.float32))
        self.header = np.zeros(8, np.int64)
        self.taken = engine.done
        self.lost = 0
        self._block = np.array([self.header.ctypes.data, self.data.ctypes.data, self.size], np.int64)
        self.header[0] = self.taken
        engine.words[w.CAPTURE] = self._block.ctypes.data

    def drain(self, until: int | None = None) -> NDArray[np.float32]:
        """What was played since the last call (and before frame `until`), float32 ``(channels, frames)``.

        Frames that were overwritten before they were taken are silence, and `lost` counts them.
        """
        written = int(self.header[0])
        end = written if until is None else max(self.taken, min(written, until))
        count = end - self.taken
        # The engine may write a block while this one is read: what lies a ring's length back is not to be trusted.
        missing = min(count, max(0, written - self.taken - self.size // 2))
        self.lost += missing
        at = np.arange(self.taken + missing, end) & (self.size - 1)
        sound = np.zeros((self.engine.outputs, count), np.float32)
        sound[:, missing:] = self.data[:, at]
        self.taken = end
        return sound

    def close(self) -> None:
        """Keep no more. Call it when the engine stands still, or keep the object until it does."""
        self.engine.words[w.CAPTURE] = 0


def feed(engine: Engine, sound: NDArray[np.float32] | None) -> None:
    """Let the engine hear `sound`, float32 ``(channels, frames)`` at its rate, instead of the device, then silence.

    One channel goes to every input; further inputs than the sound has channels are silent. None: the device again.
    Call it before the engine plays.
    """
    if sound is None:
        engine.words[w.FEED] = 0
        return
    planes = np.ascontiguousarray(sound, np.float32)
    if planes.shape[0] == 1 and engine.inputs > 1:
        planes = np.repeat(planes, engine.inputs, axis=0)
    block = np.array([planes.ctypes.data, planes.shape[0], planes.shape[1]], np.int64)
    kept: Any = engine
    kept._fed = (planes, block)  # the audio thread reads them as long as the engine lives
    engine.words[w.FEED] = block.ctypes.data


def fed(engine: Engine) -> bool:
    """Whether a sound stands in for the inputs."""
    return bool(engine.words[w.FEED])
