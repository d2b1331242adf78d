"""A real browser without a screen, told what to do over its own protocol."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.needs import needs

PATIENCE_S = 120.0
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-default-apps", "--disable-extensions", "--disable-sync", "--no-first-run",
    "--no-default-browser-check", "--metrics-recording-only", "--mute-audio", "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)  # fmt: skip


class Browser:
    """Chromium with one page. Used with ``async with``."""

    def __init__(self, width: int = 1280, height: int = 800, phone: bool = False) -> None:
        self.size, self.phone = (width, height), phone
        self.said: list[str] = []
        """What the page has written to its console, and its errors."""
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def __aenter__(self) -> Self:
        program = needs("chromium", install="apt install chromium")
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        place = Path(self._folder.name)
        self._process = await asyncio.create_subprocess_exec(
            str(program), *FLAGS, f"--user-data-dir={place}", f"--window-size={self.size[0]},{self.size[1]}",
            "about:blank", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await self._attach(place)
        except BaseException:
            await self._end()
            raise
        return self

    async def _attach(self, place: Path) -> None:
        written = place / "DevToolsActivePort"
        end = time.monotonic() + PATIENCE_S
        while not (written.exists() and written.read_text().count("\n")):
            assert time.monotonic() < end and self._process.returncode is None, "the browser does not come up"
            await asyncio.sleep(0.05)
        port = written.read_text().split("\n")[0]
        self._http = aiohttp.ClientSession()
        while True:
            async with self._http.get(f"http://127.0.0.1:{port}/json/list") as answer:
                pages = [item for item in await answer.json() if item["type"] == "page"]
            if pages:
                break
            assert time.monotonic() < end, "the browser shows no page"
            await asyncio.sleep(0.05)
        self._socket = await self._http.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0)
        self._reader = asyncio.create_task(self._read())
        for domain in ("Page", "Runtime", "Log"):
            await self.do(f"{domain}.enable")
        await self.do(
            "Emulation.setDeviceMetricsOverride", width=self.size[0], height=self.size[1],
            deviceScaleFactor=2 if self.phone else 1, mobile=self.phone,
        )  # fmt: skip
        if self.phone:
            await self.do("Emulation.setTouchEmulationEnabled", enabled=True)

    async def _read(self) -> None:
        async for frame in self._socket:
            data = json.loads(frame.data)
            waiting = self._waiting.pop(data.get("id"), None)
            if waiting is not None:
                waiting.set_result(data)
            elif data.get("method") == "Runtime.exceptionThrown":
                self.said.append(str(data["params"]["exceptionDetails"])[:400])
            elif data.get("method") == "Log.entryAdded":
                self.said.append(data["params"]["entry"]["text"])

    async def do(self, method: str, **params: Any) -> Any:
        """One command of the browser's protocol."""
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        data = await asyncio.wait_for(future, PATIENCE_S)
        assert "error" not in data, data["error"]
        return data["result"]

    async def open(self, url: str) -> None:
        """Go to a page."""
        await self.do("Page.navigate", url=url)

    async def value(self, script: str) -> Any:
        """What a script comes to, in the page."""
        done = await self.do("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    async def until(self, script: str) -> Any:
        """Wait until a script comes to something that is true."""
        end = time.monotonic() + PATIENCE_S
        found = None
        while time.monotonic() < end:
            try:
                found = await self.value(script)
            except AssertionError:  # the page is on its way
                found = None
            if found:
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"never true: {script}; the page said {self.said}")

    async def press(self, x: float, y: float, to: tuple[float, float] | None = None) -> None:
        """Press the mouse somewhere, and perhaps draw it elsewhere."""
        await self.do("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, button="left", buttons=1, clickCount=1)
        if to is not None:
            for step in range(1, 6):
                at = {"x": x + (to[0] - x) * step / 5, "y": y + (to[1] - y) * step / 5}
                await self.do("Input.dispatchMouseEvent", type="mouseMoved", button="left", buttons=1, **at)
            x, y = to
        await self.do("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, button="left", clickCount=1)

    async def picture(self, path: Path, whole: bool = False) -> None:
        """A picture of the page."""
        data = await self.do("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(data["data"]))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.cancel()
        await self._socket.close()
        await self._http.close()
        await self._end()

    async def _end(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        self._folder.cleanup()
