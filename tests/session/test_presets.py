"""Presets of a session: from live values, recalled as one act, playing or not; what clients hear of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nodegraph import Patch, PatchError
from nodegraph.runtime.acts import Act
from nodegraph.session.session import Session


def patch() -> Patch:
    patch = Patch("Two colours")
    patch.connect(patch.add("saw~", "osc"), patch.add("svf~", "cut", cutoff=1_000), patch.add("out~", "out"))
    patch.add("preset", "it")
    return patch


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(patch(), driver="null") as session:
        yield session


def until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60.0
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_preset_holds_where_things_are_and_not_what_the_patch_stores(session: Session) -> None:
    session.set("cut.cutoff", 400)
    found = session.presets.store("dark")
    assert found["cut.cutoff"] == 400 and "osc.freq" in found
    assert not any(port.startswith("it.") for port in found), "not the node that recalls"
    assert session.patch.document.presets["dark"] == found
    assert session.presets.store("some", ["cut.cutoff", "/patch/cut/resonance"]).keys() == {
        "cut.cutoff", "cut.resonance",
    }  # fmt: skip
    session.set("cut.cutoff", 500)
    assert session.presets.store("some")["cut.cutoff"] == 500, "the same parameters again"
    session.undo()
    assert session.presets.values("some")["cut.cutoff"] == 400


def test_recalled_while_nothing_plays_values_are_there_and_told(session: Session) -> None:
    session.set("cut.cutoff", 400)
    session.presets.store("dark", ["cut.cutoff"])
    session.set("cut.cutoff", 8_000)
    told: list[tuple[str, Any]] = []
    session.news.listen(lambda topic, data: told.append((topic, data)), ["values", "presets"])
    session.presets.recall("dark", by="phone")
    assert session.get("cut.cutoff") == 400
    assert told == [
        ("values", {"by": "phone", "values": {"/patch/cut/cutoff": 400}}),
        ("presets", {"by": "phone", "presets": ["dark"], "recalled": "dark"}),
    ]


def test_a_recall_is_one_act_and_what_moves_is_told(session: Session) -> None:
    session.set("cut.cutoff", 400)
    session.set("osc.freq", 220)
    session.presets.store("dark", ["cut.cutoff", "osc.freq"])
    session.set("cut.cutoff", 8_000)
    session.play()
    acts: list[Act] = []
    assert session.playing is not None
    session.playing.call(lambda: session.playing.player.acts.noted.append(acts.append))
    session.presets.recall(0, 0.1, curve="smooth")
    until(lambda: session.get("cut.cutoff") == 400)
    (act,) = acts
    assert act.what == "recall" and act.args[1:] == (0.1, "smooth")
    assert act.args[0] == (("cut", "cutoff", 400), ("osc", "freq", 220))


def test_one_stands_among_presets_and_moves_by_chance(session: Session) -> None:
    for name, cutoff in (("low", 100), ("high", 10_000)):
        session.set("cut.cutoff", cutoff)
        session.presets.store(name, ["cut.cutoff"])
    assert session.presets.morph(["low", "high"], 0.5)["cut.cutoff"] == pytest.approx(1_000)
    assert session.get("cut.cutoff") == pytest.approx(1_000)
    assert session.presets.morph(["low", "high", "low", "high"], 1.0, 1.0)["cut.cutoff"] == 10_000
    assert session.presets.morph([0, 1], 0, weights=(1, 3))["cut.cutoff"] == pytest.approx(100 * 100**0.75)
    session.set("cut.cutoff", 1_000)
    first = session.presets.randomise(0.2, seed=5, addresses=["cut.cutoff"])
    session.set("cut.cutoff", 1_000)
    assert session.presets.randomise(0.2, seed=5, addresses=["cut.cutoff"]) == first != {"cut.cutoff": 1_000}
    assert "it.time" not in session.presets.randomise(1.0)


def test_presets_of_nodes_that_are_gone_recall_the_rest_and_say_so(session: Session) -> None:
    session.presets.store("all")
    session.set("cut.cutoff", 50)
    session.edit([{"do": "remove", "node": "osc"}])
    said: list[Any] = []
    session.news.listen(lambda topic, data: said.append(data["text"]), ["log"])
    session.presets.recall("all")
    assert session.get("cut.cutoff") == 1_000
    (line,) = said
    assert "'all' holds osc." in line and "the rest is recalled" in line


def test_names_change_and_numbers_stay(session: Session) -> None:
    session.presets.store("a")
    session.presets.store("b")
    session.presets.recall("a")
    session.presets.rename("a", "z")
    assert session.presets.names == ("z", "b") and session.presets.recalled == "z"
    session.presets.remove("z")
    assert session.presets.names == ("b",)


def test_what_cannot_be_is_refused_in_words(session: Session) -> None:
    session.presets.store("dark")
    for call, said in (
        (lambda: session.presets.recall("drak"), "no preset 'drak'"),
        (lambda: session.presets.recall(3), "no preset number 3"),
        (lambda: session.presets.recall("dark", -1), "cannot take -1"),
        (lambda: session.presets.recall("dark", curve="wobbly"), "no curve"),
        (lambda: session.presets.morph([], 0.5), "1 to 4"),
        (lambda: session.presets.morph(["dark"], 0, weights=(0,)), "weights"),
        (lambda: session.presets.store("x", ["it.time"]), "cannot be in a preset"),
        (lambda: session.presets.store("x", ["cut.nothing"]), "no parameter"),
        (lambda: session.presets.store("", ["cut.cutoff"]), "its name"),
    ):
        with pytest.raises(PatchError, match=said):
            call()
