"""Chorus, flanger and phaser: still, against their transfer functions; moving, against delays computed one by one."""

from __future__ import annotations

import numpy as np
import pytest

from nodegraph.core import registry
from tests.contracts.harness import db, play

RATE = 48_000
NOISE = (0.3 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
Z = np.exp(2j * np.pi * np.arange(RATE // 2 + 1) / RATE)


def made(kind, x, **values):
    given = {name: np.atleast_2d(value) if np.ndim(value) else value for name, value in values.items()}
    return play(registry().get(kind), np.shape(x)[-1], {"x": np.atleast_2d(x), **given}, split=[64])["y"].astype(float)


def response(kind, **values):
    x = np.zeros(RATE, np.float32)
    x[0] = 1.0
    return np.fft.rfft(made(kind, x, freq=0.0, **values)[0])


@pytest.mark.parametrize("feedback", [0.0, 0.7, -0.9])
@pytest.mark.parametrize("mix", [0.5, 1.0])
def test_a_phaser_that_stands_still_has_its_declared_response(feedback, mix):
    """From 1 to 4 kHz, a quarter round from the bottom: 2 kHz, evenly in pitch. At feedback -0.9 the loop gains 10, and
    so do the roundings of float32."""
    s = (Z - 1) / (Z + 1) / np.tan(np.pi * 2_000 / RATE)
    four = ((1 - s) / (1 + s)) ** 4
    found = response("phaser~", low=1_000.0, high=4_000.0, phase=0.25, feedback=feedback, mix=mix)
    assert np.abs(found - (1 - mix + mix * four / (1 - feedback * four))).max() < 3e-5


def test_a_phaser_has_its_notches_where_the_help_says():
    """tan(pi / 8) and its inverse times the corner, 500 Hz, where pre-warping bends the scale by less than a line.
    Between them, at the corner itself, and far above nothing is lost."""
    level = np.abs(response("phaser~", low=500.0, high=500.0, feedback=0.0))
    for notch in (0.41421356, 2.41421356):
        at = round(500 * notch)
        assert db(level[at - 2 : at + 3].min()) < -45
    np.testing.assert_allclose(level[[1, 500, 20_000]], 1.0, atol=0.02)


@pytest.mark.parametrize("feedback", [0.98, -0.98])
def test_a_phaser_stays_bounded_while_everything_jumps(feedback):
    random = np.random.default_rng(1)
    x = NOISE.copy()
    x[RATE // 2 :] = 0.0
    y = made("phaser~", x, freq=20.0, low=random.uniform(1, 60_000, RATE), high=random.uniform(1, 60_000, RATE),
             feedback=feedback)[0]  # fmt: skip
    assert np.abs(y).max() < 500, "a loop of 0.98 makes 1.2 to 60, and jumps move what is stored"
    assert np.abs(y[-5_000:]).max() < 1e-6


@pytest.mark.parametrize("feedback", [0.0, 0.7, -0.9])
def test_a_flanger_that_stands_still_is_a_comb(feedback):
    """A quarter round from the longest: 4 ms less half of half of it are 3 ms, 144 frames. cos of a quarter is 0
    but for 1e-7, which is 1e-5 frames."""
    found = response("flanger~", delay=0.004, depth=0.5, phase=0.25, feedback=feedback)
    comb = Z**-144 / (1 - feedback * Z**-144)
    assert np.abs(found - (0.5 + 0.5 * comb)).max() < 2e-3


def test_a_flanger_swings_as_it_says():
    """Without feedback, all wet: what comes out of a ramp of one a frame tells how late it is."""
    frames = 2 * RATE
    ramp = np.arange(frames, dtype=np.float32)
    late = ramp - made("flanger~", ramp, freq=1.0, delay=0.01, depth=0.8, feedback=0.0, mix=1.0)[0]
    swing = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frames) / RATE)
    # the ramp reaches 96000, of which a float32 knows 1/128; four of those are weighted
    np.testing.assert_allclose(late[1_000:], (480 * (1 - 0.8 * swing))[1_000:], atol=0.05)


def test_a_chorus_is_three_late_voices_on_each_side():
    """All wet, an impulse comes out three times a side, each at the delay that it met. A delay that grows by a part
    of 2 pi 2 Hz 5 ms, 6 %, spreads its copy over so much more, so the sum of its samples is right to 7 %."""
    x = np.zeros(RATE, np.float32)
    x[12_000] = 1.0
    y = made("chorus~", x, freq=2.0, delay=0.02, depth=0.005, mix=1.0)
    for side, ahead in enumerate((0.0, 1 / 6)):
        for voice in range(3):
            late = 960.0
            for _ in range(50):  # the time at which it comes out decides how late it is
                late = 960 + 240 * np.sin(2 * np.pi * ((12_000 + late) * 2 / RATE + ahead + voice / 3))
            at = 12_000 + int(late)
            near = y[side, at - 8 : at + 9]
            assert near.sum() == pytest.approx(1 / np.sqrt(3), rel=0.07)
            centre = np.sum(np.arange(at - 8, at + 9) * near) / near.sum()
            assert centre == pytest.approx(12_000 + late, abs=0.1)


def test_a_chorus_is_as_loud_as_the_sound_and_wide():
    y = made("chorus~", np.stack([NOISE, NOISE]), mix=1.0)
    for side in y:
        assert db(side[2_000:].std() / NOISE.std()) == pytest.approx(-0.8, abs=0.5), (
            "noise, softened between two frames"
        )
    assert abs(np.corrcoef(y)[0, 1]) < 0.1


def test_a_chorus_keeps_left_and_right_apart():
    x = np.zeros((4, 4_000), np.float32)
    x[0], x[2] = NOISE[:4_000], NOISE[4_000:8_000]
    y = made("chorus~", x, mix=0.5)
    assert y[0].any() and not y[1].any()
    dry = made("chorus~", NOISE, mix=0.0)
    np.testing.assert_array_equal(dry, np.stack([NOISE, NOISE]))
