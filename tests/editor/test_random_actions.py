"""Anything at all is done in an editor: nothing breaks, here and there stay the same, undo leads back to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodegraph import Patch
from nodegraph.editor.editing import Editing
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.editor.editors import joined, settled
from tests.editor.random_hands import Somebody
from tests.soak.length import length, report


def begun(folder: Path) -> Patch:
    """A patch with something in it."""
    patch = Patch("Begun")
    patch.connect(patch.add("sine~", "osc", freq=220), patch.add("gain~", "level", gain=0.1), patch.add("out~", "out"))
    return Patch.open(patch.save(folder / "begun.ng"))


@pytest.mark.parametrize("seed", range(length(3, 20)))
def test_anything_is_done_and_undone(tmp_path: Path, seed: int) -> None:
    with Session(begun(tmp_path), driver="null") as session, Server(session) as server, joined(server) as editing:
        first = (tmp_path / "begun.ng").read_text(encoding="utf-8")
        somebody = Somebody(editing, session, seed)
        somebody.do(length(200, 1_000))
        assert not [line for line in editing.lines if "internal" in line or "failed:" in line]
        last = str(session.patch)
        back = stepped(editing, session, "undo")
        assert str(session.patch) == first == editing.mirror.text()
        assert stepped(editing, session, "redo", back) == back > length(10, 100)
        assert str(session.patch) == last == editing.mirror.text()
        editing.save()
        settled(editing)
        done = ", ".join(f"{count} {name}" for name, count in somebody.done.most_common(12))
        report(f"seed {seed}: {back} steps of undo, {len(session.patch.graph)} nodes at the end; {done}")


def stepped(editing: Editing, session: Session, way: str, most: int = 1_000) -> int:
    """Undo or redo as far as it goes, so many times at most; gives how many steps that were."""
    steps = 0
    while steps < most and getattr(editing.mirror, f"{way}_label") is not None:
        editing.actions[way]()
        settled(editing)
        assert editing.mirror.text() == str(session.patch), f"{way} {steps}"
        steps += 1
    return steps
