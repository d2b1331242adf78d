"""Ableton Link: tempo, phase, start and stop shared with everybody on the network who takes part.

Link runs in a process of its own (`nodegraph.timing.link_peer`), which says where the session is; both clocks are the
machine's. Needs the extra ``link``: aalink, under the GPL 3 or later.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from nodegraph.core.errors import DeviceError, PatchError, Problem
from nodegraph.runtime.acts import Act
from nodegraph.timing.places import Here, Place

AGAIN_S: Final = 1.0
"""A peer that ended comes again after so long."""
STALE_S: Final = 2.0
"""What was said so long ago counts no more."""
QUANTA: Final = (1.0, 64.0)


class _State(NamedTuple):
    at: float
    beat: float
    bpm: float
    on: bool
    peers: int


class Link:
    """Follows and leads a Link session. `quantum` is the beats of a phase (a bar of the patch), `start_stop` whether
    start and stop are shared, too."""

    leads = True
    door = ""

    def __init__(self, *, start_stop: bool = False, quantum: float | None = None) -> None:
        if quantum is not None and not QUANTA[0] <= quantum <= QUANTA[1]:
            raise PatchError(Problem("bad-quantum", f"A phase of {quantum} beats cannot be.", "It takes 1 to 64."))
        if importlib.util.find_spec("aalink") is None:
            raise DeviceError(
                "Ableton Link is not installed.", "pip install nodegraph[link] brings it (aalink, GPL 3 or later)."
            )
        self.start_stop = start_stop
        self.quantum = quantum
        self._state: _State | None = None
        self._number = 0
        """Of the last thing that was told to the peer: what it said before does not count."""
        self._run = 0
        self._first = 0.0
        self._begins = (120.0, 4.0, 0.0, time.monotonic())
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self._turn = threading.Lock()
        self._over = threading.Event()

    def begin(self, here: Here) -> None:
        if self.quantum is None:
            self.quantum = float(here.clock.beats_a_bar)
        self._remember(here)
        if self._thread is None:
            self._thread = threading.Thread(target=self._live, name="link", daemon=True)
            self._thread.start()

    def _remember(self, here: Here) -> None:
        """Where a session begins that nobody else takes part in."""
        clock, frame = here.clock, here.frame
        at = here.timebase.time_of(frame) + here.latency_s
        self._begins = clock.tempo_at(frame), self.quantum or 4.0, clock.beat_at(frame), at

    def hear(self, act: Act, here: Here) -> bool:
        return False

    def place(self, here: Here, frame: float) -> Place | None:
        state = self._state
        if state is None or not here.coupled:
            return None
        at = here.timebase.time_of(frame)
        if at - state.at > STALE_S:
            return None
        beat = state.beat + (at - state.at) * state.bpm / 60.0
        return Place(beat, state.bpm, state.on if self.start_stop else None, self._run, beat, self.quantum)

    def tell(
        self, here: Here, *, bpm: float | None = None, playing: bool | None = None, beat: float | None = None
    ) -> None:
        said: dict[str, Any] = {}
        with self._turn:
            state = self._state
            if state is None:
                return
            if bpm is not None:
                now = time.monotonic()
                said["bpm"] = bpm
                state = _State(now, state.beat + (now - state.at) * state.bpm / 60.0, bpm, state.on, state.peers)
            if playing is not None and self.start_stop:
                said["on"] = playing
                state = state._replace(on=playing)
            if not said:
                return
            self._number += 1
            self._state = state
            process = self._process
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):  # one that has ended will come again
                process.stdin.write(json.dumps(said | {"number": self._number}) + "\n")
                process.stdin.flush()

    def status(self) -> Mapping[str, Any]:
        state = self._state
        found: dict[str, Any] = {"source": "link", "heard": state is not None, "quantum": self.quantum}
        return found | ({} if state is None else {"peers": state.peers, "tempo": state.bpm, "on": state.on})

    def close(self) -> None:
        self._over.set()
        process = self._process
        if process is not None:
            process.terminate()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(5.0)

    # -- the peer; on a thread of its own

    def _live(self) -> None:
        while not self._over.is_set():
            bpm, quantum, beat, at = self._begins
            words = [repr(float(number)) for number in (bpm, quantum, beat, at)]
            command = [sys.executable, "-m", "nodegraph.timing.link_peer", *words, str(int(self.start_stop))]
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            self._process, self._number = process, 0
            if self._over.is_set():
                process.terminate()
            assert process.stdout is not None
            for line in process.stdout:
                self._hear_line(line)
            process.wait()
            with self._turn:
                if self._state is not None:
                    state = self._state
                    self._begins = state.bpm, quantum, state.beat, state.at
                self._state = None
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            self._over.wait(AGAIN_S)

    def _hear_line(self, line: str) -> None:
        try:
            data = json.loads(line)
        except ValueError:
            return
        with self._turn:
            if data["seen"] < self._number:
                return
            before = self._state
            if before is not None and before.on != data["on"]:
                self._run += 1
            self._state = _State(data["at"], data["beat"], data["bpm"], bool(data["on"]), int(data["peers"]))
