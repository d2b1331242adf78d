"""The door by which codes come into a session and leave it: UDP ports that the patch's nodes name, and a thread.

::

    with Session(patch) as session, CodesDoor(session):
        session.play()
        ...
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterable
from typing import Any, Final, Self

from nodegraph.codes.packets import DOOR, CodesError, CodesOut, parse
from nodegraph.core.errors import DeviceError, NodegraphError, Problem
from nodegraph.core.flatten import flatten
from nodegraph.osc.limits import Bucket, Counters, Log
from nodegraph.osc.receiving import Allowed, End, Udp, Where, bound, check_open
from nodegraph.osc.room import MOST_ASKED
from nodegraph.osc.sending import Sender
from nodegraph.runtime.outside import Outside
from nodegraph.session.session import Session

KIND: Final = "codes.receive"
PACKETS_A_SECOND: Final = 2_000.0
AT_ONCE: Final = 500.0
MOST_PORTS: Final = 64
TICK_S: Final = 0.25
END_S: Final = 10.0


class CodesSender(Sender):
    """Sends what `codes.send` hands out, at once: who receives it sets the time."""

    def leave(self, frame: int, out: CodesOut) -> None:
        """One packet."""
        self.target(out).send(out.packet)


class CodesDoor:
    """Opens the ports at which a patch receives codes. `start` opens them, `close` closes them; or use ``with``."""

    def __init__(
        self,
        session: Session,
        *,
        host: str = "127.0.0.1",
        receive: bool = True,
        allow: Iterable[str] = (),
        send_to: Iterable[str] = (),
        packets_a_second: float = PACKETS_A_SECOND,
    ) -> None:
        """`receive`: whether ports are opened at all. `allow` are networks (``192.168.1.0/24``) from which packets may
        come besides this machine; `send_to` those to which nodes may send.

        Raises PatchError when a network is none, DeviceError when a port would be open to everybody.
        """
        allow = list(allow)
        check_open(host, allow, "The door for codes")
        self.session, self.host, self.receive = session, host, receive
        self._allowed, self._targets = Allowed(allow), Allowed(send_to)
        self._bucket = Bucket(packets_a_second, AT_ONCE)
        self.counters = Counters()
        self.log = Log(lambda text: session.say("", text), word="Codes: ")
        self._open: dict[int, Udp] = {}
        self._failed: set[int] = set()
        self._outside: Outside | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._revision = -1

    # -- opening and closing

    def start(self) -> Self:
        """Open the ports. Raises DeviceError that says why one cannot be opened; none is then."""
        if self._thread is not None:
            return self
        sockets: list[socket.socket] = []
        try:
            for port in sorted(self._wanted()):
                sockets.append(bound(self.host, port, socket.SOCK_DGRAM))
        except DeviceError:
            for sock in sockets:
                sock.close()
            raise
        ready, failed = threading.Event(), list[BaseException]()
        self._thread = threading.Thread(target=self._run, args=(sockets, ready, failed), name="codes", daemon=True)
        self._thread.start()
        ready.wait()
        if failed:
            self._thread = None
            raise DeviceError(Problem("codes", f"The door for codes cannot be opened: {failed[0]}.")) from failed[0]
        return self

    def _run(self, sockets: list[socket.socket], ready: threading.Event, failed: list[BaseException]) -> None:
        async def whole() -> None:
            try:
                self._come_up(sockets)
            except BaseException as error:
                failed.append(error)
                return
            finally:
                ready.set()
            while not self._ended.is_set():
                self.log.tick()
                self._follow()
                try:
                    await asyncio.wait_for(self._ended.wait(), TICK_S)
                except TimeoutError:
                    continue
            self._close()

        asyncio.run(whole())

    def _come_up(self, sockets: list[socket.socket]) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(lambda loop, about: self.log.note("faults of our own", str(about)[:200]))
        self._ended = asyncio.Event()
        self.sender = CodesSender(self._targets, self.counters, self.log, _no_clock)
        for sock in sockets:
            self._add(sock)
        self._revision = self.session.revision
        self.session.news.listen(self._hear, ("playing",))
        self._attach()

    def close(self) -> None:
        """Close the ports. Closed already, it does nothing."""
        thread, loop = self._thread, self._loop
        if thread is None or loop is None:
            return
        self._thread = None
        self.session.news.leave(self._hear)
        loop.call_soon_threadsafe(self._ended.set)
        thread.join(END_S)

    def _close(self) -> None:
        for udp in self._open.values():
            udp.close()
        self.sender.close()
        if self._outside is not None:
            self._outside.unsink(DOOR, self.sender.put)
        self.log.flush()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- its ports

    def _wanted(self) -> set[int]:
        """The ports that the patch's nodes name."""
        if not self.receive:
            return set()
        with self.session.turn:
            try:
                entries = flatten(self.session.patch.document).nodes.values()
            except NodegraphError:  # while it is edited; the next look is soon
                return set(self._open)
            found = {int(entry.value("port")) for entry in entries if entry.kind == KIND}
        return set(sorted(found)[:MOST_PORTS])

    def _add(self, sock: socket.socket) -> None:
        udp = Udp(sock, self._allowed, self._take, _over, self.counters, self._bucket, self.log, _dead)
        self._open[udp.port] = udp

    def _follow(self) -> None:
        """The patch may have other nodes than before."""
        if self.session.revision == self._revision:
            return
        self._revision = self.session.revision
        wanted = self._wanted()
        for port in set(self._open) - wanted:
            self._open.pop(port).close()
        self._failed &= wanted
        for port in wanted - set(self._open) - self._failed:
            try:
                self._add(bound(self.host, port, socket.SOCK_DGRAM))
            except DeviceError as error:
                self._failed.add(port)  # until the patch names it no more
                self.session.say("", f"Codes: {error.problems[0].describe()}")

    # -- what comes and goes

    def _take(self, data: bytes, end: End, where: Where) -> None:
        """One packet. It goes on as the bytes that it is, so that a performance can hold it."""
        try:
            parse(data)
        except CodesError as error:
            self.counters.malformed += 1
            self.log.note("malformed packets", error.problems[0].what)
            return
        playing = self.session.playing
        if playing is None or not playing.running:
            self.counters.unmatched += 1
            return
        if playing.player.asked >= MOST_ASKED:
            self.counters.dropped += 1
            self.log.note("packets dropped, as they came too fast")
            return
        assert isinstance(end, Udp)
        self.counters.messages += 1
        with playing.setting:
            playing.player.act("arrive", DOOR, (end.port, data))

    def _hear(self, topic: str, data: Any) -> None:
        """From the session, on any thread."""
        if data["on"]:
            self._attach()

    def _attach(self) -> None:
        """What leaves the nodes of what plays now goes to the sender."""
        playing = self.session.playing
        if playing is not None and playing.running:
            outside = playing.player.messages.outside
            outside.unsink(DOOR, self.sender.put)
            outside.sink(DOOR, self.sender.put)
            self._outside = outside

    def status(self) -> dict[str, Any]:
        """Ports and counters: plain data. ``lost`` are packets that the system dropped before we read them."""
        counted = self.counters.as_data()
        kept = ("received", "messages", "malformed", "refused", "dropped", "unmatched", "sent", "unsent")
        lost = sum(udp.lost for udp in list(self._open.values())) if self._thread is not None else 0
        return {"host": self.host, "ports": sorted(self._open), "lost": lost, **{name: counted[name] for name in kept}}


def _over() -> None:
    """Nothing was gathered."""


def _dead(where: Where) -> None:
    """Nothing is ever answered."""


def _no_clock() -> Any:
    raise DeviceError(Problem("codes", "Codes leave at once, by no clock."))
