"""`nodegraph run --serve`: it says where it is, serves while it plays, and costs nothing when nobody asks for it."""

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.test_run import start


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
