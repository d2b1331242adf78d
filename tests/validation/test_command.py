"""`nodegraph validate`: what it says, to people and to programs, and what it stands."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nodegraph import registry
from tests.cli.conftest import Command, nodegraph

__all__ = ["nodegraph"]
ROOT = Path(__file__).parents[2]
HERE = "tests.validation"


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of nodes outside of any package, in the folder where the user is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / f"nodes_of_{tmp_path.name}.py"
    path.write_text((ROOT / "tests/validation/bad_native.py").read_text())
    yield path
    sys.modules.pop(path.stem, None)


def test_one_kind_is_told_check_by_check(nodegraph: Command) -> None:
    said = nodegraph("validate", "onepole~")
    assert (said.code, said.err) == (0, "")
    lines = said.out.strip().splitlines()
    assert re.search(r"^blocks +passed +\d+ ms", said.out, re.MULTILINE)
    assert re.search(r"^cost +passed .*ns a sample", said.out, re.MULTILINE)
    assert lines[-1] == "level 5, seed 1: 25 passed"


def test_several_kinds_are_told_a_line_each_by_any_of_their_names(nodegraph: Command) -> None:
    said = nodegraph("validate", "cycle~", "metro", "in~", "-~", "--level", "2", "--seed", "7")
    assert said.code == 0, said.out
    assert re.search(r"^sine~ +kernel +\d+ passed", said.out, re.MULTILINE)
    assert re.search(r"^metro +event +\d+ passed", said.out, re.MULTILINE)
    assert re.search(r"^-~ +kernel +\d+ passed", said.out, re.MULTILINE)
    assert "4 nodes, level 2, seed 7:" in said.out


def test_programs_get_one_object(nodegraph: Command) -> None:
    said = nodegraph("validate", "gain~", "number", "--json", "--level", "3")
    data = json.loads(said.out)
    assert (said.code, data["failed"], data["level"], data["seed"]) == (0, 0, 3, 1)
    assert [(item["kind"], item["role"]) for item in data["nodes"]] == [("gain~", "kernel"), ("number", "event")]
    checks = {item["check"]: item for item in data["nodes"][0]["checks"]}
    assert checks["blocks"]["state"] == "passed" and checks["blocks"]["took_s"] > 0
    assert checks["cost"]["notes"][0]["name"] == "ns_per_sample" and checks["cost"]["notes"][0]["value"] > 0


def test_a_finding_tells_node_check_seed_channel_frame_both_values_and_how_to_repeat_it(
    nodegraph: Command, copied: Path
) -> None:
    said = nodegraph("validate", f"{copied.name}:LastOfBlock", "--seed", "3")
    assert said.code == 2
    assert (
        "bad.blocks~: blocks\n  the sound depends on how it is cut into blocks: 'y', channel 0, frame 0: " in said.out
    )
    values = re.search(r"frame 0: (-?[\d.e-]+) and (-?[\d.e-]+) \(one block and blocks of \[1\] at", said.out)
    assert values and float(values[2]) == pytest.approx(0.5 * float(values[1]))
    command = re.search(r"^  (nodegraph validate .*--check blocks)$", said.out, re.MULTILINE)
    assert command and "--seed 3" in command[1] and "--level 5" in command[1]
    again = nodegraph(*shlex.split(command[1])[1:], "--json")
    (check,) = json.loads(again.out)["nodes"][0]["checks"]
    assert again.code == 2 and check["repeat"] == command[1]
    assert check["findings"][0]["values"] == [values[1], values[2]]
    assert (check["findings"][0]["channel"], check["findings"][0]["frame"]) == (0, 0)


def test_a_file_and_a_module_are_loaded_because_they_are_named(nodegraph: Command, copied: Path) -> None:
    every = nodegraph("validate", copied.name, "--check", "help", "--json")
    kinds = [item["kind"] for item in json.loads(every.out)["nodes"]]
    assert len(kinds) >= 15 and "bad.blocks~" in kinds
    failed = [item["kind"] for item in json.loads(every.out)["nodes"] if item["checks"][0]["state"] == "failed"]
    assert every.code == 2 and failed == ["bad.help~"]
    one = nodegraph("validate", f"{copied.stem}:Settled", "--level", "1")
    assert one.code == 0 and "level 1, seed 1" in one.out


def test_a_module_is_all_the_nodes_that_it_declares(nodegraph: Command) -> None:
    said = nodegraph("validate", f"{HERE}.bad_sound", "--level", "1", "--check", "ports", "--json")
    kinds = [item["kind"] for item in json.loads(said.out)["nodes"]]
    assert said.code == 0 and "bad.keeps~" in kinds and all(kind.startswith("bad.") for kind in kinds)


def test_a_file_that_is_named_without_its_ending_is_understood(nodegraph: Command, copied: Path) -> None:
    said = nodegraph("validate", copied.stem)
    assert said.code == 2 and f"A file is named with its ending: {copied.name}" in said.err


def test_a_node_that_crashes_is_told_and_the_rest_goes_on(nodegraph: Command, copied: Path) -> None:
    said = nodegraph("validate", f"{copied.name}:Wild", "gain~", "--level", "2", "--jobs", "1", "--json")
    assert said.code == 2
    wild, gain = json.loads(said.out)["nodes"]
    states = {item["check"]: item["state"] for item in wild["checks"]}
    assert states["help"] == states["instantiate"] == "passed" and states["silence"] == states["noise"] == "failed"
    crashed = next(item for item in wild["checks"] if item["check"] == "silence")
    assert re.search(r"takes the process down \((SIGSEGV|SIGBUS)\)", crashed["findings"][0]["what"])
    assert "--check silence" in crashed["repeat"]
    assert {item["state"] for item in gain["checks"]} == {"passed"}


def test_a_node_that_hangs_is_told(nodegraph: Command) -> None:
    said = nodegraph("validate", f"{HERE}.bad_python:Hangs", "--check", "messages", "--check", "help", "--timeout", "3")
    assert said.code == 2
    assert "does not come to an end within 3 s" in said.out and "1 passed, 1 failed" in said.out


REFUSED = [
    (["nothing~"], "There is no node kind 'nothing~'"),
    (["sin~"], "Did you mean 'sine~'"),
    (["qqqq"], "See `nodegraph nodes`. A node is named by its kind, its file (.py, .ng), or module:Class."),
    (["no_such.module"], "There is no node kind 'no_such.module'"),
    (["json.decoder"], "declares no node"),
    (["none.py"], "There is no file"),
    (["none.ng"], "There is no patch file"),
    ([f"{HERE}.bad_native:None"], "Its node classes are 'BadAlias'"),
    (["no_such_module:Node"], "ModuleNotFoundError"),
    ([], "No node is named"),
    (["gain~", "--check", "block"], "Did you mean 'blocks'"),
    (["gain~", "--seed", "-1"], "The seed is -1"),
    (["gain~", "--timeout", "0"], "The timeout is 0 s"),
    (["gain~", "--jobs", "-2"], "-2 processes"),
    (["gain~", "--level", "11"], "invalid choice"),
]


@pytest.mark.parametrize(("words", "told"), REFUSED, ids=[" ".join(words) or "nothing" for words, _ in REFUSED])
def test_what_cannot_be_is_told_in_a_line(nodegraph: Command, words: list[str], told: str) -> None:
    said = nodegraph("validate", *words)
    assert said.code == 2 and told in said.err and "Traceback" not in said.err, said.err


BROKEN = {
    "raises": ("1 / 0\n", "ZeroDivisionError"),
    "syntax": ("def\n", "SyntaxError"),
    "empty": ("x = 1\n", "declares no node"),
    "relative": ("from . import other\n", "module:Class"),
    "exits": ("raise SystemExit(3)\n", "SystemExit"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_loaded_is_told_in_a_line(nodegraph: Command, copied: Path, name: str) -> None:
    text, told = BROKEN[name]
    path = copied.with_name(f"{name}_{copied.name}")
    path.write_text(text)
    said = nodegraph("validate", path)
    sys.modules.pop(path.stem, None)
    assert said.code == 2 and told in said.err and "Traceback" not in said.err, said.err


def test_a_file_that_is_called_like_a_module_is_refused(nodegraph: Command, copied: Path) -> None:
    (copied.parent / "json.py").write_text(copied.read_text())
    said = nodegraph("validate", "json.py")
    assert said.code == 2 and "Rename the file" in said.err


def test_a_patch_file_is_a_node_too(nodegraph: Command, tmp_path: Path) -> None:
    (tmp_path / "voice.ng").write_text(
        '{"nodegraph": 1, "title": "Voice", "nodes": {"x": {"kind": "inlet~"}, "cut": {"kind": "svf~"},'
        ' "f": {"kind": "param", "default": 500, "low": 10, "high": 5000}, "y": {"kind": "outlet~"}},'
        ' "cables": ["x.y -> cut.x", "f.y -> cut.cutoff", "cut.low -> y.x"]}'
    )
    said = nodegraph("validate", tmp_path / "voice.ng")
    assert said.code == 0, said.out
    assert re.search(r"^messages +passed", said.out, re.MULTILINE)


def test_the_checks_are_listed_with_their_promises(nodegraph: Command) -> None:
    said = nodegraph("validate", "--checks")
    assert said.code == 0
    assert re.search(
        r"^blocks +level 3 +block, kernel +Any cut into blocks gives the same bits", said.out, re.MULTILINE
    )
    data = json.loads(nodegraph("validate", "--checks", "--json").out)["checks"]
    assert {"name", "level", "roles", "promise"} == set(data[0]) and len(data) > 25


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="a process's children are seen in /proc (Linux)")
def test_ctrl_c_ends_it_and_all_its_processes() -> None:
    """The command is in a session of its own here, so that whatever it leaves behind is seen."""
    command = [sys.executable, "-m", "nodegraph", "validate", "--all", "--level", "10"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while len(children := descendants(process.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(children) >= 2, "it starts no processes"
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err, err
    until = time.monotonic() + 30
    while any(map(alive, children)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not [pid for pid in children if alive(pid)], "processes are left behind"


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *descendants(child)]
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_all_means_all_that_are_installed(nodegraph: Command) -> None:
    """At level 1; the whole of them stands level 10 in `test_every_node` and `test_every_other_node`."""
    said = nodegraph("validate", "--all", "--level", "1", "--json")
    data = json.loads(said.out)
    failed = [
        (node["kind"], check["check"], check["findings"])
        for node in data["nodes"]
        for check in node["checks"]
        if check["state"] == "failed"
    ]
    assert not failed
    assert (said.code, said.err) == (0, "")
    assert [node["kind"] for node in data["nodes"]] == [spec.kind for spec in registry()]
    assert all(node["checks"] for node in data["nodes"]), "a node was validated by no check"
