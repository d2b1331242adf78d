"""Clients on the WebSocket: two that edit at once, one that does not read, and what is no request."""

from __future__ import annotations

import asyncio
import itertools
import struct
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgpack
import pytest

from nodegraph.server import wire
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.server.clients import PATIENCE_S, Deaf, speaker


def test_two_clients_see_each_others_changes(server: Server) -> None:
    async def go() -> None:
        async with speaker(server, name="one") as one, speaker(server, name="two", text=True) as two:
            await one.ask("set", values={"osc.freq": 500})
            await two.until(lambda: two.values().get("/patch/osc/freq") == 500, "the other's value")
            assert {data["by"] for data in two.of("values")} == {"one"}
            await two.ask("edit", commands=[{"do": "rename", "node": "osc", "to": "voice"}], label="A better name")
            await one.until(lambda: one.of("changed"), "the other's edit")
            (changed,) = one.of("changed")
            assert changed["by"] == "two" and changed["undo"] == "A better name"
            assert changed["commands"] == [{"do": "rename", "node": "osc", "to": "voice"}]
            assert (await one.ask("set", values={"osc.freq": 400}))[0]["code"] == "unknown-address"
            assert (await one.ask("set", values={"voice.freq": 400}))["values"] == {"/patch/voice/freq": 400.0}
            assert (await one.ask("undo"))["label"] == "A better name", "whoever did it"
            await two.until(lambda: len(two.of("changed")) == 2, "the undoing")
            assert (await two.ask("get", addresses=["osc.freq"]))["values"]["osc.freq"] == 330.0

    asyncio.run(go())


def test_many_at_once_go_by_number_and_come_back_by_number(server: Server) -> None:
    async def go() -> None:
        async with speaker(server, name="bank") as bank, speaker(server, name="looker") as looker:
            made = await bank.ask("layout", addresses=["osc.freq", "level.gain"])
            assert made["addresses"] == ["/patch/osc/freq", "/patch/level/gain"]
            await bank.ask("move", layout=made["layout"], to=struct.pack("<2f", 880.0, 0.5))
            await looker.until(lambda: len(looker.values()) >= 2, "the values")
            assert looker.values() == {"/patch/osc/freq": 880.0, "/patch/level/gain": 0.5}
            await bank.until(lambda: bank.of("moved"), "its own, by number")
            (moved,) = bank.of("moved")
            assert struct.unpack("<2H", moved["at"]) == (0, 1) and struct.unpack("<2f", moved["to"]) == (880.0, 0.5)
            await bank.ask("move", layout=made["layout"], at=struct.pack("<H", 1), to=struct.pack("<f", 99.0))
            await looker.until(lambda: looker.values()["/patch/level/gain"] != 0.5, "the other value")
            high = server.session.parameter("level.gain").control
            assert high is not None and looker.values()["/patch/level/gain"] == high.span[1], "held within its span"
            for wrong in (
                {"layout": 77, "to": b""}, {"layout": made["layout"], "to": b"123"},
                {"layout": made["layout"], "to": struct.pack("<f", 1.0)},
                {"layout": made["layout"], "at": struct.pack("<H", 9), "to": struct.pack("<f", 1.0)},
            ):  # fmt: skip
                assert (await bank.ask("move", **wrong))[0]["code"] == "bad-layout"
            nan = struct.pack("<2f", float("nan"), 1.0)
            assert (await bank.ask("move", layout=made["layout"], to=nan))[0]["code"] == "bad-value"
            await looker.ask("edit", commands=[{"do": "add", "node": "more", "kind": "sine~"}])
            assert (await bank.ask("move", layout=made["layout"], to=nan))[0]["code"] == "bad-layout", (
                "of another patch"
            )

    asyncio.run(go())


FRAMES = (
    b"", b"\xc1", b"\x93\x01", b"\xff" * 100, msgpack.packb(7), msgpack.packb(["hello"]), msgpack.packb({"do": 3}),
    msgpack.packb({1: 2}), b"\xd4\x05\x00", b"\x81\xa2do\xd9\xffx", b"\x91" * 5000,
    msgpack.packb({"do": "hello", "id": [1]}),
    "", "{", "7", "[]", '{"do": null}', '{"do": "set", "values": {"osc.freq": NaN}}', "[" * 20000, '{"do": "sett"}',
    '{"do": "set", "values": {"osc.freq": {"note": 3}}}', '{"do": "set", "values": {"osc.freq": {"ramp": [1]}}}',
    '{"do": "set", "values": {"time.locate": null}}', '{"do": "subscribe", "topics": ["all"]}',
    '{"do": "open", "path": "../../etc/passwd.ng"}', '{"do": "open", "path": "/etc/hostname"}',
    '{"do": "save", "path": "/tmp/elsewhere.ng"}', '{"do": "edit", "commands": [{"do": "format"}]}',
    '{"do": "set", "values": {"osc.freq": ' + "[" * 40 + "]" * 40 + "}}", '{"do": "undo", "all": true}',
)  # fmt: skip


def test_a_client_hears_when_another_stops_and_plays_it(server: Server) -> None:
    async def go() -> None:
        async with speaker(server, name="one") as one, speaker(server, name="two") as two:
            await one.ask("stop")
            await two.until(lambda: two.of("playing"), "that it stops")
            await one.ask("play")
            await two.until(lambda: len(two.of("playing")) > 1, "that it plays")
            assert [data["playing"] for data in two.of("playing")] == [False, True]

    asyncio.run(go())


def test_what_is_no_request_is_answered_with_what_is_legal_and_nothing_stops(server: Server) -> None:
    async def go() -> None:
        async with speaker(server) as client:
            for frame in FRAMES:
                await (client.socket.send_str(frame) if isinstance(frame, str) else client.socket.send_bytes(frame))
                await client.until(lambda: client.unasked, repr(frame[:40]))
                (answer,) = client.unasked
                assert answer["error"] and all(item["what"] for item in answer["error"]), frame
                assert all(item["code"] != "internal" for item in answer["error"]), answer
                client._answers.clear()
            assert (await client.ask("status"))["playing"]
            assert (await client.ask("sett"))[0]["do"].startswith("Did you mean 'set'")

    asyncio.run(go())
    assert server.session.get("osc.freq") == 330.0


def test_a_frame_that_is_too_large_ends_that_client_alone(server: Server) -> None:
    async def go() -> None:
        async with speaker(server, name="other") as other:
            async with speaker(server) as client:
                await client.socket.send_bytes(b"\xc6" + b"\x00" * (wire.LARGEST + 100))
                frame = await asyncio.wait_for(client.socket.receive(), PATIENCE_S)
                assert frame.type is aiohttp.WSMsgType.CLOSE and frame.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
            assert (await other.ask("hello"))["you"] == "other"

    asyncio.run(go())


def test_a_client_that_stops_reading_loses_values_and_is_then_closed_with_a_word(
    server: Server, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values and meters alone never fill its box; what has to be kept in order does, up to a bound."""
    monkeypatch.setattr(wire, "FAREWELL_S", PATIENCE_S)

    deaf = Deaf(server.port, "/ws", server.token)
    deaf.send({"id": 1, "do": "subscribe", "topics": ["values", "log"]})
    assert deaf.frame()[0] == 2

    async def go() -> None:
        async with speaker(server, name="other") as other:
            for number in range(20_000):
                session.news.tell("values", {"by": "", "values": {f"/patch/{number % 50}/x": float(number)}})
            assert (await other.ask("hello"))["you"] == "other"
            line = {"at": 0.0, "node": "", "text": "x" * 50_000}
            for number in range(1, 401):  # 20 MB
                session.news.tell("log", line)
                await other.until(lambda number=number: len(other.of("log")) == number, "the log, for one that reads")

    asyncio.run(go())
    heard = 0
    while (frame := deaf.frame())[0] == 2:
        heard += len(frame[1])
    deaf.close()
    assert frame[0] == 8, frame
    assert int.from_bytes(frame[1][:2], "big") == wire.TOO_SLOW and b"does not read" in frame[1]
    assert heard < 18 << 20, "what waited for it was bounded: the kernel's own buffers, and no more than a box"


def test_who_is_silent_is_asked_and_let_go_without_an_answer(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """aiohttp's client answers pings by itself while it reads; a bare socket does not."""
    monkeypatch.setattr(wire, "PINGS_S", 0.2)
    gone = Deaf(server.port, "/ws", server.token)

    async def go() -> None:
        async with speaker(server) as one:
            answer = asyncio.create_task(one.socket.receive())
            frames = await asyncio.get_running_loop().run_in_executor(None, lambda: [gone.frame()[0] for _ in range(2)])
            assert frames == [9, -1], "a ping, and no more"
            answer.cancel()
            assert (await one.ask("hello"))["protocol"] == 1

    asyncio.run(go())
    gone.close()


def test_who_answers_pings_stays_while_a_request_of_his_takes_long(
    server: Server, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sides go on to hear that the other is there, and what was asked meanwhile is answered in its order."""
    monkeypatch.setattr(wire, "PINGS_S", 0.2)
    done = threading.Event()
    monkeypatch.setattr(session, "play", lambda: done.wait(PATIENCE_S))

    async def go() -> None:
        async with bare(server) as socket:
            for number, do in enumerate(("play", "hello", "play", "status")):
                await socket.send_bytes(msgpack.packb({"id": number, "do": do}))
            await socket.ping(b"there?")
            asked, answered = 0, False
            while asked < 4 or not answered:
                frame = await asyncio.wait_for(socket.receive(), PATIENCE_S)
                assert frame.type in (aiohttp.WSMsgType.PING, aiohttp.WSMsgType.PONG), "nothing is done yet"
                if frame.type is aiohttp.WSMsgType.PING:
                    asked += 1
                    await socket.pong(frame.data)
                answered = answered or frame.data == b"there?"
            done.set()
            answers: list[int] = []
            while len(answers) < 4:
                frame = await asyncio.wait_for(socket.receive(), PATIENCE_S)
                if frame.type is aiohttp.WSMsgType.BINARY:
                    answers.append(msgpack.unpackb(frame.data)["re"])
            assert answers == [0, 1, 2, 3]

    asyncio.run(go())


def test_who_asks_for_more_than_may_wait_is_answered_all_of_it(
    server: Server, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "PINGS_S", 0.2)
    done, looked = threading.Event(), threading.Event()
    monkeypatch.setattr(session, "play", lambda: done.wait(PATIENCE_S))
    looks = itertools.count()

    class Waiting(asyncio.Queue):  # type: ignore[type-arg]
        def full(self) -> bool:
            found = super().full()
            if found and next(looks) > 4:  # so often was looked whether he is there, and he could not say it
                looked.set()
            return found

    monkeypatch.setattr(wire.asyncio, "Queue", Waiting)

    async def go() -> None:
        async with speaker(server) as one:
            await one.send({"id": "long", "do": "play"})
            for number in range(3 * wire.MOST_ASKED):
                await one.send({"id": number, "do": "get", "addresses": []})
            assert await asyncio.get_running_loop().run_in_executor(None, looked.wait, PATIENCE_S)
            monkeypatch.setattr(wire, "PINGS_S", PATIENCE_S)
            done.set()
            await one.until(lambda: len(one._answers) == 3 * wire.MOST_ASKED + 1, "all answers")
            assert list(one._answers) == ["long", *range(3 * wire.MOST_ASKED)]

    asyncio.run(go())


def test_what_was_asked_is_done_though_the_client_has_gone(
    server: Server, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, done = threading.Event(), threading.Event()
    monkeypatch.setattr(session, "play", lambda: (begun.set(), done.wait(PATIENCE_S)))

    async def go() -> None:
        async with speaker(server, name="other") as other:
            async with speaker(server) as one:
                await one.send({"id": 1, "do": "play"})
                await one.send({"id": 2, "do": "hello"})
                await one.send({"do": "set", "values": {"osc.freq": 500}})
                assert await asyncio.get_running_loop().run_in_executor(None, begun.wait, PATIENCE_S)
            done.set()
            await other.until(lambda: other.values().get("/patch/osc/freq") == 500, "what it asked for last")

    asyncio.run(go())


@asynccontextmanager
async def bare(server: Server) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A client's socket that answers no ping by itself."""
    url, headers = f"ws://127.0.0.1:{server.port}/ws", {"Authorization": f"Bearer {server.token}"}
    async with aiohttp.ClientSession() as http, http.ws_connect(url, headers=headers, autoping=False) as socket:
        yield socket


def test_a_ping_of_the_client_is_answered(server: Server) -> None:
    async def go() -> None:
        async with bare(server) as socket:
            await socket.ping(b"there?")
            frame = await asyncio.wait_for(socket.receive(), PATIENCE_S)
            assert frame.type is aiohttp.WSMsgType.PONG and frame.data == b"there?"

    asyncio.run(go())


def test_clients_beyond_the_most_are_sent_away(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nodegraph.server.server.MOST_CLIENTS", 2)

    async def go() -> None:
        async with speaker(server) as one, speaker(server) as two:
            await one.ask("hello")
            await two.ask("hello")
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                async with speaker(server):
                    pass
            assert caught.value.status == 503

    asyncio.run(go())


def test_closing_the_server_closes_its_clients_and_the_patch_plays_on(session: Session) -> None:
    server = Server(session)

    async def go() -> None:
        async with speaker(server, name="one") as one:
            await asyncio.get_running_loop().run_in_executor(None, server.close)
            while (frame := await asyncio.wait_for(one.socket.receive(), PATIENCE_S)).type in (
                aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT,
            ):  # fmt: skip
                pass
            assert frame.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)

    asyncio.run(go())
    server.close()
    assert session.playing is not None and session.playing.running


def test_meters_come_at_their_period_and_each_client_sees_the_peaks(server: Server) -> None:
    async def go() -> None:
        async with speaker(server) as one, speaker(server, text=True) as two:
            for client in (one, two):
                await client.ask("subscribe", topics=["meters", "status"], periods={"meters": 0.05, "status": 0.1})
            for client in (one, two):
                await client.until(
                    lambda client=client: (
                        max((max(data["outputs"], default=0) for data in client.of("meters")), default=0) > 0.2
                    ),
                    "a peak",
                )
                await client.until(lambda client=client: client.of("status"), "the status")
            await one.ask("unsubscribe", topics=["meters", "status"])
            assert (await one.ask("subscribe", topics=["log"], periods={"log": "x"}))[0]["code"] == "bad-request"

    asyncio.run(go())
