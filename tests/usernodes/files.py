"""Files of nodes that the tests use, and ways of changing them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HEAD = """
import numpy as np

from nodegraph.core import BlockNode, EventNode, KernelNode, TapNode, inlet, memory, node, outlet, setting
from nodegraph.core.arithmetic import i64, signed, sin_pi, u32
"""

WOBBLE = f'''"""A tremolo of one's own."""
{HEAD}

@node("wobble~", aliases=("shake~",))
class Wobble(KernelNode):
    """Let the level swing. Latency 0 frames."""

    x = inlet.signal("sound")
    freq = inlet.control(5.0, "swings a second", unit="Hz", span=(0.01, 50.0), curve="log")
    depth = inlet.control(0.5, "how far", span=(0.0, 1.0))
    y = outlet.signal("sound that swings")
    angle = memory(0)

    @staticmethod
    def prepare(freq, rate):
        return u32(freq / rate * 4_294_967_296.0)

    @staticmethod
    def tick(x, step, depth, angle):
        dip = sin_pi(signed(angle) * 2.0**-32)
        return x * (1.0 - depth * (dip * dip)), angle + u32(step)
'''

TONE = f'''
{HEAD}

@node("tone~")
class Tone(KernelNode):
    """A sine. Latency 0 frames."""

    freq = inlet.control(220.0, "pitch", unit="Hz", span=(1.0, 2_000.0))
    y = outlet.signal("sine")
    angle = memory(0)

    @staticmethod
    def prepare(freq, rate):
        return u32(freq / rate * 4_294_967_296.0)

    @staticmethod
    def tick(step, angle):
        return 0.02 * sin_pi(signed(angle) * 2.0**-31), angle + u32(step)
'''

ECHO = f'''
{HEAD}

@node("echo~")
class Echo(BlockNode):
    """Say it again, and again. Latency 0 frames."""

    x = inlet.signal("sound")
    time = setting.number(0.05, "time between", span=(0.001, 10.0), unit="s")
    y = outlet.signal("sound and its echoes")
    line = memory.array()
    shape = memory.array()
    at = memory(0, "i64")

    @staticmethod
    def arrange(time: float, rate: int):
        return {{"line": np.zeros(round(time * rate)), "shape": np.full(4, 0.6)}}

    @staticmethod
    def process(x, y, line, shape, at, frames):
        for i in range(frames):
            past = line[at]
            y[i] = x[i] + past
            line[at] = 0.3 * x[i] + shape[0] * past
            at += 1
            if at == len(line):
                at = i64(0)
'''

COUNT = f'''
{HEAD}

@node("count")
class Count(EventNode):
    """Count what comes, and tick by itself."""

    x = inlet.event("what is counted")
    y = outlet.event("how many came")
    tick = outlet.event("a tick every 0.1 s")

    def start(self, when):
        self.number = 0
        self.words = []
        self.host.after(self, 0.1, self.again)

    def again(self, when):
        self.tick()
        self.host.after(self, 0.1, self.again)

    def on_x(self, message):
        self.number += 1
        self.y(self.number)
'''


def patch_text(nodes: dict[str, Any], cables: list[str]) -> str:
    """A patch as nodegraph saves it."""
    rows = ",\n    ".join(f"{json.dumps(id)}: {json.dumps(data)}" for id, data in sorted(nodes.items()))
    wires = ",\n    ".join(json.dumps(cable) for cable in sorted(cables))
    return (
        f'{{\n  "nodegraph": 1,\n  "nodes": {{\n    {rows}\n  }},\n  "cables": [\n    {wires}\n  ]\n}}\n'
        if cables
        else f'{{\n  "nodegraph": 1,\n  "nodes": {{\n    {rows}\n  }},\n  "cables": []\n}}\n'
    )


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def until(holds: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Wait until something holds; fail when it does not within `seconds`."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)
