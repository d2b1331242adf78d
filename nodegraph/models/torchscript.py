"""What a TorchScript file offers, read from it without PyTorch and without running what stands in it.

Models for nn~ say what they can do in numbers, lists and texts beside their code: `{method}_params` are
``[channels in, ratio in, channels out, ratio out]``, `{attribute}_params` the types of an attribute's values. This
reads these and the names of the methods, so that a patch opens with its inlets, outlets and knobs while the program in
the file has not been trusted, or PyTorch is not installed.

Source: A. Caillon, P. Esling, "Streamable Neural Audio Synthesis With Non-Causal Convolutions", 2022, and files that
nn-tilde writes; PyTorch's documentation, "torch.jit.save" and "Serialization semantics".
"""

from __future__ import annotations

import io
import math
import pickle
import re
import struct
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from nodegraph.core.errors import ModelError, Problem
from nodegraph.core.hints import quoted
from nodegraph.models.convert import torchfile
from nodegraph.models.placed import placed

TYPES: Final = ("flag", "integer", "number", "text", "tensor", "sound")
"""What an attribute's values may be, by the number that stands for it in the file."""
MOST_PICKLE_BYTES: Final = 1 << 26
MOST_CODE_BYTES: Final = 1 << 24
MOST_NUMBERS: Final = 4_096
"""Tensors with more numbers are weights, and are left where they are."""
MOST_FILES: Final = 200_000
RATES: Final = ("sr", "sampling_rate", "sample_rate", "samplerate")
_HEADER: Final = re.compile(r"^class (\w+)\(Module\):", re.MULTILINE)
_METHOD: Final = re.compile(r"^  def (\w+)\(self", re.MULTILINE)
_FIELD: Final = re.compile(r"^  (\w+) : (\S.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Method:
    """One thing that a model does: of so many channels, at a ``1 / ratio`` of the sound's rate, it makes others."""

    name: str
    channels_in: int
    ratio_in: int
    channels_out: int
    ratio_out: int
    labels_in: tuple[str, ...] = ()
    labels_out: tuple[str, ...] = ()

    @property
    def ratio(self) -> int:
        """It takes sound in multiples of so many frames."""
        return math.lcm(self.ratio_in, self.ratio_out)


@dataclass(frozen=True, slots=True)
class Attribute:
    """What can be set: the types of its values (`TYPES`), and the values themselves where the file tells them."""

    name: str
    types: tuple[str, ...]
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """What a file offers. `rate`: the sample rate that it was made for, 0 where it does not say."""

    methods: tuple[Method, ...]
    attributes: tuple[Attribute, ...]
    rate: int

    @property
    def ratio(self) -> int:
        """All methods take sound in multiples of so many frames; what a method does within itself may need as many."""
        return math.lcm(*(item.ratio for item in self.methods))

    def method(self, name: str) -> Method:
        """The method of this name. Raises ModelError, which says what there is."""
        for found in self.methods:
            if found.name == name:
                return found
        legal = ", ".join(f"'{item.name}'" for item in self.methods)
        raise ModelError(Problem("unknown-method", f"The model has no method {quoted(name)}.", f"It has {legal}."))


def script_of(path: Path) -> Script:
    """What a TorchScript file offers to a patch.

    Raises ModelError: ``no-script`` for a file that is none, ``no-methods`` for one that offers nothing, ``damaged``,
    ``unsafe-model`` for one whose table of contents asks for more than modules and numbers.
    """
    with placed(path):
        status = path.stat()
        return _known(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _known(path: Path, size: int, changed: int) -> Script:
    if not path.is_file() or not zipfile.is_zipfile(path):
        raise _none("it is no archive as PyTorch writes them, or it is cut off")
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive)
    except (
        pickle.UnpicklingError, zipfile.BadZipFile, struct.error, EOFError, ValueError, TypeError, KeyError,
        IndexError, AttributeError, MemoryError, RecursionError, OverflowError, NotImplementedError, RuntimeError,
    ) as error:  # fmt: skip
        what = f"it is no TorchScript, or damaged: {type(error).__name__}: {error}."
        raise ModelError(Problem("damaged", what, "Fetch it again.")) from error


def _none(why: str) -> ModelError:
    do = "Name a file that torch.jit.save wrote, such as an export of RAVE (.ts)."
    return ModelError(Problem("no-script", f"It is no TorchScript: {why}.", do))


def _read(archive: zipfile.ZipFile) -> Script:
    items = {item.filename: item for item in archive.infolist()}
    if len(items) > MOST_FILES:
        raise ValueError("it has too many parts")
    root = next((name[: -len("data.pkl")] for name in items if name.endswith("/data.pkl")), None)
    if root is None or not any(name.startswith(f"{root}code/") for name in items):
        raise _none("there is no code in it" if root is not None else "it is another sort of archive")

    def part(name: str, most: int) -> bytes:
        item = items[root + name]
        if item.file_size > most:
            raise ValueError(f"{name} is too large")
        return archive.read(item)

    if root + "byteorder" in items and part("byteorder", 64).strip() != b"little":
        raise ValueError("its numbers are stored big end first")
    top = _Reader(io.BytesIO(part("data.pkl", MOST_PICKLE_BYTES)), part).load()
    if not isinstance(top, _Object):
        raise _none("there is no module in it")
    module, _, name = top.qualified.rpartition(".")
    text = part(f"code/{module.replace('.', '/')}.py", MOST_CODE_BYTES).decode()
    methods, fields = _declared(text, name)
    return _offered(top.fields, methods, fields)


def _declared(text: str, name: str) -> tuple[set[str], dict[str, str]]:
    """The methods of a class in its code, and the types of its fields."""
    found = [match for match in _HEADER.finditer(text) if match[1] == name]
    if not found:
        raise ValueError("its code has no class for it")
    rest = text[found[0].end() :]
    after = re.search(r"^(class|def) ", rest, re.MULTILINE)
    body = rest[: after.start()] if after else rest
    return {match[1] for match in _METHOD.finditer(body)}, {match[1]: match[2] for match in _FIELD.finditer(body)}


def _offered(values: Mapping[str, Any], names: set[str], fields: Mapping[str, str]) -> Script:
    """What the fields of a module say that it offers. Where it has lists of names, these count."""
    listed = _texts(values.get("_methods"))
    methods = []
    for name in listed or sorted(names, key=lambda name: (name != "forward", name)):
        numbers = _numbers(values.get(f"{name}_params"))
        if name in names and len(numbers) == 4 and min(numbers) >= 1:
            heard, said = (tuple(_texts(values.get(f"{name}_{way}_labels"))) for way in ("input", "output"))
            methods.append(Method(name, numbers[0], numbers[1], numbers[2], numbers[3], heard, said))
    if not methods:
        what = "The model offers no method: it has nothing like 'forward_params'."
        raise ModelError(Problem("no-methods", what, "Export it for nn~: with nn-tilde, or with RAVE's own export."))
    attributes = []
    for name in _texts(values.get("_attributes")) or sorted(
        name.removeprefix("set_") for name in names if name.startswith("set_")
    ):
        kinds = _numbers(values.get(f"{name}_params"))
        if kinds and f"set_{name}" in names and f"get_{name}" in names and all(0 <= k < len(TYPES) for k in kinds):
            held = values.get(name)
            known = held if isinstance(held, tuple) else (held,)
            known = known if len(known) == len(kinds) else (None,) * len(kinds)
            attributes.append(Attribute(name, tuple(TYPES[kind] for kind in kinds), tuple(map(_plain, known))))
    rate = next((found for name in RATES if (found := _rate(values.get(name)))), 0)
    return Script(tuple(methods), tuple(attributes), rate)


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, (list, tuple)) else []


def _numbers(value: Any) -> list[int]:
    """Whole numbers, of a tensor or a list."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "iu" and value.ndim == 1:
        return [int(item) for item in value]
    if isinstance(value, list) and all(isinstance(item, int) for item in value):
        return list(value)
    return []


def _rate(value: Any) -> int:
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0].item()
    return int(value) if isinstance(value, (int, float)) and 8_000 <= value <= 384_000 else 0


def _plain(value: Any) -> Any:
    """A value that a knob or setting can begin with; None for any other."""
    if isinstance(value, np.ndarray) and value.size == 1:
        return value.reshape(-1)[0].item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (bool, int, float, str)) else None


class _Object:
    """What stands for an object of the file's own classes: its fields, and no behaviour."""

    qualified = ""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}

    def __new__(cls, *_: Any) -> _Object:
        made = super().__new__(cls)
        made.fields = {}
        return made

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.fields = state


class _Numbers(NamedTuple):
    """Where a tensor's numbers lie."""

    kind: Any
    key: str
    many: int


class _Weights(NamedTuple):
    """A tensor that was left where it is."""

    shape: tuple[int, ...]


def _listed(values: Any, *_: Any) -> Any:
    """A list with a type, as TorchScript writes it."""
    return list(values) if isinstance(values, Iterable) else values


def _tagged(value: Any, *_: Any) -> Any:
    return value


_LISTS: Final = ("build_intlist", "build_doublelist", "build_boollist", "build_tensorlist")


class _Reader(torchfile._Reader):
    """A pickle that may name modules of the file's own, which are nothing but their fields here, and tensors."""

    def __init__(self, file: io.BytesIO, part: Any) -> None:
        super().__init__(file, torchfile._no_storage)
        self._part = part
        self._classes: dict[str, type[_Object]] = {}

    def find_class(self, module: str, name: str) -> Any:
        """What the pickle names."""
        if module == "__torch__" or module.startswith("__torch__."):
            qualified = f"{module}.{name}"
            if qualified not in self._classes:
                self._classes[qualified] = type("_Object", (_Object,), {"qualified": qualified})
            return self._classes[qualified]
        if module == "torch.jit._pickle" and name in _LISTS:
            return _listed
        if module == "torch.jit._pickle" and name == "restore_type_tag":
            return _tagged
        if module == "torch._utils" and name in ("_rebuild_tensor_v2", "_rebuild_tensor"):
            return self._tensor
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> Any:
        """Where the numbers of a tensor lie; they are read when it turns out that they are few."""
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage" or not isinstance(pid[1], torchfile._Kind):
            raise ValueError("it refers to something that is no tensor")
        key, count = str(pid[2]), int(pid[4])
        if count < 0 or "/" in key or "\\" in key:
            raise ValueError("a tensor of it has an impossible name")
        return _Numbers(pid[1], key, count)

    def _tensor(self, storage: Any, offset: Any, size: Any, stride: Any, *rest: Any) -> Any:
        if not isinstance(storage, _Numbers):
            raise ValueError("a tensor has no storage")
        if storage.many > MOST_NUMBERS:
            return _Weights(tuple(map(int, size)))
        data = self._part(f"data/{storage.key}", 8 * MOST_NUMBERS)
        return torchfile._tensor(torchfile._storage(storage.kind, data, storage.many), offset, size, stride)
