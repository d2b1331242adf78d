"""A Python file as a kind: opening a patch runs nothing, and what is not trusted stays a placeholder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nodegraph.core.check import check_file
from nodegraph.core.errors import Problem
from nodegraph.core.ownfiles import declared, own_file, remember, shelf, told
from nodegraph.core.patchfile import dumps, load, save
from nodegraph.core.registry import registry
from nodegraph.core.spec import Role
from nodegraph.core.trust import trust
from tests.usernodes.files import WOBBLE, patch_text, write

NODES = {
    "out": {"kind": "out~"}, "source": {"kind": "sine~"},
    "w": {"kind": "wobble.py", "depth": 0.9, "stranger": [1, 2], "freq": 3},
}  # fmt: skip
CABLES = ["source.y -> w.x", "w.y -> out.x"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A patch and its node, whose code leaves a mark when it runs."""
    monkeypatch.setenv("NODEGRAPH_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("NODEGRAPH_CACHE", str(tmp_path / "cache"))
    home = tmp_path / "home"
    home.mkdir()
    write(home / "wobble.py", WOBBLE + f"\nopen({str(tmp_path / 'mark')!r}, 'w').close()\n")
    write(home / "main.ng", patch_text(NODES, CABLES))
    return home


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, problems
    return problems[0]


def test_a_patch_with_a_file_that_is_not_trusted_opens_and_says_how_to_trust(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    document = load(folder / "main.ng")
    entry = document.graph.node("w")
    assert entry.spec is None and set(entry.extra) == {"depth", "stranger", "freq"}
    problem = only(check_file(folder / "main.ng"))
    assert (problem.code, problem.line, problem.node) == ("untrusted-node", 6, "w")
    assert problem.do == "Read it, then run: nodegraph trust ./wobble.py"
    monkeypatch.chdir(folder.parent)
    assert only(check_file(folder / "main.ng")).do.endswith("nodegraph trust ./home/wobble.py")
    (folder.parent / "elsewhere").mkdir()
    monkeypatch.chdir(folder.parent / "elsewhere")
    (folder / "wob ble.py").write_text("")
    write(folder / "main.ng", patch_text({"w": {"kind": "wob ble.py"}}, []))
    assert only(check_file(folder / "main.ng")).do.endswith(f"nodegraph trust '{folder}/wob ble.py'")
    assert not (folder.parent / "mark").exists(), "nothing of it ran"


def test_it_is_saved_to_the_byte(folder: Path) -> None:
    text = (folder / "main.ng").read_bytes()
    document = load(folder / "main.ng")
    assert dumps(document).encode() == text
    save(document, folder / "other.ng")
    assert (folder / "other.ng").read_bytes() == text


def test_opening_runs_nothing_of_a_trusted_file_either(folder: Path) -> None:
    trust(folder / "wobble.py")
    assert only(check_file(folder / "main.ng")).code == "unread-node"
    assert not (folder.parent / "mark").exists()


def test_what_it_declared_once_is_known_without_running_it(folder: Path) -> None:
    trust(folder / "wobble.py")
    sine = registry().get("svf~")
    assert sine is not None
    remember(own_file(folder, "wobble.py"), {**declared(sine), "kind": "wobble~"})
    entry = load(folder / "main.ng").graph.node("w")
    assert entry.spec is not None and entry.spec.kind == "wobble.py" and entry.spec.role is Role.KERNEL
    assert [item.name for item in entry.spec.inlets] == [item.name for item in sine.inlets]
    assert entry.spec.controls == sine.controls
    assert not shelf.is_loaded(own_file(folder, "wobble.py")) and not (folder.parent / "mark").exists()


@pytest.mark.parametrize(
    "spoilt", ["", "{", "[]", '{"form": 1}', '{"form": 0, "role": "kernel"}', '{"role": "device"}']
)
def test_spoilt_declarations_are_as_none(folder: Path, spoilt: str) -> None:
    trust(folder / "wobble.py")
    file = own_file(folder, "wobble.py")
    remember(file, {})
    (kept,) = (folder.parent / "cache" / "nodes").iterdir()
    kept.write_text(spoilt)
    assert only(check_file(folder / "main.ng")).code == "unread-node"


@pytest.mark.parametrize("kind", ["svf~", "delay~", "metro", "level~", "expr~"])
def test_declarations_come_back_as_they_were(kind: str) -> None:
    spec = registry().get(kind)
    assert spec is not None
    again = told(declared(spec))
    assert (again.inlets, again.outlets, again.settings) == (spec.inlets, spec.outlets, spec.settings)
    assert [item.name for item in again.inlets] == [item.name for item in spec.inlets]
    assert again.role is spec.role and again.help == spec.help


@pytest.mark.parametrize("kind", ["../secret.py", "{folder}/../secret.py", "link.py", "../home/../secret.py"])
def test_no_file_outside_the_patch_s_folder_is_a_kind(folder: Path, kind: str) -> None:
    secret = write(folder.parent / "secret.py", WOBBLE)
    trust(secret)
    os.symlink(secret, folder / "link.py")
    write(folder / "main.ng", patch_text({"w": {"kind": kind.format(folder=folder)}}, []))
    problem = only(check_file(folder / "main.ng"))
    assert problem.code == "outside-file" and "beside the patch" in problem.do


def test_media_folders_hold_no_nodes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    media = folder.parent / "media"
    media.mkdir()
    trust(write(media / "wave.py", WOBBLE))
    monkeypatch.setenv("NODEGRAPH_MEDIA", str(media))
    write(folder / "main.ng", patch_text({"w": {"kind": "wave.py"}}, []))
    assert only(check_file(folder / "main.ng")).code == "missing-node"


@pytest.mark.parametrize(
    ("kind", "code"), [("nothing.py", "missing-node"), ("folder.py", "missing-file"), ("large.py", "too-large")]
)  # fmt: skip
def test_what_is_no_file_of_a_node_is_told(folder: Path, kind: str, code: str) -> None:
    (folder / "folder.py").mkdir()
    (folder / "large.py").write_bytes(b"#" * 1_000_001)
    write(folder / "main.ng", patch_text({"w": {"kind": kind}}, []))
    assert only(check_file(folder / "main.ng")).code == code


def test_inside_a_subpatch_it_is_found_beside_that(folder: Path) -> None:
    (folder / "parts").mkdir()
    write(folder / "parts" / "inner.ng", patch_text({"w": {"kind": "mine.py"}}, []))
    write(folder / "parts" / "mine.py", WOBBLE)
    write(folder / "main.ng", patch_text({"p": {"kind": "parts/inner.ng"}}, []))
    problem = only(check_file(folder / "main.ng"))
    assert problem.code == "untrusted-node" and problem.file == str(folder / "parts" / "inner.ng")
    trust(folder / "parts" / "mine.py")
    assert only(check_file(folder / "main.ng")).code == "unread-node"
