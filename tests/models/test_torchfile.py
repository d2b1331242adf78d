"""Tensors come out of PyTorch's files as they went in, and nothing in such a file is run."""

from __future__ import annotations

import io
import os
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph.core.errors import ModelError
from nodegraph.models.convert.torchfile import LEGACY_MAGIC, LEGACY_PROTOCOL, read_tensors, tensors_of


class Stored:
    """A tensor on its way into a pickle."""

    def __init__(self, array: np.ndarray[Any, Any], key: str, kind: str = "FloatStorage", **wrong: Any) -> None:
        self.array, self.key, self.kind = array, key, kind
        self.wrong = wrong


@pytest.fixture(autouse=True)
def pretended() -> Iterator[None]:
    """What the pickles name must be there to be written; the reader never imports it."""
    torch: Any = types.ModuleType("torch")
    utils: Any = types.ModuleType("torch._utils")
    for name in ("FloatStorage", "HalfStorage", "LongStorage", "BFloat16Storage", "DoubleStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch", "__qualname__": name}))

    def _rebuild_tensor_v2(*_: Any) -> None:
        raise AssertionError("it is not to be called")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    before = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules |= {"torch": torch, "torch._utils": utils}
    yield
    for name, module in before.items():
        if module is None:
            del sys.modules[name]
        else:
            sys.modules[name] = module


def pickled(found: Any, legacy: bool = False) -> bytes:
    """As torch.save writes it."""
    rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2  # type: ignore[attr-defined]

    class Storage:
        def __init__(self, stored: Stored) -> None:
            self.stored = stored

    class Pickler(pickle.Pickler):
        def persistent_id(self, item: Any) -> Any:
            if not isinstance(item, Storage):
                return None
            stored = item.stored
            kind = getattr(sys.modules["torch"], stored.kind)
            count = stored.wrong.get("count", stored.array.size)
            return ("storage", kind, stored.key, "cpu", count, *((None,) if legacy else ()))

        def reducer_override(self, item: Any) -> Any:
            if not isinstance(item, Stored):
                return NotImplemented
            strides = tuple(step // item.array.itemsize for step in item.array.strides)
            shape, offset = item.wrong.get("shape", item.array.shape), item.wrong.get("offset", 0)
            strides = item.wrong.get("strides", strides)
            return rebuild, (Storage(item), offset, shape, strides, False, OrderedDict())

    out = io.BytesIO()
    Pickler(out, protocol=2).dump(found)
    return out.getvalue()


def zipped(path: Path, found: Any, numbers: dict[str, bytes], **more: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", found if isinstance(found, bytes) else pickled(found))
        archive.writestr("archive/byteorder", "little")
        for key, data in numbers.items():
            archive.writestr(f"archive/data/{key}", data)
        for name, data in more.items():
            archive.writestr(f"archive/{name.replace('__', '/')}", data)
    return path


def legacy(path: Path, found: Any, numbers: dict[str, np.ndarray[Any, Any]]) -> Path:
    parts = [
        pickle.dumps(item, 2) for item in (LEGACY_MAGIC, LEGACY_PROTOCOL, {"little_endian": True, "type_sizes": {}})
    ]
    parts += [pickled(found, legacy=True), pickle.dumps(list(numbers), 2)]
    parts += [struct.pack("<q", array.size) + array.tobytes() for array in numbers.values()]
    path.write_bytes(b"".join(parts))
    return path


WEIGHTS = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
COUNTS = np.array([3, -4], np.int64)


def test_a_state_comes_back_by_its_names(tmp_path: Path) -> None:
    found = {"model": OrderedDict(weight=Stored(WEIGHTS, "0"), steps=Stored(COUNTS, "1", "LongStorage")), "epoch": 7}
    path = zipped(tmp_path / "a.pth", found, {"0": WEIGHTS.tobytes(), "1": COUNTS.tobytes()})
    read = read_tensors(path)
    assert read["epoch"] == 7 and list(tensors_of(read)) == ["model.weight", "model.steps"]
    np.testing.assert_array_equal(tensors_of(read)["model.weight"], WEIGHTS)
    np.testing.assert_array_equal(read["model"]["steps"], COUNTS)


def test_the_older_layout_is_read_alike(tmp_path: Path) -> None:
    path = legacy(tmp_path / "a.pt", [Stored(WEIGHTS, "94"), {"x": Stored(COUNTS, "95", "LongStorage")}],
                  {"94": WEIGHTS, "95": COUNTS})  # fmt: skip
    read = tensors_of(read_tensors(path))
    assert list(read) == ["0", "1.x"]
    np.testing.assert_array_equal(read["0"], WEIGHTS)
    np.testing.assert_array_equal(read["1.x"], COUNTS)


def test_views_and_brain_floats(tmp_path: Path) -> None:
    half = np.array([1.5, -2.0, 0.0, 3.25], np.float32)
    brain = (half.view(np.uint32) >> 16).astype(np.uint16)
    found = {
        "turned": Stored(WEIGHTS.reshape(6, 4).T, "0"),
        "part": Stored(WEIGHTS, "0", shape=(4,), strides=(1,), offset=8),
        "brain": Stored(brain, "1", "BFloat16Storage"),
        "nothing": Stored(np.zeros((0, 3), np.float32), "2"),
    }
    read = read_tensors(zipped(tmp_path / "a.pth", found, {"0": WEIGHTS.tobytes(), "1": brain.tobytes(), "2": b""}))
    np.testing.assert_array_equal(read["turned"], WEIGHTS.reshape(6, 4).T)
    np.testing.assert_array_equal(read["part"], np.arange(8, 12))
    np.testing.assert_array_equal(read["brain"], half)
    assert read["nothing"].shape == (0, 3)


class Canary:
    """Runs when it is unpickled by anybody who runs what he reads."""

    def __init__(self, call: Any, *args: Any) -> None:
        self.made = call, args

    def __reduce__(self) -> Any:
        return self.made


def hostile(canary: Path) -> dict[str, bytes]:
    """Pickles that want to do something. Each would make the canary, or read what is not its own."""
    written = f"open({str(canary)!r}, 'w')"
    found: dict[str, Any] = {
        "system": Canary(os.system, f"touch {canary}"),
        "eval": Canary(eval, written),
        "exec": Canary(exec, written),
        "open": Canary(open, str(canary), "w"),
        "import": Canary(__import__, "os"),
        "getattr": Canary(getattr, "x", "upper"),
        "numpy": Canary(np.load, str(canary)),
        "bytes": Canary(bytearray, 1 << 20),
        "within a dict": {"model": OrderedDict(weight=Canary(os.system, f"touch {canary}"))},
        "behind a tensor": [Stored(WEIGHTS, "0"), Canary(os.system, f"touch {canary}")],
    }
    made = {name: pickled(item) for name, item in found.items()}
    made["global by hand"] = b"cposix\nsystem\n(S'touch " + str(canary).encode() + b"'\ntR."
    made["instance by hand"] = b"(S'touch " + str(canary).encode() + b"'\niposix\nsystem\n."
    made["stack global"] = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x01x\x85R."
    made["extension code"] = b"\x80\x02\x82\x01."
    made["load from bytes"] = b"\x80\x02ctorch.storage\n_load_from_bytes\nU\x01x\x85R."
    made["torch.load"] = b"\x80\x02ctorch\nload\nU\x01x\x85R."
    made["other parts of torch"] = b"\x80\x02ctorch._utils\n_rebuild_wrapper_subclass\n)R."
    made["a type of objects"] = b"\x80\x02cnumpy\ndtype\nU\x01OK\x00K\x01\x87R."
    made["encoded by another"] = b"\x80\x02c_codecs\nencode\nU\x01xU\x03zip\x86R."
    made["dotted name"] = b"\x80\x04\x8c\x0bcollections\x8c\x1bOrderedDict.__init__.__call__\x93."
    return made


HOSTILE = (
    "system", "eval", "exec", "open", "import", "getattr", "numpy", "bytes", "within a dict", "behind a tensor",
    "global by hand", "instance by hand", "stack global", "extension code", "load from bytes", "torch.load",
    "other parts of torch", "dotted name", "a type of objects", "encoded by another",
)  # fmt: skip


def test_none_is_forgotten() -> None:
    assert sorted(hostile(Path("/nowhere"))) == sorted(HOSTILE)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_wants_to_run_is_refused_and_does_not_run(tmp_path: Path, name: str) -> None:
    canary = tmp_path / "canary"
    data = hostile(canary)[name]
    (tmp_path / "whole.pkl").write_bytes(data)
    for path in (zipped(tmp_path / "a.pth", data, {"0": WEIGHTS.tobytes()}), tmp_path / "whole.pkl"):
        with pytest.raises(ModelError) as caught:
            read_tensors(path)
        assert caught.value.problems[0].code in ("unsafe-model", "damaged")
        assert caught.value.problems[0].file == str(path)
    assert not canary.exists()


WRONG: dict[str, dict[str, Any]] = {
    "beyond its end": {"offset": 20},
    "longer than its numbers": {"shape": (30,), "strides": (1,)},
    "strides that reach beyond": {"shape": (2, 2), "strides": (1, 40)},
    "a negative stride": {"shape": (2,), "strides": (-1,), "offset": 4},
    "a negative length": {"shape": (-2,), "strides": (1,)},
    "a negative offset": {"offset": -4},
    "more axes than steps": {"shape": (2, 2), "strides": (1,)},
    "too many axes": {"shape": (1,) * 40, "strides": (1,) * 40},
    "more numbers than it has": {"count": 1 << 40},
    "fewer than none": {"count": -1},
}


@pytest.mark.parametrize("name", WRONG)
def test_no_tensor_reaches_beyond_its_numbers(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "a.pth", Stored(WEIGHTS, "0", **WRONG[name]), {"0": WEIGHTS.tobytes()})
    with pytest.raises(ModelError, match="no file of tensors"):
        read_tensors(path)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickled(Stored(np.zeros(1 << 24, np.float32), "0")))
        archive.writestr("archive/data/0", bytes(1 << 26))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ModelError, match="compressed"):
        read_tensors(path)


def test_names_lead_nowhere_else(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.pth", Stored(WEIGHTS, "../../etc/passwd"), {"0": WEIGHTS.tobytes()})
    with pytest.raises(ModelError, match="impossible name"):
        read_tensors(path)


def test_torchscript_is_said_to_be_a_program(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.ts", [], {}, code____torch__=b"def forward(self): pass", constants_pkl=b"")
    with pytest.raises(ModelError, match="trust"):
        read_tensors(path)


def test_cut_off_or_mangled_files_are_refused(tmp_path: Path) -> None:
    whole = {
        "zip": zipped(tmp_path / "a.pth", Stored(WEIGHTS, "0"), {"0": WEIGHTS.tobytes()}).read_bytes(),
        "legacy": legacy(tmp_path / "a.pt", Stored(WEIGHTS, "0"), {"0": WEIGHTS}).read_bytes(),
    }
    random = np.random.default_rng(3)
    refused = 0
    for name, data in whole.items():
        for number in range(150):
            if number % 2:
                changed = data[: int(random.integers(0, len(data)))]
            else:
                mangled = bytearray(data)
                for place in random.integers(0, len(data), 4):
                    mangled[place] = int(random.integers(0, 256))
                changed = bytes(mangled)
            path = tmp_path / f"changed-{name}"
            path.write_bytes(changed)
            try:
                read_tensors(path)
            except ModelError:
                refused += 1
    assert refused > 200, "most changes hit something that matters"


def test_what_is_no_such_file_at_all(tmp_path: Path) -> None:
    for data in (b"", b"PK\x03\x04", b"RIFF....WAVE", pickle.dumps({"a": 1}), b"\x80\x02K\x01."):
        (tmp_path / "a.pt").write_bytes(data)
        with pytest.raises(ModelError):
            read_tensors(tmp_path / "a.pt")
    with pytest.raises(ModelError, match="cannot be read"):
        read_tensors(tmp_path / "missing.pt")
