"""How loud it is, for several who look: whoever looks at the engine's meters takes the peaks away, so one does it for
all and remembers for each what he has not seen yet."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from nodegraph.session.session import Session

FRESH_S: Final = 0.01
"""What was measured a moment ago is not measured again."""


class Levels:
    """The meters of a session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._peaks: dict[object, dict[str, list[float]]] = {}
        self._load = 0.0
        self._at = 0.0

    def read(self, reader: object) -> dict[str, Any]:
        """Peaks of inputs and outputs since this reader's last look (1.0 is full scale), load, time, and the clock.
        Nothing but ``playing`` while it does not play."""
        playing = self._session.playing
        if playing is None or not playing.running:
            return {"playing": False}
        player = playing.player
        with self._lock:
            if time.monotonic() - self._at > FRESH_S:
                self._at = time.monotonic()
                self._load = player.engine.load()
                ins, outs = player.engine.meters()
                for held in self._peaks.values():
                    _raise(held["inputs"], [meter.peak for meter in ins])
                    _raise(held["outputs"], [meter.peak for meter in outs])
            held = self._peaks.get(reader) or {
                "inputs": [0.0] * player.engine.inputs, "outputs": [0.0] * player.engine.outputs,
            }  # fmt: skip
            self._peaks[reader] = {name: [0.0] * len(peaks) for name, peaks in held.items()}
        return {
            "playing": True, **held, "load": self._load, "time": player.engine.done / player.rate,
            "clock": self._session.clock(),
        }  # fmt: skip

    def forget(self, reader: object) -> None:
        """It does not look any more."""
        with self._lock:
            self._peaks.pop(reader, None)

    def status(self, reader: object) -> dict[str, Any]:
        """`Session.status`, with this reader's peaks."""
        levels = self.read(reader)
        with self._lock:
            found = self._session.status()
            if found["playing"]:
                for held in self._peaks.values():
                    _raise(held["inputs"], found["inputs"])
                    _raise(held["outputs"], found["outputs"])
        return found | {name: levels[name] for name in ("inputs", "outputs", "load") if name in levels}


def _raise(held: list[float], peaks: list[float]) -> None:
    """The higher of two, channel by channel."""
    held += [0.0] * (len(peaks) - len(held))
    for channel, peak in enumerate(peaks):
        held[channel] = max(held[channel], peak)
