"""Transformers drawn from checkpoints as hubs publish them answer what the library transformers answers.

The networks are small and their weights random: the real ones are too large to be fetched here. What draws them, what
the store keeps and what the nodes do is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph.core.errors import ModelError
from nodegraph.models import Store
from nodegraph.nodes.analysis.kaldi_mels import kaldi_columns
from nodegraph.nodes.analysis.spectrogram_tags import SpectrogramTagger, seen
from tests.listeners.checkpoints import Golden
from tests.listeners.sounds import random_input
from tests.listeners.test_networks import close


def stored(golden: Golden, folder: Path, network: str, **changed: Any) -> dict[str, Path]:
    """The whole way from a checkpoint to what a node gets."""
    store = Store(folder / "store")
    store.add(golden.checkpoint(folder / "published", **changed), "tiny", network=network)
    return store.files("tiny")


def refusal(golden: Golden, folder: Path, network: str, **changed: Any) -> str:
    with pytest.raises(ModelError) as caught:
        stored(golden, folder, network, **changed)
    assert not list((folder / "store").rglob("*.onnx")), "something is left in the store"
    return str(caught.value)


@pytest.fixture(scope="module")
def ast() -> Golden:
    return Golden("spectrogram-transformer")


@pytest.fixture(scope="module")
def tagger(ast: Golden, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpectrogramTagger]:
    node = SpectrogramTagger()
    node.load(stored(ast, tmp_path_factory.mktemp("ast"), "spectrogram-transformer"), "cpu")
    yield node


def test_the_spectrogram_transformer(ast: Golden, tagger: SpectrogramTagger) -> None:
    found = tagger.session.run(["logits", "embedding"], {"columns": random_input((2, 1024, 128), 12)})
    close(found[0], ast["logits"])
    close(found[1], ast["embedding"])


def test_columns_as_kaldi_makes_them(ast: Golden) -> None:
    sound = random_input((163_840,), 11) * np.float32(0.1)
    raw = kaldi_columns(sound[:5_000], 16_000, 128, window="hanning")
    assert raw.shape == (29, 128)
    close(raw, ast["raw"][:29])
    close(seen(sound)[::64], ast["columns"])
    assert (seen(np.zeros_like(sound))[:1_022] == seen(np.zeros_like(sound))[0, 0]).all()


def test_tags_of_a_sound_as_the_reference_gives_them(ast: Golden, tagger: SpectrogramTagger) -> None:
    tagger.controls = {"most": 4, "threshold": 0.0}
    answer = tagger.infer(random_input((163_840,), 11) * np.float32(0.1))
    likely = 1.0 / (1.0 + np.exp(-ast["heard"]))
    close(answer["scores"], likely)
    assert [tag.label for tag in answer["tags"]] == [f"Class {number}" for number in np.argsort(-likely)[:4]]


def test_checkpoints_of_other_networks_are_refused(ast: Golden, tmp_path: Path) -> None:
    draws = "spectrogram-transformer"
    assert "'wav2vec2'" in refusal(ast, tmp_path / "kind", draws, model_type="wav2vec2")
    assert "encoder.layer.2" in refusal(ast, tmp_path / "layers", draws, num_hidden_layers=3)
    assert "id2label" in refusal(ast, tmp_path / "labels", draws, id2label={"0": "one", "2": "three"})
    assert "3 equal heads" in refusal(ast, tmp_path / "heads", draws, num_attention_heads=3)
    assert "do not fit together" in refusal(ast, tmp_path / "bands", draws, num_mel_bins=64)
