"""A patch of a newer version, of kinds that are missing, of thousands of nodes; an engine that dies. In a window."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from nodegraph.core.cable import Cable
from nodegraph.core.commands import Add, Connect, Move, perform
from nodegraph.core.document import Document
from nodegraph.core.patchfile import dumps
from nodegraph.editor.editing import Editing
from nodegraph.editor.engine import Engine, started
from nodegraph.headless.recovery import lost_edits
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.editor.desktop import Driven
from tests.editor.editors import PATIENCE_S, Waker, drag, joined, made, middle, port, settled, until
from tests.editor.test_window import run
from tests.soak.length import length, report

NODES = length(2_500, 10_000)
STRANGE = (
    '{"nodegraph": 1, "nodes": {"a": {"kind": "sine~"}, "b": {"kind": "from.2031~", "glow": 3}, "c": {"kind": "out~"}},'
    ' "cables": ["a.y -> b.in", "b.out -> c.x"]}'
)


def large(nodes: int) -> str:
    """A patch of voices side by side."""
    kinds = ("sine~", "gain~", "svf~", "onepole~", "*~")
    commands: list[Add | Connect] = []
    for voice in range(nodes // len(kinds)):
        for at, kind in enumerate(kinds):
            place = (40.0 + 160 * (voice % 40), 40.0 + 300 * (voice // 40) + 50 * at)
            commands.append(Add(f"v{voice}_{at}", kind, {}, place))
        outlets = ("y", "y", "low", "y")
        inlets = ("x", "x", "x", "x")
        commands += [
            Connect(f"v{voice}_{at}.{out} -> v{voice}_{at + 1}.{into}")
            for at, (out, into) in enumerate(zip(outlets, inlets, strict=True))
        ]
    document = Document()
    perform(document, commands)
    return dumps(document)


def test_a_newer_version_is_said_in_a_line(display: str, folder: Path) -> None:
    (folder / "new.ng").write_text('{"nodegraph": 99, "nodes": {}}')
    done = run(["new.ng"], folder, DISPLAY=display)
    assert done.returncode == 2 and "format 99" in done.stderr and "Update nodegraph." in done.stderr
    assert "Traceback" not in done.stderr and not (folder / "state").exists()


def test_missing_kinds_are_shown_and_kept(tmp_path: Path) -> None:
    from nodegraph import Patch

    (tmp_path / "strange.ng").write_text(STRANGE)
    patch = Patch.open(tmp_path / "strange.ng")
    with Session(patch, driver="null") as session, Server(session) as server, joined(server) as editing:
        box = editing.scene.boxes["b"]
        assert not box.known and [port.name for port in box.inlets] == ["in"]
        assert editing.scene.ends(Cable.parse("a.y -> b.in")) and editing.scene.ends(Cable.parse("b.out -> c.x"))
        assert editing.do([Move({"b": [300, 90]})])
        made(editing, "gain~ 0.5", (600, 90))  # one may work around it
        drag(editing, port(editing, "b", "out", True), port(editing, "gain1", "x", False))
        editing.selection.only(["b"])
        editing.actions["duplicate"]()
        editing.save()
        settled(editing)
        until(editing, lambda: not editing.mirror.unsaved, "the file")
    kept = json.loads((tmp_path / "strange.ng").read_text())
    assert kept["nodes"]["b"] == kept["nodes"]["b2"] == {"kind": "from.2031~", "glow": 3}
    assert {"a.y -> b.in", "b.out -> c.x", "b.out -> gain1.x"} == set(kept["cables"])


def test_missing_kinds_in_the_window(display: str, folder: Path) -> None:
    (folder / "strange.ng").write_text(STRANGE)
    editor = Driven(display, folder, ["strange.ng", "--driver", "null"])
    try:
        state = editor.until(lambda state: len(state["boxes"]) == 3, "the boxes")
        editor.drag(state["boxes"]["a"]["middle"], [at + 90 for at in state["boxes"]["a"]["middle"]], "moving")
        editor.settled()
        editor.frames()
        editor.picture("missing")
        assert len(editor.state["cables"]) == 2
    finally:
        editor.kill()


def test_thousands_of_nodes_open_and_can_be_closed(display: str, folder: Path) -> None:
    (folder / "large.ng").write_text(large(NODES))
    editor = Driven(display, folder, ["large.ng", "--driver", "null"])
    try:
        state = editor.until(lambda state: state["count"] == NODES, "the boxes")
        editor.frames()
        editor.picture("large")
        begun = time.monotonic()
        editor.point((600, 400))
        editor._tool("click", "4")
        editor.until(lambda now: now["zoom"] > state["zoom"], "that it is larger")
        zoomed = time.monotonic()
        editor.key("ctrl+q")
        assert editor.process.wait(60) == 0
        report(f"usable {editor.usable_s:.1f} s, zoom {zoomed - begun:.1f} s, closed {time.monotonic() - zoomed:.1f} s")
    finally:
        if editor.process.poll() is None:
            editor.kill()


def _dead(engine: Engine) -> None:
    assert engine.process is not None
    engine.process.kill()
    engine.process.wait(PATIENCE_S)


def test_an_engine_that_died_is_started_again_with_what_was_not_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODEGRAPH_STATE", str(tmp_path / "state"))
    patch = tmp_path / "new.ng"
    engine = started(patch, ["--driver", "null"])
    wake = Waker()
    editing = Editing(engine.place, wake=wake)
    editing.waker = wake  # type: ignore[attr-defined]
    try:
        until(editing, lambda: editing.mirror.ready, "the document")
        made(editing, "sine~ 220", (40, 40))
        settled(editing)
        _until_kept(tmp_path)
        _dead(engine)
        until(editing, lambda: not editing.link.up, "that it is away")
        assert engine.ended and lost_edits(patch)
        assert not editing.actions["undo"]() and "sine1" in editing.mirror.document.graph
        engine.start("--recover", "take")
        editing.link.look_again()
        until(editing, lambda: editing.link.up and not editing.mirror.waiting, "that it is back")
        until(editing, lambda: "sine1" in editing.scene.boxes and editing.mirror.unsaved, "what was not saved")
        made(editing, "gain~", (40, 140))  # and it is edited as before
        settled(editing)
        drag(editing, middle(editing, "gain1"), (400, 400))
        settled(editing)
    finally:
        editing.close()
        engine.end()
        assert engine.process is not None
        engine.process.wait(PATIENCE_S)


def _until_kept(folder: Path) -> None:
    """Until the engine has kept what is not saved: it does so every few seconds."""
    end = time.monotonic() + PATIENCE_S
    while not any((folder / "state" / "recovery").glob("*/*.json")):
        assert time.monotonic() < end, "nothing is kept"
        time.sleep(0.05)


def test_the_window_asks_what_to_do_with_what_was_not_saved(display: str, folder: Path) -> None:
    editor = Driven(display, folder, ["new.ng", "--driver", "null"])
    editor.object((200, 120), "sine~ 220")
    (file,) = (folder / "state" / "editor").glob("*.json")
    _until_kept(folder)
    os.kill(json.loads(file.read_text())["pid"], signal.SIGKILL)
    try:
        asked = editor.until(lambda state: "answer Take them up" in state["fields"], "the question")
        assert "away" in asked["title"]
        editor.frames()
        editor.picture("engine-ended")
        editor.key("Return")  # the first answer
        state = editor.until(lambda state: state["up"] and not state["question"], "that it is back")
        assert state["boxes"]["sine1"]["text"] == "sine~ 220"
    finally:
        editor.kill()
    pid = json.loads(file.read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    file.unlink()
    again = Driven(display, folder, ["new.ng", "--driver", "null"], "again", asks="answer Leave them")
    try:
        assert not again.state["boxes"]
    finally:
        again.kill()
