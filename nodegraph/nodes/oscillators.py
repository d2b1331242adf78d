"""Oscillators.

A phase is an unsigned 32-bit number that wraps by itself: 2^32 is one cycle. It never loses precision, however long the
patch plays, and a negative frequency runs it backwards.
"""

from math import copysign, floor

from nodegraph.core import KernelNode, inlet, memory, node, outlet, setting
from nodegraph.core.arithmetic import signed, u32

TWO_32 = 4_294_967_296.0
HALF = 1.0 / 2_147_483_648.0  # a phase read as signed, times this, is -1 to 1: half cycles from phase 0
WIDTH_LEAST, WIDTH_MOST = 0.01, 0.99


def phase_of(cycles):
    """Any number of cycles as a phase."""
    return u32((cycles - floor(cycles + 0.5)) * TWO_32)


def period_of(freq, rate):
    """Samples a cycle, backwards or forwards; no longer than 100 000 s."""
    return rate / max(abs(freq), 1e-5)


def cosine_of(angle):
    """The cosine of a phase; absolute error below 3e-7."""
    x = 0.5 - abs(signed(angle)) * HALF
    z = x * x
    p = 0.0772201258
    p = p * z - 0.5980451728
    p = p * z + 2.5500313771
    p = p * z - 5.1677068789
    p = p * z + 3.1415925800
    return x * p


def saw_of(angle, half_period):
    """A rising saw, -1 to 1, that jumps at phase 0; the jump is spread over the samples beside it (polyBLEP)."""
    x = signed(angle) * HALF
    near = max(1.0 - abs(x * half_period), 0.0)  # 1 at the jump, 0 from one sample away
    return x - copysign(1.0 - near * near, x)


@node("phasor~", aliases=("Phasor", "LFSaw"))
class Phasor(KernelNode):
    """Count from 0 to 1 once a cycle: an index, a clock, a raw (aliasing) saw.

    ``y[n] = frac(phase + p[n])``, ``p[n+1] = p[n] + freq / rate``. Range 0 to 1, 1 excluded. The frequency may be
    negative and may be modulated through zero; its resolution is rate / 2^32 (0.00001 Hz at 48 kHz). Latency 0 frames.

    Source: M. Puckette, *The Theory and Technique of Electronic Music*, section 2.4.
    """

    freq = inlet.control(440.0, "cycles a second; negative runs backwards", unit="Hz", span=(-20_000.0, 20_000.0))
    phase = inlet.control(0.0, "shift in cycles; as a signal, phase modulation", unit="cycles", span=(-1.0, 1.0))
    y = outlet.signal("ramp from 0 to 1")
    angle = memory(0)

    @staticmethod
    def prepare(freq, phase, rate):
        return phase_of(freq * (1.0 / rate)), phase_of(phase)

    @staticmethod
    def tick(step, shift, angle):
        return signed((angle + shift) >> 8) * (1.0 / 16_777_216.0), angle + step


@node("sine~", aliases=("cycle~", "osc~", "SinOsc", "FSinOsc"))
class Sine(KernelNode):
    """Make a sine wave.

    ``y[n] = sin(2 pi (phase + p[n]))``, ``p[n+1] = p[n] + freq / rate``. Range -1 to 1. Everything but the sine itself
    stays below -130 dB. Feed `freq` a signal for frequency modulation (through zero, too) and `phase` one for phase
    modulation. Latency 0 frames.

    Source: polynomial of degree 9 over a quarter wave, minimax, error 3e-7.
    """

    freq = inlet.control(440.0, "cycles a second", unit="Hz", span=(-20_000.0, 20_000.0))
    phase = inlet.control(0.0, "shift in cycles; as a signal, phase modulation", unit="cycles", span=(-1.0, 1.0))
    y = outlet.signal("sine wave")
    angle = memory(0)

    @staticmethod
    def prepare(freq, phase, rate):
        return phase_of(freq * (1.0 / rate)), phase_of(phase) - 0x40000000  # a quarter of a cycle: sine from cosine

    @staticmethod
    def tick(step, shift, angle):
        return cosine_of(angle + shift), angle + step


@node("saw~", aliases=("Saw", "VarSaw"))
class Saw(KernelNode):
    """Make a band-limited saw wave that rises from -1 to 1 and falls at once.

    The fall is spread over two samples by a parabola (polyBLEP): at 48 kHz the strongest alias below 10 kHz of a 1 kHz
    saw is 54 dB below its fundamental, and the highest harmonics are up to 3 dB soft. Range -1 to 1; starts at 0.
    Latency 0 frames.

    Source: Välimäki and Huovilainen, "Antialiasing Oscillators in Subtractive Synthesis", IEEE SPM, 2007.
    """

    freq = inlet.control(440.0, "cycles a second", unit="Hz", span=(-20_000.0, 20_000.0))
    phase = inlet.control(0.0, "shift in cycles; as a signal, phase modulation", unit="cycles", span=(-1.0, 1.0))
    y = outlet.signal("saw wave")
    angle = memory(0)

    @staticmethod
    def prepare(freq, phase, rate):
        return phase_of(freq * (1.0 / rate)), phase_of(phase), 0.5 * period_of(freq, rate)

    @staticmethod
    def tick(step, shift, half_period, angle):
        return saw_of(angle + shift, half_period), angle + step


@node("square~", aliases=("rect~", "Pulse", "LFPulse", "pulse~"))
class Square(KernelNode):
    """Make a band-limited square or pulse wave.

    1 for the first `width` of a cycle, -1 for the rest; both edges are spread over two samples (polyBLEP), see `saw~`
    for what is left of the aliases. It is the difference of two saws, so that the edges may come as close as they
    like. Range -1 to 1 (a little more where two edges share a sample). Mean ``2 width - 1``. Latency 0 frames.

    Source: Välimäki and Huovilainen, "Antialiasing Oscillators in Subtractive Synthesis", IEEE SPM, 2007.
    """

    freq = inlet.control(440.0, "cycles a second", unit="Hz", span=(-20_000.0, 20_000.0))
    width = inlet.control(0.5, "part of the cycle that is high", span=(WIDTH_LEAST, WIDTH_MOST))
    phase = inlet.control(0.0, "shift in cycles; as a signal, phase modulation", unit="cycles", span=(-1.0, 1.0))
    y = outlet.signal("square wave")
    angle = memory(0)

    @staticmethod
    def prepare(freq, width, phase, rate):
        high = min(max(width, WIDTH_LEAST), WIDTH_MOST)
        step, shift = phase_of(freq * (1.0 / rate)), phase_of(phase)
        return step, shift, phase_of(high), 2.0 * high - 1.0, 0.5 * period_of(freq, rate)

    @staticmethod
    def tick(step, shift, high, mean, half_period, angle):
        now = angle + shift
        return saw_of(now - high, half_period) - saw_of(now, half_period) + mean, angle + step


@node("triangle~", aliases=("tri~", "LFTri"))
class Triangle(KernelNode):
    """Make a band-limited triangle wave.

    Starts at 0 and rises, like a sine; its corners are rounded over two samples (polyBLAMP): at 48 kHz the strongest
    alias of a 1 kHz triangle below 10 kHz is 84 dB below its fundamental. Range -1 to 1. Latency 0 frames.

    Source: Esqueda, Välimäki and Bilbao, "Rounding Corners with BLAMP", DAFx, 2016.
    """

    freq = inlet.control(440.0, "cycles a second", unit="Hz", span=(-20_000.0, 20_000.0))
    phase = inlet.control(0.0, "shift in cycles; as a signal, phase modulation", unit="cycles", span=(-1.0, 1.0))
    y = outlet.signal("triangle wave")
    angle = memory(0)

    @staticmethod
    def prepare(freq, phase, rate):
        half_period = 0.5 * period_of(freq, rate)
        return phase_of(freq * (1.0 / rate)), phase_of(phase), half_period, 2.0 / 3.0 / half_period

    @staticmethod
    def tick(step, shift, half_period, bend, angle):
        x = abs(signed(angle + shift - 0x40000000) * HALF)  # 0 at the top, 1 at the bottom
        top = max(1.0 - x * half_period, 0.0)
        bottom = max(1.0 - (1.0 - x) * half_period, 0.0)
        return 1.0 - 2.0 * x + bend * (bottom * bottom * bottom - top * top * top), angle + step


def scattered(x):
    """A 32-bit number in, one that looks like chance out; every bit of the input counts (lowbias32)."""
    x = (x ^ (x >> 16)) * 0x7FEB352D
    x = (x ^ (x >> 15)) * 0x846CA68B
    return x ^ (x >> 16)


def chance(count, key):
    """White noise number `count` of the sequence `key`, -1 to 1."""
    return signed(scattered(scattered(count) ^ key)) * HALF


@node("noise~", aliases=("WhiteNoise", "white~"))
class Noise(KernelNode):
    """Make white noise: every frequency alike.

    Evenly spread between -1 and 1; mean 0, RMS 0.577 (-4.8 dB). The numbers follow from `seed` and from how long the
    node has played, so a render repeats exactly; it begins again after 2^32 frames (a day at 48 kHz). Two nodes with
    one seed make the same noise: give each its own where they must differ, left and right for instance.
    Latency 0 frames.

    Source: C. Wellons, "Prospecting for Hash Functions" (lowbias32), applied to a counter, twice.
    """

    seed = setting.number(0, "which noise; each whole number is another", span=(0, 1_000_000))
    y = outlet.signal("white noise")
    count = memory(0)

    @staticmethod
    def prepare(seed):
        return scattered(u32(seed) + 0x9E3779B9)

    @staticmethod
    def tick(key, count):
        return chance(count, key), count + 1


@node("pink~", aliases=("PinkNoise",))
class PinkNoise(KernelNode):
    """Make pink noise: every octave alike, 3 dB less power per octave.

    White noise through seven one-pole filters; within 0.1 dB of ideal above 10 Hz at 48 kHz (20 Hz at 96 kHz). RMS
    about -15 dB. `seed` as in `noise~`. Latency 0 frames.

    Source: P. Kellet, "Refined pink noise filter", in R. Whittle, "DSP generation of Pink (1/f) Noise", 1999.
    """

    seed = setting.number(0, "which noise; each whole number is another", span=(0, 1_000_000))
    y = outlet.signal("pink noise")
    count = memory(0)
    b0 = memory(0.0)
    b1 = memory(0.0)
    b2 = memory(0.0)
    b3 = memory(0.0)
    b4 = memory(0.0)
    b5 = memory(0.0)
    b6 = memory(0.0)

    @staticmethod
    def prepare(seed):
        return scattered(u32(seed) + 0x9E3779B9)

    @staticmethod
    def tick(key, count, b0, b1, b2, b3, b4, b5, b6):
        white = chance(count, key)
        b0 = 0.99886 * b0 + white * 0.0555179
        b1 = 0.99332 * b1 + white * 0.0750759
        b2 = 0.96900 * b2 + white * 0.1538520
        b3 = 0.86650 * b3 + white * 0.3104856
        b4 = 0.55000 * b4 + white * 0.5329522
        b5 = -0.7616 * b5 - white * 0.0168980
        y = 0.1 * (b0 + b1 + b2 + b3 + b4 + b5 + b6 + white * 0.5362)
        return y, count + 1, b0, b1, b2, b3, b4, b5, white * 0.115926
