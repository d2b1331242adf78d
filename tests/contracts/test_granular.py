"""grains~: each grain is the file, at its place and pitch, under a Hann window; a cloud has as many as it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from nodegraph.core.errors import MediaError
from nodegraph.core.registry import registry
from tests.contracts.harness import play

RATE = 48_000
spec = next(item for item in registry() if item.kind == "grains~")
ALONE = {"density": 1.0, "length": 0.05, "position_spread": 0.0, "pan_spread": 0.0}
SPAN = 2_400


@pytest.fixture(scope="module")
def tone(tmp_path_factory) -> tuple[Path, np.ndarray]:
    """A second of two sines that go through whole cycles."""
    n = np.arange(RATE)
    sound = (0.5 * np.sin(2 * np.pi * 440 * n / RATE) + 0.2 * np.sin(2 * np.pi * 1_200 * n / RATE)).astype(np.float32)
    path = tmp_path_factory.mktemp("grains") / "tone.wav"
    soundfile.write(path, sound, RATE, "FLOAT")
    return path, sound


def hann(frames: int) -> np.ndarray:
    return np.sin(np.pi * (np.arange(frames) + 0.5) / frames) ** 2


def cloud(path: Path, frames: int, **values: float) -> np.ndarray:
    settings = {name: values.pop(name) for name in ("most", "seed") if name in values}
    return play(spec, frames, values, settings={"file": path, **settings})["y"]


@pytest.mark.parametrize("position", [0.0, 0.25, 0.99])
def test_an_unshifted_grain_is_the_file_under_its_window(tone, position: float) -> None:
    path, sound = tone
    y = cloud(path, 4_000, **ALONE, position=position)
    at = round(position * RATE)
    wanted = np.take(sound, np.arange(at, at + SPAN), mode="wrap") * hann(SPAN) * np.sqrt(0.5)
    for side in y:
        assert np.abs(side[:SPAN] - wanted).max() < 2e-5
        assert np.abs(side[SPAN:]).max() == 0.0, "it ends when its time is over"


@pytest.mark.parametrize("pitch", [-12.0, -0.5, 7.0, 12.0, 24.0])
def test_a_shifted_grain_reads_the_file_faster_or_slower(tone, pitch: float) -> None:
    path, _ = tone
    y = cloud(path, 4_000, **ALONE, position=0.5, pitch=pitch)[0]
    n = RATE / 2 + np.arange(SPAN) * 2 ** (pitch / 12)
    wanted = 0.5 * np.sin(2 * np.pi * 440 * n / RATE) + 0.2 * np.sin(2 * np.pi * 1_200 * n / RATE)
    residue = y[:SPAN] - wanted * hann(SPAN) * np.sqrt(0.5)
    # a cubic through samples of a sine at f leaves about (pi f / rate)^3 of it
    assert np.abs(residue).max() < 1e-3


def test_so_many_overlap_as_density_and_length_say(tone) -> None:
    """Grains at one place of a constant add up to their windows: density times length halves."""
    path = tone[0].parent / "one.wav"
    soundfile.write(path, np.ones(RATE, np.float32), RATE, "FLOAT")
    y = cloud(path, RATE, density=320.0, length=0.1, position_spread=0.5, pan_spread=0.0)[0]
    settled = y[9_600:]
    assert np.mean(settled) == pytest.approx(16.0 * np.sqrt(0.5), rel=1e-3)
    assert np.ptp(settled) < 0.01, "evenly spaced Hann windows add up to a constant"


def test_no_more_than_the_most_sound_at_once(tone) -> None:
    path = tone[0].parent / "one.wav"
    soundfile.write(path, np.ones(RATE, np.float32), RATE, "FLOAT")
    y = cloud(path, RATE, density=320.0, length=0.1, pan_spread=0.0, most=4)[0]
    assert np.max(y) <= 4 * np.sqrt(0.5) + 1e-3


def test_chance_follows_from_the_seed(tone) -> None:
    path, _ = tone
    wild = {"density": 100.0, "position_spread": 1.0, "pitch_spread": 12.0, "pan_spread": 1.0, "jitter": 1.0}
    first, again, other = (cloud(path, 20_000, **wild, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1]), "the sides differ"


def test_a_message_is_one_more_grain(tone) -> None:
    path, _ = tone
    quiet = {"density": 0.01, "length": 0.05, "position_spread": 0.0, "pan_spread": 0.0, "position": 0.25}
    once = play(spec, 4_000, quiet, settings={"file": path})["y"]
    twice = play(spec, 4_000, quiet, settings={"file": path}, messages={"grain": 1})["y"]
    assert np.abs(twice - 2 * once).max() < 1e-5
    assert np.abs(once).max() > 0.1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf], ids=str)
def test_controls_that_are_no_numbers_leave_no_grains_behind(tone, bad: float) -> None:
    """For 64 frames; the cloud is then what it was, not clogged by grains of ten seconds."""
    path, _ = tone
    frames, fine = 12_000, {"density": 300.0, "length": 0.02, "position": 0.3, "pitch": 1.0, "pan_spread": 0.0}
    values = {name: np.full((1, frames), value, np.float32) for name, value in fine.items()}
    for value in values.values():
        value[:, 64:128] = bad
    y = play(spec, frames, values, settings={"file": path})["y"]
    healthy = cloud(path, frames, **fine)
    assert np.isfinite(y[:, 128:]).all()
    loud, wanted = (np.sqrt(np.mean(sound[:, 4_000:] ** 2)) for sound in (y, healthy))
    assert loud == pytest.approx(wanted, rel=0.3)


def test_a_file_that_is_missing_is_named(tone) -> None:
    with pytest.raises(MediaError, match=r"nothing\.wav"):
        cloud(tone[0].parent / "nothing.wav", 64)
