"""CREPE hears the right pitch of tones, of a voice and of recorded basses, in rhythm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.listeners.driver import hear, values
from tests.listeners.sounds import SAMPLES, recording, tone
from tests.listeners.test_pitch import cents, key

FRAME_S = 256 / 16_000
DELAY_S = (2 + 4) * FRAME_S
"""From the middle of a frame to its answer, without `answer_s`."""


@pytest.mark.parametrize("hz", [55.0, 110.0, 220.0, 261.63, 440.0, 659.26, 880.0, 1318.5, 1760.0])
def test_a_tone_has_its_pitch_within_8_cents(crepe: Any, hz: float) -> None:
    found = values(hear(crepe, tone(hz, 1.5, 16_000), settle_s=0.3), "pitch")
    assert len(found) > 80
    assert abs(np.median(cents(found, hz))) < 8


def test_a_sung_scale_is_c_major(crepe: Any, demo: Any) -> None:
    said = hear(crepe, demo("voice", 16_000), settle_s=0.3)
    sung = [(item.time - DELAY_S, key(item.value)) for item in said if item.outlet == "pitch"]
    for second, right in enumerate([60, 62, 64, 65, 67, 69, 71], start=1):
        near = [pitch for time, pitch in sung if second - 0.1 < time < second + 0.5]
        assert len(near) > 30 and abs(np.median(near) - right) < 0.3


@pytest.mark.parametrize("name", ["bass_thick_c", "bass_trance_c", "bass_voxy_c", "bass_woodsy_c", "bass_drop_c"])
def test_a_recorded_bass_has_the_pitch_in_its_name(crepe: Any, name: str) -> None:
    found = values(hear(crepe, recording(SAMPLES / f"{name}.flac", 16_000), settle_s=0.3), "pitch")
    assert len(found) > 20 and abs((np.median(key(found)) + 6) % 12 - 6) < 0.3


def test_every_frame_is_told_once_and_in_rhythm(crepe: Any) -> None:
    said = hear(crepe, tone(220.0, 1.024, 16_000))
    times = [item.time for item in said if item.outlet == "confidence"]
    assert len(times) == 64 - 2, "the last two would need more sound"
    assert np.allclose(times, DELAY_S + FRAME_S * np.arange(len(times)))


def test_silence_has_no_pitch_and_a_pitch_outside_is_not_looked_for(crepe: Any) -> None:
    assert values(hear(crepe, np.zeros(16_000, np.float32)), "pitch") == []
    assert set(values(hear(crepe, np.zeros(16_000, np.float32)), "confidence")) == {0.0}
    crepe.controls |= {"low": 300.0, "high": 1_000.0}
    found = values(hear(crepe, tone(220.0, 1.0, 16_000)), "pitch")
    assert all(hz >= 290.0 for hz in found)
