"""The editor's memory stays as it is: busy, locked and minimised, again and again, while a patch plays."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from bench.editor import patch
from tests.editor.desktop import Driven, end_engines, screen
from tests.soak.length import length, report

SECONDS: Final = length(16.0, 3600.0)
WARM: Final = 0.4
"""After so much of the time everything that is needed has been made; from then on memory must not grow."""
GROWTH: Final = 0.02
NODES: Final = 60


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[Driven]:
    (tmp_path / "large.ng").write_text(patch(NODES, NODES))
    with screen() as display:
        driven = Driven(display, tmp_path, ["large.ng", "--driver", "null"])
        yield driven
        driven.kill()
        end_engines(tmp_path)


def resident(pid: int) -> int:
    """Bytes that a process holds in memory."""
    fields = Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()
    return 1024 * int(fields[0])


def busy(editor: Driven, chance: random.Random) -> None:
    """Boxes are carried, looked at and put back, panels come and go, the view moves."""
    at = editor.state["boxes"][chance.choice(list(editor.state["boxes"]))]["middle"]
    editor.point(at)
    editor._tool("click", "1")
    editor.key(chance.choice(["Right", "Down"]), "ctrl+l", "ctrl+d", "Delete", "ctrl+plus", "ctrl+minus", "ctrl+l")
    for _ in range(3):
        before = editor.state
        if before["undo"] is None:
            break
        editor.key("ctrl+z")
        editor.until(
            lambda state, done=before["revision"]: state["revision"] > done and not state["waiting"], "an undo"
        )
    editor.key("ctrl+0", "ctrl+9", "Escape")


def locked(editor: Driven) -> None:
    """Nothing can be moved, and somebody tries."""
    editor.key("ctrl+shift+k")
    editor.until(lambda state: state["locked"], "that it is locked")
    editor.key("Right", "Delete")
    editor.key("ctrl+shift+k")
    editor.until(lambda state: not state["locked"], "that it is not locked any more")


def minimised(editor: Driven, seconds: float) -> None:
    """Nobody sees it for a while."""
    editor._tool("windowminimize", editor.window)
    time.sleep(seconds)
    editor.back()


def test_the_editors_memory_stays_as_it_is(editor: Driven) -> None:
    chance, begun, rounds = random.Random(7), time.monotonic(), 0
    before: int | None = None
    while (spent := time.monotonic() - begun) < SECONDS or before is None:
        busy(editor, chance)
        locked(editor)
        minimised(editor, length(0.2, 5.0))
        rounds += 1
        if before is None and spent > WARM * SECONDS:
            before = resident(editor.process.pid)
    after = resident(editor.process.pid)
    growth = after / before - 1.0
    report(
        f"editor: {rounds} rounds in {spent:.0f} s, {before / 1e6:.1f} MB, then {after / 1e6:.1f} MB ({growth:+.2%})"
    )
    assert growth < GROWTH, (before, after)
