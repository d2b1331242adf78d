"""Embeddings: some hundred numbers that are alike for what sounds alike. docs/listening.md says what they are for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nodegraph.core import Clip, InferenceNode, Weights, inlet, node, outlet
from nodegraph.nodes.analysis.mels import Floats, columns, hann, mel_bank
from nodegraph.nodes.analysis.sessions import open_session

VOICE_RATE, VOICE_WINDOW, VOICE_HOP, VOICE_BANDS, VOICE_FRAMES = 16_000, 400, 160, 40, 160
LOUDNESS = 10.0 ** (-30.0 / 20.0)  # voices are brought to -30 dBFS, if they are softer
SOFTEST = 1e-4  # below it nobody speaks
SOUND_RATE, SOUND_WINDOW, SOUND_HOP, SOUND_BANDS, SOUND_FRAMES = 44_100, 2_048, 1_024, 96, 100
LOUDEST = 9.457798957824707
"""The largest number in the columns on which the sound effects were learned; it is scaled to 1."""


@node("voice.embed~", aliases=("resemblyzer~", "speaker~"))
class VoiceEmbedding(InferenceNode):
    """Describe whose voice it is: vectors of one speaker lie close together, those of others apart.

    Hears the last 1.6 s every `hop` seconds. The scalar product of two vectors is about 0.7 to 1 for one speaker and
    below 0.7 for two; `vector.mean` over some answers makes it surer, `vector.nearest` finds who it is.
    A voice softer than -30 dBFS (RMS) is brought up to that first; below -80 dBFS nothing is told.
    Shapes: clip (25_840,) float32 at 16 kHz; voice (256,) float32, of length 1, 0 or more.
    Answers stand 0.25 s after the clip's end. Cost: about 25 ms a clip on one core.
    Errors: WeightsMissing when `voice-encoder` is not in the model store.

    Source: L. Wan and others, "Generalized End-to-End Loss for Speaker Verification", ICASSP 2018. Weights:
    Resemblyzer 0.1.4, Apache-2.0.
    """

    x = inlet.signal("a voice; channels are mixed to one", channels=1)
    hop = inlet.control(0.8, "time from one answer to the next", unit="s", span=(0.1, 10.0), curve="log")
    voice = outlet.tensor("whose voice it is: alike for the same speaker", shape=(256,))

    hears = Clip(seconds=((VOICE_FRAMES - 1) * VOICE_HOP + VOICE_WINDOW) / VOICE_RATE, rate=VOICE_RATE, hop_s=0.8)
    weights = Weights("voice-encoder")
    answer_s = 0.25

    def load(self, files: dict[str, Path], device: str) -> None:
        self.session = open_session(files["model"], device)
        self.window = hann(VOICE_WINDOW)
        self.bank = mel_bank(VOICE_BANDS, 0.0, 8_000.0, VOICE_WINDOW, VOICE_RATE, scale="slaney", area="hz")

    def infer(self, clip: Floats) -> dict[str, Any]:
        loudness = float(np.sqrt(np.mean(np.square(clip, dtype=np.float64))))
        if not loudness > SOFTEST:
            return {}
        heard = columns(clip * np.float32(max(1.0, LOUDNESS / loudness)), self.window, VOICE_HOP, VOICE_WINDOW,
                        self.bank, 2.0)  # fmt: skip
        return {"voice": self.session.run(["voice"], {"columns": heard[None]})[0][0]}


@node("sfx.embed~", aliases=("aisfx~",))
class SoundEffectEmbedding(InferenceNode):
    """Describe a sound effect or a noise: vectors of like sounds lie close together.

    Hears the last 2.35 s every `hop` seconds. The model was made to sort libraries of sound effects: doors, cars,
    water, machines, animals, impacts. Compare vectors with `vector.distance` (cosine) or `vector.nearest`.
    Shapes: clip (103_424,) float32 at 44.1 kHz; embedding (512,) float32, 0 or more.
    Answers stand 0.4 s after the clip's end. Cost: about 60 ms a clip on one core.
    Errors: WeightsMissing when `sound-effects` is not in the model store.

    Source: A. Ma and others, "Representation Learning for the Automatic Indexing of Sound Effects Libraries", ISMIR
    2022, model X-Sequential-CE. Weights: aisfx 0.1.2, CC BY 4.0.
    """

    x = inlet.signal("sound to describe; channels are mixed to one", channels=1)
    hop = inlet.control(1.0, "time from one answer to the next", unit="s", span=(0.2, 10.0), curve="log")
    embedding = outlet.tensor("what kind of sound it is: alike for alike sounds", shape=(512,))

    hears = Clip(seconds=((SOUND_FRAMES - 1) * SOUND_HOP + SOUND_WINDOW) / SOUND_RATE, rate=SOUND_RATE, hop_s=1.0)
    weights = Weights("sound-effects")
    answer_s = 0.4

    def load(self, files: dict[str, Path], device: str) -> None:
        self.session = open_session(files["model"], device)
        self.window = hann(SOUND_WINDOW)
        self.bank = mel_bank(SOUND_BANDS, 0.0, 22_050.0, SOUND_WINDOW, SOUND_RATE, area="sum")

    def infer(self, clip: Floats) -> dict[str, Any]:
        power = columns(clip, self.window, SOUND_HOP, SOUND_WINDOW, self.bank, 2.0)
        heard = np.log10(10_000.0 * power + 1.0) / np.float32(LOUDEST)
        return {"embedding": self.session.run(["embedding"], {"columns": heard[None]})[0][0]}
