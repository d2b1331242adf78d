"""The null driver: real time without a device, for installations that wait for one, for tests and for looking."""

from __future__ import annotations

import ctypes
import sys
import threading

import numpy as np

from nodegraph.runtime.drivers.gate import Gate
from nodegraph.runtime.engine import LONGEST_BLOCK, Engine
from nodegraph.runtime.native import callbacks
from nodegraph.runtime.native import words as w
from nodegraph.runtime.native.compiled import address

MONOTONIC = 6 if sys.platform == "darwin" else 1


class NullDriver:
    """Plays to nobody. The loop is native code that has let go of the GIL."""

    def __init__(self, engine: Engine, block: int = 256, why: str = "no sound device") -> None:
        """`why` it plays to nobody, in words."""
        self.why = why
        self.engine = engine
        self.gate = Gate(engine, 0, 0)
        self.block = min(max(1, block), LONGEST_BLOCK)
        self.notices: list[str] = []
        self._time = np.zeros(2, np.int64)
        self._thread: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def latency_s(self) -> float:
        return self.block / self.engine.rate

    def start(self) -> None:
        self.gate.words[w.G_RUN] = 1
        loop = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 5)(address(callbacks.null_loop))
        nanoseconds = round(self.block / self.engine.rate * 1e9)
        arguments = (self.gate.address, self.block, nanoseconds, MONOTONIC, self._time.ctypes.data)
        self._thread = threading.Thread(target=loop, args=arguments, name="null driver", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.gate.words[w.G_RUN] = 0
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def describe(self) -> str:
        return f"null driver ({self.why}), real time, {self.engine.rate} Hz, blocks of {self.block}"
