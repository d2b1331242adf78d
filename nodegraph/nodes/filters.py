"""Filters."""

from math import exp, tanh, tau
from typing import ClassVar

from nodegraph.core import KernelNode, inlet, memory, node, outlet, setting
from nodegraph.core.arithmetic import exp2, f32, f64, where

COEFFICIENT = (-1_000.0, 1_000.0)
LOG2_10_BY_40 = 0.08304820237218406
SHAPES = ("peak", "low shelf", "high shelf")


def tangent(freq, rate):
    """tan(pi freq / rate) as two numbers, to be divided later, so that one division does for all.

    Minimax, relative error 1e-7. The frequency is held between 1 Hz and 0.49 times the rate.
    """
    u = min(max(freq, 1.0) * (1.0 / rate), 0.49)
    z = u * u
    return u * (3.14159293 + z * (0.34875853 * z - 3.48032603)), 1.0 + z * (1.59071925 * z - 4.39767981)


@node("onepole~", aliases=("lop~", "OnePole", "Lag"))
class OnePole(KernelNode):
    """Low-pass a signal at 6 dB per octave.

    ``y[n] = y[n-1] + a * (x[n] - y[n-1])``, ``a = 1 - exp(-2 pi cutoff / rate)``. Unity gain at DC. Latency 0 frames.

    Source: J. O. Smith III, *Introduction to Digital Filters*, "One-Pole".
    """

    x = inlet.signal("signal to smooth")
    cutoff = inlet.control(1_000.0, "where it starts to fall", unit="Hz", span=(1.0, 20_000.0), curve="log")
    y = outlet.signal("smoothed signal")
    held = memory(0.0)

    @staticmethod
    def prepare(cutoff, rate):
        return 1.0 - exp(-tau * max(cutoff, 0.0) / rate)

    @staticmethod
    def tick(x, a, held):
        held += a * (x - held)
        return held, held


@node("highpass~", aliases=("hip~", "dcblock~", "dcblock", "LeakDC"))
class HighPass(KernelNode):
    """Take out what is slow: a constant offset, rumble.

    ``s / (s + 1)`` by the trapezoidal rule, pre-warped: -3 dB at `cutoff` exactly, 6 dB per octave below, nothing at 0
    Hz, unity gain at half the rate. The cutoff is held between 1 Hz and 0.49 times the rate. Steeper: `svf~`. Latency 0
    frames.

    Source: V. Zavalishin, *The Art of VA Filter Design*, section 3.
    """

    x = inlet.signal("signal to filter")
    cutoff = inlet.control(20.0, "where it begins to pass", unit="Hz", span=(1.0, 20_000.0), curve="log")
    y = outlet.signal("signal without what is below")
    held = memory(0.0, "f64")  # in single precision an offset would never leave completely

    @staticmethod
    def prepare(cutoff, rate):
        s, c = tangent(cutoff, rate)
        return f64(s / (s + c))

    @staticmethod
    def tick(x, a, held):
        part = a * (f64(x) - held)
        low = held + part
        return f32(f64(x) - low), low + part


@node("svf~", aliases=("SVF", "RLPF", "RHPF", "BPF", "BRF", "vcf~", "lores~", "reson~"))
class StateVariable(KernelNode):
    """Filter: low-pass, band-pass, high-pass and notch at 12 dB per octave, made to be modulated.

    The analogue prototype ``1 / (s^2 + k s + 1)`` by the trapezoidal rule, pre-warped so that `cutoff` is exact.
    ``k = 1 / Q = 2 - 1.99 resonance``: Q is 0.5 at resonance 0, 0.995 at 0.5, 100 at 1 (a peak of 40 dB at `low` and
    `high`). `band` has unity gain at the cutoff, and ``low + band + high = x``, ``notch = low + high``. Stable while
    the cutoff moves at audio rate; it is held between 1 Hz and 0.49 times the rate, resonance between 0 and 1.
    Latency 0 frames.

    Source: A. Simper, "Linear Trapezoidal Integrated SVF", Cytomic, 2013; V. Zavalishin, *The Art of VA Filter Design*.
    """

    x = inlet.signal("signal to filter")
    cutoff = inlet.control(1_000.0, "corner frequency", unit="Hz", span=(10.0, 20_000.0), curve="log")
    resonance = inlet.control(0.2, "0 is soft, 1 rings for long", span=(0.0, 1.0))
    low = outlet.signal("below the cutoff")
    band = outlet.signal("around the cutoff")
    high = outlet.signal("above the cutoff")
    notch = outlet.signal("all but the cutoff")
    first = memory(0.0)
    second = memory(0.0)

    @staticmethod
    def prepare(cutoff, resonance, rate):
        s, c = tangent(cutoff, rate)
        k = 2.0 - 1.99 * min(max(resonance, 0.0), 1.0)
        lossy = s * (s + k * c)
        scale = 2.0 / (c * c + lossy)
        return k, lossy * scale, s * c * scale, s * s * scale

    @staticmethod
    def tick(x, k, loss, turn, rise, first, second):
        # The two integrators' next states stand in doubled coefficients, so that each waits for two operations only.
        v = x - second
        new_first = first - loss * first + turn * v
        new_second = second + turn * first + rise * v
        band = 0.5 * (new_first + first)
        low = 0.5 * (new_second + second)
        middle = k * band
        notch = x - middle
        return low, middle, notch - low, notch, new_first, new_second


@node("biquad~", aliases=("SOS", "rawbiquad~"))
class Biquad(KernelNode):
    """Filter with two poles and two zeros, given by their coefficients.

    ``y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2]``: the signs of SciPy and Matlab (a0 = 1). Pd and
    SuperCollider write the feedback with the other sign, Max calls b what is a here. Coefficients act at once,
    unramped, and unstable ones are played as they are. Direct form I: a change finds the true past of the sound.
    Latency 0 frames.

    Source: J. O. Smith III, *Introduction to Digital Filters*, "Direct-Form I".
    """

    x = inlet.signal("signal to filter")
    b0 = inlet.control(1.0, "factor of the input", span=COEFFICIENT, ramp_s=0.0)
    b1 = inlet.control(0.0, "factor of the input, one sample ago", span=COEFFICIENT, ramp_s=0.0)
    b2 = inlet.control(0.0, "factor of the input, two samples ago", span=COEFFICIENT, ramp_s=0.0)
    a1 = inlet.control(0.0, "minus the factor of the output, one sample ago", span=COEFFICIENT, ramp_s=0.0)
    a2 = inlet.control(0.0, "minus the factor of the output, two samples ago", span=COEFFICIENT, ramp_s=0.0)
    y = outlet.signal("filtered signal")
    x1 = memory(0.0)
    x2 = memory(0.0)
    y1 = memory(0.0)
    y2 = memory(0.0)

    # coefficients by chance make an unstable filter, which plays as it is told: into infinity
    validate_with: ClassVar = {"b0": 0.02, "b1": 0.04, "b2": 0.02, "a1": -1.56, "a2": 0.64}

    @staticmethod
    def tick(x, b0, b1, b2, a1, a2, x1, x2, y1, y2):
        past = b0 * x + b1 * x1 + b2 * x2 - a2 * y2
        y = past - a1 * y1  # the newest memory last: one operation from sample to sample
        return y, x, x1, y, y1


@node("eq~", aliases=("BPeakEQ", "BLowShelf", "BHiShelf", "MidEQ", "filtergraph~", "peakeq~"))
class Equalizer(KernelNode):
    """Raise or lower a part of the spectrum: one band of an equalizer.

    With ``A = 10^(gain_db / 40)`` and the frequency in units of `freq`: "peak"
    ``(s^2 + s A / q + 1) / (s^2 + s / (A q) + 1)``, `gain_db` at `freq`, 0 dB far away. "low shelf"
    ``A (s^2 + s sqrt(A) / q + A) / (A s^2 + s sqrt(A) / q + 1)``, `gain_db` far below, half of it at `freq`. "high
    shelf", the same with s and 1 / s exchanged. By the bilinear transform, pre-warped. `gain_db` is held between -60
    and 60, `q` between 0.025 and 100, `freq` between 1 Hz and 0.49 times the rate. Built as a state-variable filter, so
    that all three may move at audio rate. Latency 0 frames.

    Source: R. Bristow-Johnson, "Audio EQ Cookbook"; A. Simper, "Linear Trapezoidal Integrated SVF", Cytomic, 2013.
    """

    shape = setting.choice("peak", "which part is raised", SHAPES)
    x = inlet.signal("signal to filter")
    freq = inlet.control(
        1_000.0, "middle of the peak, corner of the shelf", unit="Hz", span=(10.0, 20_000.0), curve="log"
    )
    gain_db = inlet.control(0.0, "how much it is raised, below 0 lowered", unit="dB", span=(-24.0, 24.0))
    q = inlet.control(0.707, "narrowness; 0.707 is the steepest shelf without a bump", span=(0.1, 40.0), curve="log")
    y = outlet.signal("filtered signal")
    first = memory(0.0)
    second = memory(0.0)

    @staticmethod
    def prepare(freq, gain_db, q, shape, rate):
        tan, c = tangent(freq, rate)
        level = min(max(gain_db, -60.0), 60.0) * LOG2_10_BY_40
        a = exp2(level)
        root = exp2(0.5 * level)
        peak = shape < 0.5
        high = shape > 1.5
        s = tan * where(peak, 1.0, where(high, root, 1.0 / root))
        k = 1.0 / (min(max(q, 0.025), 100.0) * where(peak, a, 1.0))
        plain = where(high, a * a, 1.0)
        band = k * where(peak, a * a - 1.0, where(high, a - a * a, a - 1.0))
        low = where(peak, 0.0, where(high, 1.0 - a * a, a * a - 1.0))
        lossy = s * (s + k * c)
        scale = 2.0 / (c * c + lossy)
        return lossy * scale, s * c * scale, s * s * scale, plain, 0.5 * band, 0.5 * low

    @staticmethod
    def tick(x, loss, turn, rise, plain, band, low, first, second):
        v = x - second
        new_first = first - loss * first + turn * v
        new_second = second + turn * first + rise * v
        return plain * x + band * (new_first + first) + low * (new_second + second), new_first, new_second


def bent(x):
    """tanh(x), right to 1e-6 of itself for soft sounds, too."""
    z = x * x
    soft = x * (1.0 - z * (0.33333333 - z * (0.13333333 - z * 0.05396825)))
    return where(abs(x) < 0.2, soft, tanh(x))


@node("ladder~", aliases=("MoogFF", "MoogLadder", "moog~", "bob~", "RLPFD"))
class Ladder(KernelNode):
    """Low-pass at 24 dB per octave with a resonance that sings: the ladder of four poles.

    For soft sounds ``y = drive (1 + k / 2) / ((1 + s)^4 + k) x``, ``k = 4 resonance``, by the trapezoidal rule without
    a delay in the loop, pre-warped. Loud sounds bend where the loop is closed: ``u = tanh(drive (1 + k / 2) x - k y)``
    goes into the four poles, so that the sound stays bounded. From resonance 1 on it sings by itself once something has
    struck it, a sine of up to 0.2 at `cutoff` (within 0.1 % from 50 Hz to 15 kHz). Half of the bass that a
    resonance takes away is given back: the factor ``1 + k / 2``. The cutoff is held between 1 Hz and 0.49 times the
    rate, resonance between 0 and 1.25; both may move at audio rate. Not oversampled. Latency 0 frames.

    Source: V. Zavalishin, *The Art of VA Filter Design*, section 5; R. Moog, "A Voltage-Controlled Low-Pass High-Pass
    Filter for Audio Signal Processing", AES 17, 1965.
    """

    x = inlet.signal("signal to filter")
    cutoff = inlet.control(1_000.0, "where it falls, and sings", unit="Hz", span=(10.0, 20_000.0), curve="log")
    resonance = inlet.control(0.3, "0 is soft, from 1 on it sings", span=(0.0, 1.25))
    drive = inlet.control(1.0, "factor before the bend", span=(0.0, 100.0))
    y = outlet.signal("filtered signal")
    z1 = memory(0.0)
    z2 = memory(0.0)
    z3 = memory(0.0)
    z4 = memory(0.0)

    @staticmethod
    def prepare(cutoff, resonance, drive, rate):
        s, c = tangent(cutoff, rate)
        g = s / (s + c)
        k = 4.0 * min(max(resonance, 0.0), 1.25)
        square = g * g
        return g, k, drive * (1.0 + 0.5 * k), 1.0 / (1.0 + k * (square * square))

    @staticmethod
    def tick(x, g, k, loud, inverse, z1, z2, z3, z4):
        # what the four poles give back without u; u itself comes through them with a factor of g^4
        rest = (1.0 - g) * (z4 + g * (z3 + g * (z2 + g * z1)))
        u = bent((loud * x - k * rest) * inverse)
        step = g * (u - z1)
        v = z1 + step
        z1 = v + step
        step = g * (v - z2)
        v = z2 + step
        z2 = v + step
        step = g * (v - z3)
        v = z3 + step
        z3 = v + step
        step = g * (v - z4)
        v = z4 + step
        return v, z1, z2, z3, v + step
