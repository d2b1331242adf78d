"""One patch for many clients: what one does, the others see, and what cannot be done changes nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nodegraph import BANG, Note, Patch, PatchError
from nodegraph.session.session import Session

PATIENCE_S = 60.0


class Listener:
    """Keeps the news, and waits for some of them."""

    def __init__(self, session: Session) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self._came = threading.Condition()
        session.news.listen(self._take)

    def _take(self, topic: str, data: Any) -> None:
        with self._came:
            self.heard.append((topic, dict(data)))
            self._came.notify_all()

    def of(self, topic: str) -> list[dict[str, Any]]:
        with self._came:
            return [data for name, data in self.heard if name == topic]

    def until(self, true: Callable[[], object], what: str) -> None:
        end = time.monotonic() + PATIENCE_S
        with self._came:
            while not true():
                assert self._came.wait(max(0.0, end - time.monotonic())) or true(), f"it never came: {what}"

    def values(self) -> dict[str, float]:
        return {address: value for data in self.of("values") for address, value in data["values"].items()}


def tone() -> Patch:
    patch = Patch("Tone")
    patch.connect(patch.add("sine~", "osc", freq=330), patch.add("gain~", "level", gain=0.25), patch.add("out~", "out"))
    return patch


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(tone(), driver="null") as made:
        yield made


def test_every_port_that_takes_or_sends_numbers_or_messages_has_an_address(tmp_path: Path) -> None:
    inner = Patch("Voice")
    inner.connect(inner.add("inlet~", "x"), inner.add("svf~", "cut", cutoff=500), inner.add("outlet~", "y"))
    inner.connect(inner.add("param", "bright", default=700, low=20, high=9_000), "cut.cutoff")
    inner.save(tmp_path / "voice.ng")
    patch = Patch()
    patch.document.path = tmp_path / "outer.ng"
    patch.document.graph.registry.lie_in(patch.document.path)
    patch.connect(patch.add("sine~", "osc"), patch.add("voice.ng", "voice"), patch.add("out~", "out"))
    patch.add("every", "clock")
    with Session(patch, driver="null") as session:
        found = session.parameters
        freq = found["/patch/osc/freq"].as_data()
        assert freq["unit"] == "Hz" and freq["stored"] == 440 and freq["span"][0] < 440 < freq["span"][1]
        assert found["/patch/voice/bright"].stored == 700
        assert "/patch/voice/cut/resonance" in found and "/patch/voice/x/x" not in found
        assert found["/patch/clock/bang"].readable and not found["/patch/clock/bang"].writable
        session.play()
        news = Listener(session)
        assert session.set("voice.bright", 1_000) == 1_000
        assert session.set("voice/cut.resonance", 0.7) == 0.7
        news.until(lambda: {"/patch/voice/bright", "/patch/voice/cut/resonance"} <= news.values().keys(), "both values")


def test_what_one_moves_the_others_hear(session: Session) -> None:
    session.play()
    news = Listener(session)
    assert session.set("/patch/osc/freq", 440, by="knob") == 440
    news.until(lambda: news.of("values"), "the value")
    assert news.of("values")[0] == {"by": "knob", "values": {"/patch/osc/freq": 440}}
    assert session.get("osc.freq") == 440 and session.patch.graph.node("osc").value("freq") == 330
    assert session.set("osc.freq", 1e9, ramp_s=0.1) == session.parameter("osc.freq").control.span[1]  # type: ignore[union-attr]
    assert session.set("level.gain", BANG) is None, "a bang repeats what the patch stores"


@pytest.mark.parametrize(
    ("address", "value", "code"),
    [
        ("/patch/osc/frq", 1, "unknown-address"), ("nothing", 1, "unknown-address"), ("", 1, "unknown-address"),
        ("osc.freq", "high", "bad-value"), ("osc.freq", float("nan"), "bad-value"), ("e.bang", 1, "read-only"),
    ],
)  # fmt: skip
def test_what_cannot_be_set_is_said(session: Session, address: str, value: Any, code: str) -> None:
    session.edit([{"do": "add", "node": "e", "kind": "every"}])
    with pytest.raises(PatchError) as caught:
        session.set(address, value)
    assert caught.value.problems[0].code == code
    assert session.live == {}
    if address == "/patch/osc/frq":
        assert "/patch/osc/freq" in str(caught.value)


def test_two_edit_at_once_and_each_sees_the_others_change(session: Session) -> None:
    session.play()
    news = Listener(session)

    def work(name: str) -> None:
        for number in range(10):
            session.edit([{"do": "add", "node": f"{name}{number}", "kind": "gain~"}], by=name)

    workers = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    changes = news.of("changed")
    assert [change["revision"] for change in changes] == list(range(1, 21))
    assert sorted(change["commands"][0]["node"] for change in changes) == sorted(
        f"{name}{number}" for name in "ab" for number in range(10)
    )
    assert all(change["commands"][0]["node"].startswith(change["by"]) for change in changes)
    last = changes[-1]["commands"][0]["node"]
    assert session.undo(by="a") == f"Add {last}" and last not in session.patch.graph
    assert news.of("changed")[-1]["commands"] == [{"do": "remove", "node": last}]
    assert session.redo() == f"Add {last}" and last in session.patch.graph


def test_an_edit_that_cannot_be_played_leaves_patch_and_history_as_they_were(session: Session) -> None:
    session.play()
    session.edit([{"do": "add", "node": "g", "kind": "gain~"}])
    session.edit([{"do": "remove", "node": "g"}])
    session.undo()
    text, news = str(session.patch), Listener(session)
    with pytest.raises(PatchError):
        session.edit([{"do": "add", "node": "h", "kind": "gain~"}, {"do": "add", "node": "no", "kind": "nothing~"}])
    with pytest.raises(PatchError):  # a loop of messages is found when it is to be played
        session.edit(
            [
                {"do": "add", "node": "m", "kind": "random"}, {"do": "add", "node": "n", "kind": "random"},
                {"do": "connect", "cable": "m.y -> n.x"}, {"do": "connect", "cable": "n.y -> m.x"},
            ]
        )  # fmt: skip
    assert str(session.patch) == text and session.playing is not None and session.playing.running
    assert not news.of("changed") and session.patch.history.undo_label == "Add g"
    assert session.patch.history.redo_label == "Remove g", "what was undone can still be done again"


def test_what_was_moved_is_kept_when_asked_and_survives_a_stop(session: Session) -> None:
    session.set("osc.freq", 500)
    session.play()
    news = Listener(session)
    session.set("level.gain", 0.5)
    news.until(lambda: "/patch/level/gain" in news.values(), "the gain")
    session.stop()
    news.until(lambda: {"playing": False} in news.of("playing"), "the end")
    assert session.live == {"/patch/osc/freq": 500, "/patch/level/gain": 0.5}
    session.play()
    news.until(lambda: news.values().get("/patch/osc/freq") == 500 or session.get("osc.freq") == 500, "500 Hz again")
    assert sorted(session.keep()) == ["/patch/level/gain", "/patch/osc/freq"]
    assert session.patch.graph.node("osc").value("freq") == 500 and session.live == {}
    session.undo()
    assert session.patch.graph.node("osc").value("freq") == 330


def test_what_moves_within_the_patch_is_told_too(session: Session) -> None:
    session.edit(
        [
            {"do": "add", "node": "e", "kind": "every", "values": {"beats": 0.0625}},
            {"do": "add", "node": "r", "kind": "random", "values": {"low": 200, "high": 300}},
            {"do": "connect", "cable": "e.bang -> r.x"}, {"do": "connect", "cable": "r.y -> osc.freq"},
        ]
    )  # fmt: skip
    news = Listener(session)
    session.play()
    news.until(lambda: len(news.of("values")) > 2 and len(news.of("events")) > 2, "values and events")
    assert 200 <= news.values()["/patch/osc/freq"] <= 300 and session.live.keys() == {"/patch/osc/freq"}
    addresses = {event[0] for data in news.of("events") for event in data["events"]}
    assert {"/patch/e/bang", "/patch/r/y"} <= addresses


def test_another_patch_is_opened_while_it_plays(session: Session, tmp_path: Path) -> None:
    other = Patch("Other")
    other.connect(other.add("saw~", "saw", freq=100), other.add("out~", "out"))
    other.save(tmp_path / "other.ng")
    session.play()
    news = Listener(session)
    session.set("osc.freq", 440)
    session.open(tmp_path / "other.ng", by="me")
    assert "/patch/saw/freq" in session.parameters and "/patch/osc/freq" not in session.parameters
    assert news.of("opened")[0]["by"] == "me" and session.live == {}
    session.set("saw.freq", 200)
    news.until(lambda: news.values().get("/patch/saw/freq") == 200, "the new patch hears")
    with pytest.raises(PatchError):
        session.open(tmp_path / "missing.ng")
    assert session.patch.title == "Other" and session.playing is not None and session.playing.running


def test_the_transport_and_the_status(session: Session) -> None:
    with pytest.raises(PatchError, match="does not play"):
        session.transport(tempo=90)
    assert session.status()["playing"] is False
    session.play()
    session.play()
    session.transport(tempo=90, locate=8.0)
    end = time.monotonic() + PATIENCE_S
    while session.status()["clock"]["tempo"] != 90:
        assert time.monotonic() < end, "it never went at 90"
    assert session.status()["clock"]["beat"] >= 7.0
    session.transport(play=False)
    while session.status()["clock"]["on"]:
        assert time.monotonic() < end, "it never stood still"


def test_a_message_for_an_inlet(session: Session) -> None:
    session.edit(
        [
            {"do": "add", "node": "v", "kind": "voices~"},
            {"do": "add", "node": "heard", "kind": "print"},
            {"do": "add", "node": "d", "kind": "delay", "values": {"time": 0.001}},
            {"do": "connect", "cable": "d.y -> heard.x"},
        ]
    )  # fmt: skip
    session.play()
    news = Listener(session)
    assert session.set("v.notes", Note(60, 0.8)) is None
    assert session.set("d.x", ("a", 1)) is None
    news.until(lambda: news.of("log"), "the print")
    assert "a" in news.of("log")[0]["text"]
