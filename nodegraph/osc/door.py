"""The OSC door of a session: its ports, a thread that reads them, and what goes out again.

::

    with Session(patch) as session, Door(session, port=9000):
        session.play()
        ...
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final

from nodegraph.core.errors import DeviceError, PatchError, Problem
from nodegraph.core.hints import quoted
from nodegraph.core.osc import DOOR
from nodegraph.osc.door_thread import END_S, DoorThread, Port
from nodegraph.osc.feedback import Feedback
from nodegraph.osc.framing import FRAMINGS, Framing
from nodegraph.osc.handling import Handling
from nodegraph.osc.learning import Binding, Learned, binding_for
from nodegraph.osc.limits import Bucket
from nodegraph.osc.own import Own
from nodegraph.osc.receiving import Connection, Elsewhere, Tcp, Udp
from nodegraph.osc.sending import OscSender
from nodegraph.osc.timebase import DeviceTime, Timebase
from nodegraph.runtime.player import Player
from nodegraph.session.learning import tell
from nodegraph.session.session import Session

PORT: Final = 9_000
HORIZON_S: Final = 60.0
"""A bundle for later than this is refused."""
PACKETS_A_SECOND: Final = 20_000.0
AT_ONCE: Final = 8_192.0


class Door(DoorThread):
    """Opens ports for a session. `start` opens them, `close` closes them; or use ``with``."""

    way, word, topics = DOOR, "OSC", ("playing", "opened")

    def __init__(
        self,
        session: Session,
        *,
        host: str = "127.0.0.1",
        port: int | None = PORT,
        tcp_port: int | None = None,
        framing: Framing | None = None,
        allow: Iterable[str] = (),
        send_to: Iterable[str] = (),
        timebase: Timebase | None = None,
        horizon_s: float = HORIZON_S,
        packets_a_second: float = PACKETS_A_SECOND,
    ) -> None:
        """`port` for UDP and `tcp_port` for TCP: None opens none, 0 any that is free.

        `framing` of TCP is ``slip`` or ``length``; None finds out. `allow` are networks (``192.168.1.0/24``) from which
        packets may come besides this machine; `send_to` those to which nodes may send. `timebase` says at which frame
        a time is; None follows the engine.
        Raises PatchError when a network is none, DeviceError when a port would be open to everybody.
        """
        if framing is not None and framing not in FRAMINGS:
            raise PatchError(Problem("bad-choice", f"{framing!r} is no framing.", "It is slip or length."))
        super().__init__(session, host, allow, send_to)
        self._port, self._tcp_port = port, tcp_port
        self._framing = framing
        self._timebase, self._horizon_s = timebase, horizon_s
        self._bucket = Bucket(packets_a_second, AT_ONCE)
        self._udp: Udp | None = None
        self._tcp: Tcp | None = None
        self._on_bound: Callable[[Binding], None] | None = None
        self._waiting: str | None = None

    # -- opening and closing

    def ports(self) -> list[Port]:
        wanted = ((self._port, socket.SOCK_DGRAM), (self._tcp_port, socket.SOCK_STREAM))
        return [(port, kind) for port, kind in wanted if port is not None]

    async def come_up(self, sockets: list[socket.socket]) -> None:
        session = self.session
        self.handling = Handling(
            session, self.counters, self.log, self.timebase, self._do_own, self._changed, self._was_bound,
            self._horizon_s,
        )  # fmt: skip
        self.feedback = Feedback(session, lambda: self.handling.addresses, self._count_sent)
        self.own = Own(session, self.feedback, self.handling.reply, self.handling.refuse)
        self.sender = OscSender(self._targets, self.counters, self.log, self._sender_time)
        take, over = self.handling.take, self.handling.over
        shared = self.counters, self._bucket, self.log
        for sock in sockets:
            if sock.type == socket.SOCK_DGRAM:
                self._udp = Udp(sock, self._allowed, take, over, *shared, self._dead_udp)
            else:
                self._tcp = Tcp(self._allowed, take, over, *shared, self._dead_tcp, self._framing)
                await self._tcp.open(sock)
        session.learners[DOOR] = self
        self._load_learned()
        self.handling.refresh()

    def close(self) -> None:
        if self._thread is not None:
            self.session.learners.pop(DOOR, None)
        super().close()

    def tick(self) -> None:
        self.feedback.expire()
        if self.session.revision != self.handling.revision:
            self.handling.refresh()

    def go_down(self) -> None:
        for part in (self._udp, self._tcp, self.feedback, self.own):
            if part is not None:
                part.close()

    # -- what it is

    @property
    def port(self) -> int | None:
        """The UDP port that is open."""
        return None if self._udp is None else self._udp.port

    @property
    def tcp_port(self) -> int | None:
        """The TCP port that is open."""
        return None if self._tcp is None else self._tcp.port

    def status(self) -> dict[str, Any]:
        """Ports, listeners, counters: plain data. ``lost`` are packets that the system dropped before we read them."""
        listeners = list(self.feedback.listeners.values()) if self._loop is not None else []
        return {
            "host": self.host, "port": self.port, "tcp_port": self.tcp_port,
            "listeners": [listener.name for listener in listeners],
            "connections": 0 if self._tcp is None else len(self._tcp.connections),
            "lost": 0 if self._udp is None or self._thread is None else self._udp.lost,
            **self.counters.as_data(),
        }  # fmt: skip

    def take(self, packet: bytes) -> None:
        """A packet that came by another way (OSCQuery); it is answered by nobody. From any thread."""
        loop = self._loop
        if loop is not None and self._thread is not None:
            loop.call_soon_threadsafe(self._taken, packet)

    def _taken(self, packet: bytes) -> None:
        self.counters.received += 1
        if self._bucket.take():
            self.handling.take(packet, Elsewhere(), ("oscquery", 0))
            self.handling.over()
        else:
            self.counters.dropped += 1

    # -- time

    def timebase(self, player: Player) -> Timebase:
        """The clock that time tags are read by."""
        if self._timebase is not None:
            return self._timebase
        playing = self.session.playing
        assert playing is not None  # it has this player
        return DeviceTime(playing.timebase)

    def _sender_time(self) -> Timebase:
        playing = self.session.playing
        assert playing is not None  # a node has sent something
        return self.timebase(playing.player)

    # -- learning: a learner of the session's

    ways: tuple[str, ...] = ("came",)

    @property
    def waiting(self) -> str | None:
        """The parameter that waits for an address."""
        return self._waiting

    @property
    def learned(self) -> list[dict[str, Any]]:
        """What was learned, as it stands in the patch's file."""
        return self.handling.learned.as_data()

    def unlearn(self, address: str) -> int:
        """Forget all addresses that move a parameter; gives how many. Raises PatchError."""
        return self.forget(to=address)

    def learn(
        self, parameter: str, came: tuple[float, float] = (0.0, 1.0), call: Callable[[Binding], None] | None = None
    ) -> None:
        """Bind the next address that brings a number to a parameter (``cut.cutoff``); `came` is from where to where
        the other program's numbers go. `call` is told of the binding, on the door's thread.

        Raises PatchError when there is no such parameter, or `came` is no span.
        """
        found = self.session.parameter(parameter)
        if not found.writable:
            raise PatchError(Problem("read-only", f"{found.address} is an outlet: it can be read only."))
        low, high = map(float, came)
        if not low - low == high - high == 0.0 or low == high:
            raise PatchError(Problem("bad-span", f"{came} is no span.", "Give two different numbers."))

        def begin() -> None:
            self._on_bound, self._waiting = call, found.address
            self.handling.learning = lambda address, arg: binding_for(
                address, found.address, found.control, (low, high), arg
            )

        self._soon(begin)
        tell(self.session)

    def stop_learning(self) -> None:
        """Wait for no address any more."""

        def end() -> None:
            self.handling.learning = self._waiting = None

        if self._waiting is not None:
            self._soon(end)
            tell(self.session)

    def forget(self, address: str | None = None, to: str | None = None) -> int:
        """Forget what an address does, or what moves a parameter; everything without any. Gives how many bindings it
        were. Raises PatchError."""
        if to is not None:
            to = self.session.full(to)
        gone: list[int] = []

        def forget() -> None:
            gone.append(self.handling.learned.forget(address, to))
            if any(gone):
                self._keep_learned()

        self._soon(forget)
        if any(gone):
            tell(self.session)
        return sum(gone)

    def _was_bound(self, binding: Binding) -> None:
        self._waiting = None
        self.handling.learned.add(binding)
        self._keep_learned()
        self.session.say("", f"OSC: {quoted(binding.address)} moves {binding.to}.")
        tell(self.session, DOOR)
        call, self._on_bound = self._on_bound, None
        if call is not None:
            call(binding)

    def _keep_learned(self) -> None:
        with self.session.turn:
            self.handling.learned.keep_in(self.session.patch.document)
            self.session.altered(by=DOOR)

    def _load_learned(self) -> None:
        with self.session.turn:
            self.handling.learned, problems = Learned.of_document(self.session.patch.document)
        for problem in problems[:3]:
            self.session.say("", f"OSC: {problem.describe()}")

    # -- its parts to each other

    def _soon(self, call: Callable[[], None]) -> None:
        """Have something done on the door's thread, before the next packet."""
        if self._loop is None or self._thread is None:
            raise DeviceError(Problem("osc-closed", "The OSC door is closed.", "Start it first."))
        done = threading.Event()

        def whole() -> None:
            call()
            done.set()

        if threading.current_thread() is self._thread:
            whole()
            return
        self._loop.call_soon_threadsafe(whole)
        done.wait(END_S)

    def _do_own(self, address: str, args: tuple[Any, ...], frame: int, origin: Any) -> bool:
        return self.own.do(address, args, frame, origin)

    def _changed(self) -> None:
        if hasattr(self, "feedback"):
            self.feedback.follow()

    def _count_sent(self, went: bool) -> None:
        self.counters.sent += went
        self.counters.unsent += not went

    def _dead_udp(self, where: Any) -> None:
        assert self._udp is not None
        self.feedback.dead(self._udp, where)

    def _dead_tcp(self, connection: Connection) -> None:
        self.feedback.dead(connection)

    def _hear(self, topic: str, data: Any) -> None:
        super()._hear(topic, data)
        if topic == "opened" and self._loop is not None:
            self._loop.call_soon_threadsafe(self._load_learned)
