"""Presets handled in the editor: gone to, stored, called otherwise, forgotten, and stood among."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nodegraph import Patch
from nodegraph.editor.editing import Editing
from nodegraph.editor.presetting import weights
from nodegraph.session.session import Session
from tests.editor.editors import settled, until


@pytest.fixture
def session() -> Iterator[Session]:
    patch = Patch("Two colours")
    patch.connect(patch.add("saw~", "osc"), patch.add("svf~", "cut"), patch.add("gain~", "level"), patch.add("out~"))
    for name, cutoff, gain in (("dark", 300.0, 0.3), ("bright", 4800.0, 0.1)):
        values = {"cut.cutoff": cutoff, "level.gain": gain}
        patch.do({"do": "store-preset", "preset": name, "values": values})
    with Session(patch, driver="null") as made:
        yield made


def test_a_preset_is_gone_to_and_kept(editing: Editing, session: Session) -> None:
    presetting = editing.presetting
    assert presetting.names == ["dark", "bright"] and presetting.recalled is None
    presetting.recall("dark")
    until(editing, lambda: presetting.recalled == "dark", "that it is told")
    until(editing, lambda: editing.number("cut", "cutoff") == 300.0, "that it is seen")
    assert "cutoff" not in editing.mirror.document.graph.node("cut").params
    editing.actions["keep"]()
    until(editing, lambda: editing.mirror.document.graph.value("cut", "cutoff") == 300.0, "that it is kept")


def test_a_preset_takes_its_time(editing: Editing, session: Session) -> None:
    session.play()
    presetting = editing.presetting
    presetting.seconds, presetting.curve = 0.05, "smooth"
    presetting.recall("bright")
    until(editing, lambda: session.get("cut.cutoff") == pytest.approx(4800.0), "that it is there")
    presetting.seconds = -1.0
    presetting.recall("dark")
    until(editing, lambda: "cannot take" in editing.lines[-1], "why not")


def test_presets_are_stored_renamed_and_forgotten_and_all_of_it_is_undone(editing: Editing, session: Session) -> None:
    presetting = editing.presetting
    editing.turning.typed("cut", "cutoff", "2k")
    settled(editing)
    assert not presetting.store("  ")
    editing.selection.only(["cut"])
    assert presetting.some and presetting.store("mine")
    until(editing, lambda: "mine" in presetting.names, "a new one")
    assert presetting.holds("mine") == {"cut.cutoff": 2000.0, "cut.resonance": 0.2}
    editing.turning.typed("cut", "cutoff", "3k")
    settled(editing)
    presetting.store("dark")  # what it holds already, whatever is selected
    until(editing, lambda: presetting.holds("dark")["cut.cutoff"] == 3000.0, "other values")
    assert presetting.holds("dark").keys() == {"cut.cutoff", "level.gain"}
    assert presetting.corners == ["dark", "bright", "mine"]
    assert presetting.rename("bright", "light") and not presetting.rename("dark", "dark")
    assert not presetting.rename("dark", "light")  # there is one
    assert "already" in editing.lines[-1]
    settled(editing)
    assert list(session.presets.names) == ["dark", "light", "mine"] == presetting.corners
    presetting.forget("light")
    until(editing, lambda: "light" not in presetting.names, "that it is gone")
    assert presetting.corners == ["dark", "mine"]
    editing.undo()
    settled(editing)
    editing.undo()
    settled(editing)
    assert presetting.names == ["dark", "bright", "mine"]


def test_a_new_one_has_a_free_name(editing: Editing) -> None:
    editing.actions["store-preset"]()
    until(editing, lambda: "preset 3" in editing.presetting.names, "a new one")
    editing.presetting.forget("dark")
    until(editing, lambda: "dark" not in editing.presetting.names, "that it is gone")
    assert editing.presetting.free_name() == "preset 4"


def test_a_point_stands_among_the_corners(editing: Editing, session: Session) -> None:
    presetting = editing.presetting
    presetting.stand(0.5, 0.0)
    until(editing, lambda: session.get("cut.cutoff") == pytest.approx(1200.0), "the middle, by ratios")
    for step in range(60):  # faster than it can be answered: the last counts
        presetting.stand(step / 40, 0.3)
    assert presetting.at == (1.0, 0.3)
    until(editing, lambda: session.get("cut.cutoff") == pytest.approx(4800.0), "the last place")
    presetting.put(0, "bright")  # they change places
    assert presetting.corners == ["bright", "dark"]
    presetting.stand(1.0, 0.0)
    until(editing, lambda: session.get("cut.cutoff") == pytest.approx(300.0), "the other corner")
    presetting.put(1, None)
    assert presetting.corners == ["bright"]
    presetting.put(1, "dark")
    assert presetting.corners == ["bright", "dark"]


def test_corners_weigh_what_they_weigh_for_the_session() -> None:
    assert weights(2, 0.25, 0.9) == [0.75, 0.25] and weights(4, 1.0, 1.0) == [0, 0, 0, 1.0]
    assert weights(0, 0.5, 0.5) == weights(9, 0.5, 0.5) == []


def test_chance_moves_what_is_selected(editing: Editing, session: Session) -> None:
    presetting = editing.presetting
    presetting.amount = 1.0
    editing.selection.only(["cut"])
    editing.actions["randomise"]()
    until(editing, lambda: editing.number("cut", "cutoff") != 1000.0, "that it moves")
    first = editing.number("cut", "cutoff")
    assert editing.number("level", "gain") == 1.0 and editing.number("osc", "freq") == session.get("osc.freq")
    editing.actions["randomise"]()
    until(editing, lambda: editing.number("cut", "cutoff") not in (1000.0, first), "that it moves otherwise")
