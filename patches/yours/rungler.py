"""A shift register that writes melodies: a node of one's own, beside the patch that uses it."""

from nodegraph.core import KernelNode, inlet, memory, node, outlet
from nodegraph.core.arithmetic import f32, rarely, u32, where


@node("rungler~")
class Rungler(KernelNode):
    """Read a sound one bit at a time, and make a staircase of the last three bits.

    `freq` times a second the register of eight bits moves on by one; what enters is 1 where `data` is above 0, turned
    round where the bit that leaves is 1. ``y = bits / 3.5 - 1`` of the newest three: eight steps, -1 to 1. Two
    oscillators that know nothing of each other give patterns that almost repeat. Latency 0 frames.

    Source: Rob Hordijk, the Rungler of the Benjolin.
    """

    data = inlet.signal("what is read")
    freq = inlet.control(6.0, "reads a second", unit="Hz", span=(0.1, 2_000.0), curve="log")
    y = outlet.signal("staircase, -1 to 1")
    angle = memory(0)
    bits = memory(0)

    @staticmethod
    def prepare(freq, rate):
        return u32(freq / rate * 4_294_967_296.0)

    @staticmethod
    def tick(data, step, angle, bits):
        after = angle + u32(step)
        if rarely(after < angle):  # once round
            new = where(data > 0.0, u32(1), u32(0)) ^ (bits >> u32(7))
            bits = ((bits << u32(1)) | (new & u32(1))) & u32(255)
        angle = after
        return f32(bits & u32(7)) / 3.5 - 1.0, angle, bits
