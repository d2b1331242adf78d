"""Try a node of the user's own in another process, and wait for its answer so long and no longer."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from nodegraph.core.errors import DeclarationError, Problem
from nodegraph.core.hints import quoted
from nodegraph.core.ownfiles import OwnFile
from nodegraph.usernodes.loading import at_source

MODULE: Final = "nodegraph.usernodes.trying"
LIMITS: Final[dict[str, float]] = {"start": 60.0, "import": 5.0, "compile": 60.0, "trial": 10.0}
"""Seconds that each step may take. What is tried is done in a tenth of a second, unless it hangs."""
WORDS: Final = {
    "start": "the process that tries it did not start",
    "import": "it was not imported",
    "compile": "it was not compiled",
    "trial": "it did not return from its trial run",
}
_STOOD: Final = re.compile(r'File "(.+)", line (\d+) in ')
_ANSWER_S: Final = 1.0
_LOOK_S: Final = 0.1
_QUOTED: Final = 3


class Abandoned(Exception):
    """Whoever wanted to know does not any more."""


def read(
    file: OwnFile,
    kind: str,
    *,
    uses: Sequence[Mapping[str, Any]] = (),
    values: Sequence[Mapping[str, Any]] = (),
    folder: Path | None = None,
    abandoned: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """What the class in a file declares (`core.ownfiles.declared`), after it was imported, compiled and tried.

    `uses` and `values`: how the patch uses nodes of this kind, `folder`: from where they name files; so the forms that
    it needs are compiled and tried. Raises DeclarationError with what is wrong, and Abandoned.
    """
    job = {
        "path": str(file.path), "kind": kind, "text": file.content.decode("utf-8", "surrogateescape"),
        "uses": list(uses), "values": list(values), "folder": str(folder or file.path.parent),
    }  # fmt: skip
    with tempfile.TemporaryFile() as said:
        child = _Child(file, job, said)
        try:
            return child.answer(abandoned)
        finally:
            child.end()


class _Child:
    def __init__(self, file: OwnFile, job: Mapping[str, Any], said: IO[bytes]) -> None:
        self.file, self.said = file, said
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-u", "-m", MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env=os.environ | {"PYTHONPATH": path},
                start_new_session=True,  # so that it ends with all that it started, and Ctrl-C is not for it
            )
        except OSError as error:
            raise self._wrong("node-not-tried", f"{WORDS['start']}: {error}.", "Try again.") from error
        assert self.process.stdin is not None and self.process.stdout is not None
        self.out = self.process.stdout
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(job).encode() + b"\n")
            self.process.stdin.close()

    def answer(self, abandoned: Callable[[], bool]) -> dict[str, Any]:
        step, buffer = "start", b""
        until = time.monotonic() + LIMITS[step]
        with selectors.DefaultSelector() as selector:
            selector.register(self.out, selectors.EVENT_READ)
            while True:
                if abandoned():
                    raise Abandoned
                if time.monotonic() > until:
                    raise self._hangs(step)
                if not selector.select(_LOOK_S):
                    continue
                data = os.read(self.out.fileno(), 65_536)
                if not data:
                    raise self._crashed()
                buffer += data
                *lines, buffer = buffer.split(b"\n")
                for line in lines:
                    message = json.loads(line)
                    step = message["step"]
                    if step == "done":
                        found: dict[str, Any] = message["declared"]
                        return found
                    if step == "wrong":
                        raise DeclarationError([Problem(**item) for item in message["problems"]])
                    until = time.monotonic() + LIMITS[step]

    def end(self) -> None:
        """End it and all that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError, AttributeError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.out.close()

    def _wrong(self, code: str, what: str, do: str, line: int | None = None) -> DeclarationError:
        problem = Problem(code, f"{quoted(self.file.path.name)}: {what}", do, str(self.file.path), line)
        return DeclarationError(at_source(self.file, problem))

    def _hangs(self, step: str) -> DeclarationError:
        what = f"{WORDS[step]} within {LIMITS[step]:g} s."
        if step == "start":
            return self._wrong("node-not-tried", what, "The machine is busy; try again.")
        line = self._stands_at() or (self._only_loop() if step == "trial" else None)
        do = "A loop in it seems not to end." if line is None else "This is where it stood: does a loop not end?"
        return self._wrong("endless-node", what, do, line)

    def _stands_at(self) -> int | None:
        """The line of the file at which Python stands, asked of the process."""
        if not hasattr(signal, "SIGUSR1"):
            return None
        start = os.fstat(self.said.fileno()).st_size
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGUSR1)
        until = time.monotonic() + _ANSWER_S
        while time.monotonic() < until:
            text = os.pread(self.said.fileno(), 65_536, start).decode("utf-8", "replace")
            for name, line in _STOOD.findall(text):
                if name == str(self.file.path):
                    return int(line)
            if "<module>" in text or '"<frozen runpy>"' in text:
                return None  # all of it was told, and the file is not in it: machine code runs
            time.sleep(0.01)
        return None

    def _only_loop(self) -> int | None:
        """The line of the loop, if there is just one that might not end."""
        tree = ast.parse(self.file.content)
        lines = [item.lineno for item in ast.walk(tree) if isinstance(item, ast.While)]
        return lines[0] if len(lines) == 1 else None

    def _crashed(self) -> DeclarationError:
        code = self.process.wait()
        self.said.seek(0)
        text = self.said.read().decode("utf-8", "replace")
        try:
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        except ValueError:
            how = f"was ended by signal {-code}"
        stood = [int(line) for name, line in _STOOD.findall(text) if name == str(self.file.path)]
        lines = [line.strip() for line in text.partition("Fatal Python error")[0].splitlines() if line.strip()]
        told = f" ({' | '.join(lines[-_QUOTED:])})" if lines else ""
        do = "Look for what may crash in it."
        return self._wrong("crashed-node", f"the process that tried it {how}{told}.", do, stood[0] if stood else None)
