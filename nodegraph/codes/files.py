"""Files of codes: safetensors with one array, ``codes (stages, frames)`` uint16, and which codec they are of.

The metadata are ``format`` (``nodegraph-codes``), ``version`` (``1``) and ``codec`` (a name of `CODECS`).
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Final

import numpy as np

from nodegraph.codes.codecs import CODECS, Codec
from nodegraph.codes.packets import Codes, CodesError
from nodegraph.core.errors import Problem

FORMAT, VERSION, SUFFIX = "nodegraph-codes", "1", ".safetensors"
LARGEST: Final = 1 << 30
MOST_HEAD: Final = 1 << 16
"""Bytes of the part that says what is in it: far more than ours has."""


def check_target(path: Path) -> None:
    """Raises CodesError when this cannot become a file of codes."""
    if path.suffix.lower() != SUFFIX:
        raise _wrong(path, "it has no suffix of a file of codes", f"Name it {path.stem or 'codes'}{SUFFIX}.")
    if not path.parent.is_dir() or path.is_dir():
        raise _wrong(path, "it cannot be written there", "Make the folder.")


def check_source(path: Path) -> None:
    """Raises CodesError when this is no whole file of codes."""
    read_codes(path)


def write_codes(path: Path, codec: Codec, codes: Codes) -> None:
    """Write codes ``(stages, frames)``; the file gets its name when it is whole. Raises CodesError."""
    from safetensors.numpy import save

    made = np.ascontiguousarray(codes, np.uint16)
    if made.ndim != 2 or not 1 <= len(made) <= codec.stages or (made.size and made.max() >= codec.entries):
        raise _wrong(path, f"codes of the shape {np.shape(codes)} are none of {codec.name}", "")
    data = save({"codes": made}, {"format": FORMAT, "version": VERSION, "codec": codec.name})
    scratch = path.with_name(f".{path.name}.part")
    try:
        with open(scratch, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise _wrong(path, f"it cannot be written: {error.strerror}", "Make room, or take another folder.") from error


def read_codes(path: Path) -> tuple[Codec, Codes]:
    """The codec and the codes ``(stages, frames)`` of a file. Raises CodesError, and nothing else."""
    from safetensors import SafetensorError, safe_open

    again = "Write it again with codes.write."
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            head = file.read(8)
    except OSError as error:
        raise _wrong(path, f"it cannot be read: {error.strerror}", "Give the file of codes.write.") from error
    if size > LARGEST or len(head) < 8 or struct.unpack("<Q", head)[0] > MOST_HEAD:
        raise _wrong(path, "it is no file of codes", again)
    try:
        with safe_open(path, "numpy") as opened:
            about = opened.metadata() or {}
            if about.get("format") != FORMAT:
                raise _wrong(path, "it is no file of codes", again)
            if about.get("version") != VERSION:
                raise _wrong(
                    path, f"it has version {about.get('version')!r}; this is {VERSION}", "Take a newer nodegraph."
                )
            codec = CODECS.get(about.get("codec", ""))
            if codec is None:
                raise _wrong(path, f"its codec {about.get('codec')!r} is not known", f"Known are {', '.join(CODECS)}.")
            if list(opened.keys()) != ["codes"]:
                raise _wrong(path, "it has other arrays than 'codes'", again)
            kept = opened.get_slice("codes")
            shape = tuple(kept.get_shape())
            if kept.get_dtype() != "U16" or len(shape) != 2 or not 1 <= shape[0] <= codec.stages or shape[1] < 1:
                raise _wrong(path, f"its codes are {kept.get_dtype()} of the shape {shape}", again)
            codes = opened.get_tensor("codes").astype(np.int64)
    except (SafetensorError, OSError, ValueError) as error:
        raise _wrong(path, f"it is damaged: {error}", again) from error
    if codes.max() >= codec.entries:
        what = f"it has the code {codes.max()}; {codec.name} has 0 to {codec.entries - 1}"
        raise _wrong(path, what, again)
    return codec, codes


def _wrong(path: Path, what: str, do: str) -> CodesError:
    return CodesError(Problem("bad-codes", f"{what}.", do, file=str(path)))
