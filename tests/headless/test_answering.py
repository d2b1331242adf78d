"""The health endpoint: two pages on the loopback interface, bounded in every way."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.headless.answering import MOST_AT_ONCE, MOST_BYTES, Answering
from tests.headless.conftest import until


class Said:
    def __init__(self) -> None:
        self.health = "ok"
        self.lines: list[tuple[str, str]] = []


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def door(said: Said) -> Iterator[Answering]:
    found = Answering(
        0, lambda: {"health": said.health}, lambda: "nodegraph_up 1\n", lambda *line: said.lines.append(line)
    )
    found.start()
    assert found.ready.wait(60)
    yield found
    found.stop()


def ask(door: Answering, request: bytes) -> bytes:
    """Everything that comes back until it is closed."""
    assert door.port is not None
    with socket.create_connection(("127.0.0.1", door.port), timeout=60) as line:
        line.sendall(request)
        answer = b""
        try:
            while data := line.recv(65_536):
                answer += data
        except ConnectionResetError:
            pass
        return answer


def code(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def get(path: str, host: str = "localhost", method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def test_health_and_metrics(door: Answering, said: Said) -> None:
    answer = ask(door, get("/health"))
    assert code(answer) == 200 and json.loads(answer.partition(b"\r\n\r\n")[2]) == {"health": "ok"}
    said.health = "degraded"
    assert code(ask(door, get("/health?x=1"))) == 200
    said.health = "failed"
    assert code(ask(door, get("/health"))) == 503
    answer = ask(door, get("/metrics", f"127.0.0.1:{door.port}"))
    assert code(answer) == 200 and b"text/plain; version=0.0.4" in answer and answer.endswith(b"nodegraph_up 1\n")


def test_a_head_has_no_body(door: Answering) -> None:
    answer = ask(door, get("/metrics", method="HEAD"))
    assert code(answer) == 200 and answer.endswith(b"\r\n\r\n") and b"Content-Length: 15" in answer


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil", "",
                                  "localhost:x", "::1", "[::1", "0.0.0.0"])  # fmt: skip
def test_a_name_that_leads_here_is_not_answered(door: Answering, host: str) -> None:
    assert code(ask(door, get("/health", host))) == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]", "[::1]:8080"])
def test_its_own_names_are(door: Answering, host: str) -> None:
    assert code(ask(door, get("/health", host))) == 200


def test_two_hosts_are_none(door: Answering) -> None:
    request = b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"
    assert code(ask(door, request)) == 403


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (get("/"), 404),
        (get("/health/"), 404),
        (get("/../health"), 404),
        (get("/health", method="POST"), 405),
        (get("/health", method="DELETE"), 405),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /health\r\n\r\n", 400),
        (b"GET /health SPDY/3\r\n\r\n", 400),
        (b"\x00\xff\xfe\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nX: " + b"y" * (4 * MOST_BYTES) + b"\r\n\r\n", 400),
    ],
)
def test_what_it_does_not_understand(door: Answering, request_: bytes, expected: int) -> None:
    assert code(ask(door, request_)) == expected


def test_who_says_nothing_keeps_nobody_waiting(door: Answering) -> None:
    assert door.port is not None
    lines = [socket.create_connection(("127.0.0.1", door.port), timeout=60) for _ in range(2 * MOST_AT_ONCE)]
    closed: set[socket.socket] = set()

    def turned_away() -> int:
        closed.update(line for line in lines if line not in closed and _closed(line))
        return len(closed)

    try:
        until(lambda: turned_away() >= MOST_AT_ONCE // 2, "half of those too many are turned away")
        for line in lines:
            line.close()
        until(lambda: ask(door, get("/health")), "an answer when they have gone")
    finally:
        for line in lines:
            line.close()


def _closed(line: socket.socket) -> bool:
    line.setblocking(False)
    try:
        return line.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_what_fails_is_said_and_not_shown(said: Said) -> None:
    def fails() -> str:
        raise RuntimeError("secret")

    found = Answering(0, lambda: {"health": "ok"}, fails, lambda *line: said.lines.append(line))
    answer = found.answer(get("/metrics").removesuffix(b"\r\n\r\n"))
    assert code(answer) == 500 and b"secret" not in answer
    assert said.lines == [("error", "/metrics failed: RuntimeError: secret")]


SILENT = Answering(0, lambda: {"health": "ok"}, lambda: "", lambda *line: None)


@given(st.binary(max_size=300))
def test_whatever_comes_is_answered(head: bytes) -> None:
    assert SILENT.answer(head).startswith(b"HTTP/1.1 ")


def test_it_listens_on_the_loopback_interface_alone(door: Answering) -> None:
    assert door.port is not None
    found = [
        line.split()[1]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{door.port:04X}") and line.split()[3] == "0A"
    ]
    assert found == [f"0100007F:{door.port:04X}"]
