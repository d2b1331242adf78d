"""The window shows the sound: cables shine, and a closer look opens where the mouse rests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nodegraph import Patch
from tests.editor.desktop import Driven


@pytest.fixture
def editor(display: str, folder: Path) -> Iterator[Driven]:
    patch = Patch("Seen")
    osc = patch.add("saw~", "osc", freq=220)
    patch.connect(osc, patch.add("svf~", "cut", cutoff=900), patch.add("gain~", "level", gain=0.2), patch.add("out~"))
    patch.connect(osc, patch.add("spectrum~", "bins"), patch.add("vector.mean", "mean"))
    patch.connect(patch.add("metro", "clock", interval=0.1), patch.add("counter", "count"), patch.add("print", "log"))
    patch.save(folder / "seen.ng")
    driven = Driven(display, folder, ["seen.ng", "--driver", "null"])
    yield driven
    driven.kill()


def test_cables_shine_and_the_mouse_sees_more(editor: Driven) -> None:
    sounding = {"osc.y -> cut.x", "cut.low -> level.x"}
    editor.until(lambda state: sounding <= set(state["sounding"]), "levels")
    editor.until(lambda state: "clock.bang -> count.x" in state["sounding"], "a message")
    editor.frames(4)
    editor.picture("seeing")
    ports = editor.state["boxes"]
    start, end = ports["cut"]["ports"]["out:low"], ports["level"]["ports"]["in:x"]
    editor.point([(start[0] + end[0]) / 2, (start[1] + end[1]) / 2])
    editor.until(lambda state: state["looks"] == ["cut.low"], "a closer look")
    editor.frames(4)
    editor.picture("closer")
    editor.key("ctrl+p")
    editor.point(ports["bins"]["ports"]["out:column"])
    editor.until(lambda state: state["looks"] == ["cut.low", "bins.column"], "the other")
    editor.frames(4)
    editor.picture("tensor")
    editor.point(ports["count"]["ports"]["out:y"])
    editor.until(lambda state: state["looks"] == ["cut.low", "count.y"], "a third")
    editor.frames(4)
    editor.picture("message")
    editor.key("ctrl+shift+l")
    editor.until(lambda state: not state["sounding"], "no levels")
