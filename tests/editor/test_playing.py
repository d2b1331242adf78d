"""How it plays, as an editor without a window sees it: what was said, figures, costs, and what is wrong where."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nodegraph import Patch
from nodegraph.core.errors import Fault
from nodegraph.editor.editing import Editing
from nodegraph.editor.figures import FLOOR_DB, Figures
from nodegraph.editor.heat import Heat, Warmth
from nodegraph.editor.link import STEADY
from nodegraph.editor.spoken import MOST, Line, Spoken
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.editor.editors import PATIENCE_S, joined, until


def seen(editing: Editing, true: Callable[[], Any], what: str) -> None:
    """Like `until`, for what wakes nobody when it comes."""
    end = time.monotonic() + PATIENCE_S
    while not (editing.turn() or True) or not true():
        assert time.monotonic() < end, f"it never came: {what}; said {list(editing.lines)[-5:]}"
        time.sleep(0.01)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    voice = Patch("Voice")
    voice.connect(voice.add("sine~", "osc", freq=220), voice.add("limiter~", "lim"), voice.add("outlet~", "y"))
    voice.save(tmp_path / "voice.ng")
    return tmp_path


@pytest.fixture
def session(folder: Path) -> Iterator[Session]:
    patch = Patch("Heard")
    patch.document.path = folder / "heard.ng"
    patch.graph.registry.lie_in(folder / "heard.ng")
    patch.connect(patch.add("voice.ng", "voice1"), patch.add("reverb~", "hall"), patch.add("out~", "out"))
    patch.save()
    with Session(patch, driver="null") as made:
        yield made


@pytest.fixture
def server(session: Session) -> Iterator[Server]:
    session.say("hall", "said before anybody came.")
    with Server(session) as made:
        yield made


def texts(editing: Editing) -> list[str]:
    return [f"{line.node}|{line.text}" for line in editing.spoken.lines]


# -- what was said


def test_lines_have_a_node_and_a_time_and_those_from_before_come_too(editing: Editing, session: Session) -> None:
    until(editing, lambda: "hall|said before anybody came." in texts(editing), "the earlier line")
    assert texts(editing)[0] == "hall|said before anybody came.", "it stands before what was said here"
    session.say("voice1/osc", Fault("went out of tune."))
    until(editing, lambda: editing.lines[-1] == "voice1/osc: went out of tune.", "the plain line")
    line = editing.spoken.lines[-1]
    assert line.fault and line.node == "voice1/osc" and abs(line.at - time.time()) < 60
    assert editing.spoken.nodes == ["hall", "voice1/osc"] and editing.spoken.faults == 1
    begun, count = editing.spoken.begun, len(editing.spoken.lines)
    editing.spoken._ask()
    until(editing, lambda: not editing.link._waiting, "the log once more")
    assert (editing.spoken.begun, len(editing.spoken.lines)) == (begun, count), "nothing is told twice"


def test_what_is_said_again_is_counted(editing: Editing, session: Session) -> None:
    for _ in range(3):
        session.say("hall", "rings.")
    until(editing, lambda: editing.spoken.lines[-1].count == 3, "three times")
    editing.say("mine")
    assert editing.spoken.lines[-1].text == "mine" and editing.spoken.lines[-1].count == 1
    assert list(editing.lines)[-4:] == ["hall: rings."] * 3 + ["mine"], "plain lines stay as they were"


def test_a_click_on_a_line_shows_who_spoke(editing: Editing) -> None:
    editing.viewport.pan(9_000, 0)
    assert editing.spoken.reveal("voice1/osc") and editing.selection.nodes == {"voice1"}
    box = editing.scene.boxes["voice1"]
    x, y = editing.viewport.screen(box.x, box.y)
    assert 0 <= x <= editing.size[0] and 0 <= y <= editing.size[1]
    editing.sheets.open_node("voice1")
    until(editing, lambda: "osc" in editing.scene.boxes, "the sheet inside")
    assert editing.spoken.reveal("voice1/osc") and editing.selection.nodes == {"osc"}
    assert editing.spoken.reveal("hall") and editing.selection.nodes == {"hall"}, "the sheet that has it comes on top"
    assert not editing.spoken.reveal("gone") and not editing.spoken.reveal("")


def test_an_error_is_known_as_one(editing: Editing) -> None:
    editing.link.ask("set", editing.tell_problems, values={"no.thing": 1})
    until(editing, lambda: editing.spoken.lines[-1].fault, "the refusal")
    assert "no.thing" in editing.spoken.lines[-1].text


@pytest.mark.parametrize(
    ("words", "node", "fits"),
    [("", "", True), ("tune OUT", "", True), ("tune in", "", False), ("osc", "", True), ("", "voice1", True),
     ("", "voice1/osc", True), ("", "voice", False), ("", "hall", False)],
)  # fmt: skip
def test_lines_are_filtered_by_words_and_by_node(words: str, node: str, fits: bool) -> None:
    assert Line(1, 0.0, "voice1/osc", "went out of tune.").fits(words, node) is fits


def test_only_so_many_lines_are_kept(editing: Editing) -> None:
    spoken = Spoken(editing)
    for number in range(MOST + 20):
        spoken.say(f"line {number}")
    assert len(spoken.lines) == MOST and spoken.lines[0].text == "line 20" and spoken.lines[0].number == 21


# -- figures


def test_figures_follow_what_plays(editing: Editing, session: Session) -> None:
    figures = editing.figures
    assert figures.device() == "stopped" and figures.cpu() is None and figures.latency() == ""
    session.play()
    seen(editing, lambda: figures.status and figures.meters.get("load"), "how it plays")
    assert figures.playing and figures.device() == "plays to nobody 48 kHz/256" and figures.unheard() == ""
    assert figures.cpu() is not None and 0.0 < figures.cpu() < 1.0
    late = session.playing.player.timing.total / 48.0  # type: ignore[union-attr]
    assert figures.latency() == f"{late + 256 / 48:.1f} ms" and f"{late:.1f} ms in the patch" in figures.about_latency()
    assert "voice1/lim" in figures.about_latency()
    assert figures.clock().startswith("120.0  1:") and figures.lost() == figures.status["xruns"]
    session.stop()
    seen(editing, lambda: not figures.playing, "the end")
    assert figures.device() == "stopped" and figures.clock() == ""


def test_what_is_told_all_the_time_wakes_nobody(editing: Editing, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[int] = []
    monkeypatch.setattr(editing.link, "_wake", lambda: woken.append(1))
    for topic in STEADY:
        editing.link._take({"on": topic, "playing": False})
    editing.link._quiet.add(-5)
    editing.link._take({"re": -5, "ok": {}})
    count = len(woken)
    editing.link._take({"on": "log", "node": "", "text": "awake", "at": 0.0})
    assert count == 0 and len(woken) == 1


STATUS: dict[str, Any] = {
    "playing": True, "driver": "null driver (no default output device), real time, 48000 Hz, blocks of 256",
    "unheard": "no default output device", "block": 256, "rate": 48_000, "load": 0.1, "xruns": 2, "late": 0, "bad": 0,
    "limited": 0, "late_messages": {}, "device": {"state": "playing", "losses": 0, "returns": 0}, "latency_s": 0.01,
    "latency_frames": 0, "late_nodes": {},
}  # fmt: skip


def test_no_sound_device_is_said_with_what_to_do(editing: Editing) -> None:
    figures = Figures(editing)
    figures._told(STATUS)
    assert figures.device() == "no sound device"
    assert figures.unheard().startswith("Nobody hears it: no default output device. Connect a sound device")
    figures._told(STATUS | {"device": {"state": "gone", "losses": 1, "returns": 0}, "unheard": "the device has gone"})
    assert "as soon as it is back" in figures.unheard() and "gone 1 times" in figures.about_device()
    figures._told(STATUS | {"unheard": "", "driver": "JACK (default), 48000 Hz, blocks of 256"})
    assert figures.unheard() == "" and figures.device() == "JACK (default) 48 kHz/256"


def test_the_past_is_kept_a_second_apart(editing: Editing) -> None:
    one = {"state": "ready", "inference_p50_ms": 4.0, "queue_p50_ms": None, "misses": 3, "error": ""}
    figures = Figures(editing)
    for xruns, misses in ((2, 3), (2, 4), (5, 4)):
        figures._told(STATUS | {"xruns": xruns, "listeners": {"ears": one | {"misses": misses}}})
    assert list(figures.xruns) == [0.0, 0.0, 3.0], "those from before are no news"
    assert (
        list(figures.lanes["ears"].misses) == [0.0, 1.0, 0.0] and list(figures.lanes["ears"].inference_ms) == [4.0] * 3
    )
    assert figures.troubles() == [("blocks lost (xruns)", 5)]
    figures._told(STATUS)
    assert not figures.lanes


def test_meters_fall_slowly(editing: Editing) -> None:
    now = [0.0]
    figures = Figures(editing, now=lambda: now[0])
    figures._metered({"playing": True, "inputs": [], "outputs": [1.0, 0.1]})
    assert figures.levels("outputs") == pytest.approx([0.0, -20.0]) and figures.sounding
    now[0] = 0.5
    figures._metered({"playing": True, "inputs": [], "outputs": [0.0, 0.5]})
    assert figures.levels("outputs") == pytest.approx([-15.0, -6.02], abs=0.01)
    now[0] = 5.0
    figures._metered({"playing": True, "inputs": [], "outputs": [0.0, 0.0]})
    assert figures.levels("outputs") == [FLOOR_DB, FLOOR_DB] and not figures.sounding


# -- what boxes cost


def test_boxes_are_as_warm_as_what_is_inside(editing: Editing, session: Session) -> None:
    heat = editing.heat
    heat.turn()
    editing.actions["heat"]()
    assert heat.on and "Nothing plays" in editing.lines[-1]
    session.play()

    def asked() -> bool:
        heat.turn()
        return bool(heat.counted_s)

    seen(editing, asked, "costs")
    warm = heat.boxes()
    assert set(warm) == {"voice1", "hall", "out"} or set(warm) == {"voice1", "hall"}
    assert warm["hall"].cpu == max(warmth.cpu for warmth in warm.values()) > 0.0
    inside = sum(data.get("cpu", 0.0) for node, data in heat.nodes.items() if node.startswith("voice1/"))
    assert warm["voice1"].cpu == pytest.approx(inside) and warm["voice1"].latency_ms > 0.0
    assert warm["voice1"].label.endswith(" ms") and "% of a core" in warm["hall"].words
    editing.sheets.open_node("voice1")
    seen(editing, lambda: "lim" in editing.scene.boxes, "the sheet inside")
    assert heat.boxes()["lim"].latency_ms == warm["voice1"].latency_ms
    session.stop()
    seen(editing, lambda: not heat.nodes, "that nothing is warm")


def test_a_box_is_labelled_with_what_matters() -> None:
    assert Warmth(cpu=0.032, latency_ms=12.0).label == "3.2 %  12.0 ms"
    assert Warmth(cpu=0.00001).label == "" and Warmth(cpu=0.0004).label == "0.04 %"
    assert Warmth(model_cpu=0.5, model_ms=120.0).label == "model 50 %"
    assert Warmth(cpu=1.0).heat == 1.0 > Warmth(cpu=0.01).heat > Warmth().heat == 0.0
    assert Warmth(cpu=0.02, shared=True, late_ms=3.0).words == "about 2.0 % of a core, 3.0 ms late in all"


def test_heat_asks_once_a_second_and_only_when_it_is_wanted(editing: Editing) -> None:
    now, asked = [0.0], []
    heat = Heat(editing, now=lambda: now[0])
    editing.playing = True
    editing.link.ask = lambda *words, **more: asked.append(words[0])  # type: ignore[method-assign,assignment,func-returns-value]
    heat.turn()
    assert not asked
    heat.on = True
    for now[0] in (0.0, 0.5, 1.0):
        heat.turn()
    assert asked == ["costs"], "one at a time"
    heat._answered({"ok": {"playing": True, "counted_s": 0.0, "nodes": {}}})
    heat.turn()
    assert asked == ["costs", "costs"]


# -- what is wrong, where


def test_problems_stand_at_their_boxes_and_go(editing: Editing, session: Session, folder: Path) -> None:
    until(editing, lambda: not editing.health._asking, "a check")
    assert editing.health.signs() == {}
    editing.sheets.open_node("voice1")
    until(editing, lambda: "osc" in editing.scene.boxes, "the sheet inside")
    session.edit([{"do": "add", "node": "sample", "kind": "play~"}])
    until(editing, lambda: editing.health.all().get("sample"), "that a file is missing")
    assert editing.health.signs() == {}, "it is on another sheet"
    editing.sheets.leave()
    editing.turn()
    assert editing.health.signs() == {"sample": "!"}
    (trouble,) = editing.health.of("sample")
    assert "has no file" in trouble.words and trouble.do
    session.edit([{"do": "remove", "node": "sample"}])
    until(editing, lambda: not editing.health.signs(), "that it is well again")


def test_what_is_inside_a_subpatch_is_told_at_its_box(editing: Editing, session: Session) -> None:
    session.say("voice1/osc", Fault("went out of tune."))
    until(editing, lambda: editing.health.signs() == {"voice1": "!"}, "a sign")
    assert editing.health.of("voice1")[0].words == "osc: It reported: went out of tune."
    session.play()
    until(editing, lambda: not editing.health.signs(), "that it begins anew")


def test_a_fault_goes_wherever_the_file_that_is_changed_is_a_node(editing: Editing, session: Session) -> None:
    kind = session.patch.document.graph.node("voice1").kind
    session.edit([{"do": "add", "node": "voice2", "kind": kind}])
    until(editing, lambda: "voice2" in editing.scene.boxes, "the other node of the file")
    for node in ("voice1", "voice2"):
        editing.sheets.show(editing.sheets.open[0])
        editing.sheets.open_node(node)
        until(editing, lambda node=node: editing.sheets.top.root == f"/patch/{node}", "the sheet")
        session.say(f"{node}/osc", Fault("went out of tune."))
    session.say("osc", Fault("is another one."))
    until(editing, lambda: {"voice1/osc", "voice2/osc", "osc"} <= editing.health.all().keys(), "the faults")
    editing.set_value("osc", "freq", 333.0)
    until(editing, lambda: not {"voice1/osc", "voice2/osc"} & editing.health.all().keys(), "that both may try again")
    assert "osc" in editing.health.all(), "a node of the patch itself that is called the same"


def test_what_is_wrong_with_the_patch_as_a_whole_is_known(editing: Editing) -> None:
    until(editing, lambda: not editing.health._asking, "a check")
    version = editing.health.version
    whole = {"code": "bad-package", "what": "The package bells is broken.", "do": "Install it anew.", "nodes": []}
    editing.health._answered({"ok": {"problems": [whole]}})
    assert [trouble.words for trouble in editing.health.patch] == ["The package bells is broken. Install it anew."]
    assert editing.health.version > version and not editing.health.signs()
    editing.health._answered({"ok": {"problems": []}})
    assert not editing.health.patch and editing.health.version > version + 1


def test_models_on_their_way_are_no_errors(editing: Editing) -> None:
    def told(state: str, error: str = "") -> None:
        editing.health._told({"listeners": {"hall": {"state": state, "error": error}}})

    told("loading")
    assert editing.health.signs() == {"hall": "…"} and editing.health.of("hall")[0].what == "Its model is being loaded."
    told("failed", "no memory")
    assert editing.health.signs() == {"hall": "!"} and "no memory" in editing.health.of("hall")[0].words
    told("ready")
    assert editing.health.signs() == {}


def test_a_model_that_is_not_here_says_how_it_comes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path / "store"))
    patch = Patch("Ears")
    patch.connect(patch.add("in~", "mic"), patch.add("yamnet.tag~", "ears"))
    with Session(patch, driver="null") as session, Server(session) as server, joined(server) as editing:
        until(editing, lambda: editing.health.signs() == {"ears": "!"}, "the sign")
        assert "nodegraph models" in editing.health.of("ears")[0].do
