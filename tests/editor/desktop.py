"""A screen without a screen, and an editor on it that is driven as by a hand: Xvfb, openbox, xdotool.

Nothing here waits for a time, but for as long as a finger holds a key: it waits until the editor's state says that
something is so.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.needs import needs

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
TICK_S = 0.02
SIZE = "1400x900x24"


@contextmanager
def screen() -> Iterator[str]:
    """A display with a window manager; gives its name."""
    xvfb = needs("Xvfb", "apt install xvfb")
    openbox = needs("openbox", "apt install openbox")
    xprop = needs("xprop", "apt install x11-utils")
    needs("xdotool", "apt install xdotool")
    read, write = os.pipe()
    server = subprocess.Popen(
        [xvfb, "-displayfd", str(write), "-screen", "0", SIZE, "-nolisten", "tcp", "-noreset"], pass_fds=[write],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    try:
        with os.fdopen(read) as stream:
            display = f":{stream.readline().strip()}"
        manager = subprocess.Popen(
            [openbox], env=os.environ | {"DISPLAY": display}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            end = time.monotonic() + PATIENCE_S
            while "window id" not in _root_property(display, xprop):
                assert manager.poll() is None and time.monotonic() < end, "the window manager does not come up"
                time.sleep(TICK_S)
            yield display
        finally:
            manager.kill()
            manager.wait()
    finally:
        server.terminate()  # it takes its socket along
        server.wait()


def _root_property(display: str, xprop: Path) -> str:
    """What a window manager that is up has told."""
    return subprocess.run(
        [xprop, "-display", display, "-root", "_NET_SUPPORTING_WM_CHECK"], capture_output=True, text=True
    ).stdout


class Driven:
    """An editor's process on a screen."""

    def __init__(
        self, display: str, folder: Path, words: Sequence[str], name: str = "editor", *, asks: str | None = None,
        **environment: str,
    ) -> None:  # fmt: skip
        """`asks`: the button that answers the question with which it begins."""
        self.display = display
        self.file = folder / f"{name}.state"
        self.file.unlink(missing_ok=True)
        self.log = folder / f"{name}.log"
        self.environment = os.environ | {
            "DISPLAY": display, "NODEGRAPH_EDITOR_STATE": str(self.file), "NODEGRAPH_STATE": str(folder / "state"),
            "NODEGRAPH_CONFIG": str(folder / "config"),
            "PYTHONPATH": str(ROOT), "LIBGL_ALWAYS_SOFTWARE": "1", "LP_NUM_THREADS": "0", **environment,
        }  # fmt: skip
        self.begun = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "nodegraph", "edit", *words], cwd=folder, env=self.environment, stdout=log,
                stderr=log,
            )  # fmt: skip
        if asks is not None:
            self.until(lambda state: asks in state["fields"], "the question")
            self._look()
            self.frames()
            self.point(self.state["fields"][asks])
            self._tool("click", "1")
        self.until(lambda state: state["ready"] and state["up"], "that it can be used")
        self.usable_s = time.monotonic() - self.begun
        self._look()

    def _look(self) -> None:
        """Find its window, and bring it to the front."""
        self.window = self._tool("search", "--sync", "--onlyvisible", "--name", "– nodegraph$").split()[-1]
        self._tool("windowactivate", "--sync", self.window)
        self.corner = self._corner()

    def back(self) -> None:
        """Bring it back that was minimised, with the keyboard: the window manager at times takes that away again at the
        first click.
        """
        end = time.monotonic() + PATIENCE_S
        while True:
            self._tool("windowactivate", "--sync", self.window)
            self._tool("click", "1")
            self.frames(1)
            if self._tool("getwindowfocus").strip() == self.window:
                return
            assert time.monotonic() < end, "the window never has the keyboard"

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return found

    def until(self, true: Callable[[dict[str, Any]], Any], what: str) -> dict[str, Any]:
        """The state, when something is true of it."""
        end = time.monotonic() + PATIENCE_S
        while True:
            state = self.state if self.file.exists() else None
            if state is not None and true(state):
                return state
            assert self.process.poll() is None, f"the editor ended: {self.log.read_text()}"
            told = f"{_short(state)}\n{self.log.read_text()}"
            assert time.monotonic() < end, f"it never came: {what}; {told}"
            time.sleep(TICK_S)

    def _tool(self, *words: str) -> str:
        done = subprocess.run(
            ["xdotool", *words], env=self.environment, capture_output=True, text=True, timeout=PATIENCE_S, check=True
        )
        return done.stdout

    def _corner(self) -> tuple[int, int]:
        """Where the window's inside begins on the screen."""
        asked = [needs("xwininfo", "apt install x11-utils"), "-display", self.display, "-id", self.window]
        told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        left, top = (re.search(rf"Absolute upper-left {axis}:\s+(-?\d+)", told) for axis in "XY")
        assert left is not None and top is not None, told
        return int(left[1]), int(top[1])

    # -- the hand

    def key(self, *chords: str) -> None:
        """Keys, one after another, each as long as a finger holds it."""
        for chord in chords:
            *modifiers, key = chord.split("+")
            down = [word for modifier in modifiers for word in ("keydown", modifier, "sleep", "0.02")]
            up = [word for modifier in reversed(modifiers) for word in ("sleep", "0.02", "keyup", modifier)]
            self._tool(*down, "keydown", key, "sleep", "0.08", "keyup", key, *up)
            end = time.monotonic() + PATIENCE_S
            while modifiers and self.process.poll() is None and self.state["modifiers"]:  # one frame has no order
                assert time.monotonic() < end, "the modifiers are never up"
                time.sleep(TICK_S)

    def type(self, text: str) -> None:
        """A text, into what has the keyboard."""
        self._tool("type", "--delay", "40", text)

    def point(self, at: Sequence[float]) -> None:
        """Move the mouse to a place in the window."""
        self._tool("mousemove", "--sync", str(round(at[0] + self.corner[0])), str(round(at[1] + self.corner[1])))

    def drag(self, start: Sequence[float], end: Sequence[float], doing: str) -> None:
        """Take, carry in steps, let go."""
        self.point(start)
        self._tool("mousedown", "1")
        self.until(lambda state: state["doing"] == doing, f"that it is {doing}")
        for step in (0.3, 0.6, 0.9, 1.0):
            self.point([a + (b - a) * step for a, b in zip(start, end, strict=True)])
        self.until(lambda state: all(abs(a - b) < 2 for a, b in zip(state["hand"], end, strict=True)), "the hand")
        self._tool("mouseup", "1")
        self.until(lambda state: not state["doing"], "that the hand is empty")

    def frames(self, count: int = 2) -> None:
        """Until so many frames more were drawn: the window has seen what was done before."""
        seen = self.state["frames"]
        self.until(lambda state: state["frames"] >= seen + count, "another frame")

    def object(self, at: Sequence[float], text: str) -> None:
        """A new object by ``n``."""
        count = len(self.state["boxes"])
        self.point(at)
        self.key("n")
        self.until(lambda state: state["asking"] and state["typing"], "the object's field")
        self.type(text)
        self.until(lambda state: state["text"] == text, f"the text {text}")
        self.key("Return")
        self.until(lambda state: len(state["boxes"]) == count + 1 and not state["asking"], f"the object {text}")
        self.settled()

    def settled(self) -> dict[str, Any]:
        """The state, when all that was done is confirmed."""
        return self.until(lambda state: not state["waiting"], "that all is confirmed")

    def picture(self, name: str) -> Path | None:
        """What the screen shows, kept where $NODEGRAPH_PICTURES says, else nowhere."""
        folder = os.environ.get("NODEGRAPH_PICTURES")
        if folder is None:
            return None
        needs("import", "apt install imagemagick")
        Path(folder).mkdir(parents=True, exist_ok=True)
        path = Path(folder) / f"{name}.png"
        subprocess.run(
            ["import", "-window", "root", str(path)], env=self.environment, check=True, timeout=PATIENCE_S
        )  # fmt: skip
        return path

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()
        self.process.wait()


def _short(state: dict[str, Any] | None) -> str:
    """A state without what fills pages."""
    return str({name: value for name, value in (state or {}).items() if name not in ("boxes", "cables", "fields")})


def end_engines(folder: Path) -> None:
    """End the engines that editors in this folder have started."""
    import signal

    for file in (folder / "state" / "editor").glob("*.json"):
        pid = json.loads(file.read_text()).get("pid")
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + PATIENCE_S
    while any((folder / "state" / "editor").glob("*.json")) and time.monotonic() < end:
        time.sleep(TICK_S)
    shutil.rmtree(folder / "state", ignore_errors=True)
