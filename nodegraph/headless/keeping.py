"""Keeps the state of a session in a file: every few seconds, if anything has changed, and at the end."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from nodegraph.core.errors import NodegraphError
from nodegraph.headless.state import Snapshots, State

EVERY_S: Final = 5.0
Report = Callable[[str, str], None]


class Keeper:
    """Writes the state of one session to `path`. Nobody else does: what a killed one left beside it is removed."""

    def __init__(
        self,
        snapshots: Snapshots,
        path: Path,
        report: Report,
        *,
        every_s: float = EVERY_S,
        beat: bool = False,
        wanted: Callable[[State], bool] = lambda state: True,
    ) -> None:
        """`report` gets log lines as (level, text). `beat`: the clock's place counts as a change. What is not `wanted`
        is not kept."""
        self.snapshots, self.path, self.report = snapshots, path, report
        self.every_s, self.beat, self.wanted = every_s, beat, wanted
        self.kept: State | None = None
        """The last state that is in the file."""
        self.error = ""
        """Why the last one is not; empty when it is."""
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        clean(path)

    def start(self) -> None:
        """Keep it from now on, on a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(self.every_s):
            self.keep()

    def keep(self, *, playing: bool | None = None) -> bool:
        """Write the state if it has changed; gives whether the file holds it. `playing`: what it is to say of that."""
        with self._turn:
            try:
                state = self.snapshots.take()
                if playing is not None:
                    state = _playing(state, playing)
                if not self.wanted(state):
                    return False
                if not state.same_as(self.kept, beat=self.beat) or self.error:
                    state.write(self.path)
                    self.kept = state
            except (OSError, NodegraphError) as error:
                why = (error.strerror if isinstance(error, OSError) else "") or str(error)
                if why != self.error:
                    self.report("error", f"the state is not kept: {why}.")
                self.error = why
                return False
            if self.error:
                self.error = ""
                self.report("info", "the state is kept again.")
            return True

    @property
    def age_s(self) -> float | None:
        """How old the state in the file is; None before the first."""
        return None if self.kept is None else max(0.0, time.time() - self.kept.at)

    def stop(self) -> None:
        """Keep it no more. What is in the file stays."""
        self._over.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self.snapshots.close()


def _playing(state: State, playing: bool) -> State:
    from dataclasses import replace

    return replace(state, playing=playing)


def clean(path: Path) -> None:
    """Remove what savers left beside a file when they were killed."""
    with contextlib.suppress(OSError):
        for left in path.parent.glob(f".{path.name}.*.tmp"):
            with contextlib.suppress(OSError):
                left.unlink()
