"""Wav2Vec 2.0, drawn from small checkpoints with random weights, answers what transformers answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nodegraph.core import At
from nodegraph.models.convert.hubfile import read_weights
from nodegraph.models.convert.networks.wav2vec2 import wav2vec2
from nodegraph.nodes.analysis.speech import Emotion, SpeechFeatures, levelled
from nodegraph.runtime.lane.answers import pack_answer, unpack_items
from tests.listeners.checkpoints import Golden, as_published
from tests.listeners.sounds import random_input
from tests.listeners.test_networks import close
from tests.listeners.test_transformers import refusal

FEATURES, CLASSES = Golden("wav2vec2"), Golden("wav2vec2-classifier")
SOUND = random_input((32_080,), 31) * np.float32(0.05)


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> SpeechFeatures:
    folder = tmp_path_factory.mktemp("wav2vec2")
    node = SpeechFeatures()
    node.load(as_published("wav2vec2-base", folder, FEATURES.checkpoint(folder / "published")), "cpu")
    return node


def test_frames_are_those_of_the_reference(features: SpeechFeatures) -> None:
    found = features.session.run(["features"], {"sound": levelled(SOUND)[None]})[0][0]
    assert found.shape == (100, 16)
    close(found, FEATURES["heard"], 2e-5)


def test_they_flow_fifty_times_a_second_each_from_its_place(features: SpeechFeatures) -> None:
    """The frames of the last chunk that have heard enough of what comes after them."""
    features.reset()
    for start in range(80, 32_080, 8_000):
        answer = features.infer(SOUND[start : start + 8_000])["features"]
    assert [item.offset_s for item in answer] == [number * 0.02 for number in range(25)]
    heard = np.concatenate([np.zeros(80, np.float32), SOUND[80:]])
    wanted = features.session.run(["features"], {"sound": levelled(heard)[None]})[0][0][63:88]
    np.testing.assert_array_equal(np.stack([item.message for item in answer]), wanted)


def test_arrays_at_their_own_instants_go_over_the_wire() -> None:
    answer = {"features": [At(0.0, np.zeros(768)), At(0.02, np.ones(768))]}
    items = unpack_items(pack_answer(SpeechFeatures.spec, answer, 100, 48_000))
    assert [(outlet, frame, float(value[0])) for outlet, frame, value in items] == [
        ("features", 100, 0.0), ("features", 1_060, 1.0),
    ]  # fmt: skip


def test_weights_under_their_older_names_make_the_same(tmp_path: Path) -> None:
    """``weight_g`` and ``weight_v``, and names without the model's own before them."""
    weights = dict(read_weights(FEATURES.checkpoint(tmp_path)["weights"]))
    older = {
        "wav2vec2." + name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"): array
        for name, array in weights.items()
    }  # fmt: skip
    assert "wav2vec2.encoder.pos_conv_embed.conv.weight_g" in older
    one, two = (wav2vec2(item, FEATURES.config).SerializeToString() for item in (weights, older))
    assert one == two


def test_emotions_are_those_of_the_reference(tmp_path: Path) -> None:
    node = Emotion()
    node.load(as_published("emotion", tmp_path, CLASSES.checkpoint(tmp_path / "published")), "cpu")
    raised = np.exp(CLASSES["heard"] - CLASSES["heard"].max())
    answer = node.infer(SOUND)
    close(answer["scores"], raised / raised.sum())
    words = np.array(["neutral", "happy", "angry", "sad"])[np.argsort(-CLASSES["heard"])]
    assert [tag.label for tag in answer["tags"]] == list(words)
    assert node.infer(np.zeros(48_000, np.float32)) == {}


def test_checkpoints_of_other_networks_are_refused(tmp_path: Path) -> None:
    draws = "wav2vec2-classifier"
    assert "layer_weights" in refusal(FEATURES, tmp_path / "bare", draws)
    assert "'hubert'" in refusal(CLASSES, tmp_path / "kind", draws, model_type="hubert")
    assert "size 'base'" in refusal(CLASSES, tmp_path / "large", draws, do_stable_layer_norm=True)
    assert "id2label" in refusal(CLASSES, tmp_path / "labels", draws, id2label=None)
