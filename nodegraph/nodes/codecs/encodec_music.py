"""EnCodec at 32 kHz, whose codes MusicGen speaks. It looks ahead, and so it lags."""

from __future__ import annotations

from nodegraph.core import Chunks, Weights, inlet, node, outlet
from nodegraph.nodes.codecs.halves import Back, There, ThereAndBack

RATE, HOP = 32_000, 640
FRAMES = 10
"""What is heard at once: the network has 58 million weights, and they are read once for all of it."""
FADE = 160
STAGES = (1.0, 4.0)
ENCODER_DELAY, DECODER_DELAY = 2_560, 2_402
WEIGHTS = Weights("encodec-32khz")


@node("encodec32~", aliases=("encodec32.codec~",))
class EncodecMusic(ThereAndBack):
    """Send music through the EnCodec of MusicGen and back: 2.2 kbit/s.

    `stages` is how many of its four stages of codes are kept: 0.55 kbit/s each. One channel, up to 16 kHz.
    Shapes: chunks (6400,) float32 at 32 kHz, ten frames of 640 samples each.
    Latency: 0.66 s: a chunk of 0.2 s, 0.16 s that the model looks ahead, 0.3 s for inference and resamplers. Cost: 83
    ms to hear a chunk, and as much to say it, on one busy core.
    Errors: WeightsMissing when `encodec-32khz` is not in the model store.

    Source: J. Copet and others, "Simple and Controllable Music Generation", NeurIPS 2023, section 4. Weights:
    facebook/encodec_32khz, CC BY-NC 4.0: not for commercial use.
    """

    stages = inlet.control(4.0, "how many stages of codes are kept", span=STAGES, curve="integer")

    hears = Chunks(samples=FRAMES * HOP, rate=RATE)
    hop, encoder_delay, decoder_delay = HOP, ENCODER_DELAY, DECODER_DELAY
    weights = WEIGHTS
    answer_s = 0.3
    delay = ENCODER_DELAY + DECODER_DELAY


@node("encodec32.encode~", aliases=("encodec32.encoder~",))
class EncodecMusicEncode(There):
    """Turn a sound into the codes that MusicGen speaks.

    Every 0.2 s `codes` sends ten frames of them, of four numbers from 0 to 2047 each; `latent` is what they stand for,
    before it is rounded to them. `encodec32.decode~` makes sound of both.
    Shapes: chunks (6400,) float32 at 32 kHz; codes (stages, 10), whole numbers; latent (128, 10) float32.
    Answers stand 0.48 s after the sound that they speak of, 80 ms of which the model looks ahead.
    Errors: WeightsMissing when `encodec-32khz` is not in the model store.

    Source: J. Copet and others, "Simple and Controllable Music Generation", NeurIPS 2023, section 4. Weights:
    facebook/encodec_32khz, CC BY-NC 4.0: not for commercial use.
    """

    stages = inlet.control(4.0, "how many stages of codes are sent", span=STAGES, curve="integer")
    codes = outlet.tensor("codes of ten frames", shape=("stages", FRAMES))
    latent = outlet.tensor("what they stand for", shape=("width", FRAMES))

    hears = Chunks(samples=FRAMES * HOP, rate=RATE)
    hop = HOP
    delay = ENCODER_DELAY
    weights = WEIGHTS
    answer_s = 0.2


@node("encodec32.decode~", aliases=("encodec32.decoder~",))
class EncodecMusicDecode(Back):
    """Make sound of the codes that MusicGen speaks.

    Each message is some frames, one whole number from 0 to 2047 for each stage of each, and is 640 samples of sound a
    frame. What comes in time goes on from what came before, without a seam; where nothing comes the sound fades. A
    frame of -1 is one that was lost: the last one is repeated then, and fades away. `latent` takes what codes stand
    for in their place.
    Shapes: codes (stages, frames), 1 to 4 stages; latent (128, frames) float32.
    Latency: 0.25 s from a message to its sound, 75 ms of which the model looks ahead.
    Errors: WeightsMissing when `encodec-32khz` is not in the model store. Codes that are none of this model's are
    left out, and `refused` says why.

    Source: J. Copet and others, "Simple and Controllable Music Generation", NeurIPS 2023, section 4. Weights:
    facebook/encodec_32khz, CC BY-NC 4.0: not for commercial use.
    """

    hears = Chunks(samples=HOP, rate=RATE)
    hop, fade, decoder_delay = HOP, FADE, DECODER_DELAY
    weights = WEIGHTS
    answer_s = 0.15
    delay = FADE + DECODER_DELAY
