"""Signals that hold a value: what the signal outlets of Python nodes are made of.

Each channel is a kernel of its own whose only control is moved by the node, with a ramp, at an exact sample.
"""

from __future__ import annotations

from typing import Final

from nodegraph.core.declare import KernelNode, node
from nodegraph.core.ports import inlet, memory, outlet
from nodegraph.core.spec import NodeSpec

WIDE: Final = 3.0e38


@node("held~")
class Held(KernelNode):
    """Hold a value."""

    value = inlet.control(0.0, "the value", span=(-WIDE, WIDE))
    y = outlet.signal("the value")
    kept = memory(0.0)  # a node with memory runs also while nobody hears it, so that its value is there when one does

    @staticmethod
    def tick(value, kept):  # type: ignore[no-untyped-def]
        return value, value


HELD: Final[NodeSpec] = Held.spec


def held_name(node: str, outlet: str, channel: int) -> str:
    """Under which name the engine knows one channel."""
    return f"{node}\0{outlet}\0{channel}"


def held_parts(name: str) -> tuple[str, str]:
    """The node that a name of the engine belongs to, and the rest of it."""
    node, boundary, rest = name.partition("\0")
    return node, boundary + rest
