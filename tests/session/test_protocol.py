"""The protocol, without a wire: what is answered, what is refused, and what it may touch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nodegraph import Patch
from nodegraph.core.commands import Set
from nodegraph.session.protocol import VERSION, Client
from nodegraph.session.requests import REQUESTS
from nodegraph.session.session import Session
from tests.session.test_session import tone

PATIENCE_S = 60.0


class Box:
    """A client, and what it is told."""

    def __init__(self, session: Session) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.client = Client(session, lambda topic, data: self.heard.append((topic, data)))

    def ask(self, what: str, **fields: Any) -> Any:
        answer = self.client.answer({"id": 3, "do": what, **fields})
        assert answer is not None and answer["re"] == 3
        return answer["ok"] if "ok" in answer else answer["error"]

    def code(self, what: str, **fields: Any) -> str:
        found = self.ask(what, **fields)
        assert isinstance(found, list) and all(item["what"] for item in found), found
        return str(found[0]["code"])

    def of(self, topic: str) -> list[Any]:
        return [data for name, data in self.heard if name == topic]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    patch = tone()
    (tmp_path / "home").mkdir()
    patch.save(tmp_path / "home" / "tone.ng")
    with Session(patch, driver="null") as made:
        yield made


@pytest.fixture
def box(session: Session) -> Box:
    return Box(session)


def test_hello_document_kinds_and_parameters(box: Box, session: Session) -> None:
    hello = box.ask("hello", name="desk")
    assert hello["protocol"] == VERSION and hello["title"] == "Tone" and hello["you"] == "desk"
    assert not hello["playing"] and hello["revision"] == 0
    assert box.ask("document")["text"] == str(session.patch)
    kinds = {item["kind"]: item for item in box.ask("kinds")["kinds"]}
    assert kinds["svf~"]["inlets"] and kinds["svf~"]["help"] and len(kinds) > 80
    assert [item["kind"] for item in box.ask("kinds", kinds=["cycle~"])["kinds"]] == ["sine~"], "by an alias"
    assert box.code("kinds", kinds=["nothing~"]) == "unknown-kind"
    found = box.ask("parameters", under="/patch/osc")["parameters"]
    freq = next(item for item in found if item["port"] == "freq")
    assert freq["unit"] == "Hz" and freq["value"] == freq["stored"] == 330 and len(freq["span"]) == 2


def test_values_are_moved_all_or_none(box: Box, session: Session) -> None:
    assert box.ask("set", values={"osc.freq": 200, "/patch/level/gain": 99})["values"]["/patch/osc/freq"] == 200.0
    high = session.parameter("level.gain").control
    assert high is not None and box.ask("get", addresses=["level.gain"])["values"] == {"level.gain": high.span[1]}
    answer = box.ask("set", values={"osc.freq": 500, "osc.frek": 1, "level.gain": "loud"})
    assert [item["code"] for item in answer] == ["unknown-address", "bad-value"]
    assert session.get("osc.freq") == 200.0, "none of them"
    assert box.ask("keep")["addresses"] == ["/patch/osc/freq", "/patch/level/gain"]
    session.play()
    box.ask("subscribe", topics=["values"])
    box.ask("set", values={"osc.freq": 300, "level.gain": 0.3}, ms=10)
    until(
        lambda: {"/patch/osc/freq", "/patch/level/gain"} <= {key for item in box.of("values") for key in item["values"]}
    )
    assert {item["by"] for item in box.of("values")} == {box.client.name}
    assert box.ask("stop") == {"playing": False}


def until(true: Any) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_edits_undo_redo_and_who_hears_of_them(session: Session) -> None:
    one, two = Box(session), Box(session)
    two.ask("subscribe", topics=["changed", "saved", "opened", "log"])
    added = one.ask("edit", commands={"do": "add", "node": "cut", "kind": "svf~"}, label="A filter")
    assert added["revision"] == 1 and added["commands"] == [{"do": "add", "node": "cut", "kind": "svf~"}]
    for step in (1.0, 2.0):
        one.ask("edit", commands=[{"do": "set", "node": "cut", "values": {"cutoff": 100 * step}}], merge="drag")
    before = session.revision
    assert one.code("edit", commands=[{"do": "add", "node": "cut", "kind": "svf~"}]) and session.revision == before
    assert two.ask("undo")["label"] == "Set cut.cutoff" and two.ask("undo")["label"] == "A filter"
    assert one.ask("redo")["label"] == "A filter" and one.ask("redo")["label"] and one.ask("redo")["label"] is None
    assert [item["by"] for item in two.of("changed")] == [one.client.name] * 3 + [two.client.name] * 2 + [
        one.client.name
    ] * 2
    assert one.ask("save")["path"] == str(session.patch.path)
    assert two.of("saved")
    session.say("osc", "a line")
    assert two.of("log")[-1]["text"] == "a line" and two.ask("log", most=1)["lines"][0]["text"] == "a line"
    two.ask("unsubscribe", topics=["log"])
    session.say("osc", "another")
    assert two.of("log")[-1]["text"] == "a line"
    two.client.close()
    one.ask("undo")
    assert len(two.of("changed")) == 7


def test_files_are_opened_and_saved_in_the_patchs_own_folder_and_in_media_folders_alone(
    box: Box, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, media, other = tmp_path / "home", tmp_path / "media", tmp_path / "other"
    for folder in (media, other):
        folder.mkdir()
        Patch(folder.name).save(folder / "there.ng")
    (home / "link.ng").symlink_to(other / "there.ng")
    (home / "folder.ng").mkdir()
    (home / "sound.wav").write_bytes(b"RIFF")
    text = (other / "there.ng").read_text()
    for path in ("../other/there.ng", str(other / "there.ng"), "link.ng", "../home/../other/there.ng", "a\0.ng"):
        assert box.code("open", path=path) in ("outside-file", "no-file"), path
        assert box.code("save", path=path) in ("outside-file", "no-file"), path
    for path in ("sound.wav", "folder.ng", "", "/etc/passwd"):
        assert box.code("save", path=path) in ("not-a-patch", "outside-file"), path
    assert (other / "there.ng").read_text() == text
    assert box.code("open", path="../media/there.ng") == "outside-file"
    monkeypatch.setenv("NODEGRAPH_MEDIA", str(media))
    assert box.ask("save", path=str(media / "new.ng"))["path"] == str(media / "new.ng"), "one that was declared"
    session.patch.save(home / "tone.ng")
    assert box.ask("save", path="second.ng")["path"] == str(home / "second.ng")
    assert box.ask("save", path="second.ng")["path"] == str(home / "second.ng"), "its own by now"
    first = (home / "tone.ng").read_text()
    session.edit([Set("osc", {"freq": 123.0})])
    assert box.code("save", path="tone.ng") == box.code("save", path="tone.ng", overwrite=False) == "file-exists"
    assert (home / "tone.ng").read_text() == first
    assert box.ask("save", path="tone.ng", overwrite=True) and "123" in (home / "tone.ng").read_text()
    assert box.ask("open", path=str(media / "there.ng"))["title"] == "media"
    assert session.revision == 2 and box.ask("hello")["title"] == "media"


def test_a_layout_is_of_one_patch(box: Box) -> None:
    made = box.ask("layout")
    assert "/patch/osc/freq" in made["addresses"] and made["layout"] == 1
    assert box.ask("layout", addresses=["osc.freq"])["layout"] == 2
    assert box.code("layout", addresses=["osc.frek"]) == "unknown-address"
    assert box.code("move", layout=1, to=b"\0\0\0\0") == "bad-layout"
    assert box.ask("move", layout=2, to=b"\0\0\xc8\x43") == {} and box.ask("get", addresses=["osc.freq"])
    assert box.client.session.get("osc.freq") == 400.0


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_every_request_refuses_what_it_does_not_know(name: str, box: Box) -> None:
    assert box.code(name, nonsense=1) == "bad-request"
    for field, wanted in REQUESTS[name].fields.items():
        others = {other: [] for other, item in REQUESTS[name].fields.items() if item.needed and other != field}
        if not wanted.fits(object()):
            assert box.code(name, **{**others, field: object()}) == "bad-request"
    assert REQUESTS[name].call.__doc__


def test_the_transport_needs_a_patch_that_plays(box: Box, session: Session) -> None:
    assert box.code("transport", tempo=90) == "not-playing"
    assert box.ask("status") == {"playing": False, "title": "Tone", "revision": 0, "follows": None}
    session.play()
    box.ask("transport", tempo=90, play=False)
    until(lambda: (clock := session.clock()) and (clock["on"], clock["tempo"], clock["meter"]) == (False, 90.0, 4))
    assert box.ask("status")["clock"]["tempo"] == 90.0


def test_what_is_told_again_and_again(box: Box, session: Session) -> None:
    assert box.client.tick() is None
    box.ask("subscribe", topics=["meters", "status"], periods={"meters": 0.1})
    assert box.client.tick(1_000.0) == pytest.approx(0.1)
    assert box.client.tick(1_000.05) == pytest.approx(0.05) and len(box.of("meters")) == len(box.of("status")) == 1
    box.client.tick(1_000.11)
    assert len(box.of("meters")) == 2 and len(box.of("status")) == 1
    box.ask("unsubscribe", topics=["meters", "status"])
    assert box.client.tick(2_000.0) is None


def test_a_panel_is_what_the_patch_marks_or_all_of_it(box: Box, session: Session) -> None:
    every = box.ask("panel")
    assert not every["marked"] and {item["group"] for item in every["items"]} == {"osc", "level"}
    session.patch.document.extra["panel"] = [
        {"kind": "slider", "address": "osc.freq", "label": "Pitch"},
        {"kind": "xy", "address": "osc.freq", "y": "level.gain"},
        {"address": "no.where"}, {"kind": "rocket"}, 7, {"kind": "xy", "address": "osc.freq"}, {"kind": "meter"},
    ]  # fmt: skip
    marked = box.ask("panel")
    assert [item["kind"] for item in marked["items"]] == ["slider", "xy", "meter"]
    assert marked["items"][0]["label"] == "Pitch" and marked["items"][1]["y"]["address"] == "/patch/level/gain"
    assert len(marked["missing"]) == 4


def test_a_mistake_of_ours_fails_one_request_alone(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(box.client.session, "get", fail)
    assert box.code("get", addresses=["x"]) == "internal"
    assert "oh" in box.client.session.lines[-1]["text"]


def test_presets_are_stored_recalled_and_stood_among(session: Session) -> None:
    box, other = Box(session), Box(session)
    other.ask("subscribe", topics=["presets", "values"])
    assert box.ask("presets") == {"presets": [], "recalled": None}
    box.ask("set", values={"osc.freq": 200})
    assert box.ask("store", name="low", addresses=["osc.freq"])["values"] == {"osc.freq": 200.0}
    box.ask("set", values={"osc.freq": 400})
    box.ask("store", name="high", addresses=["osc.freq"])
    assert box.ask("recall", name="low") == {"presets": ["low", "high"], "recalled": "low"}
    assert session.get("osc.freq") == 200.0 and other.of("presets")[-1]["recalled"] == "low"
    assert box.ask("recall", name=1)["recalled"] == "high" and session.get("osc.freq") == 400.0
    middle = box.ask("morph", names=["low", "high"], x=0.5)["values"]["osc.freq"]
    assert 200 < middle < 400 and session.get("osc.freq") == middle
    first = box.ask("randomise", seed=3, addresses=["osc.freq"])["values"]
    assert first and session.get("osc.freq") == first["osc.freq"]
    assert box.code("recall", name="lower") == "unknown-preset" and box.code("recall", name=7) == "unknown-preset"
    assert box.code("recall", name="low", ms=-1) == "bad-seconds" and box.code("morph", names=[None]) == "bad-request"
    assert box.ask("forget", name="low")["presets"] == ["high"]
