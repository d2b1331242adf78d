"""Mel columns are those of Kaldi's own code, and of the formula that transformers and torchaudio follow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nodegraph.nodes.analysis.kaldi_mels import FLOOR, kaldi_columns
from tests.listeners.sounds import random_input

GOLDEN = np.load(Path(__file__).parent / "golden/kaldi-mels.npz")
SCALES = {"povey": 32_768.0, "hanning": 1.0}


@pytest.mark.parametrize("window", ["povey", "hanning"])
@pytest.mark.parametrize(("bands", "least"), [(64, 3e-4), (128, 1e-4)])
def test_they_are_those_of_kaldi(window, bands, least):
    """In the natural logarithm: 3e-4 is 0.0013 dB; Kaldi computes in float32."""
    sound = random_input((4_000,), 1) * np.float32(0.1 * SCALES[window])
    found, wanted = kaldi_columns(sound, 16_000, bands, window=window), GOLDEN[f"{window}_{bands}"]
    assert found.shape == wanted.shape == (23, bands) and found.dtype == np.float32
    assert np.abs(found - wanted).max() < least


def test_silence_is_the_floor_and_what_is_too_short_is_nothing():
    assert np.all(kaldi_columns(np.zeros(400, np.float32), 16_000, 128) == np.float32(np.log(FLOOR)))
    assert kaldi_columns(np.zeros(399, np.float32), 16_000, 128).shape == (0, 128)
    assert kaldi_columns(np.ones(560, np.float32), 16_000, 128).shape == (2, 128)
