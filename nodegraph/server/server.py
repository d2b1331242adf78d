"""The server of a session: an event loop in a thread of its own, beside the player.

It listens on loopback alone unless told otherwise, and lets in only who brings the token of this launch
(`server.doors`). Closing it closes every connection; the patch plays on.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from nodegraph.core.errors import DeviceError, NodegraphError, Problem
from nodegraph.server.doors import HEADERS, HERE, Asked, Door, Doors, Network, networks_of, place_of
from nodegraph.server.oscquery import OscQuery
from nodegraph.server.sockets import listening
from nodegraph.server.wire import LARGEST, Wire
from nodegraph.session.levels import Levels
from nodegraph.session.session import Session

MOST_CLIENTS: Final = 64
COME_UP_S: Final = 30.0
FILES: Final = Path(__file__).parent / "panel"
TYPES: Final = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
PAGES: Final = {"/": "index.html", "/status": "status.html"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Page:
    """A plain answer that others add to the server: `call` gives its text; `door` says who may see it."""

    path: str
    call: Callable[[], str]
    kind: str = "text/plain"
    door: Door = Door.WIRE


class Server:
    """Serves a session until it is closed. Use it with ``with``, or close it."""

    def __init__(
        self,
        session: Session,
        *,
        port: int = 0,
        listen: str | None = None,
        allow: Iterable[str] = (),
        oscquery: int | None = None,
        oscquery_token: bool = False,
        announce: bool = False,
        pages: Iterable[Page] = (),
        health: Callable[[], str] | None = None,
        on_osc: Callable[[bytes], None] | None = None,
        osc_port: int | None = None,
    ) -> None:
        """`port` 0 is any that is free. `listen` is ``ADDR[:PORT]``, besides loopback; `allow` are the networks from
        which requests may come then. `oscquery` is a port for OSCQuery, 0 for any, None for none; with `oscquery_token`
        its paths begin with the token of this launch; `announce` makes it known to the network. `on_osc` gets the OSC
        packets that come by OSCQuery; `osc_port` is where others may come. `health` says in a word how all is:
        ``failed`` is bad.

        Raises DeviceError: a port is taken, an address is not of this machine.
        """
        self.session = session
        self.levels = Levels(session)
        self.pages = tuple(pages)
        self.health = health
        networks = networks_of(allow)
        place = None if listen is None else place_of(listen, port)
        if place is not None and not networks and place[0] not in ("localhost", "127.0.0.1", "::1"):
            what = f"Nobody could come in at {place[0]}: no network is allowed."
            raise DeviceError(Problem("no-network", what, "Say who may: --allow 192.168.1.0/24."))
        self._loop = asyncio.new_event_loop()
        self._slow = ThreadPoolExecutor(8, "requests")
        self._wires: set[web.WebSocketResponse] = set()
        self._runners: list[web.AppRunner] = []
        self._announced: Any = None
        self._closing = False
        sockets = listening(place, port, "--serve PORT")
        self.port = int(sockets[0].getsockname()[1])
        self.doors = _doors(self.port, place, networks, token=True)
        self.oscquery: OscQuery | None = None
        query_sockets = []
        try:
            if oscquery is not None:
                query_place = None if place is None else (place[0], oscquery)
                query_sockets = listening(query_place, oscquery, "--oscquery PORT")
                query_port = int(query_sockets[0].getsockname()[1])
                doors = _doors(query_port, place, networks, token=False)
                prefix = self.token if oscquery_token else None
                self.oscquery = OscQuery(session, doors, on_osc=on_osc, osc_port=osc_port, prefix=prefix)
        except BaseException:
            for item in sockets:
                item.close()
            raise
        self._started = threading.Event()
        self._errors: list[NodegraphError] = []
        self._thread = threading.Thread(
            target=self._run, args=(sockets, query_sockets, announce), name="server", daemon=True
        )
        self._thread.start()
        self._started.wait(COME_UP_S)
        if self._errors:
            self.close()
            raise self._errors[0]

    @property
    def url(self) -> str:
        """Where the panel is, with the token."""
        return f"http://127.0.0.1:{self.port}/?token={self.doors.token}"

    @property
    def elsewhere(self) -> list[str]:
        """Hosts under which it may be reached from other machines: all that it was told to listen at."""
        if not self.doors.wide:
            return [f"{name}:{self.port}" for name in sorted(self.doors.names)]
        from nodegraph.server.announcing import own_addresses

        return [f"{address}:{self.port}" for address in own_addresses()]

    @property
    def token(self) -> str:
        """The token of this launch."""
        assert self.doors.token is not None
        return self.doors.token

    def close(self) -> None:
        """Close every connection and end the thread. More than once does no harm."""
        if not self._closing:
            self._closing = True
            if self._loop.is_running():
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._slow.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the thread

    def _run(self, sockets: list[Any], query_sockets: list[Any], announce: bool) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._start(sockets, query_sockets, announce))
        except NodegraphError as error:
            self._errors.append(error)
        except Exception as error:
            failed = DeviceError(f"the server does not come up: {type(error).__name__}: {error}.")
            failed.__cause__ = error
            self._errors.append(failed)
        self._started.set()
        try:
            if not self._errors:
                self._loop.run_forever()
            self._loop.run_until_complete(self._end())
        finally:
            self._loop.close()

    async def _start(self, sockets: list[Any], query_sockets: list[Any], announce: bool) -> None:
        await self._serve(self._app(), sockets)
        if self.oscquery is not None:
            await self._serve(self.oscquery.app(), query_sockets)
            if announce:
                from nodegraph.server.announcing import announced

                self._announced = await announced(self.oscquery.name, self.oscquery.doors)

    async def _serve(self, app: web.Application, sockets: list[Any]) -> None:
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        self._runners.append(runner)
        await runner.setup()
        for item in sockets:
            await web.SockSite(runner, item).start()

    async def _end(self) -> None:
        if self._announced is not None:
            await self._announced()
        if self.oscquery is not None:
            self.oscquery.close()
        for socket in list(self._wires):
            await socket.close(code=1001, message=b"the server ends", drain=False)
        for runner in self._runners:
            await runner.cleanup()

    def _app(self) -> web.Application:
        app = guarded(self.doors, self._door)
        app.router.add_get("/ws", self._wire)
        app.router.add_get("/health", self._health)
        for path, name in PAGES.items():
            app.router.add_get(path, _file(FILES / name))
        for file in sorted(FILES.iterdir()):
            if file.suffix in TYPES and file.name not in PAGES.values():
                app.router.add_get(f"/{file.name}", _file(file))
        for page in self.pages:
            app.router.add_get(page.path, _plain(page, self._slow))
        return app

    def _door(self, request: web.Request) -> Door:
        path = request.path
        added = next((page.door for page in self.pages if page.path == path), None)
        if added is not None:
            return added
        if path == "/health":
            return Door.OPEN
        return Door.PAGE if path in PAGES or (FILES / path[1:]).suffix in TYPES else Door.WIRE

    async def _health(self, request: web.Request) -> web.Response:
        playing = self.session.playing
        said: dict[str, Any] = {"ok": True, "playing": playing is not None and playing.running}
        if self.health is not None:
            said["health"] = await asyncio.get_running_loop().run_in_executor(self._slow, self.health)
            said["ok"] = said["health"] != "failed"
        return web.json_response(said, status=200 if said["ok"] else 503)

    async def _wire(self, request: web.Request) -> web.StreamResponse:
        if len(self._wires) >= MOST_CLIENTS:
            return web.Response(status=503, text=f"{MOST_CLIENTS} clients are connected already.\n")
        socket = web.WebSocketResponse(max_msg_size=LARGEST, autoping=False, compress=False)
        await socket.prepare(request)
        self._wires.add(socket)
        try:
            await Wire(self.session, self.levels, self._slow).serve(socket, request.transport)
        finally:
            self._wires.discard(socket)
        return socket


def _doors(port: int, place: tuple[str, int] | None, networks: tuple[Network, ...], *, token: bool) -> Doors:
    names = frozenset() if place is None else frozenset({f"[{place[0]}]" if ":" in place[0] else place[0].lower()})
    wide = place is not None and place[0] in ("0.0.0.0", "::")
    made = Doors(port, names=names - set(HERE), networks=networks, wide=wide)
    return made if token else Doors(port, None, made.names, made.networks, made.wide)


def guarded(doors: Doors, door_of: Callable[[web.Request], Door]) -> web.Application:
    """An application of which every route, and whatever is none, stands behind the doors."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = doors.refusal(asked(request, doors), door_of(request))
        if refusal is not None:
            return web.Response(status=refusal.status, text=refusal.what + "\n")
        if "token" in request.query and door_of(request) is Door.PAGE and doors.token is not None:
            return _welcome(request, doors)
        return await handler(request)

    async def prepare(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(HEADERS)

    app = web.Application(middlewares=[guard], client_max_size=LARGEST)
    app.on_response_prepare.append(prepare)
    return app


def asked(request: web.Request, doors: Doors) -> Asked:
    """A request, for the rules."""
    headers: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        headers.setdefault(name.lower(), []).append(value)
    here = request.transport.get_extra_info("sockname") if request.transport is not None else None
    tokens = request.query.getall("token", [])
    token = None if not tokens else tokens[0] if len(tokens) == 1 else ""
    local = str(here[0]) if here else ""
    return Asked(request.remote or "", local, request.method, headers, token, request.cookies.get(doors.cookie))


def _welcome(request: web.Request, doors: Doors) -> web.Response:
    """Who opens a page with the token keeps it in a cookie; the address is shown without it from then on."""
    response = web.Response(status=303, headers={"Location": request.path})
    assert doors.token is not None
    response.set_cookie(doors.cookie, doors.token, httponly=True, samesite="Strict", path="/")
    return response


def _file(path: Path) -> Handler:
    body, kind = path.read_bytes(), TYPES[path.suffix]

    async def handle(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=kind, charset="utf-8")

    return handle


def _plain(page: Page, slow: ThreadPoolExecutor) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        text = await asyncio.get_running_loop().run_in_executor(slow, page.call)
        return web.Response(body=text.encode(), headers={"Content-Type": page.kind})

    return handle
