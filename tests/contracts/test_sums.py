"""Arithmetic on signals against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from nodegraph.core import registry
from tests.contracts.harness import play

X = np.random.default_rng(0).uniform(-6, 6, 4_000).astype(np.float32)


def made(kind, x=X, settings=None, **values):
    return play(registry().get(kind), len(x), {"x": x[None], **values}, settings=settings)["y"][0]


@pytest.mark.parametrize(
    ("kind", "values", "wanted"),
    [
        ("+~", {"b": 0.3}, X + np.float32(0.3)),
        ("-~", {"b": 0.3}, X - np.float32(0.3)),
        ("*~", {"b": 0.3}, X * np.float32(0.3)),
        ("/~", {"b": 0.3}, X / np.float32(0.3)),
        ("/~", {"b": 0.0}, np.zeros_like(X)),
        ("gain~", {"gain": 0.5}, X * np.float32(0.5)),
        ("clip~", {"low": -2.0, "high": 0.5}, np.clip(X, -2.0, 0.5)),
        ("abs~", {}, np.abs(X)),
    ],
)
def test_it_is_what_numpy_says(kind, values, wanted):
    np.testing.assert_array_equal(made(kind, **values), wanted)


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.0, 0.3), (-7.0, 7.0), (2.0, 2.5)])
def test_wrap_is_a_remainder_and_fold_a_triangle(low, high):
    """Rounding of the division and of the difference: a few parts in 2^24 of the largest x, 6. At an edge the one jumps
    to the other end, so the error is taken round the circle."""
    x, low, high = X.astype(float), float(np.float32(low)), float(np.float32(high))
    wrapped = made("wrap~", low=low, high=high)
    assert (wrapped >= np.float32(low)).all() and (wrapped < np.float32(high)).all()
    wrong = np.abs(wrapped - (low + np.mod(x - low, high - low)))
    assert np.minimum(wrong, high - low - wrong).max() < 3e-6
    folded = made("fold~", low=low, high=high)
    way = np.mod(x - low, 2 * (high - low))
    np.testing.assert_allclose(folded, low + np.minimum(way, 2 * (high - low) - way), atol=3e-6)
    inside = (np.float32(low) <= X) & (np.float32(high) >= X)
    np.testing.assert_array_equal(folded[inside], X[inside], "between the limits x is itself")


@pytest.mark.parametrize("kind", ["wrap~", "fold~"])
@pytest.mark.parametrize("high", [1.0, 0.5])
def test_limits_without_room_give_the_lower_one(kind, high):
    np.testing.assert_array_equal(made(kind, low=1.0, high=high), np.ones_like(X))


@pytest.mark.parametrize("step", [1.0, 0.3, 2.0**-7])
def test_round_goes_to_the_nearest_step(step):
    y = made("round~", step=step)
    step = float(np.float32(step))
    np.testing.assert_allclose(y / step, np.round(y / step), atol=1e-5)
    assert np.abs(y - X.astype(float)).max() <= 0.5 * step + 1e-6


def test_a_step_of_nothing_rounds_nothing():
    np.testing.assert_array_equal(made("round~", step=0.0), X)


@pytest.mark.parametrize("mix", [-1.0, 0.0, 0.3, 0.5, 1.0, 2.0])
def test_a_crossfade_keeps_power_or_level(mix):
    ones = {"a": np.ones((1, 8), np.float32), "b": np.zeros((1, 8), np.float32)}
    swapped = {"a": ones["b"], "b": ones["a"]}
    spec = registry().get("crossfade~")
    held = min(max(mix, 0.0), 1.0)
    power = [play(spec, 8, {**pair, "mix": mix})["y"][0, 0] for pair in (ones, swapped)]
    np.testing.assert_allclose(power, [np.cos(np.pi / 2 * held), np.sin(np.pi / 2 * held)], atol=3e-7)
    level = [play(spec, 8, {**pair, "mix": mix}, settings={"law": "linear"})["y"][0, 0] for pair in (ones, swapped)]
    np.testing.assert_allclose(level, [1.0 - held, held], atol=1e-7)
    if held == mix and mix in (0.0, 1.0):
        assert power == level == [1.0 - mix, mix], "at its ends it is one of both, exactly"
