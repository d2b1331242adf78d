"""The small process over an engine: starts it, starts it again when it dies, ends it when it does not move any more.

It imports the standard library only, and little of that. The engine is a process of its own, with two pipes back: its
beats (`pulse`), and its words, which become the log (`logs`). Should this process be killed, the engine notes that
nobody reads its beats, fades out, keeps its state and ends.

Beside an engine that plays there is a spare one: it has loaded all that an engine needs, and waits for a line that says
what to do. It takes the place of an engine that dies in a part of the time.

SIGTERM and SIGINT fade the engine out, and SIGHUP starts it anew, out of safe mode too.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from nodegraph.headless.logs import Log, LogFile, unmarked
from nodegraph.headless.notify import Notify
from nodegraph.headless.places import Place
from nodegraph.headless.pulse import FIRST_S, PATIENCE_S, SOUND_S, Crashes, Pulse

LOOK_S: Final = 0.1
AWAY_S: Final = 1.0
"""This process was stopped itself, or the machine slept, when a round took so long."""
STOP_S: Final = 12.0
"""So long an engine may take to fade out and keep its state."""
MOST_WORDS: Final = 1 << 16
WRONG: Final = 2
"""The exit code for what the user must mend."""
OK, INTERRUPTED, FAILED = 0, 130, 1

SPARE_S: Final = 10.0
"""A spare engine that dies is followed by another one after so long."""
READY: Final = "ready"

Command = Callable[[int], Sequence[str]]
"""The engine's command line, given the descriptor for its beats. What it is to do it reads as a line of JSON:
``restarts`` before it; ``safe``, why it is not to play (empty: it is); ``ever``, whether one has come up before it."""


class Engine:
    """One engine process and its pipes. It waits until it is let `go`."""

    def __init__(self, command: Command, keep: Sequence[int]) -> None:
        beats, beats_end = os.pipe()
        words, words_end = os.pipe()
        try:
            os.set_blocking(beats_end, False)  # a supervisor that is stopped stops nobody
            os.set_blocking(words_end, False)
            self.process = subprocess.Popen(
                command(beats_end), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=words_end, pass_fds=(beats_end, *keep), start_new_session=True,
            )  # fmt: skip
        except BaseException:
            os.close(beats)
            os.close(words)
            raise
        finally:
            os.close(beats_end)
            os.close(words_end)
        os.set_blocking(beats, False)
        os.set_blocking(words, False)
        self.beats, self.words = beats, words
        self.ready = False
        """Whether it has loaded all that it needs, and waits."""
        self.began = time.monotonic()
        self.pulse = Pulse(self.began)
        self._pending = {beats: b"", words: b""}

    @property
    def dead(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    def go(self, told: dict[str, Any], patience_s: float, sound_s: float) -> None:
        """Let it do what it is told."""
        self.look()
        self.began = time.monotonic()
        self.pulse = Pulse(self.began, patience_s, sound_s, patience_s if self.ready else FIRST_S)
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # it is dead: that is found out soon
            self.process.stdin.write(json.dumps(told).encode() + b"\n")
            self.process.stdin.flush()

    def look(self) -> bool:
        """Before it is let go: whether it has become ready since the last look."""
        before = self.ready
        self.ready = before or READY in self.lines(self.beats)
        return self.ready and not before

    def lines(self, descriptor: int) -> list[str]:
        """What has come by a pipe, in whole lines."""
        pending = self._pending[descriptor]
        with contextlib.suppress(BlockingIOError):
            while len(pending) < MOST_WORDS:
                data = os.read(descriptor, MOST_WORDS)
                if not data:
                    break
                pending += data
        *whole, rest = pending.split(b"\n")
        if len(rest) >= MOST_WORDS:
            whole, rest = [*whole, rest], b""
        self._pending[descriptor] = rest
        return [line.decode("utf-8", "replace") for line in whole]

    def kill(self) -> None:
        """End it, and what it has started, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> list[str]:
        """It is dead: let go of it. Gives its last words."""
        self.kill()  # its workers
        self.process.wait()
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        last = self.lines(self.words)
        rest = self._pending[self.words]
        os.close(self.beats)
        os.close(self.words)
        return [*last, rest.decode("utf-8", "replace")] if rest else last


class Supervisor:
    """Keeps one engine alive until it is told to end. `run` gives the exit code."""

    def __init__(
        self,
        command: Command,
        log: Log,
        notify: Notify,
        *,
        keep: Sequence[int] = (),
        patience_s: float = PATIENCE_S,
        sound_s: float = SOUND_S,
        safe_after: int = 3,
        spare: bool = True,
    ) -> None:
        """`spare`: whether another engine waits beside the one that plays. `keep` are descriptors that engines inherit:
        the lock, which is free only when all of them are gone, too."""
        self.command, self.log, self.notify, self.keep = command, log, notify, keep
        self.patience_s, self.sound_s = patience_s, sound_s
        self.crashes = Crashes(safe_after)
        self.with_spare = spare
        self._spare: Engine | None = None
        self._spare_at = 0.0
        self.restarts = 0
        self.safe = ""
        self._signal = 0
        self._again = False
        self._ready = False
        self._told = ("", 0.0)
        self._wake, wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._asked)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _asked(self, number: int, frame: Any) -> None:
        if number == signal.SIGHUP:
            self._again = True
        else:
            self._signal = self._signal or number

    def run(self) -> int:
        """Until it is told to end, or the engine has come to its end by itself."""
        try:
            return self._run()
        finally:
            self._no_spare()

    def _run(self) -> int:
        ever = False
        while True:
            engine = self._next()
            told = {"restarts": self.restarts, "safe": self.safe, "ever": ever}
            engine.go(told, self.patience_s, self.sound_s)
            why = self._watch(engine)
            code = engine.process.poll()
            if code is None:
                engine.kill()
                code = engine.process.wait()
            for line in engine.close():
                self.log.write(*unmarked(line))
            ever = ever or engine.pulse.came_up
            if self._signal:
                if code != OK:
                    self.log.write("warning", "", f"the engine did not end by itself: {ended(code)}.")
                return INTERRUPTED if self._signal == signal.SIGINT else OK
            if self._again:
                self._again, self.safe = False, ""
                self._no_spare()
                self.crashes.forget()
                self.log.write("info", "", "SIGHUP: the engine starts anew.")
            elif not why and code == OK:
                return OK
            elif not why and code == WRONG and not ever:
                return WRONG
            else:
                self._crashed(engine, why or ended(code))
            self.restarts += 1

    def _crashed(self, engine: Engine, why: str) -> None:
        now = time.monotonic()
        pause = self.crashes.add(now, engine.pulse.came_up)
        lived = f"{now - engine.began:.1f} s"
        if self.crashes.too_many and not self.safe:
            count = len(self.crashes)
            self.safe = f"the engine died {count} times within a minute, at last so: {why}"
            self.log.write("error", "", f"{self.safe}. It opens without playing; SIGHUP lets it play again.")
        else:
            self.log.write("error", "", f"the engine died after {lived}: {why}; it starts again.")
        self.notify.tell(f"STATUS=The engine died: {why}. It starts again.")
        self._wait(pause)

    def _next(self) -> Engine:
        """An engine: the spare one, if it is alive."""
        spare, self._spare = self._spare, None
        if spare is not None and not spare.dead:
            return spare
        if spare is not None:
            spare.close()
        return Engine(self.command, self.keep)

    def _have_spare(self, now: float) -> None:
        """See to it that another engine waits."""
        if self._spare is not None and self._spare.dead:
            self._no_spare()
            self._spare_at = now + SPARE_S
        if self._spare is None and self.with_spare and now >= self._spare_at:
            self._spare = Engine(self.command, self.keep)
        if self._spare is not None and self._spare.look():
            self.log.write("info", "", f"a spare engine waits, for restart {self.restarts + 1}.")

    def _no_spare(self) -> None:
        if self._spare is not None:
            self._spare.kill()
            self._spare.close()
            self._spare = None

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._signal and not self._again and (left := until - time.monotonic()) > 0.0:
            select.select([self._wake], [], [], left)
            self._drain()

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake, 512):
                pass

    def _watch(self, engine: Engine) -> str:
        """Until the engine is dead, or must be. Gives why it must."""
        asked_at: float | None = None
        last = time.monotonic()
        pipes = [engine.beats, engine.words]
        while True:
            select.select([self._wake, *pipes], [], [], LOOK_S)
            self._drain()
            now = time.monotonic()
            dead = engine.dead
            self._hear(engine, now)
            self.log.tend()
            if dead:
                return ""
            if now - last > AWAY_S:
                engine.pulse.excuse(now)
            last = now
            if (self._signal or self._again) and asked_at is None:
                asked_at = now
                if self._signal:
                    self.notify.tell("STOPPING=1", "STATUS=Fading out.")
                with contextlib.suppress(ProcessLookupError):
                    engine.process.send_signal(signal.SIGTERM)
            if asked_at is not None:
                if now - asked_at > STOP_S:
                    return f"it does not end within {STOP_S:g} s"
            elif fault := engine.pulse.fault(now):
                return fault
            elif engine.pulse.came_up:
                self._have_spare(now)

    def _hear(self, engine: Engine, now: float) -> None:
        for line in engine.lines(engine.words):
            self.log.write(*unmarked(line))
        good = False
        for line in engine.lines(engine.beats):
            good = engine.pulse.hear(line, now) or good
        if good and not self._signal:
            self._tell(engine, now)

    def _tell(self, engine: Engine, now: float) -> None:
        """systemd: only what goes on is said to go on."""
        if not self.notify.wanted:
            return
        words = []
        if not self._ready:
            self._ready = True
            words.append("READY=1")
        state, at = self._told
        every = 1.0 if self.notify.watchdog_s is None else min(1.0, self.notify.watchdog_s / 4.0)
        if words or engine.pulse.state != state or now - at >= every:
            self._told = engine.pulse.state, now
            words.append("WATCHDOG=1")
            why = f": {self.safe}" if self.safe else ""
            times = "once" if self.restarts == 1 else f"{self.restarts} times"
            again = f"; started again {times}" if self.restarts else ""
            words.append(f"STATUS={engine.pulse.state.capitalize()}{why}{again}.")
            self.notify.tell(*words)


def ended(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def echo(line: str) -> None:
    """A line on stderr; nobody there: it is in the file."""
    with contextlib.suppress(OSError):
        os.write(2, line.encode("utf-8", "replace") + b"\n")


def module(name: str, told: str) -> list[str]:
    """The command line of a module of ours. The working folder is not where modules come from, unless ours do."""
    ours = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
    apart = [] if ours == os.path.realpath(os.getcwd()) else ["-P"]
    return [sys.executable, *apart, "-m", name, told]


def main(plan: dict[str, Any]) -> int:
    """Supervise as a plan says, made by `headless.running`."""

    def command(beats: int) -> list[str]:
        return module("nodegraph.headless.engine", json.dumps({**plan, "beats": beats}))

    place = Place(plan["name"])
    journal = bool(os.environ.get("JOURNAL_STREAM"))
    log = Log(LogFile(place.log), echo, journal=journal)
    try:
        supervisor = Supervisor(
            command, log, Notify(), keep=(plan["lock"],), patience_s=plan["patience_s"],
            safe_after=plan["safe_after"], spare=plan["spare"],
        )  # fmt: skip
        os.environ.pop("NOTIFY_SOCKET", None)  # it is this process's to say how it is
        os.environ.pop("WATCHDOG_USEC", None)
        return supervisor.run()
    finally:
        log.close()


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
