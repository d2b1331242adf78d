"""Delay lines.

A line is a ring that is as long as the longest delay that it was asked for so far, rounded up to whole cache lines, so
that a hundred short combs stay in the cache however long `longest` allows them to be. What is older than that is
silence. The block is cut into runs in which neither the reading nor the writing place wraps and nothing is read that
is written in the same run, so each run is a plain loop over vectors.
"""

from math import floor
from typing import Any

import numpy as np

from nodegraph.core import BlockNode, inlet, memory, node, outlet, setting
from nodegraph.core.arithmetic import f32, f64, i64, still, u32, where

LONGEST_S = 60.0
LINE = 16  # floats in a cache line


def ring(longest: float, rate: int) -> Any:
    """Zeros for a delay of up to `longest` seconds; the first lies at the start of a cache line.

    Every page is touched here, so that the audio thread is not the first to ask for it.
    """
    size = (int(np.ceil(float(np.float32(longest)) * rate)) // LINE + 2) * LINE
    room = np.empty(size + LINE, np.float32)
    room.fill(0.0)
    first = (-room.ctypes.data % (4 * LINE)) // 4
    return room[first : first + size]


def whole_frames(seconds, rate, size):
    """A time as whole frames, from 1 to what the line holds."""
    return max(min(i64(floor(seconds * rate + 0.5)), size - LINE), 1)


def resumed(line, at, span):
    """The writing place and the ring's length as whole numbers; a ring that does not fit this line begins anew."""
    now, size = i64(at), i64(span)
    if size > len(line) or now >= size:
        now = 0
        size = 0
    return now, size


def span_for(line, at, span, delay):
    """The ring's length for this delay. When it grows, what it holds stays, and what it never held is silence."""
    need = (delay // LINE + 1) * LINE
    if need > span:
        need = min(max(need, (span + span // 4) // LINE * LINE), len(line))
        older = span - at  # what stands behind the writing place moves to the new end
        for k in range(older):
            line[need - 1 - k] = line[span - 1 - k]
        for k in range(at, need - older):
            line[k] = 0.0
        span = need
    return span


def back(at, delay, span):
    """The place `delay` frames before `at` in a ring."""
    place = at - delay
    return place + span if place < 0 else place


def sound(x):
    """`x`, or silence where it is NaN or infinite: what goes round in a line must not carry that on for ever."""
    return where(x - x == 0.0, x, 0.0)


def comb_run(x, feedback, y, line, i, at, read, count):
    """`count` frames from frame `i` on: the old value comes out, and goes back in with the new sound.

    Reading never reaches what these frames write, so sixteen at a time are the same as one after another.
    """
    whole = count // 16 * 16
    for k in range(0, whole, 16):
        old16 = line[read + k : read + k + 16]
        y[i + k : i + k + 16] = old16
        line[at + k : at + k + 16] = sound(old16 * feedback[i + k : i + k + 16] + x[i + k : i + k + 16])
    for k in range(whole, count):
        old = line[read + k]
        y[i + k] = old
        line[at + k] = sound(old * feedback[i + k] + x[i + k])


def allpass_run(x, feedback, y, line, i, at, read, count):
    """`count` frames from frame `i` on; sixteen at a time, as above."""
    whole = count // 16 * 16
    for k in range(0, whole, 16):
        g16 = feedback[i + k : i + k + 16]
        old16 = line[read + k : read + k + 16]
        new16 = sound(old16 * g16 + x[i + k : i + k + 16])
        line[at + k : at + k + 16] = new16
        y[i + k : i + k + 16] = old16 - new16 * g16
    for k in range(whole, count):
        g = feedback[i + k]
        old = line[read + k]
        new = sound(old * g + x[i + k])
        line[at + k] = new
        y[i + k] = old - new * g


def rounds(x, time, feedback, y, line, at, span, rate, frames, smears):
    """All frames of a block; where the line is written next, and its length. `smears`: see `run_of`."""
    now, size = resumed(line, at, span)
    if still(time):
        delay = whole_frames(time[0], rate, len(line))
        size = span_for(line, now, size, delay)
        i = 0
        while i < frames:
            read = back(now, delay, size)
            count = min(min(frames - i, delay), min(size - now, size - read))
            run_of(x, feedback, y, line, i, now, read, count, smears)
            i += count
            now = 0 if now + count == size else now + count
    else:
        for i in range(frames):
            delay = whole_frames(time[i], rate, len(line))
            size = span_for(line, now, size, delay)
            run_of(x, feedback, y, line, i, now, back(now, delay, size), 1, smears)
            now = 0 if now + 1 == size else now + 1
    return now, size


def run_of(x, feedback, y, line, i, at, read, count, smears):
    """`count` frames from frame `i` on, as an allpass or as a comb."""
    if smears:
        allpass_run(x, feedback, y, line, i, at, read, count)
    else:
        comb_run(x, feedback, y, line, i, at, read, count)


@node("comb~", aliases=("CombN", "teeth~", "fbcomb~"))
class Comb(BlockNode):
    """Echo a signal into itself: a feedback comb, the ringing part of a reverb.

    ``v[n] = x[n] + feedback v[n-D]``, ``y[n] = v[n-D]``, ``D = round(time rate)`` whole frames, at least one. The
    echoes fall by 60 dB in ``-3 time / log10 |feedback|`` seconds; a feedback of 1 never ends. When `time` grows
    beyond what it ever was, the added part is silent at first. For a time that glides or lies between two frames take
    `delay~`. Latency 0 frames (the delay is the effect).

    Source: M. Schroeder, "Natural Sounding Artificial Reverberation", JAES, 1962.
    """

    x = inlet.signal("signal")
    time = inlet.control(0.03, "time of one round", unit="s", span=(0.0, LONGEST_S), ramp_s=0.0)
    feedback = inlet.control(0.7, "factor of each round", span=(-1.0, 1.0))
    longest = setting.number(0.5, "most that `time` may be", span=(0.001, LONGEST_S), unit="s")
    y = outlet.signal("the echoes")
    line = memory.array()
    at = memory(0)
    span = memory(0)

    @staticmethod
    def arrange(longest, rate):
        return {"line": ring(longest, rate)}

    @staticmethod
    def process(x, time, feedback, y, line, at, span, rate, frames):
        now, size = rounds(x, time, feedback, y, line, at, span, rate, frames, False)
        at, span = u32(now), u32(size)


@node("allpass~", aliases=("AllpassN",))
class Allpass(BlockNode):
    """Smear a signal in time without colouring it: the diffusing part of a reverb.

    ``v[n] = x[n] + feedback v[n-D]``, ``y[n] = v[n-D] - feedback v[n]``, ``D = round(time rate)`` whole frames, at
    least one. Every frequency passes at the same level. `time` behaves as in `comb~`. Latency 0 frames (the smear is
    the effect).

    Source: M. Schroeder, "Natural Sounding Artificial Reverberation", JAES, 1962.
    """

    x = inlet.signal("signal")
    time = inlet.control(0.01, "time of one round", unit="s", span=(0.0, LONGEST_S), ramp_s=0.0)
    feedback = inlet.control(0.5, "factor of each round", span=(-1.0, 1.0))
    longest = setting.number(0.5, "most that `time` may be", span=(0.001, LONGEST_S), unit="s")
    y = outlet.signal("smeared signal")
    line = memory.array()
    at = memory(0)
    span = memory(0)

    @staticmethod
    def arrange(longest, rate):
        return {"line": ring(longest, rate)}

    @staticmethod
    def process(x, time, feedback, y, line, at, span, rate, frames):
        now, size = rounds(x, time, feedback, y, line, at, span, rate, frames, True)
        at, span = u32(now), u32(size)


def lagrange(p0, p1, p2, p3, t):
    """The value `t` of the way from `p1` to `p2`. No frequency is amplified, so a feedback below 1 always dies away."""
    a, b, c = t + 1.0, t - 1.0, t - 2.0
    inner = (0.5 * a * c) * (b * p1 - t * p2)
    outer = (t * b * (1.0 / 6.0)) * (a * p3 - c * p0)
    return p1 if t == 0.0 else inner + outer


def frames_back(seconds, rate, size):
    """A time as frames, 2 to what the line holds; so near to a whole number that nobody hears it counts as whole."""
    delay = f64(seconds) * f64(rate)
    whole = floor(delay + 0.5)
    near = abs(delay - whole) < 0.002
    return max(min(whole if near else delay, f64(size - 4)), 2.0)


def glide_run(x, feedback, y, line, i, at, read, count, t):
    """`count` frames from frame `i` on, between the places `read` + 1 and `read` + 2."""
    for k in range(count):
        old = lagrange(line[read + k], line[read + k + 1], line[read + k + 2], line[read + k + 3], t)
        y[i + k] = old
        line[at + k] = sound(old * feedback[i + k] + x[i + k])


def glide_step(x, feedback, y, line, i, at, read, t):
    """One frame, where the four places may lie on both sides of the ring's end."""
    size = len(line)
    second, third, fourth = read + 1, read + 2, read + 3
    second = second - size if second >= size else second
    third = third - size if third >= size else third
    fourth = fourth - size if fourth >= size else fourth
    old = lagrange(line[read], line[second], line[third], line[fourth], t)
    y[i] = old
    line[at] = sound(old * feedback[i] + x[i])


@node("delay~", aliases=("delread4~", "vd~", "tapin~", "tapout~", "delread~", "DelayC", "CombC", "DelayN"))
class Delay(BlockNode):
    """Delay a signal, and feed it back for echoes.

    ``v[n] = x[n] + feedback v[n-D]``, ``y[n] = v[n-D]``, ``D = time rate``, at least 2 frames. Between two frames it
    interpolates with four points (Lagrange): 0.1 dB soft at most up to an eighth of the rate, 1.1 dB at a quarter,
    never louder, and exact on whole frames. `time` may be modulated by a signal (chorus, flanger, pitch by Doppler);
    a new value glides there like tape, in 0.2 s. The sound that comes in is not part of y. Latency 0 frames (the
    delay is the effect).

    Source: T. Laakso and others, "Splitting the Unit Delay", IEEE Signal Processing Magazine, 1996.
    """

    x = inlet.signal("signal")
    time = inlet.control(0.25, "how much later", unit="s", span=(0.0, LONGEST_S), ramp_s=0.2)
    feedback = inlet.control(0.0, "how much goes round again", span=(-1.0, 1.0))
    longest = setting.number(2.0, "most that `time` may be", span=(0.001, LONGEST_S), unit="s")
    y = outlet.signal("the delayed signal")
    line = memory.array()
    at = memory(0)

    @staticmethod
    def arrange(longest, rate):
        return {"line": ring(longest, rate)}

    @staticmethod
    def process(x, time, feedback, y, line, at, rate, frames):
        size = len(line)
        now = i64(at)
        now = 0 if now >= size else now
        if still(time):
            delay = frames_back(time[0], rate, size)
            whole = i64(-floor(-delay))
            t = f32(f64(whole) - delay)
            i = 0
            while i < frames:
                count = 1
                if t == 0.0:
                    read = back(now, whole, size)
                    count = min(min(frames - i, whole), min(size - now, size - read))
                    comb_run(x, feedback, y, line, i, now, read, count)
                else:
                    read = back(now, whole + 1, size)
                    count = min(min(frames - i, whole - 2), min(size - now, size - read - 3))
                    if count < 1:
                        count = 1
                        glide_step(x, feedback, y, line, i, now, read, t)
                    else:
                        glide_run(x, feedback, y, line, i, now, read, count, t)
                i += count
                now = 0 if now + count == size else now + count
        else:
            for i in range(frames):
                delay = frames_back(time[i], rate, size)
                whole = i64(-floor(-delay))
                glide_step(x, feedback, y, line, i, now, back(now, whole + 1, size), f32(f64(whole) - delay))
                now = 0 if now + 1 == size else now + 1
        at = u32(now)
