"""Files that want to read elsewhere, or are not what they say, do not come into the store; and nothing of them runs."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from nodegraph.core.errors import ModelError
from nodegraph.models import Store
from nodegraph.models.examine import examine

WEIGHT = np.arange(4, dtype=np.float32)


def network(location: str | None = None, where: str = "initialiser") -> onnx.ModelProto:
    """x + w, with w in another file if `location` says so."""
    tensor = numpy_helper.from_array(WEIGHT, "w")
    if location is not None:
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=location)
    nodes = [helper.make_node("Add", ["x", "w"], ["y"])]
    initialisers = [tensor]
    if where == "constant":
        nodes.insert(0, helper.make_node("Constant", [], ["w"], value=tensor))
        initialisers = []
    elif where == "subgraph":
        inner = helper.make_graph([helper.make_node("Identity", ["w"], ["z"])], "inner", [],
                                  [helper.make_tensor_value_info("z", 1, [4])], [tensor])  # fmt: skip
        nodes = [helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)]
        initialisers = []
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", 1, [4])],
                              [helper.make_tensor_value_info("y", 1, [4])], initialisers)  # fmt: skip
    return helper.make_model(graph)


def safetensors(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(begin: int, end: int, shape: tuple[int, ...] = (4,), dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


GOOD: dict[str, bytes] = {
    "a.onnx": network().SerializeToString(),
    "a.safetensors": safetensors({"w": tensor(0, 16), "__metadata__": {"by": "us"}}, WEIGHT.tobytes()),
    "a.json": json.dumps({"deep": [[['}{ " [']]]}).encode(),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_as_it_should_be_passes(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(GOOD[name])
    examine({name: tmp_path / name})


def test_any_name_will_do(tmp_path: Path) -> None:
    """Through the store, that is by way of another process."""
    (tmp_path / "a=b c.onnx").write_bytes(GOOD["a.onnx"])
    store = Store(tmp_path / "store")
    store.add(tmp_path / "a=b c.onnx", name="mine", licence="MIT")
    assert store.files("mine")["model"].name == "a=b c.onnx"


def test_weights_beside_the_graph_are_its_own(tmp_path: Path) -> None:
    for name, data in (("a.onnx", network("a.data").SerializeToString()), ("a.data", WEIGHT.tobytes())):
        (tmp_path / name).write_bytes(data)
    examine({name: tmp_path / name for name in ("a.onnx", "a.data")})
    with pytest.raises(ModelError, match="no file of this model"):
        examine({"a.onnx": tmp_path / "a.onnx"})


OUTSIDE = ("/etc/passwd", "../secret", "..\\secret", "folder/a.data", "./a.data", ".hidden", "C:\\a.data", "", "~/a",
           "a.data\0", "/proc/self/mem", "file:///etc/passwd", "//server/share/a.data")  # fmt: skip


@pytest.mark.parametrize("where", ["initialiser", "constant", "subgraph"])
@pytest.mark.parametrize("location", OUTSIDE)
def test_no_graph_reads_a_file_that_is_not_its_own(tmp_path: Path, location: str, where: str) -> None:
    for name, data in (("a.onnx", network(location, where).SerializeToString()), ("a.data", WEIGHT.tobytes())):
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelError) as caught:
        examine({name: tmp_path / name for name in ("a.onnx", "a.data")})
    assert caught.value.problems[0].code == "outside"


HOSTILE: dict[str, Callable[[], tuple[str, bytes]]] = {
    "an onnx that is none": lambda: ("a.onnx", b"onnx " * 1000),
    "an empty onnx": lambda: ("a.onnx", b""),
    "a cut onnx": lambda: ("a.onnx", network().SerializeToString()[:-7]),
    "an onnx that is a pickle": lambda: ("a.onnx", b"\x80\x04cposix\nsystem\n(S'touch canary'\ntR."),
    "a header longer than the file": lambda: ("a.safetensors", safetensors({"w": tensor(0, 16)}, b"", 1 << 40)),
    "a header of a hundred gigabytes": lambda: ("a.safetensors", struct.pack("<Q", 100 << 30) + b"{}" * 100),
    "a header that is no text": lambda: ("a.safetensors", safetensors(b"\xff\xfe\x00" * 5)),
    "a header that is a list": lambda: ("a.safetensors", safetensors([1, 2])),
    "a header cut off": lambda: ("a.safetensors", safetensors(b'{"w": {"dtype": "F32"')),
    "no header": lambda: ("a.safetensors", b"\x00" * 4),
    "a tensor beyond the end": lambda: ("a.safetensors", safetensors({"w": tensor(0, 1 << 30, (1 << 28,))}, b"x" * 16)),
    "a tensor before the beginning": lambda: ("a.safetensors", safetensors({"w": tensor(-16, 0)}, b"x" * 16)),
    "a tensor of the wrong length": lambda: ("a.safetensors", safetensors({"w": tensor(0, 8)}, b"x" * 16)),
    "a tensor of an unknown type": lambda: ("a.safetensors", safetensors({"w": tensor(0, 16, (4,), "OBJ")}, b"x" * 16)),
    "two tensors in one place": lambda: (
        "a.safetensors", safetensors({"v": tensor(0, 16), "w": tensor(8, 24)}, b"x" * 24),
    ),
    "a shape that is none": lambda: (
        "a.safetensors", safetensors({"w": {"dtype": "F32", "shape": "4", "data_offsets": [0, 16]}}, b"x" * 16),
    ),
    "offsets that are none": lambda: (
        "a.safetensors", safetensors({"w": {"dtype": "F32", "shape": [4], "data_offsets": None}}, b"x" * 16),
    ),
    "an array of objects": lambda: ("a.npy", _objects()),
    "an array cut off": lambda: ("a.npy", _saved(np.zeros(1000))[:200]),
    "a json a million deep": lambda: ("a.json", b"[" * 1_000_000 + b"]" * 1_000_000),
    "a json a hundred deep": lambda: ("a.json", b'{"a":' * 100 + b"1" + b"}" * 100),
    "a json that is none": lambda: ("a.json", b"{'a': __import__('os').system('touch canary')}"),
}  # fmt: skip


def _saved(array: Any) -> bytes:
    import io

    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def _objects() -> bytes:
    class Canary:
        def __reduce__(self) -> Any:
            return os.system, ("touch canary",)

    return _saved(np.array([Canary()], dtype=object))


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_what_it_says_does_not_come_in(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the door that users take: the store. It is left as it was."""
    monkeypatch.chdir(tmp_path)
    file, data = HOSTILE[name]()
    (tmp_path / file).write_bytes(data)
    store = Store(tmp_path / "store")
    with pytest.raises(ModelError) as caught:
        store.add(tmp_path / file, name="mine", licence="unknown")
    problem = caught.value.problems[0]
    assert problem.code in ("damaged", "unsafe-format") and str(problem.file).endswith(file), problem
    assert not (tmp_path / "canary").exists() and not any(item.name == "mine" for item in store.list())


def test_links_in_a_folder_of_others_lead_nowhere_else(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (tmp_path / "secret").write_bytes(GOOD["a.onnx"])
    (theirs / "model.onnx").symlink_to(tmp_path / "secret")
    store = Store(tmp_path / "store")
    with pytest.raises(ModelError, match="outside the folder"):
        store.add(theirs, name="mine", licence="unknown")


def test_a_hubs_cache_is_links_into_its_blobs(tmp_path: Path) -> None:
    snapshot, blobs = tmp_path / "hub/models--a/snapshots/abc", tmp_path / "hub/models--a/blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    (blobs / "0123").write_bytes(GOOD["a.onnx"])
    (snapshot / "model.onnx").symlink_to("../../blobs/0123")
    store = Store(tmp_path / "store")
    store.add(snapshot, name="mine", licence="MIT")
    assert store.files("mine")["model.onnx"].read_bytes() == GOOD["a.onnx"]
