"""Strings: delay lines that sing."""

from math import cos, floor, sqrt, tau
from typing import Any

from nodegraph.core import BlockNode, inlet, memory, node, outlet, setting
from nodegraph.core.arithmetic import exp2, f32, f64, i64, u32
from nodegraph.nodes.delays import back, ring, sound
from nodegraph.nodes.oscillators import chance, scattered

LOG2_1000 = 9.965784284662087  # 60 dB
SHORTEST = 6.0  # frames a period
MOST_KEPT = 0.99999  # of a round: what would ring for ever falls by 60 dB in 700 000 rounds
SOFTEST = 18.129440567308777  # 4 pi / ln 2: at hardness 0 the burst is softened from the second partial on
LOUDNESS = 0.3674  # the RMS of a burst of level 1 is 0.3: white noise less white noise has 0.816
PLUCK = 65_536  # numbers of chance a pluck: more than there are frames in a period


def through(c, p0, p1, p2, p3, p4, p5):
    """The value at place `c`, 2 to 3, among six neighbours that stand at 0 to 5 (Lagrange)."""
    a, b, d, e, f = c - 1.0, c - 2.0, c - 3.0, c - 4.0, c - 5.0
    outer = (c * a) * (b * d)
    inner = (e * f) * (b * d)
    left = inner * (a * p0 * (-1.0 / 120.0) + c * p1 * (1.0 / 24.0))
    right = outer * (f * p4 * (-1.0 / 24.0) + e * p5 * (1.0 / 120.0))
    middle = ((c * a) * (e * f)) * (d * p2 * (-1.0 / 12.0) + b * p3 * (1.0 / 12.0))
    return left + middle + right


@node("pluck~", aliases=("Pluck", "karplus~", "string~"))
class Pluck(BlockNode):
    """Pluck a string.

    A loop of one period: ``v[n] = x[n] + burst[n] + g (b w[n] + (1 - 2 b) w[n-1] + b w[n-2])``, where w is v a period
    minus one frame ago, read between six frames, and the low-pass in the bracket is late by exactly one frame: so it is
    in tune at every pitch (within 0.2 cents up to 2 kHz at 48 kHz). ``b = damping / 4`` takes the high partials away,
    but no more than half of the fundamental's own loss; g is such that the fundamental falls by 60 dB in `decay`
    seconds.

    A message to `pluck` stops what sounds and sends a period of noise into the loop: its RMS is 0.3 times `level`, it
    is softened by 6 dB per octave from partial ``2^(1 + 7 hardness)`` on, and the partials that have a knot at `place`
    are not in it (0.5 is the middle of the string: the even ones). A `gate` that rises above 0 does the same, times its
    height; as a signal it plucks each channel by itself, so that `voices~` plays chords. The noise follows from `seed`
    and from how often it was plucked. Any sound into `x` excites the string as well. Frequencies above a sixth of the
    rate are held there, those below `lowest` as well. Latency 0 frames.

    Source: K. Karplus, A. Strong, "Digital Synthesis of Plucked-String and Drum Timbres", CMJ, 1983; D. Jaffe, J. O.
    Smith, "Extensions of the Karplus-Strong Plucked-String Algorithm", CMJ, 1983; J. O. Smith III, *Physical Audio
    Signal Processing*, "EKS".
    """

    lowest = setting.number(20.0, "lowest `freq` that it can play", span=(5.0, 1_000.0), unit="Hz")
    seed = setting.number(0, "which noise; each whole number is another", span=(0, 1_000_000))
    x = inlet.signal("sound that excites the string, besides being plucked")
    pluck = inlet.event("pluck it")
    gate = inlet.control(0.0, "plucks it where it rises above 0, as hard as it is", span=(0.0, 1.0), ramp_s=0.0)
    freq = inlet.control(220.0, "pitch", unit="Hz", span=(5.0, 10_000.0), curve="log", ramp_s=0.0)
    decay = inlet.control(4.0, "time in which the fundamental falls by 60 dB", unit="s", span=(0.01, 60.0), curve="log")
    damping = inlet.control(0.3, "0 bright for long, 1 soon dull", span=(0.0, 1.0))
    level = inlet.control(1.0, "how hard it is plucked", span=(0.0, 1.0), ramp_s=0.0)
    hardness = inlet.control(0.7, "0 a thumb, 1 a plectrum", span=(0.0, 1.0), ramp_s=0.0)
    place = inlet.control(0.2, "where it is plucked, as a part of its length", span=(0.0, 0.5), ramp_s=0.0)
    y = outlet.signal("the string")
    line = memory.array()
    at = memory(0, "i64")
    seen = memory(0.0)
    below = memory(0.0)
    plucks = memory(0)
    fresh = memory(0, "i64")  # frames of the burst that are to come
    period = memory(0, "i64")  # its length
    loud = memory(0.0)
    soft = memory(0.0)
    before = memory(0.0)
    older = memory(0.0)

    @staticmethod
    def arrange(lowest: float, rate: int) -> dict[str, Any]:
        return {"line": ring(1.0 / float(lowest) + 10.0 / rate, rate)}

    @staticmethod
    def process(
        x, pluck, gate, freq, decay, damping, level, hardness, place, y,
        line, at, seen, below, plucks, fresh, period, loud, soft, before, older, seed, rate, frames,
    ):  # fmt: skip
        size = len(line)
        key = scattered(u32(seed) + 0x9E3779B9)
        longest = f64(size - 8)
        asked = 1.0 if pluck != seen else 0.0
        seen = pluck
        for i in range(frames):
            whole = max(min(f64(rate) / max(f64(freq[i]), 1.0), longest), SHORTEST)
            rises = gate[i] > 0.0 and below <= 0.0
            below = gate[i]
            if rises or asked > 0.0:
                plucks = plucks + 1
                period = i64(floor(whole))
                fresh = period
                loud = min(max(level[i], 0.0), 1.0) * (min(gate[i], 1.0) if rises else 1.0)
                asked = 0.0
                for k in range(size):  # the finger stops the string
                    line[k] = 0.0
                soft, before, older = 0.0, 0.0, 0.0
            burst = 0.0
            if fresh > 0:
                # a round of noise, less itself turned by `place`: it adds up to nothing, so no offset stays behind
                k = period - fresh
                turned = (k + max(i64(place[i] * f32(period)), 1)) % period
                first = u32(plucks * PLUCK)
                burst = loud * (chance(first + u32(k), key) - chance(first + u32(turned), key))
                fresh -= 1
            part = 1.0 - exp2(-SOFTEST * exp2(7.0 * min(max(hardness[i], 0.0), 1.0)) / f32(whole))
            soft = soft + part * (burst - soft)
            pushed = LOUDNESS * soft * sqrt((2.0 - part) / part)  # as loud as it was before it was softened
            late = whole - 1.0
            full = floor(late)
            here = back(at, i64(full) + 3, size)
            p1 = here + 1
            p1 = p1 - size if p1 >= size else p1
            p2 = p1 + 1
            p2 = p2 - size if p2 >= size else p2
            p3 = p2 + 1
            p3 = p3 - size if p3 >= size else p3
            p4 = p3 + 1
            p4 = p4 - size if p4 >= size else p4
            p5 = p4 + 1
            p5 = p5 - size if p5 >= size else p5
            c = f32(3.0 - (late - full))
            now = through(c, line[here], line[p1], line[p2], line[p3], line[p4], line[p5])
            fall = LOG2_1000 * f32(whole) / (max(decay[i], 0.001) * rate)
            bend = 2.0 - 2.0 * cos(tau / f32(whole))  # the low-pass takes b times this from the fundamental
            half = exp2(-0.5 * fall)
            b = min(0.25 * min(max(damping[i], 0.0), 1.0), (1.0 - half) / bend)
            g = min(half * half / (1.0 - b * bend), MOST_KEPT)
            went_round = g * (b * (now + older) + (1.0 - 2.0 * b) * before)
            older = before
            before = sound(now)
            out = sound(x[i] + pushed + went_round)
            line[at] = out
            y[i] = out
            at = at + 1 if at + 1 < size else 0
