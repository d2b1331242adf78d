"""What the engine asks of the machine: addresses for native code, functions of the C library, the processor's clock."""

from __future__ import annotations

import ctypes
import ctypes.util
import time
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import numpy as np

from nodegraph.runtime.native import callbacks
from nodegraph.runtime.native.compiled import address


def pointers(planes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The addresses of an array's rows."""
    return planes.ctypes.data + np.arange(planes.shape[0], dtype=np.int64) * planes.strides[0]


@lru_cache(maxsize=1)
def native_render() -> Callable[..., int]:
    """The offline renderer's entry. The call lets other Python threads run."""
    return ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 5)(address(callbacks.render))


@cache
def libc(name: str) -> int:
    """The address of a C library function."""
    library = ctypes.CDLL(None)
    return int(ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0)


@lru_cache(maxsize=1)
def cycles_per_second() -> float:
    """The frequency of the processor's cycle counter, measured once (20 ms)."""
    from nodegraph.runtime.native import counter

    read = ctypes.CFUNCTYPE(ctypes.c_int64)(address(counter.read))
    began, first = time.perf_counter(), read()
    while time.perf_counter() - began < 0.02:
        pass
    return float((read() - first) / (time.perf_counter() - began))
