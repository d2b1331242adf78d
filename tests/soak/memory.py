"""What a process holds: memory, threads, open files. From Linux's /proc."""

from __future__ import annotations

import ctypes
import gc
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Held:
    """Resident memory in bytes, threads, open files."""

    bytes: int
    threads: int
    files: int

    def growth(self, before: Held) -> float:
        """By how much the memory has grown since; 0.01 is one percent."""
        return self.bytes / before.bytes - 1.0


def held() -> Held:
    """What this process holds now, after what is not needed was given back to the system."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    status = Path("/proc/self/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return Held(1024 * int(fields["VmRSS"].split()[0]), int(fields["Threads"]), len(os.listdir("/proc/self/fd")))
