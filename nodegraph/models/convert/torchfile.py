"""Tensors out of a file that PyTorch wrote, without PyTorch, and without running what stands in it.

Such a file is a pickle with the tensors' numbers beside it. A pickle is a program; this reader obeys only what makes
tensors, dicts, lists, numbers and texts, and refuses everything else by name. Both layouts are read: the zip archive of
PyTorch 1.6 and later, and the one before it.

Source: PyTorch's documentation, "Serialization semantics"; pickletools.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np

from nodegraph.core.errors import ModelError, Problem

LEGACY_MAGIC: Final = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL: Final = 1001
MOST_BYTES: Final = 1 << 34
MOST_PICKLE_BYTES: Final = 1 << 28
BFLOAT16: Final = "bfloat16"
STORAGES: Final = {
    "FloatStorage": "f4", "DoubleStorage": "f8", "HalfStorage": "f2", "BFloat16Storage": BFLOAT16,
    "LongStorage": "i8", "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1", "ByteStorage": "u1",
    "BoolStorage": "?",
}  # fmt: skip
NUMBERS: Final = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1")


class Storage(NamedTuple):
    """Numbers as they lie in the file, one after another."""

    numbers: np.ndarray[Any, Any]


class _Kind(NamedTuple):
    """A type of storage, as the pickle names it."""

    dtype: str


def read_tensors(path: Path) -> Any:
    """What a PyTorch file holds: tensors as arrays, within the dicts and lists in which they were saved.

    Numbers of 16-bit "brain" floats come as float32. Raises ModelError: ``unsafe-model`` for a file that wants more
    than tensors, ``damaged`` for one that is none or is cut off.
    """
    try:
        with path.open("rb") as file:
            return _read_zip(file) if zipfile.is_zipfile(file) else _read_legacy(file)
    except ModelError as error:
        raise ModelError([replace(problem, file=str(path)) for problem in error.problems]) from error
    except OSError as error:
        raise ModelError(Problem("unreadable", f"it cannot be read: {error.strerror}.", file=str(path))) from error
    except (
        pickle.UnpicklingError, zipfile.BadZipFile, struct.error, EOFError, ValueError, TypeError, KeyError,
        IndexError, AttributeError, MemoryError, RecursionError, OverflowError, NotImplementedError,
    ) as error:  # fmt: skip
        what = f"it is no file of tensors, or damaged: {type(error).__name__}: {error}."
        raise ModelError(Problem("damaged", what, "Fetch it again.", file=str(path))) from error


def tensors_of(found: Any, prefix: str = "") -> dict[str, np.ndarray[Any, Any]]:
    """The arrays in what `read_tensors` gave, by the path to each: ``model.layer.weight``."""
    if isinstance(found, np.ndarray):
        return {prefix: found}
    made: dict[str, np.ndarray[Any, Any]] = {}
    if isinstance(found, dict):
        items = ((str(key), value) for key, value in found.items())
    elif isinstance(found, (list, tuple)):
        items = ((str(number), value) for number, value in enumerate(found))
    else:
        return made
    for key, value in items:
        made |= tensors_of(value, f"{prefix}.{key}" if prefix else key)
    return made


def _read_zip(file: BinaryIO) -> Any:
    with zipfile.ZipFile(file) as archive:
        names = {item.filename: item for item in archive.infolist()}
        root = next((name[: -len("data.pkl")] for name in names if name.endswith("/data.pkl")), None)
        if root is None:
            raise ValueError("there is no data.pkl in it")
        if f"{root}constants.pkl" in names or any(name.startswith(f"{root}code/") for name in names):
            what = "it is TorchScript, which is a program."
            raise ModelError(Problem("unsafe-model", what, "Use nn~ for it, and trust it first: nodegraph trust FILE."))
        order = archive.read(f"{root}byteorder") if f"{root}byteorder" in names else b"little"
        if order.strip() != b"little":
            raise ValueError("its numbers are stored big end first")
        if any(item.compress_type != zipfile.ZIP_STORED for item in names.values()):
            raise ValueError("it is compressed, as PyTorch's files never are")

        def load(kind: _Kind, key: str, count: int) -> Storage:
            item = names[f"{root}data/{key}"]
            return _storage(kind, archive.read(item), count)

        if names[f"{root}data.pkl"].file_size > MOST_PICKLE_BYTES:
            raise ValueError("its table of contents is too large")
        return _Reader(io.BytesIO(archive.read(f"{root}data.pkl")), load).load()


def _read_legacy(file: BinaryIO) -> Any:
    file.seek(0)
    if _Reader(file, _no_storage).load() != LEGACY_MAGIC:
        raise ValueError("it does not begin as PyTorch's files do")
    if _Reader(file, _no_storage).load() != LEGACY_PROTOCOL:
        raise ValueError("it has an unknown version")
    system = _Reader(file, _no_storage).load()
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise ValueError("its numbers are stored big end first")
    waiting: dict[str, tuple[_Kind, int, Storage]] = {}

    def promise(kind: _Kind, key: str, count: int) -> Storage:
        """The numbers come behind the pickle: an array for them now."""
        if key not in waiting:
            if count * _itemsize(kind.dtype) > MOST_BYTES:
                raise ValueError("it unpacks to more than 16 GiB")
            stored = np.uint16 if kind.dtype == BFLOAT16 else np.dtype(kind.dtype)
            waiting[key] = (kind, count, Storage(np.zeros(count, stored)))
        return waiting[key][2]

    found = _Reader(file, promise, raw=True).load()
    for key in _Reader(file, _no_storage).load():
        kind, count, storage = waiting.pop(str(key))
        (stored,) = struct.unpack("<q", file.read(8))
        data = file.read(count * _itemsize(kind.dtype))
        if stored != count or len(data) != count * _itemsize(kind.dtype):
            raise EOFError("it is cut off")
        storage.numbers[:] = np.frombuffer(data, storage.numbers.dtype)
    if waiting:
        raise EOFError("some of its tensors have no numbers")
    return found


def _itemsize(dtype: str) -> int:
    return 2 if dtype == BFLOAT16 else np.dtype(dtype).itemsize


def _storage(kind: _Kind, data: bytes, count: int) -> Storage:
    if len(data) < count * _itemsize(kind.dtype):
        raise EOFError("a tensor of it is cut off")
    if kind.dtype == BFLOAT16:
        return Storage((np.frombuffer(data, "<u2", count).astype(np.uint32) << 16).view(np.float32))
    return Storage(np.frombuffer(data, np.dtype(kind.dtype).newbyteorder("<"), count))


def _no_storage(kind: _Kind, key: str, count: int) -> Storage:
    raise ValueError("a tensor stands where none belongs")


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> np.ndarray[Any, Any]:
    """A view of a storage, never beyond its ends."""
    if not isinstance(storage, Storage):
        raise ValueError("a tensor has no storage")
    sizes, strides = tuple(map(int, size)), tuple(map(int, stride))
    offset = int(offset)
    if len(sizes) != len(strides) or len(sizes) > 32 or min((offset, *sizes, *strides)) < 0:
        raise ValueError("a tensor has an impossible shape")
    last = offset + sum((length - 1) * step for length, step in zip(sizes, strides, strict=True))
    if math.prod(sizes) and last >= len(storage.numbers):
        raise ValueError("a tensor reaches beyond its numbers")
    numbers = storage.numbers
    view = np.lib.stride_tricks.as_strided(
        numbers[offset:], sizes, tuple(step * numbers.itemsize for step in strides), writeable=False
    )
    return view


class _Number:
    """A type of single numbers, as NumPy pickles it: only plain ones."""

    def __init__(self, text: str, *_: Any) -> None:
        if str(text) not in NUMBERS:
            raise ValueError(f"{text!r} is no type of plain numbers")
        self.dtype = np.dtype(str(text))

    def __setstate__(self, state: Any) -> None:
        """Byte order and alignment, which are the usual ones."""
        if state[1] not in ("<", "|", "="):
            raise ValueError("its numbers are stored big end first")


def _scalar(kind: Any, data: Any) -> Any:
    """A single number."""
    if not isinstance(kind, _Number):
        raise ValueError("a number has no type")
    raw = data.encode("latin-1") if isinstance(data, str) else bytes(data)
    return np.frombuffer(raw, kind.dtype, 1)[0].item()


def _parameter(data: Any, *_: Any) -> Any:
    return data


def _encoded(text: Any, encoding: Any = "latin-1") -> bytes:
    """Bytes, as pickles of the second protocol write them."""
    if encoding != "latin1" and encoding != "latin-1":
        raise ValueError("bytes are written strangely")
    return str(text).encode("latin-1")


def _qualified(module: str, name: str) -> Callable[..., Any] | _Kind | type | None:
    """What a pickle may ask for by name."""
    if (module, name) in (("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar")):
        return _scalar
    if (module, name) == ("numpy", "dtype"):
        return _Number
    if (module, name) == ("_codecs", "encode"):
        return _encoded
    if (module, name) == ("collections", "OrderedDict"):
        return OrderedDict
    if (module, name) in (("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_tensor")):
        return _tensor
    if (module, name) == ("torch._utils", "_rebuild_parameter"):
        return _parameter
    if module == "torch" and name in STORAGES:
        return _Kind(STORAGES[name])
    return None


class _Reader(pickle.Unpickler):
    """A pickle that may name only what makes tensors."""

    def __init__(self, file: BinaryIO, load: Callable[[_Kind, str, int], Storage], raw: bool = False) -> None:
        super().__init__(file, encoding="utf-8", errors="strict")
        self._load = load
        self._raw = raw
        self._kept: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        """What the pickle names; everything but tensors is refused."""
        found = _qualified(module, name)
        if found is None:
            what = f"it wants to run {module}.{name}, which no file of tensors needs."
            do = "Have whoever made it save a state_dict, or safetensors."
            raise ModelError(Problem("unsafe-model", what, do))
        return found

    def persistent_load(self, pid: Any) -> Storage:
        """The numbers of a tensor."""
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage" or not isinstance(pid[1], _Kind):
            raise ValueError("it refers to something that is no tensor")
        kind, key, count = pid[1], str(pid[2]), int(pid[4])
        if count < 0 or "/" in key or "\\" in key:
            raise ValueError("a tensor of it has an impossible name")
        if key not in self._kept:
            self._kept[key] = self._load(kind, key, count)
        return self._kept[key]
