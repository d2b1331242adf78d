"""Ramps, envelopes and followers against the equations of their help, frame by frame."""

from __future__ import annotations

import numpy as np
import pytest

from nodegraph.core import registry
from tests.contracts.harness import Unit, db, play

RATE = 48_000


def sound(kind, frames, settings=None, **values):
    given = {name: np.atleast_2d(value) if np.ndim(value) else value for name, value in values.items()}
    return play(registry().get(kind), frames, given, settings=settings)["y"][0].astype(float)


@pytest.mark.parametrize("frames", [5, 480, 48_000])
def test_a_line_arrives_at_its_frame(frames):
    y = sound("line~", frames + 100, target=0.8, time=frames / RATE)
    wanted = np.minimum(np.arange(1, frames + 101) / frames, 1.0) * 0.8
    np.testing.assert_allclose(y, wanted, atol=2e-7)
    assert (y[frames - 1 :] == np.float32(0.8)).all(), "it does not stay on its target"


def test_a_line_turns_where_it_is():
    unit = Unit(registry().get("line~"))
    first = unit.run(240, {"target": 1.0, "time": 0.01})["y"][0]
    then = unit.run(481, {"target": -1.0, "time": 0.01})["y"][0]
    assert then[0] == pytest.approx(first[-1] + (-1.0 - first[-1]) / 480, abs=1e-6)
    assert then[479] == -1.0 and then[480] == -1.0
    np.testing.assert_allclose(np.diff(then[:480]), (-1.0 - first[-1]) / 480, atol=1e-6)


def test_a_line_follows_a_signal_that_jumps():
    target = np.zeros(4_000)
    target[1_000:] = 1.0
    y = sound("line~", 4_000, target=target, time=0.01)
    assert (y[:1_000] == 0).all() and y[1_000 + 479] == 1.0 and y[1_000 + 478] < 1.0


def test_the_longest_line_loses_no_precision():
    """An hour at 96 kHz is 3.5e8 frames; after ten seconds it has gone 10 / 3600 of the way."""
    spec = registry().get("line~")
    unit = Unit(spec, 96_000)
    y = unit.run(960_000, {"target": 1.0, "time": 3_600.0})["y"][0]
    assert y[-1] == pytest.approx(10 / 3_600, rel=1e-4)


def stage(start, end, frames, curve):
    """The help's equation: from `start` to `end` in `frames`."""
    c = 2.0 ** (4 - 12 * curve)
    r = (c / (1 + c)) ** (1 / frames)
    return end + (start - end) * ((1 + c) * r ** np.arange(1, frames + 1) - c)


@pytest.mark.parametrize("curve", [0.0, 0.5, 1.0])
def test_an_envelope_follows_its_equation(curve):
    gate = np.zeros(RATE, np.float32)
    gate[100:20_000] = 1.0
    y = sound("adsr~", RATE, gate=gate, attack=0.01, decay=0.1, sustain=0.4, release=0.2, curve=curve)
    wanted = np.zeros(RATE)
    wanted[100:580] = stage(0, 1, 480, curve)
    wanted[580:5_380] = stage(1, 0.4, 4_800, curve)
    wanted[5_380:20_000] = 0.4
    wanted[20_000:29_600] = stage(0.4, 0, 9_600, curve)
    # the gap shrinks by a float32 factor that is off by 6e-8 a frame at most; c <= 16 scales what comes of it
    assert np.abs(y - wanted).max() < 2e-3 if curve == 0.0 else np.abs(y - wanted).max() < 2e-4
    assert (y[:100] == 0).all() and y[100] > 0, "a signal gate acts at its sample"
    assert y[-1] == 0.0


def test_a_straight_stage_is_nearly_straight():
    gate = np.ones(4_800)
    y = sound("adsr~", 4_800, gate=gate, attack=0.1, curve=0.0)
    assert np.abs(y - np.arange(1, 4_801) / 4_800).max() < 0.01


def test_a_new_attack_starts_from_the_present_level():
    """No step between two frames is larger than the steepest that the stages themselves make."""
    gate = np.ones(20_000, np.float32)
    for k in (1_000, 3_000, 3_500, 9_000):
        gate[k : k + 200] = 0.0
    y = sound("adsr~", 20_000, gate=gate, attack=0.02, decay=0.05, sustain=0.5, release=0.03, curve=0.5)
    steepest = max(np.abs(np.diff(stage(0, 1, 960, 0.5))).max(), np.abs(np.diff(stage(1, 0, 1_440, 0.5))).max())
    assert np.abs(np.diff(y)).max() <= steepest * 1.001


def test_sustain_may_move_while_the_note_is_held():
    sustain = np.linspace(0.5, 0.9, 20_000)
    y = sound("adsr~", 20_000, gate=np.ones(20_000), attack=0.001, decay=0.01, sustain=sustain)
    np.testing.assert_allclose(y[600:], np.float32(sustain)[600:], atol=1e-6)


def test_a_minute_of_attack_ends_after_a_minute():
    """5.8 million steps of float32: the end is forced at its frame, and the way there is off by 1 % at most."""
    frames = 60 * 96_000
    unit = Unit(registry().get("adsr~"), 96_000)
    y = unit.run(frames + 10, {"gate": 1.0, "attack": 60.0, "decay": 1.0, "curve": 0.5})["y"][0]
    half = stage(0, 1, frames, 0.5)[frames // 2 - 1]
    assert y[frames // 2 - 1] == pytest.approx(half, abs=0.01)
    assert y[frames - 1] == pytest.approx(1.0, abs=0.01) and y[frames + 9] <= y[frames - 1] + 0.01


@pytest.mark.parametrize("times", [(0.01, 0.1), (0.1, 0.01)])
def test_a_follower_reaches_63_percent_in_its_time(times):
    attack, release = times
    x = np.zeros(RATE)
    x[: RATE // 2] = 0.5
    for mode in ("peak", "rms"):
        y = sound("env~", RATE, {"mode": mode}, x=x, attack=attack, release=release)
        level = y if mode == "peak" else y**2 / 0.5
        assert level[round(attack * RATE) - 1] == pytest.approx(0.5 * (1 - np.exp(-1)), rel=2e-3), mode
        down = level[RATE // 2 + round(release * RATE) - 1] / level[RATE // 2 - 1]
        assert down == pytest.approx(np.exp(-1), rel=2e-3), mode


def test_a_follower_reads_the_level_of_a_sine():
    x = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(RATE) / RATE)
    peak = sound("env~", RATE, {"mode": "peak"}, x=x, attack=0.0001, release=1.0)[-100:]
    rms = sound("env~", RATE, {"mode": "rms"}, x=x, attack=0.2, release=0.2)[-100:]
    assert db(peak.mean() / 0.5) == pytest.approx(0.0, abs=0.3)
    assert db(rms.mean() / (0.5 / np.sqrt(2))) == pytest.approx(0.0, abs=0.1)


ARITHMETIC = {
    "+~": lambda x, b: x + b,
    "-~": lambda x, b: x - b,
    "*~": lambda x, b: x * b,
    "/~": lambda x, b: np.divide(x, b, out=np.zeros_like(x), where=b != 0),
}


@pytest.mark.parametrize("kind", ARITHMETIC)
def test_arithmetic_is_that_of_float32(kind):
    random = np.random.default_rng(3)
    x, b = random.standard_normal((2, 500)).astype(np.float32)
    b[::50] = 0.0
    found = play(registry().get(kind), 500, {"x": x[None], "b": b[None]})["y"][0]
    np.testing.assert_array_equal(found, ARITHMETIC[kind](x, b))


def test_levels_and_bends():
    x = np.linspace(-2, 2, 401)
    np.testing.assert_allclose(sound("gain~", 401, x=x, gain=0.25), 0.25 * x, atol=1e-7)
    np.testing.assert_allclose(sound("mix~", 401, x=x, gain=2.0), 2 * x, atol=1e-6)
    np.testing.assert_allclose(sound("scale~", 401, x=x, mul=3.0, add=-1.0), 3 * x - 1, atol=1e-6)
    np.testing.assert_allclose(sound("clip~", 401, x=x, low=-0.5, high=1.5), np.clip(x, -0.5, 1.5), atol=1e-7)
    np.testing.assert_allclose(sound("tanh~", 401, x=x, drive=3.0), np.tanh(3 * x), atol=4e-7)


def test_a_pan_keeps_the_power():
    x = np.ones((1, 201), np.float32)
    place = np.linspace(-1, 1, 201)[None]
    found = play(registry().get("pan~"), 201, {"x": x, "pan": place})
    left, right = found["y.0"][0].astype(float), found["y.1"][0].astype(float)
    np.testing.assert_allclose(left**2 + right**2, 1.0, atol=1e-6)
    np.testing.assert_allclose(left, np.cos((place[0] + 1) * np.pi / 4), atol=5e-7)
    assert (
        db(left[100]) == pytest.approx(-3.01, abs=0.01) and right[0] == 0.0 and left[-1] == pytest.approx(0, abs=2e-7)
    )
