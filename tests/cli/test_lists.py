"""`nodegraph nodes`, `devices`, `models`: what there is."""

import json
from pathlib import Path

import pytest

from nodegraph import registry
from nodegraph.runtime.drivers import Device
from tests.cli.conftest import Command
from tests.models.conftest import network


def test_every_kind_is_listed_by_family(nodegraph: Command) -> None:
    said = nodegraph("nodes")
    assert said.code == 0
    missing = [spec.kind for spec in registry() if f"{spec.kind} " not in said.out]
    assert not missing
    assert "filters\n" in said.out and "oscillators\n" in said.out


def test_kinds_are_found_by_words_and_by_the_words_of_other_programs(nodegraph: Command) -> None:
    assert "svf~" in nodegraph("nodes", "low-pass").out
    page = nodegraph("nodes", "cycle~").out
    assert page.startswith("sine~") and "freq" in page and "also called" in page
    assert nodegraph("nodes", "zzzzqqqq").code == 2


def test_the_help_of_each_kind_shows_each_port(nodegraph: Command) -> None:
    for spec in registry():
        page = nodegraph("nodes", spec.kind).out
        absent = [item.name for item in (*spec.inlets, *spec.outlets, *spec.settings) if item.name not in page]
        assert not absent, f"{spec.kind}: {absent}"
        assert spec.summary in page


def test_kinds_for_programs(nodegraph: Command) -> None:
    told = json.loads(nodegraph("nodes", "svf~", "--json").out)["nodes"]
    assert [item["kind"] for item in told] == ["svf~"]
    assert {port["name"] for port in told[0]["outlets"]} == {"low", "band", "high", "notch"}
    assert len(json.loads(nodegraph("nodes", "--json").out)["nodes"]) == len(registry())


def test_devices_are_listed(nodegraph: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    card = Device(3, "Fancy Card", "ALSA", 2, 8, 44_100, False, True)
    monkeypatch.setattr("nodegraph.runtime.drivers.devices", lambda: [card])
    assert "3  Fancy Card (ALSA): 2 in, 8 out, 44100 Hz, default output" in nodegraph("devices").out
    assert json.loads(nodegraph("devices", "--json").out)["devices"][0]["name"] == "Fancy Card"
    monkeypatch.setattr("nodegraph.runtime.drivers.devices", list)
    assert "null driver" in nodegraph("devices").out


def test_the_life_of_a_model(tmp_path: Path, nodegraph: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path / "store"))
    listed = nodegraph("models", "list").out
    assert all(name in listed for name in ("yamnet", "silero-vad", "swift-f0", "basic-pitch", "demo-sound"))
    assert "missing" in listed
    info = nodegraph("models", "info", "yamnet").out
    assert "licence" in info and "sha256" in info and "pypi:" in info
    (tmp_path / "mine.onnx").write_bytes(network(1_000))
    said = nodegraph("models", "add", tmp_path / "mine.onnx", "--name", "mine", "--licence", "MIT")
    assert said.code == 0, said.err
    assert nodegraph("models", "verify").out == "all well: mine\n"
    assert nodegraph("models", "fetch", "mine").out.startswith("mine: is here")
    stored = Path(json.loads(nodegraph("models", "info", "mine", "--json").out)["folder"]) / "mine.onnx"
    stored.write_bytes(b"altered")
    broken = nodegraph("models", "verify", "mine")
    assert broken.code == 2 and str(stored) in broken.err
    assert nodegraph("models", "remove", "mine").out.startswith("mine: removed")
    gone = nodegraph("models", "info", "mine")
    assert gone.code == 2 and "knows no model 'mine'" in gone.err


def test_models_that_cannot_be_had_are_all_told(
    tmp_path: Path, nodegraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path / "store"))
    monkeypatch.setenv("NODEGRAPH_OFFLINE", "1")
    said = nodegraph("models", "fetch", "yamnet", "swift-f0", "nothing-of-this-name")
    lines = said.err.strip().splitlines()
    assert said.code == 2 and len(lines) == 3, said.err
    assert "NODEGRAPH_OFFLINE" in lines[0] and "swift-f0" in lines[1] and "nothing-of-this-name" in lines[2]


def test_the_version(nodegraph: Command) -> None:
    from nodegraph import __version__

    assert nodegraph("--version").out == f"nodegraph {__version__}\n"


def test_help_names_every_command(nodegraph: Command) -> None:
    said = nodegraph("--help")
    for name in ("run", "render", "check", "nodes", "validate", "devices", "models", "demo"):
        assert f"    {name} " in said.out, name
        assert nodegraph(name, "--help").code == 0


def test_a_patch_file_has_a_help_page_too(tmp_path: Path, nodegraph: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "voice.ng").write_text(
        '{"nodegraph": 1, "title": "A voice", "nodes": {"x": {"kind": "inlet~", "help": "sound to filter"},'
        ' "cutoff": {"kind": "param", "default": 900, "low": 20, "high": 20000, "unit": "Hz"}}}'
    )
    monkeypatch.chdir(tmp_path)
    said = nodegraph("nodes", "voice.ng")
    assert said.code == 0 and "A voice." in said.out and "sound to filter" in said.out and "20 to 20000 Hz" in said.out
    said = nodegraph("nodes", "gone.ng")
    assert said.code == 2 and "There is no patch file 'gone.ng'" in said.err


def test_a_help_patch_is_written_and_plays(nodegraph: Command, tmp_path: Path) -> None:
    path = tmp_path / "try.ng"
    said = nodegraph("nodes", "SVF", "--help-patch", path)
    assert said.code == 0 and str(path) in said.out, said.err
    assert nodegraph("check", path).code == 0
    assert nodegraph("nodes", "play~", "--help-patch", tmp_path / "play.ng").code == 0
    assert (tmp_path / "help-sound.wav").is_file() and nodegraph("check", tmp_path / "play.ng").code == 0
    for words, wrong in (
        (("svf~", "--help-patch", path), "already"),
        (("filter", "--help-patch", tmp_path / "x.ng"), "no help patch"),
        (("--help-patch", tmp_path / "x.ng"), "No kind is named"),
        (("svf~", "--help-patch", tmp_path / "x.txt"), "end in .ng"),
        (("svf~", "--help-patch", tmp_path / "none" / "x.ng"), "no such file or folder"),
    ):
        said = nodegraph("nodes", *words)
        assert said.code == 2
        assert wrong in said.err and said.err.count("\n") == 1, said.err
