"""From an empty canvas to sound: by the keyboard alone, by the mouse alone; and on to a whole patch, back and forth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nodegraph import Patch
from nodegraph.core.cable import Cable
from nodegraph.editor.editing import Editing
from nodegraph.editor.keys import Keys
from nodegraph.editor.objecttext import offers
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.editor.editors import drag, joined, middle, port, settled, until

KEYS = Keys()


def press(editing: Editing, *chords: str) -> None:
    """Keys, by the table."""
    for chord in chords:
        editing.actions[KEYS.action[chord]]()
        settled(editing)


def typed(editing: Editing, text: str) -> None:
    """A text in the object's field, and Enter."""
    assert editing.objects.asked is not None
    assert editing.objects.answer(text), editing.lines[-1]
    settled(editing)


def chosen(editing: Editing, kind: str) -> None:
    """A click on what the empty field offers."""
    kinds = editing.mirror.document.graph.registry
    assert kind in [offer.kind for offer in offers("", kinds, 500, editing.objects.hangs())]
    typed(editing, kind)


def peak(editing: Editing) -> float:
    """How loud the engine says that it is, once it plays."""
    heard: list[float] = []

    def hear(data: Any) -> None:
        if data.get("playing"):
            heard.append(max(data["outputs"], default=0.0))

    editing.hear("meters", hear)
    until(editing, lambda: len(heard) > 6 and heard[-1] > 0.0, "sound")
    return max(heard[-3:])


def test_by_the_keyboard_alone(editing: Editing, session: Session) -> None:
    press(editing, "n")
    typed(editing, "sine~ 220")
    press(editing, "shift+enter")
    typed(editing, "gain~ 0.2")
    press(editing, "shift+enter")
    typed(editing, "out~")
    press(editing, "ctrl+space")
    assert peak(editing) == pytest.approx(0.2, rel=0.02)
    press(editing, "shift+tab", "enter")  # the one before: the gain
    typed(editing, "gain~ 0.05")
    until(editing, lambda: 0.04 < peak(editing) < 0.06, "that it is softer")
    assert {str(cable) for cable in session.patch.graph.cables} == {"sine1.y -> gain1.x", "gain1.y -> out1.x"}


def test_by_the_mouse_alone(editing: Editing, session: Session) -> None:
    editing.hands.double(300, 100)
    chosen(editing, "sine~")
    drag(editing, port(editing, "sine1", "y", True), (300, 260))
    chosen(editing, "gain~")
    drag(editing, port(editing, "gain1", "y", True), (300, 420))
    chosen(editing, "out~")
    for value in (0.6, 0.4, 0.3):  # the inspector's number is dragged
        editing.move_control("gain1", "gain", value)
    assert editing.set_value("gain1", "gain", 0.3)
    editing.actions["play"]()  # in the menu
    assert peak(editing) == pytest.approx(0.3, rel=0.1)
    assert {str(cable) for cable in session.patch.graph.cables} == {"sine1.y -> gain1.x", "gain1.y -> out1.x"}


def test_a_whole_patch_back_to_nothing_forth_again_saved_and_opened(tmp_path: Path) -> None:
    voice = Patch("A voice")
    voice.connect(
        voice.add("inlet~", "x"), voice.add("svf~", "cut", cutoff=900), voice.add("outlet~", "y")
    )  # fmt: skip
    voice.save(tmp_path / "voice.ng")
    file = tmp_path / "new.ng"
    Patch().save(file)
    with Session(Patch.open(file), driver="null") as session, Server(session) as server, joined(server) as editing:
        press(editing, "n")
        typed(editing, "saw~ 110")
        press(editing, "shift+enter")
        typed(editing, "gain~ 0.1")
        press(editing, "shift+enter")
        typed(editing, "out~")
        editing.selection.only((), {Cable.parse("saw1.y -> gain1.x")})
        press(editing, "n")
        typed(editing, "voice.ng")  # a patch beside this one, upon a cable
        assert {str(cable) for cable in session.patch.graph.cables} == {
            "saw1.y -> voice1.x", "voice1.y -> gain1.x", "gain1.y -> out1.x",
        }  # fmt: skip
        editing.ask_for_object(500, 60)
        typed(editing, "onepole~ 2000")
        (ax, ay), (bx, by) = editing.scene.ends(Cable.parse("gain1.y -> out1.x")) or ((0, 0), (0, 0))
        drag(editing, middle(editing, "onepole1"), editing.viewport.screen((ax + bx) / 2, (ay + by) / 2))
        editing.selection.only(["saw1"])
        press(editing, "ctrl+shift+r")
        typed(editing, "square~")
        press(editing, "ctrl+space")
        assert 0.001 < peak(editing) < 0.5
        whole = str(session.patch)
        while editing.mirror.undo_label is not None:
            press(editing, "ctrl+z")
        assert not editing.scene.boxes and str(session.patch) == str(Patch())
        while editing.mirror.redo_label is not None:
            press(editing, "ctrl+shift+z")
        assert str(session.patch) == whole == editing.mirror.text()
        press(editing, "ctrl+s")
        until(editing, lambda: not editing.mirror.unsaved, "the file")
        assert file.read_text(encoding="utf-8") == whole
    again = Patch.open(file)
    with Session(again, driver="null") as session, Server(session) as server, joined(server) as editing:
        assert editing.mirror.text() == whole and not editing.mirror.unsaved
        assert peak_of(editing) > 0.001


def peak_of(editing: Editing) -> float:
    editing.actions["play"]()
    return peak(editing)
