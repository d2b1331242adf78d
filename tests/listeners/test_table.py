"""docs/listening.md says how many things each model was asked; the tests here ask as many."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.listeners import test_beats, test_embeddings, test_harmony, test_music_tags, test_pitch, test_yamnet

TABLE = {
    row[0]: row[3]
    for line in (Path(__file__).parents[2] / "docs/listening.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| `") and len(row := [part.strip(" `") for part in line.strip("|").split("|")]) == 4
}
TONES, CREPE_TONES, SUNG, CREPE_BASSES, DEMO = 10, 9, 7, 5, 2
ASKED = {
    "yamnet.tag~": len(test_yamnet.RECORDINGS) + DEMO,
    "musicnn.tag~": len(test_music_tags.PLAYED) + DEMO,
    "pitch.swift~": TONES + SUNG + len(test_pitch.NAMED),
    "pitch.crepe~": CREPE_TONES + SUNG + CREPE_BASSES,
    "beat~": len(test_beats.LOOPS),
    "voice.embed~": len(test_embeddings.WORDS),
    "key~": 4 * len(test_harmony.CADENCES) + 1,
}


@pytest.mark.parametrize("node", ASKED)
def test_the_table_counts_what_the_tests_ask(node: str) -> None:
    found = re.match(r"(\d+) of (\d+)", TABLE[node])
    assert found and int(found[1]) == ASKED[node], TABLE[node]
    assert node == "beat~" or found[1] == found[2]
