"""Calls that nodes have asked for, in logical time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True, eq=False)
class Ticket:
    """A call that a node has asked for; it can be cancelled."""

    call: Callable[[Any], None] | None

    def cancel(self) -> None:
        """Never call."""
        self.call = None
