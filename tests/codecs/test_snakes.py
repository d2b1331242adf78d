"""DAC says what transformers' says, and Oobleck what diffusers' says, so much later, however the sound is cut.

Tiny random weights in the published layouts. The originals put silence before and behind the sound in every layer; what
is streamed has nothing before it, so what they look ahead and back over the edges is left out.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.nodes.codecs import dac, oobleck
from nodegraph.nodes.codecs.coding import Decoder, Encoder
from nodegraph.nodes.codecs.flowing import Flowing
from nodegraph.runtime.lane.streams import answer_frames, latency_frames
from tests.codecs.cuts import decoded, encoded
from tests.codecs.tiny import golden, numbers

DAC, OOBLECK = golden("dac-44khz"), golden("oobleck")
CODES = DAC["codes"].astype(np.int64)
STAGES, COUNT = CODES.shape
SOUND = numbers((1, 1, COUNT * dac.HOP), 2)[0]
CLOSE = 4e-6
"""Rounding, after dozens of layers, of numbers up to 1.3."""
EDGE = 10
"""Latent frames that a network looks to each side."""
CUTS = {"at once": [40], "one by one": [1] * 40, "as the nodes do": [10] * 4, "unevenly": [5, 1, 2, 13, 19]}


@pytest.mark.parametrize("how", CUTS)
def test_dac(dac_files: dict[str, Path], how: str) -> None:
    encoder, decoder = Encoder(dac_files["encoder"]), Decoder(dac_files["decoder"])
    codes = encoded(encoder, SOUND, CUTS[how], STAGES)
    late = dac.ENCODER_DELAY // dac.HOP
    np.testing.assert_array_equal(codes[:, EDGE + late :], CODES[:, EDGE:-late])
    assert all(len(np.unique(row)) > 10 for row in CODES)
    sound = decoded(decoder, CODES, CUTS[how])[:, dac.DECODER_DELAY :]
    wanted = DAC["sound"][:, : sound.shape[1]]
    assert np.abs(sound - wanted)[:, EDGE * dac.HOP :].max() < CLOSE
    assert np.abs(wanted).max() > 0.3


def test_dac_in_a_patch(in_patches: Path, dac_files: dict[str, Path]) -> None:
    """Through both halves at once, and as codes; a dry path waits for the codes."""
    patch = Patch("DAC")
    patch.connect(patch.add("in~", "in"), patch.add("dac.encode~", "there"))
    patch.add("dac.decode~", "back")
    patch.connect("there.codes", "back.codes")
    patch.connect("back.y", patch.add("out~", "out", channels=1))
    patch.connect("in", patch.add("out~", "dry", channel=2, channels=1))
    sound = np.float32(0.5) * np.tile(SOUND, (1, 4))
    made = patch.render(input=sound, rate=dac.RATE).audio
    encoder, decoder = Encoder(dac_files["encoder"]), Decoder(dac_files["decoder"])
    wanted = decoded(decoder, encoded(encoder, sound, [160], 9), [160])[0]
    late = dac.FRAMES * dac.HOP + answer_frames(dac.DacEncode, dac.RATE) + latency_frames(dac.DacDecode, dac.RATE)
    total = late + dac.ENCODER_DELAY
    np.testing.assert_array_equal(made[1, total : sound.shape[1]], sound[0, : sound.shape[1] - total])
    shift = late - dac.DECODER_DELAY
    found = made[0, shift + 1_000 : shift + sound.shape[1]]
    assert np.abs(found - wanted[1_000 : 1_000 + len(found)]).max() < CLOSE and np.abs(found).max() > 0.1
    patch = Patch("DAC at once")
    patch.connect(patch.add("in~", "in"), patch.add("dac.codec~", "it"), patch.add("out~", "out"))
    made = patch.render(input=sound, rate=dac.RATE).audio
    shift = latency_frames(dac.Dac, dac.RATE) - dac.Dac.delay
    found = made[0, shift + 1_000 : shift + sound.shape[1]]
    assert np.abs(found - wanted[1_000 : 1_000 + len(found)]).max() < CLOSE


LENGTHS = {"at once": [30], "one by one": [1] * 30, "as the nodes do": [4] * 7 + [2], "unevenly": [5, 1, 2, 13, 9]}


@pytest.mark.parametrize("how", LENGTHS)
def test_oobleck(oobleck_files: dict[str, Path], how: str) -> None:
    sound, hop = numbers((1, 2, 30 * oobleck.HOP), 2), oobleck.HOP
    encoder = Flowing(oobleck_files["encoder"])
    parts = [
        encoder.hear(["mean", "deviation"], {"sound": sound[..., a * hop : b * hop]})
        for a, b in pairwise(np.cumsum([0, *LENGTHS[how]]))
    ]
    late = oobleck.ENCODER_DELAY // hop
    for number, name in enumerate(("mean", "deviation")):
        found = np.concatenate([part[number] for part in parts], axis=2)[0]
        assert np.abs(found[:, EDGE + late :] - OOBLECK[name][:, EDGE:-late]).max() < CLOSE
    latent = numbers((1, 2, 24), 3)
    decoder = Flowing(oobleck_files["decoder"])
    cuts = [0, *(place for place in np.cumsum(LENGTHS[how]) if place < 24), 24]
    made = np.concatenate([decoder.hear(["sound"], {"latent": latent[..., a:b]})[0] for a, b in pairwise(cuts)], axis=2)
    found = made[0, :, oobleck.DECODER_DELAY :][:, 4 * hop : 16 * hop : 3]
    kept = found.shape[1] - (EDGE - 4) * hop // 3
    assert kept > 1_000
    assert np.abs(found - OOBLECK["sound"][:, : found.shape[1]])[:, -kept:].max() < CLOSE


def test_oobleck_in_a_patch(in_patches: Path, oobleck_files: dict[str, Path]) -> None:
    patch = Patch("Latent")
    patch.connect(patch.add("in~", "in", channels=2), patch.add("oobleck.encode~", "there"))
    patch.add("oobleck.decode~", "back")
    patch.connect("there.latent", "back.latent")
    patch.connect("back.y", patch.add("out~", "out"))
    rate, frames = oobleck.RATE, 60
    sound = numbers((2, frames * oobleck.HOP), 5)
    made = patch.render(input=sound, rate=rate).audio
    encoder, decoder = Flowing(oobleck_files["encoder"]), Flowing(oobleck_files["decoder"])
    (latent,) = encoder.hear(["mean"], {"sound": sound[None]})
    wanted = decoder.hear(["sound"], {"latent": latent})[0][0]
    shift = oobleck.FRAMES * oobleck.HOP + answer_frames(oobleck.OobleckEncode, rate)
    shift += latency_frames(oobleck.OobleckDecode, rate) - oobleck.DECODER_DELAY
    found = made[:, shift + 1_000 : shift + sound.shape[1]]
    assert np.abs(found - wanted[:, 1_000 : 1_000 + found.shape[1]]).max() < CLOSE and np.abs(found).max() > 0.1
    patch = Patch("At once")
    patch.connect(patch.add("in~", "in", channels=2), patch.add("oobleck~", "it"), patch.add("out~", "out"))
    made = patch.render(input=sound, rate=rate).audio
    shift = latency_frames(oobleck.Oobleck, rate) - oobleck.Oobleck.delay
    found = made[:, shift + 1_000 : shift + sound.shape[1]]
    assert np.abs(found - wanted[:, 1_000 : 1_000 + found.shape[1]]).max() < CLOSE


def test_latents_of_another_model_are_refused(oobleck_files: dict[str, Path]) -> None:
    node = oobleck.OobleckDecode()
    node.load(oobleck_files, "cpu")
    for wrong in (np.zeros((3, 4)), np.full((2, 4), np.nan), "latent", np.zeros((2, 2_000))):
        node.on_latent(wrong, 0.0)
        assert "latent" in node.infer(np.zeros(oobleck.HOP, np.float32))["refused"]
