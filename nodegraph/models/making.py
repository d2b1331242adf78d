"""Networks that are made from stored weights, in a process of their own: what it reads was written by others."""

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
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "nodegraph.models.convert", *words],
            capture_output=True, text=True, timeout=LONGEST_S, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        what = f"making the network '{network}' took longer than {LONGEST_S:g} s."
        raise ModelError(Problem("too-slow", what, "Try again when the machine is less busy.")) from error
    if done.returncode == 0:
        return
    problems = _told(done.stdout)
    if not problems:
        last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        problems = [Problem("not-made", f"the network '{network}' could not be made: {last}", file=str(target))]
    raise ModelError(problems)


def _told(text: str) -> list[Problem]:
    try:
        return [Problem(**data) for data in json.loads(text)]
    except (ValueError, TypeError):
        return []
