"""Effects in which something swings slowly: chorus, flanger, phaser."""

from math import exp, floor, log
from typing import Any

import numpy as np

from nodegraph.core import BlockNode, KernelNode, inlet, memory, node, outlet
from nodegraph.core.arithmetic import f32, f64, i64, rows, tan_pi, u32
from nodegraph.nodes.delays import lagrange, ring, sound
from nodegraph.nodes.oscillators import TWO_32, cosine_of, phase_of

VOICES = 3
DELAY_MOST_S, DEPTH_MOST_S = 0.05, 0.02
THIRD, SIXTH = 0x55555555, 0x2AAAAAAA  # of a round
LEVEL = 0.57735026919  # 1 / sqrt(3): three voices that have nothing to do with each other are as loud as one


def step_of(freq, rate):
    """How far a phase goes in a frame."""
    return u32(f64(min(max(freq, 0.0), 1_000.0)) / rate * TWO_32 + 0.5)


def held_within(seconds, rate, size):
    """A delay in frames, from 2 to what a line of this size holds."""
    return max(min(f64(seconds) * f64(rate), f64(size - 4)), 2.0)


def read_between(line, row, at, delay):
    """What stood `delay` frames before the writing place, between four frames."""
    size = len(line)
    whole = i64(floor(delay))
    t = f32(delay - f64(whole))
    after = at - whole + 1
    after = after + size if after < 0 else after
    now = after - 1 if after > 0 else size - 1
    before = now - 1 if now > 0 else size - 1
    oldest = before - 1 if before > 0 else size - 1
    return lagrange(line[row, after], line[row, now], line[row, before], line[row, oldest], t)


@node("chorus~", aliases=("ensemble~",))
class Chorus(BlockNode):
    """Make one voice sound like several, left and right apart.

    Each side adds three copies that are late by ``delay + depth sin(2 pi p)``, with p a third of a round apart and the
    right side a sixth of a round ahead of the left: so they drift in pitch by up to ``2 pi freq depth`` (at the
    defaults 1.3 %, 22 cents). ``y = (1 - mix) x + mix wet``; the three together are as loud as x. One channel goes into
    both sides; of several the first, third and so on go into the left, the others into the right. Reads with four
    points between two frames, as `delay~` does. The delay is held between 2 frames and 70 ms. Latency 0 frames.

    Source: J. Dattorro, "Effect Design, Part 2: Delay-Line Modulation and Chorus", JAES, 1997.
    """

    x = inlet.signal("sound, one channel or more")
    freq = inlet.control(0.7, "swings a second", unit="Hz", span=(0.01, 20.0), curve="log")
    delay = inlet.control(0.015, "how late the copies are", unit="s", span=(0.001, DELAY_MOST_S), ramp_s=0.2)
    depth = inlet.control(0.003, "how far that swings, up and down", unit="s", span=(0.0, DEPTH_MOST_S), ramp_s=0.2)
    mix = inlet.control(0.5, "0 only the sound, 1 only the copies", span=(0.0, 1.0))
    y = outlet.signal("left and right", channels=2)
    line = memory.array(rows=True)
    at = memory(0, "i64")
    angle = memory(0)

    spread = "all"

    @staticmethod
    def arrange(rate: int) -> dict[str, Any]:
        return {"line": np.stack([ring(DELAY_MOST_S + DEPTH_MOST_S, rate)] * 2)}

    @staticmethod
    def process(x, freq, delay, depth, mix, y, line, at, angle, rate, frames):
        size = len(line)
        for i in range(frames):
            for side in range(2):
                dry = 0.0
                if rows(x) == 1:
                    dry = x[0, i]
                else:
                    for c in range(side, rows(x), 2):
                        dry += x[c, i]
                line[side, at] = sound(dry)
                wet = 0.0
                now = angle + u32(side) * SIXTH
                for _ in range(VOICES):
                    late = f64(delay[i]) + f64(depth[i]) * f64(cosine_of(now - 0x40000000))
                    wet += read_between(line, side, at, held_within(late, rate, size))
                    now = now + THIRD
                amount = mix[i]
                y[side, i] = dry * (1.0 - amount) + LEVEL * amount * wet
            at = at + 1 if at + 1 < size else 0
            angle = angle + step_of(freq[i], rate)


@node("flanger~", aliases=("flange~", "jet~"))
class Flanger(BlockNode):
    """Add a sound to itself a little later, by a time that swings: teeth in the spectrum that travel.

    ``v[n] = x[n] + feedback v[n-D]``, ``y = (1 - mix) x + mix v[n-D]``, ``D = delay (1 - depth (1 - cos 2 pi p) / 2)``,
    held between 2 frames and 20 ms. p goes round `freq` times a second from `phase` on: two sides with phases of 0 and
    0.25 turn in space. A negative feedback puts the teeth between those of a positive one. Reads with four points
    between two frames, as `delay~` does. Latency 0 frames.

    Source: J. O. Smith III, *Physical Audio Signal Processing*, "Flanging".
    """

    x = inlet.signal("sound")
    freq = inlet.control(0.2, "swings a second", unit="Hz", span=(0.001, 20.0), curve="log")
    delay = inlet.control(0.005, "longest delay", unit="s", span=(0.0001, 0.02), curve="log", ramp_s=0.2)
    depth = inlet.control(0.9, "0 it stands still, 1 it goes down to nothing", span=(0.0, 1.0))
    feedback = inlet.control(0.5, "how much goes round again", span=(-0.99, 0.99))
    mix = inlet.control(0.5, "0 only the sound, 1 only the delayed sound", span=(0.0, 1.0))
    phase = inlet.control(0.0, "where the swing begins", unit="cycles", span=(-1.0, 1.0))
    y = outlet.signal("flanged sound")
    line = memory.array(rows=True)
    at = memory(0, "i64")
    angle = memory(0)

    @staticmethod
    def arrange(rate: int) -> dict[str, Any]:
        return {"line": ring(0.02, rate)[None]}

    @staticmethod
    def process(x, freq, delay, depth, feedback, mix, phase, y, line, at, angle, rate, frames):
        for i in range(frames):
            swing = 0.5 - 0.5 * cosine_of(angle + phase_of(phase[i]))
            late = f64(delay[i]) * (1.0 - f64(min(max(depth[i], 0.0), 1.0)) * f64(swing))
            old = read_between(line, 0, at, held_within(late, rate, len(line)))
            line[0, at] = sound(x[i] + min(max(feedback[i], -0.999), 0.999) * old)
            y[i] = x[i] * (1.0 - mix[i]) + mix[i] * old
            at = at + 1 if at + 1 < len(line) else 0
            angle = angle + step_of(freq[i], rate)


@node("phaser~", aliases=("AllpassPhaser", "phaseshift~"))
class Phaser(KernelNode):
    """Let notches wander through the spectrum.

    Four all-pass filters ``(1 - s) / (1 + s)`` in a row, A, whose corner swings between `low` and `high`, evenly in
    pitch, `freq` times a second from `phase` on. ``v = x + feedback A v`` without a delay in the loop,
    ``y = (1 - mix) x + mix A v``. Without feedback, at mix 0.5, the notches are at 0.414 and 2.414 times the corner. By
    the trapezoidal rule, pre-warped; the corner is held between 1 Hz and 0.49 times the rate. Latency 0 frames.

    Source: J. O. Smith III, *Physical Audio Signal Processing*, "Phasing with First-Order Allpass Filters"; V.
    Zavalishin, *The Art of VA Filter Design*, section 3.
    """

    x = inlet.signal("sound")
    freq = inlet.control(0.3, "swings a second", unit="Hz", span=(0.001, 20.0), curve="log")
    low = inlet.control(300.0, "lowest corner", unit="Hz", span=(10.0, 20_000.0), curve="log")
    high = inlet.control(3_000.0, "highest corner", unit="Hz", span=(10.0, 20_000.0), curve="log")
    feedback = inlet.control(0.4, "how much goes round again", span=(-0.98, 0.98))
    mix = inlet.control(0.5, "0 only the sound, 1 only what was shifted", span=(0.0, 1.0))
    phase = inlet.control(0.0, "where the swing begins", unit="cycles", span=(-1.0, 1.0))
    y = outlet.signal("phased sound")
    z1 = memory(0.0)
    z2 = memory(0.0)
    z3 = memory(0.0)
    z4 = memory(0.0)
    angle = memory(0)

    @staticmethod
    def prepare(freq, low, high, feedback, phase, rate):
        bottom = log(max(low, 1.0) / rate)
        return (
            step_of(freq, rate), phase_of(phase), bottom, log(max(high, 1.0) / rate) - bottom,
            min(max(feedback, -0.99), 0.99),
        )  # fmt: skip

    @staticmethod
    def tick(x, step, shift, bottom, way, back, mix, z1, z2, z3, z4, angle):
        swing = 0.5 - 0.5 * cosine_of(angle + shift)
        g = tan_pi(min(exp(bottom + way * swing), 0.49))
        a = g / (1.0 + g)
        turn = 2.0 * a - 1.0  # each filter gives turn * in + 2 (1 - a) * state
        rest = 2.0 * (1.0 - a) * (z4 + turn * (z3 + turn * (z2 + turn * z1)))
        square = turn * turn
        v = (x + back * rest) / (1.0 - back * (square * square))
        pull = a * (v - z1)
        v1 = 2.0 * (z1 + pull) - v
        pull2 = a * (v1 - z2)
        v2 = 2.0 * (z2 + pull2) - v1
        pull3 = a * (v2 - z3)
        v3 = 2.0 * (z3 + pull3) - v2
        pull4 = a * (v3 - z4)
        v4 = 2.0 * (z4 + pull4) - v3
        y = x * (1.0 - mix) + v4 * mix
        return y, z1 + 2.0 * pull, z2 + 2.0 * pull2, z3 + 2.0 * pull3, z4 + 2.0 * pull4, angle + step
