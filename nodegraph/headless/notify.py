"""What systemd is told: ``READY=1``, ``WATCHDOG=1``, ``STATUS=…`` as a datagram to ``$NOTIFY_SOCKET``.

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Notify:
    """Tells whoever started this process how it is; without a socket, nobody. It never fails and never waits."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        found = os.environ if environment is None else environment
        self.address = found.get("NOTIFY_SOCKET", "")
        self.watchdog_s = watchdog_s(found)
        """How often ``WATCHDOG=1`` is expected; None: it is not."""
        self._socket: socket.socket | None = None
        if self.address[:1] in ("/", "@"):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | getattr(socket, "SOCK_CLOEXEC", 0))
            self._socket.setblocking(False)

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return self._socket is not None

    def tell(self, *words: str) -> bool:
        """Say something, such as ``"READY=1"``. Gives whether it was taken."""
        if self._socket is None:
            return False
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            self._socket.sendto("\n".join(words).encode(), address)
        except OSError:  # nobody is there any more, or does not read
            return False
        return True


def watchdog_s(environment: Mapping[str, str]) -> float | None:
    """The time after which the watchdog of this very process bites, in seconds; None when there is none."""
    mine = environment.get("WATCHDOG_PID", "")
    if mine and mine != str(os.getpid()):
        return None
    text = environment.get("WATCHDOG_USEC", "")
    return int(text) / 1e6 if text.isascii() and text.isdigit() and int(text) else None
