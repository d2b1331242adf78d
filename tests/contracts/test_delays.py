"""Delay lines, rooms and the limiter against SciPy, closed forms and what their help declares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from nodegraph.core import registry
from nodegraph.nodes.reverbs import line_lengths
from tests.contracts.harness import Unit, db, play

RATE = 48_000
NOISE = (0.3 * np.random.default_rng(0).standard_normal(RATE // 2)).astype(np.float32)


def delayed(kind, x=NOISE, split=(64,), **values):
    given = {name: np.atleast_2d(value) if np.ndim(value) else value for name, value in values.items()}
    return play(registry().get(kind), len(x), {"x": np.atleast_2d(x), **given}, split=list(split))["y"][0].astype(float)


def pole(frames, feedback):
    a = np.zeros(frames + 1)
    a[0], a[frames] = 1.0, -feedback
    return a


def zero(frames, first, last):
    b = np.zeros(frames + 1)
    b[0], b[frames] = first, last
    return b


@pytest.mark.parametrize("frames", [1, 7, 64, 1_557])
@pytest.mark.parametrize("feedback", [0.84, -0.5])
def test_comb_and_allpass_null_against_scipy(frames, feedback):
    """The same multiplications and additions in float32: 1e-6 of the largest value, times the gain of the loop."""
    comb = signal.lfilter(zero(frames, 0, 1), pole(frames, feedback), NOISE)
    np.testing.assert_allclose(delayed("comb~", time=frames / RATE, feedback=feedback), comb, atol=5e-6)
    smear = signal.lfilter(zero(frames, -feedback, 1), pole(frames, feedback), NOISE)
    np.testing.assert_allclose(delayed("allpass~", time=frames / RATE, feedback=feedback), smear, atol=5e-6)


def test_an_allpass_passes_all():
    x = np.zeros(RATE // 2, np.float32)
    x[0] = 1.0
    level = np.abs(np.fft.rfft(delayed("allpass~", x, time=0.002, feedback=0.6)))
    np.testing.assert_allclose(level, 1.0, atol=1e-4)


def test_comb_echoes_fall_as_the_help_says():
    """-3 time / log10 feedback = 1 s for a feedback of 0.001^(time)."""
    x = np.zeros(RATE + 500, np.float32)
    x[0] = 1.0
    y = delayed("comb~", x, time=0.01, feedback=0.001**0.01)
    assert db(y[RATE] / y[480]) == pytest.approx(-60 * 0.99, abs=0.01)


def test_a_longer_time_begins_with_silence_and_keeps_what_was_there():
    """The ring grows: what was in it stays in its place in time, and what it never held is silence."""
    unit = Unit(registry().get("comb~"))
    x = np.arange(1, 301, dtype=np.float32)[None]
    unit.run(300, {"x": x, "time": 100 / RATE, "feedback": 0.0})
    y = unit.run(300, {"x": np.zeros((1, 300)), "time": 250 / RATE, "feedback": 0.0})["y"][0]
    held = np.arange(51, 301, dtype=np.float32)
    assert set(np.flatnonzero(y)) <= set(range(250))
    wrong = (y[:250] != held) & (y[:250] != 0.0)
    assert not wrong.any(), "a sample came back at a wrong time"
    assert (y[150:250] == held[150:]).all(), "the last 100 frames were in the ring and must come back"


@given(times=st.lists(st.integers(1, 400), min_size=1, max_size=8), split=st.lists(st.integers(1, 90), min_size=1))
@settings(max_examples=20)
@pytest.mark.parametrize("kind", ["comb~", "allpass~", "delay~"])
def test_times_that_jump_give_the_same_bits_in_every_cut(kind, times, split):
    x = NOISE[: 100 * len(times)]
    time = np.repeat(np.array(times) / RATE, 100)
    np.testing.assert_array_equal(
        delayed(kind, x, split, time=time, feedback=0.5), delayed(kind, x, (10_000,), time=time, feedback=0.5)
    )


@pytest.mark.parametrize("frames", [2, 3, 100, 12_000])
def test_a_whole_delay_is_exact(frames):
    np.testing.assert_array_equal(delayed("delay~", time=frames / RATE)[frames:], NOISE[:-frames])


@pytest.mark.parametrize("frames", [2.5, 10.1, 333.37])
@pytest.mark.parametrize(("hz", "softest"), [(100.0, -0.01), (6_000.0, -0.1), (12_000.0, -1.1)])
def test_a_delay_between_two_frames_has_the_declared_level(frames, hz, softest):
    """Over whole cycles, against a sine that is late by exactly this much."""
    time = np.arange(RATE // 2) / RATE
    x = np.sin(2 * np.pi * hz * time).astype(np.float32)
    late = 2 * np.pi * hz * (time[-4_800:] - float(np.float32(frames / RATE)))
    y = delayed("delay~", x, time=frames / RATE)[-4_800:]
    in_phase, across = 2 * np.mean(y * np.sin(late)), 2 * np.mean(y * np.cos(late))
    assert softest <= db(np.hypot(in_phase, across)) < 0.001
    assert abs(np.arctan2(across, in_phase)) / (2 * np.pi * hz / RATE) < 0.05, "late by another time, in frames"


def test_a_time_that_glides_does_not_click():
    """A 200 Hz sine while the time goes 10 ms up in 0.2 s: read 5 % slower, so no step is larger than a sine's own."""
    frames = RATE // 2
    x = np.sin(2 * np.pi * 200 * np.arange(frames) / RATE).astype(np.float32)
    time = np.interp(np.arange(frames), [9_600, 19_200], [0.05, 0.06])
    y = delayed("delay~", x, time=time)[4_000:]
    assert np.abs(np.diff(y)).max() < 2 * np.pi * 200 / RATE * 1.02


@pytest.mark.parametrize("frames", [2.3, 50.5, 400.9])
def test_feedback_below_one_dies_away_whatever_the_time(frames):
    x = np.concatenate([NOISE[:2_000], np.zeros(8 * RATE, np.float32)])
    y = delayed("delay~", x, (1_024,), time=frames / RATE, feedback=0.99)
    assert np.abs(y).max() < 30 and np.abs(y[-1_000:]).max() < 0.05 * np.abs(y[:4_000]).max()


# -- rooms


def room(x, **values):
    return play(registry().get("reverb~"), x.shape[1], {"x": x, **values}, split=[64])["y"].astype(float)


def impulse(seconds, channels=1):
    x = np.zeros((channels, round(seconds * RATE)), np.float32)
    x[:, 0] = 1.0
    return x


def fall(y, low=-5, high=-35):
    """RT60 from the backward integral (Schroeder), between two levels."""
    energy = np.cumsum(np.square(y)[::-1])[::-1]
    level = 10 * np.log10(energy / energy[0] + 1e-20)
    return (np.argmax(level < high) - np.argmax(level < low)) / RATE * 60 / (low - high)


@pytest.mark.parametrize("decay", [0.3, 1.0, 4.0])
def test_a_room_decays_in_its_time(decay):
    y = room(impulse(max(1.2 * decay, 0.8)), decay=decay, damping=0.0, mix=1.0)
    for side in y:
        assert fall(side) == pytest.approx(decay, rel=0.05)
        assert np.sum(side**2) == pytest.approx(1.0, rel=0.1), "it gives back another energy than it got"


def test_damping_takes_the_high_sound_first_and_leaves_the_low():
    y = room(impulse(3.0), decay=2.0, damping=0.5, mix=1.0)[0]
    low = signal.sosfilt(signal.butter(4, 150, fs=RATE, output="sos"), y)
    high = signal.sosfilt(signal.butter(4, [4_000, 8_000], "band", fs=RATE, output="sos"), y)
    assert fall(low) == pytest.approx(2.0, rel=0.1)
    assert fall(high) < 0.6


def test_a_room_is_silent_before_its_first_reflection_and_two_sided_after():
    y = room(impulse(0.5), mix=1.0)
    first = line_lengths(1.0, RATE)[0]
    assert not y[:, :first].any() and y[0, first] != 0
    assert abs(np.corrcoef(y[0, first:], y[1, first:])[0, 1]) < 0.1, "left and right are too much alike"


def test_mix_zero_is_the_sound_itself():
    x = np.stack([NOISE, NOISE[::-1]])
    np.testing.assert_allclose(room(x, mix=0.0), x, atol=1e-7)
    np.testing.assert_allclose(room(x[:1], mix=0.0), np.stack([NOISE, NOISE]), atol=1e-7)


@pytest.mark.parametrize("size", [0.1, 1.0, 4.0])
@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
def test_the_lines_of_a_room_share_no_rhythm(size, rate):
    lengths = line_lengths(size, rate)
    assert len(set(lengths)) == 16 and lengths == sorted(lengths)
    assert all(np.gcd(a, b) == 1 for k, a in enumerate(lengths) for b in lengths[:k])


# -- the limiter


@given(
    seed=st.integers(0, 10**6),
    loud=st.floats(0.5, 30),
    ceiling=st.floats(0.05, 1.0),
    channels=st.sampled_from([1, 2, 5]),
)
@settings(max_examples=25)
def test_no_peak_comes_through(seed, loud, ceiling, channels):
    random = np.random.default_rng(seed)
    x = loud * random.standard_normal((channels, 3_000)) * (random.random(3_000) < 0.2)
    y = play(registry().get("limiter~"), 3_000, {"x": x.astype(np.float32), "ceiling": ceiling}, split=[64])["y"]
    assert np.abs(y).max() <= np.float32(ceiling)


def test_below_the_ceiling_the_limiter_is_a_delay_bit_for_bit():
    x = np.stack([NOISE, -NOISE])
    y = play(registry().get("limiter~"), x.shape[1], {"x": x, "ceiling": 1.0, "release": 0.01})["y"]
    assert np.abs(x).max() > 1.0, "the test needs something to limit"
    quiet = 0.4 * x
    y = play(registry().get("limiter~"), x.shape[1], {"x": quiet, "ceiling": 1.0})["y"]
    np.testing.assert_array_equal(y[:, 96:], quiet[:, :-96])


def test_the_limiter_lets_go_completely():
    """Seventeen time constants after a peak the loss is below 2^-30 of a whole and counts as none."""
    x = 0.1 * np.stack([NOISE, NOISE])
    x[:, 100] = 20.0
    y = play(registry().get("limiter~"), x.shape[1], {"x": x, "release": 0.005})["y"]
    np.testing.assert_array_equal(y[:, 8_000:], x[:, 7_904:-96])


def test_all_channels_get_the_same_gain():
    x = np.stack([NOISE * 4, NOISE * 2])
    y = play(registry().get("limiter~"), x.shape[1], {"x": x})["y"].astype(float)
    np.testing.assert_allclose(y[0], 2 * y[1], rtol=1e-5, atol=1e-7)


def test_the_gain_moves_without_a_click():
    """A constant of 1 with one peak of 2: the gain goes down in a straight line over the 2 ms before the peak."""
    x = np.ones((1, 2_000), np.float32)
    x[0, 1_000] = 2.0
    y = play(registry().get("limiter~"), 2_000, {"x": x, "ceiling": 1.0, "release": 0.02})["y"][0].astype(float)
    gain = y[96:] / x[0, :-96]
    assert gain[1_000] == pytest.approx(0.5, abs=1e-6)
    np.testing.assert_allclose(np.diff(gain[905:1_000]), -0.5 / 97, atol=1e-5)
    assert np.abs(np.diff(gain)).max() < 0.5 / 96
