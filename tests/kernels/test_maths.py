"""The functions of the kernel language keep the bounds that `nodegraph.runtime.kernels.maths` states.

The oracle is numpy in double precision, on what the float32 argument is exactly.
"""

from math import cos, exp, log, pow, sin, tan, tanh

import numpy as np
import pytest

from nodegraph.core.arithmetic import cos_pi, exp2, sin_pi, tan_pi
from tests.kernels.make import ticked

COUNT = 20_001


def natural(x):
    return exp(x)


def binary(x):
    return exp2(x)


def logarithm(x):
    return log(x)


def sine_pi(x):
    return sin_pi(x)


def cosine_pi(x):
    return cos_pi(x)


def tangent_pi(x):
    return tan_pi(x)


def sine(x):
    return sin(x)


def cosine(x):
    return cos(x)


def tangent(x):
    return tan(x)


def hyperbolic(x):
    return tanh(x)


def evenly(low, high):
    return np.linspace(low, high, COUNT).astype(np.float32)


def octaves(low, high):
    return np.exp2(np.linspace(low, high, COUNT)).astype(np.float32)


# function, what it should give, where, largest relative error, largest absolute error (either may hold)
BOUNDS = [
    (natural, np.exp, evenly(-87, 88), 2e-7, 0.0),
    (binary, np.exp2, evenly(-126, 127), 2e-7, 0.0),
    (logarithm, np.log, octaves(-126, 127), 2e-7, 1e-7),
    (sine_pi, lambda x: np.sin(np.pi * x), evenly(-1, 1), 0.0, 2e-7),
    (cosine_pi, lambda x: np.cos(np.pi * x), evenly(-1, 1), 0.0, 2e-7),
    (tangent_pi, lambda x: np.tan(np.pi * x), evenly(0, 0.49), 2e-6, 2e-7),
    (sine, np.sin, evenly(-1000, 1000), 0.0, 5e-7),
    (cosine, np.cos, evenly(-1000, 1000), 0.0, 5e-7),
    (tangent, np.tan, evenly(-1.2, 1.2), 2e-6, 5e-7),
    (hyperbolic, np.tanh, evenly(-20, 20), 0.0, 2e-7),
]


@pytest.mark.parametrize("lanes", [1, 16])
@pytest.mark.parametrize(
    ("function", "oracle", "x", "relative", "absolute"), BOUNDS, ids=lambda item: getattr(item, "__name__", "")
)
def test_a_function_keeps_its_bound(function, oracle, x, relative, absolute, lanes):
    found = ticked(function, lanes, x)[0].astype(float)
    wanted = oracle(x.astype(float))
    error = np.abs(found - wanted)
    over = error - np.maximum(relative * np.abs(wanted), absolute)
    worst = int(np.argmax(over))
    assert over[worst] <= 0, f"{function.__name__}({x[worst]!r}) gives {found[worst]!r}, not {wanted[worst]!r}"


def power(x, y):
    return pow(x, y)


def test_pow_keeps_its_bound():
    random = np.random.default_rng(1)
    x = np.exp2(random.uniform(-10, 10, COUNT)).astype(np.float32)
    y = random.uniform(-3, 3, COUNT).astype(np.float32)
    wanted = x.astype(float) ** y.astype(float)
    stated = (wanted > 1e-6) & (wanted < 1e6)
    error = np.abs(ticked(power, 1, x, y)[0] / wanted - 1.0)[stated]
    assert stated.sum() > COUNT / 2 and error.max() < 1e-5


def edges(x):
    return exp(x), exp2(x), log(x), tanh(x)


def test_beyond_their_range_functions_stay_finite():
    """exp, exp2 and log are clamped, so that no filter coefficient becomes infinite."""
    found = ticked(edges, 1, np.float32([1e30, -1e30, 0.0, -1.0, np.inf, -np.inf]))
    assert np.isfinite(found).all(), found
    np.testing.assert_allclose(found[2, 2:4], np.log(1.17549435e-38), rtol=1e-6)
    np.testing.assert_allclose(found[3, :2], [1.0, -1.0], atol=1e-7)
