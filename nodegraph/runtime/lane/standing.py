"""A worker's place among the processes: it ends with the engine, goes first where memory runs out, and stands back from
the sound.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Final

OUT_OF_MEMORY: Final = 500  # of 1000: which process the system ends first
LOOK_S: Final = 1.0


def stand_back(priority: int) -> None:
    """Leave the processor to the sound. Not before the models are there: a worker that died must come back soon."""
    tasks = Path("/proc/self/task")  # on Linux each thread has a priority of its own, and passes it on
    for thread in [int(task.name) for task in tasks.iterdir()] if tasks.exists() else [0]:
        with contextlib.suppress(OSError):  # a thread that has just ended
            os.setpriority(os.PRIO_PROCESS, thread, priority)


def end_with_parent(parent: int) -> None:
    """Also while a model holds the interpreter: the kernel ends the process (Linux); elsewhere a thread looks."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()


def go_first() -> None:
    """Where memory runs out the system ends this process, and not the engine (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(OUT_OF_MEMORY))


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_S)
    os._exit(0)
