"""Sounds in and out of the API: what `in~` hears, what is written, and the patch inside a file."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nodegraph.core.document import Document
from nodegraph.core.errors import MediaError, PatchFileError, Problem
from nodegraph.core.patchfile import loads
from nodegraph.core.registry import Registry
from nodegraph.nodes.soundfiles import SoundWriter, check_target, load_sound, patch_in

Floats = NDArray[np.float32]
Sound = str | os.PathLike[str] | ArrayLike


def heard_sound(sound: Sound, rate: int) -> Floats:
    """A file or an array as float32 ``(channels, frames)`` at `rate`; an array of one dimension is one channel.

    An array is taken to have that rate. Raises MediaError when it is no sound.
    """
    if isinstance(sound, (str, os.PathLike)):
        try:
            return load_sound(Path(sound), rate)
        except MediaError as error:
            raise MediaError([replace(item, file=os.fspath(sound)) for item in error.problems]) from error
    try:
        planes = np.atleast_2d(np.asarray(sound, np.float32))
    except (TypeError, ValueError) as error:
        raise MediaError(
            Problem("bad-sound", f"The input is no sound: {error}.", "Give a file or an array.")
        ) from error
    if planes.ndim != 2 or planes.shape[0] > 64:
        what = f"The input has the shape {np.shape(sound)}."
        raise MediaError(Problem("bad-sound", what, "It should be (channels, frames), 64 channels at most."))
    return np.nan_to_num(planes, nan=0.0, posinf=0.0, neginf=0.0)


def writer(path: Path, rate: int, channels: int, patch: str = "") -> SoundWriter:
    """What writes a sound that was rendered or recorded: ``.wav`` with 32-bit floats, ``.flac`` with 24 bits.

    Raises MediaError.
    """
    return _Writer(path, rate, channels, bits=bits(path), patch=patch)


class _Writer(SoundWriter):
    """Names its file in what goes wrong."""

    def _failed(self, error: BaseException) -> MediaError:
        return MediaError([replace(item, file=str(self.path)) for item in super()._failed(error).problems])


def check_sound_target(path: Path, channels: int = 2) -> None:
    """Find before the work that a file cannot be written. Raises MediaError."""
    try:
        check_target(path, channels, bits(path))
    except MediaError as error:
        raise MediaError([replace(item, file=str(path)) for item in error.problems]) from error
    check_writable(path)


def check_writable(path: Path) -> None:
    """Raises MediaError when there is no folder for the file, or it may not be written."""
    if path.is_dir():
        raise MediaError(Problem("unwritable", "This is a folder.", "Give the name of a file.", str(path)))
    if not path.parent.is_dir():
        what = f"There is no folder {path.parent}."
        raise MediaError(Problem("unwritable", what, "Make the folder first.", str(path)))
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise MediaError(Problem("unwritable", "It may not be written.", "Choose another file or folder.", str(path)))


def bits(path: Path) -> str:
    """The sample format of a file by its suffix."""
    return "24" if path.suffix.lower() == ".flac" else "32 float"


def document_in(path: Path, kinds: Registry | None = None) -> Document:
    """The patch inside a sound file. Raises PatchFileError when there is none."""
    try:
        text = patch_in(path)
    except MediaError as error:
        raise PatchFileError([replace(item, file=str(path)) for item in error.problems]) from error
    if text is None:
        do = "Open a .ng file, or a sound that nodegraph has rendered."
        raise PatchFileError(Problem("not-a-patch", "There is no patch in this sound.", do, str(path)))
    return loads(text, file=str(path), kinds=kinds)
