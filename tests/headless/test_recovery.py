"""Unsaved edits of an interactive session outlive its crash, and nothing else is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nodegraph import Patch
from nodegraph.core.commands import commands
from nodegraph.headless.recovery import Recovery, folder, lost_edits
from nodegraph.session.session import Session
from tests.headless.conftest import ROOT, TONE, until

PROGRAM = """
import sys, time
from pathlib import Path
from nodegraph import Patch
from nodegraph.core.commands import commands
from nodegraph.headless.recovery import Recovery
from nodegraph.session.session import Session
session = Session(Patch.open(sys.argv[1]))
recovery = Recovery(session, print, every_s=0.01)
session.edit([{"do": "set", "node": "level", "values": {"gain": float(sys.argv[2])}}])
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NODEGRAPH_STATE", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def tone(place: Path) -> Path:
    path = place / "tone.ng"
    path.write_text(TONE)
    return path


def crashed(tone: Path, gain: float) -> subprocess.Popen[bytes]:
    """A session that edits and goes on."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(tone), str(gain)], env=environment)


def kept(tone: Path) -> int:
    return len(list(folder(tone).glob("*.json")))


def test_a_crash_loses_nothing_that_was_kept(tone: Path) -> None:
    process = crashed(tone, 0.125)
    try:
        until(lambda: kept(tone), "the edits")
        assert lost_edits(tone) == [], "its session lives"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    (lost,) = lost_edits(tone)
    patch = lost.patch()
    assert patch.graph.value("level", "gain") == 0.125
    assert patch.history.changed and patch.path == tone
    lost.forget()
    assert lost_edits(tone) == []


def test_two_sessions_of_one_patch_keep_apart(tone: Path) -> None:
    processes = [crashed(tone, gain) for gain in (0.125, 0.0625)]
    try:
        until(lambda: kept(tone) == 2, "both")
    finally:
        for process in processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert sorted(lost.patch().graph.value("level", "gain") for lost in lost_edits(tone)) == [0.0625, 0.125]
    with Recovery(Session(Patch.open(tone)), print):
        assert len(lost_edits(tone)) == 2, "a new session does not write over what was lost"


def test_an_end_in_order_leaves_nothing(tone: Path) -> None:
    session = Session(Patch.open(tone))
    with Recovery(session, print, every_s=0.01):
        session.edit([{"do": "set", "node": "level", "values": {"gain": 0.5}}])
        until(lambda: kept(tone), "the edits")
    assert not folder(tone).exists()


def test_what_is_saved_is_not_unsaved(tone: Path) -> None:
    session = Session(Patch.open(tone))
    with Recovery(session, print, every_s=0.01) as recovery:
        assert not recovery.keeper.keep() and not kept(tone), "nothing was edited"
        session.edit([{"do": "set", "node": "level", "values": {"gain": 0.5}}])
        until(lambda: kept(tone), "the edits")
        session.save()
        until(lambda: not kept(tone), "their end")
        session.edit([{"do": "set", "node": "level", "values": {"gain": 0.75}}])
        until(lambda: kept(tone), "new ones")


def test_a_sheet_that_is_not_saved_is_unsaved_too(tone: Path) -> None:
    """Whether it is a crash or an end in order that leaves it; saving another file does not lose it."""
    for name in ("voice", "echo"):
        inner = Patch(name)
        inner.connect(inner.add("sine~", "osc"), inner.add("outlet~", "y"))
        inner.save(tone.with_name(f"{name}.ng"))
    session = Session(Patch.open(tone))
    session.edit([{"do": "add", "node": name, "kind": f"{name}.ng"} for name in ("voice", "echo")])
    session.save()
    recovery = Recovery(session, print, every_s=0.01)
    voice, echo = (session.sheets.open(f"{name}.ng", by="me").name for name in ("voice", "echo"))
    for name in (voice, echo):
        session.sheets.edit(name, commands([{"do": "set", "node": "osc", "values": {"freq": 123.0}}]), by="me")
    until(lambda: kept(tone), "the edits")
    session.sheets.save(echo, by="me")
    assert kept(tone), "the other one is not saved yet"
    assert recovery.close(leave=True)
    (lost,) = lost_edits(tone)
    assert list(lost.state.sheets) == [voice] and "123" in lost.state.sheets[voice]


def test_a_patch_without_a_file(place: Path) -> None:
    session = Session(Patch("New"))
    with Recovery(session, print, every_s=0.01):
        session.edit([{"do": "add", "node": "osc", "kind": "sine~"}])
        until(lambda: list(folder(None).glob("*.json")), "the edits")
    assert lost_edits(None) == []
