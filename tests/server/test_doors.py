"""Who may come in: every combination of Host, Origin, token and family, on every route and on the upgrade."""

from __future__ import annotations

import asyncio
import itertools
import socket
from dataclasses import dataclass

import pytest

from nodegraph import DeviceError
from nodegraph.server.doors import Asked, Door, Doors, launch_token, networks_of, place_of
from nodegraph.server.server import Server
from nodegraph.session.session import Session

ROUTES = (
    "/", "/status", "/panel.js", "/panel.css", "/wire.js", "/controls.js", "/learn.js", "/scale.js", "/status.js",
    "/icon.svg", "/health", "/ws", "/nothing", "/../server.py", "/panel/index.html",
)  # fmt: skip
HOSTS = ("{here}", "localhost:{port}", "evil.example:{port}", "127.0.0.1:1", "localhost", "evil.example", "", "two")
ORIGINS = (
    None,
    "http://{host}",
    "https://{host}",
    "http://evil.example",
    "null",
    "http://localhost",
    "",
    "file://",
    "two",
)
TOKENS = (None, "good", "bad", "", "cookie", "bad cookie", "query", "bad query", "good and bad")


@dataclass
class Try:
    """One request and whether it may pass."""

    lines: list[str]
    passes: bool


def attempt(server: Server, route: str, host: str, origin: str | None, token: str | None, family: str) -> Try:
    """A request as bytes, and what the rules, read anew from their description, say of it."""
    here = f"127.0.0.1:{server.port}" if family == "4" else f"[::1]:{server.port}"
    said = host.format(here=here, port=server.port)
    headers, query = [], ""
    hosts = [said] if host != "two" else [here, "evil.example"]
    if host:
        headers += [f"Host: {item}" for item in hosts]
    good_host = said in (here, f"localhost:{server.port}")
    if origin is not None:
        text = origin.format(host=said)
        headers += [
            f"Origin: {item}" for item in ([text] if origin != "two" else [f"http://{said}", "http://x.example"])
        ]
    if token == "good" and origin is None and said in ("127.0.0.1:1", "localhost"):
        good_host = True  # a tunnel may have another port at its other end
    good_origin = origin is None or origin == "http://{host}"
    cookie = f"nodegraph-{server.port}"
    if token in ("good", "good and bad"):
        headers.append(f"Authorization: Bearer {server.token}")
    if token in ("bad", ""):
        headers.append(f"Authorization: Bearer {'x' * 43 if token else ''}")
    if token in ("cookie", "bad cookie"):
        headers.append(f"Cookie: {cookie}={server.token if token == 'cookie' else 'x' * 43}")
    if token == "query":
        query = f"?token={server.token}"
    if token in ("bad query", "good and bad"):
        query = "?token=no"
    page = route in ("/", "/status") or route.endswith((".js", ".css", ".svg", ".html"))
    allowed = route == "/health" or token in ("good", "query") or (token == "cookie" and (page or origin is not None))
    return Try([f"GET {route}{query} HTTP/1.1", *headers], good_host and good_origin and allowed)


async def status_of(server: Server, family: str, lines: list[str], route: str) -> int:
    """The status of an answer to a raw request: an upgrade where it goes to /ws."""
    more = ["Connection: close"]
    if route == "/ws":
        more = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
        more.append("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    reader, writer = await asyncio.open_connection("127.0.0.1" if family == "4" else "::1", server.port)
    try:
        writer.write("\r\n".join([*lines, *more, "", ""]).encode())
        first = await asyncio.wait_for(reader.readline(), 60)
        return int(first.split()[1])
    finally:
        writer.close()


def test_nothing_passes_that_should_not(server: Server) -> None:
    families = ["4", "6"] if any(item.family == socket.AF_INET6 for item in listening(server)) else ["4"]
    assert families == ["4", "6"], "this machine should have an IPv6 loopback"

    async def go() -> tuple[int, int]:
        passed = refused = 0
        for route, host, origin, token, family in itertools.product(ROUTES, HOSTS, ORIGINS, TOKENS, families):
            made = attempt(server, route, host, origin, token, family)
            status = await status_of(server, family, made.lines, route)
            if made.passes:
                assert status in (101, 200, 303, 404), (status, made.lines)
                assert (status == 101) == (route == "/ws"), (status, made.lines)
                passed += 1
            else:
                assert status in (400, 401, 403), (status, made.lines)
                refused += 1
        return passed, refused

    passed, refused = asyncio.run(go())
    assert passed + refused == len(ROUTES) * len(HOSTS) * len(ORIGINS) * len(TOKENS) * 2
    assert passed > 200 and refused > 10_000


def listening(server: Server) -> list[socket.socket]:
    return [site._sock for runner in server._runners[:1] for site in runner.sites]  # type: ignore[attr-defined]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_no_other_method_does_anything(server: Server, method: str) -> None:
    async def go(route: str) -> int:
        lines = [
            f"{method} {route} HTTP/1.1",
            f"Host: 127.0.0.1:{server.port}",
            f"Authorization: Bearer {server.token}",
        ]
        return await status_of(server, "4", lines, "")

    for route in ROUTES:
        assert asyncio.run(go(route)) in (404, 405), route


def test_every_answer_bears_the_headers_and_pages_have_no_script_inside(server: Server) -> None:
    async def go(route: str, token: str) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            f"GET {route} HTTP/1.1\r\nHost: localhost:{server.port}\r\nConnection: close\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )
        text = (await asyncio.wait_for(reader.read(), 60)).decode("utf-8", "replace")
        writer.close()
        return text

    for route in ("/", "/panel.js", "/nothing", "/health"):
        for token in (server.token, "wrong"):
            text = asyncio.run(go(route, token))
            for said in (
                "script-src 'self'",
                "frame-ancestors 'none'",
                "X-Content-Type-Options: nosniff",
                "no-referrer",
            ):
                assert said in text, (route, said)
            assert "aiohttp" not in text.split("\r\n\r\n")[0]
    page = asyncio.run(go("/", server.token))
    assert (
        "<script type" in page
        and "style=" not in page
        and "onclick" not in page
        and "://" not in page.split("\r\n\r\n")[1]
    )


def asks(remote: str = "127.0.0.1", host: str = "10.0.0.5:80", local: str = "10.0.0.5", **more: list[str]) -> Asked:
    headers = {
        "host": [host],
        "authorization": ["Bearer t"],
        **{key.replace("_", "-"): item for key, item in more.items()},
    }
    return Asked(remote, local, "GET", headers)


def test_a_server_that_is_open_takes_those_it_was_told_of_and_its_own_addresses_alone() -> None:
    doors = Doors(80, "t", frozenset({"studio.local"}), networks_of(["10.0.0.0/24", "fd00::/8"]), wide=True)
    assert doors.refusal(asks("10.0.0.9"), Door.WIRE) is None
    assert doors.refusal(asks("fd00::9", "[fd00::1]:80", "fd00::1"), Door.WIRE) is None
    assert doors.refusal(asks("::ffff:10.0.0.9"), Door.WIRE) is None, "IPv4 as IPv6 writes it"
    assert doors.refusal(asks("10.0.0.9", "studio.local"), Door.WIRE) is None, "port 80 may be left out"
    for remote in ("10.0.1.9", "192.168.0.1", "fe80::1", "::ffff:8.8.8.8", "", "nobody"):
        refusal = doors.refusal(asks(remote), Door.OPEN)
        assert refusal is not None and refusal.status == 403, remote
    for host in (
        "10.0.0.6:80",
        "evil.example:80",
        "10.0.0.5:81",
        "10.0.0.5:80@evil.example",
        "studio.local.evil.example",
    ):
        assert doors.refusal(asks("10.0.0.9", host), Door.OPEN) is not None, host
    narrow = Doors(80, "t", frozenset({"10.0.0.5"}), doors.networks)
    assert narrow.refusal(asks("10.0.0.9"), Door.WIRE) is None
    assert narrow.refusal(asks("10.0.0.9", "10.0.0.7:80", "10.0.0.7"), Door.WIRE) is not None


def test_a_page_of_another_site_is_told_by_what_the_browser_says_of_it() -> None:
    doors = Doors(80, "t")
    for said in ("cross-site", "same-site", "nonsense"):
        assert doors.refusal(asks(host="localhost", sec_fetch_site=[said]), Door.PAGE) is not None
    assert doors.refusal(asks(host="localhost", sec_fetch_site=["same-origin"]), Door.PAGE) is None


def test_networks_and_places_say_how_they_are_written() -> None:
    assert place_of("192.168.1.7", 8) == ("192.168.1.7", 8) and place_of("[::1]:99", 8) == ("::1", 99)
    assert place_of("::", 8) == ("::", 8) and place_of("studio.local:0", 8) == ("studio.local", 0)
    for wrong in ("", "a:b", "[::1", "1.2.3.4:99999"):
        with pytest.raises(DeviceError, match="Write it as"):
            place_of(wrong, 8)
    with pytest.raises(DeviceError, match=r"192\.168\.1\.0/24"):
        networks_of(["here"])


def test_a_port_in_use_says_what_to_do(session: Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DeviceError, match=f"Port {port} of 127.0.0.1 is taken.*--serve PORT"):
            Server(session, port=port)
        with pytest.raises(DeviceError, match="--oscquery PORT"):
            Server(session, oscquery=port)
    with pytest.raises(DeviceError, match="--allow"):
        Server(session, listen="0.0.0.0")
    with pytest.raises(DeviceError, match="address"):
        Server(session, listen="203.0.113.77", allow=["203.0.113.0/24"])


def test_by_default_every_socket_is_on_loopback(server: Server) -> None:
    """As the system's own tables say, of this process alone."""
    found = own_sockets()
    assert len(found) >= 4, "the panel and OSCQuery, in both families"
    assert {address for address, _ in found} <= {"127.0.0.1", "::1"}, found
    assert {server.port, server.oscquery.doors.port} <= {port for _, port in found}  # type: ignore[union-attr]


def own_sockets() -> list[tuple[str, int]]:
    """Where this process listens: TCP that listens, and every UDP socket that is bound."""
    import os

    inodes = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = []
    for table, six in (("tcp", False), ("tcp6", True), ("udp", False), ("udp6", True)):
        with open(f"/proc/net/{table}") as lines:
            for line in list(lines)[1:]:
                parts = line.split()
                if parts[9] in inodes and (table.startswith("udp") or parts[3] == "0A"):
                    address, _, port = parts[1].partition(":")
                    raw = bytes.fromhex(address)
                    packed = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
                    found.append((socket.inet_ntop(socket.AF_INET6 if six else socket.AF_INET, packed), int(port, 16)))
    return found


def test_a_token_may_be_given_if_it_cannot_be_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(launch_token()) >= 40 and launch_token() != launch_token()
    monkeypatch.setenv("NODEGRAPH_TOKEN", "a-token-that-is-long-enough")
    assert Doors(8840).token == "a-token-that-is-long-enough"
    for short in ("short", "with spaces in it, which none has", "x" * 201):
        monkeypatch.setenv("NODEGRAPH_TOKEN", short)
        with pytest.raises(DeviceError, match="no token"):
            launch_token()
