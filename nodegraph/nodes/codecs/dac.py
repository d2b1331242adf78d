"""DAC, the Descript Audio Codec: any sound at 44.1 kHz in 8 kbit/s."""

from __future__ import annotations

from nodegraph.core import Chunks, Weights, inlet, node, outlet
from nodegraph.nodes.codecs.halves import Back, There, ThereAndBack

RATE, HOP = 44_100, 512
FRAMES = 10
FADE = 220
STAGES = (1.0, 9.0)
ENCODER_DELAY, DECODER_DELAY = 4_096, 4_757
WEIGHTS = Weights("dac-44khz")


@node("dac.codec~", aliases=("descript~",))
class Dac(ThereAndBack):
    """Send a sound through the Descript Audio Codec and back.

    `stages` is how many of its nine stages of codes are kept: 0.86 kbit/s each. One channel, up to 22 kHz. Both halves
    together take more time than the sound lasts on one core of most machines: live, what is not there in time fades
    (`late`) and is counted; a render waits for it.
    Shapes: chunks (5120,) float32 at 44.1 kHz, ten frames of 512 samples each.
    Latency: 0.57 s at 44.1 kHz: a chunk of 0.12 s, 0.2 s that the model looks ahead, 0.25 s for inference.
    Errors: WeightsMissing when `dac-44khz` is not in the model store.

    Source: R. Kumar and others, "High-Fidelity Audio Compression with Improved RVQGAN", NeurIPS 2023. Weights:
    descript/dac_44khz, MIT.
    """

    stages = inlet.control(9.0, "how many stages of codes are kept", span=STAGES, curve="integer")

    hears = Chunks(samples=FRAMES * HOP, rate=RATE)
    hop, encoder_delay, decoder_delay = HOP, ENCODER_DELAY, DECODER_DELAY
    weights = WEIGHTS
    answer_s = 0.25
    delay = ENCODER_DELAY + DECODER_DELAY


@node("dac.encode~", aliases=("dac.encoder~",))
class DacEncode(There):
    """Turn a sound into the codes of the Descript Audio Codec.

    Every 0.12 s `codes` sends ten frames of them: one whole number from 0 to 1023 for each stage of each. `latent` is
    what they stand for, before it is rounded to them. `dac.decode~` makes sound of both.
    Shapes: chunks (5120,) float32 at 44.1 kHz; codes (stages, 10), whole numbers; latent (1024, 10) float32.
    Answers stand 0.46 s after the sound that they speak of, 93 ms of which the model looks ahead.
    Errors: WeightsMissing when `dac-44khz` is not in the model store.

    Source: R. Kumar and others, "High-Fidelity Audio Compression with Improved RVQGAN", NeurIPS 2023. Weights:
    descript/dac_44khz, MIT.
    """

    stages = inlet.control(9.0, "how many stages of codes are sent", span=STAGES, curve="integer")
    codes = outlet.tensor("codes of ten frames", shape=("stages", FRAMES))
    latent = outlet.tensor("what they stand for", shape=("width", FRAMES))

    hears = Chunks(samples=FRAMES * HOP, rate=RATE)
    hop = HOP
    weights = WEIGHTS
    answer_s = 0.25
    delay = ENCODER_DELAY


@node("dac.decode~", aliases=("dac.decoder~",))
class DacDecode(Back):
    """Make sound of the codes of the Descript Audio Codec.

    Each message is some frames, one whole number from 0 to 1023 for each stage of each, and is 512 samples of sound a
    frame. What comes in time goes on from what came before, without a seam; where nothing comes the sound fades. A
    frame of -1 is one that was lost: the last one is repeated then, and fades away. `latent` takes what codes stand
    for in their place. It takes more time than the sound lasts on one core of most machines: live, what is not there
    in time fades and is counted; a render waits for it.
    Shapes: codes (stages, frames), 1 to 9 stages; latent (1024, frames) float32.
    Latency: 0.37 s from a message to its sound at 44.1 kHz, 108 ms of which the model looks ahead.
    Errors: WeightsMissing when `dac-44khz` is not in the model store. Codes that are none of this model's are left
    out, and `refused` says why.

    Source: R. Kumar and others, "High-Fidelity Audio Compression with Improved RVQGAN", NeurIPS 2023. Weights:
    descript/dac_44khz, MIT.
    """

    hears = Chunks(samples=HOP, rate=RATE)
    hop, fade, decoder_delay = HOP, FADE, DECODER_DELAY
    weights = WEIGHTS
    answer_s = 0.25
    delay = FADE + DECODER_DELAY
