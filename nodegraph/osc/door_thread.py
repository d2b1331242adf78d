"""What every door of a session is made of: ports that are opened and closed, and a thread that serves them."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterable
from typing import Any, ClassVar, Final, Self

from nodegraph.core.errors import DeviceError, Problem
from nodegraph.osc.limits import Counters, Log
from nodegraph.osc.receiving import Allowed, bound, check_open
from nodegraph.osc.sending import Sender
from nodegraph.runtime.outside import Outside
from nodegraph.session.session import Session

TICK_S: Final = 0.25
END_S: Final = 10.0
Port = tuple[int, socket.SocketKind]


class DoorThread:
    """A door: `start` opens its ports, `close` closes them; or use ``with``.

    What is a kind's own: the `ports`, what is done when they are open (`come_up`, on the loop's thread, which makes
    the `sender`), four times a second (`tick`), and at the end (`go_down`).
    """

    way: ClassVar[str]
    """The door's name in `core.declare.Outside`."""
    word: ClassVar[str]
    """Its name in messages and in the log."""
    topics: ClassVar[tuple[str, ...]] = ("playing",)

    def __init__(self, session: Session, host: str, allow: Iterable[str], send_to: Iterable[str]) -> None:
        """`allow` are networks from which packets may come besides this machine; `send_to` those to which nodes may
        send. Raises PatchError when a network is none, DeviceError when a port would be open to everybody."""
        allow = list(allow)
        check_open(host, allow, self.word)
        self.session, self.host = session, host
        self._allowed, self._targets = Allowed(allow), Allowed(send_to)
        self.counters = Counters()
        self.log = Log(lambda text: session.say("", text), word=f"{self.word}: ")
        self.sender: Sender
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._outside: Outside | None = None

    def ports(self) -> list[Port]:
        """What is to be opened."""
        raise NotImplementedError

    async def come_up(self, sockets: list[socket.socket]) -> None:
        """Serve these sockets, in the order of `ports`."""
        raise NotImplementedError

    def tick(self) -> None:
        """Called now and then."""

    def go_down(self) -> None:
        """Close what `come_up` has opened."""

    # -- opening and closing

    def start(self) -> Self:
        """Open the ports. Raises DeviceError that says why one cannot be opened; none is then."""
        if self._thread is not None:
            return self
        sockets: list[socket.socket] = []
        try:
            for port, kind in self.ports():
                sockets.append(bound(self.host, port, kind))
        except DeviceError:
            for sock in sockets:
                sock.close()
            raise
        ready, failed = threading.Event(), list[BaseException]()
        self._thread = threading.Thread(target=self._run, args=(sockets, ready, failed), name=self.way, daemon=True)
        self._thread.start()
        ready.wait()
        if failed:
            self._thread = None
            raise DeviceError(Problem(self.way, f"{self.word} cannot be opened: {failed[0]}.")) from failed[0]
        return self

    def _run(self, sockets: list[socket.socket], ready: threading.Event, failed: list[BaseException]) -> None:
        async def whole() -> None:
            try:
                self._loop = asyncio.get_running_loop()
                self._loop.set_exception_handler(lambda loop, about: self.log.note("faults of our own", _fault(about)))
                self._ended = asyncio.Event()
                await self.come_up(sockets)
                self.session.news.listen(self._hear, self.topics)
                self._attach()
            except BaseException as error:
                failed.append(error)
                return
            finally:
                ready.set()
            while not self._ended.is_set():
                self.log.tick()
                self.tick()
                try:
                    await asyncio.wait_for(self._ended.wait(), TICK_S)
                except TimeoutError:
                    continue
            self.go_down()
            self.sender.close()
            if self._outside is not None:
                self._outside.unsink(self.way, self.sender.put)
            self.log.flush()

        asyncio.run(whole())

    def close(self) -> None:
        """Close the ports. Closed already, it does nothing."""
        thread, loop = self._thread, self._loop
        if thread is None or loop is None:
            return
        self._thread = None
        self.session.news.leave(self._hear)
        loop.call_soon_threadsafe(self._ended.set)
        thread.join(END_S)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the session

    def _hear(self, topic: str, data: Any) -> None:
        """From the session, on any thread."""
        if topic == "playing" and data["playing"]:
            self._attach()

    def _attach(self) -> None:
        """What leaves the nodes of what plays now goes to the sender."""
        playing = self.session.playing
        if playing is not None and playing.running:
            outside = playing.player.messages.outside
            outside.unsink(self.way, self.sender.put)
            outside.sink(self.way, self.sender.put)
            self._outside = outside


def _fault(about: dict[str, Any]) -> str:
    """What asyncio tells of a fault, as one line: the door goes on."""
    error = about.get("exception")
    return f"{about.get('message', '')} {type(error).__name__}: {error}"
