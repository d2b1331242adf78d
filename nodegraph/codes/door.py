"""The door by which codes come into a session and leave it: UDP ports that the patch's nodes name, and a thread.

::

    with Session(patch) as session, CodesDoor(session):
        session.play()
        ...
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any, Final

from nodegraph.codes.packets import DOOR, CodesError, CodesOut, parse
from nodegraph.core.errors import DeviceError, NodegraphError
from nodegraph.core.flatten import flatten
from nodegraph.osc.door_thread import DoorThread, Port
from nodegraph.osc.limits import Bucket
from nodegraph.osc.receiving import End, Udp, Where, bound
from nodegraph.osc.room import MOST_ASKED
from nodegraph.osc.sending import Sender
from nodegraph.session.session import Session

KIND: Final = "codes.receive"
PACKETS_A_SECOND: Final = 2_000.0
AT_ONCE: Final = 500.0
MOST_PORTS: Final = 64


class CodesSender(Sender):
    """Sends what `codes.send` hands out, at once: who receives it sets the time."""

    def leave(self, frame: int, out: CodesOut) -> None:
        """One packet."""
        self.target(out).send(out.packet)


class CodesDoor(DoorThread):
    """Opens the ports at which a patch receives codes. `start` opens them, `close` closes them; or use ``with``."""

    way, word = DOOR, "Codes"

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
        super().__init__(session, host, allow, send_to)
        self.receive = receive
        self._bucket = Bucket(packets_a_second, AT_ONCE)
        self._open: dict[int, Udp] = {}
        self._failed: set[int] = set()
        self._revision = -1

    def ports(self) -> list[Port]:
        return [(port, socket.SOCK_DGRAM) for port in sorted(self._wanted())]

    async def come_up(self, sockets: list[socket.socket]) -> None:
        self.sender = CodesSender(self._targets, self.counters, self.log)
        for sock in sockets:
            self._add(sock)
        self._revision = self.session.revision

    def tick(self) -> None:
        self._follow()

    def go_down(self) -> None:
        for udp in self._open.values():
            udp.close()

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
