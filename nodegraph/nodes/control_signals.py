"""Signals that move other things: slow oscillators, steps, slopes."""

from math import floor

from nodegraph.core import KernelNode, inlet, memory, node, outlet, setting
from nodegraph.core.arithmetic import f32, f64, rarely, signed, u32, where
from nodegraph.nodes.oscillators import HALF, TWO_32, chance, cosine_of, phase_of, scattered

WIDE = (-1_000_000.0, 1_000_000.0)
SHAPES = ("sine", "triangle", "saw", "square", "random", "drift")


@node("lfo~", aliases=("LFNoise0", "LFNoise1", "LFNoise2", "rand~", "LFCub", "LFO"))
class SlowOscillator(KernelNode):
    """Swing between two values: vibrato, tremolo, sweeps, and chance as a signal.

    ``y = low + (high - low) u(p)``; p goes round `freq` times a second, and u is, for p from 0 to 1: `sine`
    ``(1 + sin 2 pi p) / 2``; `triangle` from the middle up, like the sine; `saw` ``p`` (swap `low` and `high` for a
    fall); `square` 1, then 0; `random` a new level by chance each round; `drift` the same levels, joined by half
    cosines. The corners of saw, square and random are hard: as a sound they would alias. Chance follows from `seed`,
    and `phase` shifts it like the other shapes. A message to `sync` begins a round. The frequency is right to rate /
    2^32 (0.00001 Hz at 48 kHz). Latency 0 frames.

    Source: M. Puckette, *The Theory and Technique of Electronic Music*, chapter 2; chance as in `noise~`.
    """

    shape = setting.choice("sine", "form of the swing", SHAPES)
    seed = setting.number(0, "which chance; each whole number is another", span=(0, 1_000_000))
    freq = inlet.control(1.0, "rounds a second", unit="Hz", span=(0.001, 100.0), curve="log")
    low = inlet.control(-1.0, "value at the bottom", span=WIDE)
    high = inlet.control(1.0, "value at the top", span=WIDE)
    phase = inlet.control(0.0, "shift in rounds", unit="cycles", span=(-1.0, 1.0))
    sync = inlet.event("begin a round")
    y = outlet.signal("the swing")
    angle = memory(0)
    count = memory(0)
    seen = memory(0.0)

    @staticmethod
    def prepare(freq, phase, seed, rate):
        step = u32(f64(max(freq, 0.0)) / rate * TWO_32 + 0.5)
        return step, phase_of(phase), u32(floor(phase + 0.5)), scattered(u32(seed) + 0x9E3779B9)

    @staticmethod
    def tick(step, low, high, shift, rounds, key, shape, sync, angle, count, seen):
        if rarely(sync != seen):
            seen = sync
            angle = 0
            count = count + 1
        now = angle + shift
        # the shift is at most half a round, forwards or back, and may lead into the next round or the one before
        place = count + rounds + u32(shift < 0x80000000 and now < angle) - u32(shift >= 0x80000000 and now > angle)
        part = signed(now >> 8) * (1.0 / 16_777_216.0)
        sine = 0.5 + 0.5 * cosine_of(now - 0x40000000)
        triangle = 1.0 - abs(signed(now - 0x40000000)) * HALF
        level = 0.5 + 0.5 * chance(place, key)
        after = 0.5 + 0.5 * chance(place + 1, key)
        drift = level + (after - level) * (0.5 - 0.5 * cosine_of(now >> 1))
        u = where(shape < 0.5, sine, where(shape < 1.5, triangle, part))
        u = where(shape > 2.5, where(part < 0.5, 1.0, 0.0), u)
        u = where(shape > 3.5, where(shape > 4.5, drift, level), u)
        later = angle + step
        return low + (high - low) * u, later, count + u32(later < angle), seen


@node("sah~", aliases=("Latch", "samphold~", "S&H"))
class SampleAndHold(KernelNode):
    """Take a sample of a signal now and then, and hold it.

    y becomes x at every frame at which `trigger` rises above 0, and when a message comes to `take`; between them it
    stays. Starts at 0. A NaN that was taken is let go at the end of its block. Latency 0 frames.

    Source: definition, as in Max and Pd.
    """

    x = inlet.signal("signal of which samples are taken")
    trigger = inlet.control(0.0, "takes a sample where it rises above 0", span=(-1.0, 1.0), ramp_s=0.0)
    take = inlet.event("take a sample now")
    y = outlet.signal("the sample that is held")
    before = memory(0.0)
    seen = memory(0.0)
    held = memory(0.0)

    @staticmethod
    def tick(x, trigger, take, before, seen, held):
        held = where((trigger > 0.0 and before <= 0.0) or take != seen, x, held)
        return held, trigger, take, held


@node("slew~", aliases=("Slew", "rampsmooth~", "glide~"))
class Slew(KernelNode):
    """Follow a signal no faster than a limit: glides, soft gates, slopes.

    ``y[n] = y[n-1] + min(max(x - y[n-1], -fall / rate), rise / rate)``. Starts at 0. A gate of 0 and 1 through `rise`
    10 and `fall` 2 opens in 0.1 s and closes in 0.5 s. Latency 0 frames.

    Source: definition, as SuperCollider's Slew.
    """

    x = inlet.signal("signal to follow")
    rise = inlet.control(10.0, "most that it may rise in a second", span=(0.001, 1e9), curve="log", ramp_s=0.0)
    fall = inlet.control(10.0, "most that it may fall in a second", span=(0.001, 1e9), curve="log", ramp_s=0.0)
    y = outlet.signal("signal without steep slopes")
    held = memory(0.0, "f64")  # in single precision slow slopes would stand still

    @staticmethod
    def prepare(rise, fall, rate):
        return f64(max(rise, 0.0)) / rate, f64(max(fall, 0.0)) / rate

    @staticmethod
    def tick(x, up, down, held):
        held = held + min(max(f64(x) - held, -down), up)
        return f32(held), held
