"""Oscillators with tables: harmonics, what folds back, glides, waves from files."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from nodegraph.core import MediaError, registry
from tests.contracts.harness import Unit, db, play

RATE = 48_000
SAW = [1 / k for k in range(1, 1_025)]


def wave(frames=RATE, settings=None, **values):
    given = {name: np.atleast_2d(value) if np.ndim(value) else value for name, value in values.items()}
    kind = "wavetable~" if "file" in (settings or {}) else "partials~"
    return play(registry().get(kind), frames, given, settings=settings)["y"][0].astype(float)


def spectrum(y):
    found = np.abs(np.fft.rfft(y)) * 2.0 / len(y)
    found[0] /= 2.0
    return found


@pytest.mark.parametrize("freq", [100, 997, 1_237, 4_001, 9_001])
def test_a_saw_has_all_its_harmonics_and_nothing_else(freq):
    """The frequencies are prime or divide the rate; see test_oscillators. Level: float32 and the tables' interpolation;
    the help promises all harmonics below 0.31 times the rate."""
    lines = spectrum(wave(settings={"levels": SAW}, freq=float(freq)))
    for k in range(1, int(0.31 * RATE / freq) + 1):
        assert db(lines[k * freq] * k / lines[freq]) == pytest.approx(0.0, abs=0.01), f"harmonic {k}"
    bins = np.arange(len(lines))
    elsewhere = np.minimum(bins % freq, -bins % freq) > 3
    assert db(lines[elsewhere].max() / lines[freq]) < -75


def test_one_partial_is_a_sine():
    y = wave(settings={"levels": [1.0]}, freq=750.0)
    assert np.abs(y - np.sin(2 * np.pi * 750 * np.arange(RATE) / RATE)).max() < 3e-7


def test_a_wave_of_partials_peaks_at_one_and_levels_are_relative():
    lines = spectrum(wave(settings={"levels": [2.0, 0.0, 1.0]}, freq=100.0))
    assert db(lines[300] / lines[100]) == pytest.approx(-6.02, abs=0.01) and db(lines[200]) < -90
    assert np.abs(wave(settings={"levels": SAW[:40]}, freq=30.0)).max() == pytest.approx(1.0, abs=1e-3)


def test_a_glide_has_no_seam():
    """Over five octaves fifteen tables take over from each other: single harmonics keep their level all the way."""
    frames = 4 * RATE
    freq = 100.0 * 2.0 ** (5 * np.arange(frames) / frames)
    y = wave(frames, {"levels": SAW}, freq=freq)
    phase = np.concatenate([[0.0], np.cumsum(np.float32(freq).astype(float) / RATE)[:-1]])
    for k in (1, 3):
        turned = y * np.exp(-2j * np.pi * k * phase)
        level = np.abs(np.convolve(turned, np.hanning(4_801) / 2_400.5, "same"))[5_000:-5_000]
        assert db(level.max() / level.min()) < 0.2, f"harmonic {k}"


def test_position_mixes_the_waves_that_it_stands_between():
    settings = {"levels": [[1.0], [0.0, 1.0], [0.0, 0.0, 1.0]]}
    for position, levels in (
        (0.0, (1, 0, 0)),
        (0.25, (0.5, 0.5, 0)),
        (0.5, (0, 1, 0)),
        (1.0, (0, 0, 1)),
        (7.0, (0, 0, 1)),
    ):
        lines = spectrum(wave(settings=settings, freq=100.0, position=position))
        np.testing.assert_allclose(lines[[100, 200, 300]], levels, atol=1e-5)


def test_phase_modulates_and_frequency_goes_through_zero():
    time = np.arange(RATE) / RATE
    bend = 0.3 * np.sin(2 * np.pi * 3 * time)
    y = wave(settings={"levels": [1.0]}, freq=750.0, phase=bend)
    assert np.abs(y - np.sin(2 * np.pi * (750 * time + bend))).max() < 2e-6
    backwards = wave(settings={"levels": SAW}, freq=-100.0)
    np.testing.assert_allclose(backwards, -wave(settings={"levels": SAW}, freq=100.0), atol=1e-4)


def test_a_file_is_one_cycle_or_several(tmp_path):
    """Waves of 600 frames: a sine at 0.4 with an offset, which is left out, and its third harmonic."""
    turn = 2 * np.pi * np.arange(600) / 600
    first, second = 0.1 + 0.4 * np.sin(turn), 0.2 * np.cos(3 * turn)
    path = tmp_path / "waves.wav"
    soundfile.write(path, np.concatenate([first, second]), 22_050, "FLOAT")
    settings = {"file": path, "cycle": 600}
    y = wave(settings=settings, freq=100.0)
    time = np.arange(RATE) / RATE
    np.testing.assert_allclose(y, 0.4 * np.sin(2 * np.pi * 100 * time), atol=1e-4)
    lines = spectrum(wave(settings=settings, freq=100.0, position=1.0))
    assert lines[300] == pytest.approx(0.2, abs=1e-4) and lines[100] < 1e-4
    whole = spectrum(wave(settings={"file": path}, freq=100.0))
    assert whole[200] > 0.05, "as one cycle both waves are in it, an octave up"


def test_of_many_waves_an_even_choice_is_kept(tmp_path):
    turn = 2 * np.pi * np.arange(64) / 64
    path = tmp_path / "many.wav"
    soundfile.write(path, np.concatenate([k / 100 * np.sin(turn) for k in range(100)]), 48_000, "FLOAT")
    unit = Unit(registry().get("wavetable~"), settings={"file": path, "cycle": 64})
    assert len(unit.arrays["table"].array) == 64 * 31
    assert wave(settings={"file": path, "cycle": 64}, freq=100.0, position=1.0).max() == pytest.approx(0.99, abs=1e-3)


@pytest.mark.parametrize("levels", [[], [0.0], [[], []], ["word"], [[1.0], ["x", None]], [1e300]])
def test_levels_that_make_no_wave_are_silent_or_bounded(levels):
    y = wave(2_000, settings={"levels": levels})
    assert np.isfinite(y).all() and np.abs(y).max() <= 1.001


def test_a_file_that_is_not_there_is_told(tmp_path):
    for file in (tmp_path / "none.wav", ""):
        with pytest.raises(MediaError):
            wave(10, settings={"file": file})
