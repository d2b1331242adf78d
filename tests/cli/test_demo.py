"""The main job: `nodegraph demo` plays, says what it hears, and leaves a sound and a picture."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from nodegraph.models import Store
from tests.cli.conftest import Command
from tests.models.weights import fetched

ROOT = Path(__file__).parents[2]


def test_the_demo_leaves_what_it_played_and_what_it_looks_like(
    tmp_path: Path, nodegraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("yamnet", "swift-f0", "demo-sound"):
        fetched(Store(), name)
    monkeypatch.chdir(tmp_path)
    said = nodegraph("demo", "--driver", "null", "--seconds", "4")
    assert said.code == 0, said.err
    sound, rate = soundfile.read("out/demo.wav", dtype="float32")
    assert sound.shape == (4 * rate, 2)
    assert 0.05 < np.abs(sound).max() <= 0.9, "neither silent nor clipped"
    picture = Path("out/demo.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) > 100_000
    assert "ears.tags: " in said.out, "it says what it hears while it plays"
    assert "out/demo.wav" in said.out and "out/demo.png" in said.out, "and what it leaves"
