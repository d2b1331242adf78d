"""How much memory the models of a worker hold, and which of them goes when it is more than they may.

A model that was not used for longest goes first, and not before it has been idle for `IDLE_S`: two models that are both
played and do not fit together would else take turns for ever. Nodes that share a model share its fate.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, Protocol

IDLE_S: Final = 5.0
MB: Final = 1e6


class Loaded(Protocol):
    """A listener, as far as this is concerned."""

    ready: bool
    used: float

    @property
    def models(self) -> frozenset[str]: ...


def resident_bytes(process: str = "self") -> int:
    """What this process, or another one, holds in memory; 0 where the system does not say (Linux does)."""
    try:
        with open(f"/proc/{process}/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def others_bytes(group: str) -> int:
    """What the other workers of the same engine hold, which have the same `group` as their last argument."""
    total = 0
    for path in Path(f"/proc/{os.getppid()}/task").glob("*/children") if group else ():
        with contextlib.suppress(OSError):
            for child in path.read_text(encoding="ascii").split():
                words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
                if int(child) != os.getpid() and words[-2:-1] == [group.encode()]:
                    total += resident_bytes(child)
    return total


def give_back() -> None:
    """Hand memory that nobody uses back to the system."""
    gc.collect()
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
            ctypes.CDLL(None).malloc_trim(0)


def file_bytes(paths: Iterable[str]) -> int:
    """What these files take at least, once they are loaded."""
    total = 0
    for path in paths:
        with contextlib.suppress(OSError):
            total += Path(path).stat().st_size
    return total


class Keeper:
    """Keeps the models of one worker below so many megabytes, its libraries included; None: they hold what they like.

    ``unload``: lets the models with these files go, and tells their nodes why. ``others``: what other workers hold of
    these megabytes.
    """

    def __init__(
        self,
        megabytes: float | None,
        listeners: Mapping[int, Loaded],
        unload: Callable[[frozenset[str], str], None],
        others: Callable[[], int] = lambda: 0,
    ) -> None:
        self.limit = None if megabytes is None else round(megabytes * MB)
        self._listeners, self._unload, self._others = listeners, unload, others
        self._needs: dict[frozenset[str], int] = {}

    def refused(self, models: frozenset[str], now: float) -> str:
        """Why these models cannot be loaded, when there is no room for them; empty when there is, or was made."""
        shared = any(one.ready and one.models == models for one in self._listeners.values())
        more = 0 if shared else self._needs.get(models) or file_bytes(models)
        return "" if self._make_room(models, more, now) else self._told(more)

    def weighed(self, models: frozenset[str], now: float) -> str:
        """These models have come. When that is too much, idle ones go; or else they themselves, and it says why."""
        if self._make_room(models, 0, now):
            return ""
        text = self._told(0)
        self._let_go(models, text)
        return text

    def measured(self, models: frozenset[str], size: int) -> None:
        """Loading them took, or unloading them gave back, so many bytes."""
        self._needs[models] = max(size, file_bytes(models))

    def _exceeded(self, more: int) -> bool:
        return self.limit is not None and resident_bytes() + self._others() + more > self.limit

    def _make_room(self, models: frozenset[str], more: int, now: float) -> bool:
        """Unload what is idle until so many bytes more are free. False when they are not."""
        while self._exceeded(more):
            found = self._idlest(now, models)
            if found is None:
                return False
            self._let_go(found, "its model was idle, and another one needed the room")
        return True

    def _let_go(self, models: frozenset[str], text: str) -> None:
        before = resident_bytes()
        self._unload(models, text)
        give_back()
        self.measured(models, before - resident_bytes())

    def _idlest(self, now: float, spare: frozenset[str]) -> frozenset[str] | None:
        """The models that may go: of those that are loaded and idle, but for `spare`, the longest unused."""
        groups: dict[frozenset[str], list[Loaded]] = {}
        for one in self._listeners.values():
            if one.models:  # nothing is won by one without files
                groups.setdefault(one.models, []).append(one)
        used = {
            models: max(one.used for one in group)
            for models, group in groups.items()
            if models != spare and all(one.ready for one in group)
        }
        return min((models for models in used if now - used[models] >= IDLE_S), key=lambda one: used[one], default=None)

    def _told(self, more: int) -> str:
        """In words, when it does not fit."""
        holds = (resident_bytes() + self._others() + more) / MB
        return (
            f"there is no room for its model: models may hold {(self.limit or 0) / MB:.0f} MB (--models-memory), and "
            f"with it they would hold {holds:.0f} MB"
        )
