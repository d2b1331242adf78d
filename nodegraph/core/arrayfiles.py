"""Files of arrays that nodes have made: safetensors, which hold numbers and nothing that could run.

Each has a format and a version in its metadata, and certain arrays. Nothing is believed: sizes, names, types and
dimensions are looked at before a number is read; what the numbers mean is for whoever reads the file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from nodegraph.core.errors import MediaError, Problem
from nodegraph.core.hints import quoted
from nodegraph.core.replacing import replace_file

SUFFIX: Final = ".safetensors"
MOST_HEADER: Final = 1 << 16
"""Bytes of a header of ours; others may be longer, and are none of ours."""

Arrays = dict[str, NDArray[Any]]


class WrongFile(Exception):
    """Why a file cannot be read, as the end of a sentence."""


@dataclass(frozen=True)
class Format:
    """What such a file is: its name, its version, what it holds (for people), its arrays with their types and
    dimensions, those that must be there, and the most bytes of it."""

    name: str
    version: str
    holds: str
    arrays: Mapping[str, tuple[str, int]]
    needed: frozenset[str]
    most_bytes: int

    def check_target(self, path: Path) -> None:
        """Raises MediaError when this cannot become such a file."""
        if path.suffix.lower() != SUFFIX:
            what = f"{quoted(path.name)} has no suffix of a file of {self.holds}."
            raise MediaError(Problem("bad-format", what, f"Name it {SUFFIX}."))
        if not path.parent.is_dir() or path.is_dir():
            raise MediaError(Problem("unwritable", f"{quoted(path.name)} cannot be written there.", "Make the folder."))

    def write(self, path: Path, arrays: Arrays, metadata: Mapping[str, str]) -> None:
        """Write a file in one step: what stood there before stays until the new one is whole. Raises MediaError."""
        from safetensors.numpy import save

        self.check_target(path)
        try:
            replace_file(path, save(arrays, {"format": self.name, "version": self.version, **metadata}))
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            what = f"{quoted(path.name)} cannot be written ({reason})."
            raise MediaError(Problem("unwritable", what, "Check the folder and the disk.")) from error

    def read(self, path: Path) -> tuple[dict[str, str], Arrays]:
        """Metadata and arrays. Raises WrongFile."""
        from safetensors import SafetensorError, safe_open

        try:
            self._check_header(path)
            with safe_open(path, framework="numpy") as file:
                metadata = file.metadata() or {}
                if metadata.get("format") != self.name:
                    raise WrongFile("it is a safetensors file of something else")
                if metadata.get("version") != self.version:
                    version = quoted(str(metadata.get("version")))
                    raise WrongFile(f"it is of version {version}, and this reads {self.version}")
                names = set(file.keys())
                if not self.needed <= names <= set(self.arrays):
                    known, found = " and ".join(map(repr, self.arrays)), ", ".join(sorted(names)[:5])
                    raise WrongFile(f"it has other arrays than {known}: {found}")
                for name in sorted(names):
                    part, (type_, dimensions) = file.get_slice(name), self.arrays[name]
                    if part.get_dtype() != type_ or len(part.get_shape()) != dimensions:
                        raise WrongFile(f"'{name}' is not of {type_} in {dimensions} dimensions")
                return metadata, {name: file.get_tensor(name) for name in names}
        except SafetensorError as error:
            raise WrongFile(f"it is no whole safetensors file ({error})") from error
        except (OSError, MemoryError, ValueError, OverflowError) as error:
            raise WrongFile(str(error) or type(error).__name__) from error

    def _check_header(self, path: Path) -> None:
        size = path.stat().st_size
        if size > self.most_bytes:
            raise WrongFile(f"it is larger than {self.most_bytes >> 20} MB")
        with path.open("rb") as file:
            header = int.from_bytes(file.read(8), "little")
        if size < 8 or header > size - 8:
            raise WrongFile("it is no safetensors file, or breaks off")
        if header > MOST_HEADER:
            raise WrongFile(f"its header has {header} bytes, and that of {self.holds} {MOST_HEADER} at most")
