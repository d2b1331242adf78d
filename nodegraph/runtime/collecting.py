"""When Python's garbage collector may run. A full collection looks at every object of the process, 20 ms or more at a
time, and nobody else runs meanwhile: messages come late, an edit waits."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_playing = 0


@contextmanager
def no_collection() -> Iterator[None]:
    """No collection at all: compiling makes many small objects that all live on."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def no_long_collection() -> Iterator[None]:
    """While something plays, what was there before is left out of every collection: those that remain are short."""
    global _playing
    with _lock:
        _playing += 1
        if _playing == 1:
            gc.freeze()
    try:
        yield
    finally:
        with _lock:
            _playing -= 1
            if _playing == 0:
                gc.unfreeze()
