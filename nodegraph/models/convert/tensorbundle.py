"""Tensors out of a TensorFlow checkpoint ("tensor bundle"), without TensorFlow.

A bundle is a sorted table (``.index``) that says of each tensor where its numbers lie in the file beside it
(``.data-00000-of-00001``). Only what checkpoints of one shard have is read: uncompressed blocks, plain types.

Source: TensorFlow, tensor_bundle.proto; LevelDB, "table_format.md"; protobuf.dev, "Encoding".
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from nodegraph.core.errors import ModelError, Problem

MAGIC: Final = 0xDB4775248B80FB57
FOOTER: Final = 48
TYPES: Final = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 10: "?"}
"""TensorFlow's numbers of types: float, double, int32, int64, bool."""


def read_bundle(index: Path, data: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Every tensor of a checkpoint by its name. Raises ModelError (``damaged``)."""
    try:
        table, numbers = index.read_bytes(), data.read_bytes()
        return {name: array for name, entry in _entries(table) if (array := _array(entry, numbers)) is not None}
    except OSError as error:
        raise ModelError(Problem("unreadable", f"it cannot be read: {error.strerror}.", file=str(index))) from error
    except (ValueError, IndexError, KeyError, struct.error, UnicodeDecodeError, OverflowError) as error:
        what = f"it is no checkpoint of TensorFlow, or damaged: {error}."
        raise ModelError(Problem("damaged", what, "Fetch it again.", file=str(index))) from error


def _entries(table: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and descriptions of tensors."""
    footer = table[-FOOTER:]
    if len(footer) < FOOTER or struct.unpack("<Q", footer[-8:])[0] != MAGIC:
        raise ValueError("its end is not that of a table")
    _, at = _varint(footer, 0)
    _, at = _varint(footer, at)
    offset, at = _varint(footer, at)
    size, _ = _varint(footer, at)
    for _, handle in _block(table, offset, size):
        start, at = _varint(handle, 0)
        length, _ = _varint(handle, at)
        for key, value in _block(table, start, length):
            if key:  # the one without a name describes the bundle
                yield key.decode(), value


def _block(table: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of one block; each key leaves out what it shares with the one before."""
    if offset + size + 1 > len(table) or size < 4:
        raise ValueError("a block lies beyond its end")
    if table[offset + size] != 0:
        raise ValueError("a block is compressed")
    block = table[offset : offset + size]
    end = size - 4 - 4 * int(struct.unpack("<I", block[-4:])[0])
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        fresh, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + fresh]
        yield key, block[at + fresh : at + fresh + length]
        at += fresh + length


def _array(entry: bytes, numbers: bytes) -> np.ndarray[Any, Any] | None:
    """The tensor that an entry describes; None for a type that is no number."""
    fields = dict(_fields(entry))
    dtype = TYPES.get(int(fields.get(1, 0)))
    if dtype is None:
        return None
    shape = []
    for number, dimension in _fields(fields.get(2, b"")):
        if number == 2:
            shape.append(int(dict(_fields(dimension)).get(1, 0)))
    if int(fields.get(3, 0)) != 0:
        raise ValueError("it is spread over several files")
    offset, size = int(fields.get(4, 0)), int(fields.get(5, 0))
    if offset + size > len(numbers) or size != math.prod(shape) * np.dtype(dtype).itemsize:
        raise ValueError("a tensor lies beyond the end of its numbers")
    return np.frombuffer(numbers[offset : offset + size], dtype).reshape(shape)


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protocol buffer: numbers, and bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        value: Any
        if kind == 0:
            value, at = _varint(message, at)
        elif kind == 2:
            length, at = _varint(message, at)
            value, at = message[at : at + length], at + length
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
            value, at = message[at : at + length], at + length
        else:
            raise ValueError("a description is no protocol buffer")
        yield tag >> 3, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        byte = data[at]
        at += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return found, at
        shift += 7
        if shift > 63:
            raise ValueError("a number has no end")
