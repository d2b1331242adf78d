"""The networks that are drawn here answer what the originals answer, to float32 rounding."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph.models import Store
from nodegraph.nodes.analysis.sessions import open_session
from tests.listeners.sounds import random_input
from tests.models.weights import fetched

GOLDEN = np.load(Path(__file__).parent / "golden/networks.npz")


def answers(model: str, outputs: list[str], feed: dict[str, Any]) -> list[Any]:
    store = Store()
    fetched(store, model)
    found: list[Any] = open_session(store.files(model)["model"]).run(outputs, feed)
    return found


def close(found: Any, wanted: Any, least: float = 1e-5) -> None:
    assert found.shape == wanted.shape
    error = float(np.abs(found - wanted).max() / np.abs(wanted).max())
    assert error < least, f"off by {error:.2g} of the largest number"


def test_crepe() -> None:
    (found,) = answers("crepe-tiny", ["likelihoods"], {"frames": random_input((3, 1024), 1)})
    close(found, GOLDEN["crepe_likelihoods"])


def test_the_voice_encoder() -> None:
    (found,) = answers("voice-encoder", ["voice"], {"columns": np.abs(random_input((2, 160, 40), 2))})
    close(found, GOLDEN["voice_vectors"])


def test_sound_effects() -> None:
    (found,) = answers("sound-effects", ["embedding"], {"columns": np.abs(random_input((2, 100, 96), 3))})
    close(found, GOLDEN["sfx_vectors"])


@pytest.mark.parametrize("piece", [60, 7, 1])
def test_beats_whole_and_piece_by_piece(piece: int) -> None:
    """It remembers what it heard before: however the sound is cut, it answers the same."""
    store = Store()
    fetched(store, "beatnet-1")
    session = open_session(store.files("beatnet-1")["model"])
    features = np.abs(random_input((1, 60, 272), 4))[0]
    hidden = cell = np.zeros((2, 1, 150), np.float32)
    found = []
    for start in range(0, 60, piece):
        likely, hidden, cell = session.run(
            ["likelihoods", "hidden_out", "cell_out"],
            {"features": features[start : start + piece], "hidden": hidden, "cell": cell},
        )
        found.append(likely)
    close(np.concatenate(found), GOLDEN["beats_likelihoods"])


@pytest.mark.parametrize("learned", ["mtt", "msd"])
def test_music_tags(learned: str) -> None:
    columns = np.abs(random_input((2, 187, 96), 5)) * np.float32(2.0)
    (found,) = answers(f"musicnn-{learned}", ["tags"], {"columns": columns})
    close(found, GOLDEN[f"music_{learned}"], 1e-4)


def test_nodes_that_use_the_same_model_share_it_and_the_last_one_lets_it_go(tmp_path: Path) -> None:
    store = Store()
    fetched(store, "crepe-tiny")
    path = tmp_path / "of-this-test.onnx"
    path.write_bytes(store.files("crepe-tiny")["model"].read_bytes())
    one, other = open_session(path), open_session(path)
    assert one is other and open_session(path, show=("v5",)) is not one
    gone = weakref.ref(one)
    del one, other
    gc.collect()
    assert gone() is None
