"""What an ONNX file says of itself, read without onnxruntime, without the package `onnx`, and without its weights.

An ONNX file is a protocol buffer: numbers, names and a graph of known operations, no code. What can harm is a tensor
that says it lies in another file, since a library would open whatever path stands there, and a file that is something
else than it seems. `read_onnx` walks through all graphs of a file, those in branches, functions and training parts
included, passes by the weights, and refuses both. It takes no more steps than `MOST_PARTS`, however the file is made.

Source: onnx.proto3 of ONNX 1.23; protobuf.dev, "Encoding"; onnxruntime's documentation, "ORT model format".
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from nodegraph.core.errors import ModelError, Problem
from nodegraph.core.hints import quoted
from nodegraph.models.placed import placed

MOST_BYTES: Final = 1 << 28
"""A file that holds all of its weights may be so large. What is larger belongs into the store."""
MOST_PARTS: Final = 400_000
"""Fields in all that are looked at."""
MOST_NAME_BYTES: Final = 4_096
MOST_METADATA_BYTES: Final = 1 << 20
"""Of one text in the metadata, its key apart."""
MOST_ENTRIES: Final = 256
MOST_DEEP: Final = 64
"""Graphs within graphs."""
OPSETS: Final = (7, 26)
"""The oldest and the newest set of operations that onnxruntime 1.31 promises to run."""
NEWEST_IR: Final = 13
FLOAT32: Final = 1
_PIECE: Final = 1 << 14
_ORT: Final = b"ORTM"
"""Stands at the fifth byte of a file in onnxruntime's own format, which it would take for the bytes of any model."""

# The numbers of the fields, by message (onnx.proto3).
_MODEL_IR, _MODEL_GRAPH, _MODEL_OPSET, _MODEL_METADATA, _MODEL_TRAINING, _MODEL_FUNCTIONS = 1, 7, 8, 14, 20, 25
_GRAPH_NODE, _GRAPH_TENSOR, _GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_SPARSE = 1, 5, 11, 12, 15
_NODE_ATTRIBUTE = 5
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS, _ATTRIBUTE_SPARSE = (5, 10), (6, 11), (22, 23)
_FUNCTION_NODE, _FUNCTION_ATTRIBUTE = 7, 11
_TENSOR_NAME, _TENSOR_EXTERNAL, _TENSOR_LOCATION = 8, 13, 14
_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5


class Value(NamedTuple):
    """An input or output of the graph. `type` is ONNX's number for what its elements are (`FLOAT32`); `shape` has a
    number for each size that is fixed, None for one that is not, and is None where nothing is said of it."""

    name: str
    type: int
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """What is in a file: inputs without those that have their numbers with them, outputs, texts beside the graph."""

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    metadata: tuple[tuple[str, str], ...]
    opset: int


@dataclass(slots=True)
class _Found:
    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    tensors: set[str] = field(default_factory=set)
    metadata: list[tuple[str, str]] = field(default_factory=list)
    ir: int = 0
    opset: int = 0
    operations: int = 0


def read_onnx(source: Path | bytes) -> OnnxFile:
    """What an ONNX file says of itself, from its path or from its bytes.

    Raises ModelError: ``no-onnx`` for a file that is none, or is cut off; ``outside`` when a tensor lies in another
    file; ``too-large``; ``bad-opset`` for operations that onnxruntime does not know; ``unreadable``.
    """
    if isinstance(source, bytes):
        return _checked(io.BytesIO(source), len(source))
    with placed(source):
        if not source.is_file():  # a pipe would be waited for
            raise ModelError(Problem("unreadable", "There is no such file.", "Correct the path."))
        with source.open("rb") as stream:
            return _checked(stream, stream.seek(0, io.SEEK_END))


def no_onnx(why: str) -> ModelError:
    """The error for a file that is no ONNX."""
    do = "Name a file that torch.onnx.export or another exporter wrote (.onnx)."
    return ModelError(Problem("no-onnx", f"It is no ONNX file, or damaged: {why}.", do))


def _checked(stream: BinaryIO, size: int) -> OnnxFile:
    if size > MOST_BYTES:
        what = f"It has {size:,} bytes, and a network of your own may have {MOST_BYTES:,}."
        raise ModelError(Problem("too-large", what, "Export a smaller one, or add it to the store and draw a node."))
    walk = _Walk(stream, size)
    try:
        if walk.bytes(0, min(size, 8))[4:] == _ORT:
            raise no_onnx("it is a model in onnxruntime's own format (.ort)")
        found = walk.model()
    except (ValueError, UnicodeDecodeError, IndexError, OverflowError) as error:
        raise no_onnx(str(error) if type(error) is ValueError else "a name in it is no text") from error
    if not found.operations or not found.outputs:
        raise no_onnx("it has no graph with operations and outputs")
    _known(found)
    inputs = tuple(item for item in found.inputs if item.name not in found.tensors)
    return OnnxFile(inputs, tuple(found.outputs), tuple(found.metadata), found.opset)


def _known(found: _Found) -> None:
    """Raises ModelError when onnxruntime would not know the operations."""
    oldest, newest = OPSETS
    if not oldest <= found.opset <= newest or found.ir > NEWEST_IR:
        said = f"opset {found.opset}" if found.opset else "no opset"
        what = f"It names {said} in a file of version {found.ir}."
        do = f"Export it with an opset from {oldest} to {newest}, in a file of version {NEWEST_IR} at most."
        raise ModelError(Problem("bad-opset", what, do))


class _Walk:
    """Goes through the fields of a file from place to place, and reads no more of it than it has to."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream, self.size = stream, size
        self.held, self.first = b"", 0
        self.parts = 0

    def bytes(self, start: int, end: int) -> bytes:
        """What stands from `start` to before `end`. Raises ValueError when the file ends before."""
        if not self.first <= start <= end <= self.first + len(self.held):
            self.stream.seek(start)
            self.held, self.first = self.stream.read(max(end - start, _PIECE)), start
        found = self.held[start - self.first : end - self.first]
        if len(found) != end - start:
            raise ValueError("it is cut off")
        return found

    def varint(self, start: int, end: int) -> tuple[int, int]:
        """A number of one to ten bytes, and where it ends."""
        value = shift = 0
        for byte in self.bytes(start, min(end, start + 10)):
            start += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFF_FFFF_FFFF_FFFF, start
            shift += 7
        raise ValueError("it is cut off, or no protocol buffer")

    def fields(self, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Each field of a message: its number, its kind, and its value or, of what has a length, where it stands."""
        while start < end:
            self.parts += 1
            if self.parts > MOST_PARTS:
                raise ValueError(f"it has more than {MOST_PARTS:,} parts")
            key, start = self.varint(start, end)
            number, kind = key >> 3, key & 7
            if kind == _VARINT:
                value, start = self.varint(start, end)
                yield number, kind, value, start
                continue
            if kind == _LENGTH:
                length, start = self.varint(start, end)
            elif kind in (_EIGHT, _FOUR):
                length = 8 if kind == _EIGHT else 4
            else:
                raise ValueError("it is no protocol buffer")
            if number == 0 or length > end - start:
                raise ValueError("it is cut off, or no protocol buffer")
            yield number, kind, start, start + length
            start += length

    def within(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """The fields that have a length: number, beginning and end."""
        for number, kind, first, last in self.fields(start, end):
            if kind == _LENGTH:
                yield number, first, last

    def text(self, first: int, last: int, most: int = MOST_NAME_BYTES) -> str:
        """A text of so many bytes at most."""
        if last - first > most:
            raise ValueError(f"a text in it has {last - first:,} bytes, and {most:,} are the most")
        return self.bytes(first, last).decode()

    def model(self) -> _Found:
        """The whole file."""
        found = _Found()
        for number, kind, first, last in self.fields(0, self.size):
            if number == _MODEL_IR and kind == _VARINT:
                found.ir = first
            if kind != _LENGTH:
                continue
            if number == _MODEL_GRAPH:
                self.top(first, last, found)
            elif number == _MODEL_OPSET:
                domain, version = self.opset(first, last)
                found.opset = version if domain in ("", "ai.onnx") else found.opset
            elif number == _MODEL_METADATA:
                found.metadata.append(self.entry(first, last))
                if len(found.metadata) > MOST_ENTRIES:
                    raise ValueError(f"it has more than {MOST_ENTRIES} texts beside its graph")
            elif number == _MODEL_TRAINING:
                for _, begin, end in self.within(first, last):
                    self.graph(begin, end, 1)
            elif number == _MODEL_FUNCTIONS:
                for part, begin, end in self.within(first, last):
                    if part == _FUNCTION_NODE:
                        self.node(begin, end, 1)
                    elif part == _FUNCTION_ATTRIBUTE:
                        self.attribute(begin, end, 1)
        return found

    def top(self, start: int, end: int, found: _Found) -> None:
        """The graph itself. A second one is a part of the first: so does everybody read a protocol buffer."""
        for number, first, last in self.within(start, end):
            if number == _GRAPH_INPUT:
                found.inputs.append(self.value(first, last))
            elif number == _GRAPH_OUTPUT:
                found.outputs.append(self.value(first, last))
            elif number == _GRAPH_TENSOR:
                found.tensors.add(self.tensor(first, last))
            elif number == _GRAPH_NODE:
                found.operations += 1
                self.node(first, last, 0)
            elif number == _GRAPH_SPARSE:
                found.tensors.add(self.sparse(first, last))

    def graph(self, start: int, end: int, deep: int) -> None:
        """A graph within: only its tensors count."""
        if deep > MOST_DEEP:
            raise ValueError(f"it nests more than {MOST_DEEP} deep")
        for number, first, last in self.within(start, end):
            if number == _GRAPH_NODE:
                self.node(first, last, deep)
            elif number == _GRAPH_TENSOR:
                self.tensor(first, last)
            elif number == _GRAPH_SPARSE:
                self.sparse(first, last)

    def node(self, start: int, end: int, deep: int) -> None:
        for number, first, last in self.within(start, end):
            if number == _NODE_ATTRIBUTE:
                self.attribute(first, last, deep)

    def attribute(self, start: int, end: int, deep: int) -> None:
        for number, first, last in self.within(start, end):
            if number in _ATTRIBUTE_TENSORS:
                self.tensor(first, last)
            elif number in _ATTRIBUTE_GRAPHS:
                self.graph(first, last, deep + 1)
            elif number in _ATTRIBUTE_SPARSE:
                self.sparse(first, last)

    def sparse(self, start: int, end: int) -> str:
        """The name of a tensor of which only some numbers are there: that of its numbers."""
        names = [self.tensor(first, last) for number, first, last in self.within(start, end) if number in (1, 2)]
        return names[0] if names else ""

    def tensor(self, start: int, end: int) -> str:
        """A tensor's name. Raises ModelError when its numbers lie in another file."""
        name, where, outside = "", "", False
        for number, kind, first, last in self.fields(start, end):
            if number == _TENSOR_NAME and kind == _LENGTH:
                name = self.text(first, last)
            elif number == _TENSOR_EXTERNAL and kind == _LENGTH:
                key, value = self.entry(first, last)
                where, outside = value if key == "location" else where, True
            elif number == _TENSOR_LOCATION and kind == _VARINT and first:
                outside = True
        if outside:
            what = f"The numbers of {quoted(name or 'a tensor')} lie in another file" + (
                f", {quoted(where)}." if where else "."
            )
            do = "Save the network in one file: torch.onnx.export(…, external_data=False), or onnx.save(model, path)."
            raise ModelError(Problem("outside", what, do))
        return name

    def entry(self, start: int, end: int) -> tuple[str, str]:
        """A key and its text."""
        key = value = ""
        for number, first, last in self.within(start, end):
            if number == 1:
                key = self.text(first, last)
            elif number == 2 and last - first > MOST_METADATA_BYTES:
                what = f"A text in it, {quoted(key or 'without a name')}, has {last - first:,} bytes."
                do = f"The most are {MOST_METADATA_BYTES:,}: leave out what the network does not need to be run."
                raise ModelError(Problem("too-large", what, do))
            elif number == 2:
                value = self.text(first, last, MOST_METADATA_BYTES)
        return key, value

    def opset(self, start: int, end: int) -> tuple[str, int]:
        """A set of operations: whose, and which version of it."""
        domain, version = "", 0
        for number, kind, first, last in self.fields(start, end):
            if number == 1 and kind == _LENGTH:
                domain = self.text(first, last)
            elif number == 2 and kind == _VARINT:
                version = first
        return domain, version

    def value(self, start: int, end: int) -> Value:
        """An input or output. What is no tensor has the type 0."""
        name, type_ = "", 0
        shape: tuple[int | None, ...] | None = None
        for number, first, last in self.within(start, end):
            if number == 1:
                name = self.text(first, last)
            elif number == 2:
                for part, begin, stop in self.within(first, last):
                    if part == 1:
                        type_, shape = self.tensor_type(begin, stop)
        return Value(name, type_, shape)

    def tensor_type(self, start: int, end: int) -> tuple[int, tuple[int | None, ...] | None]:
        type_ = 0
        shape: tuple[int | None, ...] | None = None
        for number, kind, first, last in self.fields(start, end):
            if number == 1 and kind == _VARINT:
                type_ = first
            elif number == 2 and kind == _LENGTH:
                sizes = [self.size_of(begin, stop) for part, begin, stop in self.within(first, last) if part == 1]
                shape = tuple(sizes)
        return type_, shape

    def size_of(self, start: int, end: int) -> int | None:
        for number, kind, value, _ in self.fields(start, end):
            if number == 1 and kind == _VARINT:
                return value
        return None
