"""Arithmetic on signals, and levels."""

from math import floor, tanh

from nodegraph.core import KernelNode, inlet, node, outlet, setting
from nodegraph.core.arithmetic import cos_pi, sin_pi, where

MOST = 1_000_000.0
FINEST = 1e-6


@node("gain~", aliases=("amp~", "level~", "live.gain~"))
class Gain(KernelNode):
    """Make a signal louder or softer.

    ``y = gain * x``. `gain` is linear: 1 leaves the sound as it is, 0.5 is -6 dB, 0.1 is -20 dB, 4 is +12 dB; in
    general ``dB = 20 log10(gain)``. A change is ramped over 10 ms. Latency 0 frames.

    Source: definition.
    """

    x = inlet.signal("signal")
    gain = inlet.control(1.0, "linear factor; 1 is 0 dB, 0.5 is -6 dB", span=(0.0, 4.0))
    y = outlet.signal("signal times gain")

    @staticmethod
    def tick(x, gain):
        return x * gain


@node("mix~", aliases=("Mix", "mixer~"))
class Mix(KernelNode):
    """Mix signals: connect as many as you like, they are added.

    ``y = gain * (x1 + x2 + …)``. The order of the additions follows from the patch, never from the screen. A signal
    with fewer channels is spread over the others by repeating its channels. Latency 0 frames.

    Source: definition.
    """

    x = inlet.signal("signals to add")
    gain = inlet.control(1.0, "linear factor for the sum", span=(0.0, 4.0))
    y = outlet.signal("the sum")

    @staticmethod
    def tick(x, gain):
        return x * gain


@node("+~", aliases=("plus~", "add~"))
class Add(KernelNode):
    """Add a number or a signal.

    ``y = x + b``. Latency 0 frames.

    Source: definition.
    """

    x = inlet.signal("signal")
    b = inlet.control(0.0, "what is added", span=(-MOST, MOST))
    y = outlet.signal("x + b")

    @staticmethod
    def tick(x, b):
        return x + b


@node("-~", aliases=("minus~", "sub~"))
class Subtract(KernelNode):
    """Subtract a number or a signal.

    ``y = x - b``. Latency 0 frames.

    Source: definition.
    """

    x = inlet.signal("signal")
    b = inlet.control(0.0, "what is taken away", span=(-MOST, MOST))
    y = outlet.signal("x - b")

    @staticmethod
    def tick(x, b):
        return x - b


@node("*~", aliases=("times~", "mul~"))
class Multiply(KernelNode):
    """Multiply by a number or a signal: level, envelope, ring modulation.

    ``y = x * b``. Latency 0 frames.

    Source: definition.
    """

    x = inlet.signal("signal")
    b = inlet.control(1.0, "the factor", span=(-MOST, MOST))
    y = outlet.signal("x * b")

    @staticmethod
    def tick(x, b):
        return x * b


@node("/~", aliases=("div~", "divide~"))
class Divide(KernelNode):
    """Divide by a number or a signal.

    ``y = x / b``; where `b` is 0, y is 0, as in Max and Pd. A divisor near 0 gives large numbers, and beyond 3e38
    infinity, which the engine's guard stops at the output. Latency 0 frames.

    Source: definition.
    """

    x = inlet.signal("dividend")
    b = inlet.control(1.0, "the divisor", span=(-MOST, MOST))
    y = outlet.signal("x / b")

    @staticmethod
    def tick(x, b):
        return where(b == 0.0, 0.0, x / b)


@node("scale~", aliases=("MulAdd", "madd~"))
class Scale(KernelNode):
    """Multiply and add: put a signal into another range.

    ``y = x * mul + add`` with one rounding. From -1…1 to a…b: ``mul = (b - a) / 2``, ``add = (a + b) / 2``.
    Latency 0 frames.

    Source: definition.
    """

    x = inlet.signal("signal")
    mul = inlet.control(1.0, "factor", span=(-MOST, MOST))
    add = inlet.control(0.0, "what is added then", span=(-MOST, MOST))
    y = outlet.signal("x * mul + add")

    @staticmethod
    def tick(x, mul, add):
        return x * mul + add


@node("clip~", aliases=("Clip",))
class Limits(KernelNode):
    """Keep a signal between two limits, with hard corners.

    ``y = min(max(x, low), high)``. Where `low` is above `high`, y is `high`. Latency 0 frames.

    Source: definition.
    """

    x = inlet.signal("signal")
    low = inlet.control(-1.0, "least value", span=(-MOST, MOST))
    high = inlet.control(1.0, "greatest value", span=(-MOST, MOST))
    y = outlet.signal("clipped signal")

    @staticmethod
    def tick(x, low, high):
        return min(max(x, low), high)


@node("wrap~", aliases=("Wrap", "pong~"))
class Wrap(KernelNode):
    """Keep a signal between two limits: what leaves on one side comes in on the other.

    ``y = x - (high - low) floor((x - low) / (high - low))``, which is in [low, high). Where `high` is not above `low`,
    y is `low`. Latency 0 frames.

    Source: definition.
    """

    x = inlet.signal("signal")
    low = inlet.control(-1.0, "least value", span=(-MOST, MOST))
    high = inlet.control(1.0, "upper limit, which is never reached", span=(-MOST, MOST))
    y = outlet.signal("wrapped signal")

    @staticmethod
    def prepare(low, high):
        width = max(high - low, 0.0)
        return width, where(width > 0.0, 1.0 / width, 0.0)

    @staticmethod
    def tick(x, low, high, width, inverse):
        rest = x - low
        y = low + (rest - width * floor(rest * inverse))
        return where(low <= y and y < high, y, low)  # an edge that rounding has stepped over


@node("fold~", aliases=("Fold", "wavefold~"))
class Fold(KernelNode):
    """Keep a signal between two limits: what leaves is mirrored back, as often as it takes.

    ``y = low + |r - 2 w floor(r / 2 w + 1 / 2)|``, ``r = x - low``, ``w = high - low``: x itself between the limits.
    Where `high` is not above `low`, y is `low`. Not oversampled: overtones beyond half the rate fold back. Latency 0
    frames.

    Source: definition.
    """

    x = inlet.signal("signal")
    low = inlet.control(-1.0, "lower mirror", span=(-MOST, MOST))
    high = inlet.control(1.0, "upper mirror", span=(-MOST, MOST))
    y = outlet.signal("folded signal")

    @staticmethod
    def prepare(low, high):
        twice = 2.0 * max(high - low, 0.0)
        return twice, where(twice > 0.0, 1.0 / twice, 0.0)

    @staticmethod
    def tick(x, low, high, twice, inverse):
        rest = x - low
        y = low + abs(rest - twice * floor(rest * inverse + 0.5))
        return where(low <= x and x <= high, x, max(min(y, high), low))


@node("abs~", aliases=("rectify~", "fullwave~"))
class Absolute(KernelNode):
    """Turn the negative half of a signal up: a rectifier.

    ``y = |x|``. A sine becomes an octave higher and has a mean of 0.637. Latency 0 frames.

    Source: definition.
    """

    x = inlet.signal("signal")
    y = outlet.signal("its size without its sign")

    @staticmethod
    def tick(x):
        return abs(x)


@node("round~", aliases=("Round", "quantize~", "degrade~"))
class Rounded(KernelNode):
    """Round a signal to the nearest step: stairs, few bits, pitches on a grid.

    ``y = step floor(x / step + 1 / 2)``; a step below 0.000001 leaves x as it is. A sound between -1 and 1 has b bits
    with a step of ``2^(1 - b)``. Latency 0 frames.

    Source: definition, as Max's round~.
    """

    x = inlet.signal("signal")
    step = inlet.control(0.125, "height of a step", span=(0.0, MOST), ramp_s=0.0)
    y = outlet.signal("signal in steps")

    @staticmethod
    def prepare(step):
        return where(step >= FINEST, 1.0 / step, 0.0)

    @staticmethod
    def tick(x, step, inverse):
        return where(inverse > 0.0, step * floor(x * inverse + 0.5), x)


@node("tanh~", aliases=("saturate~", "overdrive~", "softclip~"))
class Tanh(KernelNode):
    """Saturate softly, like an overdriven amplifier: odd harmonics.

    ``y = tanh(drive * x)``. Range -1 to 1; error below 3e-7. A small signal is `drive` times louder. Not oversampled:
    what the bend adds beyond half the rate folds back. Latency 0 frames.

    Source: definition.
    """

    x = inlet.signal("signal")
    drive = inlet.control(1.0, "factor before the bend", span=(0.0, 100.0))
    y = outlet.signal("saturated signal")

    @staticmethod
    def tick(x, drive):
        return tanh(x * drive)


@node("pan~", aliases=("Pan2",))
class Pan(KernelNode):
    """Place one channel between left and right, at equal power.

    ``left = x cos(a)``, ``right = x sin(a)``, ``a = (pan + 1) pi / 4``: the powers of both add up to that of x wherever
    it stands, and in the middle each side has -3 dB. Several channels into `x` are mixed to one. Latency 0 frames.

    Source: C. Roads, *The Computer Music Tutorial*, "Constant power panning".
    """

    x = inlet.signal("one channel", channels=1)
    pan = inlet.control(0.0, "-1 left, 0 middle, 1 right", span=(-1.0, 1.0))
    y = outlet.signal("left and right", channels=2)

    @staticmethod
    def prepare(pan):
        place = (min(max(pan, -1.0), 1.0) + 1.0) * 0.25
        return cos_pi(place), sin_pi(place)

    @staticmethod
    def tick(x, left, right):
        return x * left, x * right


@node("crossfade~", aliases=("XFade2", "LinXFade2", "xfade~", "fade~"))
class Crossfade(KernelNode):
    """Fade from one signal to another.

    `law` "power": ``y = a cos(pi mix / 2) + b sin(pi mix / 2)``, even loudness between two sounds that have nothing to
    do with each other. "linear": ``y = (1 - mix) a + mix b``, even level between two that are alike. `mix` is held
    between 0 and 1, where y is `a` or `b` exactly. Latency 0 frames.

    Source: C. Roads, *The Computer Music Tutorial*, "Constant power panning".
    """

    law = setting.choice("power", "even loudness or even level", ("power", "linear"))
    a = inlet.signal("signal at mix 0")
    b = inlet.signal("signal at mix 1")
    mix = inlet.control(0.5, "0 is a, 1 is b", span=(0.0, 1.0))
    y = outlet.signal("the mixture")

    @staticmethod
    def prepare(mix, law):
        place = min(max(mix, 0.0), 1.0)
        first = where(law > 0.5, 1.0 - place, cos_pi(0.5 * place))
        second = where(law > 0.5, place, sin_pi(0.5 * place))
        inside = place > 0.0 and place < 1.0
        return where(inside, first, 1.0 - place), where(inside, second, place)

    @staticmethod
    def tick(a, b, first, second):
        return a * first + b * second
