"""``GET /health`` and ``GET /metrics`` on the loopback interface, and nothing else: a few lines of HTTP.

It reads one small request a connection, answers and closes. It takes no request whose Host is not this machine's own
name for itself, so that no web page can read it by a name that leads here.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import threading
from collections.abc import Callable
from typing import Any, Final

from nodegraph.headless.health import CONTENT_TYPE

LOOPBACK: Final = "127.0.0.1"
HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")
MOST_BYTES: Final = 8_192
MOST_AT_ONCE: Final = 32
LONGEST_S: Final = 5.0
AGAIN_S: Final = 2.0
REASONS: Final = {
    200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip
Report = Callable[[str, str], None]


class Answering:
    """Answers on a thread of its own, from `start` to `stop`. A port that is in use is tried again and again."""

    def __init__(
        self, port: int, health: Callable[[], dict[str, Any]], metrics: Callable[[], str], report: Report
    ) -> None:
        """`port` 0 is any that is free. `report` gets log lines as (level, text)."""
        self.wanted, self.health, self.metrics, self.report = port, health, metrics, report
        self.port: int | None = None
        """Where it answers; None while it does not."""
        self.ready = threading.Event()
        """Whether it answers, or has said why not."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = asyncio.Event()
        self._open = 0
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._loop = asyncio.new_event_loop()
        self._thread.start()

    def stop(self) -> None:
        """End."""
        if self._loop is None:
            return
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(LONGEST_S)

    def _run(self) -> None:
        assert self._loop is not None
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        said = False
        while not self._over.is_set():
            try:
                server = await asyncio.start_server(self._answer, LOOPBACK, self.wanted, limit=MOST_BYTES, backlog=64)
                break
            except OSError as error:
                if not said:
                    busy = error.errno == errno.EADDRINUSE
                    why = "it is in use" if busy else (error.strerror or str(error))
                    self.report("error", f"no health on port {self.wanted}: {why}. It is tried again.")
                    said = True
                self.ready.set()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), AGAIN_S)
        else:
            return
        self.port = int(server.sockets[0].getsockname()[1])
        self.report("info", f"health and metrics: http://{LOOPBACK}:{self.port}")
        self.ready.set()
        async with server:
            await self._over.wait()
        self.port = None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open > MOST_AT_ONCE:
                writer.transport.abort()
                return
            async with asyncio.timeout(LONGEST_S):
                try:
                    head = await reader.readuntil(b"\r\n\r\n")
                except asyncio.IncompleteReadError as error:
                    if not error.partial:
                        return
                    head = b""
                except asyncio.LimitOverrunError:
                    head = b""
                writer.write(await asyncio.to_thread(self.answer, head))
                await writer.drain()
        except (OSError, TimeoutError):
            pass
        finally:
            self._open -= 1
            writer.close()

    def answer(self, head: bytes) -> bytes:
        """The answer to a request, of which `head` is all up to the empty line."""
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return page(400, "This is no request.\n")
        method, target, _ = words
        fields = [line.partition(":") for line in lines[1:] if line]
        hosts = [value.strip().lower() for name, _, value in fields if name.strip().lower() == "host"]
        if len(hosts) > 1 or any(not own(host) for host in hosts):
            return page(403, "Only this machine's own address is answered.\n")
        path = target.partition("?")[0]
        if path not in ("/health", "/metrics"):
            return page(404, "There are /health and /metrics.\n")
        if method not in ("GET", "HEAD"):
            return page(405, "It can be read only.\n")
        try:
            if path == "/metrics":
                answer = page(200, self.metrics(), CONTENT_TYPE)
            else:
                found = self.health()
                code = 503 if found["health"] == "failed" else 200
                answer = page(code, json.dumps(found, ensure_ascii=False) + "\n", "application/json")
        except Exception as error:
            self.report("error", f"{path} failed: {type(error).__name__}: {error}")
            answer = page(500, "It cannot be told.\n")
        return answer if method == "GET" else answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def own(host: str) -> bool:
    """Whether a Host names this machine as it names itself, with a port or without."""
    name, colon, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    if not colon:
        return host in HOSTS
    return name in HOSTS and port.isascii() and port.isdigit()


def page(code: int, text: str, kind: str = "text/plain; charset=utf-8") -> bytes:
    """A whole answer."""
    body = text.encode()
    head = (
        f"HTTP/1.1 {code} {REASONS[code]}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
