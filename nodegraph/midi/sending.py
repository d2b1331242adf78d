"""A thread that sends each message at its time: for ports that know no frames."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from typing import Final

MOST_WAITING: Final = 65_536


class Sender:
    """Calls at their times, in order, on one thread. All methods may be called from any thread."""

    def __init__(self, send: Callable[[str, bytes], None]) -> None:
        """``send(port, data)`` is called when it is time; what it raises is its own affair."""
        self._send = send
        self._heap: list[tuple[float, int, str, bytes]] = []
        self._count = 0
        self._closed = False
        self._idle = True
        self._change = threading.Condition()
        self.lost = 0
        self._thread = threading.Thread(target=self._run, name="midi sender", daemon=True)
        self._thread.start()

    def at(self, moment: float, port: str, data: bytes) -> None:
        """Send at a time (`time.monotonic`); one that has passed is now."""
        with self._change:
            if self._closed or len(self._heap) >= MOST_WAITING:
                self.lost += 1
                return
            self._count += 1
            heapq.heappush(self._heap, (moment, self._count, port, data))
            self._change.notify_all()

    def drop(self) -> None:
        """Forget what waits, and come back when nothing is being sent."""
        with self._change:
            self._heap.clear()
            self._change.wait_for(lambda: self._idle)

    def close(self) -> None:
        """Send what is due no later than now, forget the rest, and end."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._change:
                self._idle = True
                self._change.notify_all()
                while not self._due():
                    if self._closed:
                        return
                    self._change.wait(self._heap[0][0] - time.monotonic() if self._heap else None)
                _, _, port, data = heapq.heappop(self._heap)
                self._idle = False
            self._send(port, data)

    def _due(self) -> bool:
        return bool(self._heap) and self._heap[0][0] <= time.monotonic()
