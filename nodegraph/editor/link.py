"""The line to the session: its protocol on a WebSocket, on a thread of its own.

Nothing here blocks whoever asks: requests are handed over, answers and news wait until they are taken (`drain`). When
the engine goes away the line says so and tries again until it is there, or until it is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from nodegraph.core.errors import DeviceError, NodegraphError, Problem
from nodegraph.core.hints import quoted
from nodegraph.server.coding import packed, unpacked

Data = Mapping[str, Any]
Then = Callable[[Data], None]
"""Gets an answer: ``{"re": 1, "ok": …}`` or ``{"re": 1, "error": […]}``."""
TOPICS: Final = ("changed", "opened", "saved", "values", "playing", "log")
QUIET: Final = ("cables", "probe")
"""What comes many times a second: who is awake takes it when he looks, and is not woken for it."""
STEADY: Final = ("meters", "status")
"""What comes as long as something plays: it waits until it is taken, and wakes nobody."""
FIRST_WAIT_S: Final = 0.2
LOOK_S: Final = 0.01
LONGEST_WAIT_S: Final = 2.0
LARGEST: Final = 64 << 20
"""Bytes of an answer: the text of a large patch."""
PINGS_S: Final = 10.0
AWAY: Final = Problem("no-engine", "The engine is away: nothing can be changed.", "It is tried again and again.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session listens: the address of its WebSocket, and the token that lets in."""

    url: str
    token: str

    @property
    def shown(self) -> str:
        """Its host and port, without the token."""
        return urlsplit(self.url).netloc


def place_of(text: str, token: str | None = None) -> Place:
    """The place that a user names: ``http://127.0.0.1:8840/?token=…`` as the engine prints it, or ``studio:8840``.

    The token is, in this order, the one given, that of the address, ``$NODEGRAPH_TOKEN``. Raises DeviceError.
    """
    whole = text if "://" in text else f"http://{text}"
    do = "Give it as http://127.0.0.1:8840, or as the engine printed it."
    try:
        parts = urlsplit(whole)
        port = parts.port
    except ValueError:
        raise DeviceError(Problem("bad-address", f"{quoted(text)} is no address.", do)) from None
    if parts.scheme not in ("http", "https", "ws", "wss") or not parts.hostname:
        raise DeviceError(Problem("bad-address", f"{quoted(text)} is no address.", do))
    found = token or next(iter(parse_qs(parts.query).get("token", ())), "") or os.environ.get("NODEGRAPH_TOKEN", "")
    if not found:
        what = f"{parts.hostname} lets in nobody without its token."
        raise DeviceError(Problem("no-token", what, "Give --token, or the whole address that the engine printed."))
    secure = parts.scheme in ("https", "wss")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Place(f"{'wss' if secure else 'ws'}://{host}:{port or (443 if secure else 80)}/ws", found)


@dataclass(frozen=True, slots=True)
class Up:
    """The session is there: what it answered to ``hello``."""

    hello: Data


@dataclass(frozen=True, slots=True)
class Down:
    """It is not: why, in words. `final`: it is not tried again."""

    why: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class News:
    """What it tells."""

    topic: str
    data: Data


Event = Up | Down | News


class Link:
    """A line to one session. Its methods are called on one thread, the user's; close it in the end."""

    def __init__(
        self, place: Place | Callable[[], Place | None], name: str, *, wake: Callable[[], None] = lambda: None
    ) -> None:
        """`place` may be asked for until it is known: an engine that comes up. `name` is how others hear of this
        client. `wake` is called, on the line's own thread, when something waits to be taken.
        """
        self.place = place if isinstance(place, Place) else None
        self._find = (lambda: place) if isinstance(place, Place) else place
        self.name = name
        self.up = False
        self.doze = True
        """Whether what comes many times a second wakes, too: nobody looks by himself."""
        self._wake = wake
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Then] = {}
        self._quiet: set[int] = set()
        self._came: queue.SimpleQueue[Event | Data] = queue.SimpleQueue()
        self._socket: Any = None
        self._begin()

    def _begin(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)
        self._thread.start()

    def look_again(self) -> None:
        """The session is elsewhere now: ask anew where."""
        self.place = None
        if not self._thread.is_alive():
            self._begin()

    # -- the user's thread

    def ask(self, do: str, then: Then | None = None, *, quiet: bool = False, **fields: Any) -> int:
        """Send a request; gives its number. `then` gets the answer when it is taken, an error too when the line is
        down or breaks meanwhile. A `quiet` one's answer waits until it is taken, and wakes nobody.
        """
        number = next(self._numbers)
        if quiet:
            self._quiet.add(number)
        if then is not None:
            self._waiting[number] = then
        if self.up:
            self._loop.call_soon_threadsafe(self._send, {"id": number, "do": do, **fields})
        else:
            self._came.put({"re": number, "error": [AWAY.as_dict()]})
        return number

    def drain(self) -> Iterator[Event]:
        """What has come since, one after another; between them answers are handed to those who asked, so that all is
        taken in the order in which the session said it.
        """
        while True:
            try:
                item = self._came.get_nowait()
            except queue.Empty:
                return
            if isinstance(item, Up):
                self.up = True
            elif isinstance(item, Down):
                self.up = False
                self._give_up()
            if isinstance(item, (Up, Down, News)):
                yield item
                continue
            self._quiet.discard(item["re"])
            then = self._waiting.pop(item["re"], None)
            if then is not None:
                then(item)

    def _give_up(self) -> None:
        """Nobody answers any more what was asked before the line broke."""
        waiting, self._waiting = self._waiting, {}
        for number, then in waiting.items():
            then({"re": number, "error": [AWAY.as_dict()]})

    def close(self) -> None:
        """Hang up. More than once does no harm."""
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join(5.0)

    # -- the line's thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._keep())
        finally:
            self._loop.close()

    async def _keep(self) -> None:
        """Be connected until it is closed."""
        import aiohttp

        closing = asyncio.ensure_future(self._closing.wait())
        try:
            async with aiohttp.ClientSession() as http:
                await self._meet(http, closing)
        finally:
            closing.cancel()

    async def _meet(self, http: Any, closing: asyncio.Future[Any]) -> None:
        """One connection after another, until it is closed or the session lets nobody in."""
        wait = FIRST_WAIT_S
        while not closing.done():
            place = await self._found(closing)
            if place is None:
                return
            talking = asyncio.ensure_future(self._talk(http, place))
            await asyncio.wait({talking, closing}, return_when=asyncio.FIRST_COMPLETED)
            if not talking.done():
                talking.cancel()
                await asyncio.gather(talking, return_exceptions=True)
                return
            down, had = talking.result()
            self._put(down)
            if down.final:
                return
            wait = FIRST_WAIT_S if had else min(2 * wait, LONGEST_WAIT_S)
            await asyncio.wait({closing}, timeout=wait)

    async def _found(self, closing: asyncio.Future[Any]) -> Place | None:
        """Where the session is, as soon as that is known; None when it is closed first, or never will be known."""
        try:
            while self.place is None and not closing.done():
                self.place = self._find()
                if self.place is None:
                    await asyncio.wait({closing}, timeout=LOOK_S)
        except NodegraphError as error:
            self._put(Down(str(error), final=True))
        return self.place

    async def _talk(self, http: Any, place: Place) -> tuple[Down, bool]:
        """One connection to its end; gives why it ended, and whether there was one."""
        import aiohttp

        headers = {"Authorization": f"Bearer {place.token}"}
        had = False
        try:
            async with http.ws_connect(place.url, headers=headers, max_msg_size=LARGEST, heartbeat=PINGS_S) as socket:
                await self._greet(socket)
                self._socket, had = socket, True
                async for frame in socket:
                    if frame.type is aiohttp.WSMsgType.BINARY:
                        self._take(unpacked(frame.data))
                why = f"The engine at {place.shown} has gone."
        except aiohttp.WSServerHandshakeError as error:
            if error.status in (401, 403):
                return Down(f"The engine at {place.shown} does not let in: the token is another.", True), had
            why = f"What answers at {place.shown} is no engine (HTTP {error.status})."
        except (aiohttp.ClientError, OSError, TimeoutError, NodegraphError) as error:
            text = str(error).rstrip(".") or type(error).__name__
            why = f"The engine at {place.shown} cannot be reached: {text}."
        finally:
            self._socket = None
        return Down(why), had

    async def _greet(self, socket: Any) -> None:
        """Say what is to be told, and who is there: in this order, so that nothing happens unheard after the answer."""
        await socket.send_bytes(packed({"id": -1, "do": "subscribe", "topics": list(TOPICS)}))
        await socket.send_bytes(packed({"id": 0, "do": "hello", "name": self.name}))
        while True:
            frame = await socket.receive()
            if not isinstance(frame.data, bytes):
                raise OSError("it hung up")
            data = unpacked(frame.data)
            if data.get("re") == 0:
                if "error" in data:
                    raise OSError(data["error"][0]["what"])
                self._put(Up(data["ok"]))
                return

    def _take(self, data: Any) -> None:
        if "on" in data:
            on = data["on"]
            self._put(News(on, data), wake=on not in STEADY and (self.doze or on not in QUIET))
        elif data.get("re") != -1:
            self._put(data, wake=data.get("re") not in self._quiet)

    def _put(self, item: Event | Data, wake: bool = True) -> None:
        self._came.put(item)
        if wake:
            self._wake()

    def _send(self, data: Data) -> None:
        socket = self._socket
        if socket is None:
            self._put({"re": data["id"], "error": [AWAY.as_dict()]})
            return
        self._loop.create_task(self._sent(socket, data))

    async def _sent(self, socket: Any, data: Data) -> None:
        try:
            await socket.send_bytes(packed(data))
        except (ConnectionError, RuntimeError, OSError):
            self._put({"re": data["id"], "error": [AWAY.as_dict()]})
