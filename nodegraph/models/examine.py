"""What stands in files that strangers made, looked at before they come into the store: nothing in them is run.

``python -m nodegraph.models.examine '{"NAME": "PATH", …}'`` looks at the files of one model, in a process that may
write nothing and reach nobody (`nodegraph.sandbox`). It says nothing, or what is wrong as one line of JSON, and ends
with 1.

- ONNX: the graph is read, and every tensor that lies elsewhere must lie in a file of this model, beside it.
- safetensors: its own library opens it, which checks the header against the file.
- NumPy: numbers, no objects.
- JSON: it is some, and nests no deeper than `DEEPEST`.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from nodegraph.core.errors import ModelError, Problem
from nodegraph.models.safety import plain_name
from nodegraph.sandbox import confine

LONGEST_TEXT: Final = 256 << 20
LONGEST_GRAPH: Final = (1 << 31) - 1
DEEPEST: Final = 64


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
        _safetensors(name, path)
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


def _safetensors(name: str, path: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy"):
            pass
    except SafetensorError as error:
        raise ModelError(_damaged(name, str(error))) from error


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
    row: list[Any] = [json.loads(path.read_text(encoding="utf-8"))]  # it raises for what nests beyond all measure
    for _ in range(DEEPEST + 1):
        row = [part for item in row if isinstance(item, (dict, list))
               for part in (item.values() if isinstance(item, dict) else item)]  # fmt: skip
    if row:
        raise ModelError(_damaged(name, f"it nests more than {DEEPEST} deep"))


def main(words: list[str]) -> int:
    """Look at the files of one model."""
    confine()
    files = {name: Path(path) for name, path in json.loads(words[0]).items()}
    try:
        examine(files)
    except ModelError as error:
        sys.stdout.write(json.dumps([problem.as_dict() for problem in error.problems]) + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
