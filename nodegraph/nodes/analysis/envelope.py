"""Followers of level."""

from math import sqrt

from nodegraph.core import KernelNode, inlet, memory, node, outlet, setting
from nodegraph.core.arithmetic import rarely, where
from nodegraph.nodes.envelopes import part_of


@node("env~", aliases=("Amplitude", "peakamp~", "average~", "follow~", "EnvFollow", "RMS"))
class Follower(KernelNode):
    """Follow the level of a signal.

    `peak`: ``e += k (|x| - e)``; `rms`: the same over ``x^2``, and its root comes out. ``k = 1 - exp(-1 / (T
    rate))``, T is `attack` while the level rises and `release` while it falls: 63 % of the way in T. A steady sine of
    amplitude A tends to A (peak, long release) or A / sqrt(2) (rms, attack = release). Range 0 upwards, linear; Pd's
    env~ gives dB instead. Latency 0 frames.

    Source: U. Zölzer, *DAFX*, chapter 4, "Dynamics".
    """

    x = inlet.signal("signal")
    mode = setting.choice("peak", "what is followed", ("peak", "rms"))
    attack = inlet.control(0.005, "time constant upwards", unit="s", span=(0.00001, 10.0), curve="log")
    release = inlet.control(0.1, "time constant downwards", unit="s", span=(0.00001, 10.0), curve="log")
    y = outlet.signal("level, linear")
    held = memory(0.0)

    @staticmethod
    def prepare(attack, release, rate):
        return part_of(1.0 / (max(attack, 0.000001) * rate)), part_of(1.0 / (max(release, 0.000001) * rate))

    @staticmethod
    def tick(x, mode, up, down, held):
        away = where(mode > 0.5, x * x, abs(x)) - held
        rising, falling = held + up * away, held + down * away  # both, so that the sum need not wait for the test
        held = where(away > 0.0, rising, falling)
        y = held
        if rarely(mode > 0.5):
            y = sqrt(max(held, 0.0))
        return y, held
