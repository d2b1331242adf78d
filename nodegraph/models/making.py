"""What is done with files of others in a process of its own: looking at them, and drawing networks from weights."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

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
