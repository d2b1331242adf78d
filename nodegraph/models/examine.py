"""What stands in files that strangers made, looked at before they come into the store: nothing in them is run.

``python -m nodegraph.models.examine NAME=PATH…`` looks at the files of one model together, in a process that may write
nothing and reach nobody (`nodegraph.sandbox`). It says nothing, or what is wrong as one line of JSON, and ends with 1.

- ONNX: the graph is read, and every tensor that lies elsewhere must lie in a file of this model, beside it.
- safetensors: its header is as long as it says, and every tensor lies within the file.
- NumPy: numbers, no objects.
- JSON: it is some, and nests no deeper than `DEEPEST`.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from nodegraph.core.errors import ModelError, Problem
from nodegraph.models.safety import plain_name
from nodegraph.sandbox import confine

LONGEST_HEADER: Final = 100 << 20
LONGEST_TEXT: Final = 256 << 20
LONGEST_GRAPH: Final = (1 << 31) - 1
DEEPEST: Final = 64
SIZES: Final = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4,
                "U16": 2, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "C64": 8}  # fmt: skip


def examine(files: Mapping[str, Path]) -> None:
    """Look at the files of a model, by the names that they have in it. Raises ModelError with everything wrong."""
    problems: list[Problem] = []
    for name, path in files.items():
        try:
            _examine(name, path, frozenset(files))
        except ModelError as error:
            problems += error.problems
        except (OSError, ValueError, TypeError, KeyError, MemoryError, RecursionError, OverflowError) as error:
            problems.append(_damaged(name, f"{type(error).__name__}: {error}"))
    if problems:
        raise ModelError(problems)


def _examine(name: str, path: Path, names: frozenset[str]) -> None:
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode):
        what = "it is no plain file, but a link, a folder or a device."
        raise ModelError(Problem("not-a-file", what, "Name the file itself.", name))
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".onnx":
        _onnx(name, path, status.st_size, names)
    elif suffix == ".safetensors":
        _safetensors(name, path, status.st_size)
    elif suffix == ".npy":
        _npy(name, path, status.st_size)
    elif suffix == ".json":
        _json(name, path, status.st_size)


def _damaged(name: str, why: str) -> Problem:
    return Problem("damaged", f"it is not what its name says, or damaged: {why}.", "Fetch it again.", name)


def _onnx(name: str, path: Path, size: int, names: frozenset[str]) -> None:
    import onnx
    from google.protobuf.message import DecodeError

    if size > LONGEST_GRAPH:
        raise ModelError(_damaged(name, "a graph of more than 2 GiB"))
    try:
        model = onnx.load(str(path), load_external_data=False)
    except DecodeError as error:
        raise ModelError(_damaged(name, f"no ONNX: {error}")) from error
    if not model.graph.node:
        raise ModelError(_damaged(name, "a graph without operations"))
    for tensor in _tensors(model):
        for entry in tensor.external_data:
            if entry.key == "location" and (not plain_name(entry.value) or entry.value not in names):
                what = f"a tensor of it lies in '{entry.value[:80]}', which is no file of this model."
                do = "Add the folder with all of its files, weights beside the graph."
                raise ModelError(Problem("outside", what, do, name))


def _tensors(model: Any) -> Iterator[Any]:
    """Every tensor of a model, in whatever graph it stands."""
    graphs = [model.graph]
    nodes = [node for function in model.functions for node in function.node]
    while graphs or nodes:
        while nodes:
            for attribute in nodes.pop().attribute:
                yield attribute.t
                yield from attribute.tensors
                for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                    yield from (sparse.values, sparse.indices)
                if attribute.HasField("g"):
                    graphs.append(attribute.g)
                graphs += attribute.graphs
        if graphs:
            graph = graphs.pop()
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
            nodes += graph.node


def _safetensors(name: str, path: Path, size: int) -> None:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, LONGEST_HEADER):
            raise ModelError(_damaged(name, f"a header of {length} bytes in a file of {size}"))
        header = json.loads(file.read(length).decode("utf-8"))
    if not isinstance(header, dict):
        raise ModelError(_damaged(name, "a header that is no table"))
    spans: list[tuple[int, int]] = []
    for tensor, about in header.items():
        if tensor == "__metadata__":
            continue
        (begin, end), shape = about["data_offsets"], about["shape"]
        if not isinstance(shape, list) or not all(type(number) is int for number in (*shape, begin, end)):
            raise ModelError(_damaged(name, f"the tensor '{tensor[:80]}' has no shape"))
        wanted = math.prod(shape) * SIZES[about["dtype"]]
        if not 0 <= begin <= end <= size - 8 - length or end - begin != wanted:
            raise ModelError(_damaged(name, f"the tensor '{tensor[:80]}' reaches beyond the file"))
        spans.append((begin, end))
    spans.sort()
    if any(after[0] < before[1] for before, after in itertools.pairwise(spans)):
        raise ModelError(_damaged(name, "two tensors lie in one place"))


def _npy(name: str, path: Path, size: int) -> None:
    import numpy as np

    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:  # its text tells how to run what is in it
        raise ModelError(_damaged(name, "it is no array of numbers")) from error
    if array.dtype.hasobject or array.nbytes > size:
        raise ModelError(_damaged(name, "it holds objects, or less than it says"))


def _json(name: str, path: Path, size: int) -> None:
    if size > LONGEST_TEXT:
        raise ModelError(_damaged(name, "more than 256 MiB of text"))
    depth, most, text = 0, 0, False
    skip = False
    data = path.read_text(encoding="utf-8")
    for character in data:  # before the parser, whose recursion is bounded by the interpreter alone
        if skip:
            skip = False
        elif text:
            skip, text = character == "\\", character != '"'
        elif character == '"':
            text = True
        elif character in "[{":
            depth += 1
            most = max(most, depth)
        elif character in "]}":
            depth -= 1
    if most > DEEPEST:
        raise ModelError(_damaged(name, f"it nests {most} deep"))
    json.loads(data)


def main(words: list[str]) -> int:
    """Look at the files of one model."""
    confine()
    files = {name: Path(path) for name, _, path in (word.partition("=") for word in words)}
    try:
        examine(files)
    except ModelError as error:
        sys.stdout.write(json.dumps([problem.as_dict() for problem in error.problems]) + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
