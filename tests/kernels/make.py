"""Nodes made of one function, to test the kernel language with."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from nodegraph.core import BlockNode, KernelNode, inlet, memory, node, outlet
from nodegraph.core.declare import _returned
from nodegraph.core.spec import NodeSpec
from tests.contracts.harness import Floats, Unit


def tick_node(function: Callable[..., Any], **memories: Any) -> NodeSpec:
    """A node whose tick is `function`: its parameters are signal inlets, but for those named in `memories`."""
    ports: dict[str, Any] = {}
    for name in inspect.signature(function).parameters:
        if name != "rate":
            ports[name] = memories.get(name) or inlet.signal("in")
    count = _returned(KernelNode, function) - len(memories)
    ports |= {f"y{k}": outlet.signal("out") for k in range(count)}
    cls = type("Made", (KernelNode,), {"__doc__": "Made.", **ports, "tick": staticmethod(function)})
    return node("made~")(cls).spec


def block_node(function: Callable[..., Any], size: int = 16, **memories: Any) -> NodeSpec:
    """A node whose process is `function`: inlet x, outlet y, arrays `line` (f32) and `ints` (i64) of `size`."""
    ports: dict[str, Any] = {"x": inlet.signal("in"), "y": outlet.signal("out"), "line": memory.array(size)}
    ports |= {"ints": memory.array(size, "i64"), **memories}
    cls = type("Made", (BlockNode,), {"__doc__": "Made.", **ports, "process": staticmethod(function)})
    return node("made~")(cls).spec


def ticked(function: Callable[..., Any], lanes: int = 1, *inputs: Floats) -> Floats:
    """What the compiled function gives for each frame of the inputs, ``(outlets, frames)``; every lane must agree."""
    spec = tick_node(function)
    names = [item.name for item in spec.inlets]
    given = {name: np.tile(value, (lanes, 1)) for name, value in zip(names, inputs, strict=True)}
    found = Unit(spec, lanes=lanes).run(len(inputs[0]), given)
    for name, value in found.items():
        assert (value.view(np.int32) == value[:1].view(np.int32)).all(), f"the lanes of {name} differ"
    return np.stack([value[0] for value in found.values()])
