"""Which files of code the user trusts: by what is in them, not by where they lie.

A file is trusted when somebody said so about its very content: its SHA-256 is the name of a small file in the user's
config folder, which says where the content lay then. One file for each, put there in one step: two processes cannot
spoil each other's decisions, and looking one up costs one look at the disk. A change of a byte makes another file of
it, which nobody has trusted.

Besides, the files that a player watches can be trusted by their path for as long as it plays (`edits`): what the user
saves while he plays is his own. That is kept in memory only.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.folders import config_root
from nodegraph.core.hints import quoted
from nodegraph.core.replacing import replace_file

MOST_BYTES: Final = 1_000_000
"""Of a node's file."""
MOST_MODEL_BYTES: Final = 1 << 32
"""Of a model that is code: TorchScript holds its weights, too."""
_HASH: Final = re.compile("[0-9a-f]{8,64}")
_edited: Counter[Path] = Counter()


@dataclass(frozen=True, slots=True)
class Trusted:
    """One content that is trusted: its hash, its size in bytes, and where it lay when the user said so."""

    path: str
    sha256: str
    size: int
    when: str

    def as_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def digest_of(content: bytes) -> str:
    """The SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


def digest_of_file(path: Path) -> str:
    """The SHA-256 of a file, which may be large: it is read again when its size or time has changed. Good enough to say
    what will happen, not to run it. Raises OSError."""
    status = path.stat()
    return _digest(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def untrusted_model(path: Path) -> Problem:
    """What to say of a model that is code and that nobody has trusted: how to do it."""
    from nodegraph.core.ownfiles import shown_path

    what = f"The model {quoted(path.name)} is TorchScript, which is code, and you have not trusted it: it stays silent."
    return Problem("untrusted-model", what, f"If you trust whoever made it, run: nodegraph trust {shown_path(path)}")


def no_torch() -> Problem:
    """What to say where PyTorch is missing."""
    what = "The model is TorchScript, which needs PyTorch, and that is not installed: it stays silent."
    do = "Install it: pip install 'nodegraph[torch]'. A build for the processor alone (CPU) is enough."
    return Problem("no-torch", what, do)


def trust(path: str | os.PathLike[str], most: int = MOST_BYTES) -> Trusted:
    """Trust a file of code as it is now, if it has `most` bytes or fewer. Nothing in it is run by that.

    Raises PatchError.
    """
    place = Path(os.path.realpath(path))
    content = content_of(place, most)
    made = Trusted(str(place), digest_of(content), len(content), datetime.now(UTC).isoformat(timespec="seconds"))
    target = record(made.sha256)
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(target, (json.dumps(made.as_dict(), ensure_ascii=False) + "\n").encode("utf-8", "surrogateescape"))
    except OSError as error:
        what = f"The decision could not be kept: {error.strerror or error}."
        do = "Make the folder writable, or name another in NODEGRAPH_CONFIG."
        raise PatchError(Problem("not-saved", what, do, str(target))) from error
    return made


def is_trusted(path: Path, digest: str) -> bool:
    """Whether the file at this path, with this content, may run."""
    return record(digest).is_file() or _edited[path] > 0


def trusted() -> list[Trusted]:
    """All that is trusted, by path."""
    found = []
    folder = config_root() / "trusted"
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            data = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
            found.append(Trusted(str(data["path"]), path.stem, int(data["size"]), str(data["when"])))
        except (OSError, ValueError, TypeError, KeyError):
            found.append(Trusted("(unknown)", path.stem, 0, ""))  # trusted all the same, so it must be seen
    return sorted(found, key=lambda item: (item.path, item.when))


def revoke(word: str) -> list[Trusted]:
    """Trust a file no longer: every content that lay at this path, or the one whose hash begins so. Raises PatchError.

    What plays already plays on.
    """
    place, beginning = os.path.realpath(word), word.casefold()
    found = [item for item in trusted() if item.path == place]
    if not found and _HASH.fullmatch(beginning):
        found = [item for item in trusted() if item.sha256.startswith(beginning)]
    if not found:
        what = f"{quoted(word)} is not trusted."
        raise PatchError(Problem("not-trusted", what, "`nodegraph trust --list` shows what is."))
    for item in found:
        record(item.sha256).unlink(missing_ok=True)
    return found


@contextmanager
def edits(paths: Iterable[Path]) -> Iterator[None]:
    """Trust whatever is saved under these paths, in this process, until the end of the ``with`` block."""
    mine = [Path(os.path.realpath(path)) for path in paths]
    _edited.update(mine)
    try:
        yield
    finally:
        _edited.subtract(mine)


def record(digest: str) -> Path:
    """The file whose presence says that this content is trusted."""
    return config_root() / "trusted" / f"{digest}.json"


def content_of(path: Path, most: int = MOST_BYTES) -> bytes:
    """A file of code, read whole. Raises PatchError."""
    try:
        if not path.exists():
            raise PatchError(Problem("missing-file", "There is no such file.", "Correct the path.", str(path)))
        if not path.is_file():
            raise PatchError(Problem("missing-file", "This is no ordinary file.", "Name a file.", str(path)))
        with path.open("rb") as stream:
            content = stream.read(most + 1)
    except OSError as error:
        what = f"The file cannot be read: {error.strerror or error}."
        raise PatchError(Problem("unreadable-file", what, "Allow yourself to read it.", str(path))) from error
    if len(content) > most:
        what = f"The file is larger than {most:,} bytes."
        raise PatchError(Problem("too-large", what, "A node needs no such file.", str(path)))
    return content
