"""Whether a device still asks for sound. One that is unplugged often neither fails nor says so: it stops asking."""

from __future__ import annotations

import time
from typing import Final

from nodegraph.runtime.drivers.gate import Gate

SILENT_S: Final = 2.0


class Pulse:
    """Watches a device's calls. Ask often; the first answer after `SILENT_S` without a call is no."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._calls = -1
        self._since = time.monotonic()

    @property
    def beats(self) -> bool:
        """Whether a block was asked for lately, or the engine itself makes the device wait."""
        calls = self._gate.calls
        now = time.monotonic()
        if calls != self._calls or (self._gate.is_open and self._gate.engine.waiting):
            self._calls, self._since = calls, now
        return now - self._since < SILENT_S
