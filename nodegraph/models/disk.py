"""Hashing, writing at once, and remembering what was hashed."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final

from nodegraph.models.bring import PIECE
from nodegraph.models.manifest import ModelFile

CHECKED: Final = ".checked.json"


def checked(folder: Path) -> dict[str, list[Any]]:
    """What was hashed in `folder` before: size, time and hash of each file."""
    try:
        data = json.loads((folder / CHECKED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def sha256(path: Path) -> str:
    """The hash of a file, read in pieces. Raises OSError."""
    sha = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(PIECE):
            sha.update(piece)
    return sha.hexdigest()


def matches(path: Path, file: ModelFile) -> bool:
    """Whether the file at `path` is the one that the manifest pins."""
    try:
        return sha256(path) == file.sha256
    except OSError:  # a file that cannot be read is no good either
        return False


def write(path: Path, text: str) -> None:
    """Write a text so that a reader sees the old one or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.replace(scratch, path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
