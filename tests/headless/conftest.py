"""A headless service of the test's own: its folders, its processes, and what it says of itself."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from nodegraph.headless.places import Place

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60.0
TONE = (
    '{"nodegraph": 1, "title": "Tone", "nodes": {"osc": {"kind": "sine~", "freq": 330},'
    ' "level": {"kind": "gain~", "gain": 0.25}, "out": {"kind": "out~"}},'
    ' "cables": ["osc.y -> level.x", "level.y -> out.x"],'
    ' "presets": {"dawn": {"level.gain": 0.125, "osc.freq": 441.5}}}'
)
T = TypeVar("T")


def until(look: Callable[[], T], what: str, seconds: float = DEADLINE_S) -> T:
    """What `look` gives as soon as that is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"{what}: not within {seconds:g} s")


class Service:
    """``nodegraph run --headless`` as a process, under a state folder of its own."""

    def __init__(self, patch: Path, state: Path, name: str = "show") -> None:
        self.patch, self.root, self.name = patch, state, name
        self.place = Place(name, state)
        self.process: subprocess.Popen[str] | None = None

    def start(self, *words: object, driver: str | None = "null", **environment: str) -> Service:
        """Start it. It answers on any free port."""
        given = [] if driver is None else ["--driver", driver]
        command = [
            sys.executable, "-m", "nodegraph", "run", str(self.patch), "--headless", "--name", self.name, *given,
            "--health", "0", *(str(word) for word in words),
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT), "NODEGRAPH_STATE": str(self.root)} | environment,
        )  # fmt: skip
        return self

    def log(self) -> str:
        """The whole log."""
        with contextlib.suppress(FileNotFoundError):
            return self.place.log.read_text(encoding="utf-8")
        return ""

    def state(self) -> dict[str, Any]:
        """The kept state."""
        with contextlib.suppress(FileNotFoundError):
            found: dict[str, Any] = json.loads(self.place.state.read_bytes())
            return found
        return {}

    def get(self, path: str) -> tuple[int, str]:
        """What it answers; (0, "") when it does not."""
        ports = re.findall(r"health and metrics: http://127\.0\.0\.1:(\d+)", self.log())
        if not ports:
            return 0, ""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{ports[-1]}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def health(self) -> dict[str, Any]:
        """What /health says; empty when nobody answers."""
        code, text = self.get("/health")
        return json.loads(text) if code in (200, 503) else {}

    def playing(self, restarts: int = 0, seconds: float = DEADLINE_S) -> dict[str, Any]:
        """Wait for sound that goes on, from an engine that was started again so often (or oftener)."""

        def look() -> dict[str, Any]:
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"it has ended: {self.process.communicate()} {self.log()}")
            first = self.health()
            if first.get("mode") != "playing" or first["restarts"] < restarts or not first["frames"]:
                return {}
            second = until(lambda: self.health() or {"frames": -1}, "an answer")
            return second if second["frames"] > first["frames"] else {}

        return until(look, f"sound after {restarts} restarts; {self.log()}", seconds)

    def engines(self) -> list[int]:
        """The engine's process, and that of the spare one behind it."""
        assert self.process is not None
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(word) for word in path.read_text().split()]

    def engine(self) -> int:
        """The engine's process."""
        return until(self.engines, "an engine")[0]

    def spare_ready(self, restart: int) -> bool:
        """Whether a spare engine waits for this restart."""
        return f"a spare engine waits, for restart {restart}." in self.log()

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Ask it to end; gives the exit code and what it said."""
        assert self.process is not None
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, err

    def close(self) -> None:
        """End whatever is left."""
        if self.process is None or self.process.poll() is not None:
            return
        with contextlib.suppress(OSError, AssertionError, ValueError):
            os.kill(self.engine(), signal.SIGKILL)
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """A small patch that sounds."""
    path = tmp_path / "tone.ng"
    path.write_text(TONE)
    return path


@pytest.fixture
def service(tone: Path, tmp_path: Path) -> Iterator[Service]:
    """A service that is not started yet."""
    found = Service(tone, tmp_path / "state")
    yield found
    found.close()
