"""Envelopes and ramps."""

from math import exp, floor, log

from nodegraph.core import KernelNode, inlet, memory, node, outlet
from nodegraph.core.arithmetic import exp2, rarely, signed, u32, where

LONGEST_S = 3_600.0
NEVER = 0xFFFFFFFF  # a day of frames at 48 kHz; what wakes up then goes on sleeping


def frames_of(seconds, rate):
    """A time as whole frames, at least one."""
    return max(floor(min(seconds, LONGEST_S) * rate + 0.5), 1.0)


@node("line~", aliases=("vline~", "Line", "VarLag", "ramp~", "slide~"))
class Ramp(KernelNode):
    """Go to a value in a straight line.

    When `target` changes, y moves there from where it is, in exactly `time` (to the frame), and stays. Starts at 0. The
    same target again does nothing; a target that moves all the time is followed `time` behind. Latency 0 frames.

    Source: definition, as in Max and Pd.
    """

    target = inlet.control(0.0, "where to go", span=(-1_000_000.0, 1_000_000.0), ramp_s=0.0)
    time = inlet.control(0.1, "how long it takes", unit="s", span=(0.0001, LONGEST_S), curve="log", ramp_s=0.0)
    y = outlet.signal("the ramp")
    goal = memory(0.0)
    step = memory(0.0)
    left = memory(0)
    held = memory(0.0)

    @staticmethod
    def prepare(time, rate):
        length = frames_of(time, rate)
        return u32(length), 1.0 / length

    @staticmethod
    def tick(target, length, inverse, goal, step, left, held):
        if rarely(target != goal):
            step = (target - held) * inverse
            left = length
            goal = target
        left = max(left, 1) - 1
        y = goal - step * signed(left)
        return y, goal, step, left, y


def part_of(exponent):
    """1 - exp(-exponent), exact for small ones, too."""
    x = min(exponent, 80.0)
    return where(x < 0.01, x * (1.0 - x * (0.5 - x * (1.0 / 6.0))), 1.0 - exp(-x))


@node("adsr~", aliases=("EnvGen", "Env", "adsr"))
class Adsr(KernelNode):
    """Shape a note: attack, decay, sustain, release.

    While `gate` is above 0: to 1 in `attack`, then to `sustain` in `decay`, and stay; when it falls to 0: to 0 in
    `release`, from wherever the envelope is. A signal gate acts at its sample, and the attack is exact to the frame. A
    new attack starts from the present level, without a click. The times are read when their stage begins; `sustain` may
    move at any time.

    `curve` bends all stages alike: 0 is nearly straight, 1 nearly all of the way in the first third. A stage from a to
    b in N frames goes ``b + (a - b) ((1 + c) r^n - c)``, ``r = (c / (1 + c))^(1 / N)``, ``c = 2^(4 - 12 curve)``.
    Range 0 to 1. Latency 0 frames.

    Source: N. Redmon, "Envelope generators: ADSR Code", EarLevel Engineering, 2013; here with exact times.
    """

    gate = inlet.control(0.0, "above 0 the note is held", span=(0.0, 1.0), ramp_s=0.0)
    attack = inlet.control(0.01, "time to 1", unit="s", span=(0.0001, 60.0), curve="log", ramp_s=0.0)
    decay = inlet.control(0.2, "time from 1 to sustain", unit="s", span=(0.0001, 60.0), curve="log", ramp_s=0.0)
    sustain = inlet.control(0.7, "level while the note is held", span=(0.0, 1.0))
    release = inlet.control(0.3, "time to 0 when the note ends", unit="s", span=(0.0001, 60.0), curve="log", ramp_s=0.0)
    curve = inlet.control(0.5, "0 straight, 1 steep at first", span=(0.0, 1.0), ramp_s=0.0)
    y = outlet.signal("envelope, 0 to 1")
    stage = memory(0)  # 0 released, 1 attack, 2 decay and sustain
    wait = memory(0)  # frames until the attack ends; far away in the other stages
    bend = memory(0.0)
    speed = memory(0.0)
    gap = memory(0.0)  # shrinks from 1 + bend to bend by a factor a frame, so that long times lose no precision
    end = memory(0.0)
    way = memory(0.0)
    follow = memory(0.0)  # 1 while `sustain` is where it goes
    level = memory(0.0)

    @staticmethod
    def prepare(curve):
        shape = exp2(4.0 - 12.0 * min(max(curve, 0.0), 1.0))
        return shape, log((1.0 + shape) / shape)

    @staticmethod
    def tick(
        gate, attack, decay, sustain, release, shape, size, rate,
        stage, wait, bend, speed, gap, end, way, follow, level,
    ):  # fmt: skip
        held = gate > 0.0
        if rarely(held != (stage > 0) or wait == 0):
            wait = NEVER
            length = where(held, where(stage == 0, attack, decay), release)
            frames = frames_of(length, rate)
            pace = part_of(size / frames)  # here, where a stage begins, and not once a block
            if held:
                if stage == 0:
                    stage = 1
                    wait = u32(frames)
                    speed = pace
                    gap = 1.0 + shape
                    bend = shape
                    end = 1.0
                    way = level - 1.0
                elif stage == 1:
                    stage = 2
                    speed = pace
                    gap = 1.0 + shape
                    bend = shape
                    end = 0.0
                    way = 1.0
                    follow = 1.0
            elif stage > 0:
                stage = 0
                speed = pace
                gap = 1.0 + shape
                bend = shape
                end = 0.0
                way = level
                follow = 0.0
        wait = wait - 1
        gap = gap - speed * gap
        level = (way - follow * sustain) * max(gap - bend, 0.0) + (end + follow * sustain)
        return level, stage, wait, bend, speed, gap, end, way, follow, level
