"""What is in a voice beside its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from nodegraph.core import At, Chunks, Clip, InferenceNode, Weights, inlet, node, outlet
from nodegraph.nodes.analysis.mels import Floats
from nodegraph.nodes.analysis.sessions import labels_in, open_session
from nodegraph.nodes.analysis.taggers import likeliest, softmax

RATE: Final = 16_000
STEP, WINDOW = 320, 400
"""A frame every 20 ms, each from 25 ms of sound."""
FRAMES, NEW, AHEAD = 100, 25, 12
"""Frames that are heard at once, come with a chunk, and stand behind the last one that is answered."""
SOFTEST: Final = 1e-4  # below it nobody speaks
WORDS: Final = {"neu": "neutral", "hap": "happy", "ang": "angry", "sad": "sad"}


@node("wav2vec2~", aliases=("wav2vec~",))
class SpeechFeatures(InferenceNode):
    """Describe speech as it flows: 768 numbers fifty times a second, alike for alike speech sounds.

    The model was taught with speech and no words; sounds of a voice that differ in meaning lie apart. Each vector sees
    1.26 to 1.74 s of sound before its instant, and 0.25 to 0.73 s after it. Use `vector.map` to play with it,
    `vector.nearest` to be told which of some sounds it is.
    Shapes: chunks (8_000,) float32 at 16 kHz; features (768,) float32, 25 of them a chunk.
    Answers stand 1.7 s after the sound they speak of. Cost: about 0.33 s for half a second of sound on one core, with
    8-bit weights 0.23 s.
    Errors: WeightsMissing when `wav2vec2-base` is not in the model store.

    Source: A. Baevski and others, "wav2vec 2.0: A Framework for Self-Supervised Learning of Speech Representations",
    NeurIPS 2020. Weights: facebook/wav2vec2-base on the hub, Apache-2.0.
    """

    x = inlet.signal("a voice; channels are mixed to one", channels=1)
    features = outlet.tensor("how it sounds, every 20 ms", shape=(768,))

    hears = Chunks(samples=NEW * STEP, rate=RATE)
    weights = Weights("wav2vec2-base")
    answer_s = 0.45

    def load(self, files: dict[str, Path], device: str) -> None:
        self.session = open_session(files["model"], device)
        self.reset()

    def reset(self) -> None:
        self.sound = np.zeros((FRAMES - 1) * STEP + WINDOW, np.float32)

    def infer(self, clip: Floats) -> dict[str, Any]:
        self.sound = np.concatenate([self.sound[len(clip) :], clip])
        found = self.session.run(["features"], {"sound": levelled(self.sound)[None]})[0][0]
        first = FRAMES - AHEAD - NEW
        return {"features": [At(number * STEP / RATE, found[first + number]) for number in range(NEW)]}


@node("emotion~", aliases=("mood~",))
class Emotion(InferenceNode):
    """Say how somebody speaks: neutral, happy, angry or sad.

    Hears the last 3 s every `hop` seconds; below -80 dBFS (RMS) nothing is told. `tags` sends the labels, likeliest
    first, at the same instant; their probabilities add up to 1. The model has learned from actors who spoke English.
    Shapes: clip (48_000,) float32 at 16 kHz; scores (4,) float32, 0 to 1.
    Answers stand 0.75 s after the clip's end. Cost: about 0.48 s a clip on one core, with 8-bit weights 0.34 s.
    Errors: WeightsMissing when `emotion` is not in the model store.

    Source: S. Yang and others, "SUPERB: Speech processing Universal PERformance Benchmark", Interspeech 2021, task ER
    (IEMOCAP). Weights: superb/wav2vec2-base-superb-er on the hub, Apache-2.0.
    """

    x = inlet.signal("a voice; channels are mixed to one", channels=1)
    hop = inlet.control(1.0, "time from one answer to the next", unit="s", span=(0.2, 10.0), curve="log")
    threshold = inlet.control(0.0, "least probability of a tag", span=(0.0, 1.0))
    most = inlet.control(4.0, "tags in one answer at most", span=(1.0, 4.0), curve="integer")
    tags = outlet.event("label and probability, likeliest first")
    scores = outlet.tensor("probability of each label", shape=(4,))

    hears = Clip(seconds=3.0, rate=RATE, hop_s=1.0)
    weights = Weights("emotion")
    answer_s = 0.75

    def load(self, files: dict[str, Path], device: str) -> None:
        self.session = open_session(files["model"], device)
        self.labels = [WORDS.get(label, label) for label in labels_in(self.session)]

    def infer(self, clip: Floats) -> dict[str, Any]:
        if not np.sqrt(np.mean(np.square(clip, dtype=np.float64))) > SOFTEST:
            return {}
        logits = self.session.run(["logits"], {"sound": levelled(clip)[None]})[0][0]
        scores = softmax(logits)
        return {"tags": likeliest(self.labels, scores, self.most, self.threshold), "scores": scores}


def levelled(sound: Floats) -> Floats:
    """The sound with mean 0 and variance 1, as these models were taught."""
    wide = sound.astype(np.float64)
    found: Floats = ((wide - wide.mean()) / np.sqrt(wide.var() + 1e-7)).astype(np.float32)
    return found
