"""Oscillators against closed forms: phase, spectrum, what is left of aliases; noise against what chance would do."""

from __future__ import annotations

import numpy as np
import pytest

from nodegraph.core import registry
from tests.contracts.harness import db, play

RATE = 48_000
FRAMES = 48_000
TIME = np.arange(FRAMES) / RATE


def sound(kind, frames=FRAMES, settings=None, **values):
    given = {name: np.atleast_2d(value) if np.ndim(value) else value for name, value in values.items()}
    return play(registry().get(kind), frames, given, settings=settings)["y"][0].astype(float)


def spectrum(y):
    """Amplitudes at 1 Hz steps of one second of sound that repeats every second: no window, nothing leaks."""
    found = np.abs(np.fft.rfft(y)) * 2.0 / len(y)
    found[0] /= 2.0
    return found


def test_a_sine_is_the_sine_of_its_phase():
    """750 Hz is rate / 64: its phase step has no rounding, so what remains is the polynomial (3e-7) and float32."""
    y = sound("sine~", freq=750.0)
    assert np.abs(y - np.sin(2 * np.pi * 750 * TIME)).max() < 4e-7


def test_a_sine_is_nothing_but_a_sine():
    lines = spectrum(sound("sine~", freq=1_500.0))
    rest = np.delete(lines, 1_500)
    assert db(rest.max() / lines[1_500]) < -130


@pytest.mark.parametrize("freq", [0.01, 0.37, 27.5, 440.123, 5_000.7, 19_999.0])
def test_the_frequency_is_exact_to_a_step_of_the_phase(freq):
    """A step is rate / 2^32 = 1.1e-5 Hz; the frequency itself arrives as a float32 (6e-8 of it)."""
    y = sound("phasor~", frames=10 * RATE, freq=freq)
    turns = np.unwrap(2 * np.pi * y) / (2 * np.pi)
    measured = (turns[-1] - turns[0]) * RATE / (len(y) - 1)
    assert measured == pytest.approx(freq, abs=1.2e-5 + 2e-7 * freq)


def test_a_phasor_counts_from_0_to_1_and_wraps():
    y = sound("phasor~", freq=750.0)
    np.testing.assert_array_equal(y, (np.arange(FRAMES) % 64) / 64.0)
    backwards = sound("phasor~", freq=-750.0)
    np.testing.assert_array_equal(backwards, (-np.arange(FRAMES) % 64) / 64.0)


def test_a_phase_signal_modulates_the_phase():
    bend = 0.3 * np.sin(2 * np.pi * 3 * TIME)
    y = sound("sine~", freq=750.0, phase=bend)
    assert np.abs(y - np.sin(2 * np.pi * (750 * TIME + bend))).max() < 2e-6


def test_a_frequency_signal_modulates_through_zero():
    """The phase is the sum of the steps so far. Each float32 frequency rounds the step by 3e-8 of itself."""
    freq = 2_000.0 * np.sin(2 * np.pi * 5 * TIME)
    y = sound("sine~", freq=freq)
    phase = np.concatenate([[0.0], np.cumsum(np.float32(freq).astype(float) / RATE)[:-1]])
    assert np.abs(y - np.sin(2 * np.pi * phase)).max() < 1e-3


SHAPES = {
    # kind, amplitude of harmonic k, aliases below 10 kHz under the fundamental, as the help says
    "saw~": (lambda k: 2 / (np.pi * k), -54.0),
    "square~": (lambda k: 4 / (np.pi * k) if k % 2 else 0.0, -54.0),
    "triangle~": (lambda k: 8 / (np.pi * k) ** 2 if k % 2 else 0.0, -84.0),
}


@pytest.mark.parametrize("freq", [997, 1_237])
@pytest.mark.parametrize("kind", SHAPES)
def test_aliases_stay_below_what_the_help_says(kind, freq):
    """Both frequencies are prime and divide no multiple of the rate, so no alias hides under a harmonic."""
    _, bound = SHAPES[kind]
    lines = spectrum(sound(kind, freq=float(freq)))
    bins = np.arange(len(lines))
    aliases = (bins % freq != 0) & (bins > 20) & (bins < 10_000)
    # the phase step's rounding moves a harmonic by less than 0.001 Hz, which leaks below -100 dB
    near = np.minimum(bins % freq, -bins % freq) > 3
    assert db(lines[aliases & near].max() / lines[freq]) < bound


@pytest.mark.parametrize("kind", SHAPES)
def test_harmonics_have_the_level_of_their_wave(kind):
    """polyBLEP is the ideal wave through a triangular window of two samples, (sin(pi f / rate) / (pi f / rate))^2;
    polyBLAMP the same once integrated. At 100 Hz what folds back is below 0.1 dB up to 5 kHz."""
    level, _ = SHAPES[kind]
    lines = spectrum(sound(kind, freq=100.0))
    for k in range(1, 50):
        wanted = level(k) * np.sinc(k * 100 / RATE) ** 2
        if wanted:
            assert db(lines[100 * k] / wanted) == pytest.approx(0.0, abs=0.1), f"harmonic {k}"
        else:
            assert db(lines[100 * k]) < -60, f"harmonic {k} should not be there"


@pytest.mark.parametrize("kind", SHAPES)
def test_the_range_is_minus_one_to_one(kind):
    for freq in (0.0, 1.0, 440.0, 7_000.0, -440.0, 20_000.0):
        y = sound(kind, freq=freq)
        assert np.abs(y).max() <= 1.0 + 1e-6 and abs(y.mean()) < 0.05, freq
        assert y[0] == pytest.approx(0.0, abs=1e-6), "it starts at 0, without a click"


@pytest.mark.parametrize("width", [0.01, 0.2, 0.5, 0.99])
def test_the_mean_of_a_pulse_follows_its_width(width):
    y = sound("square~", freq=375.0, width=width)
    assert y.mean() == pytest.approx(2 * width - 1, abs=2e-3)
    assert (y > 0).mean() == pytest.approx(width, abs=2 / 128)


def test_white_noise_looks_like_chance():
    """2^18 numbers: the mean of even noise has a standard error of 0.577 / 512; five of them are allowed everywhere."""
    count = 1 << 18
    y = sound("noise~", frames=count)
    error = 1.0 / np.sqrt(count)
    assert abs(y.mean()) < 5 * 0.577 * error
    assert y.var() == pytest.approx(1 / 3, abs=5 * 0.298 * error)
    tally, _ = np.histogram(y, 256, (-1, 1))
    chi = ((tally - count / 256) ** 2 / (count / 256)).sum()
    assert 255 - 5 * np.sqrt(2 * 255) < chi < 255 + 5 * np.sqrt(2 * 255)
    power = np.abs(np.fft.rfft(y * np.sqrt(3.0))) ** 2 / count
    correlation = np.fft.irfft(power)[1:1_000]
    assert np.abs(correlation).max() < 5.5 * error, "it repeats, or remembers"
    octaves = [power[1 << k : 2 << k].mean() for k in range(8, 17)]
    assert np.allclose(octaves, 1.0, atol=0.35), "not every octave has its power"


def test_a_seed_is_another_noise_and_the_same_each_time():
    noise = [sound("noise~", frames=1 << 15, settings={"seed": seed}) for seed in (0, 1, 2, 1_000_000)]
    np.testing.assert_array_equal(noise[1], sound("noise~", frames=1 << 15, settings={"seed": 1}))
    for k, first in enumerate(noise):
        for second in noise[:k]:
            whole = np.fft.irfft(np.fft.rfft(first, 1 << 16) * np.conj(np.fft.rfft(second, 1 << 16)))
            assert np.abs(whole).max() / (len(first) / 3) < 6 / np.sqrt(len(first)), "one is the other, later"


def test_pink_noise_falls_by_3_db_per_octave():
    """`pink~` is `noise~` of the same seed through a filter, so their spectra's ratio is the filter's response.

    The bound is Kellet's own: within 0.05 dB of 1 / sqrt(f) above 9.2 Hz at 44.1 kHz, to the top octave; and 0.1 dB for
    the leakage of one second's start and end, which the mean over thirds of octaves leaves.
    """
    count = 1 << 20
    pink, white = sound("pink~", frames=count), sound("noise~", frames=count)
    hz = np.fft.rfftfreq(count, 1 / RATE)
    window = np.hanning(count)
    top, bottom = (np.abs(np.fft.rfft(y * window)) ** 2 for y in (pink, white))
    bands = 15 * 2.0 ** (np.arange(30) / 3)
    inside = [(hz >= low) & (hz < low * 2 ** (1 / 3)) for low in bands]
    level = np.array([10 * np.log10(top[band].sum() / (bottom[band] / hz[band]).sum()) for band in inside])
    assert np.abs(level - level.mean()).max() < 0.15, np.round(level - level.mean(), 2)
    assert db(pink.std()) == pytest.approx(-15, abs=0.5)
