"""How long the soak tests are: a short version in every run of the tests, the whole one in `make soak`."""

from __future__ import annotations

import os
import sys
from typing import TypeVar

WHOLE = os.environ.get("NODEGRAPH_SOAK") == "whole"
T = TypeVar("T")


def length(short: T, whole: T) -> T:
    """The length for this run."""
    return whole if WHOLE else short


def report(text: str) -> None:
    """Say what was measured: shown by `make soak`."""
    sys.stdout.write(f"\n{text}\n")
