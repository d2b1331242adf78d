"""The latent of AudioLDM 2: any sound as 128 numbers, 25 times a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nodegraph.core import Chunks, InferenceNode, StreamNode, Weights, WorkerError, inlet, node, outlet
from nodegraph.nodes.codecs.flowing import Floats
from nodegraph.nodes.codecs.halves import Maker
from nodegraph.nodes.codecs.mel_latents import DECODER_DELAY, ENCODER_DELAY, HOP, RATE, WINDOW, MelDecoder, MelEncoder
from nodegraph.nodes.codecs.messages import latent_in
from nodegraph.nodes.pieces import Pieces

FRAMES = WINDOW.step
FADE = 80
WEIGHTS = Weights("audioldm2")


@node("audioldm~", aliases=("audioldm.codec~",))
class AudioLdm(StreamNode):
    """Send a sound through the autoencoder and the vocoder of AudioLDM 2, and back.

    What comes out is what AudioLDM hears of it, up to 8 kHz; it learned from sounds whose peaks stand at 0.5. It hears
    1.28 s at a time, of which the middle is said, and each window fades into the next. Both halves together take three
    times as long as the sound lasts on one core: live, what is not there in time fades (`late`) and is counted; a
    render waits for it.
    Shapes: chunks (10240,) float32 at 16 kHz, 16 frames of 640 samples each.
    Latency: 2.0 s: a chunk of 0.64 s, 0.89 s that the model looks ahead, 0.5 s for inference. Cost: 2.1 s for a chunk
    on one busy core.
    Errors: WeightsMissing when `audioldm2` is not in the model store.

    Source: H. Liu and others, "AudioLDM: Text-to-Audio Generation with Latent Diffusion Models", ICML 2023, section
    "Decoder"; J. Kong and others, "HiFi-GAN", NeurIPS 2020. Weights: cvssp/audioldm2, vae and vocoder, CC BY-NC-SA
    4.0: not for commercial use.
    """

    x = inlet.signal("sound; channels are mixed to one", channels=1)
    y = outlet.signal("what is left of it", channels=1)

    hears = Chunks(samples=FRAMES * HOP, rate=RATE)
    weights = WEIGHTS
    answer_s = 0.5
    delay = ENCODER_DELAY + DECODER_DELAY

    def load(self, files: dict[str, Path], device: str) -> None:
        self.encoder = MelEncoder(files, self.weights.name, device)
        self.decoder = MelDecoder(files, self.weights.name, device)

    def reset(self) -> None:
        self.encoder.forget()
        self.decoder.forget()

    def infer(self, clip: Floats) -> dict[str, Any]:
        latent, _ = self.encoder.hear(clip)
        return {"y": self.decoder.say(latent)}


@node("audioldm.encode~", aliases=("audioldm.encoder~",))
class AudioLdmEncode(InferenceNode):
    """Turn a sound into the latent of AudioLDM 2.

    Every 0.64 s `latent` sends 16 frames of 128 numbers each, eight for each of 16 bands, about as large as the noise
    that diffusion begins with: they may be mixed, moved and bent, and made sound of again with `audioldm.decode~`.
    `deviation` is how wide the model would scatter them. It hears 1.28 s at a time, up to 8 kHz, and learned from
    sounds whose peaks stand at 0.5.
    Shapes: chunks (10240,) float32 at 16 kHz; latent and deviation (128, 16) float32, row 16 · channel + band.
    Answers stand 1.59 s after the sound that they speak of, 0.35 s of which the model looks ahead. Cost: 0.45
    s for a chunk of 0.64 s on one busy core.
    Errors: WeightsMissing when `audioldm2` is not in the model store.

    Source: H. Liu and others, "AudioLDM: Text-to-Audio Generation with Latent Diffusion Models", ICML 2023, section
    "Decoder". Weights: cvssp/audioldm2, vae, CC BY-NC-SA 4.0: not for commercial use.
    """

    x = inlet.signal("sound; channels are mixed to one", channels=1)
    latent = outlet.tensor("16 frames", shape=("width", FRAMES))
    deviation = outlet.tensor("how wide they scatter", shape=("width", FRAMES))

    hears = Chunks(samples=FRAMES * HOP, rate=RATE)
    weights = WEIGHTS
    answer_s = 0.6
    delay = ENCODER_DELAY

    def load(self, files: dict[str, Path], device: str) -> None:
        self.encoder = MelEncoder(files, self.weights.name, device)

    def reset(self) -> None:
        self.encoder.forget()

    def infer(self, clip: Floats) -> dict[str, Any]:
        latent, deviation = self.encoder.hear(clip)
        return {"latent": latent, "deviation": deviation}


@node("audioldm.decode~", aliases=("audioldm.decoder~",))
class AudioLdmDecode(Maker):
    """Make sound of the latent of AudioLDM 2.

    Each message is 16 frames of 128 numbers, as `audioldm.encode~` sends them, and is 0.64 s of sound; a single frame
    holds for all of that. They may have been laid out in one row, as the `latent.…` nodes do. What comes in time goes
    on from what came before, without a seam; where nothing comes the sound fades. It takes longer than the sound lasts
    on one core: live, what is not there in time fades and is counted; a render waits for it.
    Shapes: latent (128, 16), (2048,), or (128,) float32.
    Latency: 1.1 s from a message to its sound, 0.54 s of which the model looks ahead. Cost: 1.6 s for a message on
    one busy core.
    Errors: WeightsMissing when `audioldm2` is not in the model store. Latents of another shape are left out, and
    `refused` says why.

    Source: H. Liu and others, "AudioLDM: Text-to-Audio Generation with Latent Diffusion Models", ICML 2023, section
    "Decoder"; J. Kong and others, "HiFi-GAN", NeurIPS 2020. Weights: cvssp/audioldm2, vae and vocoder, CC BY-NC-SA
    4.0: not for commercial use.
    """

    latent = inlet.tensor("16 frames", shape=("width", FRAMES))
    y = outlet.signal("sound", channels=1)
    refused = outlet.event("why a message was left out")

    hears = Chunks(samples=HOP, rate=RATE)
    weights = WEIGHTS
    answer_s = 0.5
    delay = FADE + DECODER_DELAY

    def load(self, files: dict[str, Path], device: str) -> None:
        self.decoder = MelDecoder(files, self.weights.name, device)
        self.pieces = Pieces(1, FADE)
        self.decoder.say(np.zeros((self.decoder.width, FRAMES), np.float32))  # the first time takes longest
        self.reset()

    def reset(self) -> None:
        self.decoder.forget()
        self.pieces.clear()

    def on_latent(self, message: Any, offset_s: float) -> None:
        def make() -> Floats:
            latent = latent_in(message, self.decoder.width)
            if latent.shape[1] == 1:
                latent = np.repeat(latent, FRAMES, axis=1)
            if latent.shape[1] != FRAMES:
                raise WorkerError(f"a latent of {latent.shape[1]} frames came; it has {FRAMES}, or one that holds.")
            return self.decoder.say(latent)

        self.lay(offset_s, make)
