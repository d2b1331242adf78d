"""What the nodes of codecs share whose two halves hear piece by piece: there and back, there, and back.

A node says which model it is for (`weights`), the samples of one frame (`hop`), by how many the two halves lag
(`encoder_delay`, `decoder_delay`: what they look ahead), and how many stages of codes it wants. What comes out bears
the time of the sound that it stands for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nodegraph.core import InferenceNode, StreamNode, WorkerError, inlet, outlet
from nodegraph.nodes.codecs.coding import Decoder, Encoder
from nodegraph.nodes.codecs.flowing import Floats, expect
from nodegraph.nodes.codecs.messages import codes_in, latent_in
from nodegraph.nodes.pieces import Pieces


class ThereAndBack(StreamNode):
    """Sound through both halves."""

    stages: float  # a control of those that have one
    x = inlet.signal("sound; channels are mixed to one", channels=1)
    y = outlet.signal("what is left of it", channels=1)

    hop: ClassVar[int]
    encoder_delay: ClassVar[int] = 0
    decoder_delay: ClassVar[int] = 0

    def wanted(self) -> int:
        """How many stages are wanted now."""
        return round(self.stages)

    def load(self, files: dict[str, Path], device: str) -> None:
        self.encoder, self.decoder = Encoder(files["encoder"], device), Decoder(files["decoder"], device)
        for half, delay in ((self.encoder, self.encoder_delay), (self.decoder, self.decoder_delay)):
            expect(half.network, self.weights.name, rate=self.hears.rate, hop=self.hop, delay=delay)
        self.reset()

    def reset(self) -> None:
        self.encoder.forget()
        self.decoder.forget()

    def infer(self, clip: Floats) -> dict[str, Any]:
        codes, _ = self.encoder.encode(clip, self.wanted())
        return {"y": self.decoder.decode(codes)[0]}


class There(InferenceNode):
    """Sound to codes and latents. `delay` is what the encoder looks ahead."""

    stages: float  # a control of those that have one
    x = inlet.signal("sound; channels are mixed to one", channels=1)

    hop: ClassVar[int]

    def wanted(self) -> int:
        """How many stages are wanted now."""
        return round(self.stages)

    def load(self, files: dict[str, Path], device: str) -> None:
        self.encoder = Encoder(files["encoder"], device)
        rate = self.hears.rate
        expect(self.encoder.network, self.weights.name, rate=rate, hop=self.hop, delay=self.delay)

    def reset(self) -> None:
        self.encoder.forget()

    def infer(self, clip: Floats) -> dict[str, Any]:
        codes, latent = self.encoder.encode(clip, self.wanted())
        return {"codes": codes, "latent": latent}


class Maker(StreamNode):
    """Makes sound of messages. One that makes no sense is left out, and told by the outlet `refused`, which each kind
    declares behind its sound: raising would tear a gap into what others have asked for."""

    pieces: Pieces
    told = ""

    def lay(self, offset_s: float, make: Callable[[], Floats]) -> None:
        """The sound that `make` gives begins so many seconds after what is heard next."""
        try:
            sound = make()
        except WorkerError as error:
            self.told = self.told or str(error)
            return
        self.pieces.lay(offset_s * self.hears.rate, sound)

    def infer(self, clip: Floats) -> dict[str, Any]:
        answer: dict[str, Any] = {"y": self.pieces.take(self.hears.samples)}
        if self.told:
            answer["refused"], self.told = self.told, ""
        return answer


class Back(Maker):
    """Codes and latents to sound. `delay` is the fade of `Pieces`, and what the decoder looks ahead."""

    codes = inlet.tensor("codes of some frames", shape=("stages", "frames"))
    latent = inlet.tensor("what codes stand for, in their place", shape=("width", "frames"))
    y = outlet.signal("sound", channels=1)
    refused = outlet.event("why a message was left out")

    hop: ClassVar[int]
    fade: ClassVar[int]
    decoder_delay: ClassVar[int] = 0

    def load(self, files: dict[str, Path], device: str) -> None:
        self.decoder = Decoder(files["decoder"], device)
        rate = self.hears.rate
        expect(self.decoder.network, self.weights.name, rate=rate, hop=self.hop, delay=self.decoder_delay)
        self.pieces = Pieces(1, self.fade)
        self.decoder.decode(np.zeros((1, 1), np.int64))  # the first time takes longest
        self.reset()

    def reset(self) -> None:
        self.decoder.forget()
        self.pieces.clear()

    def on_codes(self, message: Any, offset_s: float) -> None:
        self.lay(offset_s, lambda: self.decoder.conceal(codes_in(message)))

    def on_latent(self, message: Any, offset_s: float) -> None:
        def make() -> Floats:
            latent = latent_in(message, self.decoder.width)
            return self.decoder.decode(np.zeros((0, latent.shape[1]), np.int64), latent)

        self.lay(offset_s, make)
