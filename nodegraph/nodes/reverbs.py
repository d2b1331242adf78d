"""Reverberation."""

from math import exp, sqrt, tau
from typing import Any

import numpy as np

from nodegraph.core import BlockNode, inlet, memory, node, outlet, setting
from nodegraph.core.arithmetic import exp2, f32, rows, still
from nodegraph.nodes.delays import sound

LINES = 16
CHUNK = 64
SHORTEST_S, LONGEST_S = 0.019, 0.089  # the lines' delays at size 1
LOG2_1000 = 9.965784284662087  # 60 dB


def line_lengths(size: float, rate: int) -> list[int]:
    """Sixteen delays in frames, all prime and different, evenly spaced as pitches are."""
    found: list[int] = []
    for wanted in rate * size * np.geomspace(SHORTEST_S, LONGEST_S, LINES):
        length = max(round(wanted), found[-1] + 1 if found else 2)
        while any(length % divisor == 0 for divisor in range(2, int(length**0.5) + 1)):
            length += 1
        found.append(length)
    return found


def line_gains(gain, length, decay, rate):
    """Each line's loss, so that everything falls by 60 dB in `decay` seconds; gives their mean square."""
    power = 0.0
    for r in range(len(length)):
        g = exp2(-LOG2_1000 * f32(length[r]) / (decay * rate))
        gain[r] = g
        power += g * g
    return power / f32(len(length))


def read_lines(line, length, place, wet, count):
    """What comes out of every line, `count` frames, into the rows of `wet`."""
    for r in range(len(length)):
        here = place[r]
        first = min(count, length[r] - here)
        for k in range(first):
            wet[r, k] = line[r, here + k]
        for k in range(first, count):
            wet[r, k] = line[r, k - first]


def damp(wet, held, gain, keep, count):
    """One-pole low-pass and loss of each line; four lines a loop, since each waits for itself."""
    for four in range(0, rows(wet), 4):
        h0, h1, h2, h3 = held[four], held[four + 1], held[four + 2], held[four + 3]
        g0, g1, g2, g3 = gain[four], gain[four + 1], gain[four + 2], gain[four + 3]
        new = 1.0 - keep
        for k in range(count):
            h0 = new * wet[four, k] + keep * h0
            h1 = new * wet[four + 1, k] + keep * h1
            h2 = new * wet[four + 2, k] + keep * h2
            h3 = new * wet[four + 3, k] + keep * h3
            wet[four, k] = h0 * g0
            wet[four + 1, k] = h1 * g1
            wet[four + 2, k] = h2 * g2
            wet[four + 3, k] = h3 * g3
        held[four], held[four + 1], held[four + 2], held[four + 3] = sound(h0), sound(h1), sound(h2), sound(h3)


def hadamard(wet, count):
    """Mix all lines with all, without gain or loss but for a factor of 4."""
    half = 1
    while half < rows(wet):
        for first in range(0, rows(wet), 2 * half):
            for r in range(first, first + half):
                for k in range(count):
                    a = wet[r, k]
                    b = wet[r + half, k]
                    wet[r, k] = a + b
                    wet[r + half, k] = a - b
        half = half * 2


def write_lines(line, length, place, wet, into, i, count):
    """What was mixed goes back into the lines, with the new sound: left in even lines, right in odd ones."""
    for r in range(len(length)):
        here = place[r]
        first = min(count, length[r] - here)
        side = r % 2
        for k in range(first):
            line[r, here + k] = sound(0.25 * wet[r, k] + into[side, k])
        for k in range(first, count):
            line[r, k - first] = sound(0.25 * wet[r, k] + into[side, k])
        here += count
        place[r] = here - length[r] if here >= length[r] else here


@node("reverb~", aliases=("freeverb~", "rev2~", "rev3~", "FreeVerb", "FreeVerb2", "GVerb", "JPverb", "yafr2", "cverb~"))
class Reverb(BlockNode):
    """Put a sound into a room.

    A feedback delay network: sixteen delay lines of 19 to 89 ms (times `size`), mixed by a Hadamard matrix, each with
    the loss that lets everything fall by 60 dB in `decay` seconds (measured without damping: within 5 % from 0.3 s on).
    `damping` takes the high sound away faster: a one-pole low-pass a round, at ``200 + 2000 (1 - d) / d`` Hz. One
    channel goes into both sides; of several the first, third and so on go into the left, the others into the right.
    The room gives back as much energy as goes into it. ``y = (1 - mix) x + mix wet``. Latency 0 frames; the first
    reflection comes 19 ms times `size` later.

    Source: J.-M. Jot, A. Chaigne, "Digital delay networks for designing artificial reverberators", AES 90, 1991.
    """

    x = inlet.signal("sound, one channel or more")
    decay = inlet.control(2.0, "time to fall by 60 dB", unit="s", span=(0.05, 60.0), curve="log", ramp_s=0.0)
    damping = inlet.control(0.3, "0 bright, 1 dull", span=(0.0, 1.0), ramp_s=0.0)
    mix = inlet.control(0.3, "0 only the sound, 1 only the room", span=(0.0, 1.0))
    size = setting.number(1.0, "size of the room: factor of all delays", span=(0.1, 4.0))
    y = outlet.signal("left and right", channels=2)
    line = memory.array(rows=True)
    wet = memory.array(rows=True)
    into = memory.array(rows=True)
    gain = memory.array(LINES)
    held = memory.array(LINES)
    length = memory.array(element="i64")
    place = memory.array(LINES, element="i64")

    spread = "all"

    @staticmethod
    def arrange(size: float, rate: int) -> dict[str, Any]:
        lengths = line_lengths(float(size), rate)
        return {
            "line": np.zeros((LINES, lengths[-1]), np.float32),
            "wet": np.zeros((LINES, CHUNK), np.float32),
            "into": np.zeros((2, CHUNK), np.float32),
            "length": np.array(lengths, np.int64),
        }

    @staticmethod
    def process(x, decay, damping, mix, y, line, wet, into, gain, held, length, place, rate, frames):
        whole = still(decay) and still(damping)
        longest = min(CHUNK, length[0])
        i = 0
        while i < frames:
            count = min(frames - i, longest) if whole else 1
            power = line_gains(gain, length, max(decay[i], 0.01), rate)
            dull = min(max(damping[i], 0.0), 1.0)
            corner = 200.0 + 2_000.0 * (1.0 - dull) / max(dull, 1e-6)
            loud = 0.25 * sqrt(1.0 - power)
            for k in range(count):
                into[0, k] = 0.0
                into[1, k] = 0.0
            for c in range(rows(x)):
                side = c % 2
                for k in range(count):
                    into[side, k] += x[c, i + k]
            if rows(x) == 1:
                for k in range(count):
                    into[1, k] = into[0, k]
            read_lines(line, length, place, wet, count)
            for k in range(count):
                left = 0.0
                right = 0.0
                for r in range(0, rows(wet), 4):
                    left += wet[r, k] - wet[r + 1, k] + wet[r + 2, k] - wet[r + 3, k]
                    right += wet[r, k] + wet[r + 1, k] - wet[r + 2, k] - wet[r + 3, k]
                amount = mix[i + k]
                y[0, i + k] = into[0, k] * (1.0 - amount) + left * amount
                y[1, i + k] = into[1, k] * (1.0 - amount) + right * amount
            for k in range(count):
                into[0, k] = into[0, k] * loud
                into[1, k] = into[1, k] * loud
            damp(wet, held, gain, exp(-tau * corner / rate), count)
            hadamard(wet, count)
            write_lines(line, length, place, wet, into, i, count)
            i += count
