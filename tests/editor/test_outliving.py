"""The editor may die, and may be far away: the sound does not notice, and what was done is there again."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nodegraph import Patch
from nodegraph.editor.editing import Editing
from nodegraph.editor.link import place_of
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.editor.desktop import Driven, end_engines
from tests.editor.editors import Waker, made, settled, until

PATIENCE_S = 60.0


def tape(folder: Path) -> Path:
    """A patch whose sound is recorded as long as it plays."""
    patch = Patch("Tape")
    patch.document.path = folder / "tape.ng"
    patch.connect(patch.add("noise~", "hiss"), patch.add("svf~", "cut", cutoff=900), patch.add("out~", "out"))
    patch.connect("cut", patch.add("record~", "tape", file="take.wav", bits="32 float"))
    patch.connect(patch.add("sine~", "slow", freq=0.7), patch.add("*~", "deep", b=400.0), "cut.cutoff")
    patch.save(folder / "tape.ng")
    return folder / "tape.ng"


def test_the_sound_is_the_same_to_the_bit_when_an_editor_is_killed(display: str, tmp_path: Path) -> None:
    tape(tmp_path)
    editor = Driven(display, tmp_path, ["tape.ng", "--driver", "null"])
    editor.until(lambda state: state["playing"], "that it plays")
    x, y = editor.state["boxes"]["cut"]["middle"]
    editor.drag((x, y), (x + 60, y + 20), "moving")
    x, y = editor.settled()["boxes"]["cut"]["middle"]
    editor.point((x, y + 3))
    editor._tool("mousedown", "1")  # it dies with a box in its hand
    editor.until(lambda state: state["doing"] == "moving", "that it is moving")
    (file,) = (tmp_path / "state" / "editor").glob("*.json")
    engine = json.loads(file.read_text())
    editor.kill()
    editor._tool("mouseup", "1")
    again = Driven(display, tmp_path, ["tape.ng"], "again")
    assert json.loads(file.read_text())["pid"] == engine["pid"]
    assert again.state["unsaved"] and again.state["undo"] == "Move cut"
    again.kill()
    end_engines(tmp_path)
    end = time.monotonic() + PATIENCE_S
    while not (tmp_path / "take.wav").exists():  # it has its name when it is complete
        assert time.monotonic() < end, "no recording"
        time.sleep(0.02)
    heard, rate = soundfile.read(tmp_path / "take.wav", dtype="float32")
    (tmp_path / "take.wav").unlink()
    Patch.open(tmp_path / "tape.ng").render(seconds=len(heard) / rate, rate=rate)
    alone, _ = soundfile.read(tmp_path / "take.wav", dtype="float32")
    assert len(heard) > rate  # it played on beyond the death
    assert np.array_equal(heard, alone[: len(heard)])


@contextmanager
def tunnel(port: int, host: str) -> Iterator[int]:
    """A door at another address that leads to a port of 127.0.0.1, as ``ssh -L`` makes one; gives its port."""
    door = socket.create_server((host, 0))
    open: list[socket.socket] = []

    def carry(start: socket.socket, end: socket.socket) -> None:
        try:
            while data := start.recv(65536):
                end.sendall(data)
        except OSError:
            pass
        finally:
            for side in (start, end):
                side.close()

    def serve() -> None:
        while True:
            try:
                near, _ = door.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", port))
            open.extend((near, far))
            for pair in ((near, far), (far, near)):
                threading.Thread(target=carry, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield door.getsockname()[1]
    finally:
        door.close()
        for side in open:
            side.close()


@pytest.mark.parametrize("named", ["localhost", "127.0.0.1"])
def test_an_editor_attaches_through_a_tunnel(session: Session, server: Server, named: str) -> None:
    with tunnel(server.port, "127.0.0.1") as port:
        wake = Waker()
        editing = Editing(place_of(f"http://{named}:{port}", server.token), wake=wake)
        editing.waker = wake  # type: ignore[attr-defined]
        try:
            until(editing, lambda: editing.mirror.ready or editing.lost, "the document")
            assert editing.lost is None
            made(editing, "sine~ 220", (40, 40))
            settled(editing)
            assert "sine1" in session.patch.graph
        finally:
            editing.close()


def test_an_engine_that_stops_answering_is_joined_again(tmp_path: Path) -> None:
    """SIGSTOP: the line is silent, nothing is lost, and it goes on."""
    tape(tmp_path)
    os.environ["NODEGRAPH_STATE"] = str(tmp_path / "state")
    from nodegraph.editor.engine import started

    engine = started(tmp_path / "tape.ng", ["--driver", "null"])
    wake = Waker()
    editing = Editing(engine.place, wake=wake)
    editing.waker = wake  # type: ignore[attr-defined]
    try:
        until(editing, lambda: editing.mirror.ready, "the document")
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGSTOP)
        made(editing, "sine~ 220", (40, 40))
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            editing.turn()
        assert editing.mirror.waiting  # nobody has answered
        os.kill(engine.pid, signal.SIGCONT)
        settled(editing)
        assert "sine1" in editing.mirror.document.graph
    finally:
        editing.close()
        engine.end()
        assert engine.process is not None
        engine.process.wait(PATIENCE_S)
        del os.environ["NODEGRAPH_STATE"]
