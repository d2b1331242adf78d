"""Filters null against SciPy and against the responses that their help declares."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from nodegraph.core import registry
from tests.contracts.harness import db, play

RATE = 48_000
NOISE = (0.3 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)


def filtered(kind, x=NOISE, **values):
    given = {name: np.atleast_2d(value) if np.ndim(value) else value for name, value in values.items()}
    found = play(registry().get(kind), len(x), {"x": x[None], **given}, split=[64])
    return {name: value[0].astype(float) for name, value in found.items()}


def residue(found, wanted):
    return db(np.sqrt(np.mean((found - wanted) ** 2) / np.mean(np.square(wanted))))


def impulse(length=RATE):
    x = np.zeros(length, np.float32)
    x[0] = 1.0
    return x


@pytest.mark.parametrize("cutoff", [5.0, 100.0, 3_000.0, 15_000.0])
def test_onepole_nulls_against_scipy(cutoff):
    """Float32 state: each step rounds by 6e-8 of the state, and 1 / a of the steps add up; a = 6.5e-4 at 5 Hz."""
    a = 1 - np.exp(-2 * np.pi * cutoff / RATE)
    assert residue(filtered("onepole~", cutoff=cutoff)["y"], signal.lfilter([a], [1, a - 1], NOISE)) < -80


@pytest.mark.parametrize(
    ("b", "a"),
    [
        signal.butter(2, 1_000, fs=RATE),
        signal.butter(2, 12_000, "high", fs=RATE),
        signal.iirpeak(3_000, 8, fs=RATE),
        signal.iirnotch(500, 4, fs=RATE),
    ],
)
def test_biquad_nulls_against_scipy(b, a):
    """Float32 coefficients move the poles by 6e-8 of what stands far from 1: at 500 Hz that is 1e-5 of the response."""
    found = filtered("biquad~", b0=b[0], b1=b[1], b2=b[2], a1=a[1], a2=a[2])["y"]
    assert residue(found, signal.lfilter(b, a, NOISE)) < -85


def prototype(z, cutoff, resonance):
    """The analogue state-variable filter under the bilinear transform, pre-warped: what the help declares."""
    g = np.tan(np.pi * cutoff / RATE)
    k = 2 - 1.99 * resonance
    s = (z - 1) / (z + 1) / g
    d = s * s + k * s + 1
    return {"low": 1 / d, "band": k * s / d, "high": s * s / d, "notch": (s * s + 1) / d}


@pytest.mark.parametrize("cutoff", [60.0, 1_000.0, 9_000.0, 20_000.0])
@pytest.mark.parametrize("resonance", [0.0, 0.5, 0.9])
def test_the_measured_response_of_svf_is_the_declared_one(cutoff, resonance):
    found = filtered("svf~", impulse(), cutoff=cutoff, resonance=resonance)
    z = np.exp(2j * np.pi * np.arange(RATE // 2 + 1) / RATE)
    for name, wanted in prototype(z, cutoff, resonance).items():
        measured = np.fft.rfft(found[name])
        # below -60 dB float32 rounding of the other parts shows; there the sum of errors is bounded instead
        loud = np.abs(wanted) > 1e-3
        assert np.abs(db_of(measured[loud] / wanted[loud])).max() < 0.02, name
        assert np.abs(measured - wanted).max() < 2e-3 * np.abs(wanted).max(), name


def db_of(ratio):
    return 20 * np.log10(np.abs(ratio))


def test_svf_parts_add_up_to_what_came_in():
    found = filtered("svf~", cutoff=800.0, resonance=0.7)
    np.testing.assert_allclose(found["low"] + found["band"] + found["high"], NOISE, atol=1e-6)
    np.testing.assert_allclose(found["low"] + found["high"], found["notch"], atol=1e-6)


def test_svf_at_full_resonance_peaks_at_40_db():
    x = impulse(20 * RATE)
    peak = np.abs(np.fft.rfft(filtered("svf~", x, cutoff=1_000.0, resonance=1.0)["low"]))[20_000]
    assert db(peak) == pytest.approx(40.0, abs=0.1)


@pytest.mark.parametrize("resonance", [0.0, 0.95, 1.0])
def test_svf_is_stable_while_its_cutoff_jumps_at_audio_rate(resonance):
    """White noise as the cutoff, 1 Hz to half the rate and beyond: bounded, and silent again when the sound ends."""
    x = NOISE.copy()
    x[RATE // 2 :] = 0.0
    cutoff = np.random.default_rng(1).uniform(-5_000, 60_000, RATE)
    for name, y in filtered("svf~", x, cutoff=cutoff, resonance=resonance).items():
        assert np.abs(y).max() < 100, name
        assert np.abs(y[-RATE // 8 :]).max() < 1e-2 * np.abs(y).max(), f"'{name}' goes on without a sound"


@pytest.mark.parametrize("cutoff", [20.0, 1_000.0, 20_000.0])
def test_svf_passes_dc_exactly_enough(cutoff):
    """A DC of 1 through `low`: the integrators' float32 steps may not stall away from it."""
    y = filtered("svf~", np.ones(2 * RATE, np.float32), cutoff=cutoff, resonance=0.3)["low"]
    assert y[-1] == pytest.approx(1.0, abs=2e-5)


def measured_against(found, wanted, floor_db=-60.0):
    """The largest difference in dB where the wanted response is above the floor."""
    loud = np.abs(wanted) > 10 ** (floor_db / 20)
    return np.abs(db_of(np.abs(np.fft.rfft(found))[loud] / np.abs(wanted[loud]))).max()


def analogue(freq):
    """s in units of `freq` under the bilinear transform, pre-warped, at every whole frequency up to half the rate."""
    z = np.exp(2j * np.pi * np.arange(RATE // 2 + 1) / RATE)
    return (z - 1) / (z + 1) / np.tan(np.pi * freq / RATE)


@pytest.mark.parametrize("cutoff", [20.0, 500.0, 20_000.0])
def test_highpass_has_its_declared_response_and_takes_an_offset_out(cutoff):
    s = analogue(cutoff)
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted = np.nan_to_num(s / (s + 1), nan=1.0)
    assert measured_against(filtered("highpass~", impulse(), cutoff=cutoff)["y"], wanted) < 0.001
    offset = filtered("highpass~", np.full(4 * RATE, 0.7, np.float32), cutoff=cutoff)["y"]
    assert abs(offset[-1]) < 1e-12, "exp(-2 pi 20 · 4) is nothing"


def cookbook(shape, freq, gain_db, q):
    """b and a as the Audio EQ Cookbook writes them."""
    a, w = 10 ** (gain_db / 40), 2 * np.pi * freq / RATE
    c, alpha = np.cos(w), np.sin(w) / (2 * q)
    if shape == "peak":
        return [1 + alpha * a, -2 * c, 1 - alpha * a], [1 + alpha / a, -2 * c, 1 - alpha / a]
    sign, r = (-1 if shape == "low shelf" else 1), 2 * np.sqrt(a) * alpha
    b = [a * (a + 1 + sign * (a - 1) * c + r), -sign * 2 * a * (a - 1 + sign * (a + 1) * c),
         a * (a + 1 + sign * (a - 1) * c - r)]  # fmt: skip
    return b, [a + 1 - sign * (a - 1) * c + r, sign * 2 * (a - 1 - sign * (a + 1) * c), a + 1 - sign * (a - 1) * c - r]


@pytest.mark.parametrize("shape", ["peak", "low shelf", "high shelf"])
@pytest.mark.parametrize("freq", [40.0, 1_000.0, 15_000.0])
@pytest.mark.parametrize(("gain_db", "q"), [(-18.0, 0.3), (6.0, 0.707), (24.0, 2.0), (0.0, 1.0)])
def test_eq_has_the_response_of_the_cookbook(shape, freq, gain_db, q):
    """0.001 dB: at 40 Hz the float32 coefficients are right to 1e-7 of poles that stand 5e-3 from 1."""
    x = impulse()
    found = play(
        registry().get("eq~"), RATE, {"x": x[None], "freq": freq, "gain_db": gain_db, "q": q}, settings={"shape": shape}
    )["y"][0]
    _, wanted = signal.freqz(*cookbook(shape, freq, gain_db, q), RATE // 2 + 1, include_nyquist=True)
    assert measured_against(found, wanted) < 1e-3
    if gain_db == 0.0:
        np.testing.assert_allclose(found, x, atol=1e-6)


@pytest.mark.parametrize("shape", ["peak", "low shelf", "high shelf"])
def test_eq_is_stable_while_everything_jumps(shape):
    random = np.random.default_rng(2)
    x = NOISE.copy()
    x[RATE // 2 :] = 0.0
    values = {
        "freq": random.uniform(-100, 60_000, (1, RATE)),
        "gain_db": random.uniform(-30, 30, (1, RATE)),
        "q": np.exp(random.uniform(np.log(0.1), np.log(40), (1, RATE))),
    }
    y = play(registry().get("eq~"), RATE, {"x": x[None], **values}, settings={"shape": shape})["y"][0]
    assert np.abs(y).max() < 2_000, "a jump of q at +30 dB may ring, but not grow"
    assert np.abs(y[-RATE // 8 :]).max() < 1e-2 * np.abs(y).max()


@pytest.mark.parametrize("cutoff", [100.0, 1_000.0, 10_000.0])
@pytest.mark.parametrize("resonance", [0.0, 0.5, 0.9])
def test_the_ladder_has_its_declared_response_for_soft_sounds(cutoff, resonance):
    """An impulse of 0.001: what tanh bends is (0.001)^2 / 3 of it, far below the bound."""
    k = 4 * resonance
    y = filtered("ladder~", impulse() / 1_000, cutoff=cutoff, resonance=resonance, drive=1.0)["y"] * 1_000
    assert measured_against(y, (1 + k / 2) / ((1 + analogue(cutoff)) ** 4 + k)) < 0.002


@pytest.mark.parametrize("resonance", [1.02, 1.25])
@pytest.mark.parametrize("cutoff", [50.0, 440.0, 2_000.0, 5_000.0, 15_000.0])
def test_the_ladder_sings_at_its_cutoff(cutoff, resonance):
    """Struck once; after two seconds its pitch is that of the cutoff to 0.1 % (1.7 cents) and its level stands."""
    x = np.zeros(4 * RATE, np.float32)
    x[:10] = 0.5
    y = filtered("ladder~", x, cutoff=cutoff, resonance=resonance)["y"][-2 * RATE :]
    lines = np.log(np.abs(np.fft.rfft(y * np.hanning(len(y)))) + 1e-20)
    top = int(lines.argmax())
    below, at, above = lines[top - 1 : top + 2]
    pitch = (top + 0.5 * (below - above) / (below - 2 * at + above)) / 2  # lines stand half a hertz apart
    assert pitch == pytest.approx(cutoff, rel=1e-3)
    assert db(np.abs(y[RATE:]).max() / np.abs(y[:RATE]).max()) == pytest.approx(0.0, abs=0.1)
    assert 0.05 < np.abs(y).max() < 0.25


def test_the_ladder_stays_bounded_while_everything_jumps():
    random = np.random.default_rng(3)
    x = (100 * NOISE).astype(np.float32)
    x[RATE // 2 :] = 0.0
    y = filtered(
        "ladder~", x, cutoff=random.uniform(1, 60_000, RATE), resonance=random.uniform(-1, 0.9, RATE), drive=100.0
    )["y"]
    assert np.abs(y).max() < 20
    assert np.abs(y[-1_000:]).max() < 1e-3


def test_the_ladder_bends_loud_sounds():
    """A sine far below the cutoff comes out as tanh(drive x): the static curve, with its third harmonic."""
    time = np.arange(RATE) / RATE
    x = np.sin(2 * np.pi * 50 * time).astype(np.float32)
    y = filtered("ladder~", x, cutoff=15_000.0, resonance=0.0, drive=2.0)["y"]
    lines = [np.abs(np.fft.rfft(sound))[[50, 150, 250]] for sound in (y, np.tanh(2.0 * x.astype(float)))]
    np.testing.assert_allclose(lines[0], lines[1], rtol=1e-3)
