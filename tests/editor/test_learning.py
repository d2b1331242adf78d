"""A control learns what moves it: by MIDI or OSC, waited for, cancelled, seen by every editor, forgotten."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nodegraph.editor.editing import Editing
from nodegraph.editor.learning import words
from nodegraph.osc.door import Door
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.editor.editors import joined, until
from tests.midi.fake_system import FakeSystem
from tests.midi.test_learning import filtered
from tests.midi.waiting import until as midi_until
from tests.session.test_learning import fader, learning


@pytest.fixture
def system() -> FakeSystem:
    return FakeSystem(["nanoKONTROL"])


@pytest.fixture
def session(system: FakeSystem) -> Iterator[Session]:
    with learning(system) as made:
        yield made


@pytest.fixture
def editing(session: Session) -> Iterator[Editing]:
    with Server(session) as server, joined(server) as made:
        until(made, lambda: set(made.learning.learners) == {"midi", "osc"}, "what can be learned by")
        yield made


def test_a_knob_is_learned_shown_and_forgotten(editing: Editing, session: Session, system: FakeSystem) -> None:
    learning = editing.learning
    learning.learn("cut", "cutoff", "midi")
    until(editing, lambda: learning.waits("cut", "cutoff") == ["midi"], "that it waits")
    assert not learning.waits("cut", "resonance") and learning.learned("cut", "cutoff") == []
    midi_until(lambda: system.open, "the port is open")
    system.play("nanoKONTROL", 0xB0, 74, 64)
    until(editing, lambda: learning.learned("cut", "cutoff") == ["CC 74 ch 1"], "what was learned")
    assert not learning.waiting
    until(
        editing, lambda: editing.mirror.document.extra == session.patch.document.extra != {}, "what the file will hold"
    )
    assert editing.mirror.unsaved
    system.play("nanoKONTROL", 0xB0, 74, 127)
    until(editing, lambda: editing.live.get("/patch/cut/cutoff", 0.0) > 1000.0, "that its value is seen to move")
    learning.unlearn("cut", "cutoff")
    until(editing, lambda: not learning.learned("cut", "cutoff"), "that it is forgotten")


def test_a_fader_is_learned_by_its_address(editing: Editing, session: Session) -> None:
    door = session.learners["osc"]
    assert isinstance(door, Door) and door.port is not None
    editing.selection.only(["cut"])
    editing.actions["learn-osc"]()  # of the first control
    assert "Escape lets it be" in editing.lines[-1]
    until(editing, lambda: editing.learning.waits("cut", "cutoff") == ["osc"], "that it waits")
    fader(door.port, "/1/fader3", 1.0)
    until(editing, lambda: editing.learning.learned("cut", "cutoff") == ["/1/fader3"], "what was learned")
    editing.actions["unlearn"]()
    until(editing, lambda: not editing.learning.learned("cut", "cutoff"), "that it is forgotten")


def test_what_waits_is_let_be_and_other_editors_see_it(editing: Editing, session: Session) -> None:
    with Server(session) as server, joined(server) as other:
        editing.learning.learn("cut", "cutoff", "midi")
        for one in (editing, other):
            until(one, lambda one=one: one.learning.waits("cut", "cutoff") == ["midi"], "that it waits")
        other.actions["select-none"]()  # Escape
        for one in (editing, other):
            until(one, lambda one=one: not one.learning.waiting, "that nothing waits")
        editing.learning.learn("cut", "cutoff", "midi")
        until(editing, lambda: editing.learning.waiting, "that it waits")
        editing.learning.learn("cut", "cutoff", "midi")  # asked for again
        until(editing, lambda: not editing.learning.waiting, "that nothing waits")


def test_what_cannot_be_learned_is_said() -> None:
    with Session(filtered(), driver="null") as session, Server(session) as server, joined(server) as alone:
        alone.learning.learn("cut", "cutoff", "osc")
        until(alone, lambda: "--osc" in alone.lines[-1], "what to do")
        assert not alone.learning.waiting


def test_bonds_are_told_in_words() -> None:
    assert words({"what": "14 bit", "number": 7, "channel": 0, "port": "nano"}) == "CC 7 14 bit ch any of nano"
    assert words({"what": "bend", "channel": 3}) == "bend ch 3"
