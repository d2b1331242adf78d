"""Codes in files: safetensors, which hold numbers and nothing that could run.

Metadata, all texts: ``format`` (``nodegraph-codes``), ``version`` (1), ``codec``, ``revision`` (of its weights, may be
empty), ``rate``, ``hop``, ``stages``, ``bits``, ``frames``, ``clock``. Arrays:

==========  ===================  ===========================================================================
name        shape, type          what
==========  ===================  ===========================================================================
``codes``   (stages, frames)     uint16; rows beyond the stages of an array are 0
``arrays``  (arrays, 3)          int64;  of each array in turn: where it lies in time, its frames, its stages. Times are
                                 in samples at the rate ``clock`` from the beginning. May be left out: then every
                                 frame is an array by itself, one after another
==========  ===================  ===========================================================================

Nothing is believed: sizes, shapes, types, sums and every number are looked at before anything is played.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodegraph.codes.kinds import MOST_A_SECOND, Codec, is_sane
from nodegraph.codes.packets import MOST_FRAMES, MOST_STAGES, Codes
from nodegraph.core.errors import MediaError, Problem
from nodegraph.core.hints import quoted
from nodegraph.core.replacing import replace_file

SUFFIX: Final = ".safetensors"
FORMAT: Final = "nodegraph-codes"
VERSION: Final = "1"
MOST_BYTES: Final = 256 << 20
MOST_HEADER: Final = 1 << 16
"""Bytes of a header of ours; others may be longer, and are none of ours."""
MOST_CODES: Final = 64 << 20
MOST_ARRAYS: Final = 1 << 20
MOST_TIME: Final = 1 << 48
MOST_CLOCK: Final = 1 << 20
TYPES: Final = {"codes": "U16", "arrays": "I64"}
NUMBERS: Final = ("rate", "hop", "stages", "bits", "frames", "clock")
DO: Final = "Give a file that codes.write has made, or make it as docs/codes.md says."


class Array(NamedTuple):
    """Codes ``(stages, frames)``, and when they are said: samples of the file's clock from its beginning."""

    at: int
    codes: Codes


@dataclass(frozen=True)
class Taken:
    """What a file holds."""

    codec: Codec
    revision: str
    clock: int
    arrays: tuple[Array, ...]

    def frame(self, at: int, rate: int) -> int:
        """A time of the file in frames of an engine at `rate`."""
        return (2 * at * rate + self.clock) // (2 * self.clock)

    def length(self, rate: int) -> int:
        """How long it is, in frames of an engine: to where the last of it ends."""
        ends = (self.frame(one.at, rate) + self.codec.engine_frames(one.codes.shape[1], rate) for one in self.arrays)
        return max(ends, default=0)


def check_target(path: Path) -> None:
    """Raises MediaError when this cannot become a file of codes."""
    if path.suffix.lower() != SUFFIX:
        what = f"{quoted(path.name)} has no suffix of a file of codes."
        raise MediaError(Problem("bad-format", what, f"Name it {SUFFIX}."))
    if not path.parent.is_dir() or path.is_dir():
        raise MediaError(Problem("unwritable", f"{quoted(path.name)} cannot be written there.", "Make the folder."))


def write(path: Path, taken: Taken) -> None:
    """Write a file in one step: what stood there before stays until the new one is whole. Raises MediaError."""
    from safetensors.numpy import save

    check_target(path)
    if not taken.arrays:
        raise MediaError(Problem("no-codes", f"There are no codes to write into {quoted(path.name)}."))
    stages = max(len(one.codes) for one in taken.arrays)
    frames = sum(one.codes.shape[1] for one in taken.arrays)
    codes = np.zeros((stages, frames), np.uint16)
    table = np.zeros((len(taken.arrays), 3), np.int64)
    begin = 0
    for number, (at, found) in enumerate(taken.arrays):
        codes[: len(found), begin : begin + found.shape[1]] = found
        table[number] = at, found.shape[1], len(found)
        begin += found.shape[1]
    numbers = (taken.codec.rate, taken.codec.hop, stages, taken.codec.bits, frames, taken.clock)
    metadata = {"format": FORMAT, "version": VERSION, "codec": taken.codec.name, "revision": taken.revision}
    metadata |= {name: str(number) for name, number in zip(NUMBERS, numbers, strict=True)}
    try:
        replace_file(path, save({"codes": codes, "arrays": table}, metadata))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        what = f"{quoted(path.name)} cannot be written ({reason})."
        raise MediaError(Problem("unwritable", what, "Check the folder and the disk.")) from error


def read(path: Path, wanted: Codec | None = None) -> Taken:
    """A whole file; with `wanted`, of this codec. Raises MediaError that says what is wrong, and nothing else."""
    if not path.is_file():
        raise MediaError(Problem("no-file", f"There is no file of codes {quoted(path.name)}.", "Check the name."))
    try:
        metadata, tensors = _opened(path)
        taken = _taken(metadata, tensors)
    except _Wrong as error:
        what = f"The file {quoted(path.name)} cannot be read as codes: {error}."
        raise MediaError(Problem("bad-codes", what, DO)) from error
    if wanted is not None and taken.codec != wanted:
        what = f"The file {quoted(path.name)} holds codes of {_said(taken.codec)}, not of {_said(wanted)}."
        raise MediaError(Problem("wrong-codec", what, "Name its codec, and decode it with that one's decoder."))
    return taken


class _Wrong(Exception):
    """Why a file cannot be read."""


def _opened(path: Path) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
    from safetensors import SafetensorError, safe_open

    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise _Wrong(f"it is larger than {MOST_BYTES >> 20} MB")
        with path.open("rb") as file:
            header = int.from_bytes(file.read(8), "little")
        if size < 8 or header > size - 8:
            raise _Wrong("it is no safetensors file, or breaks off")
        if header > MOST_HEADER:
            raise _Wrong(f"its header has {header} bytes, and that of codes {MOST_HEADER} at most")
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise _Wrong("it is a safetensors file of something else")
            if metadata.get("version") != VERSION:
                raise _Wrong(f"it is of version {quoted(str(metadata.get('version')))}, and this reads {VERSION}")
            names = set(file.keys())
            if not {"codes"} <= names <= set(TYPES):
                raise _Wrong(f"it has other arrays than 'codes' and 'arrays': {', '.join(sorted(names)[:5])}")
            for name in sorted(names):
                part = file.get_slice(name)
                if part.get_dtype() != TYPES[name] or len(part.get_shape()) != 2:
                    raise _Wrong(f"'{name}' is no table of {TYPES[name]}")
            return metadata, {name: file.get_tensor(name) for name in names}
    except SafetensorError as error:
        raise _Wrong(f"it is no whole safetensors file ({error})") from error
    except (OSError, MemoryError, ValueError, OverflowError) as error:
        raise _Wrong(str(error) or type(error).__name__) from error


def _taken(metadata: dict[str, str], tensors: dict[str, NDArray[Any]]) -> Taken:
    numbers = []
    for name in NUMBERS:
        text = metadata.get(name, "")
        if not (text.isascii() and text.isdigit() and len(text) <= 12):
            raise _Wrong(f"its {name} is {quoted(text[:20])}, and no number")
        numbers.append(int(text))
    rate, hop, stages, bits, frames, clock = numbers
    codec = Codec(metadata.get("codec", ""), rate, hop, bits)
    if not is_sane(codec) or not 1_000 <= clock <= MOST_CLOCK:
        raise _Wrong(f"what it says of its codec makes no sense: {_said(codec)}")
    codes = tensors["codes"]
    if codes.shape != (stages, frames):
        raise _Wrong(f"it says of itself {stages} stages of {frames} frames, and has {codes.shape}")
    if not codes.size:
        raise _Wrong("it is empty")
    if stages > MOST_STAGES or codes.size > MOST_CODES:
        raise _Wrong(f"it has {stages} stages and {codes.size} codes; {MOST_STAGES} and {MOST_CODES} may be")
    if int(codes.max()) >> bits:
        raise _Wrong(f"codes go up to {codes.max()}; with {bits} bits they go to {(1 << bits) - 1}")
    table = tensors.get("arrays")
    if table is None:
        times = [round(number * hop * clock / rate) for number in range(frames)]
        table = np.array([(at, 1, stages) for at in times], np.int64)
    return Taken(codec, metadata.get("revision", "")[:200], clock, _arrays(codes, table, clock))


def _arrays(codes: NDArray[Any], table: NDArray[Any], clock: int) -> tuple[Array, ...]:
    stages, frames = codes.shape
    if not 1 <= len(table) <= MOST_ARRAYS or table.shape[1] != 3:
        raise _Wrong(f"its table of arrays has the shape {table.shape}")
    at, lengths, heights = table.T
    if at.min() < 0 or at.max() > MOST_TIME or np.any(np.diff(at) < 0):
        raise _Wrong("its arrays lie at times that are none, or go back")
    if np.any(at[MOST_A_SECOND:] - at[:-MOST_A_SECOND] < clock // 2):
        raise _Wrong(f"more than {MOST_A_SECOND} of its arrays lie in half a second")
    if lengths.min() < 1 or lengths.max() > MOST_FRAMES or lengths.sum() != frames:
        raise _Wrong(f"its arrays are {lengths.sum()} frames in all, of {frames}")
    if heights.min() < 1 or heights.max() > stages:
        raise _Wrong(f"its arrays have {heights.min()} to {heights.max()} stages, of {stages}")
    ends: Sequence[int] = np.cumsum(lengths).tolist()
    found = codes.astype(np.int64)
    return tuple(
        Array(int(when), found[:height, end - length : end])
        for when, length, height, end in zip(at.tolist(), lengths.tolist(), heights.tolist(), ends, strict=True)
    )


def _said(codec: Codec) -> str:
    return f"{codec.name[:40] or 'nobody'} ({codec.rate} Hz, {codec.hop} samples a frame, {codec.bits} bits)"
