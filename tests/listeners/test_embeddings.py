"""Embeddings put like sounds together: voices by speaker, sounds by what makes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.listeners.driver import hear, read, values
from tests.listeners.sounds import ALSA, SAMPLES, recording, spoken
from tests.needs import needs

WORDS = ("Front_Center", "Front_Left", "Front_Right", "Rear_Center", "Rear_Left", "Rear_Right", "Side_Left",
         "Side_Right")  # fmt: skip
SENTENCES = ("The quick brown fox jumps over the lazy dog near the bank of the river.",
             "She sells sea shells by the sea shore every single morning.")  # fmt: skip
OTHERS = ("en+m1", "en+f2", "en-us+m7")
FAMILIES = {
    "tabla": "tabla_*", "bass drum": "bd_*", "tom": "drum_tom_*", "cymbal": "drum_cymbal_*",
    "robot": "mehackit_robot*", "phone": "mehackit_phone*",
}  # fmt: skip


def whose(node: Any, sound: Any) -> Any:
    """The mean of what it says of a voice."""
    found = np.mean(values(hear(node, sound), "voice"), axis=0)
    return found / np.linalg.norm(found)


def test_eight_recordings_of_one_woman_are_one_voice_and_no_others(voice: Any, tmp_path: Path) -> None:
    needs(ALSA / "Front_Center.wav", install="apt install alsa-utils")
    hers = [whose(voice, read(ALSA / f"{word}.wav", 16_000)) for word in WORDS]
    theirs = []
    for name in OTHERS:
        for sentence in SENTENCES:
            theirs.append((name, whose(voice, spoken(sentence, 16_000, tmp_path, name))))
    for number, one in enumerate(hers):
        rest = np.mean([other for place, other in enumerate(hers) if place != number], axis=0)
        assert one @ rest > max(one @ other for _, other in theirs) + 0.1
    for name, one in theirs:
        near = max((one @ other, who) for who, other in theirs if other is not one)
        assert near[1] == name, f"{name} is taken for {near[1]}"
        assert one @ np.mean(hers, axis=0) < 0.65


def test_a_soft_voice_is_the_same_voice_and_silence_is_nobody(voice: Any) -> None:
    sound = recording(ALSA / "Rear_Left.wav", 16_000)
    assert whose(voice, sound) @ whose(voice, sound * np.float32(0.05)) > 0.85
    assert hear(voice, np.zeros(40_000, np.float32)) == []
    assert np.isclose(np.linalg.norm(values(hear(voice, sound), "voice")[0]), 1.0)


def test_sounds_of_one_family_lie_together(sfx: Any) -> None:
    """The nearest of 61 recordings is mostly of the same family."""
    names, vectors = [], []
    for family, pattern in FAMILIES.items():
        for path in sorted(needs(SAMPLES, install="apt install sonic-pi-samples").glob(f"{pattern}.flac")):
            sound = recording(path, 44_100)
            size = sfx.hears.samples
            vector = sfx.infer(np.pad(sound, (0, max(0, size - len(sound))))[:size])["embedding"]
            names.append(family)
            vectors.append(vector / np.linalg.norm(vector))
    alike = np.array(vectors) @ np.array(vectors).T
    np.fill_diagonal(alike, -1.0)
    right = sum(names[int(row.argmax())] == name for name, row in zip(names, alike, strict=True))
    assert len(names) == 61 and right >= 57


def test_an_embedding_of_effects_has_its_shape(sfx: Any) -> None:
    answer = sfx.infer(np.zeros(sfx.hears.samples, np.float32))["embedding"]
    assert answer.shape == (512,) and answer.dtype == np.float32 and answer.min() >= 0.0


@pytest.mark.parametrize("level", [0.5, 0.1])
def test_a_softer_effect_is_nearest_to_itself(sfx: Any, level: float) -> None:
    size = sfx.hears.samples
    vectors = []
    for name in ("perc_door", "misc_crow", "vinyl_scratch", "drum_roll", "glitch_robot1"):
        sound = np.pad(recording(SAMPLES / f"{name}.flac", 44_100), (0, size))[:size]
        vectors.append([sfx.infer(sound * np.float32(gain))["embedding"] for gain in (1.0, level)])
    for number, (_, soft) in enumerate(vectors):
        alike = [soft @ loud / np.linalg.norm(loud) for loud, _ in vectors]
        assert int(np.argmax(alike)) == number
