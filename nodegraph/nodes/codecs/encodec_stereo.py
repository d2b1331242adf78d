"""EnCodec at 48 kHz, for music in stereo: a second at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nodegraph.core import Chunks, InferenceNode, StreamNode, Weights, WorkerError, inlet, node, outlet
from nodegraph.nodes.codecs.coding import stages_of
from nodegraph.nodes.codecs.flowing import Floats, expect
from nodegraph.nodes.codecs.halves import Maker
from nodegraph.nodes.codecs.messages import codes_in
from nodegraph.nodes.codecs.windows import WindowDecoder, WindowEncoder
from nodegraph.nodes.pieces import Pieces

RATE, WHOLE, STEP = 48_000, 48_000, 47_520
OVERLAP = WHOLE - STEP
FRAMES = 150
STAGE_KBPS = 1.5
BANDWIDTHS = (3.0, 24.0)
FADE = 240
TICK = 2_400
"""What the decoder hears of the silence before it: how often it is asked."""
WEIGHTS = Weights("encodec-48khz")
LOUDEST_SCALE = 8.0


@node("encodec48~", aliases=("encodec48.codec~",))
class EncodecStereo(StreamNode):
    """Send music in stereo through EnCodec and back: what is left of it in so many kilobits a second.

    `bandwidth` is how many: 3, 6, 12 and 24 are those that the model has learned, and what lies between works, in
    steps of 1.5. Two channels, up to 24 kHz, a second at a time.
    Shapes: chunks (2, 47520) float32 at 48 kHz; windows of 48000 samples overlap by 480.
    Latency: 2.0 s: a chunk of 0.99 s, 10 ms of overlap, a second for inference. Cost: 0.2 to 0.3 s to hear a second,
    and 0.3 s to say it, on one busy core.
    Errors: WeightsMissing when `encodec-48khz` is not in the model store.

    Source: A. Défossez, J. Copet, G. Synnaeve, Y. Adi, "High Fidelity Neural Audio Compression", 2022, section 3.1.
    Weights: facebook/encodec_48khz, CC BY-NC 4.0: not for commercial use.
    """

    x = inlet.signal("music; one channel is heard on both sides", channels=2)
    bandwidth = inlet.control(6.0, "how much may go through", unit="kbit/s", span=BANDWIDTHS, curve="log")
    y = outlet.signal("what is left of it", channels=2)

    hears = Chunks(samples=STEP, rate=RATE)
    weights = WEIGHTS
    answer_s = 1.0
    delay = OVERLAP

    def load(self, files: dict[str, Path], device: str) -> None:
        self.encoder, self.decoder = WindowEncoder(files["encoder"], device), WindowDecoder(files["decoder"], device)
        for half in (self.encoder, self.decoder):
            expect(half.network, self.weights.name, rate=RATE, whole=WHOLE, step=STEP)
        self.reset()

    def reset(self) -> None:
        self.encoder.forget()
        self.decoder.forget()

    def infer(self, clip: Floats) -> dict[str, Any]:
        codes, scale = self.encoder.encode(clip, stages_of(self.bandwidth, STAGE_KBPS))
        return {"y": self.decoder.decode(codes, scale)}


@node("encodec48.encode~", aliases=("encodec48.encoder~",))
class EncodecStereoEncode(InferenceNode):
    """Turn music in stereo into EnCodec's codes, a second at a time.

    Every 0.99 s `scale` sends how loud the second is, and after it `codes` sends its 150 frames: one whole number from
    0 to 1023 for each stage of each. `encodec48.decode~` takes both.
    Shapes: chunks (2, 47520) float32 at 48 kHz; codes (stages, 150), whole numbers.
    Answers stand 2.0 s after the end of the second that they speak of.
    Errors: WeightsMissing when `encodec-48khz` is not in the model store.

    Source: A. Défossez, J. Copet, G. Synnaeve, Y. Adi, "High Fidelity Neural Audio Compression", 2022, section 3.1.
    Weights: facebook/encodec_48khz, CC BY-NC 4.0: not for commercial use.
    """

    x = inlet.signal("music; one channel is heard on both sides", channels=2)
    bandwidth = inlet.control(6.0, "how many stages: 1.5 kbit/s each", unit="kbit/s", span=BANDWIDTHS, curve="log")
    scale = outlet.event("how loud the second is whose codes come next")
    codes = outlet.tensor("codes of a second", shape=("stages", FRAMES))

    hears = Chunks(samples=STEP, rate=RATE)
    weights = WEIGHTS
    answer_s = 1.0
    delay = OVERLAP

    def load(self, files: dict[str, Path], device: str) -> None:
        self.encoder = WindowEncoder(files["encoder"], device)
        expect(self.encoder.network, self.weights.name, rate=RATE, whole=WHOLE, step=STEP)

    def reset(self) -> None:
        self.encoder.forget()

    def infer(self, clip: Floats) -> dict[str, Any]:
        codes, scale = self.encoder.encode(clip, stages_of(self.bandwidth, STAGE_KBPS))
        return {"scale": scale, "codes": codes}


@node("encodec48.decode~", aliases=("encodec48.decoder~",))
class EncodecStereoDecode(Maker):
    """Make music in stereo of EnCodec's codes.

    Each message is 150 frames, one whole number from 0 to 1023 for each stage of each, and is 0.99 s of sound; `scale`
    says how loud the next ones are. Windows fade into one another over 10 ms; where nothing comes the sound fades.
    Shapes: codes (stages, 150), 1 to 16 stages.
    Latency: 0.86 s from a message to its sound at 48 kHz.
    Errors: WeightsMissing when `encodec-48khz` is not in the model store. Codes that are none of this model's are
    left out, and `refused` says why.

    Source: A. Défossez, J. Copet, G. Synnaeve, Y. Adi, "High Fidelity Neural Audio Compression", 2022, section 3.1.
    Weights: facebook/encodec_48khz, CC BY-NC 4.0: not for commercial use.
    """

    scale = inlet.event("how loud what comes next is")
    codes = inlet.tensor("codes of a second", shape=("stages", FRAMES))
    y = outlet.signal("music", channels=2)
    refused = outlet.event("why a message was left out")

    hears = Chunks(samples=TICK, rate=RATE)
    weights = WEIGHTS
    answer_s = 0.8
    delay = FADE
    lasting = ("scale",)
    loudness = 1.0

    def load(self, files: dict[str, Path], device: str) -> None:
        self.decoder = WindowDecoder(files["decoder"], device)
        expect(self.decoder.network, self.weights.name, rate=RATE, whole=WHOLE, step=STEP)
        self.pieces = Pieces(2, FADE)
        self.decoder.decode(np.zeros((1, FRAMES), np.int64), 1.0)  # the first time takes longest
        self.reset()

    def reset(self) -> None:
        self.decoder.forget()
        self.pieces.clear()

    def on_scale(self, message: Any) -> None:
        if not isinstance(message, (int, float)) or not 0.0 <= message <= LOUDEST_SCALE:
            self.told = self.told or f"the scale {message!r} is no loudness: it goes from 0 to {LOUDEST_SCALE:g}."
            return
        self.loudness = float(message)

    def on_codes(self, message: Any, offset_s: float) -> None:
        def make() -> Floats:
            codes = codes_in(message)
            if codes.shape[1] != FRAMES:
                raise WorkerError(f"codes of {codes.shape[1]} frames came; a window has {FRAMES}.")
            return self.decoder.decode(codes, self.loudness)

        self.lay(offset_s, make)
