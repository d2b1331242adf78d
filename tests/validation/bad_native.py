"""Native nodes that each break one promise, at a known frame."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from nodegraph.core import BlockNode, KernelNode, inlet, memory, node, outlet, setting
from nodegraph.core.arithmetic import f32, i64, still

LATE = 5
shared = np.zeros(16, np.float32)


@node("bad.alias~", aliases=("sine~",))
class BadAlias(KernelNode):
    """Take an alias that belongs to another kind.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("sound")

    @staticmethod
    def tick(x):
        return x


@node("bad.unmade~")
class Unmade(BlockNode):
    """Have an array that nobody makes.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("sound")
    line = memory.array()

    @staticmethod
    def process(x, y, line, frames):
        for i in range(frames):
            y[i] = x[i]


@node("bad.help~")
class Unhelpful(KernelNode):
    """no sentence"""

    x = inlet.signal("sound")
    y = outlet.signal("sound")

    @staticmethod
    def tick(x):
        return x


@node("bad.ports~")
class Undocumented(KernelNode):
    """Leave a port and a knob unexplained.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("")
    knob = inlet.control(2.0, "beyond its span", span=(0.0, 1.0))
    log_knob = inlet.control(0.0, "it reaches 0", span=(0.0, 1.0), curve="log")
    y = outlet.signal("A sentence.")

    @staticmethod
    def tick(x, knob, log_knob):
        return x + knob + log_knob


@node("bad.plain")
class Tildeless(KernelNode):
    """Carry sound without saying so in the name.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("sound")

    @staticmethod
    def tick(x):
        return x


@node("bad.root~")
class Root(KernelNode):
    """Take a root; a test makes that a call of the maths library.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("root")

    @staticmethod
    def tick(x):
        return sqrt(max(x, 0.0))


@node("bad.blocks~")
class LastOfBlock(BlockNode):
    """Halve the last frame of each block.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("sound")

    @staticmethod
    def process(x, y, frames):
        for i in range(frames):
            y[i] = x[i]
        y[frames - 1] = 0.5 * x[frames - 1]


@node("bad.still~")
class Unlike(BlockNode):
    """Be a little louder while its control moves.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    gain = inlet.control(1.0, "factor", span=(0.0, 2.0))
    y = outlet.signal("sound")

    @staticmethod
    def process(x, gain, y, frames):
        if still(gain):
            for i in range(frames):
                y[i] = x[i] * gain[0]
        else:
            for i in range(frames):
                y[i] = x[i] * gain[i] * (1.0 + 0.0001 * gain[i])


@node("bad.reset~")
class Unseeded(BlockNode):
    """Begin with other noise each time.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("sound")
    line = memory.array()

    @staticmethod
    def arrange(rate: int) -> dict[str, Any]:
        return {"line": np.random.default_rng().standard_normal(16).astype(np.float32)}

    @staticmethod
    def process(x, y, line, frames):
        for i in range(frames):
            y[i] = x[i] + line[0]


@node("bad.shared~")
class Shared(BlockNode):
    """Share one array among all instances.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("sum of all that was heard")
    line = memory.array()

    @staticmethod
    def arrange(rate: int) -> dict[str, Any]:
        return {"line": shared}

    @staticmethod
    def process(x, y, line, frames):
        for i in range(frames):
            line[0] = 0.9 * line[0] + 0.1 * x[i]
            y[i] = line[0]


@node("bad.late~")
class Late(KernelNode):
    """Come LATE frames late and say nothing of it.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("sound")
    x1 = memory(0.0)
    x2 = memory(0.0)
    x3 = memory(0.0)
    x4 = memory(0.0)
    x5 = memory(0.0)

    @staticmethod
    def tick(x, x1, x2, x3, x4, x5):
        return x5, x, x1, x2, x3, x4


@node("bad.early~")
class Early(KernelNode):
    """Say that it is late, and be in time.

    Latency 64 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("sound")

    @staticmethod
    def latency(rate: int) -> int:
        return 64

    @staticmethod
    def tick(x):
        return x


@node("bad.beside~")
class Beside(BlockNode):
    """Write one float behind its array when the control is at its end.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    place = inlet.control(0.0, "where to write", span=(0.0, 1.0))
    y = outlet.signal("sound")
    line = memory.array(16)

    @staticmethod
    def process(x, place, y, line, frames):
        for i in range(frames):
            line[i64(16.0 * max(min(place[i], 1.0), 0.0))] = x[i]
            y[i] = x[i]


@node("bad.reads~")
class Reads(BlockNode):
    """Read one float behind its array.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("sound")
    line = memory.array(16)

    @staticmethod
    def process(x, y, line, frames):
        for i in range(frames):
            y[i] = x[i] + line[len(line)]


@node("bad.wild~")
class Wild(BlockNode):
    """Write far away from its array, which ends the process.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("sound")
    line = memory.array(16)

    @staticmethod
    def process(x, y, line, frames):
        for i in range(frames):
            line[i64(1e15) * i64(1 + i)] = f32(i)
            y[i] = x[i]


@node("bad.rate~")
class OneRate(BlockNode):
    """Know how to be made at the usual rates only.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("sound")
    table = memory.array()

    @staticmethod
    def arrange(rate: int) -> dict[str, Any]:
        return {"table": {48_000: np.zeros(4), 44_100: np.zeros(4), 96_000: np.zeros(4)}[rate]}

    @staticmethod
    def process(x, y, table, frames):
        for i in range(frames):
            y[i] = x[i] + table[0]


@node("bad.settled~")
class Settled(KernelNode):
    """Pass a sound; its setting is there to be saved.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    count = setting.number(3, "something to save", span=(0, 1_000))
    y = outlet.signal("sound times the setting")

    @staticmethod
    def tick(x, count):
        return x * count
