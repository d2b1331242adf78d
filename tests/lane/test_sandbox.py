"""A model reads and computes, and nothing else: whatever it tries while it is loaded or asked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lane.company import RATE, Company, noise
from tests.lane.fake_listeners import Burglar

HELD = "models may read files and compute, and neither write files nor use the network"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds models back")


@LINUX
def test_a_model_cannot_write_or_reach_anybody(make: Callable[..., Company], weights: Path) -> None:
    company = make()
    company.add("thief", Burglar.spec)
    company.ready()
    company.ask("thief", 1, 4_800)
    company.hear("thief", noise(4_800))
    answer = company.answer("thief", 1, 4_800)
    said = [value for outlet, _, value in answer.items if outlet == "went"]
    assert len(said) == 20 and not [text for text in said if text.endswith(" done")], said
    assert weights.read_text() == "bell" and not (weights.parent / "stolen").exists()
    assert company.lane.held == HELD
    assert RATE == 48_000


PROGRAM = """
import os, socket, sys, threading
from pathlib import Path
from nodegraph.sandbox import confine
mine, others = map(Path, sys.argv[1:])
talk, listen = socket.socketpair()
print(confine([mine]))
(mine / "made").write_text("x")
(mine / "folder").mkdir()
Path("/dev/null").write_text("x")
talk.send(b"x")
assert (others / "there").read_text() == "x" and listen.recv(1) == b"x"
failed = []
def refused(do):
    try:
        do()
    except PermissionError:
        failed.append(1)
def all_of_it():
    for do in (
        lambda: (others / "made").write_text("x"), lambda: (others / "there").unlink(),
        lambda: os.truncate(others / "there", 0), lambda: (mine / "made").rename(others / "made"),
        lambda: os.symlink(others / "there", others / "linked"),
        lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
        lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    ):
        refused(do)
all_of_it()
thread = threading.Thread(target=all_of_it)
thread.start()
thread.join()
print(len(failed))
"""


@LINUX
def test_what_is_given_up_is_gone_for_all_threads_and_the_rest_stays(tmp_path: Path) -> None:
    mine, others = tmp_path / "mine", tmp_path / "others"
    mine.mkdir()
    others.mkdir()
    (others / "there").write_text("x")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(mine), str(others)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [HELD, "16"]


def test_elsewhere_it_says_that_nothing_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from nodegraph import sandbox

    monkeypatch.setattr(sandbox.sys, "platform", "darwin")
    assert "not held back on darwin" in sandbox.confine()
