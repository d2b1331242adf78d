"""OSCQuery as a client meets it: it browses, asks for attributes, listens, and sees nodes come, go and be renamed."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pythonosc.osc_message import OscMessage

from nodegraph import Patch
from nodegraph.core.commands import Rename
from nodegraph.server import oscquery, wire
from nodegraph.server.namespace import arguments, moves, type_of
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from nodegraph.session.updating import renames
from tests.server.clients import PATIENCE_S, Deaf


def base(server: Server) -> str:
    assert server.oscquery is not None
    return f"http://127.0.0.1:{server.oscquery.doors.port}"


async def get(http: aiohttp.ClientSession, url: str) -> tuple[int, Any]:
    async with http.get(url) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if answer.content_type == "application/json" and text else text


def test_it_says_what_there_is(server: Server, session: Session) -> None:
    async def go() -> None:
        async with aiohttp.ClientSession() as http:
            status, root = await get(http, base(server) + "/")
            assert status == 200 and root["FULL_PATH"] == "/" and set(root["CONTENTS"]) == {"patch"}
            freq = root["CONTENTS"]["patch"]["CONTENTS"]["osc"]["CONTENTS"]["freq"]
            span = session.parameter("osc.freq").control.span  # type: ignore[union-attr]
            assert freq | {"DESCRIPTION": "", "TAGS": []} == {
                "FULL_PATH": "/patch/osc/freq", "TYPE": "f", "ACCESS": 3, "VALUE": [330.0], "UNIT": ["time.hz"],
                "EXTENDED_TYPE": ["Hz"], "RANGE": [{"MIN": span[0], "MAX": span[1]}], "CLIPMODE": ["both"],
                "DESCRIPTION": "", "TAGS": [],
            }  # fmt: skip
            time = root["CONTENTS"]["patch"]["CONTENTS"]["time"]["CONTENTS"]
            assert time["play"]["TYPE"] == "T" and time["play"]["RANGE"] == [{"VALS": [False, True]}]
            assert time["meter"]["TYPE"] == "i" and time["meter"]["VALUE"] == [4]
            assert time["locate"]["ACCESS"] == 2 and "VALUE" not in time["locate"]
            assert time["beat"]["ACCESS"] == 1
            for path in ("/patch", "/patch/osc", "/patch/osc/freq", "/patch/osc/freq/"):
                status, found = await get(http, base(server) + path)
                assert status == 200 and found["FULL_PATH"] == path.rstrip("/")
            status, host = await get(http, base(server) + "/anywhere?HOST_INFO")
            assert status == 200 and host["WS_PORT"] == server.oscquery.doors.port  # type: ignore[union-attr]
            assert host["NAME"] == "nodegraph Tone" and host["EXTENSIONS"]["LISTEN"] and "OSC_PORT" not in host

    asyncio.run(go())


def test_one_attribute_at_a_time_and_what_cannot_be_said(server: Server) -> None:
    wanted = {
        "/patch/osc/freq?VALUE": (200, {"VALUE": [330.0]}),
        "/patch/osc/freq?TYPE": (200, {"TYPE": "f"}),
        "/patch/osc/freq?UNIT": (200, {"UNIT": ["time.hz"]}),
        "/patch/osc/freq?FULL_PATH": (200, {"FULL_PATH": "/patch/osc/freq"}),
        "/patch/osc?ACCESS": (200, {"ACCESS": 0}),
        "/patch/osc?VALUE": (204, ""),
        "/patch/time/locate?VALUE": (204, ""),
        "/patch/osc/freq?CONTENTS": (204, ""),
        "/patch/osc/freq?GABBA": (400, None),
        "/patch/osc/freq?HTML": (400, None),
        "/patch/osc/freq?VALUE&TYPE": (400, None),
        "/patch/osc/frequency?VALUE": (404, None),
        "/patch/osc/freq/deeper": (404, None),
        "/other": (404, None),
    }

    async def go() -> None:
        async with aiohttp.ClientSession() as http:
            for path, (status, data) in wanted.items():
                found = await get(http, base(server) + path)
                assert found[0] == status and (data is None or found[1] == data), (path, found)
            _, contents = await get(http, base(server) + "/patch/osc?CONTENTS")
            assert "freq" in contents["CONTENTS"]

    asyncio.run(go())


def test_it_listens_and_sees_a_renamed_node(server: Server, session: Session) -> None:
    async def go() -> None:
        async with aiohttp.ClientSession() as http, http.ws_connect(base(server)) as socket:
            said: list[Any] = []

            async def until(true: Any, what: str) -> None:
                while not true():
                    frame = await asyncio.wait_for(socket.receive(), PATIENCE_S)
                    assert frame.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), (what, frame)
                    if frame.type is aiohttp.WSMsgType.BINARY:
                        message = OscMessage(frame.data)
                        said.append((message.address, list(message)))
                    else:
                        said.append(json.loads(frame.data))

            async def command(name: str, path: Any) -> None:
                await socket.send_str(json.dumps({"COMMAND": name, "DATA": path}))

            for nonsense in ("", "[]", '{"COMMAND": "LISTEN"}', '{"COMMAND": 1, "DATA": 2}'):
                await socket.send_str(nonsense)
            await command("LISTEN", "/patch/no/such")
            await command("LISTEN", "/patch/osc/freq")
            await until(lambda: ("/patch/osc/freq", [330.0]) in said, "the value that it has")
            session.set("osc.freq", 440)
            session.set("level.gain", 0.5)
            await until(lambda: ("/patch/osc/freq", [440.0]) in said, "the value")
            await command("LISTEN", "/patch/time/beat")
            await until(lambda: ("/patch/time/beat", [2]) in said, "a beat")
            await command("IGNORE", "/patch/time/beat")
            said.clear()
            session.edit([{"do": "rename", "node": "osc", "to": "voice"}])
            renamed = {"COMMAND": "PATH_RENAMED", "DATA": {"OLD": "/patch/osc", "NEW": "/patch/voice"}}
            await until(lambda: {"COMMAND": "PATH_CHANGED", "DATA": "/patch"} in said, "that it changed")
            assert renamed in said and not any(isinstance(item, dict) and "ADDED" in item["COMMAND"] for item in said)
            session.set("voice.freq", 550)
            await until(lambda: ("/patch/voice/freq", [550.0]) in said, "the value under the new name")
            session.edit([{"do": "add", "node": "cut", "kind": "svf~"}])
            await until(lambda: {"COMMAND": "PATH_ADDED", "DATA": "/patch/cut/cutoff"} in said, "the new node")
            session.edit([{"do": "remove", "node": "cut"}])
            await until(lambda: {"COMMAND": "PATH_REMOVED", "DATA": "/patch/cut/cutoff"} in said, "its end")
            session.edit([{"do": "remove", "node": "voice"}])
            await until(lambda: {"COMMAND": "PATH_REMOVED", "DATA": "/patch/voice/freq"} in said, "the end")
            assert not any(item[0] == "/patch/level/gain" for item in said if isinstance(item, tuple)), "not asked for"
            status, _ = await get(http, base(server) + "/patch/voice/freq")
            assert status == 404

    asyncio.run(go())


def test_a_name_that_changes_inside_a_subpatch_is_told_where_it_stands(tmp_path: Path) -> None:
    voice = Patch("Voice")
    voice.connect(voice.add("sine~", "osc"), voice.add("outlet~", "y"))
    voice.save(tmp_path / "voice.ng")
    patch = Patch()
    patch.add("sine~", "osc")
    patch.save(tmp_path / "patch.ng")
    with Session(Patch.open(tmp_path / "patch.ng"), driver="null") as session:
        session.edit([{"do": "add", "node": "v", "kind": "voice.ng"}])
        before, told = session.parameters, []
        session.news.listen(lambda topic, data: told.extend(moves(renames(data), before, session.parameters)))
        session.sheets.edit(session.sheets.open("voice.ng", by="me").name, [Rename("osc", "tone")], by="me")
        assert ("PATH_RENAMED", {"OLD": "/patch/v/osc", "NEW": "/patch/v/tone"}) in told
        assert not any("/patch/osc" in str(data) for _, data in told), "another node of that name"


def test_a_listener_that_stops_reading_is_closed_with_a_word(
    server: Server, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oscquery, "MOST_WAITING", 200)
    monkeypatch.setattr(wire, "FAREWELL_S", PATIENCE_S)
    assert server.oscquery is not None
    deaf = Deaf(server.oscquery.doors.port, "/")
    deaf.send({"COMMAND": "LISTEN", "DATA": "/patch/osc/freq"}, text=True)
    deaf.send({"COMMAND": "LISTEN", "DATA": "/patch/time/beat"}, text=True)
    assert deaf.frame()[0] == 2, "the value that it has"
    listeners = server.oscquery._listeners
    for _ in range(5_000):
        session.news.tell("values", {"by": "", "values": {"/patch/osc/freq": 1.0}})
        session.news.tell("events", {"events": [["/patch/time/beat", 0.0, "x" * 10_000]]})
        if not listeners:
            break
        time.sleep(0.001)
    while (frame := deaf.frame())[0] == 2:
        pass
    deaf.close()
    assert frame[0] == 8 and int.from_bytes(frame[1][:2], "big") == wire.TOO_SLOW, frame


def test_osc_packets_go_to_who_takes_them_and_the_token_may_stand_in_the_path(session: Session) -> None:
    came: list[bytes] = []

    async def go(server: Server) -> None:
        async with aiohttp.ClientSession() as http:
            assert (await get(http, base(server) + "/patch"))[0] == 401
            assert (await get(http, f"{base(server)}/{'x' * 43}/patch"))[0] == 401
            status, found = await get(http, f"{base(server)}/{server.token}/patch/osc")
            assert status == 200 and found["FULL_PATH"] == "/patch/osc"
            assert (await get(http, f"{base(server)}/{server.token}?HOST_INFO"))[1]["OSC_PORT"] == 9_000
            async with http.ws_connect(f"{base(server)}/{server.token}") as socket:
                await socket.send_bytes(b"/a\0\0,\0\0\0")
                for _ in range(600):
                    if came:
                        break
                    await asyncio.sleep(0.1)

    with Server(session, oscquery=0, oscquery_token=True, on_osc=came.append, osc_port=9_000) as server:
        asyncio.run(go(server))
    assert came == [b"/a\0\0,\0\0\0"]


def test_pages_of_other_origins_and_other_names_are_refused_here_too(server: Server) -> None:
    async def go() -> None:
        async with aiohttp.ClientSession() as http:
            for headers in (
                {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"},
                {"Origin": f"http://127.0.0.1:{server.port}"}, {"Sec-Fetch-Site": "cross-site"},
            ):  # fmt: skip
                async with http.get(base(server) + "/patch", headers=headers) as answer:
                    assert answer.status == 403, headers
                try:
                    async with http.ws_connect(base(server), headers=headers):
                        raise AssertionError(headers)
                except aiohttp.WSServerHandshakeError as error:
                    assert error.status == 403, headers

    asyncio.run(go())


def test_messages_as_arguments() -> None:
    from nodegraph import BANG, Note, Tag

    assert (
        arguments(BANG) == () and arguments(Tag("dog", 0.5)) == ("dog", 0.5) and arguments(Note(60, 0.5)) == (60, 0.5)
    )
    assert arguments((1, (2.0, "x"))) == (1, 2.0, "x") and type_of((1, 2.0, "x", True, b"")) == "ifsTb"


def test_it_is_announced_when_asked_and_no_longer_when_it_ends(session: Session) -> None:
    """On the loopback interface, where this test hears it as well."""
    from zeroconf import ServiceBrowser, ServiceListener, Zeroconf

    from nodegraph.server.announcing import KIND

    class Ear(ServiceListener):
        def __init__(self) -> None:
            self.there: dict[str, tuple[int | None, list[str]]] = {}

        def add_service(self, zeroconf: Zeroconf, kind: str, name: str) -> None:
            info = zeroconf.get_service_info(kind, name, 30_000)
            if info is not None:
                self.there[name] = info.port, info.parsed_addresses()

        def remove_service(self, zeroconf: Zeroconf, kind: str, name: str) -> None:
            self.there.pop(name, None)

        def update_service(self, zeroconf: Zeroconf, kind: str, name: str) -> None:
            return

    def until(true: Any) -> None:
        end = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < end, ear.there
            time.sleep(0.05)

    ear, zeroconf = Ear(), Zeroconf(interfaces=["127.0.0.1"])
    try:
        browser = ServiceBrowser(zeroconf, KIND, ear)
        with Server(session, oscquery=0, announce=True) as server:
            assert server.oscquery is not None
            wanted = server.oscquery.doors.port, ["127.0.0.1"]
            until(lambda: wanted in ear.there.values())
        until(lambda: wanted not in ear.there.values())
        browser.cancel()
    finally:
        zeroconf.close()
