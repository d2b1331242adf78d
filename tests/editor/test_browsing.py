"""The browser without its panel: what is found, what becomes of it on the canvas, and help."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from nodegraph import Patch
from nodegraph.core.spec import NodeSpec
from nodegraph.editor.browsing import Row, flowing, size_text
from nodegraph.editor.editing import Editing
from nodegraph.editor.helping import help_folder
from nodegraph.models import Store
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.editor.editors import joined, settled, until
from tests.models.conftest import declare, manifest, slow_index
from tests.own.nets import SPIKES, TAGGER, gather, low_or_high, save, told


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    (home / "parts").mkdir(parents=True)
    Patch().save(home / "open.ng")
    inner = Patch("Half")
    inner.connect(inner.add("inlet~", "x"), inner.add("gain~"), inner.add("outlet~", "y"))
    inner.save(home / "parts" / "half.ng")
    inner.save(home / "parts" / "quarter.ng")
    soundfile.write(home / "two words.wav", np.linspace(-1, 1, 4_800, dtype=np.float32), 48_000)
    save(told(low_or_high(), TAGGER), home / "net.onnx")
    save(told(gather(), SPIKES), home / "spikes.onnx")
    for name in ("tune.mid", "voice.ts"):
        (home / name).write_bytes(b"-")
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path / "store"))
    monkeypatch.setenv("NODEGRAPH_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("NODEGRAPH_MEDIA", raising=False)
    return home


@pytest.fixture
def editing(folder: Path) -> Iterator[Editing]:
    with (
        Session(Patch.open(folder / "open.ng"), driver="null") as session,
        Server(session) as server,
        joined(server) as editing,
    ):
        editing.browsing.want()
        until(editing, lambda: editing.browsing.folders and editing.browsing.models, "files and models")
        yield editing


def row(editing: Editing, name: str) -> Row:
    (found,) = [item for item in editing.browsing.rows if item.name == name]
    return found


def test_every_node_kind_stands_in_a_family_and_is_found_by_words(editing: Editing) -> None:
    kinds = {spec.kind for spec in editing.mirror.document.graph.registry}
    nodes = [item for item in editing.browsing.rows if item.section == "Nodes"]
    assert {item.name for item in nodes} == kinds and all(item.group and item.words for item in nodes)
    assert [item.group for item in nodes] == sorted(item.group for item in nodes), "each heading once"
    editing.browsing.find("cycle~")
    assert editing.browsing.rows[0].name == "sine~"
    editing.browsing.find("two")
    assert [item.name for item in editing.browsing.rows if item.section == "Samples"] == ["two words.wav"]
    editing.browsing.find("yamnet")
    assert {"yamnet.tag~", "yamnet"} <= {item.name for item in editing.browsing.rows}


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        ("svf~", "svf~", {}),
        ("two words.wav", "play~", {"file": "two words.wav"}),
        ("tune.mid", "midifile", {"file": "tune.mid"}),
        ("parts/half.ng", "parts/half.ng", {}),
        ("net.onnx", "tagger~", {"file": "net.onnx"}),
        ("spikes.onnx", "spikes~", {"file": "spikes.onnx"}),
        ("openl3-env", "openl3~", {"content": "env"}),
    ],
)
def test_what_is_let_go_on_the_canvas_is_a_node_there(
    editing: Editing, name: str, kind: str, values: dict[str, Any]
) -> None:
    browsing = editing.browsing
    browsing.take(row(editing, name))
    browsing.carry((-100.0, 50.0))
    browsing.carry((300.0, 200.0))
    assert browsing.let_go((300.0, 200.0)) and browsing.carried is None
    settled(editing)
    (entry,) = editing.mirror.document.graph.nodes.values()
    assert entry.kind == kind and {key: entry.params.get(key) for key in values} == values
    place = editing.mirror.document.place(entry.id)
    assert place is not None and np.allclose(place, editing.viewport.patch(300.0, 200.0), atol=1.0)
    assert editing.selection.nodes == {entry.id}
    editing.undo()
    until(editing, lambda: not editing.mirror.document.graph.nodes, "that it is undone")


def test_a_model_that_is_none_is_refused_in_words(editing: Editing) -> None:
    voice = row(editing, "voice.ts")
    assert editing.browsing.node_of(voice) == ("nn~", {"file": "voice.ts"})
    assert not editing.browsing.add(voice) and "It is no TorchScript" in editing.lines[-1]


def test_a_click_or_a_hand_beside_the_canvas_makes_nothing(editing: Editing) -> None:
    browsing, svf = editing.browsing, row(editing, "svf~")
    for way in ([(-50.0, 50.0)], [(-50.0, 50.0), (-20.0, 90.0)], []):
        browsing.take(svf)
        for at in way:
            browsing.carry(at)
        assert not browsing.let_go(way[-1] if way else (100.0, 100.0))
    assert browsing.chosen == svf and not editing.mirror.document.graph.nodes
    assert browsing.add() and browsing.add()
    settled(editing)
    one, two = (editing.mirror.document.place(id) for id in ("svf1", "svf2"))
    assert one is not None and two is not None and two[1] > one[1], "not upon one another"


def test_keys_choose_and_act(editing: Editing) -> None:
    browsing = editing.browsing
    browsing.find("two words")
    browsing.step(1)
    assert browsing.chosen is not None and browsing.chosen.name == "two words.wav"
    until(editing, lambda: browsing.peaks["two words.wav"], "its waveform")
    found = browsing.peaks["two words.wav"]
    assert (found["seconds"], found["rate"], found["channels"], len(found["low"])) == (0.1, 48_000, 1, 256)
    browsing.act()
    until(editing, lambda: browsing.heard == "two words.wav", "that it is heard")
    until(editing, lambda: browsing.heard is None, "its end")
    assert not editing.playing and editing.mirror.undo_label is None


def test_a_patch_is_opened_and_what_is_unsaved_is_asked_about(editing: Editing) -> None:
    browsing = editing.browsing
    browsing.add(row(editing, "svf~"))
    settled(editing)
    browsing.choose(row(editing, "parts/half.ng"))
    asked: list[Any] = []
    editing.files.sure = lambda title, text, answers: asked.append(dict(answers))
    browsing.open()
    asked.pop()["Go on"]()
    browsing.act()
    assert "svf1" in editing.mirror.document.graph.nodes
    asked.pop()["Open, and lose them"]()
    until(editing, lambda: editing.mirror.document.title == "Half", "the other patch")
    assert not editing.mirror.unsaved and not asked
    until(editing, lambda: row(editing, "half.ng"), "the files beside that one")


def test_a_file_that_only_the_engine_has_becomes_a_node_there(editing: Editing, folder: Path) -> None:
    browsing = editing.browsing
    half = row(editing, "parts/half.ng")
    editing.mirror.document.graph.registry.lie_in(folder.parent / "elsewhere" / "open.ng")  # as on another machine
    assert "parts/half.ng" not in editing.mirror.document.graph.registry
    assert browsing.add(half, (40.0, 80.0))
    until(editing, lambda: editing.mirror.document.graph.nodes, "the node that the engine has made")
    (entry,) = editing.mirror.document.graph.nodes.values()
    assert entry.kind == "parts/half.ng"


def test_in_a_subpatch_a_file_is_named_from_there(editing: Editing) -> None:
    browsing = editing.browsing
    browsing.add(row(editing, "parts/half.ng"))
    settled(editing)
    editing.sheets.open_selected()
    until(editing, lambda: editing.mirror.sheet is not None and editing.mirror.ready, "the subpatch's sheet")
    assert browsing.add(row(editing, "parts/quarter.ng"))
    settled(editing)
    assert "quarter.ng" in {entry.kind for entry in editing.mirror.document.graph.nodes.values()}


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    return slow_index(monkeypatch)


def test_a_model_is_fetched_by_a_click_after_its_licence_and_cancelled(
    editing: Editing, index: threading.Event
) -> None:
    declare(Store(), manifest(non_commercial=True, licence="CC-BY-NC-4.0"))
    browsing = editing.browsing
    browsing.refresh()
    until(editing, lambda: "net" in browsing.models, "the model")
    browsing.choose(row(editing, "net"))
    browsing.act()
    assert browsing.accepting == "net" and browsing.models["net"]["state"] == "missing"
    browsing.act()
    until(editing, lambda: browsing.models["net"].get("done", 0) > 0, "how far it is")
    assert row(editing, "net").words.startswith("on its way")
    browsing.act()  # once more: cancel
    until(editing, lambda: browsing.models["net"]["state"] == "missing", "its end")
    index.set()
    browsing.fetch("net", accept_licence=True)
    until(editing, lambda: browsing.models["net"]["state"] == "here", "the model")
    assert Store().info("net").state == "here"


def test_help_of_the_selected_object_opens_in_a_window_of_its_own(editing: Editing) -> None:
    opened: list[Path] = []
    editing.actions["help"]()
    assert "Select one object" in editing.lines[-1]
    browsing = editing.browsing
    browsing.add(row(editing, "pluck~"))
    editing.actions["help"]()
    assert "No further window" in editing.lines[-1]
    editing.helping.window = opened.append
    editing.actions["help"]()
    (path,) = opened
    assert path.is_relative_to(help_folder()) and Patch.open(path).check() == []
    assert "pluck~" in Patch.open(path).title and "pluck~" in editing.lines[-1]
    browsing.choose(row(editing, "*"))
    browsing.act()
    assert len(opened) == 2 and Patch.open(opened[1])["node"].kind == "*"
    browsing.add(row(editing, "parts/half.ng"))
    editing.actions["help"]()
    assert "has no help patch" in editing.lines[-1] and len(opened) == 2
    assert isinstance(row(editing, "pluck~").what, NodeSpec)


def test_help_flows_and_sizes_are_short() -> None:
    assert (
        flowing("One ``a``\n`two`.\n\nThree\nfour.\n\na list:\n  - x") == "One a two.\n\nThree four.\n\na list:\n  - x"
    )
    assert [size_text(size) for size in (12, 48_044, 2_500_000, 3e9)] == ["12 B", "48.0 kB", "2.5 MB", "3.0 GB"]
