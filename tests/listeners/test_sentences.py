"""MiniLM, drawn from its published weights, answers what transformers answers, and knows what means the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph.core import At
from nodegraph.core.graph import Graph
from nodegraph.core.messages import BANG
from nodegraph.models import Store
from nodegraph.nodes.analysis.sentences import TextEmbedding
from nodegraph.nodes.analysis.tokens import read_tokenizer
from nodegraph.runtime.player import Player
from tests.listeners.checkpoints import Golden
from tests.listeners.test_networks import close
from tests.listeners.test_transformers import refusal
from tests.models.weights import fetched

GOLDEN = np.load(Path(__file__).parent / "golden/minilm.npz")
ALIKE = (
    ("A dog barks in the yard.", "A puppy is barking outside.", "A violin plays a slow melody."),
    ("Rain falls on a tin roof.", "Water drops hit the metal roof.", "Somebody laughs out loud."),
    ("fast electronic dance music", "quick techno with a beat", "a man reads a poem"),
    ("a woman sings", "a female vocalist", "a lorry engine"),
    ("a crowd applauds", "people are clapping", "an empty cave"),
    ("sad piano music", "a melancholic piano piece", "a football match"),
    ("thunder in the distance", "a far-off storm", "a typewriter"),
    ("a car starts", "the engine of an automobile", "birds sing at dawn"),
    ("children play", "kids having fun", "a glass breaks"),
    ("silence", "nothing can be heard", "heavy metal guitars"),
    ("a bell rings", "church chimes", "a cat purrs"),
    ("waves on a beach", "the sea at the shore", "a dentist's drill"),
)
"""A text, one that means the same in other words, and one that does not."""


@pytest.fixture(scope="module")
def files() -> dict[str, Path]:
    store = Store()
    fetched(store, "minilm")
    return store.files("minilm")


@pytest.fixture(scope="module")
def embedder(files: dict[str, Path]) -> TextEmbedding:
    node = TextEmbedding()
    node.load(files, "cpu")
    return node


def test_vectors_are_those_of_the_reference(embedder: TextEmbedding) -> None:
    for text, wanted in zip(json.loads(str(GOLDEN["sentences"])), GOLDEN["vectors"], strict=True):
        close(embedder.embedded(text), wanted)


def test_tokens_are_those_of_the_reference(files: dict[str, Path]) -> None:
    tokenizer = read_tokenizer(files["tokenizer"])
    for text, wanted in json.loads(str(GOLDEN["ids"])).items():
        if "[MASK]" not in text:  # what somebody writes is text
            assert tokenizer.ids(text, 512) == wanted, text
    assert tokenizer.ids("dog " * 10_000, 256)[-1] == 102 and len(tokenizer.ids("dog " * 10_000, 256)) == 256


@pytest.mark.parametrize("text, same, other", ALIKE)
def test_what_means_the_same_lies_nearer(embedder: TextEmbedding, text: str, same: str, other: str) -> None:
    one, two, three = (embedder.embedded(item) for item in (text, same, other))
    assert one @ two > one @ three + 0.1, (float(one @ two), float(one @ three))


def test_checkpoints_of_other_networks_are_refused(tmp_path: Path) -> None:
    golden = Golden("clap")
    assert "'clap'" in refusal(golden, tmp_path / "kind", "sentence-encoder")
    text = golden.config["text_config"] | {"model_type": "bert"}
    assert "no 'embeddings.word_embeddings.weight'" in refusal(golden, tmp_path / "names", "sentence-encoder", **text)


def test_what_is_too_much_is_cut_and_said(embedder: TextEmbedding) -> None:
    embedder.reset()
    embedder.log_lines.clear()
    embedder.on_text("word " * 20_000)
    embedder.on_text(BANG)
    for number in range(40):
        embedder.on_text(("text", number))
    answer = embedder.infer(None)
    assert len(answer["vector"]) == len(answer["said"]) == 32 and answer["said"][1] == "text 0"
    assert isinstance(answer["vector"][0], At) and len(answer["said"][0]) == 4_000
    assert [line.split("(")[0] for line in embedder.log_lines] == [
        "a text of 100000 letters is cut to 4000 ", "of 41 texts at one instant the first 32 are described.",
    ]  # fmt: skip
    assert embedder.infer(None) == {}


def test_messages_are_answered_through_a_worker_each_at_its_time(files: dict[str, Path]) -> None:
    graph = Graph()
    graph.add("text.embed", "embed")
    graph.add("print", "print")
    graph.add("out~", "out")
    graph.connect("embed.said", "print.x")
    rate, runs = 48_000, []
    for block in (64, 480):
        heard: list[tuple[int, str, Any]] = []
        player = Player(graph.view, rate, weights=lambda name: files)
        try:
            for port in ("vector", "said"):
                player.watch("embed", port, lambda event, to=heard: to.append((event.frame, event.port, event.value)))
            for frame, text in ((1_000, "a dog"), (1_100, "a puppy"), (30_000, "a cello")):
                player.act("set", "embed", "text", text, frame=frame)
            player.render(np.zeros((player.engine.outputs, rate), np.float32), block=block)
        finally:
            player.close()
        runs.append([(frame, port, str(value)) for frame, port, value in heard])
        vectors = [value for _, port, value in heard if port == "vector"]
        assert [value for _, port, value in heard if port == "said"] == ["a dog", "a puppy", "a cello"]
        assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
    assert [frame for frame, _, _ in runs[0]] == [1_920 + 12_000] * 4 + [30_720 + 12_000] * 2
    assert runs[0] == runs[1]
