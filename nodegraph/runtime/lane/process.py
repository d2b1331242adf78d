"""The worker process as the engine sees it: started, listened to, and ended for sure."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Final

from nodegraph.providers import THREADS_VARIABLE
from nodegraph.runtime.lane.door import Door

MODULE: Final = "nodegraph.runtime.lane.worker"
# -P: no module is taken from the folder in which the user stands; -u: what is printed is there when it crashes.
FLAGS: Final = ("-P", "-u", "-X", "faulthandler", "-m")
LOG_BYTES: Final = 16_384
QUOTED_LINES: Final = 4
THREADS: Final = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
)  # fmt: skip


class Process:
    """One worker. Raises OSError when it cannot be started."""

    def __init__(self, threads: int, group: str = "") -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._popen = subprocess.Popen(
                    [sys.executable, *FLAGS, MODULE, str(theirs.fileno()), str(os.getpid()), group],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,  # what a model prints belongs in the log
                    stderr=subprocess.STDOUT,
                    env=environment(threads),
                    process_group=0,  # so that it ends with all that its models started
                )
            except BaseException:
                ours.close()
                raise
        self.door = Door(ours)
        assert self._popen.stdout is not None
        self._pipe = self._popen.stdout
        os.set_blocking(self._pipe.fileno(), False)
        self._log = bytearray()
        self._fresh = 0
        self.pid = self._popen.pid
        self.started = time.monotonic()

    @property
    def log_fileno(self) -> int:
        return self._pipe.fileno()

    def read_log(self) -> bool:
        """Take in what the worker printed; the last 16 KiB are kept. False when it can print no more."""
        while True:
            try:
                data = os.read(self._pipe.fileno(), LOG_BYTES)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            self._log += data
            self._fresh += len(data)
            del self._log[:-LOG_BYTES]

    def turn_page(self) -> None:
        """The worker has said something since: what it printed and was read until now will explain no crash."""
        self._fresh = 0

    def log(self) -> str:
        return self._log.decode("utf-8", "replace")

    def stopped(self) -> bool:
        """Whether it stands still, as somebody or something has sent it SIGSTOP (not on macOS before Python 3.13)."""
        if not hasattr(os, "waitid"):
            return False
        try:
            return os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return False

    def ended(self) -> bool:
        return self._popen.poll() is not None

    def finish(self, grace_s: float = 0.0) -> str:
        """End it, by force after `grace_s`, and all that it started. Returns how it ended, in words."""
        killed = False
        try:
            self._popen.wait(grace_s)
        except subprocess.TimeoutExpired:
            killed = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        code = self._popen.wait()
        self.read_log()
        self._pipe.close()
        self.door.close()
        return "was stopped" if killed and code == -signal.SIGKILL else _ended_how(code)

    def quote(self) -> str:
        """The last lines that it printed since it last said something, in one."""
        fresh = self._log[len(self._log) - min(self._fresh, len(self._log)) :].decode("utf-8", "replace")
        lines = [line.strip() for line in fresh.splitlines() if line.strip()]
        fatal = next((at for at, line in enumerate(lines) if line.startswith("Fatal Python error")), None)
        return " | ".join(lines[-QUOTED_LINES:] if fatal is None else lines[fatal : fatal + QUOTED_LINES])


def environment(threads: int) -> dict[str, str]:
    """A worker's: the engine's (it finds what the engine finds), with limits that libraries read as they load."""
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return os.environ | {"PYTHONPATH": path} | dict.fromkeys((*THREADS, THREADS_VARIABLE), str(threads))


def _ended_how(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
