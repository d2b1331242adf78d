"""Native nodes from which comes what is no sound, each by a way of its own, at a known frame."""

from __future__ import annotations

from math import sqrt

from nodegraph.core import BlockNode, KernelNode, inlet, memory, node, outlet
from nodegraph.core.arithmetic import where

LONG = 300


@node("bad.silence~")
class Divided(KernelNode):
    """Divide silence by silence.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("1, or no number")

    @staticmethod
    def tick(x):
        return x / x


@node("bad.unwritten~")
class Unwritten(BlockNode):
    """Leave every frame but the first 10 of a block unwritten.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("sound")

    @staticmethod
    def process(x, y, frames):
        for i in range(min(frames, 10)):
            y[i] = x[i]


@node("bad.impulse~")
class Clicked(KernelNode):
    """Go to infinity at full scale.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("sound or infinity")

    @staticmethod
    def tick(x):
        return 1.0 / where(x == 1.0, 0.0, 1.0)


@node("bad.noise~")
class Negative(KernelNode):
    """Take the root of what may be negative.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("root or no number")

    @staticmethod
    def tick(x):
        return sqrt(x)


@node("bad.sweep~")
class LowSound(KernelNode):
    """Divide by zero when a half wave is LONG frames long.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("1 or infinity")
    run = memory(0.0)

    @staticmethod
    def tick(x, run):
        run = where(x > 0.0, run + 1.0, 0.0)
        return 1.0 / where(run == LONG, 0.0, 1.0), run


@node("bad.keeps~")
class Keeps(BlockNode):
    """Keep NaN in a line for ever.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("sound")
    line = memory.array(4)
    at = memory(0, "i64")

    @staticmethod
    def process(x, y, line, at, frames):
        for i in range(frames):
            now = x[i] + 0.5 * line[at]
            line[at] = now
            y[i] = now
            at = (at + 1) % 4


@node("bad.mute~")
class Mute(BlockNode):
    """Fall silent for ever when it has heard NaN.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.signal("sound")
    muted = memory(0.0)

    @staticmethod
    def process(x, y, muted, frames):
        for i in range(frames):
            muted = muted if x[i] - x[i] == 0.0 else 1.0
            y[i] = x[i] if muted == 0.0 else 0.0


@node("bad.control~")
class Inverse(KernelNode):
    """Divide by a control that may be 0.

    Latency 0 frames.

    Source: made up.
    """

    x = inlet.signal("sound")
    by = inlet.control(1.0, "divisor", span=(0.0, 1.0))
    y = outlet.signal("sound")

    @staticmethod
    def tick(x, by):
        return x / by
