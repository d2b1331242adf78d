"""Convolution with an impulse response from a sound file, without latency.

The first 64 taps meet the sound directly, frame by frame; the rest comes from `partitions`.
"""

from pathlib import Path
from typing import Any

from nodegraph.core import BlockNode, MediaError, Problem, inlet, memory, node, outlet, setting
from nodegraph.core.arithmetic import i64, rows, vector, where
from nodegraph.core.ports import MOST_CHANNELS
from nodegraph.nodes.fft import UNIT
from nodegraph.nodes.partitions import BUDGET, PERIOD, add_up, arranged, begin, go_on, short_stage
from nodegraph.nodes.soundfiles import load_sound

LOUDEST = 1e15  # what is louder, and what is no number, is silence


def direct_block(ring, c, now, taps, sums, y, i):
    """64 frames with the first 64 taps. Input n goes into all outputs behind it; every sixteen have own sums."""
    zero = vector(0.0, 16)
    a0, a1, a2, a3, b1, b2, b3, c2, c3, d3 = zero, zero, zero, zero, zero, zero, zero, zero, zero, zero
    for b in range(16):
        n = 64 * b
        t0, t1 = taps[c, n : n + 16], taps[c, n + 16 : n + 16 + 16]
        t2, t3 = taps[c, n + 32 : n + 32 + 16], taps[c, n + 48 : n + 48 + 16]
        v = ring[c, now + b]
        a0 += v * t0
        a1 += v * t1
        a2 += v * t2
        a3 += v * t3
        v = ring[c, now + 16 + b]
        b1 += v * t0
        b2 += v * t1
        b3 += v * t2
        v = ring[c, now + 32 + b]
        c2 += v * t0
        c3 += v * t1
        v = ring[c, now + 48 + b]
        d3 += v * t0
    y[c, i : i + 16] = sums[c, 0:16] + a0 + 0.0
    y[c, i + 16 : i + 16 + 16] = sums[c, 16 : 16 + 16] + a1 + b1 + 0.0
    y[c, i + 32 : i + 32 + 16] = sums[c, 32 : 32 + 16] + a2 + b2 + c2 + 0.0
    y[c, i + 48 : i + 48 + 16] = sums[c, 48 : 48 + 16] + a3 + b3 + c3 + d3 + 0.0


def direct_part(ring, c, now, taps, sums, y, i, at, count):
    """The same for some frames of the 64: the sums stand in an array until the next part."""
    if at == 0:
        for k in range(UNIT, 5 * UNIT, 16):
            sums[c, k : k + 16] = 0.0
    for n in range(at, at + count):
        group = n // 16
        b = n % 16
        v = ring[c, now + n]
        for chunk in range(group, 4):
            place = UNIT * (1 + group) + 16 * chunk
            t = 64 * b + 16 * (chunk - group)
            sums[c, place : place + 16] += v * taps[c, t : t + 16]
        y[c, i + n - at] = (
            sums[c, n] + sums[c, n + UNIT] + sums[c, n + 2 * UNIT] + sums[c, n + 3 * UNIT] + sums[c, n + 4 * UNIT] + 0.0
        )


@node(
    "convolve~", aliases=("multiconvolve~", "buffir~", "partconv~", "FIR~", "Convolution", "Convolution2", "PartConv")
)
class Convolve(BlockNode):
    """Convolve a sound with an impulse response: a room, a speaker, a body, any linear filter.

    ``y[n] = sum over k of h[k] x[n-k]``, h is what `file` holds, at the engine's rate. Channel c of x goes through
    channel c of the file; a single channel of either is used for all. y has as many channels as the file, or as
    `channels` says. Rounding stays 120 dB below y. The level is that of the file: a response whose squares add up to 1
    leaves noise as loud as it is. Latency 0 frames, and no block costs more than another.

    Errors: MediaError when the file is missing, damaged or has no frames, or has too many channels.

    Source: W. Gardner, "Efficient convolution without input-output delay", JAES, 1995; G. García, "Optimal filter
    partition", AES 113, 2002; R. Crandall, B. Fagin, "Discrete weighted transforms", 1994, for the right angle.
    """

    x = inlet.signal("sound")
    file = setting.file("the impulse response: a sound file")
    channels = setting.number(0, "channels of y; 0: as many as the file has", span=(0, MOST_CHANNELS))
    y = outlet.signal("sound, convolved", channels="taps")
    plan = memory.array(rows=True, element="i64")
    job = memory.array(rows=True, element="i64")
    ring = memory.array(rows=True)  # the sound that came in
    taps = memory.array(rows=True)  # the first 64 taps, shifted by 0 to 15 frames
    sums = memory.array(rows=True)  # what the stages have ready for 64 frames, and the sums of `direct_part`
    response = memory.array()
    past = memory.array()
    work = memory.array()
    ready = memory.array()
    factors = memory.array()
    twist = memory.array()
    at = memory(0, "i64")
    blocks = memory(0, "i64")

    spread = "all"

    @staticmethod
    def arrange(file: Any, channels: float, rate: int) -> dict[str, Any]:
        if not file:
            raise MediaError(Problem("no-file", "'convolve~' has no file.", "Set 'file' to an impulse response."))
        held = load_sound(Path(file), rate)
        if len(held) > MOST_CHANNELS:
            what = f"The file {Path(file).name!r} has {len(held)} channels."
            raise MediaError(Problem("channels", what, f"Give one with {MOST_CHANNELS} at most."))
        count = int(channels) or len(held)
        return arranged([held[c % len(held)] if c < len(held) or len(held) == 1 else held[0] * 0 for c in range(count)])

    @staticmethod
    def process(x, y, plan, job, ring, taps, sums, response, past, work, ready, factors, twist, at, blocks, frames):
        channels = rows(taps)
        length = len(ring)
        i = i64(0)
        while i < frames:
            count = min(frames - i, UNIT - at)
            now = (blocks * UNIT) & (length - 1)
            for c in range(channels):
                source = min(c, rows(x) - 1)
                heard = c < rows(x) or rows(x) == 1
                for k in range(count):
                    v = x[source, i + k]
                    ring[c, now + at + k] = where(abs(v) <= LOUDEST, v, 0.0) if heard else 0.0
                if count == UNIT:
                    direct_block(ring, c, now, taps, sums, y, i)
                else:
                    direct_part(ring, c, now, taps, sums, y, i, at, count)
            i += count
            at += count
            if at == UNIT:
                at = i64(0)
                blocks += 1
                alone = rows(x) == 1
                short_stage(plan, job, alone, channels, ring, now, response, past, factors, twist, ready)
                for s in range(1, rows(plan)):
                    part = blocks & (plan[s, PERIOD] - 1)
                    if part == 0:
                        begin(plan, job, s, alone, blocks, length)
                    budget = (part + 1) * plan[s, BUDGET]
                    go_on(plan, job, s, budget, channels, ring, response, past, work, ready, factors, twist)
                add_up(plan, job, blocks, channels, ready, sums)
