"""Lines for a log: one a second at most; of those that come faster it says how many there were."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

APART_S: Final = 1.0
AT_FIRST: Final = 8
"""So many may come at once: ports are opened together."""


class Saying:
    """Says things to a log, from any thread."""

    def __init__(self, report: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._report, self._clock = report, clock
        self._lock = threading.Lock()
        self._room, self._last, self._unsaid = float(AT_FIRST), clock(), 0

    def __call__(self, text: str) -> None:
        with self._lock:
            now = self._clock()
            self._room = min(self._room + (now - self._last) / APART_S, float(AT_FIRST))
            self._last = now
            if self._room < 1.0:
                self._unsaid += 1
                return
            self._room -= 1.0
            unsaid, self._unsaid = self._unsaid, 0
        self._report(f"{text} ({unsaid} more lines before it were left out.)" if unsaid else text)

    def flush(self) -> None:
        """Say how many were left out, if any."""
        with self._lock:
            unsaid, self._unsaid = self._unsaid, 0
        if unsaid:
            self._report(f"{unsaid} more lines were left out.")
