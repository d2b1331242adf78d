"""EnCodec as we draw it says what transformers' says, however the sound is cut. Tiny random weights, same code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.core import ModelError, WorkerError, registry
from nodegraph.models.convert.networks.encodec import encodec_encoder
from nodegraph.models.making import make_network
from nodegraph.nodes.codecs.coding import FADE_FRAMES, LOST, Decoder, Encoder, stages_of
from nodegraph.nodes.codecs.encodec import FRAMES, HOP, RATE, Encodec, EncodecDecode, EncodecEncode
from nodegraph.nodes.codecs.messages import codes_in, latent_in
from nodegraph.runtime.lane.streams import answer_frames, latency_frames
from tests.codecs.cuts import decoded, encoded
from tests.codecs.tiny import golden, numbers, of_golden, write

GOLDEN = golden("encodec-24khz")
SOUND = numbers((1, 1, 24 * HOP), 2)[0]
CODES = GOLDEN["codes"][0, 0].astype(np.int64)
STAGES, FRAMES_IN_ALL = CODES.shape
CUTS = {"at once": [24], "one by one": [1] * 24, "as the nodes do": [3] * 8, "unevenly": [2, 7, 1, 10, 4]}


@pytest.fixture
def encoder(encodec_files: dict[str, Path]) -> Encoder:
    return Encoder(encodec_files["encoder"])


@pytest.fixture
def decoder(encodec_files: dict[str, Path]) -> Decoder:
    return Decoder(encodec_files["decoder"])


@pytest.mark.parametrize("rest", [[16], [1] * 16, [3, 3, 3, 3, 4]])
def test_it_says_what_the_original_says(encoder: Encoder, decoder: Decoder, rest: list[int]) -> None:
    """The original mirrors the beginning of a sound, so the first piece is as long as the longest of its mirrors."""
    cuts = [8, *rest]
    encoder.forget(mirrored=True)
    np.testing.assert_array_equal(encoded(encoder, SOUND, cuts, STAGES), CODES)
    decoder.forget(mirrored=True)
    assert np.abs(decoded(decoder, CODES, cuts) - GOLDEN["sound"]).max() < 1e-6


@pytest.mark.parametrize("how", CUTS)
def test_however_it_is_cut_the_codes_are_the_same(encoder: Encoder, decoder: Decoder, how: str) -> None:
    whole, back = encoded(encoder, SOUND, [24], STAGES), decoded(decoder, CODES, [24])
    encoder.forget()
    np.testing.assert_array_equal(encoded(encoder, SOUND, CUTS[how], STAGES), whole)
    decoder.forget()
    assert np.abs(decoded(decoder, CODES, CUTS[how]) - back).max() < 1e-6


def test_fewer_stages_are_the_first_of_more(encoder: Encoder) -> None:
    every, _ = encoder.encode(SOUND, STAGES)
    for stages in (1, 2, 5):
        encoder.forget()
        np.testing.assert_array_equal(encoder.encode(SOUND, stages)[0], every[:stages])
    assert [stages_of(kbps, 0.75) for kbps in (1.5, 3.0, 6.0, 12.0, 24.0, 2.9, 0.1)] == [2, 4, 8, 16, 32, 3, 1]


def test_a_latent_is_decoded_where_there_are_no_codes(decoder: Decoder) -> None:
    """What the codes stand for, given as a latent, sounds the same."""
    _, arrays = of_golden("encodec-24khz")
    latent = sum(arrays[f"quantizer.layers.{stage}.codebook.embed"][CODES[stage]] for stage in range(STAGES))
    sound = decoder.decode(CODES)
    decoder.forget()
    found = decoder.decode(np.zeros((0, FRAMES_IN_ALL), np.int64), np.asarray(latent).T)
    assert np.abs(found - sound).max() < 1e-5


def test_weights_under_their_older_names_are_the_same_network() -> None:
    config, arrays = of_golden("encodec-24khz")
    old = {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): value
        for name, value in arrays.items()
    }
    assert set(old) != set(arrays)
    one, other = (encodec_encoder(each, config).SerializeToString() for each in (arrays, old))
    assert one == other


@pytest.mark.parametrize("lack", ["encoder.layers.3.conv.bias", "quantizer.layers.0.codebook.embed", "ratios"])
def test_what_is_no_encodec_is_refused(tmp_path: Path, lack: str) -> None:
    config, arrays = of_golden("encodec-24khz")
    if lack == "ratios":
        config["upsampling_ratios"] = [8, 5, 4, 3, 2]
    else:
        del arrays[lack]
    if lack.endswith("bias"):
        arrays = {name: value for name, value in arrays.items() if not name.startswith("encoder.layers.3.")}
    with pytest.raises(ModelError) as caught:
        make_network("encodec-encoder", write(tmp_path, config, arrays), tmp_path / "model.onnx")
    assert caught.value.problems[0].code == "wrong-architecture"
    assert not (tmp_path / "model.onnx").exists()


@pytest.mark.parametrize(
    "codes", [np.full((2, 3), 64), np.full((2, 3), -1), np.zeros((9, 3), int), np.zeros(3, int)], ids=str
)
def test_codes_of_another_model_are_refused(decoder: Decoder, codes: Any) -> None:
    with pytest.raises(WorkerError, match="this model"):
        decoder.decode(codes)


def test_what_is_no_number_is_forgotten(encoder: Encoder) -> None:
    """After what is broken it hears as ever, as soon as its memory has faded."""
    broken = SOUND.copy()
    broken[0, :HOP] = np.nan
    broken[0, HOP : 2 * HOP] = 1e30
    codes = encoded(encoder, np.concatenate([broken, SOUND, SOUND], axis=1), [3] * 24, STAGES)
    assert codes.min() >= 0 and len(np.unique(codes[0, -24:])) > 5


# What was lost.


def test_lost_frames_fade_away_and_what_comes_after_fades_in(decoder: Decoder) -> None:
    codes = np.concatenate([CODES, CODES[:, :16]], axis=1)
    codes[:, 10 : 10 + FADE_FRAMES + 4] = LOST
    found = np.concatenate([decoder.conceal(codes[:, at : at + 2]) for at in range(0, 40, 2)], axis=1)[0]
    assert np.abs(found[(10 + FADE_FRAMES) * HOP : (14 + FADE_FRAMES) * HOP]).max() == 0.0
    assert np.abs(found[-8 * HOP :]).max() > 0.3
    decoder.forget()
    kept = decoder.decode(CODES)[0]
    assert np.abs(found[: 10 * HOP] - kept[: 10 * HOP]).max() < 1e-6
    usual = np.abs(np.diff(kept)).max()
    assert np.abs(np.diff(found)).max() < 1.3 * usual, "no step that the sound itself has not"


def test_before_anything_has_come_there_is_silence(decoder: Decoder) -> None:
    assert np.abs(decoder.conceal(np.full((STAGES, 5), LOST))).max() == 0.0


# In a patch.


QUIETER = 0.25  # so that the limiter before the sound card lets it be


def through_both(encodec_files: dict[str, Path], sound: Any, stages: int) -> Any:
    encoder, decoder = Encoder(encodec_files["encoder"]), Decoder(encodec_files["decoder"])
    size = FRAMES * HOP
    places = range(0, sound.shape[1], size)
    made = [decoder.decode(encoder.encode(sound[:, at : at + size], stages)[0])[0] for at in places]
    return np.float32(QUIETER) * np.concatenate(made)


def test_in_a_patch_it_is_the_codec_so_much_later(in_patches: Path, encodec_files: dict[str, Path]) -> None:
    patch = Patch("Codec")
    patch.connect(patch.add("in~", "in"), patch.add("encodec~", "it", bandwidth=6.0))
    patch.connect("it", patch.add("*~", "quieter", b=QUIETER), patch.add("out~", "out"))
    sound = np.tile(SOUND, (1, 6))
    made = patch.render(input=sound, rate=RATE).audio
    late = latency_frames(Encodec, RATE)
    assert late == FRAMES * HOP + round(0.12 * RATE)
    wanted = through_both(encodec_files, sound, 8)
    settled = round(0.02 * RATE)
    found = made[0, late + settled : sound.shape[1]]
    np.testing.assert_array_equal(found, wanted[settled : settled + len(found)])
    assert np.abs(found).max() > 0.1


def test_in_a_patch_it_sends_codes(in_patches: Path, encodec_files: dict[str, Path]) -> None:
    patch = Patch("Codes")
    patch.connect(patch.add("in~", "in"), patch.add("encodec.encode~", "it", bandwidth=3.0))
    patch.connect("it.codes", patch.add("vector.mean", "mean"))
    made = patch.render(input=SOUND, rate=RATE)
    found = np.concatenate([np.asarray(event.value) for event in made["it.codes"]], axis=1)
    wanted = encoded(Encoder(encodec_files["encoder"]), SOUND, [24], STAGES)
    assert len(found) == 4 and found.shape[1] >= FRAMES_IN_ALL
    np.testing.assert_array_equal(found[:, :FRAMES_IN_ALL], wanted[:4])


@pytest.mark.parametrize("what", ["codes", "latent"])
def test_in_a_patch_codes_and_latents_become_sound_again(
    in_patches: Path, encodec_files: dict[str, Path], what: str
) -> None:
    patch = Patch("There and back")
    patch.connect(patch.add("in~", "in"), patch.add("encodec.encode~", "there", bandwidth=6.0))
    patch.add("encodec.decode~", "back")
    patch.connect(f"there.{what}", f"back.{what}")
    patch.connect("back.y", patch.add("*~", "quieter", b=QUIETER), patch.add("out~", "out"))
    sound = np.tile(SOUND, (1, 6))
    made = patch.render(input=sound, rate=RATE).audio
    if what == "codes":
        wanted = through_both(encodec_files, sound, 8)
    else:
        encoder, decoder = Encoder(encodec_files["encoder"]), Decoder(encodec_files["decoder"])
        _, latent = encoder.encode(sound, 1)
        wanted = QUIETER * decoder.decode(np.zeros((0, latent.shape[1]), np.int64), latent)[0]
    late = FRAMES * HOP + answer_frames(EncodecEncode, RATE) + latency_frames(EncodecDecode, RATE)
    settled = round(0.02 * RATE)
    found = made[0, late + settled : sound.shape[1]]
    assert len(found) > RATE and np.abs(found).max() > 0.1
    assert np.abs(found - wanted[settled : settled + len(found)]).max() < 1e-6


@pytest.mark.parametrize(
    "message", ["words", np.zeros((2, 2, 2)), np.zeros((2, 0)), np.full(3, 0.5), np.full(3, np.nan), (), None]
)
def test_messages_that_are_no_codes_are_refused(message: Any) -> None:
    with pytest.raises(WorkerError):
        codes_in(message)


def test_what_is_refused_leaves_no_gap(encodec_files: dict[str, Path]) -> None:
    """Between codes that follow one another come some of another model: told once, and not to be heard."""
    node = EncodecDecode()
    node.load(encodec_files, "cpu")
    places, parts, told = range(0, 24, 3), [], []
    for at in places:
        node.on_codes(CODES[:, at : at + 3], 0.0)
        node.on_codes(np.full((2, 3), 900), 0.002)
        node.on_codes("words", 0.003)
        for _ in range(3):
            answer = node.infer(np.zeros(HOP, np.float32))
            parts.append(answer["y"][0])
            told += [answer["refused"]] if "refused" in answer else []
    assert len(told) == len(places) and all("this model has 0 to 63" in text for text in told)
    wanted = Decoder(encodec_files["decoder"]).decode(CODES)[0]
    found = np.concatenate(parts)
    np.testing.assert_allclose(found[400:], wanted[400 - node.delay : len(found) - node.delay], atol=1e-6)


def test_a_vector_is_one_frame() -> None:
    np.testing.assert_array_equal(codes_in((1, 2.0, 3)), [[1], [2], [3]])
    with pytest.raises(WorkerError, match="this model has 16"):
        latent_in(np.zeros((3, 2)), 16)


def test_what_decoders_say_first_is_their_sound() -> None:
    """A cable from the box alone takes the first outlet."""
    decoders = [spec for spec in registry() if spec.kind.endswith(".decode~") and "refused" in spec.outlet_named]
    assert len(decoders) == 6 and all(spec.outlets[0].name == "y" for spec in decoders)
