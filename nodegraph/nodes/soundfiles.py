"""Sound files: read whole, written piece by piece, with the patch inside.

soundfile (libsndfile) does the formats. A file that is written comes into being in one step at its end, under a name
that nobody else sees before. The patch travels as the comment: in FLAC as the Vorbis comment ``COMMENT``, in WAV as
``ICMT`` of a ``LIST INFO`` chunk, which other programs show or skip.
"""

from __future__ import annotations

import os
import struct
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import MediaError, Problem

if TYPE_CHECKING:
    import soundfile

Sound = NDArray[np.float32]
SUBTYPES: Final = {"16": "PCM_16", "24": "PCM_24", "32 float": "FLOAT"}
FORMATS: Final = {".wav": "WAV", ".wave": "WAV", ".flac": "FLAC"}
MOST_WAV_BYTES: Final = 4_294_000_000  # the sizes in a WAV file have 32 bits
MOST_FLAC_CHANNELS: Final = 8


def read_sound(path: Path) -> tuple[Sound, int]:
    """The whole file, float32 ``(channels, frames)``, and its rate; NaN and infinity become silence.

    Raises MediaError when the file is missing, damaged or empty.
    """
    import soundfile

    if not path.is_file():
        what = f"There is no sound file {path.name!r}" + (f" in {path.parent}." if path.parent.name else ".")
        raise MediaError(Problem("no-file", what, "Check the name, or put the file there."))
    try:
        sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError, RuntimeError, ValueError, MemoryError) as error:
        what = f"The file {path.name!r} cannot be read as sound ({_reason(error)})."
        raise MediaError(
            Problem("bad-sound", what, "Give a WAV, FLAC, AIFF, OGG or MP3 file that plays elsewhere.")
        ) from error
    if not len(sound):
        raise MediaError(
            Problem("empty-sound", f"The file {path.name!r} holds no sound.", "Give one with at least a frame.")
        )
    np.nan_to_num(sound, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return np.ascontiguousarray(sound.T, np.float32), int(rate)


def load_sound(path: Path, rate: int) -> Sound:
    """The whole file at `rate`, float32 ``(channels, frames)``; NaN and infinity become silence.

    Another rate is converted by soxr at high quality. Raises MediaError when the file is missing, damaged or empty.
    """
    import soxr

    sound, own_rate = read_sound(path)
    if own_rate != rate:
        sound = soxr.resample(sound.T, own_rate, rate, quality="HQ").T
        if not sound.shape[1]:
            sound = np.zeros((len(sound), 1), np.float32)
    return np.ascontiguousarray(sound, np.float32)


class SoundWriter:
    """A WAV or FLAC file in the making: `write` chunks, then `close`, or `abandon` it and nothing is left.

    Raises MediaError when the format, the folder or the disk does not allow it.
    """

    def __init__(self, path: Path, rate: int, channels: int, *, bits: str = "24", patch: str = "") -> None:
        import soundfile

        self.path, self.channels, self.patch = path, channels, patch
        self.format = check_target(path, channels, bits)
        self.frame_bytes = channels * {"16": 2, "24": 3, "32 float": 4}[bits]
        self.frames = 0
        try:
            handle, self._temporary = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
            os.close(handle)
        except OSError as error:
            raise self._failed(error) from error
        try:
            self._file: soundfile.SoundFile | None = soundfile.SoundFile(
                self._temporary, "w", int(rate), channels, SUBTYPES[bits], format=self.format
            )
            if self.format == "FLAC" and patch:
                self._file.comment = patch  # must stand before the sound
        except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
            raise self._failed(error) from error

    @property
    def full(self) -> bool:
        """Whether the format holds no more."""
        return self.format == "WAV" and self.frames * self.frame_bytes + len(self.patch) * 4 > MOST_WAV_BYTES

    def write(self, sound: Any) -> None:
        """Add float32 ``(channels, frames)``. Missing channels are silent, others dropped; beyond ±1 it is clipped."""
        if self._file is None:
            return
        made = np.zeros((sound.shape[1], self.channels), np.float32)
        count = min(self.channels, sound.shape[0])
        made[:, :count] = np.nan_to_num(sound[:count].T, nan=0.0, posinf=0.0, neginf=0.0)
        try:
            self._file.write(made)
            self._file.flush()
        except (OSError, RuntimeError, AssertionError) as error:  # soundfile asserts that everything was written
            raise self._failed(error) from error
        self.frames += len(made)

    def close(self) -> None:
        """Finish the file and give it its name; what stood there before is replaced."""
        if self._file is None:
            return
        try:
            self._file.close()
            self._file = None
            if self.format == "WAV":
                with open(self._temporary, "r+b") as file:
                    _finish_wav(file, self.patch)
            with open(self._temporary, "rb") as file:
                os.fsync(file.fileno())
            os.chmod(self._temporary, 0o666 & ~_umask())
            os.replace(self._temporary, self.path)
        except (OSError, RuntimeError, struct.error) as error:
            raise self._failed(error) from error

    def abandon(self) -> None:
        """Leave nothing behind."""
        if self._file is not None:
            with suppress(OSError, RuntimeError):
                self._file.close()
            self._file = None
        with suppress(OSError, AttributeError):
            os.unlink(self._temporary)

    def _failed(self, error: BaseException) -> MediaError:
        self._file = getattr(self, "_file", None)
        self.abandon()
        return MediaError(
            Problem(
                "unwritable",
                f"{self.path.name!r} cannot be written to {self.path.parent} ({_reason(error)}).",
                "Check that the folder can be written and that the disk has room. Nothing was left behind.",
            )
        )


def check_target(path: Path, channels: int, bits: str) -> str:
    """The format for this path. Raises MediaError when it cannot become a sound file."""
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise MediaError(Problem("bad-format", f"{path.name!r} has no suffix of a format that can be written.",
                                 "Name it .wav or .flac."))  # fmt: skip
    if found == "FLAC" and (bits == "32 float" or channels > MOST_FLAC_CHANNELS):
        what = "no floats" if bits == "32 float" else f"{MOST_FLAC_CHANNELS} channels at most, not {channels}"
        raise MediaError(Problem("bad-format", f"A FLAC file holds {what} ({path.name!r}).", "Name it .wav."))
    if not path.parent.is_dir():
        raise MediaError(
            Problem("unwritable", f"There is no folder {path.parent} for {path.name!r}.", "Make the folder first.")
        )
    if path.is_dir():
        raise MediaError(Problem("unwritable", f"{path.name!r} is a folder.", "Give the file another name."))
    return found


def patch_in(path: Path | str) -> str | None:
    """The patch that a WAV or FLAC file carries, or None. Raises MediaError when the file cannot be read."""
    import soundfile

    path = Path(path)
    try:
        with open(path, "rb") as file:
            if file.read(4) == b"RIFF":
                text = _wav_comment(file)
            else:
                with soundfile.SoundFile(path) as sound:
                    text = sound.comment
    except (OSError, RuntimeError, struct.error) as error:
        what = f"The file {path.name!r} cannot be read as sound ({_reason(error)})."
        raise MediaError(Problem("bad-sound", what, "Give a WAV or FLAC file that nodegraph has written.")) from error
    return text if text.lstrip().startswith("{") and '"nodegraph"' in text else None


def _chunks(file: BinaryIO) -> list[tuple[bytes, int, int]]:
    """Name, place and size of a RIFF file's chunks."""
    file.seek(0, os.SEEK_END)
    end = file.tell()
    found, at = [], 12
    while at + 8 <= end:
        file.seek(at)
        name, size = struct.unpack("<4sI", file.read(8))
        found.append((name, at + 8, min(size, end - at - 8)))
        at += 8 + size + size % 2
    return found


def _wav_comment(file: BinaryIO) -> str:
    for name, place, size in _chunks(file):
        file.seek(place)
        if name == b"LIST" and size > 12 and file.read(8) == b"INFOICMT":
            (length,) = struct.unpack("<I", file.read(4))
            return file.read(min(length, size - 12)).rstrip(b"\0").decode("utf-8", "replace")
    return ""


def _finish_wav(file: BinaryIO, patch: str) -> None:
    """Append the patch, and take out the time of day, so that the same sound makes the same bytes."""
    for name, place, _ in _chunks(file):
        if name == b"PEAK":
            file.seek(place + 4)
            file.write(b"\0\0\0\0")
    file.seek(0, os.SEEK_END)
    if file.tell() % 2:
        file.write(b"\0")
    if patch:
        text = patch.encode() + b"\0"
        text += b"\0" * (len(text) % 2)
        file.write(struct.pack("<4sI8sI", b"LIST", len(text) + 12, b"INFOICMT", len(text)) + text)
    end = file.tell()
    file.seek(4)
    file.write(struct.pack("<I", min(end - 8, 0xFFFFFFFF)))


def _reason(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text.rsplit(": ", 1)[-1].strip().rstrip(".") or type(error).__name__


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
