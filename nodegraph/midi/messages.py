"""What goes through the door ``midi``: one whole message at a time, as bytes, with the port that it belongs to.

`MidiIn` comes in: its port is the full name, and real-time bytes are messages, too. `MidiOut` goes out, by every port
whose name has its `port` in it; an empty one means all.
"""

from __future__ import annotations

from typing import Any, Final

from nodegraph.core.messages import MidiIn, MidiOut

DOOR: Final = "midi"
"""The name of the door (`runtime.outside`)."""


def taken(value: Any) -> tuple[str, bytes] | None:
    """Port and bytes of what came through the door; None when it is no MIDI. A performance on file has plain tuples."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], bytes) and value[1]:
        return str(value[0]), value[1]
    return None


def named(port: str, wanted: str) -> bool:
    """Whether a port is meant by a part of its name, in capitals or not."""
    return wanted.lower() in port.lower()


__all__ = ["DOOR", "MidiIn", "MidiOut", "named", "taken"]
