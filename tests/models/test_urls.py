"""Files by their addresses, from a server that breaks off, does not know parts, lies, and leads elsewhere."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nodegraph.core import ModelError
from nodegraph.models import Store, urls
from nodegraph.models.sources import UrlFile, parse_source
from tests.cli.conftest import Command, nodegraph
from tests.models.conftest import declare, left_behind, network, pinned
from tests.models.test_fetch import refused

__all__ = ["nodegraph"]
BODY = network(1 << 21)  # 2 MB: several pieces


class Server(http.server.ThreadingHTTPServer):
    """`content` is what there is; `breaks` is after how many bytes each of the next answers breaks off."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = BODY
        self.breaks: list[int] = []
        self.parts = True
        self.status = 200
        self.leads = ""
        self.tag = ""
        self.astray = 0
        """By how much the part that comes is beside the one that was asked for, as it says itself."""
        self.asked: list[str | None] = []

    def url(self, path: str = "/net.onnx") -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, asked = self.server, self.headers.get("Range")
        server.asked.append(asked)
        if server.leads and self.path != "/there.onnx":
            self.send_response(302)
            self.send_header("Location", server.leads)
            self.end_headers()
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and server.parts else 0
        if start >= len(server.content) and start:
            self.send_error(416)
            return
        if server.status != 200:
            self.send_error(server.status)
            return
        rest = server.content[start:]
        part = bool(asked) and server.parts and self.headers.get("If-Range", server.tag) == server.tag
        if not part:
            rest = server.content
        self.send_response(206 if part else 200)
        if part:
            self.send_header("Content-Range", f"bytes {start + server.astray}-{len(server.content) - 1}/*")
        if server.tag:
            self.send_header("ETag", server.tag)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: server.breaks.pop(0)] if server.breaks else rest)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urls, "PAUSE_S", 0.0)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def declared(store: Store, server: Server, **more: object) -> None:
    file = pinned(BODY, source=server.url())
    declare(store, {"name": "net", "revision": "1", "licence": "MIT", "files": {"model": file}, **more})


def parts(store: Store) -> list[Path]:
    return list((store.root / ".incoming").glob("*.part"))


@pytest.mark.parametrize(
    "text",
    ["https://zenodo.org/records/1/files/Cnn14.onnx", "http://127.0.0.1:80/a.onnx", "http://localhost/a%20b.onnx"],
)
def test_an_address_is_a_source(text: str) -> None:
    found = parse_source(text)
    assert isinstance(found, UrlFile) and str(found) == text and found.last.endswith(".onnx")


@pytest.mark.parametrize(
    "text",
    [
        "http://example.org/a.onnx", "https://me:secret@example.org/a.onnx", "https://example.org", "https:///a.onnx",
        "https://example.org/a b.onnx", "https://example.org/a.onnx#b", "ftp://example.org/a.onnx", "https://[::1/a",
        "https://example.org:port/a.onnx", "file://example.org", "https://example.org/\n",
    ],
)  # fmt: skip
def test_what_is_not_safe_or_no_address_is_refused(text: str) -> None:
    if text.startswith("file:"):
        return  # a file of a strange name, and no address
    with pytest.raises(ModelError, match="https://host/path"):
        parse_source(text)


def test_it_is_fetched_and_checked(store: Store, server: Server) -> None:
    declared(store, server)
    told: list[tuple[int, int | None]] = []
    assert store.fetch("net", lambda done, total, text: told.append((done, total))).state == "here"
    assert store.files("net")["model"].read_bytes() == BODY
    assert server.asked == [None] and told[-1] == (len(BODY), len(BODY))
    assert not list((store.root / ".incoming").iterdir())


def test_broken_off_it_goes_on_where_it_was(store: Store, server: Server) -> None:
    declared(store, server)
    server.breaks = [700_000, 0, 300_000]
    store.fetch("net")
    assert store.files("net")["model"].read_bytes() == BODY
    assert server.asked[0] is None and server.asked[1:3] == ["bytes=700000-"] * 2
    assert server.asked[3] == "bytes=1000000-" and len(server.asked) == 4


def test_given_up_it_goes_on_the_next_time(store: Store, server: Server) -> None:
    declared(store, server)
    server.breaks = [500_000] + [0] * urls.TRIES
    assert "goes on from there" in refused("no-network", store.fetch, "net")
    assert [path.stat().st_size for path in parts(store)] == [500_000]
    store.fetch("net")
    assert server.asked[-1] == "bytes=500000-" and not parts(store)


def test_cancelled_it_goes_on_the_next_time(store: Store, server: Server) -> None:
    declared(store, server)

    def cancel(done: int, total: int | None, text: str) -> None:
        if done > 1_000_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.fetch("net", cancel)
    (part,) = parts(store)
    assert 1_000_000 < part.stat().st_size < len(BODY)
    store.fetch("net")
    assert store.files("net")["model"].read_bytes() == BODY


def test_a_server_that_knows_no_parts_begins_again(store: Store, server: Server) -> None:
    declared(store, server)
    server.parts, server.breaks = False, [700_000]
    store.fetch("net")
    assert store.files("net")["model"].read_bytes() == BODY and server.asked == [None, "bytes=700000-"]


def test_another_file_is_refused_and_nothing_of_it_is_kept(store: Store, server: Server) -> None:
    declared(store, server)
    server.content = BODY[:-1] + b"!"
    assert server.url() in refused("wrong-hash", store.fetch, "net")
    server.content = BODY + bytes(50_000_000)
    assert "more than" in refused("wrong-hash", store.fetch, "net")
    server.content = BODY[:1_000]
    refused("no-network", store.fetch, "net")  # less than was promised: it broke off
    for path in parts(store):
        path.unlink()
    assert left_behind(store) == []


def test_a_part_that_is_longer_than_what_is_there_begins_again(store: Store, server: Server) -> None:
    declared(store, server)
    server.breaks = [1_500_000] + [0] * urls.TRIES
    refused("no-network", store.fetch, "net")
    short, server.content = BODY[:1_000_000], BODY[:1_000_000]
    refused("no-network", store.fetch, "net")
    server.content = BODY
    store.fetch("net")
    assert store.files("net")["model"].read_bytes() == BODY and short


@pytest.mark.parametrize(
    ("status", "code"), [(404, "not-there"), (410, "not-there"), (403, "refused"), (503, "no-network")]
)
def test_what_a_server_answers_is_said(store: Store, server: Server, status: int, code: str) -> None:
    declared(store, server)
    server.status = status
    assert str(status) in refused(code, store.fetch, "net")
    assert len(server.asked) == (urls.TRIES if status == 503 else 1)


def test_it_follows_to_safe_addresses_only(store: Store, server: Server) -> None:
    declared(store, server)
    server.leads = server.url("/there.onnx")
    store.fetch("net")
    assert store.files("net")["model"].read_bytes() == BODY
    store.remove("net")
    declared(store, server)
    server.leads = "http://example.org/a.onnx"
    assert "not safe" in refused("no-network", store.fetch, "net")


def test_nothing_is_asked_offline(store: Store, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    declared(store, server)
    monkeypatch.setenv("NODEGRAPH_OFFLINE", "1")
    refused("offline", store.fetch, "net")
    assert not server.asked


def test_what_nobody_wanted_for_long_goes(store: Store, tmp_path: Path) -> None:
    for name in ("old.part", "new.part", "other"):
        (tmp_path / name).write_bytes(b"x")
    urls.forget_old(tmp_path, now=time.time() + 86_400 * (urls.KEPT_DAYS - 1))
    assert len(list(tmp_path.iterdir())) == 3
    urls.forget_old(tmp_path, now=time.time() + 86_400 * (urls.KEPT_DAYS + 1))
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_model_is_added_from_an_address_and_held_to_its_hash(server: Server, store: Store) -> None:
    entry = store.add(server.url(), "mine", licence="CC0", about="from a server")
    assert entry.state == "here" and entry.added and store.files("mine")["model"].read_bytes() == BODY
    assert str(entry.manifest.files[0].source) == server.url() and entry.manifest.licence == "CC0"
    store.files("mine")["model"].unlink()
    server.content = BODY[:-1] + b"!"
    refused("wrong-hash", store.fetch, "mine")
    server.content = BODY
    assert store.fetch("mine").state == "here"
    refused("unsafe-format", store.add, server.url("/net.pkl"), "other")
    refused("name-taken", store.add, server.url(), "yamnet")
    server.status = 404
    refused("not-there", store.add, server.url(), "gone")
    assert [item.name for item in store.list() if item.added] == ["mine"]


def test_of_an_unknown_file_no_two_states_are_put_together(server: Server, store: Store) -> None:
    """No hash would tell: what came goes on only while the server calls it the same file."""
    server.tag, server.breaks = '"first"', [700_000]
    store.add(server.url(), "mine")
    assert store.files("mine")["model"].read_bytes() == BODY and server.asked == [None, "bytes=700000-"]
    server.asked.clear()
    server.tag, server.breaks = "", [700_000]
    store.add(server.url(), "mine")
    assert server.asked == [None, None], "without a mark it begins anew"
    other = network(len(BODY), "other")

    def change(done: int, total: int | None, text: str) -> None:
        if "trying again" in text:
            server.content, server.tag = other, '"second"'

    server.tag, server.breaks = '"first"', [700_000]
    store.add(server.url(), "mine", progress=change)
    assert store.files("mine")["model"].read_bytes() == other
    server.breaks = [700_000] + [0] * urls.TRIES
    assert "goes on" not in refused("no-network", store.add, server.url(), "later")
    server.asked.clear()
    store.add(server.url(), "later")
    assert server.asked == [None], "what came in another call is not trusted"


def test_another_part_than_was_asked_for_is_not_taken(store: Store, server: Server) -> None:
    declared(store, server)
    server.breaks, server.astray = [700_000], 5
    assert "another part" in refused("no-network", store.fetch, "net")
    server.astray = 0
    store.fetch("net")
    assert store.files("net")["model"].read_bytes() == BODY


def test_the_command_adds_from_an_address(
    server: Server, nodegraph: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path / "models"))
    said = nodegraph("models", "add", server.url(), "--name", "mine", "--licence", "CC BY-NC", "--non-commercial")
    assert said.code == 0 and "mine: added, 2.1 MB" in said.out, said.err
    said = nodegraph("models", "info", "mine")
    assert "not for commercial use" in said.out and server.url() in said.out
    said = nodegraph("models", "add", "http://example.org/net.onnx", "--name", "mine")
    assert said.code == 2 and "https://host/path" in said.err
