"""Sockets on which OSC comes in, UDP and TCP, on an asyncio loop. Loopback only, unless sources are allowed by name.

Each packet goes to `take`, with the end at which it came in and where it came from, so that it can be answered there.
A sender that is faster than `Bucket` allows loses packets, which are counted, and nobody waits for anybody.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final, Protocol

from nodegraph.core.errors import DeviceError, PatchError, Problem
from nodegraph.osc.framing import Framed, Framing, frame, framed, framing_of
from nodegraph.osc.limits import Bucket, Counters, Log
from nodegraph.osc.packets import LARGEST, OscError

Where = tuple[Any, ...]
"""Host and port, and what else an address of the system has."""
BATCH: Final = 64
"""Packets that are read before anybody else has a turn."""
BUFFER: Final = 1 << 20
"""Bytes that the system keeps for us while we are busy."""
MOST_CONNECTIONS: Final = 64
MOST_UNSENT: Final = 1 << 18
"""Bytes that wait for a client that does not read; then it is cut off."""
SO_RCVBUFFORCE, SO_MEMINFO, DROPS = 33, 55, 8
IP_RECVERR, IPV6_RECVERR, MSG_ERRQUEUE = 11, 25, 0x2000
"""Linux's numbers."""


class End(Protocol):
    """Where packets come in, and answers go out."""

    protocol: str

    def send(self, packet: bytes, where: Where) -> bool:
        """Send a packet there; whether it went."""


Take = Callable[[bytes, End, Where], None]


class Allowed:
    """Sources that may send: networks. Loopback always may."""

    MOST_KEPT = 4_096

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """Raises PatchError when one is no network."""
        self.networks = [_network(text) for text in (*("127.0.0.0/8", "::1/128"), *networks)]
        self._known: dict[str, bool] = {}

    def __contains__(self, host: object) -> bool:
        found = self._known.get(host)  # type: ignore[call-overload]
        if found is None:
            if len(self._known) >= self.MOST_KEPT:
                self._known.clear()
            found = self._known[str(host)] = self._look(str(host))
        return bool(found)

    def _look(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.networks)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        what = f"{text!r} is no network."
        raise PatchError(Problem("bad-network", what, "Write it as 192.168.1.0/24, or as one address.")) from None


def check_open(host: str, allow: Iterable[str], word: str = "OSC") -> None:
    """Raises DeviceError when a door is opened to others, and nobody has said to whom."""
    if host not in Allowed() and host != "localhost" and not list(allow):
        what = f"{word} on {host} would be open to everybody who can reach it."
        raise DeviceError(
            Problem("open-to-all", what, "Say from which networks it may come: allow=['192.168.1.0/24'].")
        )


def bound(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    """A socket at a host and port. Raises DeviceError that says why not."""
    word = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
    sock = None
    try:
        if not 0 <= port <= 65_535:
            raise OverflowError("there is no such port")
        family, _, _, _, address = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_PASSIVE)[0]
        sock = socket.socket(family, kind)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # a server that has just ended is in nobody's way
        sock.bind(address)
        sock.setblocking(False)
        return sock
    except (OSError, OverflowError, UnicodeError) as error:
        if sock is not None:
            sock.close()
        raise DeviceError(_why(error, host, port, word)) from error


def _why(error: Exception, host: str, port: int, word: str) -> Problem:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        what = f"{word} port {port} is in use by another program."
        return Problem("port-in-use", what, "End that, or take another port; 0 takes any that is free.")
    if number == errno.EACCES:
        return Problem("port-refused", f"The system refuses {word} port {port}.", "Take one above 1023.")
    if number == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        what = f"This machine has no address {host!r}."
        return Problem("bad-host", what, "Take 127.0.0.1, or one of its own, or 0.0.0.0 for all of them.")
    return Problem("port", f"{word} port {port} on {host} cannot be opened: {error}.", "Take a port from 0 to 65535.")


class Elsewhere:
    """Where packets come from that came by another way: there is no way back."""

    protocol = "elsewhere"

    def send(self, packet: bytes, where: Where) -> bool:
        """As `End.send`."""
        return False


class Udp:
    """One UDP port. Use it on its loop's thread."""

    protocol = "udp"

    def __init__(
        self, sock: socket.socket, allowed: Allowed, take: Take, over: Callable[[], None], counters: Counters,
        bucket: Bucket, log: Log, dead: Callable[[Where], None],
    ) -> None:  # fmt: skip
        """`over` is called after every batch; `dead` with an address at which nobody is."""
        self.sock, self.allowed, self.take, self.over = sock, allowed, take, over
        self.counters, self.bucket, self.log, self._dead = counters, bucket, log, dead
        self.port = int(sock.getsockname()[1])
        self._buffer = bytearray(LARGEST + 1)
        self._view = memoryview(self._buffer)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        with suppress(OSError):  # beyond what the system gives to everybody, where we may
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        with suppress(OSError):  # elsewhere than on Linux nobody tells that a listener is gone
            if sock.family == socket.AF_INET:
                sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
            else:
                sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        self.loop = asyncio.get_running_loop()
        self.loop.add_reader(sock, self._read)

    def _read(self) -> None:
        counters, bucket, view = self.counters, self.bucket, self._view
        for _ in range(BATCH):
            try:
                size, where = self.sock.recvfrom_into(self._buffer)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                self._bury()
                continue
            counters.received += 1
            if where[0] not in self.allowed:
                counters.refused += 1
                self.log.note("packets from sources that are not allowed", str(where[0]))
            elif not bucket.take():
                counters.dropped += 1
                self.log.note("packets dropped, as they came too fast")
            else:
                self.take(bytes(view[:size]), self, where)
        self.over()

    def _bury(self) -> None:
        """An answer of ours did not find anybody: learn whose it was."""
        with suppress(OSError):
            while True:
                _, _, _, where = self.sock.recvmsg(64, 512, MSG_ERRQUEUE)
                if where:
                    self._dead(where)

    def send(self, packet: bytes, where: Where) -> bool:
        """As `End.send`."""
        for _ in range(2):  # the first try may tell of an earlier packet's fate
            try:
                self.sock.sendto(packet, where)
                return True
            except (BlockingIOError, InterruptedError):
                return False
            except OSError as error:
                if error.errno not in (errno.ECONNREFUSED, errno.EHOSTUNREACH):
                    return False
                self._bury()
        return False

    @property
    def lost(self) -> int:
        """Packets that the system has dropped, as we were too slow (Linux)."""
        try:
            told = self.sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 4 * (DROPS + 1))
        except OSError:
            return 0
        return int.from_bytes(told[4 * DROPS : 4 * DROPS + 4], "little") if len(told) > 4 * DROPS else 0

    def close(self) -> None:
        """Close it."""
        self.loop.remove_reader(self.sock)
        self.sock.close()


class Connection(asyncio.Protocol):
    """One TCP client."""

    protocol = "tcp"

    def __init__(self, server: Tcp) -> None:
        self.server = server
        self.transport: asyncio.Transport | None = None
        self.where: Where = ()
        self._framed: Framed | None = None if server.framing is None else framed(server.framing)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, or not."""
        assert isinstance(transport, asyncio.Transport)
        server = self.server
        self.where = transport.get_extra_info("peername") or ("", 0)
        if self.where[0] not in server.allowed or len(server.connections) >= MOST_CONNECTIONS:
            server.counters.refused += 1
            server.log.note("connections refused", str(self.where[0]))
            transport.abort()
            return
        self.transport = transport
        server.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Some bytes of the stream."""
        server = self.server
        if self.transport is None:
            return
        if self._framed is None:
            self._framed = framed(framing_of(data))
        try:
            packets = self._framed.feed(data)
        except OscError as error:
            server.counters.malformed += 1
            server.log.note("malformed packets", error.problems[0].what)
            self.transport.abort()
            return
        for packet in packets:
            server.counters.received += 1
            if server.bucket.take():
                server.take(packet, self, self.where)
            else:
                server.counters.dropped += 1
                server.log.note("packets dropped, as they came too fast")
        server.over()

    def send(self, packet: bytes, where: Where) -> bool:
        """As `End.send`: to the client, framed as it frames. One that does not read is cut off."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > MOST_UNSENT:
            self.server.log.note("clients cut off, as they do not read", str(self.where[0]))
            transport.abort()
            return False
        transport.write(frame(packet, "slip" if self._framed is None else self._framed.framing))
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self.server.connections.discard(self)
        self.server.dead(self)


class Tcp:
    """One TCP port. Make it with `open`, on its loop."""

    def __init__(
        self, allowed: Allowed, take: Take, over: Callable[[], None], counters: Counters, bucket: Bucket, log: Log,
        dead: Callable[[Connection], None], framing: Framing | None,
    ) -> None:  # fmt: skip
        """`framing`: how clients frame; None: as the first byte of each shows."""
        self.allowed, self.take, self.over, self.counters = allowed, take, over, counters
        self.bucket, self.log, self.dead, self.framing = bucket, log, dead, framing
        self.connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def open(self, sock: socket.socket) -> None:
        """Begin to accept."""
        self.port = int(sock.getsockname()[1])
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), sock=sock)

    def close(self) -> None:
        """Cut everybody off."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            if connection.transport is not None:
                connection.transport.abort()
