"""The plucked string: in tune, dying in time, without the partials that it should not have."""

from __future__ import annotations

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.core import registry
from tests.contracts.harness import Unit, db, play

RATE = 48_000


def plucked(seconds=1.0, rate=RATE, settings=None, **values):
    unit = Unit(registry().get("pluck~"), rate, settings=settings)
    frames = round(seconds * rate)
    return unit.run(frames, {"x": np.zeros((1, frames)), **values}, [64], {"pluck": 1})["y"][0].astype(float)


def partial(y, freq, rate=RATE):
    """Cents by which a partial is off, and by how many dB it falls in a second, from two windows half apart."""
    size = len(y) // 2
    time = np.arange(len(y)) / rate
    window = np.blackman(size) * 2
    turned = y * np.exp(-2j * np.pi * freq * time)
    early, late = (np.mean(window * turned[at : at + size]) for at in (0, size))
    apart = size / rate
    off = np.angle(late / early) / (2 * np.pi * apart)
    return 1_200 * np.log2((freq + off) / freq), db(abs(late / early)) / apart


@pytest.mark.parametrize("damping", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("freq", [30.0, 82.41, 220.0, 441.37, 1_000.0, 1_234.5, 1_999.9])
def test_a_string_is_in_tune_and_dies_in_its_time(freq, damping):
    """Phase is measured to 1e-3 of a turn over a quarter of a second: 0.23 cents at 30 Hz, 0.004 at 2 kHz. At 30 Hz
    the windows hold eight periods, and neighbours leak a little into the level."""
    cents, fall = partial(plucked(1.0, freq=freq, decay=2.0, damping=damping, hardness=1.0)[4_800:], freq)
    assert abs(cents) < 0.25
    assert fall == pytest.approx(-30.0, abs=0.5)


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_a_string_is_in_tune_at_every_rate(rate):
    cents, _ = partial(plucked(1.0, rate, freq=987.77, decay=2.0)[4_800:], 987.77, rate)
    assert abs(cents) < 0.1


def test_partials_are_harmonic_and_damping_takes_the_high_ones():
    falls = {}
    for damping in (0.0, 0.5, 1.0):
        y = plucked(0.6, freq=220.0, decay=3.0, damping=damping, hardness=1.0, place=0.13)[2_000:]
        found = [partial(y, 220.0 * k) for k in (1, 4, 12)]
        assert max(abs(cents) for cents, _ in found[:2]) < 0.5
        falls[damping] = [fall for _, fall in found]
    for number in (1, 2):
        assert falls[0.0][number] > falls[0.5][number] > falls[1.0][number]
    # the low-pass at damping 1 is cos(w / 2)^2 a round, 220 rounds a second; on top of that comes the common loss
    low, high = (40 * np.log10(np.cos(np.pi * 220 * k / RATE)) * 220 for k in (1, 4))
    assert falls[1.0][1] - falls[1.0][0] == pytest.approx(high - low, abs=0.5)


def test_the_place_of_the_finger_takes_partials_away():
    """240 Hz are 200 frames: plucked in the middle every second partial has a knot there, at a fifth every fifth."""
    for place, gone in ((0.5, 2), (0.2, 5)):
        lines = np.abs(np.fft.rfft(plucked(1.0, freq=240.0, place=place, damping=0.0, hardness=1.0)[200:20_200]))
        level = np.array([lines[100 * k - 3 : 100 * k + 4].max() for k in range(1, 21)])
        there = np.arange(1, 21) % gone != 0
        assert db(level[~there].max() / np.median(level[there])) < -40


def test_a_string_has_no_offset_and_stays_in_range():
    for seed in range(6):
        for freq in (55.0, 329.6, 1_760.0):
            for hardness in (0.0, 1.0):
                y = plucked(1.0, settings={"seed": seed}, freq=freq, damping=1.0, hardness=hardness)
                assert abs(y[4_800:].mean()) < 2e-3
                assert np.abs(y).max() <= 1.3


def test_each_pluck_is_another_and_a_seed_repeats_them():
    def twice(seed):
        unit = Unit(registry().get("pluck~"), settings={"seed": seed})
        return [unit.run(2_000, {"x": np.zeros((1, 2_000))}, messages={"pluck": 1})["y"][0] for _ in range(2)]

    one, same, other = twice(1), twice(1), twice(2)
    assert (one[0] == same[0]).all() and (one[1] == same[1]).all()
    assert not (one[0] == one[1]).all() and not (one[0] == other[0]).all()


def test_level_and_hardness_shape_the_pluck():
    hard, soft, quiet = (
        plucked(0.1, freq=220.0, hardness=hardness, level=level)
        for hardness, level in ((1.0, 1.0), (0.0, 1.0), (1.0, 0.1))
    )
    np.testing.assert_allclose(quiet, 0.1 * hard, atol=1e-6)
    bright = lambda y: np.sum(np.diff(y) ** 2) / np.sum(y**2)  # noqa: E731
    assert bright(soft) < 0.2 * bright(hard)


def test_a_gate_plucks_where_it_rises_as_hard_as_it_is():
    gate = np.zeros((1, 4_000), np.float32)
    gate[0, 100:900], gate[0, 2_000:3_000] = 0.5, 1.0
    values = {"x": np.zeros((1, 4_000)), "freq": 480.0, "hardness": 1.0}
    y = play(registry().get("pluck~"), 4_000, {**values, "gate": gate})["y"][0]
    by_message = plucked(0.02, freq=480.0, hardness=1.0)
    assert not y[:100].any()
    np.testing.assert_allclose(y[100:900], 0.5 * by_message[:800], atol=1e-6)
    assert np.abs(y[2_000:2_100]).max() > 2 * np.abs(y[1_900:2_000]).max(), "struck again"


def test_voices_pluck_a_string_each():
    """Three notes at once are three channels, each with its own pitch."""
    patch = Patch()
    voices, string = patch.add("voices~", count=3), patch.add("pluck~", decay=2.0)
    patch.connect(voices.freq, string.freq)
    patch.connect(voices.gate, string.gate)
    patch.connect(string, patch.add("out~", channels=3))
    start = patch.add("loadbang")
    for pitch in (57, 60.5, 64):
        note = patch.add("message", text=f"{pitch} 0.9")
        patch.connect(start.bang, note.x)
        patch.connect(note.y, voices.notes)
    sound = patch.render(seconds=1.0).audio.astype(float)
    for channel, pitch in zip(sound, (57, 60.5, 64), strict=True):
        cents, _ = partial(channel[4_800:], 440 * 2 ** ((pitch - 69) / 12))
        assert abs(cents) < 0.25


def test_a_string_is_silent_until_it_is_plucked_and_sound_excites_it():
    spec = registry().get("pluck~")
    assert not play(spec, 2_000, {"x": np.zeros((1, 2_000))})["y"].any()
    x = np.zeros((1, RATE), np.float32)
    x[0, 0] = 1.0
    y = play(spec, RATE, {"x": x, "freq": 480.0, "decay": 1.0, "damping": 0.0})["y"][0]
    assert y[0] == 1.0 and not y[1:99].any(), "a round of 100 frames"
    assert y[100] == pytest.approx(0.001 ** (100 / RATE), abs=1e-4)


def test_a_pitch_that_glides_glides():
    frames = 2 * RATE
    freq = np.interp(np.arange(frames), [0, RATE // 2, RATE], [220.0, 220.0, 330.0])[None]
    unit = Unit(registry().get("pluck~"))
    y = unit.run(frames, {"x": np.zeros((1, frames)), "freq": freq, "decay": 8.0}, messages={"pluck": 1})["y"][0]
    cents, _ = partial(y[RATE + 4_800 :].astype(float), 330.0)
    assert abs(cents) < 0.5
    assert np.abs(np.diff(y[RATE // 2 :])).max() < 1.0


def test_frequencies_out_of_range_are_held():
    y = plucked(0.2, settings={"lowest": 100.0}, freq=20.0)
    assert np.abs(y).max() > 0.1, "as low as it can play"
    assert np.isfinite(plucked(0.2, freq=10_000.0)).all()
