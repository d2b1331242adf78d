"""`tagger~` says what PyTorch says with the same network, in a patch and through its worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.core import CableKind, ModelError, WorkerError, registry
from nodegraph.nodes.analysis.mels import log_columns
from nodegraph.nodes.analysis.own_taggers import OwnTagger
from nodegraph.nodes.analysis.spikes import Spikes
from nodegraph.validation.clips import tried
from nodegraph.validation.finding import Note
from tests.listeners.driver import hear, values
from tests.own.nets import GOLDEN, SOUND, TAGGER, loudness, low_or_high, save, told
from tests.own.sounds import LABELS, RATE, sound
from tests.own.test_format import changed

ANSWERS = np.load(GOLDEN / "answers.npz")


def loaded(path: Path, **settings: Any) -> Any:
    """The node with the network of this file, as a worker has it."""
    given = {item.name: item.default for item in OwnTagger.spec.settings} | {"file": path} | settings
    node: Any = OwnTagger.shaped(given).cls()
    node.settings = given
    node.load({}, "cpu")
    return node


def softmax(logits: Any) -> Any:
    raised = np.exp(logits.astype(np.float64))
    return raised / raised.sum()


def test_scores_and_embeddings_are_those_of_pytorch() -> None:
    node = loaded(GOLDEN / "small.onnx")
    for number, columns in enumerate(ANSWERS["columns"]):
        names = ["scores", "embedding"]
        logits, embedding = node.answers(names, {node.network.input: columns[None]})
        assert np.abs(logits[0] - ANSWERS["logits"][number]).max() < 1e-4
        assert np.abs(embedding[0] - ANSWERS["embedding"][number]).max() < 1e-4


def test_from_the_sound_on_it_is_what_pytorch_said_of_its_columns() -> None:
    node = loaded(GOLDEN / "small.onnx")
    node.controls["threshold"] = 0.0
    for number in range(9):
        clip = sound(LABELS[number % 3], number // 3, node.network.samples)
        assert np.abs(log_columns(clip, node.network.mels) - ANSWERS["columns"][number]).max() < 1e-3
        answer = node.infer(clip)
        assert np.abs(answer["scores"] - softmax(ANSWERS["logits"][number])).max() < 1e-4
        assert np.abs(answer["embedding"] - ANSWERS["embedding"][number]).max() < 1e-3
        assert abs(answer["scores"].sum() - 1.0) < 1e-6 and answer["scores"].dtype == np.float32
        assert answer["tags"][0].label == LABELS[number % 3], "it was trained for that"
        assert [tag.score for tag in answer["tags"]] == sorted((tag.score for tag in answer["tags"]), reverse=True)


def test_sounds_that_it_has_never_heard_are_told_apart() -> None:
    node = loaded(GOLDEN / "small.onnx")
    right = 0
    for seed in range(5_000, 5_020):
        for label in LABELS:
            said = hear(node, sound(label, seed, node.network.samples))
            right += values(said, "tags")[0].label == label
    assert right >= 57, f"{right} of 60"


@pytest.mark.parametrize(
    ("activation", "wanted"),
    [("logits-softmax", softmax), ("logits-sigmoid", lambda x: 1.0 / (1.0 + np.exp(-x))), ("probabilities", None)],
)
def test_what_comes_out_of_it_are_probabilities(tmp_path: Path, activation: str, wanted: Any) -> None:
    node = loaded(save(told(low_or_high(), changed(TAGGER, activation=activation)), tmp_path / "net.onnx"))
    clip = sound("low", 1, 8_000)
    columns = log_columns(clip, node.network.mels)
    logits = np.array([columns[:, :12].mean(), columns[:, 12:].mean()])
    found = node.infer(clip)["scores"]
    expected = np.clip(logits, 0.0, 1.0) if wanted is None else wanted(logits)
    assert np.abs(found - expected).max() < 1e-5


def test_the_ports_are_those_of_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save(told(low_or_high(), TAGGER), tmp_path / "two.onnx")
    (tmp_path / "small.onnx").write_bytes((GOLDEN / "small.onnx").read_bytes())
    patch = Patch()
    for name in ("two", "small"):
        patch.add("tagger~", name, file=f"{name}.onnx", time=0.3)
    patch.add("tagger~", "none")
    specs = {name: patch.graph.view.nodes[name].spec for name in ("two", "small", "none")}
    assert [item.name for item in specs["two"].outlets] == ["tags", "scores"]
    assert [(item.name, item.shape) for item in specs["small"].outlets if item.kind is CableKind.TENSOR] == [
        ("scores", (3,)), ("embedding", (80,)),
    ]  # fmt: skip
    assert specs["none"] is registry().get("tagger~")
    assert specs["two"].cls.hears.samples == 8_000 and specs["two"].cls.answer_s == 0.3
    assert [problem.code for problem in patch.check()] == ["no-file"]
    patch.set("none.file", "two.onnx")
    assert not patch.check(), "ONNX is no code: nobody has to be trusted"


def test_in_a_patch_it_hears_what_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the engine's rate, through a worker, at the times that are declared."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.onnx").write_bytes((GOLDEN / "small.onnx").read_bytes())
    patch = Patch()
    patch.add("in~", "in", channels=1)
    patch.connect("in", patch.add("tagger~", "ears", file="small.onnx", hop=0.5, most=1, threshold=0.0))
    patch.connect("ears.tags", patch.add("print"))
    heard = np.concatenate([sound(label, 700, RATE) for label in ("low", "noise", "high")])
    made = patch.render(seconds=3.5, rate=RATE, input=heard[None])
    tags = [(event.time, event.value) for event in made["ears.tags"]]
    assert np.allclose([time for time, _ in tags], [0.75 + 0.5 * number for number in range(len(tags))], atol=1e-4)
    assert [tag.label for _, tag in tags[:6]] == ["low", "low", "noise", "noise", "high", "high"]
    scores = made.array("ears.scores")
    node = loaded(GOLDEN / "small.onnx")
    for number in range(5):
        clip = heard[8_000 * number : 8_000 * (number + 1)]
        assert np.array_equal(scores[number], node.infer(clip)["scores"]), f"clip {number}"


def test_a_network_of_the_sound_itself_hears_its_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save(told(loudness(), SOUND), tmp_path / "loud.onnx")
    patch = Patch()
    ears = patch.add("tagger~", "ears", file="loud.onnx", hop=0.25)
    patch.connect(patch.add("noise~"), patch.add("gain~", "soft", gain=0.2), ears)
    patch.connect("ears.scores", patch.add("vector.mean", "mean").x)
    made = patch.render(seconds=1.5)
    scores = made.array("ears.scores")
    assert scores.shape[1] == 1 and ((scores > 0.02) & (scores <= 1.0)).all()


def test_a_network_that_does_not_do_what_it_says_is_told_of_by_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save(told(low_or_high(scores=None), changed(TAGGER, labels=["a", "b", "c"])), tmp_path / "three.onnx")
    strange = told(low_or_high(), TAGGER)
    strange.graph.node[0].op_type = "MindReader"
    save(strange, tmp_path / "strange.onnx")
    for name, words in (("three", "(1, 2); it should be float32 (1, 3)"), ("strange", "MindReader")):
        patch = Patch()
        patch.connect(patch.add("noise~"), patch.add("tagger~", "ears", file=f"{name}.onnx"))
        patch.connect("ears.tags", patch.add("print"))
        assert not patch.check(), "only running it can show that"
        made = patch.render(seconds=2)
        assert not list(made["ears.tags"]) and any(words in line for _, line in made.log), made.log


def test_what_is_no_number_is_told(tmp_path: Path) -> None:
    made = low_or_high()
    made.graph.initializer[0].raw_data = np.full((24, 2), np.nan, np.float32).tobytes()
    node = loaded(save(told(made, TAGGER), tmp_path / "burst.onnx"))
    with pytest.raises(WorkerError, match="no number"):
        node.infer(sound("low", 1, 8_000))


def test_what_was_looked_at_is_what_is_opened(tmp_path: Path) -> None:
    """A file that is exchanged between the look at its ports and its opening is not let in."""
    path = save(told(low_or_high(), TAGGER), tmp_path / "net.onnx")
    given = {item.name: item.default for item in OwnTagger.spec.settings} | {"file": path}
    node: Any = OwnTagger.shaped(given).cls()
    node.settings = given
    save(told(low_or_high(), changed(TAGGER, labels=["x", "y"])), path)
    with pytest.raises(WorkerError, match="another one"):
        node.load({}, "cpu")
    path.write_bytes(b"hello")
    with pytest.raises(ModelError, match="no ONNX"):
        node.load({}, "cpu")


def test_the_validator_finds_nothing_with_a_network_either() -> None:
    """Silence, noise, clicks, NaN, infinity, huge numbers; the same again after a reset."""
    for cls, name in ((OwnTagger, "small"), (Spikes, "step")):
        path = GOLDEN / f"{name}.onnx"
        settings = {item.name: item.default for item in cls.spec.settings} | {"file": path}
        said = list(tried(cls.shaped(settings), {}, settings, 1, 2))
        assert [type(item) for item in said] == [Note], said
