"""Waiting for what must come, however loaded the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_S = 120.0


def until(what: Callable[[], object], why: str) -> None:
    """Wait until something is so; fail with `why` after two minutes."""
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, why
        time.sleep(0.005)
