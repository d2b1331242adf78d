"""Embeddings of any sound: OpenL3 and BEATs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nodegraph.core import Clip, InferenceNode, Weights, inlet, node, outlet, setting
from nodegraph.nodes.analysis.audioset_tags import BEATS_RATE, BEATS_SAMPLES, beats_columns
from nodegraph.nodes.analysis.mels import Floats, hann, powers
from nodegraph.nodes.analysis.sessions import open_session

RATE, WINDOW, HOP, FRAMES = 48_000, 2_048, 242, 199
BEFORE = ((FRAMES - 1) * HOP + WINDOW - RATE) // 2  # silence to each side of the second


@node("openl3~", aliases=("l3~",))
class OpenL3(InferenceNode):
    """Describe a sound in 512 or 6144 numbers, which are alike for alike sounds.

    Hears the last second every `hop` seconds. The network learned, without labels, which sounds go with which
    pictures: `content` says of what videos, ``music`` (people who play) or ``env`` (everything else). Both sizes come
    from the same network: 6144 tell where in the spectrum and when, 512 only what. Loudness is not heard.
    Shapes: clip (48_000,) float32 at 48 kHz; embedding (512,) or (6_144,) float32.
    Answers stand 0.6 s after the clip's end. Cost: 0.2 to 0.3 s a clip on one core, and 0.2 GB of memory.
    Errors: WeightsMissing when `openl3-music` (or `openl3-env`) is not in the model store.

    Source: J. Cramer and others, "Look, Listen and Learn More: Design Choices for Deep Audio Embeddings", ICASSP 2019.
    Weights: torchopenl3, made from OpenL3's own (CC BY 4.0).
    """

    x = inlet.signal("sound to describe; channels are mixed to one", channels=1)
    content = setting.choice("music", "what the model has learned from", ("music", "env"))
    size = setting.choice("512", "how many numbers", ("512", "6144"))
    hop = inlet.control(0.5, "time from one answer to the next", unit="s", span=(0.1, 10.0), curve="log")
    embedding = outlet.tensor("what the sound is like", shape=("size",))

    hears = Clip(seconds=1.0, rate=RATE, hop_s=0.5)
    weights = Weights("openl3-{content}")
    answer_s = 0.6

    def load(self, files: dict[str, Path], device: str) -> None:
        self.session = open_session(files["model"], device)

    def infer(self, clip: Floats) -> dict[str, Any]:
        power = powers(np.pad(clip, BEFORE), hann(WINDOW), HOP)
        return {"embedding": self.session.run([f"embedding_{self.size}"], {"power": power[None]})[0][0]}


@node("beats.embed~", aliases=("beats.embedding~",))
class BeatsEmbedding(InferenceNode):
    """Describe a sound in 768 numbers, which are alike for alike sounds.

    Hears the last 5.135 s every `hop` seconds. The transformer learned without labels, from all kinds of sound; the
    numbers are the mean of what it makes of its 256 patches of the spectrogram.
    Shapes: clip (82_160,) float32 at 16 kHz; embedding (768,) float32.
    Answers stand 1.5 s after the clip's end. Cost: 0.6 to 0.9 s a clip on one core, and 1 GB of memory.
    Errors: WeightsMissing when `beats` is not in the model store.

    Source: S. Chen and others, "BEATs: Audio Pre-Training with Acoustic Tokenizers", ICML 2023. Weights: iter3+ (AS2M),
    MIT.
    """

    x = inlet.signal("sound to describe; channels are mixed to one", channels=1)
    hop = inlet.control(2.0, "time from one answer to the next", unit="s", span=(0.2, 10.0), curve="log")
    embedding = outlet.tensor("what the sound is like", shape=(768,))

    hears = Clip(seconds=BEATS_SAMPLES / BEATS_RATE, rate=BEATS_RATE, hop_s=2.0)
    weights = Weights("beats")
    answer_s = 1.5

    def load(self, files: dict[str, Path], device: str) -> None:
        self.session = open_session(files["model"], device)

    def infer(self, clip: Floats) -> dict[str, Any]:
        return {"embedding": self.session.run(["embedding"], {"columns": beats_columns(clip)})[0][0]}
