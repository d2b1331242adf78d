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

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodegraph.codes.kinds import MOST_A_SECOND, Codec, is_sane
from nodegraph.codes.packets import MOST_FRAMES, MOST_STAGES, Codes
from nodegraph.core.arrayfiles import Format, WrongFile
from nodegraph.core.errors import MediaError, Problem
from nodegraph.core.hints import quoted

FORMAT: Final = Format(
    "nodegraph-codes", "1", "codes", {"codes": ("U16", 2), "arrays": ("I64", 2)}, frozenset({"codes"}), 256 << 20
)
MOST_CODES: Final = 64 << 20
MOST_ARRAYS: Final = 1 << 20
MOST_TIME: Final = 1 << 48
MOST_CLOCK: Final = 1 << 20
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


def write(path: Path, taken: Taken) -> None:
    """Write a file in one step: what stood there before stays until the new one is whole. Raises MediaError."""
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
    metadata = {"codec": taken.codec.name, "revision": taken.revision}
    metadata |= {name: str(number) for name, number in zip(NUMBERS, numbers, strict=True)}
    FORMAT.write(path, {"codes": codes, "arrays": table}, metadata)


def read(path: Path, wanted: Codec | None = None) -> Taken:
    """A whole file; with `wanted`, of this codec. Raises MediaError that says what is wrong, and nothing else."""
    if not path.is_file():
        raise MediaError(Problem("no-file", f"There is no file of codes {quoted(path.name)}.", "Check the name."))
    try:
        metadata, tensors = FORMAT.read(path)
        taken = _taken(metadata, tensors)
    except WrongFile as error:
        what = f"The file {quoted(path.name)} cannot be read as codes: {error}."
        raise MediaError(Problem("bad-codes", what, DO)) from error
    if wanted is not None and taken.codec != wanted:
        what = f"The file {quoted(path.name)} holds codes of {_said(taken.codec)}, not of {_said(wanted)}."
        raise MediaError(Problem("wrong-codec", what, "Name its codec, and decode it with that one's decoder."))
    return taken


def _taken(metadata: dict[str, str], tensors: dict[str, NDArray[Any]]) -> Taken:
    numbers = []
    for name in NUMBERS:
        text = metadata.get(name, "")
        if not (text.isascii() and text.isdigit() and len(text) <= 12):
            raise WrongFile(f"its {name} is {quoted(text[:20])}, and no number")
        numbers.append(int(text))
    rate, hop, stages, bits, frames, clock = numbers
    codec = Codec(metadata.get("codec", ""), rate, hop, bits)
    if not is_sane(codec) or not 1_000 <= clock <= MOST_CLOCK:
        raise WrongFile(f"what it says of its codec makes no sense: {_said(codec)}")
    codes = tensors["codes"]
    if codes.shape != (stages, frames):
        raise WrongFile(f"it says of itself {stages} stages of {frames} frames, and has {codes.shape}")
    if not codes.size:
        raise WrongFile("it is empty")
    if stages > MOST_STAGES or codes.size > MOST_CODES:
        raise WrongFile(f"it has {stages} stages and {codes.size} codes; {MOST_STAGES} and {MOST_CODES} may be")
    if int(codes.max()) >> bits:
        raise WrongFile(f"codes go up to {codes.max()}; with {bits} bits they go to {(1 << bits) - 1}")
    table = tensors.get("arrays")
    if table is None:
        times = [round(number * hop * clock / rate) for number in range(frames)]
        table = np.array([(at, 1, stages) for at in times], np.int64)
    return Taken(codec, metadata.get("revision", "")[:200], clock, _arrays(codes, table, clock))


def _arrays(codes: NDArray[Any], table: NDArray[Any], clock: int) -> tuple[Array, ...]:
    stages, frames = codes.shape
    if not 1 <= len(table) <= MOST_ARRAYS or table.shape[1] != 3:
        raise WrongFile(f"its table of arrays has the shape {table.shape}")
    at, lengths, heights = table.T
    if at.min() < 0 or at.max() > MOST_TIME or np.any(np.diff(at) < 0):
        raise WrongFile("its arrays lie at times that are none, or go back")
    if np.any(at[MOST_A_SECOND:] - at[:-MOST_A_SECOND] < clock // 2):
        raise WrongFile(f"more than {MOST_A_SECOND} of its arrays lie in half a second")
    if lengths.min() < 1 or lengths.max() > MOST_FRAMES or lengths.sum() != frames:
        raise WrongFile(f"its arrays are {lengths.sum()} frames in all, of {frames}")
    if heights.min() < 1 or heights.max() > stages:
        raise WrongFile(f"its arrays have {heights.min()} to {heights.max()} stages, of {stages}")
    ends: Sequence[int] = np.cumsum(lengths).tolist()
    found = codes.astype(np.int64)
    return tuple(
        Array(int(when), found[:height, end - length : end])
        for when, length, height, end in zip(at.tolist(), lengths.tolist(), heights.tolist(), ends, strict=True)
    )


def _said(codec: Codec) -> str:
    return f"{codec.name[:40] or 'nobody'} ({codec.rate} Hz, {codec.hop} samples a frame, {codec.bits} bits)"
