"""Helper threads that help the audio thread. They are native from birth to death: Python starts and ends them.

They sleep on semaphores, which the audio thread may post without ever waiting. They run with the audio thread's
priority where the system lets this process give it to them; where not, the audio thread does what they are late with.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
import weakref
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np

from nodegraph.core.errors import PatchError, Problem
from nodegraph.runtime.compile.memory import touched
from nodegraph.runtime.native import crew
from nodegraph.runtime.native import words as w
from nodegraph.runtime.native.compiled import address

Threads = int | Literal["auto"]
MOST_THREADS: Final = 16
SPIN_S: Final = 50e-6
"""How long a helper looks out for the next task before it sleeps: waking it costs the audio thread a system call."""
PATIENCE_S: Final = 1e-3
RECOVERY: Final = 512
"""Segments that are played by the audio thread alone after a helper has kept it waiting: about 0.7 s at 48 kHz."""
FEW_CORES: Final = 4


def thread_count(threads: Threads) -> int:
    """How many threads play, the audio thread included.

    ``"auto"`` is half the cores that this process may use, at most 4; with fewer than 4 cores it is 1, for then the
    editor, the models and the system need the others. Raises PatchError for what is no such number.
    """
    if threads == "auto":
        cores = usable_cores()
        return 1 if cores < FEW_CORES else min(cores // 2, 4)
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= MOST_THREADS:
        raise PatchError(
            Problem("bad-threads", f"{threads!r} is no number of threads.", f'Give 1 to {MOST_THREADS}, or "auto".')
        )
    return threads


def usable_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Crew:
    """`helpers` threads beside the audio thread. Keep it as long as native code may look at it."""

    def __init__(
        self,
        helpers: int,
        *,
        life: int | None = None,
        patience_s: float = PATIENCE_S,
        recovery: int = RECOVERY,
    ) -> None:
        """`life` is the address of what a helper does, if not `native.crew.helper`."""
        count = w.CREW_WORDS + w.HELPER_WORDS * helpers
        raw = touched(np.zeros(count + 8, np.int64))
        skip = (-raw.ctypes.data % 64) // 8
        self._raw = raw
        self.words = raw[skip : skip + count]
        self.address = self.words.ctypes.data
        self._followed = 0
        words, pauses = self.words, pauses_per_second()
        words[w.C_QUEUE : w.C_HELPER] = -1
        words[w.C_SPINS] = max(1, round(SPIN_S * pauses))
        words[w.C_PATIENCE] = max(1, round(patience_s * pauses))
        words[w.C_RECOVERY] = recovery
        words[w.C_POST], words[w.C_WAIT] = _function("post"), _function("wait")
        words[w.C_NUMBER] = _function("number")
        words[w.C_SLEEP] = _function("sleep")
        life = address(crew.helper) if life is None else life
        self.helpers = [self._start(number, life) for number in range(helpers)]
        words[w.C_HELPERS] = len(self.helpers)
        # at the end of the process, too: the memory may not go before those who use it
        self.close = weakref.finalize(self, _end, raw, words, self.helpers, os.getpid())

    def _start(self, number: int, life: int) -> int:
        place = w.C_HELPER + w.HELPER_WORDS * number
        self.words[place + w.K_CREW] = self.address
        self.words[place + w.K_SEMAPHORE] = _semaphore(self.words[place + w.K_MEMORY : place + w.HELPER_WORDS])
        thread = ctypes.c_void_p()
        before = signal.pthread_sigmask(
            signal.SIG_BLOCK, signal.valid_signals() - _FAULTS
        )  # they are Python's business
        try:
            failed = _library().pthread_create(
                ctypes.byref(thread), None, ctypes.c_void_p(life), ctypes.c_void_p(self.address + 8 * place)
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if failed:
            raise OSError(failed, os.strerror(failed))
        return int(thread.value or 0)

    def done(self) -> int:
        """Tasks that the helpers have done."""
        return int(self.words[w.C_HELPER + w.K_DONE :: w.HELPER_WORDS].sum())

    @property
    def held_up(self) -> int:
        """How often the audio thread has waited too long for a helper."""
        return int(self.words[w.C_HELD_UP])

    def follow(self) -> None:
        """Give the helpers the audio thread's priority, once for every thread that plays; no right to is no fault."""
        audio = int(self.words[w.C_AUDIO])
        if audio == self._followed or not hasattr(os, "sched_getscheduler"):
            return
        threads = [int(one) for one in self.words[w.C_HELPER + w.K_THREAD :: w.HELPER_WORDS]]
        if not all(threads):
            return
        self._followed = audio
        try:
            policy, given = os.sched_getscheduler(audio), os.sched_getparam(audio)
            for thread in threads:
                os.sched_setscheduler(thread, policy & ~_RESET_ON_FORK, given)
        except OSError:  # the thread has gone, or this user may not
            return


def _end(raw: np.ndarray[Any, Any], words: np.ndarray[Any, Any], helpers: list[int], process: int) -> None:
    """Let the helpers end, and wait for that. `raw` keeps their memory until then."""
    if os.getpid() != process:
        return  # a fork has the memory, but not the threads
    words[w.C_STOP] = 1
    for number in range(len(helpers)):
        _call("post")(int(words[w.C_HELPER + w.HELPER_WORDS * number + w.K_SEMAPHORE]))
    for thread in helpers:
        _library().pthread_join(ctypes.c_void_p(thread), None)
    del raw


# -- what the system has for it: macOS has no semaphores without a name but those of libdispatch

_DARWIN: Final = sys.platform == "darwin"
_NAMES: Final = {
    "post": "dispatch_semaphore_signal" if _DARWIN else "sem_post",
    "wait": "dispatch_semaphore_wait" if _DARWIN else "sem_wait",
    "number": "gettid",
    "sleep": "usleep",
}
_FAULTS: Final = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT}
"""Signals that tell of a fault of the thread itself."""
_RESET_ON_FORK: Final = getattr(os, "SCHED_RESET_ON_FORK", 0)


@lru_cache(maxsize=1)
def _library() -> Any:
    return ctypes.CDLL(None)


def _function(what: str) -> int:
    """The address of a C function; 0 where there is none."""
    found = getattr(_library(), _NAMES[what], None)
    return 0 if found is None else int(ctypes.cast(found, ctypes.c_void_p).value or 0)


def _call(what: str) -> Callable[[int], Any]:
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(_function(what))


def _semaphore(memory: np.ndarray[Any, Any]) -> int:
    """A semaphore that stands at 0, as `post` and `wait` take it; in `memory` where it needs some."""
    if _DARWIN:
        create = _library().dispatch_semaphore_create
        create.restype, create.argtypes = ctypes.c_void_p, [ctypes.c_long]
        return int(create(0))
    if _library().sem_init(ctypes.c_void_p(memory.ctypes.data), 0, 0):
        raise OSError("the system gives no semaphore")
    return int(memory.ctypes.data)


@lru_cache(maxsize=1)
def pauses_per_second() -> float:
    """How often native code pauses in a second, measured once (about 1 ms)."""
    run = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(address(crew.spin))
    count, best = 2_000, float("inf")
    for _ in range(5):
        began = time.perf_counter()
        run(count)
        best = min(best, time.perf_counter() - began)
    return count / best
