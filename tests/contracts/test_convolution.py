"""convolve~ against the sum that defines it, for responses that use every number of stages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import fftconvolve

from nodegraph.core.errors import MediaError
from nodegraph.core.registry import registry
from nodegraph.nodes.partitions import stages
from tests.contracts.harness import db, play, same_bits

RATE = 48_000
RESIDUE_DB = -110.0
"""What rounding leaves, beside the output; float32 alone has -144 dB a number, and a long sum adds many."""
TAPS = [1, 2, 63, 64, 65, 128, 200, 511, 1_000, 4_096, 20_000, 70_000]

spec = next(item for item in registry() if item.kind == "convolve~")


def response(folder: Path, taps: int, channels: int = 1) -> tuple[Path, np.ndarray]:
    """Noise that falls by 60 dB, as a file and as numbers."""
    noise = np.random.default_rng(taps).standard_normal((taps, channels))
    noise *= (10 ** (-3 * np.arange(taps) / taps) / np.sqrt(taps / 14))[:, None]
    path = folder / f"response-{taps}-{channels}.wav"
    soundfile.write(path, noise.astype(np.float32), RATE, "FLOAT")
    return path, noise.astype(np.float32).astype(np.float64).T


def noise(frames: int, channels: int = 1) -> np.ndarray:
    return (0.3 * np.random.default_rng(5).standard_normal((channels, frames))).astype(np.float32)


def residue_db(found: np.ndarray, wanted: np.ndarray) -> float:
    return db(np.sqrt(np.mean((found - wanted) ** 2) / np.mean(wanted**2)))


@pytest.mark.parametrize("taps", TAPS)
def test_it_is_the_sum_over_all_taps(taps: int, tmp_path: Path) -> None:
    path, h = response(tmp_path, taps)
    x = noise(2 * taps + 3_000)
    y = play(spec, x.shape[1], {"x": x}, settings={"file": path}, split=[64])["y"]
    wanted = fftconvolve(x[0].astype(np.float64), h[0])[: x.shape[1]]
    assert residue_db(y[0], wanted) < RESIDUE_DB


def test_the_responses_here_use_one_stage_and_many() -> None:
    counts = {len(stages(taps)) for taps in TAPS}
    assert 1 in counts and max(counts) >= 3, counts


def test_an_impulse_brings_out_the_response_at_once_and_at_every_place(tmp_path: Path) -> None:
    path, h = response(tmp_path, 300)
    for at in (0, 1, 63, 64, 100):
        x = np.zeros((1, 1_000), np.float32)
        x[0, at] = 1.0
        y = play(spec, 1_000, {"x": x}, settings={"file": path}, split=[17])["y"][0]
        assert np.abs(y[:at]).max(initial=0.0) < 1e-6, "nothing before it"
        assert np.abs(y[at : at + 300] - h[0]).max() < 1e-6
        assert np.abs(y[at + 300 :]).max() < 1e-6, "nothing behind it"


def test_the_cut_into_blocks_changes_no_bit_of_a_long_response(tmp_path: Path) -> None:
    path, _ = response(tmp_path, 20_000)
    x = noise(60_000)
    whole = play(spec, 60_000, {"x": x}, settings={"file": path})
    for split in ([64], [1, 63, 200], [512]):
        assert not same_bits(whole, play(spec, 60_000, {"x": x}, settings={"file": path}, split=split))


def test_channels_meet_their_own_response(tmp_path: Path) -> None:
    path, h = response(tmp_path, 500, channels=2)
    x = noise(4_000, 2)
    y = play(spec, 4_000, {"x": x}, settings={"file": path})["y"]
    for channel in range(2):
        wanted = fftconvolve(x[channel].astype(np.float64), h[channel])[:4_000]
        assert residue_db(y[channel], wanted) < RESIDUE_DB
    both = play(spec, 4_000, {"x": x[:1]}, settings={"file": path})["y"]
    assert residue_db(both[1], fftconvolve(x[0].astype(np.float64), h[1])[:4_000]) < RESIDUE_DB


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"nothing\.wav"):
        play(spec, 64, {"x": noise(64)}, settings={"file": tmp_path / "nothing.wav"})
    with pytest.raises(MediaError, match="no file"):
        play(spec, 64, {"x": noise(64)})
