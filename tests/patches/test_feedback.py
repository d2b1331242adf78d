"""Instruments patched from single nodes, each closed into a loop by a cable: in tune, and dying in their time.

How they are measured is independent of how they are made (tests/patches/measuring.py); its own error stands in the
first test.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph import Patch
from tests.patches.measuring import Sound, cents, decay_time, fall, pitch

ROOT = Path(__file__).parents[2]
RATES = (44_100, 48_000, 96_000)
PITCHES = (55.0, 73.42, 98.0, 130.81, 184.997, 261.63, 440.0, 659.26, 987.77, 1_318.51, 1_567.98, 1_760.0, 2_000.0)
HADAMARD = np.array([[(-1.0) ** bin(i & j).count("1") for j in range(8)] for i in range(8)]) / np.sqrt(8)


def heard(kind: str, rate: int, sound: Sound, block: int = 64, **params: Any) -> Sound:
    """What a part makes of a sound, as float64 ``(channels, frames)``."""
    patch = Patch(media=[ROOT / "patches"])
    patch.add(kind, "part", **params)
    x = "gate" if kind == "parts/string.ng" else "x"
    patch.connect(patch.add("in~", "mic").y, f"part.{x}")
    patch.connect("part.y", patch.add("out~", channels=2))
    return patch.render(seconds=len(sound) / rate, rate=rate, block=block, input=sound).audio.astype(np.float64)


def click(frames: int, height: float = 0.5) -> Sound:
    sound = np.zeros(frames)
    sound[10] = height
    return sound


def test_what_measures_is_wrong_by_less_than_a_thousandth_of_a_cent() -> None:
    for rate in RATES:
        for freq in PITCHES:
            time = np.arange(int(1.5 * rate)) / rate
            partials = (np.sin(2 * np.pi * freq * k * time + k) / k for k in range(1, 6))
            dying = np.exp(-time * 6.907755 / 3.0) * sum(partials)
            assert abs(cents(pitch(dying, rate, freq), freq)) < 1e-3
            assert abs(fall(dying, rate, freq) + 20.0) < 0.1


# -- the string of Karplus and Strong


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("damping", [0.0, 0.3, 1.0])
def test_a_string_is_in_tune(rate: int, damping: float) -> None:
    found = []
    for freq in PITCHES:
        sound = heard("parts/string.ng", rate, click(2 * rate), freq=freq, decay=6.0, damping=damping)[0]
        found.append(cents(pitch(sound[rate // 10 :], rate, freq), freq))
    assert np.abs(found).max() < 0.05, dict(zip(PITCHES, found, strict=True))


@pytest.mark.parametrize("block", [1, 7, 500])
def test_a_string_is_the_same_at_every_block(block: int) -> None:
    sounds = [heard("parts/string.ng", 48_000, click(9_600), size, freq=1_318.51) for size in (64, block)]
    assert np.abs(sounds[0]).max() > 0.01 and np.array_equal(*sounds)


@pytest.mark.parametrize("freq", [55.0, 440.0, 1_000.0, 1_999.9])
def test_the_fundamental_of_a_string_falls_as_told(freq: float) -> None:
    for decay, damping in ((1.0, 0.0), (3.0, 0.3), (3.0, 1.0)):
        sound = heard("parts/string.ng", 48_000, click(76_800), freq=freq, decay=decay, damping=damping)[0]
        assert fall(sound[4_800:], 48_000, freq) == pytest.approx(-60.0 / decay, rel=0.02)


def test_damping_takes_the_high_partials_of_a_string_first() -> None:
    falls = []
    for damping in (0.0, 0.5, 1.0):
        sound = heard("parts/string.ng", 48_000, click(48_000), freq=220.0, decay=4.0, damping=damping)[0, 4_800:]
        falls.append([fall(sound, 48_000, 220.0 * k) for k in (1, 5, 9)])
    one, five, nine = np.array(falls).T
    assert np.ptp(one) < 0.3, "the fundamental dies as told, whatever the damping"
    assert np.all(np.diff(five) < -1) and np.all(np.diff(nine) < -3), falls


# -- Moog's ladder


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("resonance", [1.05, 1.2])
def test_a_ladder_sings_in_tune(rate: int, resonance: float) -> None:
    """Its `tanh~` makes it a little flat the louder it sings: half a cent at most."""
    found = []
    for freq in (*PITCHES, 4_000.0):
        sound = heard("parts/moog.ng", rate, click(3 * rate), freq=freq, resonance=resonance)[0, rate:]
        assert 0.05 < np.sqrt(2 * np.mean(sound**2)) < 0.5, "it sings, and is held"
        found.append(cents(pitch(sound, rate, freq), freq))
    assert np.abs(found).max() < 0.6, found


def test_a_ladder_does_not_sing_by_itself_below_resonance_1() -> None:
    for freq in (110.0, 1_000.0):
        sound = heard("parts/moog.ng", 48_000, click(96_000), freq=freq, resonance=0.95)[0]
        assert np.abs(sound[-4_800:]).max() < 1e-4 < np.abs(sound).max()


def test_a_ladder_has_the_response_of_four_poles_and_a_sample() -> None:
    """Against the formula: H = G / (1 + k z^-1 G), G four one-poles, the sample that the cable takes counted in."""
    rate, freq, resonance, frames = 48_000, 1_000.0, 0.8, 48_000
    found = np.fft.rfft(
        np.roll(heard("parts/moog.ng", rate, click(frames, 0.01), freq=freq, resonance=resonance)[0], -10)
    )
    w = np.pi * np.arange(len(found)) / (len(found) - 1)
    at = 2 * np.pi * freq / rate
    tan = np.tan((np.pi - at) / 4)
    left = tan / (np.sin(at) + tan * np.cos(at))  # what a pole keeps of the last sample
    pole = (1 - left) / (1 - left * np.exp(-1j * w))
    grip = resonance / np.abs((1 - left) / (1 - left * np.exp(-1j * at))) ** 4
    wanted = 0.01 * pole**4 / (1 + grip * np.exp(-1j * w) * pole**4)
    heard_of = np.arange(len(w)) < 12_000
    error = 20 * np.log10(np.abs(found / wanted))[heard_of]
    assert np.abs(error).max() < 0.02, f"{np.abs(error).max()} dB"


@pytest.mark.parametrize("block", [1, 500])
def test_a_ladder_is_the_same_at_every_block(block: int) -> None:
    sounds = [heard("parts/moog.ng", 48_000, click(9_600), size, freq=440.0, resonance=1.1) for size in (64, block)]
    assert np.array_equal(*sounds)


# -- the network of delays


@pytest.mark.parametrize("rate", RATES)
def test_a_network_of_like_lines_rings_in_tune(rate: int) -> None:
    """All lines alike: Hadamard's matrix has the eigenvalues 1 and -1, so it rings at the multiples of 1 / (2 time)."""
    found = []
    for freq in PITCHES:
        part = {"time": 0.5 / freq, "spread": 0.0, "decay": 6.0, "damping": 0.3}
        sound = heard("parts/fdn.ng", rate, click(2 * rate), **part)[0, rate // 10 :]
        found += [cents(pitch(sound, rate, freq), freq)]
        assert fall(sound, rate, freq) == pytest.approx(-10.0, abs=0.5)
    assert np.abs(found).max() < 0.05, found


def test_a_network_of_eight_lines_has_the_modes_of_the_theory() -> None:
    """The state matrix of eight lines of whole samples, its eigenvalues as frequencies, and all of them die alike."""
    rate, time, decay = 48_000, 20 / 48_000, 0.8
    ratios = (1, 1.107, 1.213, 1.331, 1.453, 1.587, 1.723, 1.871)
    spans = np.array([ratio * time * rate for ratio in ratios])
    sound = heard("parts/fdn.ng", rate, click(2 * rate), time=time, decay=decay, damping=0.0)[0]

    def singular(freq: float) -> float:
        """How near the loop is to giving back what went in, at a frequency on the circle of the decay."""
        z = 1j * 2 * np.pi * freq / rate - 6.907755 / (decay * rate)
        away = np.diag(np.exp(z * spans)) - np.diag(np.exp(-6.907755 * spans / (decay * rate))) @ HADAMARD
        return float(np.linalg.svd(away, compute_uv=False)[-1])

    grid = np.linspace(100, 2_200, 60_000)
    near = np.array([singular(freq) for freq in grid])
    modes = grid[1:-1][(near[1:-1] < near[:-2]) & (near[1:-1] < near[2:]) & (near[1:-1] < 1e-2)]
    apart = [freq for freq in modes if np.abs(np.delete(modes, np.argmin(np.abs(modes - freq))) - freq).min() > 12]
    assert len(apart) >= 8
    found = [cents(pitch(sound, rate, freq, 12 * np.log2(1 + 5 / freq)), freq) for freq in apart]
    assert np.abs(found).max() < 1.0, dict(zip(apart, found, strict=True))
    for freq in apart[:4]:
        assert fall(sound, rate, freq) == pytest.approx(-60 / decay, rel=0.03)


@pytest.mark.parametrize("decay", [0.5, 2.0])
def test_a_network_dies_in_its_time(decay: float) -> None:
    """Lines of whole frames: between frames they lose a little more of what is high."""
    rate = 48_000
    part = {"time": 1_000 / rate, "decay": decay, "damping": 0.0}
    for channel in heard("parts/fdn.ng", rate, click(round(1.5 * decay * rate)), **part):
        assert decay_time(channel, rate) == pytest.approx(decay, rel=0.015)


def test_butterflies_are_the_matrix_of_hadamard() -> None:
    patch = Patch(media=[ROOT / "patches"])
    ids = ["one", "two", "three"]
    for id in ids:
        patch.add("parts/butterfly.ng", id)
    patch.connect(patch.add("in~", "mic", channels=8).y, "one.x")
    patch.connect("one.y", "two.x")
    patch.connect("two.y", "three.x")
    patch.connect("three.y", patch.add("out~", channels=8))
    made = patch.render(seconds=8 / 48_000, input=0.5 * np.eye(8)).audio.astype(np.float64) / 0.5
    assert np.abs(made - HADAMARD).max() < 1e-6
