"""Nodes that are late and say so, for the tests of latency compensation."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodegraph.core import BlockNode, inlet, memory, node, outlet
from nodegraph.core.arithmetic import u32
from nodegraph.core.registry import Registry, registry


def late_node(frames: int, per_rate: bool = False) -> type[BlockNode]:
    """A node that gives its input back so many frames later. `per_rate`: so many at 48 kHz."""

    @node(f"late{frames}{'r' if per_rate else ''}~")
    class Late(BlockNode):
        """Be late."""

        x = inlet.signal("sound")
        y = outlet.signal("the same, later")
        line = memory.array()
        at = memory(0)

        @staticmethod
        def latency(rate: int) -> int:
            return frames * rate // 48_000 if per_rate else frames

        @staticmethod
        def arrange(rate: int) -> dict[str, Any]:
            return {"line": np.zeros(frames * rate // 48_000 if per_rate else frames, np.float32)}

        @staticmethod
        def process(x, y, line, at, frames):
            for i in range(frames):
                y[i] = line[at]
                line[at] = x[i]
                at = at + u32(1)
                at = u32(0) if at == u32(len(line)) else at

    return Late


LATENCIES = (1, 7, 64, 96, 1_000)
KINDS = Registry([*registry(), *(late_node(frames) for frames in LATENCIES), late_node(96, per_rate=True)])
