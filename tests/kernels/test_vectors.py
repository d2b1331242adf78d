"""Pieces of arrays as values: the same process, compiled, and run by CPython over NumPy arrays."""

from __future__ import annotations

import numpy as np
import pytest

from nodegraph.core.arithmetic import beside, signed, swap_places, swap_quads, u32, vector, where
from nodegraph.core.errors import KernelError
from tests.contracts.harness import Unit
from tests.kernels.make import block_node, tick_node

FRAMES = 64


def weighed(x, y, frames):
    total = vector(0.0, 16)
    for i in range(0, frames, 16):
        piece = x[i : i + 16]
        total += piece * 0.5 - abs(piece) / 3.0
        y[i : i + 16] = total


def chosen(x, y, frames):
    for i in range(0, frames, 8):
        piece = x[i : i + 8]
        y[i : i + 8] = where((piece > 0.25) & (piece < 1.0), piece, -1.0)


def gathered(x, y, frames):
    for i in range(0, frames, 16):
        y[i : i + 16] = beside(x[i + 12 : i + 12 + 4], x[i + 4 : i + 4 + 4], x[i + 8 : i + 8 + 4], x[i : i + 4])


def turned(x, y, frames):
    a, b, c, d = swap_places(x[0:16], x[16 : 16 + 16], x[32 : 32 + 16], x[48 : 48 + 16])
    y[0:16], y[16 : 16 + 16], y[32 : 32 + 16], y[48 : 48 + 16] = a, b, c, d


def turned_whole(x, y, frames):
    a, b, c, d = swap_quads(x[0:16], x[16 : 16 + 16], x[32 : 32 + 16], x[48 : 48 + 16])
    y[0:16], y[16 : 16 + 16], y[32 : 32 + 16], y[48 : 48 + 16] = a, b, c, d


def of_one(x, y, frames):
    for i in range(0, frames, 16):
        y[i : i + 16] = x[i : i + 16] + x[i]
        y[i : i + 4] = 2.0


def through_an_array(x, y, line, frames):
    for i in range(0, frames, 16):
        line[0:16] = x[i : i + 16] * 2.0
        y[i : i + 16] = line[0:16]


@pytest.mark.parametrize("function", [weighed, chosen, gathered, turned, turned_whole, of_one, through_an_array])
def test_pieces_of_arrays_mean_what_they_mean_in_numpy(function):
    x = np.random.default_rng(2).standard_normal(FRAMES).astype(np.float32)
    compiled = Unit(block_node(function)).run(FRAMES, {"x": x[None]})["y"][0]
    given = {"x": x, "y": np.zeros(FRAMES, np.float32), "line": np.zeros(16, np.float32), "frames": FRAMES}
    # NumPy's where takes a whole piece, Python's one number
    names = function.__globals__
    scalar = names["where"]
    names["where"] = np.where
    try:
        function(**{name: given[name] for name in function.__code__.co_varnames[: function.__code__.co_argcount]})
    finally:
        names["where"] = scalar
    np.testing.assert_allclose(compiled, given["y"], rtol=1e-6, atol=1e-7)


def whole_numbers(x, y, ints, frames):
    for i in range(0, frames, 16):
        y[i : i + 16] = signed(u32(ints[0:16])) * x[i : i + 16]


def test_pieces_of_whole_numbers():
    unit = Unit(block_node(whole_numbers))
    unit.arrays["ints"].array[:] = np.arange(16) - 5
    y = unit.run(FRAMES, {"x": np.ones((1, FRAMES))})["y"][0]
    np.testing.assert_array_equal(y, np.tile(np.arange(16) - 5, 4))


def too_wide(x, y):
    y[0:16] = x[0:5]


def two_widths(x, y):
    y[0:16] = x[0:16] + x[0:8]


def branches(x, y):
    if x[0:16] > 0.0:
        y[0] = 1.0


def grows(x, y, frames):
    total = 0.0
    for i in range(0, frames, 16):
        total += x[i : i + 16]
    y[0:16] = total


@pytest.mark.parametrize(
    ("function", "says"),
    [(too_wide, "one of"), (two_widths, "8"), (branches, "where"), (grows, "begin with vector")],
    ids=lambda item: getattr(item, "__name__", ""),
)
def test_what_does_not_fit_is_refused_at_its_line(function, says):
    with pytest.raises(KernelError, match=says) as refused:
        Unit(block_node(function)).run(FRAMES, {"x": np.zeros((1, FRAMES))})
    assert "test_vectors.py" in str(refused.value)


def in_a_tick(x):
    return vector(x, 16)


def test_a_tick_has_no_vectors_of_its_own():
    with pytest.raises(KernelError, match="process"):
        Unit(tick_node(in_a_tick)).run(FRAMES, {"x": np.zeros((1, FRAMES))})
