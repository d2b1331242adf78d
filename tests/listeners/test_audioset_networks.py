"""PANNs, E-PANNs, OpenL3 and BEATs answer what the originals answer: from sound to tags, in full.

Nobody can fetch their weights here. So they have random ones and fewer channels, and go through the very same code: the
checkpoint in its authors' layout, the store, the network drawn from it, the node. The originals' answers to the same
sounds, with the same weights, lie in golden/ (`make_audioset_golden`).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph.core import InferenceNode, WorkerError
from nodegraph.core.errors import ModelError
from nodegraph.models import Store
from nodegraph.models.convert.fitting import Unfit
from nodegraph.models.convert.networks import NETWORKS
from nodegraph.models.convert.networks.audio_transformers import Settings, _buckets, wanted
from nodegraph.nodes.analysis.audio_embeddings import BeatsEmbedding, OpenL3
from nodegraph.nodes.analysis.audioset import audioset_labels, audioset_names
from nodegraph.nodes.analysis.audioset_tags import BeatsTagger, EfficientPannsTagger, PannsTagger
from tests.listeners.random_weights import (
    BEATS,
    LABELS,
    NARROW,
    PRUNED,
    cnn14_shapes,
    openl3_shapes,
    random_sounds,
    random_weights,
    save_torch,
)
from tests.models.conftest import left_behind

HERE = Path(__file__).parent / "golden"
GOLDEN = np.load(HERE / "audioset.npz")


def ready(node: InferenceNode, checkpoint: Path, network: str, folder: Path, **settings: str) -> Any:
    """The node with a checkpoint that went through the store."""
    store = Store(folder / "store")
    store.add(checkpoint, "mine", network=network, licence="unknown")
    files = store.files("mine")
    assert set(files) == {"model"}
    node.settings |= settings
    node.load(files, "cpu")
    return node


def close(found: Any, wanted: Any, least: float = 1e-5) -> None:
    assert found.shape == wanted.shape and found.dtype == np.float32
    error = float(np.abs(found - wanted).max() / np.abs(wanted).max())
    assert error < least, f"off by {error:.2g} of the largest number"


def beats_weights(name: str, number: int) -> dict[str, Any]:
    """As the script that asks the original makes them."""
    weights = random_weights(dict(sorted(wanted(Settings.read(BEATS[name])).items())), number)  # type: ignore[arg-type]
    for key in weights:
        if key.endswith("relative_attention_bias.weight"):
            weights[key] = weights["encoder.layers.0.self_attn.relative_attention_bias.weight"]
    return weights


@pytest.mark.parametrize(
    ("name", "node", "channels", "seed"),
    [("cnn14", PannsTagger, NARROW, 1), ("pruned", EfficientPannsTagger, PRUNED, 2)],
)
def test_panns_and_what_was_pruned_from_it(name: str, node: Any, channels: Any, seed: int, tmp_path: Path) -> None:
    """PANNs' checkpoints hold the weights beside others, E-PANNs' hold nothing else; both hold a transform, which we
    compute ourselves."""
    state = random_weights(cnn14_shapes(channels), seed)
    state["spectrogram_extractor.stft.conv_real.weight"] = np.zeros((513, 1, 1), np.float32)
    found = {"iteration": 600_000, "model": state} if name == "cnn14" else state
    tagger = ready(node(), save_torch(tmp_path / "a.pth", found), "cnn14", tmp_path)
    for number, sound in enumerate(random_sounds(32_000, 10 + seed)):
        answer = tagger.infer(sound)
        close(answer["embedding"], GOLDEN[f"{name}_embedding"][number], 1e-4)
        close(answer["scores"], GOLDEN[f"{name}_tags"][number], 1e-4)
        best = np.argsort(-GOLDEN[f"{name}_tags"][number])[:5]
        assert [tag.label for tag in answer["tags"]] == [audioset_labels()[index] for index in best]


@pytest.mark.parametrize("size", ["512", "6144"])
def test_openl3(size: str, tmp_path: Path) -> None:
    """Both embeddings come from one file. It is called .pth.tar, and is none."""
    state = random_weights(openl3_shapes(), 3) | {"speclayer.dft_real_kernels": np.zeros((1025, 1, 1), np.float32)}
    path = save_torch(tmp_path / "torchopenl3_mel256_music_512.pth.tar", state)
    node = ready(OpenL3(), path, "openl3", tmp_path, size=size)
    for number, sound in enumerate(random_sounds(48_000, 13)):
        close(node.infer(sound)["embedding"], GOLDEN[f"openl3_{size}"][number], 1e-4)


def test_beats_from_a_checkpoint_that_its_own_class_saved(tmp_path: Path) -> None:
    tagger = ready(BeatsTagger(), HERE / "beats-tuned.pt", "beats", tmp_path)
    names = audioset_names()
    assert [names.get(sign, sign) for sign in LABELS] == ["Speech", "Music", "Bird", "Thunder", "/m/mine"]
    assert tagger.labels == ["Speech", "Bird", "Music", "Thunder", "/m/mine"]  # AudioSet's order, not the checkpoint's
    tagger.controls |= {"threshold": 0.0}
    for number, sound in enumerate(random_sounds(32_000, 14)):
        answer, wanted = tagger.infer(sound), GOLDEN["beats_tuned_tags"][number]
        by_name = {names.get(sign, sign): float(score) for sign, score in zip(LABELS, wanted, strict=True)}
        assert {tag.label: tag.score for tag in answer["tags"]} == pytest.approx(by_name, abs=1e-5)
        close(answer["scores"], np.array([by_name[label] for label in tagger.labels], np.float32))
        close(answer["embedding"], GOLDEN["beats_tuned_embedding"][number])


@pytest.mark.parametrize(("name", "number"), [("tuned", 4), ("first", 5), ("plain", 6)])
def test_beats_with_other_settings(name: str, number: int, tmp_path: Path) -> None:
    """Normalised first or last, positions with gates, without, and none at all, three activations."""
    found = {"cfg": BEATS[name], "model": beats_weights(name, number), "label_dict": dict(enumerate(LABELS))}
    if name != "tuned":
        del found["label_dict"]
    node = ready(BeatsEmbedding(), save_torch(tmp_path / "a.pt", found), "beats", tmp_path)
    for place, sound in enumerate(random_sounds(32_000, 14)):
        close(node.infer(sound)["embedding"], GOLDEN[f"beats_{name}_embedding"][place])


def test_distances_fall_into_the_buckets_of_the_original() -> None:
    np.testing.assert_array_equal(_buckets(np.arange(-900, 901), 320, 800), GOLDEN["beats_buckets"])


def test_the_published_beats_has_as_many_numbers_as_its_authors_count() -> None:
    """With the settings of Microsoft's checkpoints: 250 arrays, and two of the predictor; 90.7 million numbers."""
    published = {
        "input_patch_size": 16, "embed_dim": 512, "encoder_layers": 12, "encoder_embed_dim": 768, "deep_norm": True,
        "encoder_ffn_embed_dim": 3072, "encoder_attention_heads": 12, "conv_pos": 128, "conv_pos_groups": 16,
        "relative_position_embedding": True, "num_buckets": 320, "max_distance": 800, "gru_rel_pos": True,
        "finetuned_model": True, "predictor_class": 527, "dropout": 0.0,
    }  # fmt: skip
    shapes = wanted(Settings.read(published))
    shared = 11 * 320 * 12  # one table of distances is saved with every layer
    assert len(shapes) == 252 and sum(int(np.prod(shape)) for shape in shapes.values()) - shared == 90_717_055  # type: ignore[arg-type]


def test_a_beats_that_was_not_tuned_has_no_tags(tmp_path: Path) -> None:
    path = save_torch(tmp_path / "a.pt", {"cfg": BEATS["first"], "model": beats_weights("first", 5)})
    with pytest.raises(WorkerError, match=r"Use it with beats\.embed~"):
        ready(BeatsTagger(), path, "beats", tmp_path)


def test_the_names_are_those_that_google_published() -> None:
    """Written as class_labels_indices.csv, they have its hash."""
    rows = [f'{index},{sign},"{name}"' for index, (sign, name) in enumerate(audioset_names().items())]
    text = "\n".join(["index,mid,display_name", *rows, ""])
    published = "cdd1049833c4b86127c2773ac0d14a2754b6a6d0d1798002ed5c66e699708429"
    assert hashlib.sha256(text.encode()).hexdigest() == published
    assert len(audioset_labels()) == 527 and audioset_labels()[137] == "Music"


def without(state: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name not in names}


WRONG: dict[str, tuple[str, Any, str]] = {
    "a layer is missing": (
        "cnn14", lambda: without(random_weights(cnn14_shapes(NARROW), 1), "fc1.bias"), "it has no fc1.bias"),
    "a layer has another shape": (
        "cnn14", lambda: random_weights(cnn14_shapes(NARROW) | {"bn0.bias": (32,)}, 1),
        "bn0.bias is 32 where 64 is needed"),
    "it is for 16 kHz": (
        "cnn14", lambda: random_weights(cnn14_shapes(NARROW) | {"logmel_extractor.melW": (257, 64)}, 1),
        "logmel_extractor.melW is 257×64 where 513×64 is needed"),
    "channels do not follow": (
        "cnn14", lambda: random_weights(cnn14_shapes(NARROW) | {"conv_block2.conv1.weight": (6, 5, 3, 3)}, 1),
        "conv_block2.conv1.weight is 6×5×3×3"),
    "it has a branch more": (
        "cnn14", lambda: random_weights(cnn14_shapes(NARROW) | {"pre_conv0.weight": (4, 1, 11)}, 1),
        "it has pre_conv0.weight, which this network does not know"),
    "it hears 128 bands": (
        "openl3", lambda: random_weights(openl3_shapes() | {"speclayer.mel_basis": (128, 1025)}, 1),
        "speclayer.mel_basis is 128×1025 where 256×1025 is needed"),
    "it hears no bands": (
        "openl3", lambda: without(random_weights(openl3_shapes(), 1), "speclayer.mel_basis"),
        "it has no speclayer.mel_basis"),
    "its settings say more layers": (
        "beats", lambda: {"cfg": BEATS["plain"] | {"encoder_layers": 2}, "model": beats_weights("plain", 6)},
        "it has no encoder.layers.1.self_attn.k_proj.weight"),
    "its settings are texts": (
        "beats", lambda: {"cfg": BEATS["plain"] | {"embed_dim": "12"}, "model": beats_weights("plain", 6)},
        "its setting embed_dim is '12', which is no int"),
    "its settings do not go together": (
        "beats", lambda: {"cfg": BEATS["plain"] | {"encoder_attention_heads": 3}, "model": beats_weights("plain", 6)},
        "its settings do not go together"),
    "its settings are huge": (
        "beats", lambda: {"cfg": BEATS["plain"] | {"max_distance": 1 << 40}, "model": beats_weights("plain", 6)},
        "its settings do not go together"),
    "its classes have no names": (
        "beats", lambda: {"cfg": BEATS["tuned"], "model": beats_weights("tuned", 4), "label_dict": {0: "/m/09x0r"}},
        "its label_dict does not name each of its 5 classes"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_a_checkpoint_is_said(case: str, tmp_path: Path) -> None:
    network, make, said = WRONG[case]
    path = save_torch(tmp_path / "a.pth", make())
    with pytest.raises(Unfit) as caught:
        NETWORKS[network].draw({"weights": path})
    assert said in str(caught.value), caught.value


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ("cnn14", "it has no logmel_extractor.melW, bn0.weight, bn0.bias, bn0.running_mean and 65 more"),
        ("openl3", "and 45 more; it has model.encoder.layer_norm.bias, model.encoder.layer_norm.weight"),
        ("beats", "it has no encoder.layers.1.self_attn.k_proj.weight"),
    ],
)
def test_a_checkpoint_of_another_network_is_refused_and_nothing_is_kept(
    network: str, said: str, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    found = {"cfg": BEATS["plain"] | {"encoder_layers": 2}, "model": beats_weights("plain", 6)}
    with pytest.raises(ModelError) as caught:
        store.add(save_torch(tmp_path / "a.pth", found), "mine", network=network)
    (problem,) = caught.value.problems
    assert problem.code == "wrong-architecture" and said in problem.what, problem.what
    assert not [item for item in store.list() if item.added]
    assert not [name for name in left_behind(store) if name.endswith((".pth", ".onnx"))]
