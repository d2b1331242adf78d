"""Where a service keeps its state, its log and its lock; and the lock that lets only one play it.

What is imported here is imported by the supervising process, which stays small: the standard library only.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import sys
from pathlib import Path
from typing import Final

ODD: Final = re.compile(r"[^A-Za-z0-9_.-]+")
LONGEST_NAME: Final = 80


def state_root() -> Path:
    """Where is kept what a restart needs: ``$NODEGRAPH_STATE``, else a folder in the platform's state folder."""
    if chosen := os.environ.get("NODEGRAPH_STATE"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return base / "nodegraph"


def service_name(text: str) -> str:
    """A name for files and units: letters, digits, ``.``, ``_``, ``-``. Two texts that differ get two names."""
    name = ODD.sub("-", text).strip("-.") or "patch"
    if name == text and len(name) <= LONGEST_NAME:
        return name
    return f"{name[:LONGEST_NAME]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


class Place:
    """The folder of one service."""

    def __init__(self, name: str, root: Path | None = None) -> None:
        self.name = name
        self.folder = (state_root() if root is None else root) / name

    @property
    def state(self) -> Path:
        """What a restart begins with."""
        return self.folder / "state.json"

    @property
    def log(self) -> Path:
        """The newest log; older ones are ``nodegraph.log.1`` and so on."""
        return self.folder / "nodegraph.log"

    @property
    def lock(self) -> Path:
        """Held while the service is played; it says by which process."""
        return self.folder / "lock"

    def made(self) -> Place:
        """The folder is there, for this user alone. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self


class Held(OSError):
    """Somebody else holds the lock; `by` is what they wrote into it."""

    def __init__(self, by: str) -> None:
        super().__init__(by)
        self.by = by


def take_lock(path: Path) -> int:
    """Take a lock; the descriptor holds it until it is closed, or all processes that have it are gone.

    The file stays; it is the lock on it that counts, which no crash leaves behind. Raises Held, or OSError.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        by = os.pread(descriptor, 100, 0).decode(errors="replace").strip()
        os.close(descriptor)
        raise Held(by) from error
    except BaseException:
        os.close(descriptor)
        raise
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor
