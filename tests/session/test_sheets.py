"""Patch files inside a patch are edited while they play: heard at once, undone on their own, saved with the patch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nodegraph import Patch
from nodegraph.editor.mirror import Mirror
from nodegraph.headless.state import Snapshots, patch_of, put_back
from nodegraph.session.protocol import Client
from nodegraph.session.session import Session
from nodegraph.session.updating import renames


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    voice = Patch("Voice")
    voice.add("param", "level", default=0.5)
    voice.connect(voice.add("sine~", "osc", freq=220), voice.add("gain~", "amp"), voice.add("outlet~", "y"))
    voice.connect("level", "amp.gain")
    voice.save(tmp_path / "voice.ng")
    patch = Patch("Two voices")
    patch.document.path = tmp_path / "two.ng"
    patch.graph.registry.lie_in(tmp_path / "two.ng")
    out = patch.add("out~", "out")
    for id in ("a", "b"):
        patch.connect(patch.add("voice.ng", id), out)
    patch.save(tmp_path / "two.ng")
    return tmp_path


@pytest.fixture
def session(folder: Path) -> Iterator[Session]:
    with Session(Patch.open(folder / "two.ng"), driver="null") as made:
        yield made


class Told:
    """A client that keeps what it is told."""

    def __init__(self, session: Session) -> None:
        self.news: list[tuple[str, Any]] = []
        self.client = Client(session, lambda topic, data: self.news.append((topic, data)), name="me")
        self.ask("subscribe", topics=["changed", "saved"])

    def ask(self, do: str, **fields: Any) -> Any:
        answer = self.client.answer({"id": 1, "do": do, **fields})
        assert answer is not None
        return answer.get("ok", answer.get("error"))


def test_an_edit_reaches_every_node_of_the_file_at_once(session: Session, folder: Path) -> None:
    session.play()
    told = Told(session)
    before = (folder / "voice.ng").read_text()
    sheet = told.ask("sheet", kind="voice.ng")
    assert sheet["text"] == before and not sheet["changed"] and sheet["undo"] is None
    name = sheet["sheet"]
    done = told.ask("edit", sheet=name, commands=[{"do": "set", "node": "osc", "values": {"freq": 330}}])
    assert done["revision"] == 1
    assert session.get("a/osc.freq") == session.get("b/osc.freq") == 330
    assert session.revision == 0 and not session.patch.history.changed
    topic, data = told.news[-1]
    assert topic == "changed" and data["sheet"] == name and data["unsaved"] and data["undo"] == "Set osc.freq"
    assert (folder / "voice.ng").read_text() == before  # not written yet
    assert told.ask("undo", sheet=name)["label"] == "Set osc.freq"
    assert session.get("a/osc.freq") == 220
    assert told.news[-1][1]["unsaved"] is False
    assert told.ask("redo", sheet=name)["label"] == "Set osc.freq"
    assert told.ask("document", sheet=name)["undo"] == "Set osc.freq"


def test_a_value_that_is_stored_lets_go_of_one_that_was_moved(session: Session) -> None:
    told = Told(session)
    name = told.ask("sheet", kind="voice.ng")["sheet"]
    told.ask("set", values={"a/osc.freq": 500, "b/osc.freq": 600})
    told.ask("edit", sheet=name, commands=[{"do": "set", "node": "osc", "values": {"freq": 330}}])
    assert session.get("a/osc.freq") == session.get("b/osc.freq") == 330


def test_a_name_that_changes_is_told_with_every_place_where_it_stands(session: Session) -> None:
    told = Told(session)
    name = told.ask("sheet", kind="voice.ng")["sheet"]
    told.ask("edit", sheet=name, commands=[{"do": "rename", "node": "osc", "to": "tone"}])
    assert list(renames(told.news[-1][1])) == [("a/osc", "a/tone"), ("b/osc", "b/tone")]
    told.ask("edit", commands=[{"do": "rename", "node": "a", "to": "first"}])
    assert list(renames(told.news[-1][1])) == [("a", "first")]


def test_new_ports_come_out_of_the_nodes(session: Session) -> None:
    session.play()
    told = Told(session)
    name = told.ask("sheet", kind="voice.ng")["sheet"]
    told.ask("edit", sheet=name, commands=[
        {"do": "add", "node": "pitch", "kind": "param", "values": {"default": 220, "low": 20, "high": 2000}},
        {"do": "connect", "cable": "pitch.y -> osc.freq"},
    ])  # fmt: skip
    assert "/patch/a/pitch" in session.parameters
    assert "error" not in told.ask("edit", commands=[{"do": "set", "node": "a", "values": {"pitch": 440}}])
    # the way back is barred as long as somebody uses what it takes away
    refused = told.ask("undo", sheet=name)
    assert session.get("/patch/a/pitch") == 440, refused


def test_what_cannot_be_played_is_refused_and_changes_nothing(session: Session, folder: Path) -> None:
    session.play()
    told = Told(session)
    sheet = told.ask("sheet", kind="voice.ng")
    refused = told.ask("edit", sheet=sheet["sheet"], commands=[{"do": "add", "node": "me", "kind": "voice.ng"}])
    assert "contain itself" in refused[0]["what"], refused
    assert told.ask("document", sheet=sheet["sheet"])["text"] == sheet["text"]
    refused = told.ask("edit", sheet=sheet["sheet"], commands=[{"do": "remove", "node": "y"}])
    assert isinstance(refused, list) and "y" in refused[0]["what"], refused
    assert told.ask("document", sheet=sheet["sheet"])["text"] == sheet["text"]
    assert session.playing is not None and session.playing.running


def test_saving_the_patch_saves_its_sheets(session: Session, folder: Path) -> None:
    told = Told(session)
    name = told.ask("sheet", kind="voice.ng")["sheet"]
    told.ask("edit", sheet=name, commands=[{"do": "set", "node": "osc", "values": {"freq": 330}}])
    told.ask("save")
    saved = [data.get("sheet") for topic, data in told.news if topic == "saved"]
    assert saved == [name, None]
    assert json.loads((folder / "voice.ng").read_text())["nodes"]["osc"]["freq"] == 330
    assert not told.ask("document", sheet=name)["changed"]
    assert Patch.open(folder / "two.ng").graph.nodes["a"].spec is not None


def test_a_new_file_is_written_when_the_patch_is_saved(session: Session, folder: Path) -> None:
    told = Told(session)
    told.ask("sheet", kind="new.ng", text='{"nodegraph": 1, "nodes": {"y": {"kind": "outlet~"}}}')
    assert not (folder / "new.ng").exists()
    told.ask("save")
    assert not (folder / "new.ng").exists()  # nobody uses it
    told.ask("edit", commands=[{"do": "add", "node": "n", "kind": "new.ng"}])
    assert list(session.patch.graph.nodes["n"].spec.outlet_named) == ["y"]  # type: ignore[union-attr]
    told.ask("save")
    assert (folder / "new.ng").exists()
    assert told.ask("sheet", kind="new.ng", text="{}")[0]["code"] == "file-exists"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kind": "sine~"}, "not-a-patch"),
        ({"kind": "../other.ng"}, "outside-file"),
        ({"kind": "two.ng"}, "recursive-patch"),
        ({"kind": "none.ng"}, "unreadable-file"),
        ({"kind": "voice.ng", "within": "nowhere"}, "unknown-sheet"),
    ],
)
def test_what_is_no_sheet_is_said(session: Session, fields: dict[str, str], code: str) -> None:
    assert Told(session).ask("sheet", **fields)[0]["code"] == code


def test_a_file_that_was_changed_elsewhere_is_read_anew_unless_it_is_being_edited(
    session: Session, folder: Path
) -> None:
    told = Told(session)
    name = told.ask("sheet", kind="voice.ng")["sheet"]
    other = Patch.open(folder / "voice.ng")
    other.set("osc.freq", 550)
    other.save()
    assert json.loads(told.ask("sheet", kind="voice.ng")["text"])["nodes"]["osc"]["freq"] == 550
    told.ask("edit", sheet=name, commands=[{"do": "set", "node": "osc", "values": {"freq": 330}}])
    other.set("osc.freq", 770)
    other.save()
    assert json.loads(told.ask("sheet", kind="voice.ng")["text"])["nodes"]["osc"]["freq"] == 330


def test_who_mirrors_a_file_that_is_read_anew_loads_it_anew(session: Session, folder: Path) -> None:
    one, other = Told(session), Told(session)
    asked: list[tuple[str, Any]] = []
    sheet = one.ask("sheet", kind="voice.ng")

    def ask(do: str, then: Any, **fields: Any) -> int:
        asked.append((do, then))
        return len(asked)

    mirror = Mirror(ask, print, sheet=sheet["sheet"])
    mirror.take(sheet, "me")
    set_freq = {"do": "set", "node": "osc", "values": {"freq": 330}}
    one.ask("edit", sheet=mirror.sheet, commands=[set_freq])
    one.ask("undo", sheet=mirror.sheet)
    (folder / "voice.ng").write_text(sheet["text"].replace("220", "550"))
    again = other.ask("sheet", kind="voice.ng")
    for topic, data in one.news:
        mirror.hear(topic, data)
    assert [do for do, _ in asked] == ["document"]
    asked[0][1]({"re": 1, "ok": one.ask("document", sheet=mirror.sheet)})
    assert mirror.text() == again["text"] and not mirror.unsaved
    before = len(one.news)
    other.ask("edit", sheet=mirror.sheet, commands=[{**set_freq, "values": {"freq": 770}}])
    mirror.hear(*one.news[before])
    assert mirror.document.graph.node("osc").value("freq") == 770 and len(asked) == 1


def test_a_file_that_is_read_anew_plays_as_it_lies_on_the_disk(session: Session, folder: Path) -> None:
    told = Told(session)
    text = (folder / "voice.ng").read_text()
    name = told.ask("sheet", kind="voice.ng")["sheet"]
    told.ask("edit", sheet=name, commands=[{"do": "set", "node": "osc", "values": {"freq": 330}}])
    (folder / "voice.ng").write_text(text.replace("220", "550"))
    told.ask("undo", sheet=name)  # 220, which is no file's text any more
    (folder / "voice.ng").write_text("{")
    assert "error" not in told.ask("edit", commands=[{"do": "move", "nodes": {"a": [1, 1]}}])
    assert told.ask("sheet", kind="voice.ng")[0]["code"]
    session.patch.graph.refresh()
    assert session.patch.graph.node("a").spec is not None, "what cannot be read takes no draft's place"
    (folder / "voice.ng").write_text(text.replace("220", "550"))
    assert json.loads(told.ask("sheet", kind="voice.ng")["text"])["nodes"]["osc"]["freq"] == 550
    told.ask("edit", commands=[{"do": "add", "node": "more", "kind": "voice.ng"}])
    assert session.get("a/osc.freq") == session.get("more/osc.freq") == 550


def test_a_session_that_died_comes_back_with_its_sheets(session: Session, folder: Path) -> None:
    told = Told(session)
    name = told.ask("sheet", kind="voice.ng")["sheet"]
    told.ask("edit", sheet=name, commands=[{"do": "set", "node": "osc", "values": {"freq": 330}}])
    snapshots = Snapshots(session)
    state = snapshots.take()
    snapshots.close()
    assert state.unsaved and list(state.sheets) == [name]
    with Session(patch_of(state), driver="null") as again:
        put_back(state, again)
        assert again.get("a/osc.freq") == 330
        assert Told(again).ask("document", sheet=name)["changed"]
        again.save()
    assert json.loads((folder / "voice.ng").read_text())["nodes"]["osc"]["freq"] == 330
