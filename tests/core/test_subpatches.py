"""Patch files as nodes: their ports, what they are flattened to, and everything that may be wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nodegraph.core.check import check_file
from nodegraph.core.errors import PatchError
from nodegraph.core.flatten import MOST_NODES, address, document_of, flatten
from nodegraph.core.graph import Graph
from nodegraph.core.patchfile import dumps, load
from nodegraph.core.ports import Control
from nodegraph.core.spec import Role

VOICE: dict[str, Any] = {
    "x": {"kind": "inlet~", "help": "sound to filter"},
    "go": {"kind": "inlet"},
    "cutoff": {"kind": "param", "default": 900, "low": 20, "high": 20_000, "unit": "Hz", "curve": "log"},
    "wave": {"kind": "argument", "default": "peak"},
    "filter": {"kind": "svf~", "resonance": 0.4},
    "level": {"kind": "env~", "mode": "$wave"},
    "count": {"kind": "number"},
    "low": {"kind": "outlet~"},
    "said": {"kind": "outlet"},
}
VOICE_CABLES = [
    "x.y -> filter.x", "cutoff.y -> filter.cutoff", "filter.low -> low.x", "filter.low -> level.x", "go.y -> count.x",
    "count.y -> said.x",
]  # fmt: skip


def write(path: Path, nodes: dict[str, Any], cables: list[str] = (), **more: Any) -> Path:  # type: ignore[assignment]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"nodegraph": 1, **more, "nodes": nodes, "cables": list(cables)}, indent=1))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "voice.ng", VOICE, VOICE_CABLES, title="A voice", about="Filters.")
    write(
        tmp_path / "main.ng",
        {
            "noise": {"kind": "noise~"},
            "lfo": {"kind": "sine~", "freq": 2},
            "a": {"kind": "voice.ng", "cutoff": 400, "wave": "rms"},
            "b": {"kind": "voice.ng"},
            "out": {"kind": "out~"},
        },
        ["noise.y -> a.x", "a.low -> b.x", "b.low -> out.x", "a.said -> b.go", "lfo.y -> b.cutoff"],
    )
    return tmp_path


def test_a_patch_file_is_a_kind_with_the_ports_that_it_declares(folder: Path) -> None:
    spec = load(folder / "main.ng").graph.node("a").spec
    assert spec is not None and spec.role is Role.PATCH and spec.kind == "voice.ng"
    assert spec.summary == "A voice." and "Filters." in spec.help
    assert [item.name for item in spec.inlets] == ["go", "x", "cutoff"]
    assert [item.name for item in spec.outlets] == ["low", "said"]
    assert [item.name for item in spec.settings] == ["wave", "oversample"]
    assert spec.inlet_named["x"].help == "sound to filter"
    cutoff = spec.inlet_named["cutoff"]
    assert isinstance(cutoff, Control)
    assert (cutoff.default, cutoff.span, cutoff.unit, cutoff.curve) == (900.0, (20, 20_000), "Hz", "log")


def test_it_is_played_as_one_graph(folder: Path) -> None:
    document = load(folder / "main.ng")
    view = flatten(document)
    assert set(view.nodes) == {
        "noise", "lfo", "out", *(f"{id}/{name}" for id in "ab" for name in VOICE if name != "wave"),
    }  # fmt: skip
    assert view.value("a/filter", "cutoff") == 400 and view.value("b/filter", "cutoff") == 900
    assert view.value("a/filter", "resonance") == 0.4
    assert view.value("a/level", "mode") == "rms" and view.value("b/level", "mode") == "peak"
    cables = {str(cable) for cable in view.cables}
    assert "noise.y -> a/x.x" in cables and "a/x.y -> a/filter.x" in cables and "a/low.y -> b/x.x" in cables
    assert "a/said.y -> b/go.x" in cables
    assert "lfo.y -> b/filter.cutoff" in cables, "a signal into a parameter goes to the controls that it moves"
    assert not any(cable.startswith("lfo.y -> b/cutoff") for cable in cables)
    assert flatten(load(folder / "main.ng")).cables == view.cables, "the same every time"


def test_a_patch_without_subpatches_stays_as_it_is() -> None:
    graph = Graph()
    graph.connect(graph.add("sine~"), graph.add("out~"))
    from nodegraph.core.document import Document

    flat = flatten(Document(graph))
    assert list(flat.nodes.values()) == list(graph.nodes.values())
    assert list(flat.cables) == list(graph.cables)


def test_ports_have_addresses_in_the_graph_that_is_played(folder: Path) -> None:
    document = load(folder / "main.ng")
    view = document.graph.view
    assert address(view, "a", "cutoff") == ("a/cutoff", "value")
    assert address(view, "a", "go") == ("a/go", "x")
    assert address(view, "a", "said") == ("a/said", "y")
    assert address(view, "noise", "y") == ("noise", "y")
    assert address(view, "a/filter", "cutoff") == ("a/filter", "cutoff")
    inner, id = document_of(document, "a/filter")
    assert inner.path == folder / "voice.ng" and id == "filter"


def test_parameters_arguments_and_factors_go_through_several_patches(folder: Path) -> None:
    write(
        folder / "pair.ng",
        {
            "bright": {"kind": "param", "default": 5_000, "low": 20, "high": 30_000},
            "mode": {"kind": "argument", "default": "peak"},
            "x": {"kind": "inlet~"},
            "one": {"kind": "voice.ng", "wave": "$mode", "oversample": "2"},
            "two": {"kind": "voice.ng", "cutoff": 50},
            "y": {"kind": "outlet~"},
        },
        ["x.y -> one.x", "one.low -> two.x", "two.low -> y.x", "bright.y -> one.cutoff"],
    )
    write(
        folder / "top.ng",
        {
            "pair": {"kind": "pair.ng", "bright": 30_000, "mode": "rms", "oversample": "4"},
            "move": {"kind": "sine~"},
            "out": {"kind": "out~"},
        },
        ["pair.y -> out.x", "move.y -> pair.bright"],
    )
    flat = flatten(load(folder / "top.ng"))
    assert flat.value("pair/one/filter", "cutoff") == 20_000, "held within the inner span"
    assert flat.value("pair/two/filter", "cutoff") == 50
    assert flat.value("pair/one/level", "mode") == "rms" and flat.value("pair/two/level", "mode") == "peak"
    assert "move.y -> pair/one/filter.cutoff" in {str(cable) for cable in flat.cables}
    factors = flat._store.factors
    assert factors["pair/one/filter"] == 8 and factors["pair/two/filter"] == 4 and "move" not in factors


def test_files_inside_are_meant_from_their_own_patch(folder: Path) -> None:
    write(
        folder / "sounds" / "player.ng",
        {
            "sample": {"kind": "argument", "default": "own.wav"},
            "a": {"kind": "play~", "file": "$sample"},
            "b": {"kind": "play~", "file": "fixed.wav"},
        },
    )
    write(
        folder / "top.ng",
        {"one": {"kind": "sounds/player.ng"}, "two": {"kind": "sounds/player.ng", "sample": "theirs.wav"}},
    )
    view = flatten(load(folder / "top.ng"))
    assert view.value("one/a", "file") == str(folder / "sounds" / "own.wav")
    assert view.value("one/b", "file") == view.value("two/b", "file") == str(folder / "sounds" / "fixed.wav")
    assert view.value("two/a", "file") == "theirs.wav", "meant from the patch that says it"


def test_the_file_is_written_back_as_it_was(folder: Path) -> None:
    text = dumps(load(folder / "main.ng"))
    assert '"a": {"kind": "voice.ng", "cutoff": 400, "wave": "rms"}' in text
    (folder / "main.ng").write_text(text)
    (folder / "voice.ng").rename(folder / "gone.ng")
    assert dumps(load(folder / "main.ng")) == text, "also when the subpatch has vanished"


def test_an_abstraction_is_edited_once_and_changes_everywhere(folder: Path) -> None:
    document = load(folder / "main.ng")
    before = document.graph.node("a").spec
    assert document.graph.refresh() == []
    (folder / "voice.ng").write_text((folder / "voice.ng").read_text() + "\n")
    nodes = {**VOICE, "drive": {"kind": "param", "default": 2, "low": 1, "high": 5}}
    write(folder / "voice.ng", nodes, VOICE_CABLES)
    assert document.graph.refresh() == ["a", "b"]
    spec = document.graph.node("a").spec
    assert spec is not before and spec is document.graph.node("b").spec
    assert spec is not None and "drive" in spec.inlet_named
    assert document.graph.value("a", "cutoff") == 400


def test_a_value_is_held_against_the_span_of_the_parameter(folder: Path) -> None:
    graph = load(folder / "main.ng").graph
    with pytest.raises(PatchError, match="20 to 20000 Hz"):
        graph.set("a", "cutoff", 5)
    with pytest.raises(PatchError, match="no parameter 'cutof'"):
        graph.set("a", "cutof", 500)
    graph.set("a", "oversample", "4")
    with pytest.raises(PatchError, match="one of 1, 2, 4, 8"):
        graph.set("a", "oversample", "3")


def problems_of(path: Path) -> list[str]:
    return [problem.describe() for problem in check_file(path)]


def test_what_is_wrong_is_told_where_it_is(folder: Path) -> None:
    main = folder / "main.ng"
    assert problems_of(main) == []
    nodes = json.loads(main.read_text())["nodes"]

    def said(change: dict[str, Any], cables: list[str] = []) -> str:  # noqa: B006
        write(folder / "bad.ng", {**nodes, **change}, cables)
        found = problems_of(folder / "bad.ng")
        assert len(found) == 1, found
        return found[0]

    assert "There is no patch file 'gone.ng'" in said({"a": {"kind": "gone.ng"}})
    assert "lies outside" in said({"a": {"kind": "../voice.ng"}})
    assert "'a'" in said({"a": {"kind": "voice.ng", "cutoff": 1e9}})
    assert "has no parameter 'cutof'. Did you mean 'cutoff'?" in said({"a": {"kind": "voice.ng", "cutof": 1}})
    assert "has no outlet 'high'" in said({}, ["a.high -> out.x"])
    assert "has no argument 'nothing'" in said({"c": {"kind": "play~", "file": "$nothing"}})
    (folder / "broken.ng").write_text("{")
    assert "The patch file 'broken.ng' cannot be read" in said({"a": {"kind": "broken.ng"}})
    assert "outside 5 to 9" in said({"p": {"kind": "param", "default": 1, "low": 5, "high": 9}})


def test_an_expression_may_come_from_outside(folder: Path) -> None:
    """The ports of the node are those of the default until then, so that its cables are known."""
    nodes = {"x": {"kind": "inlet~"}, "bend": {"kind": "argument", "default": "x1"}, "low": {"kind": "outlet~"}}
    write(folder / "bent.ng", {**nodes, "do": {"kind": "expr~", "code": "$bend"}}, ["x.y -> do.x1", "do.y -> low.x"])
    outer = {"noise": {"kind": "noise~"}, "out": {"kind": "out~"}}
    cables = ["noise.y -> b.x", "b.low -> out.x"]
    path = write(folder / "main.ng", {**outer, "b": {"kind": "bent.ng", "bend": "tanh(3 * x1)"}}, cables)
    assert problems_of(path) == []
    assert flatten(load(path)).nodes["b/do"].params["code"] == "tanh(3 * x1)"
    (wrong,) = problems_of(
        write(folder / "main.ng", {**outer, "b": {"kind": "bent.ng", "bend": "tanh(3 * x1"}}, cables)
    )
    assert "'b/do'" in wrong and "tanh(3 * x1" in wrong


def test_problems_inside_name_the_inner_file_once(folder: Path) -> None:
    nodes = {**VOICE, "filter": {"kind": "svf~", "resonance": 7}}
    write(folder / "voice.ng", nodes, VOICE_CABLES)
    (problem,) = check_file(folder / "main.ng")
    assert problem.file == str(folder / "voice.ng") and problem.node == "filter" and problem.port == "resonance"
    assert problem.line is not None and "resonance" in (folder / "voice.ng").read_text().splitlines()[problem.line - 1]


def test_recursion_is_refused_with_the_way(folder: Path) -> None:
    write(folder / "one.ng", {"in": {"kind": "inlet"}, "next": {"kind": "two.ng"}})
    write(folder / "two.ng", {"back": {"kind": "one.ng"}})
    write(folder / "self.ng", {"me": {"kind": "self.ng"}})
    (found,) = problems_of(folder / "self.ng")
    assert "'self.ng' would contain itself: 'self.ng' -> 'self.ng'" in found and "self.ng:" in found
    found = problems_of(folder / "one.ng")
    assert any("'one.ng' -> 'two.ng' -> 'one.ng'" in text for text in found), found


def test_too_many_nodes_are_refused_before_they_are_made(tmp_path: Path) -> None:
    write(tmp_path / "p0.ng", {f"n{k}": {"kind": "number"} for k in range(10)})
    for level in range(1, 12):
        write(tmp_path / f"p{level}.ng", {f"n{k}": {"kind": f"p{level - 1}.ng"} for k in range(10)})
    (problem,) = check_file(tmp_path / "p11.ng")
    assert problem.code == "too-many-nodes" and str(MOST_NODES) in problem.what


def test_patches_stand_no_deeper_than_the_limit(tmp_path: Path) -> None:
    write(tmp_path / "p0.ng", {"n": {"kind": "number"}})
    for level in range(1, 40):
        write(tmp_path / f"p{level}.ng", {"n": {"kind": f"p{level - 1}.ng"}})
    assert problems_of(tmp_path / "p31.ng") == []
    assert any("patches deep" in text for text in problems_of(tmp_path / "p39.ng"))


def test_a_loop_of_messages_through_subpatches_is_found_and_only_then(folder: Path) -> None:
    nodes = {"a": {"kind": "voice.ng"}, "n": {"kind": "number"}}
    write(folder / "loop.ng", nodes, ["a.said -> n.x", "n.y -> a.go"])
    assert any("Loop of messages without a delay" in text for text in problems_of(folder / "loop.ng"))
    write(folder / "fine.ng", nodes, ["a.said -> n.x", "n.y -> a.cutoff"])
    assert problems_of(folder / "fine.ng") == [], "the parameter does not lead to that outlet"
