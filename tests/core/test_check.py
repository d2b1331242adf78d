"""`check` finds every problem at once, on its line, and says what is legal and what to do."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given

from nodegraph.core import Graph, check, check_file, load, loads
from nodegraph.core.document import Document
from tests.core.kinds import KINDS
from tests.core.patches import documents


def checked(tmp_path: Path, nodes: dict, cables: list[str] = [], **more: object) -> list:  # noqa: B006
    """The problems of a patch written with one value a line."""
    path = tmp_path / "patch.ng"
    path.write_text(json.dumps({"nodegraph": 1, "nodes": nodes, "cables": cables, **more}, indent=1))
    return check_file(path, KINDS, media_folders=[])


def line_of(tmp_path: Path, text: str) -> int:
    lines = (tmp_path / "patch.ng").read_text().split("\n")
    (found,) = [number for number, line in enumerate(lines, 1) if text in line]
    return found


A = {"osc": {"kind": "sine~"}, "cut": {"kind": "svf~"}, "clock": {"kind": "metro"}, "ears": {"kind": "choir.tag~"}}

# nodes, cables: code, node, port, a text on the line that is meant, what the message says, what it advises
CASES = {
    "unknown kind": (
        {"a": {"kind": "sqr~"}}, [],
        ("unknown-kind", "a", None, '"sqr~"', "'sqr~'", "nodegraph nodes")),
    "misspelt kind": (
        {"a": {"kind": "sin~", "x": 1}}, [],
        ("unknown-kind", "a", None, '"sin~"', "'sin~'", "'sine~'")),
    "misspelt alias": (
        {"a": {"kind": "cycl~"}}, [],
        ("unknown-kind", "a", None, '"cycl~"', "'cycl~'", "'sine~'")),
    "unknown parameter": (
        {"a": {"kind": "svf~", "cutof": 100}}, [],
        ("unknown-parameter", "a", "cutof", '"cutof"', "no parameter 'cutof'", "'cutoff'")),
    "value for a signal inlet": (
        {"a": {"kind": "svf~", "x": 100}}, [],
        ("unknown-parameter", "a", "x", '"x"', "holds no value", "cable")),
    "out of span": (
        {"a": {"kind": "svf~", "cutoff": 5}}, [],
        ("out-of-span", "a", "cutoff", '"cutoff"', "cutoff is 5", "10 to 20000 Hz")),
    "wrong type": (
        {"a": {"kind": "svf~", "cutoff": "5"}}, [],
        ("wrong-type", "a", "cutoff", '"cutoff"', 'cutoff is "5"', "10 to 20000 Hz")),
    "null": (
        {"a": {"kind": "svf~", "cutoff": None}}, [],
        ("wrong-type", "a", "cutoff", '"cutoff"', "cutoff is null", "10 to 20000 Hz")),
    "half a step": (
        {"a": {"kind": "shape", "steps": 2.5}}, [],
        ("wrong-type", "a", "steps", '"steps"', "steps is 2.5", "whole number")),
    "setting out of span": (
        {"a": {"kind": "shape", "size": 0}}, [],
        ("out-of-span", "a", "size", '"size"', "size is 0", "1 to 65536 frames")),
    "bad choice": (
        {"a": {"kind": "shape", "window": "flat"}}, [],
        ("bad-choice", "a", "window", '"window"', 'window is "flat"', "hann, hamming, kaiser")),
    "no flag": (
        {"a": {"kind": "shape", "sure": 1}}, [],
        ("wrong-type", "a", "sure", '"sure"', "sure is 1", "true or false")),
    "file as a number": (
        {"a": {"kind": "play~", "file": 7}}, [],
        ("wrong-type", "a", "file", '"file"', "file is 7", "path")),
    "unknown outlet": (
        A, ["cut.lo -> ears.x"],
        ("unknown-port", "cut", "lo", "cut.lo", "no outlet 'lo'", "'low'")),
    "unknown inlet": (
        A, ["osc.y -> cut.input"],
        ("unknown-port", "cut", "input", "cut.input", "no inlet 'input'", "'x', 'cutoff', 'resonance'")),
    "unknown node": (
        A, ["osc.y -> cutt.x"],
        ("unknown-node", None, None, "cutt.x", "'cutt'", "'cut'")),
    "signal into an event inlet": (
        A, ["osc.y -> clock.on"],
        ("cable-kind", "clock", "on", "clock.on", "'osc.y' is a signal; the inlet 'clock.on' takes an event",
         "'interval'")),
    "events into a signal inlet": (
        A, ["clock.tick -> cut.x"],
        ("cable-kind", "cut", "x", "cut.x", "'clock.tick' is an event; the inlet 'cut.x' takes a signal", "'cutoff'")),
    "tensor into a control inlet": (
        A, ["ears.scores -> cut.cutoff"],
        ("cable-kind", "cut", "cutoff", "cut.cutoff", "is a tensor", "converts")),
    "two signals into a control inlet": (
        {**A, "osc2": {"kind": "sine~"}}, ["osc2.y -> cut.cutoff", "osc.y -> cut.cutoff"],
        ("taken-inlet", "cut", "cutoff", "osc2.y", "takes one signal cable, and has the one from 'osc.y'", "mix~")),
    "two tensors into an inlet": (
        {**A, "more": {"kind": "choir.tag~"}, "bars": {"kind": "bars"}},
        ["ears.scores -> bars.column", "more.scores -> bars.column"],
        ("taken-inlet", "bars", "column", "more.scores", "takes one tensor cable", "Remove one")),
    "event loop": (
        {"a": {"kind": "metro"}, "b": {"kind": "metro"}}, ["a.tick -> b.on", "b.tick -> a.on"],
        ("event-loop", "a", "on", "b.tick", "a -> b -> a", "`delay`")),
    "event loop by radio": (
        {"a": {"kind": "metro"}, "s": {"kind": "send", "name": "q"}, "r": {"kind": "receive", "name": "q"}},
        ["a.tick -> s.message", "r.message -> a.on"],
        ("event-loop", "a", "on", "r.message", "a -> s -> r -> a", "`delay`")),
    "missing file": (
        {"a": {"kind": "play~", "file": "no.wav"}}, [],
        ("missing-file", "a", "file", '"file"', "no file 'no.wav'", "NODEGRAPH_MEDIA")),
    "folder for a file": (
        {"a": {"kind": "play~", "file": "."}}, [],
        ("missing-file", "a", "file", '"file"', "is a folder", "Name a file")),
    "file outside": (
        {"a": {"kind": "play~", "file": "../no.wav"}}, [],
        ("outside-file", "a", "file", '"file"', "outside the patch's folder", "NODEGRAPH_MEDIA")),
    "absolute file": (
        {"a": {"kind": "play~", "file": "/etc/hostname"}}, [],
        ("outside-file", "a", "file", '"file"', "outside the patch's folder", "NODEGRAPH_MEDIA")),
    "output without a folder": (
        {"a": {"kind": "record~", "file": "takes/1.wav"}}, [],
        ("unwritable-file", "a", "file", '"file"', "not there", "Make the folder")),
    "output into a file": (
        {"a": {"kind": "record~", "file": "patch.ng/1.wav"}}, [],
        ("unwritable-file", "a", "file", '"file"', "not there", "Make the folder")),
    "output outside": (
        {"a": {"kind": "record~", "file": "/1.wav"}}, [],
        ("outside-file", "a", "file", '"file"', "outside the patch's folder", "patch's folder")),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_problem_is_found_on_its_line(tmp_path, name):
    nodes, cables, (code, node, port, text, what, do) = CASES[name]
    (problem,) = checked(tmp_path, nodes, cables)
    assert (problem.code, problem.node, problem.port) == (code, node, port)
    assert problem.file == str(tmp_path / "patch.ng")
    assert problem.line == line_of(tmp_path, text)
    assert what in problem.what and do in problem.do, problem


def test_a_bad_place_is_found(tmp_path):
    (problem,) = checked(tmp_path, A, view={"osc": "left", "cut": [1, 2.5]})
    assert (problem.code, problem.node, problem.line) == ("bad-view", "osc", line_of(tmp_path, '"left"'))


def test_all_problems_are_told_together_in_the_order_of_lines(tmp_path):
    """The form, the values, the cables, the loops and the files of one patch: one case of each, in one file."""
    nodes: dict[str, object] = {}
    cables: list[str] = []
    expected = []
    for number, (case_nodes, case_cables, (code, *_)) in enumerate(CASES.values()):
        nodes |= {f"c{number}{id}": data for id, data in case_nodes.items()}
        for cable in case_cables:
            source, target = cable.split(" -> ")
            cables.append(f"c{number}{source} -> c{number}{target}")
        expected.append(code)
    nodes["not an id"] = {}
    cables.append("not a cable")
    problems = checked(tmp_path, nodes, cables)
    assert sorted(problem.code for problem in problems) == sorted([*expected, "illegal-id", "bad-cable"])
    lines = [problem.line for problem in problems]
    assert lines == sorted(lines) and None not in lines


GOOD = {
    "voice": {"kind": "play~", "file": "voice.wav", "loop": True, "speed": -1},
    "empty": {"kind": "play~", "file": ""},
    "rec": {"kind": "record~", "file": "take.wav"},
    "again": {"kind": "record~", "file": "voice.wav"},
    "cut": {"kind": "SVF", "cutoff": 20_000, "resonance": 1},
    "out": {"kind": "dac~"},
    "ears": {"kind": "choir.tag~"},
    "bars": {"kind": "bars"},
    "wait": {"kind": "delay", "time": 0.5},
    "clock": {"kind": "metro"},
    "clock2": {"kind": "metro"},
    "shape": {"kind": "shape", "gate": True, "steps": 4.0, "values": [1, "a", None]},
}
GOOD_CABLES = [
    "voice.y -> cut.x", "voice.y -> out.x", "cut.low -> out.x", "cut.high -> rec.x", "cut.low -> ears.x",
    "ears.tags -> cut.cutoff", "clock.tick -> cut.cutoff", "voice.y -> cut.cutoff", "ears.scores -> bars.column",
    "clock.tick -> wait.message", "wait.later -> clock2.on", "clock2.tick -> clock.on",
]  # fmt: skip


def test_a_good_patch_has_no_problem(tmp_path):
    (tmp_path / "voice.wav").touch()
    assert checked(tmp_path, GOOD, GOOD_CABLES, title="Good", mood="unknown keys are no problem") == []


def test_files_in_declared_media_folders_are_found(tmp_path, monkeypatch):
    (tmp_path / "sounds").mkdir()
    (tmp_path / "sounds" / "bell.wav").touch()
    (tmp_path / "patches").mkdir()
    path = tmp_path / "patches" / "patch.ng"
    path.write_text('{"nodegraph": 1, "nodes": {"a": {"kind": "play~", "file": "bell.wav"}}}')
    assert [problem.code for problem in check_file(path, KINDS)] == ["missing-file"]
    assert check_file(path, KINDS, media_folders=[tmp_path / "sounds"]) == []
    monkeypatch.setenv("NODEGRAPH_MEDIA", str(tmp_path / "sounds"))
    assert check_file(path, KINDS) == []


@pytest.mark.parametrize(("denied", "code"), [(os.R_OK, "missing-file"), (os.W_OK, "unwritable-file")])
def test_a_file_that_may_not_be_used_is_found(tmp_path, monkeypatch, denied, code):
    (tmp_path / "voice.wav").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: mode != denied)  # root may do everything
    nodes = {"play": {"kind": "play~", "file": "voice.wav"}, "rec": {"kind": "record~", "file": "voice.wav"}}
    assert [problem.code for problem in checked(tmp_path, nodes)] == [code]


def test_a_patch_without_a_file_is_checked_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.wav").touch()
    graph = Graph(KINDS)
    graph.add("play~", "good", file="here.wav")
    graph.add("play~", "bad", file="there.wav")
    (problem,) = check(Document(graph), media_folders=[])
    assert (problem.code, problem.node, problem.file, problem.line) == ("missing-file", "bad", None, None)


def test_a_file_that_is_no_patch_has_one_problem(tmp_path):
    (tmp_path / "a.ng").write_text("{")
    assert [problem.code for problem in check_file(tmp_path / "a.ng", KINDS)] == ["not-json"]
    assert [problem.code for problem in check_file(tmp_path / "none.ng", KINDS)] == ["unreadable-file"]


@given(documents())
def test_check_answers_for_any_document(document):
    for problem in check(document, media_folders=[]):
        assert problem.describe() and problem.as_dict()["code"]


def test_what_edits_refuse_check_finds(tmp_path):
    """A patch that was made by edits alone has no problem but loops and files."""
    document = loads(json.dumps({"nodegraph": 1, "nodes": A}), kinds=KINDS)
    document.graph.connect("osc", "cut")
    document.graph.set("cut", "cutoff", 10)
    assert check(document) == []


def test_every_problem_of_a_patch_of_200_nodes_is_told(tmp_path):
    nodes: dict[str, object] = {}
    cables = []
    for number in range(50):
        nodes |= {
            f"osc{number}": {"kind": "sine~", "frequency": 100 + number},
            f"cut{number}": {"kind": "svf~", "cutoff": 800, "resonance": 0.5},
            f"clock{number}": {"kind": "metro", "interval": 0.25},
            f"play{number}": {"kind": "play~", "file": "voice.wav"},
        }
        cables += [f"osc{number}.y -> cut{number}.x", f"clock{number}.tick -> cut{number}.cutoff"]
        cables += [f"cut{number}.low -> cut{(number + 1) % 50}.x"]  # one long loop, which is played
    (tmp_path / "patch.ng").write_text(json.dumps({"nodegraph": 1, "nodes": nodes, "cables": cables}))
    assert len(check_file(tmp_path / "patch.ng", KINDS, media_folders=[])) == 50  # 50 times no voice.wav


def test_loading_keeps_what_check_refuses(tmp_path):
    nodes = {"a": {"kind": "svf~", "cutoff": "loud", "x": 3}, "b": {"kind": "??"}}
    assert len(checked(tmp_path, nodes, ["a.none -> a.x", "b.y -> a.x"])) == 4
    document = load(tmp_path / "patch.ng", kinds=KINDS)
    assert document.graph.node("a").params == {"cutoff": "loud"} and document.graph.node("a").extra == {"x": 3}
    assert len(document.graph.cables) == 2
