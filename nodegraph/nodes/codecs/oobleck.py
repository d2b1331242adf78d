"""Oobleck, the autoencoder of Stable Audio: stereo as 64 numbers, 21.5 times a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nodegraph.core import Chunks, InferenceNode, StreamNode, Weights, inlet, node, outlet
from nodegraph.nodes.codecs.flowing import Floats, Flowing, expect, sane
from nodegraph.nodes.codecs.halves import Maker
from nodegraph.nodes.codecs.messages import latent_in
from nodegraph.nodes.pieces import Pieces

RATE, HOP = 44_100, 2_048
FRAMES = 4
FADE = 220
ENCODER_DELAY, DECODER_DELAY = 16_384, 18_981
WEIGHTS = Weights("oobleck")


@node("oobleck~", aliases=("oobleck.codec~",))
class Oobleck(StreamNode):
    """Send a sound through the autoencoder of Stable Audio and back.

    What comes out is what Stable Audio hears of it. Both halves together take more time than the sound lasts on one
    core of most machines: live, what is not there in time fades (`late`) and is counted; a render waits for it.
    Shapes: chunks (2, 8192) float32 at 44.1 kHz, four frames of 2048 samples each.
    Latency: 1.4 s at 44.1 kHz: a chunk of 0.19 s, 0.8 s that the model looks ahead, 0.4 s for inference.
    Errors: WeightsMissing when `oobleck` is not in the model store.

    Source: Z. Evans and others, "Stable Audio Open", 2024, section 3.1. Weights: stabilityai/stable-audio-open-1.0,
    Stability AI Community License.
    """

    x = inlet.signal("sound; one channel is heard on both sides", channels=2)
    y = outlet.signal("what is left of it", channels=2)

    hears = Chunks(samples=FRAMES * HOP, rate=RATE)
    weights = WEIGHTS
    answer_s = 0.4
    delay = ENCODER_DELAY + DECODER_DELAY

    def load(self, files: dict[str, Path], device: str) -> None:
        self.encoder, self.decoder = Flowing(files["encoder"], device), Flowing(files["decoder"], device)
        for half, delay in ((self.encoder, ENCODER_DELAY), (self.decoder, DECODER_DELAY)):
            expect(half, self.weights.name, rate=RATE, hop=HOP, delay=delay)

    def reset(self) -> None:
        self.encoder.forget()
        self.decoder.forget()

    def infer(self, clip: Floats) -> dict[str, Any]:
        (latent,) = self.encoder.hear(["mean"], {"sound": sane(clip)[None]})
        (sound,) = self.decoder.hear(["sound"], {"latent": latent})
        return {"y": sound[0]}


@node("oobleck.encode~", aliases=("oobleck.encoder~",))
class OobleckEncode(InferenceNode):
    """Turn a sound into the latent of Stable Audio.

    Every 0.19 s `latent` sends four frames of 64 numbers each: they may be mixed, stretched and bent, and made sound of
    again with `oobleck.decode~`. `deviation` is how wide the model would scatter them.
    Shapes: chunks (2, 8192) float32 at 44.1 kHz; latent and deviation (64, 4) float32.
    Answers stand 0.96 s after the sound that they speak of, 0.37 s of which the model looks ahead.
    Errors: WeightsMissing when `oobleck` is not in the model store.

    Source: Z. Evans and others, "Stable Audio Open", 2024, section 3.1. Weights: stabilityai/stable-audio-open-1.0,
    Stability AI Community License.
    """

    x = inlet.signal("sound; one channel is heard on both sides", channels=2)
    latent = outlet.tensor("four frames", shape=("width", FRAMES))
    deviation = outlet.tensor("how wide they scatter", shape=("width", FRAMES))

    hears = Chunks(samples=FRAMES * HOP, rate=RATE)
    weights = WEIGHTS
    answer_s = 0.4
    delay = ENCODER_DELAY

    def load(self, files: dict[str, Path], device: str) -> None:
        self.encoder = Flowing(files["encoder"], device)
        expect(self.encoder, self.weights.name, rate=RATE, hop=HOP, delay=ENCODER_DELAY)

    def reset(self) -> None:
        self.encoder.forget()

    def infer(self, clip: Floats) -> dict[str, Any]:
        mean, deviation = self.encoder.hear(["mean", "deviation"], {"sound": sane(clip)[None]})
        return {"latent": mean[0], "deviation": deviation[0]}


@node("oobleck.decode~", aliases=("oobleck.decoder~",))
class OobleckDecode(Maker):
    """Make sound of the latent of Stable Audio.

    Each message is some frames of 64 numbers, and is 2048 samples of stereo a frame. What comes in time goes on from
    what came before, without a seam; where nothing comes the sound fades. It takes nearly as long as the sound lasts
    on one core: live, what is not there in time fades and is counted; a render waits for it.
    Shapes: latent (64, frames) float32.
    Latency: 0.9 s from a message to its sound at 44.1 kHz, 0.43 s of which the model looks ahead.
    Errors: WeightsMissing when `oobleck` is not in the model store. Latents of
    another width are left out, and `refused` says why.

    Source: Z. Evans and others, "Stable Audio Open", 2024, section 3.1. Weights: stabilityai/stable-audio-open-1.0,
    Stability AI Community License.
    """

    latent = inlet.tensor("some frames", shape=("width", "frames"))
    y = outlet.signal("sound", channels=2)
    refused = outlet.event("why a message was left out")

    hears = Chunks(samples=HOP, rate=RATE)
    weights = WEIGHTS
    answer_s = 0.4
    delay = FADE + DECODER_DELAY

    def load(self, files: dict[str, Path], device: str) -> None:
        self.decoder = Flowing(files["decoder"], device)
        expect(self.decoder, self.weights.name, rate=RATE, hop=HOP, delay=DECODER_DELAY)
        (self.width,) = (item.shape[1] for item in self.decoder.session.get_inputs() if item.name == "latent")
        self.pieces = Pieces(2, FADE)
        self.decoder.hear(["sound"], {"latent": np.zeros((1, self.width, FRAMES), np.float32)})
        self.reset()

    def reset(self) -> None:
        self.decoder.forget()
        self.pieces.clear()

    def on_latent(self, message: Any, offset_s: float) -> None:
        def make() -> Floats:
            found: Floats = self.decoder.hear(["sound"], {"latent": latent_in(message, self.width)[None]})[0][0]
            return found

        self.lay(offset_s, make)
