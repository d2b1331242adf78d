"""The engine that an editor starts for itself, or left playing when it died: a process that does not depend on it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nodegraph.core.errors import DeviceError, Problem
from nodegraph.editor.link import Place, place_of
from nodegraph.headless.places import service_name, state_root


@dataclass
class Engine:
    """A process that plays a patch, and where it will say how to reach it."""

    patch: Path
    address: Path
    process: subprocess.Popen[bytes] | None = None
    pid: int | None = None
    options: Sequence[str] = ()
    """How it plays, as ``nodegraph run`` is told."""
    waits: bool = False
    """Whether it is started only when somebody has said how (`start`)."""

    def start(self, *more: str) -> None:
        """Start it (again), in a session of its own: neither the editor's death nor its Ctrl-C reaches it.

        Raises DeviceError.
        """
        words = [sys.executable, "-m", "nodegraph.commands.engine", str(self.patch), "--address", str(self.address)]
        try:
            self.address.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.address.unlink(missing_ok=True)
            with open(log_of(self.address), "wb", opener=_private) as log:
                self.process = subprocess.Popen(
                    [*words, *self.options, *more], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True,
                )  # fmt: skip
        except OSError as error:
            what = f"The engine cannot be started: {error.strerror or error}."
            raise DeviceError(Problem("no-engine", what, "Set NODEGRAPH_STATE to a folder of yours.")) from error
        self.pid, self.waits = None, False

    @property
    def ended(self) -> bool:
        """Whether its process was there and is no more."""
        if self.process is not None:
            return self.process.poll() is not None
        if self.pid is None:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False

    def place(self) -> Place | None:
        """Where it listens; None as long as it does not yet. Raises DeviceError when it never will."""
        if self.waits:
            return None
        found = _read(self.address)
        if found is not None and "problems" in found:
            raise DeviceError([Problem(**problem) for problem in found["problems"]])
        if found is not None and (self.process is None or found["pid"] == self.process.pid):
            self.pid = int(found["pid"])
            return place_of(found["url"])
        if self.process is not None and self.process.poll() is not None:
            what = f"The engine ended with code {self.process.returncode} before it could be reached."
            raise DeviceError(Problem("no-engine", what, "Its log says why.", str(log_of(self.address))))
        return None

    def end(self) -> None:
        """Have it fade out and end; nobody waits for it."""
        pid = self.pid if self.process is None else self.process.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGTERM)

    def take_back(self) -> None:
        """It was started just now, and is not wanted after all: nothing of it is left."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        for file in (self.address, log_of(self.address)):
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # as far as they are empty
            for folder in (self.address.parent, state_root()):
                folder.rmdir()


def address_of(patch: Path) -> Path:
    """The file in which the engine of a patch says where it is."""
    real = os.path.realpath(patch)
    mark = hashlib.sha256(real.encode()).hexdigest()[:8]
    return state_root() / "editor" / f"{service_name(Path(real).stem)[:60]}-{mark}.json"


def log_of(address: Path) -> Path:
    """Where that engine writes what it has to say."""
    return address.with_suffix(".log")


def left_playing(patch: Path) -> Engine | None:
    """The engine of this patch that an editor has left, if it still answers."""
    address = address_of(patch)
    found = _read(address)
    if found is None or "url" not in found:
        return None
    parts = urlsplit(found["url"])
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), 1.0).close()
    except OSError:
        return None
    return Engine(patch, address, pid=int(found["pid"]))


def started(patch: Path, options: Sequence[str] = ()) -> Engine:
    """Start an engine for a patch. Raises DeviceError."""
    made = Engine(patch, address_of(patch), options=options)
    made.start()
    return made


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _read(address: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(address.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
