"""After a crash: the edits of an interactive session that were never saved.

    with Recovery(session, report) as recovery:
        ...                              # edits are kept every few seconds
    for lost in lost_edits(path):        # another day, before the patch is opened
        patch = lost.patch(); lost.forget()

A session that ends in order leaves nothing. Several sessions may have the same patch open: each has a file of its own,
and holds a lock on it; what nobody holds is of one that died.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nodegraph.core.errors import NodegraphError, PatchFileError, Problem
from nodegraph.headless.keeping import EVERY_S, Keeper
from nodegraph.headless.places import Held, service_name, state_root, take_lock
from nodegraph.headless.state import Snapshots, State, patch_of, read

if TYPE_CHECKING:
    from nodegraph.api.patch import Patch
    from nodegraph.session.session import Session

MOST: Final = 32
UNTITLED: Final = "untitled"


def folder(path: Path | None) -> Path:
    """Where unsaved edits of a patch's file are kept, or those of patches without one."""
    if path is None:
        return state_root() / "recovery" / UNTITLED
    real = os.path.realpath(path)
    mark = hashlib.sha256(real.encode()).hexdigest()[:8]
    return state_root() / "recovery" / f"{service_name(Path(real).stem)[:60]}-{mark}"


class Recovery:
    """Keeps one session's unsaved edits while it is open. Used with ``with``, or closed in the end."""

    def __init__(self, session: Session, report: Callable[[str, str], None], *, every_s: float = EVERY_S) -> None:
        """`report` gets log lines as (level, text). Raises PatchFileError when nothing can be kept."""
        place = folder(session.patch.path)
        try:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock, self._file = _slot(place)
        except OSError as error:
            what = f"Unsaved edits cannot be kept: {error.strerror or error}."
            raise PatchFileError(Problem("not-saved", what, "Set NODEGRAPH_STATE.", str(place))) from error
        self._place = place
        self._session = session
        self.keeper = Keeper(Snapshots(session), self._file, report, every_s=every_s, wanted=_unsaved)
        session.news.listen(self._saved, ("saved",))
        self.keeper.start()

    def _saved(self, topic: str, data: object) -> None:
        """Something is in its file now; what is kept is not wanted when all is."""
        if self._session.unsaved:
            return
        self._file.unlink(missing_ok=True)
        self.keeper.kept = None

    def close(self, *, leave: bool = False) -> bool:
        """The session ends in order: nothing is left behind. With `leave`, what is unsaved is, as after a crash.

        Gives whether anything is.
        """
        self._session.news.leave(self._saved, ("saved",))
        left = leave and self._session.unsaved and self.keeper.keep()
        self.keeper.stop()
        if not left:
            self._file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._file.with_suffix(".lock").unlink()
        os.close(self._lock)
        with contextlib.suppress(OSError):
            self._place.rmdir()  # if nobody else keeps anything there
        return left

    def __enter__(self) -> Recovery:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _unsaved(state: State) -> bool:
    return state.unsaved


def _slot(place: Path) -> tuple[int, Path]:
    """A file that nobody uses, and holds nothing that was lost, and its lock. Raises OSError."""
    for number in range(1, MOST + 1):
        file = place / f"{number}.json"
        with contextlib.suppress(Held):
            lock = take_lock(file.with_suffix(".lock"))
            if not file.exists():
                return lock, file
            os.close(lock)
    raise OSError(f"there are {MOST} of them already in {place}")


@dataclass(frozen=True)
class Lost:
    """What a session that died had not saved."""

    state: State
    file: Path

    def patch(self) -> Patch:
        """The patch as it was. Raises PatchFileError."""
        return patch_of(self.state)

    def forget(self) -> None:
        """It is saved, or not wanted."""
        self.file.unlink(missing_ok=True)


def lost_edits(path: Path | None) -> list[Lost]:
    """What was lost of the patch in a file (or of patches without one), the newest first."""
    return sorted(_lost(folder(path)), key=lambda lost: lost.state.at, reverse=True)


def _lost(place: Path) -> Iterator[Lost]:
    for file in place.glob("*.json"):
        try:
            lock = take_lock(file.with_suffix(".lock"))
        except OSError:
            continue  # its session lives
        try:
            state = read(file)
        except NodegraphError:
            continue
        finally:
            os.close(lock)
        if state is not None and state.unsaved:
            yield Lost(state, file)
