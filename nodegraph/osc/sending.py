"""What leaves a patch by its `osc.send` nodes: each when the sound of its frame is, to targets that are allowed.

Nothing here waits for a target. What a TCP target does not take in time, or would go where nobody allowed it, is lost
and counted, and the log says so.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from nodegraph.core.errors import NodegraphError
from nodegraph.core.osc import OscOut
from nodegraph.osc.building import bundle, message, time_tag
from nodegraph.osc.framing import Framing, frame
from nodegraph.osc.limits import Counters, Log
from nodegraph.osc.receiving import MOST_UNSENT, Allowed
from nodegraph.osc.timebase import Timebase, ntp_now

MOST_WAITING: Final = 8_192
"""Messages that wait for their time."""
MOST_TARGETS: Final = 256
MOST_QUEUED: Final = 256
"""Packets that wait for a target to be found or to be reached."""
AGAIN_S: Final = 1.0
"""After so long a target that could not be reached is tried again."""
FARTHEST_S: Final = 60.0
FRAMING_OF: Final[dict[str, Framing]] = {"tcp": "length", "tcp-slip": "slip"}


class Target:
    """One machine, port and protocol."""

    def __init__(self, sender: Sender, host: str, port: int, protocol: str) -> None:
        self.sender, self.host, self.port, self.protocol = sender, host, port, protocol
        self.queue: deque[bytes] = deque()
        self.ready = False
        self._where: tuple[object, ...] = ()
        self._family = socket.AF_INET
        self._writer: asyncio.StreamWriter | None = None
        self._opening: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._not_before = 0.0

    def send(self, packet: bytes) -> None:
        """Send it, or keep it until the target is reached."""
        if self.ready:
            self._write(packet)
            return
        counters = self.sender.counters
        if len(self.queue) >= MOST_QUEUED:
            self.queue.popleft()
            counters.unsent += 1
        if self._opening is None and time.monotonic() < self._not_before:
            counters.unsent += 1
            return
        self.queue.append(packet)
        if self._opening is None:
            self._opening = asyncio.ensure_future(self._open())

    async def _open(self) -> None:
        try:
            loop = asyncio.get_running_loop()
            kind = socket.SOCK_DGRAM if self.protocol == "udp" else socket.SOCK_STREAM
            found = await loop.getaddrinfo(self.host, self.port, type=kind)
            self._family, _, _, _, where = found[0]
            self._where = where
            if where[0] not in self.sender.allowed:
                self.sender.log.note("messages to machines that are not allowed", f"{self.host}:{self.port}")
                raise PermissionError
            if self.protocol != "udp":
                reader, self._writer = await asyncio.open_connection(str(where[0]), int(where[1]))
                self._watching = asyncio.ensure_future(self._watch(reader, self._writer))
            self.ready = True
            while self.queue:
                self._write(self.queue.popleft())
        except (OSError, UnicodeError) as error:
            self.sender.counters.unsent += len(self.queue)
            self.queue.clear()
            if not isinstance(error, PermissionError):
                self.sender.log.note("targets not reached", f"{self.host}:{self.port}: {error}")
            self._not_before = time.monotonic() + AGAIN_S
        finally:
            self._opening = None

    async def _watch(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read what the target says, for nothing, until it hangs up."""
        with suppress(OSError):
            while await reader.read(4_096):
                pass
        writer.close()

    def _write(self, packet: bytes) -> None:
        counters = self.sender.counters
        if self.protocol == "udp":
            went = self.sender.send_udp(self._family, packet, self._where)
        else:
            went = self._write_stream(packet)
        counters.sent += went
        counters.unsent += not went

    def _write_stream(self, packet: bytes) -> bool:
        writer = self._writer
        assert writer is not None
        if writer.is_closing():
            self.ready, self._writer = False, None
            self._not_before = 0.0
            self.send(packet)
            return True  # `send` counts it, when it goes
        if writer.transport.get_write_buffer_size() > MOST_UNSENT:
            self.sender.log.note("packets not taken", f"{self.host}:{self.port} does not read")
            return False
        writer.write(frame(packet, FRAMING_OF[self.protocol]))
        return True

    def close(self) -> None:
        """Leave it."""
        for task in (self._opening, self._watching):
            if task is not None:
                task.cancel()
        if self._writer is not None:
            self._writer.close()


class Sender:
    """Sends for the nodes of a patch. On the loop's thread, but for `put`."""

    def __init__(self, allowed: Allowed, counters: Counters, log: Log) -> None:
        self.allowed, self.counters, self.log = allowed, counters, log
        self._loop = asyncio.get_running_loop()
        self._put: deque[tuple[int, Any]] = deque()
        self._awake = False
        self._waiting = 0
        self._targets: dict[tuple[str, int, str], Target] = {}
        self._sockets: dict[int, socket.socket] = {}

    def put(self, frame: int, out: Any) -> None:
        """What leaves at a frame, as `leave` takes it; from the player's thread."""
        if len(self._put) + self._waiting >= MOST_WAITING:
            self.counters.unsent += 1
            return
        self._put.append((frame, out))
        if not self._awake:
            self._awake = True
            with suppress(RuntimeError):  # the door was closed meanwhile
                self._loop.call_soon_threadsafe(self._go_through)

    def _go_through(self) -> None:
        self._awake = False
        while self._put:
            self.leave(*self._put.popleft())

    def leave(self, frame: int, out: Any) -> None:
        """Send one thing that was put, now or when its frame sounds."""
        raise NotImplementedError

    def target(self, out: Any) -> Target:
        """Where something goes that has `host`, `port` and `protocol`."""
        key = out.host, out.port, out.protocol
        target = self._targets.get(key)
        if target is None:
            if len(self._targets) >= MOST_TARGETS:
                self._targets.pop(next(iter(self._targets))).close()
            target = self._targets[key] = Target(self, *key)
        return target

    def send_udp(self, family: int, packet: bytes, where: tuple[object, ...]) -> bool:
        """One datagram."""
        sock = self._sockets.get(family)
        if sock is None:
            sock = self._sockets[family] = socket.socket(family, socket.SOCK_DGRAM)
            sock.setblocking(False)
        try:
            sock.sendto(packet, where)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Send nothing any more."""
        for target in self._targets.values():
            target.close()
        for sock in self._sockets.values():
            sock.close()
        self._sockets.clear()


class OscSender(Sender):
    """Sends the messages of `osc.send` (`core.osc.OscOut`)."""

    def __init__(self, allowed: Allowed, counters: Counters, log: Log, timebase: Callable[[], Timebase]) -> None:
        super().__init__(allowed, counters, log)
        self._timebase = timebase

    def _go_through(self) -> None:
        self._time = self._timebase()
        super()._go_through()

    def leave(self, frame: int, out: OscOut) -> None:
        """A message (`core.osc.OscOut`) leaves when its frame sounds, or at once with a time tag."""
        try:
            packet = message(out.address, out.args)
        except NodegraphError as error:
            self.counters.unsent += 1
            self.log.note("messages that OSC cannot carry", error.problems[0].what)
            return
        when = self._time.ntp_of(frame)
        if out.timetag:
            self.target(out).send(bundle([packet], time_tag(when)))
            return
        delay = when - ntp_now()
        if delay <= 0.0005:
            self.target(out).send(packet)
        else:
            self._waiting += 1
            self._loop.call_later(min(delay, FARTHEST_S), self._later, out, packet)

    def _later(self, out: OscOut, packet: bytes) -> None:
        self._waiting -= 1
        self.target(out).send(packet)
