"""EnCodec at 24 kHz: sound through a few kilobits a second, as it plays."""

from __future__ import annotations

from nodegraph.core import Chunks, Weights, inlet, node, outlet
from nodegraph.nodes.codecs.coding import stages_of
from nodegraph.nodes.codecs.halves import Back, There, ThereAndBack

RATE, HOP = 24_000, 320
FRAMES = 3
FADE = 120
"""Samples over which sound fades where no more codes come."""
STAGE_KBPS = 0.75
"""What one stage costs: 10 bits, 75 times a second."""
BANDWIDTHS = (1.5, 24.0)
WEIGHTS = Weights("encodec-24khz")


@node("encodec~", aliases=("encodec.codec~",))
class Encodec(ThereAndBack):
    """Send a sound through EnCodec and back: what is left of it in so many kilobits a second.

    `bandwidth` is how many: 1.5, 3, 6, 12 and 24 are those that the model has learned, and what lies between works,
    in steps of 0.75. One channel, up to 12 kHz.
    Shapes: chunks (960,) float32 at 24 kHz, three frames of 320 samples each.
    Latency: 0.16 s, of which 40 ms are a chunk, up to 80 ms go to resamplers at other rates than 24 kHz, and none are
    the model's own. Cost: 7 to 9 ms to hear a chunk of 40 ms at 6 kbit/s, and 6 to 7 ms to say it, on one busy core.
    Errors: WeightsMissing when `encodec-24khz` is not in the model store.

    Source: A. Défossez, J. Copet, G. Synnaeve, Y. Adi, "High Fidelity Neural Audio Compression", 2022. Weights:
    facebook/encodec_24khz, CC BY-NC 4.0: not for commercial use.
    """

    bandwidth = inlet.control(6.0, "how much may go through", unit="kbit/s", span=BANDWIDTHS, curve="log")

    hears = Chunks(samples=FRAMES * HOP, rate=RATE)
    hop = HOP
    weights = WEIGHTS
    answer_s = 0.12

    def wanted(self) -> int:
        return stages_of(self.bandwidth, STAGE_KBPS)


@node("encodec.encode~", aliases=("encodec.encoder~",))
class EncodecEncode(There):
    """Turn a sound into EnCodec's codes.

    They may be sent, kept, changed, and made sound of again with `encodec.decode~`. Every 40 ms `codes` sends three
    frames of them: each frame is one whole number from 0 to 1023 for each stage. The first stage says the most, each
    further one what those before left over: so codes may be cut off behind any stage. `latent` is what the codes stand
    for, before it is rounded to them.
    Shapes: chunks (960,) float32 at 24 kHz; codes (stages, 3), whole numbers; latent (128, 3) float32.
    Answers stand 0.12 s after the sound that they speak of.
    Errors: WeightsMissing when `encodec-24khz` is not in the model store.

    Source: A. Défossez, J. Copet, G. Synnaeve, Y. Adi, "High Fidelity Neural Audio Compression", 2022, section 3.2.
    Weights: facebook/encodec_24khz, CC BY-NC 4.0: not for commercial use.
    """

    bandwidth = inlet.control(6.0, "how many stages: 0.75 kbit/s each", unit="kbit/s", span=BANDWIDTHS, curve="log")
    codes = outlet.tensor("codes of three frames", shape=("stages", FRAMES))
    latent = outlet.tensor("what they stand for", shape=("width", FRAMES))

    hears = Chunks(samples=FRAMES * HOP, rate=RATE)
    hop = HOP
    weights = WEIGHTS
    answer_s = 0.08

    def wanted(self) -> int:
        return stages_of(self.bandwidth, STAGE_KBPS)


@node("encodec.decode~", aliases=("encodec.decoder~",))
class EncodecDecode(Back):
    """Make sound of EnCodec's codes.

    Each message is some frames, one whole number from 0 to 1023 for each stage of each, and is 320 samples of sound a
    frame. What comes in time goes on from what came before, without a seam; where nothing comes the sound fades. A
    frame of -1 is one that was lost: the last one is repeated then, and fades away over 80 ms. `latent` takes what
    codes stand for in their place: latents may be mixed, stretched and bent, which codes may not.
    Shapes: codes (stages, frames), 1 to 32 stages; latent (128, frames) float32.
    Latency: 0.13 s from a message to its sound. Cost: 6 to 7 ms for 40 ms of sound on one busy core.
    Errors: WeightsMissing when `encodec-24khz` is not in the model store. Codes that are none of this model's are
    left out, and `refused` says why.

    Source: A. Défossez, J. Copet, G. Synnaeve, Y. Adi, "High Fidelity Neural Audio Compression", 2022. Weights:
    facebook/encodec_24khz, CC BY-NC 4.0: not for commercial use.
    """

    hears = Chunks(samples=HOP, rate=RATE)
    hop, fade = HOP, FADE
    weights = WEIGHTS
    answer_s = 0.11
    delay = FADE
