"""Slow oscillators, sample and hold, and slopes against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from nodegraph.core import registry
from tests.contracts.harness import Unit, play

RATE = 48_000
TIME = np.arange(2 * RATE) / RATE
ROUNDS = 3 * TIME % 1.0
CLOSED = {
    "sine": 0.5 + 0.5 * np.sin(2 * np.pi * ROUNDS),
    "triangle": 0.5 + 0.5 * 2 / np.pi * np.arcsin(np.sin(2 * np.pi * ROUNDS)),
    "saw": ROUNDS,
    "square": (ROUNDS < 0.5).astype(float),
}


def swing(shape, frames=2 * RATE, seed=0, **values):
    given = {name: np.atleast_2d(value) if np.ndim(value) else value for name, value in values.items()}
    settings = {"shape": shape, "seed": seed}
    return play(registry().get("lfo~"), frames, {"freq": 3.0, **given}, settings=settings)["y"][0].astype(float)


@pytest.mark.parametrize("shape", CLOSED)
def test_a_slow_oscillator_has_its_shape_between_its_two_values(shape):
    """The phase step of 3 Hz is rounded by 0.5 / 2^32, which in 96000 frames is 1e-5 of a round: 7e-5 of a sine's
    range of 2. A hard corner may come one frame early or late."""
    y = swing(shape, low=5.0, high=7.0)
    wrong = np.abs(y - (5.0 + 2.0 * CLOSED[shape])) > 2e-4
    assert wrong.sum() <= (12 if shape in ("saw", "square") else 0)
    assert y.min() >= 5.0 and y.max() <= 7.0


def test_high_below_low_turns_the_shape_over():
    np.testing.assert_allclose(swing("saw", low=1.0, high=0.0), 1.0 - swing("saw", low=0.0, high=1.0), atol=1e-6)


@pytest.mark.parametrize("phase", [0.25, -0.25, 0.75, 1.0, -1.0])
@pytest.mark.parametrize("shape", ["sine", "random", "drift"])
def test_a_phase_shifts_every_shape_chance_too(shape, phase):
    """3 Hz are 16000 frames a round, but for the rounding of the step, so a shift is that many frames."""
    y, shifted = swing(shape), swing(shape, phase=phase)
    by = round(phase * 16_000)
    np.testing.assert_allclose(shifted[20_000:70_000], y[20_000 + by : 70_000 + by], atol=2e-5)


def test_random_holds_a_level_a_round_and_drift_joins_them():
    """3 Hz are 16000 frames a round, one more for the first, since the phase step is rounded down."""
    levels, joined = swing("random"), swing("drift")
    jumps = np.flatnonzero(np.diff(levels)) + 1
    np.testing.assert_array_equal(jumps, 16_000 * np.arange(1, 6) + 1)
    starts = np.array([0, *jumps])
    np.testing.assert_allclose(joined[starts], levels[starts], atol=1e-4, err_msg="a round begins at its level")
    halfway = starts[:-1] + 8_000
    np.testing.assert_allclose(joined[halfway], (levels[starts[:-1]] + levels[starts[1:]]) / 2, atol=1e-3)
    steepest = np.pi / 2 * np.abs(np.diff(levels)).max() / 16_000
    assert np.abs(np.diff(joined)).max() < 1.01 * steepest, "half a cosine is never steeper than this"


def test_chance_follows_from_its_seed_and_is_even():
    draws = [swing("random", 50 * RATE, seed, freq=100.0)[240::480] for seed in (1, 1, 2)]
    assert (draws[0] == draws[1]).all() and (draws[0] != draws[2]).mean() > 0.99
    # 5000 even draws from -1 to 1: the mean has a standard error of 0.577 / 71
    assert abs(draws[0].mean()) < 5 * 0.0082 and np.abs(draws[0]).max() > 0.99
    assert abs(np.corrcoef(draws[0][1:], draws[0][:-1])[0, 1]) < 5 / 71


def test_a_message_begins_a_round():
    unit = Unit(registry().get("lfo~"), settings={"shape": "saw"})
    unit.run(5_000, {"freq": 3.0})
    y = unit.run(100, {"freq": 3.0, "low": 0.0}, messages={"sync": 1})["y"][0]
    assert y[0] == 0.0 and y[99] == pytest.approx(99 / 16_000, abs=1e-6)


def test_samples_are_taken_where_the_trigger_rises_and_on_messages():
    x = np.arange(1, 1_001, dtype=np.float32)[None]
    trigger = np.zeros((1, 1_000), np.float32)
    trigger[0, 100:200], trigger[0, 300], trigger[0, 500:] = 1.0, 0.5, -1.0
    unit = Unit(registry().get("sah~"))
    y = unit.run(1_000, {"x": x, "trigger": trigger}, [64])["y"][0]
    np.testing.assert_array_equal(y, np.repeat([0, 101, 301], [100, 200, 700]))
    y = unit.run(50, {"x": x[:, :50], "trigger": -1.0}, messages={"take": 1})["y"][0]
    assert (y == 1.0).all()


def test_a_sample_that_is_no_number_is_let_go():
    unit = Unit(registry().get("sah~"))
    x = np.full((1, 64), np.nan, np.float32)
    unit.run(64, {"x": x, "trigger": 1.0})
    assert (unit.run(64, {"x": x, "trigger": 1.0})["y"] == 0.0).all()


@pytest.mark.parametrize(("rise", "fall"), [(10.0, 2.0), (0.001, 0.001), (1e9, 1e9)])
def test_slopes_are_as_steep_as_they_may_be(rise, fall):
    """A gate of 0.75 s, against the same recursion in double precision."""
    x = ((TIME > 0.25) & (TIME < 1.0)).astype(np.float32)
    y = play(registry().get("slew~"), len(x), {"x": x[None], "rise": rise, "fall": fall}, split=[64])["y"][0]
    up, down = (np.float64(np.float32(limit)) / RATE for limit in (rise, fall))
    held, wanted = 0.0, []
    for value in x.astype(float):
        held += min(max(value - held, -down), up)
        wanted.append(held)
    np.testing.assert_allclose(y, wanted, rtol=1e-6, atol=1e-12)
