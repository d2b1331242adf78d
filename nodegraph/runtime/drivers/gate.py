"""The gate between a driver and the engine, as Python handles it: who plays, and the fades between them."""

from __future__ import annotations

import ctypes
import time
from functools import lru_cache
from typing import Any, Final

import numpy as np

from nodegraph.core.errors import DeviceError
from nodegraph.runtime.engine import Engine
from nodegraph.runtime.native import gate
from nodegraph.runtime.native import words as w
from nodegraph.runtime.native.compiled import address

FADE_S: Final = 0.010
PATIENCE_S: Final = 5.0
"""A block takes milliseconds; a device's thread that stays inside so long is stuck."""
MOST_CHANNELS: Final = 64


class Gate:
    """One device's way to the engine. It is open, and at full level, until somebody says otherwise."""

    def __init__(self, engine: Engine, given: int, wanted: int) -> None:
        """`given` and `wanted` are the channels of the device, in and out."""
        self.engine = engine
        self.words = np.zeros(w.GATE_WORDS, np.int64)
        self.floats = self.words.view(np.float32)
        self.address = int(self.words.ctypes.data)
        self._last = np.zeros(max(MOST_CHANNELS, engine.inputs), np.float32)
        self.words[w.G_LAST] = self._last.ctypes.data
        self.words[w.G_GIVEN], self.words[w.G_WANTED] = given, wanted
        self.floats[2 * w.G_STEP] = 1.0 / (FADE_S * engine.rate)
        self.floats[2 * w.G_PLACE] = 1.0
        self.words[w.G_GOAL] = self.words[w.G_OPEN] = 1
        self.lead_to(engine)

    def lead_to(self, engine: Engine) -> None:
        """Lead to another engine of the same shape. Only while the gate is shut."""
        self.engine = engine
        self.words[w.G_ENGINE] = engine.address

    @property
    def calls(self) -> int:
        """How often the device has called, whether it was let in or not."""
        return int(self.words[w.G_CALLS])

    @property
    def is_open(self) -> bool:
        """Whether this device plays the engine."""
        return bool(self.words[w.G_OPEN])

    @property
    def silent(self) -> bool:
        """Whether the fade out is over."""
        return bool(self.floats[2 * w.G_PLACE] <= 0.0)

    def open(self) -> None:
        """Let the device play, faded in. Nobody else may: shut the other one's gate first."""
        self.floats[2 * w.G_PLACE] = 0.0
        self.words[w.G_GOAL] = 1
        self.words[w.G_OPEN] = 1

    def take_after(self, other: Gate) -> None:
        """Play from now on in place of a device that gave the inputs up to here; its gate is shut."""
        self._last[:] = other._last
        self.floats[2 * w.G_PLACE] = 1.0
        self.words[w.G_GOAL] = 0
        self.words[w.G_OPEN] = 1

    def fade_out(self) -> None:
        """Begin to fade; the device goes on playing the engine, silently in the end."""
        self.words[w.G_GOAL] = 0

    def shut(self) -> None:
        """Let the device in no more, and wait until it is out.

        Raises DeviceError when its thread does not come back out of the engine.
        """
        until = time.monotonic() + PATIENCE_S
        while _shut()(self.address):
            if time.monotonic() > until:
                raise DeviceError(f"the device's thread has been stuck for {PATIENCE_S:.0f} s.", "Start again.")
            time.sleep(0.0005)


@lru_cache(maxsize=1)
def _shut() -> Any:
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(address(gate.shut))
