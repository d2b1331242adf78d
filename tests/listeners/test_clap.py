"""CLAP, drawn from small checkpoints with random weights, answers what transformers answers, and takes prompts live."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph.core.errors import ModelError
from nodegraph.core.graph import Graph
from nodegraph.models.convert.networks import NETWORKS
from nodegraph.models.convert.networks.clap import AUDIO_DEFAULTS, TEXT_DEFAULTS
from nodegraph.nodes.analysis.clap import ClapEmbedding, ClapQuery
from nodegraph.nodes.analysis.prompts import Prompts
from nodegraph.nodes.analysis.sessions import note_in, open_session
from nodegraph.nodes.analysis.tokens import read_tokenizer
from nodegraph.runtime.player import Player
from tests.listeners.checkpoints import Golden, as_published
from tests.listeners.sounds import random_input
from tests.listeners.test_networks import close
from tests.listeners.test_transformers import refusal

GOLDEN = Golden("clap")
IDS: dict[str, list[int]] = json.loads(str(GOLDEN["ids"]))
ASKED = list(IDS)[:4]
SOUND = random_input((480_000,), 21) * np.float32(0.1)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clap")
    published = GOLDEN.checkpoint(folder / "published")
    published["tokenizer"] = folder / "published/tokenizer.json"
    published["tokenizer"].write_text(str(GOLDEN["tokenizer"]), encoding="utf-8")
    found = as_published("clap-general", folder, published)
    assert set(found) == {"audio", "text", "tokenizer"}
    return found


def query(files: dict[str, Path], prompts: str, **settings: Any) -> ClapQuery:
    node = ClapQuery()
    node.settings = {"prompts": prompts, "template": "{}"} | settings
    node.controls = {"threshold": 0.0, "most": 64}
    node.load(files, "cpu")
    return node


def test_sounds_become_the_vectors_of_the_reference(files: dict[str, Path]) -> None:
    columns = random_input((2, 1, 1001, 64), 22)[:, 0] * np.float32(20.0) - np.float32(30.0)
    (found,) = open_session(files["audio"]).run(["embedding"], {"columns": columns})
    close(found, GOLDEN["audio"], 1e-4)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)


def test_texts_become_the_vectors_of_the_reference(files: dict[str, Path]) -> None:
    session = open_session(files["text"])
    for text, wanted in zip(ASKED, GOLDEN["texts"], strict=True):
        (found,) = session.run(["embedding"], {"ids": np.array([IDS[text]])})
        close(found[0], wanted)
    assert note_in(session, "longest") == 38


def test_texts_become_the_tokens_of_the_reference(files: dict[str, Path]) -> None:
    tokenizer = read_tokenizer(files["tokenizer"])
    for text, wanted in IDS.items():
        assert tokenizer.ids(text, 512) == wanted, text
    long = tokenizer.ids("a dog " * 10_000, 38)
    assert len(long) == 38 and (long[0], long[-1]) == (0, 2)


@pytest.mark.parametrize("seconds", [10.0, 4.0])
def test_a_sound_is_heard_as_the_reference_hears_it(files: dict[str, Path], seconds: float) -> None:
    """Whole, and its last seconds repeated."""
    node = ClapEmbedding()
    node.load(files, "cpu")
    node.controls = {"seconds": seconds}
    clip = SOUND if seconds == 10.0 else np.concatenate([np.ones(288_000, np.float32), SOUND[:192_000]])
    close(node.infer(clip)["embedding"], GOLDEN["heard" if seconds == 10.0 else "heard_short"][0], 1e-4)


def test_probabilities_and_likeness_are_those_of_the_reference(files: dict[str, Path]) -> None:
    node = query(files, "\n".join(ASKED))
    answer = node.infer(SOUND)
    raised = np.exp(GOLDEN["logits"] - GOLDEN["logits"].max())
    close(answer["scores"], raised / raised.sum(), 1e-4)
    close(answer["cosines"], GOLDEN["texts"] @ GOLDEN["heard"][0], 1e-4)
    assert answer["likeness"] == pytest.approx(float(answer["cosines"][0]))
    order = np.argsort(-GOLDEN["logits"])
    assert [tag.label for tag in answer["tags"]] == [ASKED[index] for index in order]
    assert sum(tag.score for tag in answer["tags"]) == pytest.approx(1.0, abs=1e-5)


def test_the_template_stands_around_each_prompt(files: dict[str, Path]) -> None:
    node = query(files, "a dog|rain", template="This is a sound of {}.")
    close(node.vectors[0], GOLDEN["texts"][0])
    assert node.labels == ("a dog", "rain")


def test_new_prompts_are_taken_up_a_few_at_a_time_and_hold_when_all_are_there(files: dict[str, Path]) -> None:
    node = query(files, "one")
    node.on_asked("|".join("abcdefghi"))
    labels = [{tag.label for tag in node.infer(SOUND)["tags"]} for _ in range(3)]
    assert labels == [{"one"}, {"one"}, set("abcdefghi")]
    node.on_asked("one|b")  # known already
    assert {tag.label for tag in node.infer(SOUND)["tags"]} == {"one", "b"}
    node.on_asked("  |  \n")  # nothing: the others hold
    assert {tag.label for tag in node.infer(SOUND)["tags"]} == {"one", "b"}


def test_too_much_is_cut_and_said(files: dict[str, Path]) -> None:
    node = query(files, "x" * 100_000)
    assert node.log_lines == [f"a prompt of 100000 letters is cut to 300 letters (it begins with '{'x' * 30}')."]
    assert node.labels == ("x" * 300,)
    made = Prompts.of("|".join(map(str, range(100))))
    assert len(made.texts) == 64 and made.left_out == "of 100 prompts the first 64 are asked."
    assert Prompts.of((1.5, "a", None, "dog|rain", "drops |")).texts == ("1.5 a dog", "rain drops")
    with pytest.raises(ModelError, match="no prompts"):
        query(files, " \n|")


def test_prompts_come_as_messages_while_it_plays(files: dict[str, Path]) -> None:
    """Through a worker: asked again at an instant, the log told, and the same bits in other blocks."""
    graph = Graph()
    graph.add("in~", "in", channels=1)
    graph.add("clap.query~", "ears", prompts="one|two", template="{}", hop=0.25, threshold=0.0)
    graph.add("out~", "out")
    graph.connect("in.y", "ears.x")
    graph.connect("in.y", "out.x")
    rate, runs = 48_000, []
    for block in (64, 480):
        said: list[tuple[int, Any]] = []
        logged: list[tuple[str, str]] = []
        player = Player(graph.view, rate, weights=lambda name: files, report=lambda *line, to=logged: to.append(line))
        try:
            player.watch("ears", "tags", lambda event, to=said: to.append((event.frame, event.value)))
            player.act("set", "ears", "asked", "three|" + "y" * 100_000, frame=30_000)
            out = np.zeros((player.engine.outputs, 2 * rate), np.float32)
            player.render(out, SOUND[None, : out.shape[1]], block=block)
        finally:
            player.close()
        assert any("a prompt of 100000 letters is cut" in text for _, text in logged), logged
        runs.append([item for item in said if item[0] < 2 * rate])  # what acts after the end may be known, or not yet
    labels = {frame: {tag.label for at, tag in runs[0] if at == frame} for frame, _ in runs[0]}
    assert [len(found & {"one", "two"}) for found in labels.values()] == [2, 2, 0, 0], labels.keys()
    assert runs[0] == runs[1]


def test_settings_that_are_usual_may_be_left_out(files: dict[str, Path], tmp_path: Path) -> None:
    """As larger_clap_music leaves them out."""
    config = json.loads(json.dumps(GOLDEN.config))
    for part, usual in (("audio_config", AUDIO_DEFAULTS), ("text_config", TEXT_DEFAULTS)):
        config[part] = {key: value for key, value in config[part].items() if usual.get(key) != value}
    published = GOLDEN.checkpoint(tmp_path)
    published["config"].write_text(json.dumps(config), encoding="utf-8")
    for network in ("audio", "text"):
        made = NETWORKS[f"clap-{network}"].draw(published).SerializeToString()
        assert made == files[network].read_bytes()


def test_checkpoints_of_other_networks_are_refused(tmp_path: Path) -> None:
    audio = GOLDEN.config["audio_config"]
    assert "'bert'" in refusal(GOLDEN, tmp_path / "kind", "clap-audio", model_type="bert")
    assert "unfused" in refusal(GOLDEN, tmp_path / "fused", "clap-audio", audio_config=audio | {"enable_fusion": True})
    assert "layers.2.blocks.2" in refusal(
        GOLDEN, tmp_path / "deep", "clap-audio", audio_config=audio | {"depths": [2, 2, 6, 2]}
    )
    for name, setting, said in (("walls", {"window_size": 4}, "4 × 4"), ("small", {"spec_size": 128}, "no room")):
        assert said in refusal(GOLDEN, tmp_path / name, "clap-audio", audio_config=audio | setting)
    assert "text_model.encoder.layer.2" in refusal(
        GOLDEN, tmp_path / "half", "clap-text", text_config={"num_attention_heads": 2}
    )


@pytest.mark.parametrize("text", ['{"model": {"type": "Rope", "vocab": []}}', "{", "", "[]", '{"model": 3}'])
def test_other_tokenizers_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(ValueError, match=r"tokenizer\.json describes no tokenizer"):
        read_tokenizer(tmp_path / "tokenizer.json")
