"""Every construct of the kernel language means what it means in Python: the same function, compiled, and run by
CPython."""

from math import copysign, exp, fabs, floor, log, pi, pow, sqrt, tanh, tau

import numpy as np
import pytest

from nodegraph.core import memory
from nodegraph.core.arithmetic import (
    bits_of,
    exp2,
    f32,
    f64,
    fma,
    from_bits,
    i64,
    rarely,
    signed,
    sin_pi,
    still,
    u32,
    where,
)
from tests.contracts.harness import Unit, play
from tests.kernels.make import block_node, tick_node, ticked

HALF = 0.5
SIGNALS = [np.float32([-2.5, -1.0, -0.25, 0.0, 0.75, 1.0, 3.0, 100.5])]
SIGNALS.append(np.float32([0.5, -3.0, 2.0, 1.0, -0.125, 1.0, -7.0, 2.0]))


# -- what a tick may hold (a, b are numbers)


def arithmetic(a, b):
    return a + b, a - b, a * b, a / b, -a, +a


def fused(a, b):
    return a * b + 1.5, 1.5 + a * b, a * b - 2.0, 2.0 - a * b, a * 2.0 + b * 3.0


def floor_division(a, b):
    return a // b, a % b


def powers(a, b):
    return a**2, b**3, a**1


def comparisons(a, b):
    less = 1.0 if a < b else 0.0
    return less, where(a <= b, 1.0, 0.0), where(a > b, 1.0, 0.0), where(a >= b, 1.0, 0.0), where(a == b, 1.0, 0.0), \
        where(a != b, 1.0, 0.0)  # fmt: skip


def chained(a, b):
    return where(-1.0 < a <= b, 1.0, 0.0), where(a == b == 1.0, 1.0, 0.0)


def booleans(a, b):
    both = a > 0.0 and b > 0.0
    either = a > 0.0 or b > 0.0
    return where(both, 1.0, 0.0), where(either, 1.0, 0.0), where(not both, 1.0, 0.0), where(both != either, 1.0, 0.0)


def branches(a, b):
    y = 0.0
    if a > 0.0:
        y = b
        if b > 1.0:
            y = y * 2.0
        elif b < 0.0:
            y = -1.0
    else:
        y = a - b
    return y


def branch_makes_a_name(a, b):
    if a > b:
        z = a * 2.0
    else:
        z = b * 3.0
    return z


def rare(a, b):
    y = b
    count = 0.0
    if rarely(a > 2.0):
        y = a * 10.0
        count = count + 1.0
    return y, count


def rare_with_else(a, b):
    y = 1.0
    if rarely(a > 2.0):
        y = a
    else:
        y = b
    return y


def swap(a, b):
    a, b = b, a
    a, b = b, a + b
    return a, b


def augmented(a, b):
    c = a
    c += b
    c *= 2.0
    c -= 1.0
    c /= 4.0
    return c


def two_of(x):
    return x, x * 2.0


def helper(x, y):
    x = x + 1.0  # its own x
    return x * y


def calls(a, b):
    first, second = two_of(a)
    return helper(a, b), first, second, helper(helper(a, 2.0), b)


def words(a, b):
    return abs(a), min(a, b), max(a, b), floor(a), copysign(a, b), fabs(b), max(a, b, 0.5), min(1.0, a), fma(a, b, 1.0)


def functions(a, b):
    positive = abs(a) + 0.125
    return sqrt(positive), exp(b), log(positive), tanh(a), pow(positive, 1.5), exp2(b), sin_pi(min(max(b, -1.0), 1.0))


def constants(a, b):
    return a * HALF, a * tau, pi + b, a + (2.0 + 3.0 * 4.0), b * (7 // 2)


def integers(a, b):
    n = i64(a * 10.0)
    m = i64(b)
    shifted = n >> 1
    return f32(n), f32(n * 3 + m), f32(n // 7), f32(n % 7), f32(shifted), f32(n << 2), f32(-n), f32(abs(n))


def bits(a, b):
    n = i64(a * 10.0)
    return f32(n & 12), f32(n | 3), f32(n ^ 5), f32(~n)


def wrapping(a, b):
    p = u32(u32(abs(a) * 1000.0) * 2654435761)  # CPython's integers wrap where u32(…) says so, ours always
    q = u32(p + 0x80000000)
    return signed(p) * 2.0**-31, signed(q >> 8) * 2.0**-24, signed(p ^ q) * 2.0**-31, where(p < q, 1.0, 0.0)


def wrapping_more(a, b):
    p = u32(u32(abs(a) * 1000.0) * 2654435761)
    return signed(-p) * 2.0**-31, signed(p & 255), signed(u32(b * 4.0)), signed(max(p, u32(77)) >> 16)


def truths(a, b):
    return where(a, 1.0, 0.0), where(i64(b), 1.0, 0.0), where(not a, 1.0, 0.0), f32(a > b)


def doubles(a, b):
    precise = f64(a) + 1e-9
    return f32((precise - f64(a)) * 1e9), f32(f64(b) * f64(b))


def bit_patterns(a, b):
    return from_bits(bits_of(a) & 0x7FFFFFFF), from_bits(bits_of(1.0) + 0x00800000) * b


PAIRS = [
    arithmetic, fused, floor_division, powers, comparisons, chained, booleans, branches, branch_makes_a_name, rare,
    rare_with_else, swap, augmented, calls, words, functions, constants, integers, bits, wrapping, wrapping_more,
    truths, doubles, bit_patterns,
]  # fmt: skip


@pytest.mark.parametrize("lanes", [1, 16])
@pytest.mark.parametrize("function", PAIRS, ids=lambda item: item.__name__)
def test_a_tick_means_what_python_means(function, lanes):
    compiled = ticked(function, lanes, *SIGNALS)
    for frame, (a, b) in enumerate(zip(*SIGNALS, strict=True)):
        if b == 0.0 and function in (arithmetic, floor_division):
            continue
        wanted = function(float(a), float(b))
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        # float32 against CPython's doubles: a few roundings of 6e-8 each
        np.testing.assert_allclose(
            compiled[:, frame], np.float32(wanted), rtol=2e-6, atol=2e-7, err_msg=f"{function.__name__}({a}, {b})"
        )


# -- state


def counting(x, count, held):
    count = count + 3
    held = held + 0.5 * (x - held)
    return held, count, held


@pytest.mark.parametrize("lanes", [1, 16])
def test_memories_keep_their_value_between_blocks(lanes):
    spec = tick_node(counting, count=memory(4_294_967_294), held=memory(1.0))
    unit = Unit(spec, lanes=lanes)
    x = np.float32(np.linspace(-1, 1, 40))
    found = unit.run(40, {"x": np.tile(x, (lanes, 1))}, split=[7, 1, 16])["y0"]
    held = 1.0
    for frame in range(40):
        held += 0.5 * (float(x[frame]) - held)
        assert found[-1, frame] == pytest.approx(held, abs=1e-6), f"frame {frame}"
    assert (unit.field("count") == (4_294_967_294 + 120) % 2**32).all(), "a u32 memory wraps at 2^32"


# -- what a process may hold (x, y, line are arrays)


def fill(x, y, line, frames):
    for i in range(frames):
        y[i] = 0.0


def ranges(x, y, line, frames):
    fill(x, y, line, frames)
    for i in range(3):
        y[i] = x[i]
    for i in range(3, 6):
        y[i] = 2.0 * x[i]
    for i in range(6, frames, 2):
        y[i] = -x[i]


def nested(x, y, line, frames):
    for i in range(frames):
        total = 0.0
        for k in range(i + 1):
            if k == 4:
                continue
            if k > 6:
                break
            total += x[k] * f32(k + 1)
        y[i] = total


def loop_while(x, y, line, frames):
    fill(x, y, line, frames)
    i = 0
    while i < frames:
        y[i] = x[frames - 1 - i]
        i += 3


def while_leaves(x, y, line, frames):
    fill(x, y, line, frames)
    i = 0
    while True:
        i += 1
        if i % 2 == 1:
            continue
        if i >= frames:
            break
        y[i] = x[i] + f32(i)


def arrays(x, y, line, ints, frames):
    for i in range(len(line)):
        line[i] = f32(i) * 0.5
        ints[i] = i * i
    for i in range(frames):
        line[i % len(line)] += x[i]
        y[i] = line[(i + 1) % len(line)] + f32(ints[i % len(ints)])


def safe_and(x, y, line, frames):
    for i in range(frames):
        y[i] = 1.0 if i > 0 and x[i - 1] > x[i] else 0.0


def safe_or(x, y, line, frames):
    for i in range(frames):
        edge = i == 0 or x[i - 1] > 0.0
        y[i] = 1.0 if edge else -1.0


def types_flow(x, y, line, frames):
    number = 0
    level = 0.0
    for i in range(frames):
        if x[i] > 0.0:
            number += 1
            level = x[i]
        y[i] = level + f32(number)


def steady(x, y, line, frames):
    for i in range(frames):
        y[i] = 1.0 if still(x) else 0.0


PROCESSES = [ranges, nested, loop_while, while_leaves, arrays, safe_and, safe_or, types_flow, steady]


@pytest.mark.parametrize("function", PROCESSES, ids=lambda item: item.__name__)
def test_a_process_means_what_python_means(function):
    x = np.float32(np.sin(np.arange(1, 13)))
    compiled = play(block_node(function), 12, {"x": x[None]})["y"][0]
    y, line, ints = np.full(12, np.nan, np.float32), np.zeros(16, np.float32), np.zeros(16, np.int64)
    given = {"x": x, "y": y, "line": line, "ints": ints, "frames": 12}
    function(**{name: given[name] for name in function.__code__.co_varnames[: function.__code__.co_argcount]})
    np.testing.assert_allclose(compiled, y, rtol=2e-6, atol=2e-7)


def keeps(x, y, line, at, frames):
    for i in range(frames):
        at += 0.1
        y[i] = f32(at)


def test_a_double_memory_of_a_process_keeps_its_precision():
    spec = block_node(keeps, at=memory(0.0, "f64"))
    unit = Unit(spec)
    y = unit.run(1_000, {"x": np.zeros((1, 1_000))}, split=[64])["y"][0]
    assert unit.field("at")[0] == pytest.approx(100.0, abs=1e-10)
    assert y[-1] == np.float32(unit.field("at")[0])


# -- where Python would raise, a kernel goes on in a defined way


def hard_division(a, b):
    return a / b, f32(i64(a) // i64(b)), f32(i64(a) % i64(b)), f32(u32(a) // u32(b))


@pytest.mark.parametrize("lanes", [1, 16])
def test_a_division_by_zero_is_defined(lanes):
    """Floats follow IEEE 754; whole numbers divide by one, since the processor would stop the program."""
    found = ticked(hard_division, lanes, np.float32([6, -6, 0]), np.float32([0, 0, 0]))
    np.testing.assert_array_equal(found[0], np.float32([np.inf, -np.inf, np.nan]))
    np.testing.assert_array_equal(found[1], [6, -6, 0])
    np.testing.assert_array_equal(found[2], [0, 0, 0])


def to_integers(a):
    return f32(i64(a) >> 40), signed(u32(a)) * 2.0**-31


@pytest.mark.parametrize("lanes", [1, 16])
def test_a_float_that_fits_no_integer_saturates(lanes):
    """LLVM leaves such a conversion undefined; ours gives the nearest integer, and the least for NaN."""
    found = ticked(to_integers, lanes, np.float32([np.inf, -np.inf, np.nan, 1e30, -1e30]))
    top = float((2**63 - 1) >> 40)
    np.testing.assert_allclose(found[0], [top, -(2**23), -(2**23), top, -(2**23)], rtol=1e-6)
    np.testing.assert_allclose(found[1], [1, -1, -1, 1, -1], atol=1e-6)


def extremes(a, b):
    return min(a, b), max(a, b), where(a < b, 1.0, 0.0), where(a != b, 1.0, 0.0)


@pytest.mark.parametrize("lanes", [1, 16])
def test_nan_compares_as_in_python(lanes):
    """min and max keep the second number when the comparison fails: ``max(x, 1.0)`` and ``min(x, 1.0)`` heal a NaN."""
    found = ticked(extremes, lanes, np.float32([np.nan, 2.0]), np.float32([2.0, np.nan]))
    np.testing.assert_array_equal(found[0], np.float32([2.0, np.nan]))
    np.testing.assert_array_equal(found[1], np.float32([2.0, np.nan]))
    np.testing.assert_array_equal(found[2], [0, 0])
    np.testing.assert_array_equal(found[3], [1, 1])
