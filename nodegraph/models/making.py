"""What is done with files of others in a process of its own: looking at them, drawing networks from weights, and making
faster versions."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from nodegraph.core.errors import ModelError, Problem

LONGEST_S: Final = 600.0


def make_network(network: str, files: Mapping[str, Path], target: Path) -> None:
    """Draw a network with the weights in `files` and write it to `target`, as ONNX.

    Raises ModelError: ``wrong-architecture`` when they are no weights of it, ``unsafe-model``, ``damaged`` and others.
    """
    words = [network, str(target), *(f"{key}={path}" for key, path in files.items())]
    _apart("nodegraph.models.convert", words, f"making the network '{network}'")


def examine_files(files: Mapping[str, Path]) -> None:
    """Look at files of a model that strangers made (`models.examine`), by the names that they have in it.

    Raises ModelError: ``outside`` for a graph whose weights lie elsewhere, ``damaged``, ``not-a-file``.
    """
    _apart(
        "nodegraph.models.examine",
        [json.dumps({name: str(path) for name, path in files.items()})],
        "looking at the files",
    )


def make_version(request: Mapping[str, Any], scratch: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Make a faster version of a model and measure it (`models.optimize`); gives what was measured.

    It may write in the folder `scratch` alone. `tell` hears what goes on. Whatever ends this call ends the process.
    Raises ModelError; OSError as the process met it.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "nodegraph.models.optimize", json.dumps(request)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0,
        env=os.environ | {"TMPDIR": str(scratch), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.stdin and process.stdout and process.stderr
    stderr = process.stderr
    errors = bytearray()
    reading = threading.Thread(target=lambda: errors.extend(stderr.read()), daemon=True)
    reading.start()
    last: dict[str, Any] = {}
    try:
        for line in process.stdout:
            with contextlib.suppress(ValueError):  # what a library prints is none of ours
                said = json.loads(line)
                if isinstance(said, dict) and "say" in said:
                    last = said
                    if said["say"] == "progress":
                        tell(str(said["text"]))
        code = process.wait()
    finally:
        process.kill()
        process.wait()
        reading.join()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()
    if last.get("say") == "done":
        return dict(last["report"])
    if last.get("say") == "disk":
        raise OSError(last["errno"], last["strerror"])
    if last.get("say") == "problems":
        raise ModelError([Problem(**data) for data in last["problems"]])
    told = (errors.decode("utf-8", "replace").strip().splitlines() or [f"it ended with {code}"])[-1]
    during = f" while {last['text']}" if last.get("say") == "progress" else ""
    raise ModelError(
        Problem("failed", f"making it failed{during}: {told}", "If memory is short, close other programs.")
    )


def _apart(module: str, words: list[str], what: str) -> None:
    """Run a module of ours in a process of its own, which says what is wrong."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", module, *words],
            capture_output=True, text=True, timeout=LONGEST_S, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        text = f"{what} took longer than {LONGEST_S:g} s."
        raise ModelError(Problem("too-slow", text, "Try again when the machine is less busy.")) from error
    if done.returncode == 0:
        return
    problems = _told(done.stdout)
    if not problems:
        last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        problems = [Problem("failed", f"{what} failed: {last}")]
    raise ModelError(problems)


def _told(text: str) -> list[Problem]:
    try:
        return [Problem(**data) for data in json.loads(text)]
    except (ValueError, TypeError):
        return []
