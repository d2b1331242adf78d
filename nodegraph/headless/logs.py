"""The log of a service: one line an event, in files that are bounded in size and number.

    2026-03-01T12:00:00.123+0100 warning cut     made NaN or infinity; it was silenced and starts anew.

A line that comes again and again is written once, and then counted. Lines from the engine come with their level in
front, as ``<4>``, which the journal of systemd understands as well.

Source of the levels: sd-daemon(3).
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

LEVELS: Final = {3: "error", 4: "warning", 6: "info"}
NUMBERS: Final = {word: number for number, word in LEVELS.items()}
MOST_BYTES: Final = 1_000_000
MOST_FILES: Final = 5
AGAIN_S: Final = 10.0
"""A line that comes again within this time is counted."""
MOST_COUNTED: Final = 64
LONGEST_LINE: Final = 4_000
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_MARKED: Final = re.compile(r"<(\d)>(?:([^\t]*)\t)?(.*)", re.DOTALL)

Line = tuple[str, str, str]
"""Level, node, text."""


def marked(level: str, node: str, text: str) -> str:
    """A line as the engine hands it on: ``<6>node<tab>text``."""
    return f"<{NUMBERS[level]}>{one_line(node)}\t{one_line(text)}"


def unmarked(text: str, otherwise: str = "warning") -> Line:
    """The inverse of `marked`; a line of anybody else's (a library, a trace) has the level `otherwise`."""
    found = _MARKED.fullmatch(text)
    if found is None:
        return otherwise, "", one_line(text)
    number = int(found[1])
    return LEVELS.get(number, "error" if number < 3 else "info"), found[2] or "", one_line(found[3])


def one_line(text: str) -> str:
    """A text without line ends and control characters, and not endless."""
    text = _CONTROL.sub(" ", text).strip()
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"


class LogFile:
    """A file that is put aside when it is full, and the oldest of those thrown away. What cannot be written is lost:
    a full disk stops nothing."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES, most_files: int = MOST_FILES) -> None:
        """`most_files` counts all of them; no file is longer than `most_bytes` by more than a line."""
        self.path = path
        self.most_bytes, self.most_files = most_bytes, max(1, most_files)
        self._descriptor: int | None = None
        self._size = 0

    def write(self, line: str) -> None:
        """Add a line."""
        data = line.encode("utf-8", "replace") + b"\n"
        try:
            if self._descriptor is not None and self._size and self._size + len(data) > self.most_bytes:
                self._rotate()
            if self._descriptor is None:
                self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                self._size = os.fstat(self._descriptor).st_size
                if self._size and self._size + len(data) > self.most_bytes:
                    self._rotate()
                    self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                    self._size = 0
            self._size += os.write(self._descriptor, data)
        except OSError:
            self.close()

    def _rotate(self) -> None:
        self.close()
        for number in range(self.most_files - 1, 0, -1):
            source = self._aside(number - 1)
            with contextlib.suppress(FileNotFoundError):
                os.replace(source, self._aside(number))
        if self.most_files == 1:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
        self._size = 0

    def _aside(self, number: int) -> Path:
        return self.path if number == 0 else self.path.with_name(f"{self.path.name}.{number}")

    def close(self) -> None:
        """Let go of the file; the next line opens it again."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = None


class Log:
    """Writes events to a file and to a stream for people or the journal, each once."""

    def __init__(
        self,
        file: LogFile | None,
        echo: Callable[[str], None] | None = None,
        *,
        journal: bool = False,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`echo` gets the lines, too: for the `journal`, which has its own time, with the level in front."""
        self.file, self.echo, self.journal = file, echo, journal
        self.clock, self.wall = clock, wall
        self._seen: dict[Line, tuple[float, int]] = {}

    def write(self, level: str, node: str, text: str) -> None:
        """An event."""
        self.tend()
        line = level, one_line(node), one_line(text)
        if line in self._seen:
            since, count = self._seen[line]
            self._seen[line] = since, count + 1
            return
        if len(self._seen) >= MOST_COUNTED:
            self._settle(next(iter(self._seen)))
        self._seen[line] = self.clock(), 0
        self._out(*line)

    def tend(self) -> None:
        """Say how often lines came again whose time is over. Call it now and then."""
        now = self.clock()
        for line in [line for line, (since, _) in self._seen.items() if now - since >= AGAIN_S]:
            self._settle(line)

    def close(self) -> None:
        """Say what was counted."""
        for line in list(self._seen):
            self._settle(line)
        if self.file is not None:
            self.file.close()

    def _settle(self, line: Line) -> None:
        since, count = self._seen.pop(line)
        if count:
            level, node, text = line
            times = "once more" if count == 1 else f"{count} times more"
            self._out(level, node, f"{text} ({times} in {self.clock() - since:.0f} s)")

    def _out(self, level: str, node: str, text: str) -> None:
        if self.file is not None:
            self.file.write(f"{stamp(self.wall())} {level:7} {node or '-':7} {text}")
        if self.echo is not None:
            said = f"{node}: {text}" if node else text
            self.echo(f"<{NUMBERS[level]}>{said}" if self.journal else f"{stamp(self.wall())} {level:7} {said}")


def stamp(wall: float) -> str:
    """A time in ISO 8601, with milliseconds and the place's distance from UTC."""
    milliseconds = int(wall * 1_000)
    local = time.localtime(milliseconds // 1_000)
    return time.strftime(f"%Y-%m-%dT%H:%M:%S.{milliseconds % 1_000:03}%z", local)
