"""exp, log, sine and their kin, written in the kernel language: the same bits in one lane and in sixteen.

They are float32 functions for audio. Sources: S. L. Moshier, Cephes (exp, log: reduction and coefficients); sine and
cosine: minimax polynomials fitted for this file (see tests/kernels/test_maths.py, which states and checks every bound).
"""

from math import copysign, floor

from nodegraph.core.arithmetic import bits_of, from_bits, signed, u32, where

__all__ = ["exp", "exp2", "log", "sin", "cos", "tan", "tanh", "pow", "sin_pi", "cos_pi", "tan_pi"]


def scaled(x, n):
    """x * 2^n for a whole n in [-126, 127]."""
    return x * from_bits((u32(n) + 127) << 23)


def all_equal(values):
    """Whether an array holds one value throughout."""
    lowest = values[0]
    highest = values[0]
    for i in range(len(values)):
        lowest = min(lowest, values[i])
        highest = max(highest, values[i])
    return lowest == highest


def exp_near(r):
    """exp(r) for r near 0, no further from it than log(2) / 2."""
    p = 1.9875691500e-4
    p = p * r + 1.3981999507e-3
    p = p * r + 8.3334519073e-3
    p = p * r + 4.1665795894e-2
    p = p * r + 1.6666665459e-1
    p = p * r + 5.0000001201e-1
    return (p * r) * r + r + 1.0


def exp(x):
    """Relative error below 2e-7 for x in [-87, 88]; clamped beyond."""
    x = max(min(x, 88.0), -87.0)
    n = floor(x * 1.4426950408889634 + 0.5)
    r = x - n * 0.693359375
    r = r + n * 2.12194440e-4
    return scaled(exp_near(r), n)


def exp2(x):
    """Relative error below 2e-7 for x in [-126, 127]; clamped beyond."""
    x = max(min(x, 127.0), -126.0)
    n = floor(x + 0.5)
    r = (x - n) * 0.6931471805599453
    return scaled(exp_near(r), n)


def log(x):
    """Natural logarithm; relative error below 2e-7 away from 1, absolute below 1e-7 near it. log(0) counts as -87.3."""
    x = max(x, 1.17549435e-38)
    b = bits_of(x)
    e = signed_exponent(b)
    m = from_bits((b & 0x007FFFFF) | 0x3F000000)
    low = m < 0.70710678
    e = where(low, e - 1.0, e)
    m = where(low, m + m - 1.0, m - 1.0)
    z = m * m
    p = 7.0376836292e-2
    p = p * m - 1.1514610310e-1
    p = p * m + 1.1676998740e-1
    p = p * m - 1.2420140846e-1
    p = p * m + 1.4249322787e-1
    p = p * m - 1.6668057665e-1
    p = p * m + 2.0000714765e-1
    p = p * m - 2.4999993993e-1
    p = p * m + 3.3333331174e-1
    y = m * z * p
    y = y - e * 2.12194440e-4
    y = y - z * 0.5
    return m + y + e * 0.693359375


def signed_exponent(b):
    """The binary exponent of a positive float32's bits, as a float, for a mantissa in [0.5, 1)."""
    return signed((b >> 23) - 126)


def sin_half(x):
    """sin(pi x) for x in [-0.5, 0.5]."""
    z = x * x
    p = 0.0772201258
    p = p * z - 0.5980451728
    p = p * z + 2.5500313771
    p = p * z - 5.1677068789
    p = p * z + 3.1415925800
    return x * p


def sin_pi(x):
    """sin(pi x) for x in [-1, 1]; absolute error below 2e-7. The cosine of the complement: the cheapest in lanes."""
    y = 0.5 - abs(x)
    z = y * y
    p = 0.2196967986
    p = p * z - 1.3318801631
    p = p * z + 4.0584119149
    p = p * z - 4.9347928587
    p = p * z + 0.9999999535
    return copysign(p, x)


def cos_pi(x):
    """cos(pi x) for x in [-1, 1]."""
    return sin_half(0.5 - abs(x))


def tan_pi(x):
    """tan(pi x) for x in [0, 0.499]; relative error below 2e-6 up to 0.49."""
    x = min(x, 0.499)
    return sin_half(x) / sin_half(0.5 - x)


def sin(x):
    """Absolute error below 5e-7 for |x| < 1000."""
    n = floor(x * 0.3183098861837907 + 0.5)
    r = x - n * 3.140625
    r = r - n * 9.67653589793e-4
    odd = n - 2.0 * floor(n * 0.5)
    y = sin_half(max(min(r * 0.3183098861837907, 0.5), -0.5))
    return where(odd > 0.5, -y, y)


def cos(x):
    """Absolute error below 5e-7 for |x| < 1000."""
    n = floor(x * 0.3183098861837907)
    r = x - n * 3.140625
    r = r - n * 9.67653589793e-4
    odd = n - 2.0 * floor(n * 0.5)
    y = sin_half(0.5 - max(min(r * 0.3183098861837907, 1.0), 0.0))
    return where(odd > 0.5, -y, y)


def tan(x):
    """sin(x) / cos(x); relative error below 2e-6 for |x| < 1.2, growing towards the poles."""
    return sin(x) / cos(x)


def tanh(x):
    """Absolute error below 2e-7."""
    e = exp(2.0 * max(min(x, 12.0), -12.0))
    return 1.0 - 2.0 / (e + 1.0)


def pow(x, y):
    """x to the power of y for x > 0; relative error below 1e-5 for results between 1e-6 and 1e6."""
    return exp(y * log(x))
