"""Clients of the server, as other programs would write them."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgpack

from nodegraph.server.server import Server

PATIENCE_S = 60.0


class Speaker:
    """A client of the protocol. `heard` is what it was told."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, text: bool) -> None:
        self.socket = socket
        self.text = text
        self.heard: list[dict[str, Any]] = []
        self._number = 0
        self._answers: dict[Any, dict[str, Any]] = {}

    async def send(self, data: dict[str, Any]) -> None:
        await (self.socket.send_str(json.dumps(data)) if self.text else self.socket.send_bytes(msgpack.packb(data)))

    async def ask(self, what: str, **fields: Any) -> Any:
        """The answer, or the list of problems."""
        self._number += 1
        number = self._number
        await self.send({"id": number, "do": what, **fields})
        await self.until(lambda: number in self._answers, what)
        answer = self._answers.pop(number)
        return answer["ok"] if "ok" in answer else answer["error"]

    async def until(self, true: Callable[[], Any], what: str) -> Any:
        """Take in what comes until something is true."""

        async def wait() -> Any:
            while not (found := true()):
                await self.take()
            return found

        try:
            return await asyncio.wait_for(wait(), PATIENCE_S)
        except TimeoutError:
            raise AssertionError(f"it never came: {what}; heard {self.heard[-5:]}") from None

    async def take(self) -> None:
        frame = await self.socket.receive()
        assert frame.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), frame
        data = json.loads(frame.data) if isinstance(frame.data, str) else msgpack.unpackb(frame.data)
        if "on" in data:
            self.heard.append(data)
        else:
            self._answers[data["re"]] = data

    def of(self, topic: str) -> list[dict[str, Any]]:
        return [data for data in self.heard if data["on"] == topic]

    def values(self) -> dict[str, float]:
        return {address: value for data in self.of("values") for address, value in data["values"].items()}

    @property
    def unasked(self) -> list[Any]:
        """Answers to what bore no number."""
        return [data for number, data in self._answers.items() if number is None]


@asynccontextmanager
async def speaker(server: Server, *, text: bool = False, name: str = "") -> AsyncIterator[Speaker]:
    """A client that is connected, and subscribed to everything when it has a name."""
    async with aiohttp.ClientSession() as http:
        url = f"ws://127.0.0.1:{server.port}/ws"
        headers = {"Authorization": f"Bearer {server.token}"}
        async with http.ws_connect(url, headers=headers, max_msg_size=0) as socket:
            made = Speaker(socket, text)
            if name:
                await made.ask("hello", name=name)
                topics = ["values", "events", "changed", "opened", "playing", "log", "saved"]
                await made.ask("subscribe", topics=topics)
            yield made


class Deaf:
    """A client on a bare socket that asks to be told, and then does not read until it is told to."""

    def __init__(self, port: int, path: str, token: str = "") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        self.file = self.socket.makefile("rb")
        assert b" 101 " in self.file.readline()
        while self.file.readline().strip():
            pass

    def send(self, data: dict[str, Any], text: bool = False) -> None:
        body = json.dumps(data).encode() if text else msgpack.packb(data)
        assert len(body) < 126
        self.socket.sendall(bytes([0x81 if text else 0x82, 0x80 | len(body), 0, 0, 0, 0]) + body)

    def frame(self) -> tuple[int, bytes]:
        """The next frame: its opcode and what it holds; opcode -1 at the end."""
        head = self.file.read(2)
        if len(head) < 2:
            return -1, b""
        size = head[1]
        if size > 125:
            size = int.from_bytes(self.file.read(2 if size == 126 else 8), "big")
        return head[0] & 15, self.file.read(size)

    def close(self) -> None:
        self.file.close()
        self.socket.close()
