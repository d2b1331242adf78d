"""The panel in a real browser: what a hand does there is heard, and a page from elsewhere does nothing."""

from __future__ import annotations

import asyncio
import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from nodegraph.osc.door import Door
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.server.browser import Browser
from tests.session.test_learning import fader

MARKED = [
    {"kind": "slider", "address": "osc.freq", "label": "Pitch"},
    {"kind": "xy", "address": "osc.freq", "y": "level.gain", "label": "Both"},
    {"kind": "toggle", "address": "time.play", "label": "Clock"},
    {"kind": "button", "address": "time.locate", "label": "From the top"},
    {"kind": "tags", "address": "time.beat", "label": "Beat"},
    {"kind": "slider", "address": "gone.freq"},
]
BOX = "(() => {{ const box = document.querySelector('{0}').getBoundingClientRect();"
BOX += " return [box.left, box.top, box.width, box.height] }})()"


async def heard(session: Session, address: str, than: float) -> float:
    for _ in range(1_200):
        if session.get(address) != than:
            return session.get(address)
        await asyncio.sleep(0.05)
    raise AssertionError(f"{address} was never moved")


def test_what_is_done_on_the_panel_is_heard_and_what_is_heard_is_shown(server: Server, session: Session) -> None:
    session.patch.document.extra["panel"] = MARKED

    async def go() -> None:
        async with Browser() as browser:
            await browser.open(server.url)
            await browser.until("document.querySelectorAll('.control').length === 5")
            assert await browser.value("location.search") == "", "the token does not stay in the address"
            assert await browser.value("document.cookie") == "", "scripts cannot read it"
            assert "gone.freq" in await browser.value("document.getElementById('note').textContent")
            left, top, width, height = await browser.value(BOX.format(".slider input[type=range]"))
            await browser.press(left + width / 2, top + height / 2, (left + 0.9 * width, top + height / 2))
            freq = await heard(session, "osc.freq", 330.0)
            assert freq > 1_000
            left, top, width, height = await browser.value(BOX.format(".field"))
            await browser.press(left + width / 2, top + height / 4)
            gain = await heard(session, "level.gain", 0.25)
            high = session.parameter("level.gain").control
            assert high is not None and gain == pytest.approx(0.75 * high.span[1], rel=0.05)
            left, top, width, height = await browser.value(BOX.format(".switch"))
            await browser.press(left + 10, top + height / 2)
            assert await heard(session, "time.play", 1.0) == 0.0
            await browser.until("document.querySelector('.switch .word').textContent === 'off'")
            await browser.until("document.querySelector('.said li') !== null")
            session.set("osc.freq", 123)
            await browser.until("document.querySelector('.number').value === '123'")
            session.edit([{"do": "add", "node": "cut", "kind": "svf~"}])
            await browser.until("document.querySelectorAll('.bar').length === 2")
            await browser.until("document.getElementById('load').textContent.includes('%')")
            await browser.value("document.querySelector('.number').focus()")
            await browser.value("document.querySelector('.number').value = '250'")
            await browser.value("document.querySelector('.number').blur()")
            assert await heard(session, "osc.freq", 123.0) == 250.0
            await browser.value("document.getElementById('sound').click()")
            await browser.until("document.getElementById('sound').textContent.includes('Play')")
            assert session.playing is not None and session.playing.wait(60)
            session.play()
            await browser.until("document.getElementById('sound').textContent.includes('Stop')")
            assert not browser.said, browser.said

    asyncio.run(go())


def test_presets_are_recalled_from_the_panel(server: Server, session: Session) -> None:
    session.presets.store("deep", ["osc.freq"])
    session.set("osc.freq", 500)

    async def go() -> None:
        async with Browser() as browser:
            await browser.open(server.url)
            await browser.until("document.querySelectorAll('#presets button').length === 1")
            await browser.value("document.querySelector('#presets button').click()")
            for _ in range(1_200):
                if session.get("osc.freq") == 330.0:
                    break
                await asyncio.sleep(0.05)
            assert session.get("osc.freq") == 330.0
            await browser.until("document.querySelector('#presets button').textContent === '● deep'")
            session.presets.store("high", ["osc.freq"])
            await browser.until("document.querySelectorAll('#presets button').length === 2")

    asyncio.run(go())


def test_a_fader_of_another_program_is_learned_and_forgotten_on_the_panel(server: Server, session: Session) -> None:
    session.patch.document.extra["panel"] = MARKED

    async def go(door: Door) -> None:
        assert door.port is not None
        async with Browser() as browser:
            await browser.open(server.url)
            await browser.until("document.querySelectorAll('.control').length === 5")
            await browser.until("!document.getElementById('learn').hidden")
            await browser.value("document.getElementById('learn').click()")
            left, top, width, height = await browser.value(BOX.format(".slider input[type=range]"))
            await browser.press(left + 0.9 * width, top + height / 2)
            await browser.until("document.querySelectorAll('.control.waits').length === 2")  # the pad moves it, too
            assert session.get("osc.freq") == 330.0, "who learns moves nothing"
            assert "/patch/osc/freq" in await browser.value("document.getElementById('learn-words').textContent")
            fader(door.port, "/1/fader3", 0.5)
            await browser.until("document.querySelector('.slider .bond')?.textContent === '/1/fader3 ×'")
            await browser.until("document.querySelectorAll('.control.waits').length === 0")
            fader(door.port, "/1/fader3", 1.0)
            assert await heard(session, "osc.freq", 330.0) > 1_000
            await browser.value("document.querySelector('.slider .bond').click()")
            await browser.until("document.querySelector('.bond') === null")
            assert door.learned == []
            await browser.value("document.querySelector('.slider input[type=range]').click()")
            await browser.until("document.querySelectorAll('.control.waits').length === 2")
            for kind in ("keyDown", "keyUp"):
                await browser.do("Input.dispatchKeyEvent", type=kind, key="Escape", windowsVirtualKeyCode=27)
            await browser.until("document.querySelectorAll('.control.waits').length === 0")
            assert door.waiting is None
            assert await browser.value("document.getElementById('learn').getAttribute('aria-pressed')") == "false"
            left, top, width, height = await browser.value(BOX.format(".slider input[type=range]"))
            before = session.get("osc.freq")
            await browser.press(left + 0.1 * width, top + height / 2)
            assert await heard(session, "osc.freq", before) < before
            await browser.value(
                "(() => { const it = document.getElementById('follow'); it.value = 'midi';"
                " it.dispatchEvent(new Event('change')) })()"
            )
            for _ in range(1_200):
                if session.following is not None:
                    break
                await asyncio.sleep(0.05)
            assert session.following is not None and session.following.name == "midi"
            session.follow(None)
            await browser.until("document.getElementById('follow').value === ''")
            assert not browser.said, browser.said

    with Door(session, port=0) as door:
        asyncio.run(go(door))


def test_keys_alone_are_enough_and_everything_has_a_name(server: Server, session: Session) -> None:
    session.patch.document.extra["panel"] = MARKED
    unnamed = """[...document.querySelectorAll('input, button, [role=meter], meter')].filter((item) =>
        !(item.getAttribute('aria-label') || item.labels?.length || item.textContent.trim()))
        .map((item) => item.outerHTML)"""

    async def go() -> None:
        async with Browser(390, 844, phone=True) as browser:
            await browser.open(server.url)
            await browser.until("document.querySelectorAll('.control').length === 5")
            assert await browser.value(unnamed) == []
            assert await browser.value("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
            await browser.value("document.querySelector('.slider input[type=range]').focus()")
            for _ in range(3):
                for kind in ("keyDown", "keyUp"):
                    await browser.do("Input.dispatchKeyEvent", type=kind, key="ArrowRight", windowsVirtualKeyCode=39)
            assert await heard(session, "osc.freq", 330.0) > 330.0
            assert "Hz" in await browser.value(
                "document.querySelector('.slider input[type=range]').getAttribute('aria-valuetext')"
            )

    asyncio.run(go())


def test_it_comes_back_when_the_connection_is_lost_and_says_when_the_launch_is_another(session: Session) -> None:
    async def go() -> None:
        server = Server(session)
        async with Browser() as browser:
            await browser.open(server.url)
            await browser.until("document.getElementById('connection').textContent === 'connected'")
            port = server.port
            server.close()
            await browser.until("document.getElementById('connection').dataset.state !== 'good'")
            again = Server(session, port=port)
            try:
                await browser.until("document.getElementById('connection').textContent.includes('printed')")
                again.doors.token = server.token  # as if it had never been away
                await browser.until("document.getElementById('connection').textContent === 'connected'")
            finally:
                again.close()

    asyncio.run(go())


def test_the_status_page_shows_every_figure(server: Server) -> None:
    async def go() -> None:
        async with Browser() as browser:
            await browser.open(server.url.replace("/?", "/status?"))
            await browser.until("document.querySelectorAll('#figures tr').length > 10")
            assert not browser.said, browser.said

    asyncio.run(go())


PAGE = """<!doctype html><title>elsewhere</title><script>
window.done = [];
const say = (what) => window.done.push(what);
const frame = JSON.stringify({ id: 1, do: "set", values: { "osc.freq": 5000 } });
for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
  for (const way of ["/ws", "/ws?token=x"]) {
    const socket = new WebSocket("ws://" + host + ":PORT" + way);
    socket.onopen = () => { say("opened " + host); socket.send(frame); };
    socket.onclose = () => say("closed");
  }
  for (const path of ["/", "/health", "/panel.js", "/status"]) {
    for (const mode of ["cors", "no-cors"]) {
      fetch("http://" + host + ":PORT" + path, { credentials: "include", mode }).then((answer) =>
        say(answer.type === "opaque" || !answer.ok ? "closed" : "read " + path), () => say("closed"));
    }
  }
}
const inside = document.createElement("iframe");
inside.src = "http://127.0.0.1:PORT/";
document.documentElement.append(inside);
</script>"""


@pytest.fixture
def elsewhere(server: Server) -> Iterator[str]:
    """Another site, on another port of this machine: to the browser it is the same site, so its cookies come along."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = PAGE.replace("PORT", str(server.port)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_address[1]}/"
    made.shutdown()
    made.server_close()


def test_a_page_from_another_origin_changes_nothing(server: Server, session: Session, elsewhere: str) -> None:
    async def go() -> None:
        async with Browser() as browser:
            await browser.open(server.url)  # so that this browser has the cookie
            await browser.until("document.getElementById('connection').textContent === 'connected'")
            before, revision = dict(session.live), session.revision
            await browser.open(elsewhere)
            await browser.until("window.done && window.done.length >= 30")
            done = await browser.value("window.done")
            assert set(done) == {"closed"}, done
            assert not await browser.value("inside.contentDocument?.querySelector('header')")
            assert dict(session.live) == before and session.revision == revision
            assert session.get("osc.freq") == 330.0

    asyncio.run(go())
