"""Doors to the world as nodes see them: what arrives from outside by name, and what leaves.

A door is a name, ``osc`` or ``midi``. Who runs a real socket or port hands what comes to `Player.act`, and puts a sink
behind the door for what leaves; offline there is neither, and the same graph plays.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from nodegraph.core.declare import PythonNode
from nodegraph.core.host import Moment

Ear = Callable[[Any, Moment], None]
Sink = Callable[[int, Any], None]


class Outside:
    """The doors of one running graph. All methods are called on the player's thread, but for `sink` and `unsink`."""

    def __init__(self, call: Callable[[PythonNode, int, Callable[[Moment], None]], object]) -> None:
        """`call` has a function called in logical time, as `Messages.call` does."""
        self._call = call
        self._ears: dict[str, list[tuple[PythonNode, Ear]]] = {}
        self._sinks: dict[str, tuple[Sink, ...]] = {}

    # -- for nodes (core.declare.Outside)

    def listen(self, node: PythonNode, door: str, call: Ear) -> None:
        """Have a node hear what arrives at a door, each thing at its frame, until the node leaves."""
        self._ears.setdefault(door, []).append((node, call))

    def tell(self, door: str, frame: int, value: Any) -> None:
        """Hand something to whoever stands behind a door; `frame` is when it is to happen. Nobody: it is gone."""
        for sink in self._sinks.get(door, ()):
            sink(frame, value)

    # -- for the world

    def sink(self, door: str, call: Sink) -> None:
        """Have ``call(frame, value)`` get all that leaves by a door. It must not block. Any thread."""
        self._sinks = {**self._sinks, door: (*self._sinks.get(door, ()), call)}

    def unsink(self, door: str, call: Sink) -> None:
        """The inverse of `sink`."""
        self._sinks = {**self._sinks, door: tuple(sink for sink in self._sinks.get(door, ()) if sink != call)}

    def take_over(self, other: Outside) -> None:
        """What leaves this graph goes where that of another one went."""
        self._sinks = other._sinks

    def arrive(self, frame: int, door: str, value: Any) -> None:
        """Something comes in at a frame: every node that listens there hears it."""
        for node, call in self._ears.get(door, ()):
            self._call(node, frame, partial(call, value))

    def forget(self, node: PythonNode) -> None:
        """A node has left."""
        for door, ears in self._ears.items():
            self._ears[door] = [item for item in ears if item[0] is not node]
