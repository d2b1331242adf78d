"""What nodes and the world hand each other by the door ``osc`` (`core.declare.Outside`)."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

DOOR: Final = "osc"


class OscIn(NamedTuple):
    """A message that has come in."""

    address: str
    args: tuple[Any, ...]


class OscOut(NamedTuple):
    """A message that goes to `host` and `port` by `protocol`: ``udp``, ``tcp`` or ``tcp-slip``.

    `timetag`: it is sent at once, with the time at which it is to act; else it is sent at that time.
    """

    host: str
    port: int
    protocol: str
    address: str
    args: tuple[Any, ...]
    timetag: bool
