"""Sound taggers."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import Clip, InferenceNode, Tag, Weights, inlet, node, outlet
from nodegraph.nodes.analysis.mels import Floats, columns, hann, mel_bank
from nodegraph.nodes.analysis.sessions import open_session

RATE = 16_000
WINDOW, HOP, FFT = 400, 160, 512  # 25 ms every 10 ms
FRAMES, BANDS = 96, 64
LOW_HZ, HIGH_HZ = 125.0, 7_500.0
LOG_OFFSET = 1e-3
# How this 8-bit export holds its input (initialisers audio_scale, audio_zero_point). The floor of the scale is
# log(LOG_OFFSET): (log(1e-3) / scale + zero) = -0.1.
INPUT_SCALE, INPUT_ZERO = 0.047937885, 144
LOGITS = "class_scores_updated"  # the scores before they are rounded to 8 bits
EMBEDDING = "/model/Reshape_output_0_qdq"  # what the last layer reads


class SoundTagger(InferenceNode):
    """What taggers share that say which of many sounds they hear: each has `labels`, and answers a clip with the scores
    of all of them and with an embedding (`heard`)."""

    x = inlet.signal("sound to tag; channels are mixed to one", channels=1)
    hop = inlet.control(1.0, "time from one answer to the next", unit="s", span=(0.1, 10.0), curve="log")
    threshold = inlet.control(0.1, "least probability of a tag", span=(0.0, 1.0))
    most = inlet.control(5.0, "tags in one answer at most", span=(1.0, 50.0), curve="integer")
    tags = outlet.event("label and probability, likeliest first")

    labels: Sequence[str]

    def heard(self, clip: Floats) -> tuple[Floats, Floats]:
        """Scores in the order of the labels, 0 to 1, and the embedding."""
        raise NotImplementedError

    def infer(self, clip: Floats) -> dict[str, Any]:
        scores, embedding = self.heard(clip)
        tags = likeliest(self.labels, scores, self.most, self.threshold)
        return {"tags": tags, "scores": scores, "embedding": embedding}


@node("yamnet.tag~", aliases=("yamnet",))
class YamnetTagger(SoundTagger):
    """Say what is heard, in the 521 classes of AudioSet.

    Hears the last 0.975 s every `hop` seconds. `tags` sends one label after another, likeliest first, at the same
    instant; `scores` are independent probabilities, they do not add up to one.
    Shapes: clip (15_600,) float32 at 16 kHz; scores (521,) float32, 0 to 1; embedding (1_024,) float32, 0 or more.
    Answers stand 0.25 s after the clip's end. Cost: about 3 ms a clip on one core.
    Errors: WeightsMissing when `yamnet` is not in the model store.

    Source: Plakal and Ellis, "YAMNet", TensorFlow Models, 2019; Hershey and others, "CNN Architectures for
    Large-Scale Audio Classification", 2017. Weights: Qualcomm's 8-bit export.
    """

    hop = inlet.control(0.5, "time from one answer to the next", unit="s", span=(0.1, 10.0), curve="log")
    scores = outlet.tensor("probability of each class", shape=(521,))
    embedding = outlet.tensor("what the classes were decided from: alike for alike sounds", shape=(1024,))

    hears = Clip(seconds=0.975, rate=RATE, hop_s=0.5)
    weights = Weights("yamnet")
    answer_s = 0.25

    def load(self, files: dict[str, Path], device: str) -> None:
        with files["classes"].open(newline="", encoding="utf-8") as lines:
            self.labels = [row["display_name"] for row in csv.DictReader(lines)]
        self.session = open_session(files["model"], device, show=(LOGITS, EMBEDDING))

    def heard(self, clip: Floats) -> tuple[Floats, Floats]:
        logits, embedding = self.session.run([LOGITS, EMBEDDING], {"audio": quantise(log_mel(clip))[None, None]})
        return logistic(logits[0]), embedding[0].astype(np.float32)


def logistic(logits: Floats) -> Floats:
    """Probabilities of what a network leaves before the logistic function."""
    one = np.float32(1.0)
    return one / (one + np.exp(-np.clip(logits.astype(np.float32), -60.0, 60.0)))


def softmax(logits: Floats) -> Floats:
    """Probabilities that add up to 1."""
    raised = np.exp(logits - logits.max())
    found: Floats = raised / raised.sum()
    return found


def likeliest(labels: Sequence[str], scores: Floats, most: float, threshold: float) -> list[Tag]:
    """The labels with the highest scores, the likeliest first: so many at most, and none below the threshold."""
    order = np.argsort(-scores, kind="stable")[: int(most)]
    return [Tag(labels[index], float(scores[index])) for index in order if scores[index] >= threshold]


def log_mel(clip: Floats) -> Floats:
    """The patch that YAMNet sees: (15_600,) samples at 16 kHz → (96, 64) log magnitudes, time first.

    Hann windows of 25 ms every 10 ms, magnitudes of a 512-point FFT, 64 triangular bands from 125 to 7500 Hz,
    ``log(band + 0.001)``. A shorter clip is padded with silence.
    """
    need = (FRAMES - 1) * HOP + WINDOW
    if len(clip) < need:
        clip = np.pad(clip, (0, need - len(clip)))
    patch: Floats = np.log(columns(clip[:need], hann(WINDOW), HOP, FFT, _BANK, 1.0) + LOG_OFFSET)
    return patch


def quantise(patch: Floats) -> NDArray[np.uint8]:
    """Log magnitudes as the 8-bit numbers that the model takes."""
    return np.clip(np.round(patch / INPUT_SCALE + INPUT_ZERO), 0, 255).astype(np.uint8)


_BANK = mel_bank(BANDS, LOW_HZ, HIGH_HZ, FFT, RATE)
