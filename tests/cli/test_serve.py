"""`nodegraph run --serve`: it says where it is, serves while it plays, and costs nothing when nobody asks for it."""

import asyncio
import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.cli.conftest import Command
from tests.cli.test_run import start
from tests.headless.conftest import until


def test_it_says_where_the_panel_is_and_ends_well(tone: Path, tmp_path: Path) -> None:
    process = start("run", tone, "--driver", "null", "--serve", "0", "--oscquery", "0", "--json", cwd=tmp_path)
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert said["type"] == "server" and said["token"] in said["url"]
        with urllib.request.urlopen(f"http://127.0.0.1:{said['port']}/health") as answer:
            assert json.load(answer) == {"ok": True, "playing": True}
        with urllib.request.urlopen(f"http://127.0.0.1:{said['oscquery']}/patch/osc/freq?VALUE") as answer:
            assert json.load(answer) == {"VALUE": [330.0]}
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"http://127.0.0.1:{said['port']}/")
        while json.loads(process.stdout.readline())["type"] != "status":
            pass
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130 and "Traceback" not in err, err


def test_what_cannot_be_had_is_said(tone: Path, nodegraph: Command) -> None:
    for words, line in (
        (("--listen", "0.0.0.0"), "Say who may: --allow"),
        (("--serve", "0", "--announce"), "Say --oscquery"),
        (("--listen", "0.0.0.0:0", "--allow", "here"), "192.168.1.0/24"),
    ):
        said = nodegraph("run", tone, "--driver", "null", *words)
        assert said.code == 2 and line in said.err, said.err


def test_who_does_not_serve_loads_nothing_of_it(tone: Path) -> None:
    program = (
        "import sys; from nodegraph.cli import main; main(sys.argv[1:]);"
        "unwanted = {'aiohttp', 'zeroconf', 'pythonosc', 'nodegraph.server'};"
        "print(sorted(unwanted & set(sys.modules)))"
    )
    words = [sys.executable, "-c", program, "run", str(tone), "--driver", "null", "--seconds", "0.2"]
    done = subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout


class Played:
    """`nodegraph run --serve` in a process, and one client of it."""

    def __init__(self, tone: Path, *words: str) -> None:
        words = ("--driver", "null", "--serve", "0", "--no-midi", "--json", *words)
        self.process = start("run", tone, *words, cwd=tone.parent)
        assert self.process.stdout is not None
        self.said: list[dict[str, Any]] = []
        while not self.said or self.said[-1]["type"] != "server":
            line = self.process.stdout.readline()
            assert line, self.process.communicate(timeout=60)
            self.said.append(json.loads(line))

    def ask(self, what: str, **fields: Any) -> Any:
        """What is answered to a request."""
        said = self.said[-1]

        async def go() -> Any:
            headers = {"Authorization": f"Bearer {said['token']}"}
            async with (
                aiohttp.ClientSession() as http,
                http.ws_connect(f"http://127.0.0.1:{said['port']}/ws", headers=headers) as socket,
            ):
                await socket.send_json({"id": 1, "do": what, **fields})
                return (await socket.receive_json(timeout=60))["ok"]

        return asyncio.run(go())

    def end(self, number: int = signal.SIGINT) -> str:
        """End it; gives what it said besides, on both its outputs."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=120)
        assert "Traceback" not in err, err
        return "".join(json.dumps(item) for item in self.said) + out + err


def test_edits_that_were_never_saved_are_taken_up_again(
    tone: Path, nodegraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tone.parent / "state"
    monkeypatch.setenv("NODEGRAPH_STATE", str(state))
    before = tone.read_text()
    said = nodegraph("run", tone, "--driver", "null", "--recover")
    assert said.code == 2 and "Nothing was lost" in said.err

    played = Played(tone)
    played.ask("edit", commands=[{"do": "set", "node": "osc", "values": {"freq": 123.0}}])
    played.ask("set", values={"osc.freq": 456.0})
    until(lambda: any("456" in file.read_text() for file in state.rglob("*.json")), "the edits are kept")
    played.end(signal.SIGKILL)

    played = Played(tone)
    assert "330" in played.ask("document")["text"], "not without being asked"
    assert "--recover takes them up" in played.end()
    played = Played(tone, "--recover")
    assert "123" in played.ask("document")["text"]
    assert played.ask("get", addresses=["osc.freq"])["values"] == {"osc.freq": 456.0}
    assert "not saved: --recover takes them up" in played.end(), "who ends it with Ctrl-C loses nothing either"
    assert tone.read_text() == before

    played = Played(tone, "--recover")
    played.ask("save")
    assert "--recover" not in played.end()
    assert "123" in tone.read_text()
    assert not list(state.rglob("*.json"))


def test_edits_that_nobody_wants_are_left(tone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tone.parent / "state"
    monkeypatch.setenv("NODEGRAPH_STATE", str(state))
    played = Played(tone)
    played.ask("edit", commands=[{"do": "set", "node": "osc", "values": {"freq": 123.0}}])
    assert "--recover" in played.end()
    played = Played(tone, "--recover", "forget")
    assert "330" in played.ask("document")["text"]
    assert "--recover" not in played.end()
    assert not list(state.rglob("*.json"))
