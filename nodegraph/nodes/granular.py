"""Granular synthesis: a sound taken apart into short pieces, and a cloud made of them."""

from math import floor
from pathlib import Path
from typing import Any

import numpy as np

from nodegraph.core import BlockNode, MediaError, Problem, inlet, memory, node, outlet, setting
from nodegraph.core.arithmetic import (
    beside,
    cos_pi,
    exp2,
    f32,
    f64,
    i64,
    signed,
    sin_pi,
    still,
    swap_places,
    u32,
    vector,
    where,
)
from nodegraph.nodes.oscillators import chance, scattered
from nodegraph.nodes.soundfiles import load_sound

FINE = 24  # places are whole numbers of 2^-24 frames, so that a grain never drifts
ONE = 1 << FINE
CYCLE = 1 << 32  # a density is a part of this a frame
WIDEST_ST = 48.0  # 16 times as fast
PIECE = 64
MARGIN = 16 * (PIECE + 16) + 8  # frames behind the end that repeat the beginning: what a piece may read at most
MOST_GRAINS = 512


def hann(age, span, slope, start):
    """The window's value at sixteen ages: the square of a cosine, taken in the middle of each frame."""
    x = age * slope + start
    z = x * x
    p = 0.2196967986
    p = p * z - 1.3318801631
    p = p * z + 4.0584119149
    p = p * z - 4.9347928587
    p = p * z + 0.9999999535
    return where(age < span, p * p, 0.0)


def four_frames(sound, at, step):
    """The neighbours of four frames, four each."""
    a, b, c, d = at >> FINE, (at + step) >> FINE, (at + 2 * step) >> FINE, (at + 3 * step) >> FINE
    return beside(sound[a : a + 4], sound[b : b + 4], sound[c : c + 4], sound[d : d + 4])


def neighbours(lanes, at, step, window):
    """What each of the four neighbours of sixteen frames counts (Catmull-Rom's cubic), frame by frame."""
    t = signed((u32(at) + lanes[0:16] * u32(step)) & (ONE - 1)) * (1.0 / ONE)
    u = 1.0 - t
    uneven = t * u * (-0.5 * window)
    first, second, fourth = uneven * u, (t * t * (1.5 * t - 2.5) + 1.0) * window, uneven * t
    third = (u * u * (1.5 * u - 2.5) + 1.0) * window
    first, second, third, fourth = swap_places(first, second, third, fourth)
    return first, second, third, fourth


def finite(x):
    """`x`, or 0 where it is NaN or infinite."""
    return where(x - x == 0.0, x, 0.0)


def begin_grain(sound, places, steps, ages, spans, gains, position, pitch, length, pan, rate):
    """A new grain in the first free place; none when all are taken or its length is no number: such a grain could hold
    its place for ten seconds. Gives the place behind it."""
    k = i64(0)
    while k < len(ages) and ages[k] < spans[k]:
        k += 1
    if k < len(ages) and length - length == 0.0:
        part = f64(position) - floor(f64(position))
        part = part if part >= 0.0 and part < 1.0 else 0.0
        size = len(sound) - MARGIN
        places[k] = min(i64(part * f64(size)), size - 1) << FINE
        steps[k] = i64(exp2(max(min(finite(pitch), WIDEST_ST), -WIDEST_ST) * (1.0 / 12.0)) * 16_777_216.0)
        ages[k] = 0
        span = max(i64(floor(max(min(length, 10.0), 0.0) * rate + 0.5)), 1)
        spans[k] = span
        gains[2, k] = -1.0 / f32(span)
        gains[3, k] = 0.5 - 0.5 / f32(span)
        place = (max(min(finite(pan), 1.0), -1.0) + 1.0) * 0.25
        gains[0, k] = cos_pi(place)
        gains[1, k] = sin_pi(place)
        k += 1
    return k


def play_grains(sound, lanes, places, steps, ages, spans, gains, used, out, offset):
    """Sixteen frames of all grains, `offset` frames behind where they stand."""
    o = vector(0.0, 16)
    l0, l1, l2, l3, r0, r1, r2, r3, l4, r4 = o, o, o, o, o, o, o, o, o, o
    for k in range(used):
        age = ages[k] + offset
        if age < spans[k]:
            step = steps[k]
            at = places[k] + offset * step
            left, right = gains[0, k], gains[1, k]
            window = hann(f32(age) + signed(lanes[0:16]), f32(spans[k]), gains[2, k], gains[3, k])
            if step == ONE:
                n = (at >> FINE) + 1
                p = sound[n : n + 16] * window
                l4 += p * left
                r4 += p * right
            else:
                w0, w1, w2, w3 = neighbours(lanes, at, step, window)
                p = four_frames(sound, at, step * 4) * w0
                l0 += p * left
                r0 += p * right
                p = four_frames(sound, at + 1 * step, step * 4) * w1
                l1 += p * left
                r1 += p * right
                p = four_frames(sound, at + 2 * step, step * 4) * w2
                l2 += p * left
                r2 += p * right
                p = four_frames(sound, at + 3 * step, step * 4) * w3
                l3 += p * left
                r3 += p * right
    l0, l1, l2, l3 = swap_places(l0, l1, l2, l3)
    r0, r1, r2, r3 = swap_places(r0, r1, r2, r3)
    out[0, 0:16] = l4 + ((l0 + l1) + (l2 + l3))
    out[1, 0:16] = r4 + ((r0 + r1) + (r2 + r3))


def grow_older(sound, places, steps, ages, spans, used, count):
    """Move all grains on; gives the places that are still in use."""
    size = (len(sound) - MARGIN) << FINE
    last = i64(0)
    for k in range(used):
        if ages[k] < spans[k]:
            at = places[k] + count * steps[k]
            places[k] = at if at < size else at % size
            ages[k] += count
            last = k + 1 if ages[k] < spans[k] else last
    return last


@node("grains~", aliases=("munger~", "granulator~", "GrainBuf", "TGrains", "grain~", "Warp1", "syncgrain~"))
class Grains(BlockNode):
    """Make a cloud of grains: short pieces of a sound file, overlapping.

    `density` grains a second begin, at even distances or, with `jitter`, at distances that differ by up to that part.
    A grain reads the file from `position` on (0 its beginning, 1 its end), up to `position_spread` of it before or
    behind, for `length` seconds, shifted by `pitch`, give or take `pitch_spread`, and stands up to `pan_spread` to the
    left or right at equal power. Its loudness rises and falls as a Hann window; grains that overlap add up:
    ``density length`` of them, whose level grows with the root of their number. The four controls of a grain are read
    at its first frame. A message to `grain` begins one more at once.

    The file may have any rate; its channels are mixed to one, and it is read round and round. A shifted grain is read
    with a cubic between four frames; an unshifted one frame by frame, as it is. `most` grains sound at once; what would
    be one more is left out. What is random follows from `seed` and the number of the grain. Latency 0 frames.

    Errors: MediaError when the file is missing, damaged or has no frames.

    Source: C. Roads, *Microsound*, 2001; E. Catmull, R. Rom, "A class of local interpolating splines", 1974.
    """

    file = setting.file("the sound file: WAV, FLAC, AIFF, OGG or MP3")
    density = inlet.control(20.0, "grains a second", unit="Hz", span=(0.01, 5_000.0), curve="log", ramp_s=0.0)
    length = inlet.control(0.1, "length of a grain", unit="s", span=(0.001, 10.0), curve="log", ramp_s=0.0)
    position = inlet.control(0.0, "where in the file, 0 to 1", span=(0.0, 1.0), ramp_s=0.0)
    position_spread = inlet.control(0.02, "how far around, as a part of the file", span=(0.0, 1.0), ramp_s=0.0)
    pitch = inlet.control(0.0, "shift of pitch", unit="st", span=(-WIDEST_ST, WIDEST_ST), ramp_s=0.0)
    pitch_spread = inlet.control(0.0, "how far around", unit="st", span=(0.0, WIDEST_ST), ramp_s=0.0)
    pan_spread = inlet.control(0.5, "how far from the middle, 1 to the sides", span=(0.0, 1.0), ramp_s=0.0)
    jitter = inlet.control(0.0, "how uneven the distances are, 0 to 1", span=(0.0, 1.0), ramp_s=0.0)
    grain = inlet.event("one more grain")
    most = setting.number(64, "grains at once, at most", span=(1, MOST_GRAINS))
    seed = setting.number(0, "which cloud; each whole number is another", span=(0, 1_000_000))
    y = outlet.signal("left and right", channels=2)
    sound = memory.array()
    places = memory.array(element="i64")
    steps = memory.array(element="i64")
    ages = memory.array(element="i64")
    spans = memory.array(element="i64")
    gains = memory.array(rows=True)  # left, right; the window's slope and start
    lanes = memory.array(16, element="u32")
    out = memory.array(rows=True)
    used = memory(0, "i64")
    left = memory(0, "i64")
    count = memory(0)
    seen = memory(0.0)

    spread = "all"

    @staticmethod
    def arrange(file: Any, most: float, rate: int) -> dict[str, Any]:
        if not file:
            raise MediaError(Problem("no-file", "'grains~' has no file.", "Set 'file' to the name of a sound file."))
        mono = load_sound(Path(file), rate).mean(axis=0)
        room = max(1, int(most))
        return {
            "sound": np.take(mono, np.arange(-1, len(mono) + MARGIN - 1), mode="wrap"),
            "places": np.zeros(room, np.int64), "steps": np.zeros(room, np.int64),
            "ages": np.zeros(room, np.int64), "spans": np.zeros(room, np.int64),
            "gains": np.zeros((4, room), np.float32), "lanes": np.arange(16, dtype=np.uint32),
            "out": np.zeros((2, 16), np.float32),
        }  # fmt: skip

    @staticmethod
    def process(
        density, length, position, position_spread, pitch, pitch_spread, pan_spread, jitter, grain, y, seed,
        sound, places, steps, ages, spans, gains, lanes, out, used, left, count, seen, rate, frames,
    ):  # fmt: skip
        key = scattered(u32(seed) + 0x9E3779B9)
        i = i64(0)
        while i < frames:
            while left <= 0 or grain != seen:
                behind = begin_grain(
                    sound, places, steps, ages, spans, gains, position[i] + position_spread[i] * chance(count, key),
                    pitch[i] + pitch_spread[i] * chance(count + 1, key), length[i],
                    pan_spread[i] * chance(count + 2, key), rate,
                )  # fmt: skip
                used = max(used, behind)
                if left <= 0:
                    uneven = max(min(finite(jitter[i]), 1.0), 0.0) * chance(count + 3, key)
                    left += i64(4_294_967_296.0 * max(1.0 + uneven, 0.01))
                else:
                    seen = grain
                count += 4
            part = min(frames - i, PIECE)
            n = i64(0)
            while n < part and left > 0:
                pace = i64(max(min(finite(density[i + n]) / rate, 1.0), 0.0) * 4_294_967_296.0)
                if still(density):
                    n = part if pace == 0 else min(part, (left + pace - 1) // pace)
                    left -= n * pace
                else:
                    n += 1
                    left -= pace
            for first in range(0, n, 16):
                play_grains(sound, lanes, places, steps, ages, spans, gains, used, out, first)
                for k in range(min(n - first, 16)):
                    y[0, i + first + k] = out[0, k]
                    y[1, i + first + k] = out[1, k]
            used = grow_older(sound, places, steps, ages, spans, used, n)
            i += n
