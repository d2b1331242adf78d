"""The operators and functions of expressions: what each means, in Python and in a kernel.

Most are written once, in the kernel language, upon the few words of the first part. Those have a meaning for every
number, as the kernel's own have: nothing here raises, divides by zero or leaves the real numbers, but for what grows
beyond all bounds.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from nodegraph.core.arithmetic import where

LEAST: Final = 1.17549435e-38
"""The smallest number of which a logarithm is taken: the smallest normal float32."""
Function = TypeVar("Function", bound=Callable[..., Any])


def _word(name: str) -> Callable[[Function], Function]:
    """A function that a kernel has by this name."""

    def named(function: Function) -> Function:
        function.kernel_word = name  # type: ignore[attr-defined]
        return function

    return named


# What kernels have.


@_word("floor")
def floor(x: float) -> float:
    """The next whole number below; of what is not finite, itself."""
    return float(math.floor(x)) if math.isfinite(x) else x


@_word("sqrt")
def square_root(x: float) -> float:
    """Of numbers from 0 on."""
    return math.sqrt(x)


@_word("exp")
def exp(x: float) -> float:
    """e to the power of x, held within what a float32 can be."""
    return math.exp(min(max(x, -87.0), 88.0))


@_word("exp2")
def exp2(x: float) -> float:
    """2 to the power of x, held within what a float32 can be."""
    return float(2.0 ** min(max(x, -126.0), 127.0))


@_word("log")
def log(x: float) -> float:
    """The natural logarithm; of 0 and below, that of the smallest float32."""
    return math.log(max(x, LEAST))


@_word("sin")
def sin(x: float) -> float:
    """The sine of an angle in radians."""
    return math.sin(x) if math.isfinite(x) else math.nan


@_word("cos")
def cos(x: float) -> float:
    """The cosine of an angle in radians."""
    return math.cos(x) if math.isfinite(x) else math.nan


@_word("tan")
def tan(x: float) -> float:
    """The tangent of an angle in radians."""
    return math.tan(x) if math.isfinite(x) else math.nan


@_word("tanh")
def tanh(x: float) -> float:
    """The hyperbolic tangent."""
    return math.tanh(x)


@_word("sin_pi")
def sine(x: float) -> float:
    """sin(pi x) for x in [-1, 1]."""
    return sin(math.pi * x)


@_word("cos_pi")
def cosine(x: float) -> float:
    """cos(pi x) for x in [-1, 1]."""
    return cos(math.pi * x)


# What is made of these, in the kernel language.


def divided(a: Any, b: Any) -> Any:
    """``a / b``; 0 where b is 0, as in Max and Pd."""
    return 0.0 if b == 0.0 else a / b


def modulo(a: Any, b: Any) -> Any:
    """What is left of a beyond a whole number of b: it has the sign of b, as in Python. 0 where b is 0."""
    return 0.0 if b == 0.0 else a - floor(a / b) * b


def remainder(a: Any, b: Any) -> Any:
    """The same with the sign of a, as C's fmod."""
    return 0.0 if b == 0.0 else a - whole_part(a / b) * b


def power(x: Any, y: Any) -> Any:
    """x to the power of y. Of x below 0 there is one for whole y only, of 0 for y above 0: else it is 0."""
    size = exp(y * log(abs(x)))
    turned = -size if y - 2.0 * floor(y * 0.5) == 1.0 else size
    below = turned if y == floor(y) else 0.0
    at_zero = 1.0 if y == 0.0 else 0.0
    return size if x > 0.0 else below if x < 0.0 else at_zero


def raised(x: float, y: float) -> float:
    """The same in Python, to the last bit; held within what a float32 can be, as a kernel's is."""
    if x == 0.0:
        return 1.0 if y == 0.0 else 0.0
    if x < 0.0 and y != floor(y):
        return 0.0
    try:
        size = float(abs(x) ** y)
    except OverflowError:
        size = math.inf
    size = min(size, exp(88.0))
    return -size if x < 0.0 and y % 2.0 == 1.0 else size


def root(x: Any) -> Any:
    """The square root; 0 below 0."""
    return square_root(max(x, 0.0))


def whole_part(x: Any) -> Any:
    """The next whole number towards 0."""
    return -floor(-x) if x < 0.0 else floor(x)


def ceiling(x: Any) -> Any:
    """The next whole number above."""
    return -floor(-x)


def rounded(x: Any) -> Any:
    """The nearest whole number; halves go up."""
    return floor(x + 0.5)


def fraction(x: Any) -> Any:
    """What stands behind the point, seen from the whole number below."""
    return x - floor(x)


def sign(x: Any) -> Any:
    """-1, 0 or 1."""
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0


def clipped(x: Any, low: Any, high: Any) -> Any:
    """x between two limits; `high` where they are the wrong way round."""
    return min(max(x, low), high)


def log2(x: Any) -> Any:
    """The logarithm to the base 2."""
    return log(x) * 1.4426950408889634


def log10(x: Any) -> Any:
    """The logarithm to the base 10."""
    return log(x) * 0.4342944819032518


def sinh(x: Any) -> Any:
    """The hyperbolic sine."""
    return (exp(x) - exp(-x)) * 0.5


def cosh(x: Any) -> Any:
    """The hyperbolic cosine."""
    return (exp(x) + exp(-x)) * 0.5


def sin_pi(x: Any) -> Any:
    """sin(pi x): x goes round once in 2."""
    return sine(x - 2.0 * floor(x * 0.5 + 0.5))


def cos_pi(x: Any) -> Any:
    """cos(pi x): x goes round once in 2."""
    return cosine(x - 2.0 * floor(x * 0.5 + 0.5))


def arc_tangent(x: Any) -> Any:
    """Absolute error below 3e-7. Source: S. L. Moshier, Cephes (reduction and coefficients)."""
    size = abs(x)
    large = size > 2.414213562373095
    middle = size > 0.4142135623730950
    inside = (size - 1.0) / (size + 1.0) if middle else size
    t = -1.0 / max(size, 1.0) if large else inside
    beyond = 0.7853981633974483 if middle else 0.0
    start = 1.5707963267948966 if large else beyond
    z = t * t
    p = 8.05374449538e-2
    p = p * z - 1.38776856032e-1
    p = p * z + 1.99777106478e-1
    p = p * z - 3.33329491539e-1
    found = p * z * t + t + start
    return -found if x < 0.0 else found


def arc_tangent_2(y: Any, x: Any) -> Any:
    """The angle of the point (x, y), -pi to pi; 0 for (0, 0)."""
    first = arc_tangent(divided(y, x))
    turned = first - 3.141592653589793 if y < 0.0 else first + 3.141592653589793
    upright = -1.5707963267948966 if y < 0.0 else 1.5707963267948966 if y > 0.0 else 0.0
    return first if x > 0.0 else turned if x < 0.0 else upright


def arc_sine(x: Any) -> Any:
    """The angle whose sine is x; beyond -1 and 1 that of these."""
    inside = min(max(x, -1.0), 1.0)
    return arc_tangent_2(inside, root((1.0 - inside) * (1.0 + inside)))


def arc_cosine(x: Any) -> Any:
    """The angle whose cosine is x; beyond -1 and 1 that of these."""
    inside = min(max(x, -1.0), 1.0)
    return arc_tangent_2(root((1.0 - inside) * (1.0 + inside)), inside)


def pitch_to_frequency(x: Any) -> Any:
    """The frequency in Hz of a MIDI pitch."""
    return 440.0 * exp2((x - 69.0) * 0.08333333333333333)


def frequency_to_pitch(x: Any) -> Any:
    """The MIDI pitch of a frequency in Hz; of 0 and below -1500, as in Pd."""
    return 69.0 + 12.0 * log2(x * 0.0022727272727272726) if x > 0.0 else -1500.0


def decibels_to_amplitude(x: Any) -> Any:
    """The linear factor of a level in dB."""
    return exp2(x * 0.16609640474436813)


def amplitude_to_decibels(x: Any) -> Any:
    """The level in dB of a linear factor; of 0 and below, that of the smallest float32 (-759)."""
    return log10(x) * 20.0


# The table.


@dataclass(frozen=True, slots=True)
class Word:
    """An operator or function.

    `least` to `most` arguments, the first `asks` of which are taken as yes or no. `truth`: so is what it gives.
    `weight` is about what it costs, in additions. `kernel` is written in the kernel language, where `meaning` is not.
    """

    meaning: Callable[..., Any]
    least: int = 1
    most: int = 1
    weight: int = 1
    asks: int = 0
    truth: bool = False
    kernel: Callable[..., Any] | None = None

    def takes(self) -> str:
        """``1 value``, ``2 to 16 values``"""
        count = f"{self.least}" if self.least == self.most else f"{self.least} to {self.most}"
        return f"{count} value{'' if self.most == 1 else 's'}"


_RISE: Final[dict[str, Callable[[Any, Any], Any]]] = {"<": operator.lt, "<=": operator.le}
_FALL: Final[dict[str, Callable[[Any, Any], Any]]] = {">": operator.gt, ">=": operator.ge}
_EQUAL: Final[dict[str, Callable[[Any, Any], Any]]] = {"==": operator.eq, "!=": operator.ne}


def _chain(first: Callable[[Any, Any], Any], second: Callable[[Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    return lambda a, b, c: first(a, b) and second(b, c)


OPERATORS: Final[dict[str, Word]] = {
    "+": Word(operator.add, 2, 2),
    "-": Word(operator.sub, 2, 2),
    "*": Word(operator.mul, 2, 2),
    "/": Word(divided, 2, 2, 4),
    "%": Word(modulo, 2, 2, 8),
    "^": Word(raised, 2, 2, 40, kernel=power),
    "-x": Word(operator.neg),
    "!": Word(operator.not_, asks=1, truth=True),
    "&&": Word(lambda a, b: bool(a) and bool(b), 2, 2, asks=2, truth=True),
    "||": Word(lambda a, b: bool(a) or bool(b), 2, 2, asks=2, truth=True),
    **{sign: Word(test, 2, 2, truth=True) for sign, test in (_RISE | _FALL | _EQUAL).items()},
    **{
        f"{one} {two}": Word(_chain(first, second), 3, 3, 2, truth=True)
        for side in (_RISE, _FALL)
        for one, first in side.items()
        for two, second in side.items()
    },
}
MOST_ARGUMENTS: Final = 16
FUNCTIONS: Final[dict[str, Word]] = {
    "abs": Word(abs),
    "min": Word(min, 2, MOST_ARGUMENTS, 2),
    "max": Word(max, 2, MOST_ARGUMENTS, 2),
    "clip": Word(clipped, 3, 3, 4),
    "where": Word(where, 3, 3, 2, asks=1),
    "sign": Word(sign, weight=4),
    "floor": Word(floor),
    "ceil": Word(ceiling, weight=3),
    "round": Word(rounded, weight=2),
    "trunc": Word(whole_part, weight=6),
    "fract": Word(fraction, weight=2),
    "fmod": Word(remainder, 2, 2, 12),
    "sqrt": Word(root, weight=6),
    "exp": Word(exp, weight=20),
    "exp2": Word(exp2, weight=20),
    "log": Word(log, weight=25),
    "log2": Word(log2, weight=25),
    "log10": Word(log10, weight=25),
    "sin": Word(sin, weight=20),
    "cos": Word(cos, weight=20),
    "tan": Word(tan, weight=45),
    "sin_pi": Word(sin_pi, weight=15),
    "cos_pi": Word(cos_pi, weight=15),
    "sinh": Word(sinh, weight=45),
    "cosh": Word(cosh, weight=45),
    "tanh": Word(tanh, weight=30),
    "asin": Word(lambda x: math.asin(min(max(x, -1.0), 1.0)), weight=45, kernel=arc_sine),
    "acos": Word(lambda x: math.acos(min(max(x, -1.0), 1.0)), weight=45, kernel=arc_cosine),
    "atan": Word(math.atan, weight=25, kernel=arc_tangent),
    "atan2": Word(math.atan2, 2, 2, 35, kernel=arc_tangent_2),
    "mtof": Word(pitch_to_frequency, weight=20),
    "ftom": Word(frequency_to_pitch, weight=30),
    "dbtoa": Word(decibels_to_amplitude, weight=20),
    "atodb": Word(amplitude_to_decibels, weight=25),
}
ALIASES: Final = {
    "pow": "^", "mod": "%", "if": "where", "select": "where", "clamp": "clip", "int": "trunc", "ln": "log",
    "fabs": "abs",
}  # fmt: skip
"""Other names of operators and functions."""
WORDS: Final[dict[str, Word]] = {**OPERATORS, **FUNCTIONS}
CONSTANTS: Final = {"pi": math.pi, "tau": math.tau, "e": math.e}
MOST_POWER: Final = 16
"""Whole exponents that are written in the text multiply, up to this."""


def whole_power(x: Any, n: int) -> Any:
    """``x`` n times as a factor, as a kernel multiplies."""
    found = x
    for _ in range(n - 1):
        found = found * x
    return found
