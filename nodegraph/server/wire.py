"""One client of the protocol on a WebSocket: its requests one after another, its news as fast as it reads."""

from __future__ import annotations

import asyncio
import itertools
from concurrent.futures import Executor
from contextlib import suppress
from typing import Final

from aiohttp import WSMsgType, web

from nodegraph.core.errors import NodegraphError
from nodegraph.server.coding import packed, read, unpacked, written
from nodegraph.server.outbox import Data, Outbox
from nodegraph.session.layout import FEW
from nodegraph.session.levels import Levels
from nodegraph.session.moves import MANY_S
from nodegraph.session.protocol import Client
from nodegraph.session.requests import is_slow
from nodegraph.session.session import Session

LARGEST: Final = 1 << 20
"""Bytes of a frame that comes in."""
TOO_SLOW: Final = 4001
"""The close code for a client that does not read what it has asked for."""
FAREWELL_S: Final = 5.0
STALLED_S: Final = 20.0
LOOK_S: Final = 0.25
PINGS_S: Final = 20.0
"""A client that has said nothing for so long is asked whether it is still there, and has half as long to answer."""
AT_ONCE: Final = 32
"""Requests of one client that are carried out before others have their turn."""
MOST_ASKED: Final = 256
"""Requests of one client that wait while one of them takes long; then nothing more is read of it."""


class Wire:
    """Serves one WebSocket until it closes. On the server's thread, but for `_hear`."""

    def __init__(self, session: Session, levels: Levels, slow: Executor) -> None:
        self._loop = asyncio.get_running_loop()
        self._slow = slow
        self._awake = asyncio.Event()
        self._woken = False
        self._resting = False
        self._ticking = asyncio.Event()
        self._since: float | None = None
        """When the message that is being sent was begun."""
        self._heard_at = self._loop.time()
        """When the client said something last."""
        self._asked: asyncio.Queue[str | bytes] = asyncio.Queue(MOST_ASKED)
        self.client = Client(session, self._hear, levels=levels)
        self.outbox = Outbox(packed, self.client.lean)
        self._heard: list[tuple[str, Data]] = []

    async def serve(self, socket: web.WebSocketResponse, transport: asyncio.BaseTransport | None) -> None:
        """Answer and tell, until the client goes or is sent away."""
        sending = self._loop.create_task(self._send(socket))
        watching = self._loop.create_task(self._watch())
        pinging = self._loop.create_task(self._ping(socket))
        receiving = self._loop.create_task(self._receive(socket))
        tasks = [sending, watching, pinging, receiving, self._loop.create_task(self._answer_all())]
        ticking = self._loop.create_task(self._tick())
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if pinging.done() and isinstance(transport, asyncio.Transport):
                transport.abort()  # nobody is there to say goodbye to
            self.client.close()
            if watching.done() and not socket.closed:
                sending.cancel()
                await send_away(socket, transport)
        finally:
            self.client.close()
            for task in (*tasks, ticking):
                task.cancel()
            await asyncio.gather(*tasks, ticking, return_exceptions=True)

    # -- in

    async def _receive(self, socket: web.WebSocketResponse) -> None:
        """Take in what comes, also while a request takes long; return when the client has gone and all it had asked for
        is done."""
        async for frame in socket:
            self._heard_at = self._loop.time()
            if frame.type is WSMsgType.TEXT:
                self.outbox.encode = written
            elif frame.type is WSMsgType.BINARY:
                self.outbox.encode = packed
            else:
                if frame.type is WSMsgType.PING:
                    await socket.pong(frame.data)
                continue
            await self._asked.put(frame.data)
        await self._asked.join()

    async def _answer_all(self) -> None:
        """Carry out one request after another."""
        for count in itertools.count(1):
            await self._answer(await self._asked.get())
            self._asked.task_done()
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _answer(self, frame: str | bytes) -> None:
        try:
            data = read(frame) if isinstance(frame, str) else unpacked(frame)
        except NodegraphError as error:
            self.outbox.answer({"re": None, "error": [problem.as_dict() for problem in error.problems]})
        else:
            if is_slow(data):
                answer = await self._loop.run_in_executor(self._slow, self.client.answer, data)
            else:
                answer = self.client.answer(data)
            if self.client.periods:
                self._ticking.set()
            if answer is None:
                return
            self.outbox.answer(answer)
        self._awake.set()

    # -- out

    def _hear(self, topic: str, data: Data) -> None:
        """News, on whichever thread they arise. Many values that follow close upon many others wait a moment."""
        self._heard.append((topic, data))
        if not self._woken and not (self._resting and topic == "values" and len(data["values"]) > FEW):
            self._woken = True
            try:
                self._loop.call_soon_threadsafe(self._take_in)
            except RuntimeError:  # the server is closing
                return

    def _take_in(self) -> None:
        self._woken = False
        heard, self._heard = self._heard, []
        for topic, data in heard:
            self.outbox.push(topic, data)
            if topic == "values" and len(data["values"]) > FEW and not self._resting:
                self._resting = True
                self._loop.call_later(MANY_S, self._rested)
        self._awake.set()

    def _rested(self) -> None:
        self._resting = False
        if self._heard:
            self._take_in()

    async def _send(self, socket: web.WebSocketResponse) -> None:
        outbox = self.outbox
        while not socket.closed:
            await self._awake.wait()
            self._awake.clear()
            while (made := outbox.take()) is not None:
                self._since = self._loop.time()
                try:
                    await (socket.send_str(made) if isinstance(made, str) else socket.send_bytes(made))
                except (ConnectionError, RuntimeError):
                    break
                finally:
                    self._since = None
        await self._asked.join()  # what it asked before it went is done all the same

    async def _watch(self) -> None:
        """Return when the client does not read: too much waits for it, or one message has waited too long."""
        while not self.outbox.full and (self._since is None or self._loop.time() - self._since < STALLED_S):
            await asyncio.sleep(LOOK_S)

    async def _ping(self, socket: web.WebSocketResponse) -> None:
        """Return when the client is silent for ever. aiohttp's own heartbeat sets a timer for each message that comes,
        which costs as much as to read it."""
        asked_at = -1.0
        while True:
            now = self._loop.time()
            if self._asked.full():  # it is we who do not read
                self._heard_at = now
            if asked_at > self._heard_at:
                wait = asked_at + PINGS_S / 2.0 - now
                if wait <= 0.0:
                    return
            elif (wait := self._heard_at + PINGS_S - now) <= 0.0:
                asked_at = now
                with suppress(ConnectionError, RuntimeError):
                    await socket.ping()
                continue
            await asyncio.sleep(wait)

    async def _tick(self) -> None:
        while True:
            wait = self.client.tick()
            if wait is None:
                self._ticking.clear()
                await self._ticking.wait()
            else:
                await asyncio.sleep(max(wait, 0.005))


async def send_away(socket: web.WebSocketResponse, transport: asyncio.BaseTransport | None) -> None:
    """Say why, for as long as it may take to be heard; then let go of what was never read."""
    loop = asyncio.get_running_loop()
    end = loop.time() + FAREWELL_S
    with suppress(TimeoutError, ConnectionError, RuntimeError):
        await asyncio.wait_for(
            socket.close(code=TOO_SLOW, message=b"this client does not read", drain=False), FAREWELL_S
        )
    if isinstance(transport, asyncio.Transport):
        while transport.get_write_buffer_size() and loop.time() < end:  # the farewell is behind all that was written
            await asyncio.sleep(LOOK_S)
        transport.abort()
