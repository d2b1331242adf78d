"""The engine that an editor starts: it needs no file yet, serves what cannot play, and loads no GUI."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nodegraph.core.errors import DeviceError
from nodegraph.editor.editing import Editing
from nodegraph.editor.engine import Engine, address_of, left_playing, log_of, started
from tests.editor.editors import PATIENCE_S, Waker, made, settled, until


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Engine]]:
    monkeypatch.setenv("NODEGRAPH_STATE", str(tmp_path / "state"))
    engines: list[Engine] = []
    yield engines
    for engine in engines:
        engine.end()
        if engine.process is not None:
            engine.process.wait(PATIENCE_S)


def joined(engine: Engine) -> Editing:
    wake = Waker()
    editing = Editing(engine.place, wake=wake)
    editing.waker = wake
    until(editing, lambda: editing.mirror.ready or editing.lost, "the document")
    return editing


def test_a_patch_without_a_file_is_made_and_saved(tmp_path: Path, begun: list[Engine]) -> None:
    patch = tmp_path / "new.ng"
    begun.append(started(patch, ["--driver", "null"]))
    editing = joined(begun[0])
    try:
        assert not patch.exists()
        made(editing, "sine~ 220", (40, 40))
        editing.save()
        until(editing, lambda: patch.exists() and not editing.mirror.unsaved, "the file")
        assert patch.read_text() == editing.mirror.text()
        until(editing, lambda: editing.playing, "that it plays")
        assert stat.S_IMODE(address_of(patch).stat().st_mode) == 0o600
        found = left_playing(patch)
        assert found is not None and found.place() == begun[0].place()
    finally:
        editing.close()
    begun[0].end()
    assert begun[0].process is not None and begun[0].process.wait(PATIENCE_S) == 0
    assert left_playing(patch) is None and not address_of(patch).exists()


def test_what_cannot_play_is_served_and_mended(tmp_path: Path, begun: list[Engine]) -> None:
    patch = tmp_path / "loop.ng"
    patch.write_text('{"nodegraph": 1, "nodes": {"a": {"kind": "+"}, "b": {"kind": "nowhere~"}},'
                     ' "cables": ["a.y -> a.x"]}')  # fmt: skip
    begun.append(started(patch, ["--driver", "null"]))
    editing = joined(begun[0])
    try:
        until(editing, lambda: not editing.mirror.waiting and editing.scene.boxes, "the boxes")
        editing.play_or_stop()
        until(editing, lambda: any("nowhere~" in line or "Loop" in line for line in editing.lines), "why not")
        editing.selection.only(["b"], editing.mirror.document.graph.cables)
        editing.chosen.delete()
        settled(editing)
        editing.play_or_stop()
        until(editing, lambda: editing.playing, "that it plays")
    finally:
        editing.close()


def test_what_cannot_be_served_is_said(tmp_path: Path, begun: list[Engine]) -> None:
    (tmp_path / "bad.ng").write_text("{")
    begun.append(started(tmp_path / "bad.ng"))
    with pytest.raises(DeviceError, match=r"bad\.ng"):
        end = time.monotonic() + PATIENCE_S
        while begun[0].place() is None:
            assert time.monotonic() < end
            time.sleep(0.02)
    editing = joined(Engine(tmp_path / "bad.ng", begun[0].address))
    editing.close()
    assert editing.lost is not None and "bad.ng" in editing.lost


def test_an_engine_that_dies_before_it_serves_is_told_with_its_log(tmp_path: Path, begun: list[Engine]) -> None:
    begun.append(started(tmp_path / "new.ng", ["--no-such-option"]))
    with pytest.raises(DeviceError, match="ended with code 2") as raised:
        end = time.monotonic() + PATIENCE_S
        while begun[0].place() is None:
            assert time.monotonic() < end
            time.sleep(0.02)
    assert str(log_of(begun[0].address)) in str(raised.value)


def test_an_address_that_nobody_answers_is_nothing(tmp_path: Path, begun: list[Engine]) -> None:
    patch = tmp_path / "old.ng"
    file = address_of(patch)
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"url": "http://127.0.0.1:1/?token=x", "pid": 1, "patch": str(patch)}))
    assert left_playing(patch) is None


@pytest.mark.parametrize("module", ["nodegraph.commands.engine", "nodegraph.commands.edit", "nodegraph.editor.editing"])
def test_none_of_it_loads_a_gui(module: str) -> None:
    words = "import sys, nodegraph.session.session, nodegraph.server.server, {}; print('dearpygui' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", words.format(module)], capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.stdout.strip() == "False"
