"""Sound tags from a transformer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nodegraph.core import Clip, Weights, inlet, node, outlet
from nodegraph.nodes.analysis.kaldi_mels import kaldi_columns
from nodegraph.nodes.analysis.mels import Floats
from nodegraph.nodes.analysis.sessions import labels_in, open_session
from nodegraph.nodes.analysis.taggers import SoundTagger, logistic

RATE = 16_000
FRAMES, BANDS = 1_024, 128
MEAN, DEVIATION = -4.2677393, 4.5689974
"""Of AudioSet's columns; the network was taught with half of what lies between."""


@node("ast.tag~", aliases=("ast~",))
class SpectrogramTagger(SoundTagger):
    """Say what is heard, in the 527 classes of AudioSet, with a transformer.

    Hears the last 10.24 s every `hop` seconds; before so much has sounded, silence stands in its place. `tags` sends
    one label after another, likeliest first, at the same instant; `scores` are independent probabilities, they do not
    add up to one. The model is large; with 8-bit weights it costs little more than half.
    Shapes: clip (163_840,) float32 at 16 kHz; scores (527,) float32, 0 to 1; embedding (768,) float32.
    Answers stand 2.5 s after the clip's end. Cost: about 3 s a clip on one core of a busy machine, 1.8 s with
    8-bit weights.
    Errors: WeightsMissing when `ast-audioset` is not in the model store.

    Source: Y. Gong, Y.-A. Chung, J. Glass, "AST: Audio Spectrogram Transformer", Interspeech 2021. Weights:
    MIT/ast-finetuned-audioset-10-10-0.4593 on the hub, BSD-3-Clause.
    """

    hop = inlet.control(1.5, "time from one answer to the next", unit="s", span=(0.25, 30.0), curve="log")
    scores = outlet.tensor("probability of each class", shape=(527,))
    embedding = outlet.tensor("what the classes were decided from: alike for alike sounds", shape=(768,))

    hears = Clip(seconds=10.24, rate=RATE, hop_s=1.5)
    weights = Weights("ast-audioset")
    answer_s = 2.5

    def load(self, files: dict[str, Path], device: str) -> None:
        self.session = open_session(files["model"], device)
        self.labels = labels_in(self.session)

    def heard(self, clip: Floats) -> tuple[Floats, Floats]:
        logits, embedding = self.session.run(["logits", "embedding"], {"columns": seen(clip)[None]})
        return logistic(logits[0]), embedding[0]


def seen(clip: Floats) -> Floats:
    """The columns of a clip as the network was taught with them: (1024, 128)."""
    columns = kaldi_columns(clip, RATE, BANDS, window="hanning")[:FRAMES]
    columns = np.pad(columns, ((0, FRAMES - len(columns)), (0, 0)))  # two windows less fit into the clip
    return (columns - np.float32(MEAN)) / np.float32(2.0 * DEVIATION)
