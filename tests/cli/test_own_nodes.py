"""`nodegraph trust`, `new-node`, and nodes of one's own in the other commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.usernodes.files import TONE, WOBBLE, patch_text, write


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NODEGRAPH_CONFIG", str(tmp_path / "config"))
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    write(folder / "tone.py", TONE)
    write(folder / "main.ng", patch_text({"out": {"kind": "out~"}, "t": {"kind": "tone.py"}}, ["t.y -> out.x"]))
    return folder


def test_trust_shows_what_it_trusts_lists_it_and_takes_it_back(home: Path, nodegraph: Command) -> None:
    assert nodegraph("trust", "--list").out == "No file is trusted.\n"
    said = nodegraph("trust", "tone.py")
    size = (home / "tone.py").stat().st_size
    assert said.code == 0 and said.out.startswith(f"{home / 'tone.py'}: {size} bytes, sha256 ")
    digest = said.out.split("sha256 ")[1][:64]
    assert digest in nodegraph("trust", "--list").out
    told = json.loads(nodegraph("trust", "--list", "--json").out)["trusted"]
    assert [(item["path"], item["sha256"], item["size"]) for item in told] == [(str(home / "tone.py"), digest, size)]
    assert "revoked" in nodegraph("trust", "--revoke", digest[:16]).out
    assert nodegraph("trust", "--list").out == "No file is trusted.\n"


def test_what_cannot_be_trusted_is_told_and_the_rest_is(home: Path, nodegraph: Command) -> None:
    said = nodegraph("trust", "main.ng", "nothing.py", "tone.py")
    assert said.code == 2 and "tone.py: " in said.out
    assert [line.split(" ")[0] for line in said.err.splitlines()] == ["'main.ng'", f"{home / 'nothing.py'}:"]
    assert nodegraph("trust").code == 2
    assert nodegraph("trust", "--revoke", "nothing.py").code == 2


def test_check_run_and_render_say_how_to_trust(nodegraph: Command) -> None:
    for words in (["check"], ["run", "--driver", "null", "--seconds", "0.1"], ["render", "-o", "a.wav"]):
        said = nodegraph(words[0], "main.ng", *words[1:])
        assert said.code == 2
        assert said.err.startswith("main.ng:5, node 't': The node file 'tone.py' is code that you have not trusted")
        assert said.err.endswith("Read it, then run: nodegraph trust ./tone.py\n")
    assert not Path("a.wav").exists()


def test_after_that_they_play_it(nodegraph: Command) -> None:
    nodegraph("trust", "./tone.py")
    assert nodegraph("check", "main.ng").out == "main.ng: 2 nodes, 1 cables, no problems\n"
    assert nodegraph("render", "main.ng", "-o", "a.wav", "--seconds", "0.5", "--set", "t.freq=330").code == 0
    said = nodegraph("render", "main.ng", "-o", "b.wav", "--set", "t.freq=3000000")
    assert said.code == 2 and "1 to 2000 Hz" in said.err
    assert nodegraph("run", "main.ng", "--trust-edits", "--driver", "null", "--seconds", "0.3").code == 0


def test_a_fault_is_shown_with_its_line(home: Path, nodegraph: Command) -> None:
    write(home / "tone.py", TONE.replace("return 0.02 * sin_pi(", "return 0.02 * sorted("))
    nodegraph("trust", "tone.py")
    said = nodegraph("check", "main.ng")
    place, source, caret = said.err.splitlines()
    assert said.code == 2 and place.startswith(f"{home / 'tone.py'}:") and ", node 't': " in place
    assert source.strip().startswith("return 0.02 * sorted(") and caret.strip() == "^"
    told = json.loads(nodegraph("check", "main.ng", "--json").out)["problems"]
    assert told[0]["file"] == str(home / "tone.py") and told[0]["source"].strip() == source.strip()


def test_its_help_is_that_of_a_node(home: Path, nodegraph: Command) -> None:
    write(home / "wobble.py", WOBBLE)
    said = nodegraph("nodes", "wobble.py")
    assert said.code == 2 and "nodegraph trust ./wobble.py" in said.err
    nodegraph("trust", "wobble.py")
    page = nodegraph("nodes", "./wobble.py").out
    assert page.startswith("wobble.py") and "Let the level swing" in page and "0.01 to 50 Hz" in page
    told = json.loads(nodegraph("nodes", "wobble.py", "--json").out)["nodes"]
    assert told[0]["kind"] == "wobble.py" and [port["name"] for port in told[0]["outlets"]] == ["y"]
    assert nodegraph("nodes", "nothing.py").code == 2


def test_a_new_node_is_one_that_works(home: Path, nodegraph: Command) -> None:
    said = nodegraph("new-node", "slow_swing")
    assert said.code == 0 and "nodegraph trust ./slow_swing.py" in said.out
    text = (home / "slow_swing.py").read_text()
    assert "class SlowSwing(KernelNode)" in text
    assert nodegraph("trust", "slow_swing.py").code == 0
    assert "Let the level of a sound swing" in nodegraph("nodes", "slow_swing.py").out
    assert nodegraph("new-node", "slow_swing").code == 2, "what is there is not written over"
    assert (home / "slow_swing.py").read_text() == text
    for name in ("4ever", "a b", "../x-y", "nofolder/x"):
        assert nodegraph("new-node", name).code == 2
