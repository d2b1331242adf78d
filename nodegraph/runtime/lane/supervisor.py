"""The thread that keeps a worker alive: starts it, hears it, ends it when it hangs, starts it again."""

from __future__ import annotations

import contextlib
import os
import selectors
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from nodegraph.core.errors import WorkerError
from nodegraph.runtime.lane.answers import Answer, unpack_items
from nodegraph.runtime.lane.process import LOG_BYTES, Process
from nodegraph.runtime.lane.seat import STRIKES, Asked, Seat

TICK_S: Final = 0.25
GRACE_S: Final = 0.5
CRASHES, CRASHES_S = 3, 10.0  # so many crashes in so many seconds, and the next start waits
LONGEST_PAUSE_S: Final = 30.0
LONGEST_SLEEP_S: Final = 3600.0


class Supervisor:
    """One worker process and its thread. Everything shared is guarded by the lane's lock (`news`)."""

    def __init__(
        self,
        news: threading.Condition,
        seats: dict[str, Seat],
        tell: Callable[[], None],
        hello: dict[str, Any],
        threads: int,
        hang_s: float,
        load_s: float,
        stopped_s: float,
        group: str,
    ) -> None:
        self._news, self._seats, self._tell = news, seats, tell
        self._hello, self._threads, self._group = hello, threads, group
        self._hang_s, self._load_s, self._stopped_s = hang_s, load_s, stopped_s
        self._stands_since: float | None = None
        self.answers: deque[Answer] = deque()
        self.closed = False
        self._thread: threading.Thread | None = None
        self._process: Process | None = None
        self._workers = 0
        self.restarts = 0
        """How often a worker ended that was still wanted."""
        self._by_key: dict[int, Seat] = {}
        self._crashes: deque[float] = deque(maxlen=CRASHES)
        self._pause_s = 0.0
        self._not_before = 0.0
        self._heard_at = 0.0
        self._look = True
        self._next_look = 0.0
        self._up = self._writing = False
        self._last_log = ""
        self._wake_in, self._wake_out = os.pipe()
        os.set_blocking(self._wake_in, False)
        os.set_blocking(self._wake_out, False)
        self.held = ""
        """What the worker says that it may not do."""
        self.runs_on = ""
        """What the worker says that its models run on, and why."""
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_in, selectors.EVENT_READ)

    # From any thread.

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process else None

    def log(self) -> str:
        process = self._process
        return (self._last_log + (process.log() if process else ""))[-LOG_BYTES:]

    def start(self) -> None:
        with self._news:
            if self._thread is None and not self.closed:
                self._thread = threading.Thread(target=self._run, name="lane", daemon=True)
                self._thread.start()

    def close(self) -> None:
        with self._news:
            self.closed = True
            thread = self._thread
        self.wake()
        if thread is not None:
            thread.join()
        with self._news:
            if self._wake_in < 0:
                return
            for seat in self._seats.values():
                self._fail_all(seat, "the lane is closed")
            self._tell()
            self._selector.close()
            wake_in, wake_out, self._wake_in, self._wake_out = self._wake_in, self._wake_out, -1, -1
            os.close(wake_in)
            os.close(wake_out)

    def wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            os.write(self._wake_out, b"!")

    def ask(self, seat: Seat, asked: Asked) -> None:
        """Send a request on, when the worker knows the node; else it goes after the node's `add`."""
        if self._process is not None and seat.worker == self._workers:
            asked.given = True
            self._send(seat.listening(asked))

    def forget(self, seat: Seat) -> None:
        self._by_key.pop(seat.key, None)
        if self._process is not None and seat.worker == self._workers:
            self._send({"do": "remove", "key": seat.key})

    def fail(self, seat: Seat, asked: Asked, error: str) -> None:
        """Answer a request that nobody else will answer."""
        seat.figures.misses += 1
        seat.heard = max(seat.heard, asked.end_frame)
        seat.learn(asked)
        self.answers.append(Answer(seat.node, asked.number, asked.end_frame, [], 0.0, 0.0, False, error))

    def give_up(self, seat: Seat, error: str) -> None:
        """Leave a node out for good."""
        seat.state, seat.begun = "failed", None
        seat.figures.error = error
        self._fail_all(seat, error)
        self._tell()

    def _fail_all(self, seat: Seat, error: str) -> None:
        for asked in seat.pending.values():
            self.fail(seat, asked, error)
        seat.pending.clear()

    def _send(self, message: object) -> None:
        assert self._process is not None
        if not self._process.door.send(message):
            self.wake()  # the thread sends the rest

    # On the thread.

    def _run(self) -> None:
        try:
            while not self.closed:
                self._turn()
        except Exception as error:  # a mistake of ours: nobody may wait for answers that never come
            traceback.print_exc()
            with self._news:
                self.closed = True
                for seat in self._seats.values():
                    self.give_up(seat, f"the lane broke down ({type(error).__name__}: {error}). Please report this.")
        with self._news:
            process = self._process
            if process is not None:
                self._leave(process)
        if process is not None:
            process.door.close()  # the worker takes that as goodbye
            process.finish(GRACE_S)
            self._last_log += process.log()

    def _turn(self) -> None:
        now = time.monotonic()
        if self._look or now >= self._next_look:  # not after every answer
            self._look = False
            self._start_if_needed()
            with self._news:
                self._add_what_is_ready()
                stuck = self._stuck(now)
                self._next_look = now + self._timeout(now)
            if stuck:
                self._fallen(stuck)
                return
        ready = self._selector.select(min(LONGEST_SLEEP_S, max(0.0, self._next_look - now)))
        if len(ready) > 1:  # the log before the door: what was printed explains no crash after the next answer
            ready.sort(key=lambda one: one[0].data == self._heed)
        for key, events in ready:
            if key.fd == self._wake_in:
                self._look = True
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_in, 4096)
            else:
                key.data(events)
        if not ready and self._process is not None and self._process.ended():
            self._fallen()  # without hanging up: something that it started still holds its end

    def _timeout(self, now: float) -> float:
        """Seconds until there may be something to do that nobody says."""
        if self._process is None:
            return max(0.0, self._not_before - now) if self._wanted() else LONGEST_SLEEP_S
        busy = any(seat.pending or seat.begun for seat in self._seats.values()) or not self._up
        return min(TICK_S if busy else 4 * TICK_S, self._hang_s / 4, self._load_s / 4, self._stopped_s / 4)

    def _wanted(self) -> bool:
        return any(seat.state != "failed" for seat in self._seats.values())

    def _start_if_needed(self) -> None:
        with self._news:
            if self._process is not None or time.monotonic() < self._not_before or not self._wanted():
                return
        try:
            process = Process(self._threads, self._group)  # takes milliseconds: nobody may wait for the lock meanwhile
        except OSError as error:
            text = f"the worker process cannot be started ({error.strerror or error})"
            with self._news:
                for seat in self._seats.values():
                    if seat.state != "failed":
                        self.give_up(seat, text)
            return
        process.door.send(self._hello)
        self._selector.register(process.door, selectors.EVENT_READ, self._heed)
        self._selector.register(process.log_fileno, selectors.EVENT_READ, self._read_log)
        with self._news:
            self._workers += 1
            self._heard_at = process.started
            self._up = self._writing = False
            self._process = process

    def _add_what_is_ready(self) -> None:
        process = self._process
        if process is None:
            return
        for seat in self._seats.values():
            if seat.files is None or seat.state == "failed" or seat.worker == self._workers:
                continue
            seat.worker = self._workers
            self._by_key[seat.key] = seat
            try:
                process.door.send(seat.adding(), seat.memory)
            except (TypeError, ValueError, OSError) as error:
                self.give_up(seat, f"it cannot be handed to the worker ({error})")
                continue
            for asked in seat.pending.values():
                asked.given = True
                process.door.send(seat.listening(asked))
        writing = not process.door.flush()
        if writing != self._writing:
            self._writing = writing
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
            self._selector.modify(process.door, events, self._heed)

    def _stuck(self, now: float) -> str:
        """Why the worker must be ended, in words; empty when all is well."""
        if self._process is None:
            return ""
        if not self._process.stopped():
            self._stands_since = None
        elif self._stands_since is None:
            self._stands_since = now
        elif now - self._stands_since > self._stopped_s:
            return f"was held up from outside for {self._stopped_s:g} s"
        begun = [seat.begun for seat in self._seats.values() if seat.begun is not None]
        if begun or not self._up:
            slow = now - min(begun, default=self._heard_at) > self._load_s
            return f"did not finish loading within {self._load_s:g} s" if slow else ""
        waits = [since for seat in self._seats.values() if (since := seat.waits_since(now)) is not None]
        hangs = bool(waits) and now - max(min(waits), self._heard_at) > self._hang_s
        return f"gave no answer for {self._hang_s:g} s" if hangs else ""

    def _read_log(self, events: int) -> None:
        process = self._process
        if process is not None and not process.read_log():
            with contextlib.suppress(KeyError):
                self._selector.unregister(process.log_fileno)

    def _heed(self, events: int) -> None:
        process = self._process
        if process is None:
            return
        if events & selectors.EVENT_WRITE:
            self._look = True
        if events & selectors.EVENT_READ:
            try:
                messages = process.door.receive()
            except EOFError:
                self._fallen()
                return
            except WorkerError as error:
                self._fallen(str(error))
                return
            try:
                with self._news:
                    self._heard_at = time.monotonic()
                    process.turn_page()
                    for message in messages:
                        self._take(message)
            except (KeyError, TypeError, ValueError) as error:
                self._fallen(f"said what cannot be understood ({type(error).__name__}: {error})")

    def _take(self, message: dict[str, Any]) -> None:
        if message["say"] != "answer":
            self._look = True
        if message["say"] == "up":
            self._up, self.held = True, message["held"]
            return
        if message["say"] == "device":
            self.runs_on = message["line"]
            return
        seat = self._by_key.get(message["key"])
        if seat is None:
            return
        if message["say"] == "answer":
            self._take_answer(seat, message)
        elif message["state"] == "failed":
            self.give_up(seat, message["error"])
        else:
            seat.state = message["state"]
            seat.begun = None if seat.state in ("ready", "unloaded") else self._heard_at
            if seat.state == "unloaded":
                seat.figures.error = message["error"]
            elif seat.state == "ready":
                seat.figures.version = message["version"]
            self._tell()

    def _take_answer(self, seat: Seat, message: dict[str, Any]) -> None:
        asked = seat.pending.pop(message["number"], None)
        if asked is None:
            return
        error, times, figures = message["error"], message["times"], seat.figures
        seat.heard = max(seat.heard, asked.end_frame)
        seat.learn(asked)
        figures.inference_s.extend(times)
        figures.queue_s.append(message["queue_s"])
        if message["began"]:
            figures.total_s.append(message["queue_s"] + max(0.0, self._heard_at - message["began"]))
        if error:
            figures.misses += 1
            figures.error = error
        else:
            figures.answered += 1
            seat.strikes = 0
        items, queue_s, notes = unpack_items(message["items"]), message["queue_s"], tuple(map(str, message["notes"]))
        self.answers.append(
            Answer(seat.node, asked.number, asked.end_frame, items, sum(times), queue_s, not error, error, notes)
        )
        self._tell()

    # When the worker has died, or must.

    def _fallen(self, why: str = "") -> None:
        """Take leave of a worker, blame who was at it, and let the next one come."""
        process = self._process
        if process is None:
            return
        with self._news:
            with contextlib.suppress(EOFError, WorkerError, KeyError, TypeError, ValueError):
                while messages := process.door.receive():
                    for message in messages:
                        self._take(message)
            self._leave(process)
        ended = process.finish(0.0 if why else GRACE_S)  # outside the lock: it may take a while
        self._last_log = (self._last_log + process.log())[-LOG_BYTES:]
        quoted = process.quote()
        text = f"the worker {why or ended}" + (f": {quoted}" if quoted else "")
        with self._news:
            now = time.monotonic()
            self.restarts += not self.closed and bool(self._seats)
            self._plan(now, now - process.started)
            for seat in list(self._seats.values()):
                self._put_back(seat, text)
            self._look = True
            self._tell()

    def _leave(self, process: Process) -> None:
        for file in (process.door, process.log_fileno):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(file)
        self._process = None

    def _plan(self, now: float, lived_s: float) -> None:
        self._crashes.append(now)
        if len(self._crashes) == CRASHES and now - self._crashes[0] < CRASHES_S:
            self._pause_s = min(LONGEST_PAUSE_S, max(1.0, 2 * self._pause_s))
        elif lived_s > LONGEST_PAUSE_S:
            self._pause_s = 0.0
        self._not_before = now + self._pause_s

    def _put_back(self, seat: Seat, text: str) -> None:
        if seat.state == "failed" or seat.worker != self._workers:
            return
        guilty, seat.begun = seat.begun is not None or seat.ring.busy != 0, None
        if seat.ring.busy:
            text = f"{text} (while '{seat.node}' heard the sound up to frame {seat.ring.busy - 1})"
            seat.ring.busy = 0
        seat.worker = 0
        seat.figures.restarts += 1
        seat.figures.error = text
        for asked in [asked for asked in seat.pending.values() if asked.given]:
            del seat.pending[asked.number]
            self.fail(seat, asked, text)
        seat.state = "restarting"
        seat.strikes += guilty
        if seat.strikes >= STRIKES:
            self.give_up(seat, f"{text}. It ended the worker {STRIKES} times in a row and is left out from now on.")
