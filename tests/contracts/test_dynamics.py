"""The compressor and the noise gate against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from nodegraph.core import registry
from tests.contracts.harness import db, play

RATE = 48_000


def run(kind, x, settings=None, **values):
    x = np.atleast_2d(x).astype(np.float32)
    found = play(registry().get(kind), x.shape[1], {"x": x, **values}, settings=settings, split=[64])
    return {name: sound.astype(float) for name, sound in found.items()}


def curve(level, threshold, ratio, knee):
    """Giannoulis, Massberg and Reiss, equation 4: the level that comes out."""
    over = level - threshold
    if 2 * over < -knee:
        return level
    if knee and 2 * abs(over) <= knee:
        return level + (1 / ratio - 1) * (over + knee / 2) ** 2 / (2 * knee)
    return threshold + over / ratio


@pytest.mark.parametrize(("threshold", "ratio", "knee"), [(-20.0, 4.0, 6.0), (-30.0, 100.0, 0.0), (-10.0, 1.5, 20.0)])
def test_a_constant_comes_out_at_the_level_of_the_curve(threshold, ratio, knee):
    """After a second, two hundred time constants, within float32."""
    for level in range(-60, 7, 3):
        x = np.full(RATE, 10 ** (level / 20))
        y = run("compressor~", x, key=np.zeros((1, RATE)), threshold=threshold, ratio=ratio, knee=knee)["y"]
        assert db(y[0, -1]) == pytest.approx(curve(level, threshold, ratio, knee), abs=1e-3), f"{level} dB in"


def test_a_sine_is_taken_by_its_peaks():
    """Between two peaks of 100 Hz, 5 ms, a release of 0.1 s lets go of 5 % of the loss; half of that remains on the
    average."""
    x = 10 ** (-8 / 20) * np.sin(2 * np.pi * 100 * np.arange(2 * RATE) / RATE)
    y = run("compressor~", x, key=np.zeros((1, 2 * RATE)), knee=0.0)["y"][0, RATE:]
    loss = db(np.abs(y).max()) + 8
    assert -9.0 <= loss < -9.0 * 0.94


def test_attack_and_release_take_their_time():
    """From -40 to -8 dB and back: the loss of 9 dB comes like 1 - exp(-t / attack), and goes like the two time
    constants behind one another, (r exp(-t / r) - a exp(-t / a)) / (r - a)."""
    attack, release = 0.02, 0.2
    x = np.full(2 * RATE, 10 ** (-40 / 20))
    x[RATE // 2 : RATE] = 10 ** (-8 / 20)
    key = np.zeros((1, len(x)))
    change = run("compressor~", x, key=key, knee=0.0, attack=attack, release=release)["change"][0]
    t = np.arange(1, RATE // 2 + 1) / RATE
    np.testing.assert_allclose(change[RATE // 2 : RATE], -9 * (1 - np.exp(-t / attack)), atol=2e-3)
    fall = (release * np.exp(-t / release) - attack * np.exp(-t / attack)) / (release - attack)
    np.testing.assert_allclose(change[RATE : RATE + RATE // 2], -9 * fall, atol=5e-3)


def test_all_channels_get_one_gain_and_makeup_is_added():
    random = np.random.default_rng(0)
    x = 0.3 * random.standard_normal((2, RATE))
    x[1] *= 0.1
    found = run("compressor~", x, key=np.zeros((1, RATE)), makeup=6.0)
    gain = 10 ** ((found["change"][0] + 6.0) / 20)
    np.testing.assert_allclose(found["y"], x.astype(np.float32) * gain, rtol=1e-5, atol=1e-9)
    assert found["change"].shape == (1, RATE) and found["change"].min() < -3


def test_a_sidechain_listens_to_the_key():
    x, key = np.full((2, RATE), 0.01), np.zeros((1, RATE))
    key[0, RATE // 2 :] = 1.0
    found = run("compressor~", x, {"sidechain": True}, key=key, knee=0.0)
    assert (found["change"][0, : RATE // 2] == 0).all()
    assert found["change"][0, -1] == pytest.approx(-15.0, abs=1e-3)
    assert db(found["y"][1, -1]) == pytest.approx(-55.0, abs=1e-3)


def burst(level_db, frames=RATE):
    """A 1 kHz sine, of which a peak falls onto a sample."""
    return 10 ** (level_db / 20) * np.sin(2 * np.pi * 1_000 * np.arange(frames) / RATE)


def test_a_gate_opens_at_its_threshold_and_closes_below_its_hysteresis():
    """-60, -44, -49, -52 dB for a second each, threshold -45, hysteresis 6: it opens with the second, stays open with
    the third, and closes 50 ms into the fourth."""
    x = np.concatenate([burst(level) for level in (-60, -44, -49, -52)])
    found = run("gate~", x)
    turns = np.flatnonzero(np.diff(found["open"][0], prepend=0.0))
    # the sine reaches -45 dB at 0.89 of its peak, 0.175 ms from its start
    assert turns[0] / RATE == pytest.approx(1.000175, abs=0.00003)
    assert turns[1] / RATE == pytest.approx(3.05, abs=0.001)
    steady = found["y"][0][2 * RATE : 3 * RATE]
    np.testing.assert_allclose(steady, x[2 * RATE : 3 * RATE], atol=1e-6)
    closed = found["y"][0][-1_000:]
    assert db(np.abs(closed).max() / np.abs(x[-1_000:]).max()) == pytest.approx(-76.0, abs=4.0), "nine time constants"


def test_the_gate_takes_attack_and_release():
    x = np.full(2 * RATE, 0.001)
    x[RATE // 2 : RATE] = 0.5
    y = run("gate~", x, attack=0.01, release=0.05, hold=0.0, floor_db=-120.0)["y"][0]
    t = np.arange(1, RATE // 2 + 1) / RATE
    np.testing.assert_allclose(y[RATE // 2 : RATE] / 0.5, 1 - np.exp(-t / 0.01), atol=1e-6)
    np.testing.assert_allclose(y[RATE + 1 : RATE + 4_001] / 0.001, np.exp(-t[:4_000] / 0.05), atol=1e-3)


def test_a_closed_gate_at_the_floor_of_120_db_is_silent():
    assert not run("gate~", np.full(RATE, 1e-4), floor_db=-120.0)["y"].any()


def test_a_gate_links_its_channels():
    x = np.stack([burst(-10), burst(-80)])
    y = run("gate~", x)["y"]
    np.testing.assert_allclose(y[1, -100:], x[1, -100:], atol=1e-9)
