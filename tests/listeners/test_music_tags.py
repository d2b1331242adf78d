"""musicnn names what is played on real recordings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.listeners.driver import hear, values
from tests.listeners.sounds import SAMPLES, recording

PLAYED = {
    "ambi_choir": "choir", "loop_amen_full": "drums", "loop_breakbeat": "drums", "loop_mika": "drums",
    "loop_safari": "drums", "loop_tabla": "indian", "loop_garzul": "techno", "loop_industrial": "techno",
    "guit_em9": "guitar", "ambi_haunted_hum": "ambient", "ambi_drone": "ambient",
}  # fmt: skip


def three_seconds(tagger: Any, sound: Any) -> Any:
    """A clip of it, again and again where it is shorter."""
    size = tagger.hears.samples
    return np.tile(sound, -(-size // len(sound)))[:size]


@pytest.mark.parametrize("name", PLAYED)
def test_it_names_what_is_played(music: Any, name: str) -> None:
    clip = three_seconds(music, recording(SAMPLES / f"{name}.flac", 16_000))
    music.controls |= {"most": 3, "threshold": 0.0}
    assert PLAYED[name] in [tag.label for tag in music.infer(clip)["tags"]]


def test_a_woman_sings_and_a_guitar_is_strummed(music: Any, demo: Any) -> None:
    for key, labels in (("voice", {"female", "woman"}), ("guitar", {"guitar"})):
        found = values(hear(music, demo(key, 16_000)), "tags")
        loudest = {tag.label for tag in found if tag.score > 0.4}
        assert loudest & labels, loudest


def test_shapes_and_bounds(music: Any) -> None:
    music.controls |= {"most": 50, "threshold": 0.0}
    answer = music.infer(three_seconds(music, recording(SAMPLES / "loop_mika.flac", 16_000)))
    assert answer["scores"].shape == (50,) and answer["embedding"].shape == (200,)
    scores = [tag.score for tag in answer["tags"]]
    assert len({tag.label for tag in answer["tags"]}) == 50 and scores == sorted(scores, reverse=True)
    music.controls |= {"most": 2, "threshold": 0.0}
    assert len(music.infer(np.zeros(music.hears.samples, np.float32))["tags"]) == 2
