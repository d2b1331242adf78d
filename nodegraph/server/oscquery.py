"""OSCQuery: the patch as an address space that other programs browse, read, and listen to.

HTTP answers what there is; a WebSocket tells what moves, as OSC messages in binary frames, and takes some. Clients of
OSCQuery know of no tokens, so it stands on a port of its own, which is opened only when the user asks for it.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from aiohttp import WSMsgType, web

from nodegraph.core.errors import NodegraphError
from nodegraph.core.messages import from_wire
from nodegraph.server.coding import read, written
from nodegraph.server.doors import Door, Doors
from nodegraph.server.namespace import ATTRIBUTES, EXTENSIONS, Namespace, arguments, moves
from nodegraph.server.wire import send_away
from nodegraph.session.parameters import Parameter
from nodegraph.session.session import Session
from nodegraph.session.updating import renames

LARGEST: Final = 1 << 16
MOST_CLIENTS: Final = 32
MOST_WAITING: Final = 10_000
"""Messages and commands that may wait for a client."""
MOST_LISTENED: Final = 10_000
TOPICS: Final = ("values", "events", "changed", "opened")


class Listener:
    """One WebSocket client, what it listens to, and what waits for it: of each parameter only the newest value."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.BaseTransport | None) -> None:
        self.socket = socket
        self.transport = transport
        self.paths: set[str] = set()
        self._values: dict[str, tuple[Any, ...]] = {}
        self._others: deque[bytes | str] = deque()
        self._awake = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether it does not read."""
        return len(self._others) > MOST_WAITING

    def tell(self, path: str, values: tuple[Any, ...], every: bool) -> None:
        """A value; with `every`, also those before it matter."""
        if not every:
            self._values[path] = values
        elif (frame := osc_message(path, values)) is not None:
            self._others.append(frame)
        self._awake.set()

    def say(self, text: str) -> None:
        """A command."""
        self._others.append(text)
        self._awake.set()

    async def send(self) -> None:
        """Send what waits, until the client has gone."""
        while not self.socket.closed:
            await self._awake.wait()
            self._awake.clear()
            try:
                while self._others or self._values:
                    if self._others:
                        made = self._others.popleft()
                        await (self.socket.send_str(made) if isinstance(made, str) else self.socket.send_bytes(made))
                        continue
                    path = next(iter(self._values))
                    frame = osc_message(path, self._values.pop(path))
                    if frame is not None:
                        await self.socket.send_bytes(frame)
            except (ConnectionError, RuntimeError):
                return


class OscQuery:
    """The OSCQuery server of one session. It lives on the server's loop."""

    def __init__(
        self,
        session: Session,
        doors: Doors,
        *,
        on_osc: Callable[[bytes], None] | None = None,
        osc_port: int | None = None,
        prefix: str | None = None,
    ) -> None:
        """`on_osc` gets the OSC packets that come in; `prefix` is what every path begins with, if it must."""
        self.session = session
        self.doors = doors
        self.on_osc = on_osc
        self.osc_port = osc_port
        self.prefix = prefix
        self.namespace = Namespace(session)
        self._listeners: set[Listener] = set()
        self._before: Mapping[str, Parameter] = session.parameters
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: asyncio.Queue[tuple[str, Mapping[str, Any]]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._going: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """What it is called on the network."""
        return f"nodegraph {self.session.patch.title}".strip()

    def app(self) -> web.Application:
        """What is served. On the loop."""
        from nodegraph.server.server import guarded

        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._tell_all())
        self.session.news.listen(self._hear, TOPICS)
        app = guarded(self.doors, lambda request: Door.WIRE)
        app.router.add_get("/{path:.*}", self._get)
        return app

    def close(self) -> None:
        """Hear no more."""
        self.session.news.leave(self._hear, TOPICS)
        if self._task is not None:
            self._task.cancel()

    # -- HTTP

    async def _get(self, request: web.Request) -> web.StreamResponse:
        path = self._within(request.path)
        if path is None:
            return web.Response(status=401, text="The path lacks the token of this launch.\n")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._websocket(request)
        wanted = [name for name in request.query if name != "token"]
        if not wanted:
            found = self.namespace.find(path)
            return _not_found(path) if found is None else _json(found)
        if len(wanted) > 1:
            return _bad("Ask for one attribute at a time.")
        (name,) = wanted
        if name == "HOST_INFO":
            return _json(self.host_info(request))
        if name not in ATTRIBUTES or name == "CRITICAL":
            return _bad(f"{name} is no attribute here. There are {', '.join((*ATTRIBUTES[:-1], 'HOST_INFO'))}.")
        try:
            data = self.namespace.attribute(path, name)
        except KeyError:
            return _not_found(path)
        return web.Response(status=204) if data is None else _json(data)

    def _within(self, path: str) -> str | None:
        """The path behind the prefix; None when it has not got it."""
        if self.prefix is None:
            return path
        given, _, rest = path[1:].partition("/")
        return f"/{rest}" if hmac.compare_digest(given.encode(), self.prefix.encode()) else None

    def host_info(self, request: web.Request) -> dict[str, Any]:
        """What there is to know of this host."""
        here = request.transport.get_extra_info("sockname")[0] if request.transport is not None else "127.0.0.1"
        found: dict[str, Any] = {"NAME": self.name, "EXTENSIONS": EXTENSIONS, "OSC_TRANSPORT": "UDP"}
        if self.osc_port is not None:
            found |= {"OSC_IP": here, "OSC_PORT": self.osc_port}
        return found | {"WS_IP": here, "WS_PORT": self.doors.port}

    # -- the WebSocket

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if len(self._listeners) >= MOST_CLIENTS:
            return web.Response(status=503, text=f"{MOST_CLIENTS} clients are connected already.\n")
        socket = web.WebSocketResponse(max_msg_size=LARGEST, heartbeat=20.0, compress=False)
        await socket.prepare(request)
        listener = Listener(socket, request.transport)
        self._listeners.add(listener)
        sending = asyncio.get_running_loop().create_task(listener.send())
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self._command(listener, frame.data)
                elif frame.type is WSMsgType.BINARY and self.on_osc is not None:
                    self.on_osc(frame.data)
        finally:
            self._listeners.discard(listener)
            sending.cancel()
        return socket

    def _command(self, listener: Listener, text: str) -> None:
        try:
            data = read(text)
        except NodegraphError:
            return  # the proposal has no answer to it
        if not isinstance(data, dict) or not isinstance(data.get("DATA"), str):
            return
        command, path = data.get("COMMAND"), data["DATA"]
        if command == "LISTEN":
            if path in self.session.parameters and len(listener.paths) < MOST_LISTENED:
                listener.paths.add(path)
                value = self._now(path)
                if value is not None:
                    listener.tell(path, value, every=False)
        elif command == "IGNORE":
            listener.paths.discard(path)

    def _now(self, path: str) -> tuple[Any, ...] | None:
        found = self.session.parameters[path]
        if found.control is not None:
            return (self.session.get(path),)
        return self.namespace.heard.get(path)

    # -- what is told

    def _hear(self, topic: str, data: Mapping[str, Any]) -> None:
        """News, on whichever thread they arise."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            try:
                loop.call_soon_threadsafe(self._queue.put_nowait, (topic, data))
            except RuntimeError:  # the server is closing
                return

    async def _tell_all(self) -> None:
        while True:
            topic, data = await self._queue.get()
            try:
                self._tell(topic, data)
            except Exception as error:  # a mistake of ours: one piece of news is lost, and the log says so
                self.session.say("", f"OSCQuery could not tell of {topic}: {type(error).__name__}: {error}")

    def _tell(self, topic: str, data: Mapping[str, Any]) -> None:
        if topic == "values":
            self._spread([(path, (value,)) for path, value in data["values"].items()], every=False)
        elif topic == "events":
            told = [(path, arguments(from_wire(value))) for path, _, value in data["events"]]
            self.namespace.heard.update(told)
            self._spread(told, every=True)
        else:
            self._restructured(renames(data))

    def _spread(self, told: list[tuple[str, tuple[Any, ...]]], every: bool) -> None:
        for listener in self._listeners:
            for path, values in told if listener.paths else ():
                if path in listener.paths:
                    listener.tell(path, values, every)
            self._look_after(listener)

    def _look_after(self, listener: Listener) -> None:
        """A client that does not read is sent away before what waits for it grows."""
        if listener.full and self._loop is not None and listener in self._listeners:
            self._listeners.discard(listener)
            self._going.add(task := self._loop.create_task(send_away(listener.socket, listener.transport)))
            task.add_done_callback(self._going.discard)

    def _restructured(self, renamed: list[tuple[str, str]]) -> None:
        before, self._before = self._before, self.session.parameters
        told = list(moves(renamed, before, self._before))
        if not told:
            return
        names = [data for what, data in told if what == "PATH_RENAMED"]
        heard = self.namespace.heard
        self.namespace.heard = {
            new: value for path, value in heard.items() if (new := _renamed(path, names)) in self._before
        }
        for listener in list(self._listeners):
            listener.paths = {new for path in listener.paths if (new := _renamed(path, names)) in self._before}
            for what, data in (*told, ("PATH_CHANGED", _common(told))):
                listener.say(written({"COMMAND": what, "DATA": data}))
            self._look_after(listener)


def _renamed(path: str, names: Iterable[Mapping[str, str]]) -> str:
    for name in names:
        if path.startswith(name["OLD"] + "/"):
            path = name["NEW"] + path[len(name["OLD"]) :]
    return path


def _common(told: Iterable[tuple[str, Any]]) -> str:
    """The deepest path that holds all that has changed."""
    paths = []
    for _, data in told:
        for path in data.values() if isinstance(data, Mapping) else (data,):
            paths.append(path.split("/")[:-1])
    shared = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return "/".join(shared) or "/"


def osc_message(path: str, values: Iterable[Any]) -> bytes | None:
    """A binary OSC message; None when a value has no place in one."""
    from pythonosc.osc_message_builder import BuildError, OscMessageBuilder

    builder = OscMessageBuilder(path)
    try:
        for value in values:
            builder.add_arg(value)
        return builder.build().dgram
    except (BuildError, ValueError, OverflowError):
        return None


def _json(data: Mapping[str, Any]) -> web.Response:
    return web.Response(text=written(data), content_type="application/json")


def _not_found(path: str) -> web.Response:
    return web.Response(status=404, text=f"There is nothing at {path}.\n")


def _bad(what: str) -> web.Response:
    return web.Response(status=400, text=what + "\n")
