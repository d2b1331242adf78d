"""Answers stand in a patch when their help says: after the sound they speak of, by a time that does not vary."""

from __future__ import annotations

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.models import Store
from tests.models.weights import fetched

PROMISED = {
    # kind: (model, outlet, when the first answer's sound is over or in its middle, seconds after it, seconds apart)
    "pitch.swift~": ("swift-f0", "confidence", 0.0, 0.308, 0.016),
    "pitch.crepe~": ("crepe-tiny", "confidence", 0.0, 0.310, 0.016),
    "vad~": ("silero-vad", "speech", 0.032, 0.132, 0.032),
}


@pytest.mark.parametrize("kind", PROMISED)
def test_answers_stand_when_the_help_says(kind: str) -> None:
    model, outlet, sounded, after, apart = PROMISED[kind]
    fetched(Store(), model)
    patch = Patch("Times")
    patch.connect(patch.add("in~", "in"), patch.add(kind, "ears"), patch.add("print"))
    patch.connect("in", patch.add("out~", "out"))
    made = patch.render(input=np.zeros((1, 48_000), np.float32))
    times = [event.time for event in made[f"ears.{outlet}"]]
    assert times[0] == pytest.approx(sounded + after, abs=0.001)
    assert np.diff(times) == pytest.approx(apart, abs=1e-4)
