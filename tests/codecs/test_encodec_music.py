"""EnCodec at 32 kHz, which looks ahead, and at 48 kHz, which hears windows: as transformers', with tiny weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.core import WorkerError
from nodegraph.models.making import make_network
from nodegraph.nodes.codecs import encodec_stereo
from nodegraph.nodes.codecs.coding import Decoder, Encoder
from nodegraph.nodes.codecs.encodec_music import (
    DECODER_DELAY,
    ENCODER_DELAY,
    FRAMES,
    HOP,
    RATE,
    EncodecMusic,
    EncodecMusicDecode,
    EncodecMusicEncode,
)
from nodegraph.nodes.codecs.encodec_stereo import (
    OVERLAP,
    STEP,
    TICK,
    EncodecStereo,
    EncodecStereoDecode,
    EncodecStereoEncode,
)
from nodegraph.nodes.codecs.windows import WindowDecoder, WindowEncoder
from nodegraph.runtime.lane.streams import answer_frames, latency_frames
from tests.codecs.cuts import decoded, encoded
from tests.codecs.tiny import golden, numbers, of_golden, write

MUSIC = golden("encodec-32khz")
CODES = MUSIC["codes"][0, 0].astype(np.int64)
STAGES, COUNT = CODES.shape
SOUND = numbers((1, 1, COUNT * HOP), 2)[0]
AHEAD = ENCODER_DELAY // HOP
SETTLED, LOUD = 10, 27
"""Frames after which nothing is left, in codes and in sound, of how it began: the original mirrors the beginning, and
we hear silence before it."""
CUTS = {"at once": [32], "one by one": [1] * 32, "as the nodes do": [10, 10, 10, 2], "unevenly": [5, 1, 2, 13, 11]}
QUIETER = 0.25


@pytest.mark.parametrize("how", CUTS)
def test_so_much_later_it_says_what_the_original_says(encodec32_files: dict[str, Path], how: str) -> None:
    encoder, decoder = Encoder(encodec32_files["encoder"]), Decoder(encodec32_files["decoder"])
    assert encoder.network.number("delay") == ENCODER_DELAY and decoder.network.number("delay") == DECODER_DELAY
    codes = encoded(encoder, SOUND, CUTS[how], STAGES)
    np.testing.assert_array_equal(codes[:, SETTLED + AHEAD :], CODES[:, SETTLED:-AHEAD])
    assert len(np.unique(CODES[0])) > 8
    sound = decoded(decoder, CODES, CUTS[how])[:, DECODER_DELAY:]
    wanted = MUSIC["sound"][:, : sound.shape[1]]
    assert np.abs(sound - wanted)[:, LOUD * HOP :].max() < 1e-6
    assert np.abs(wanted).max() > 0.3


def test_in_a_patch_it_lags_as_declared(in_patches: Path, encodec32_files: dict[str, Path]) -> None:
    patch = Patch("Music")
    patch.connect(patch.add("in~", "in"), patch.add("encodec32~", "it"), patch.add("out~", "out"))
    patch.connect("in", patch.add("encodec32.encode~", "there"))
    patch.add("encodec32.decode~", "back")
    patch.connect("there.codes", "back.codes")
    sound = np.float32(0.5) * np.tile(SOUND, (1, 2))
    made = patch.render(input=sound, rate=RATE)
    encoder, decoder = Encoder(encodec32_files["encoder"]), Decoder(encodec32_files["decoder"])
    wanted = decoded(decoder, encoded(encoder, sound, [64], STAGES), [64])[0]
    shift = latency_frames(EncodecMusic, RATE) - EncodecMusic.delay
    found = made.audio[0, shift + 1_000 : sound.shape[1]]
    assert np.abs(found - wanted[1_000 : 1_000 + len(found)]).max() < 1e-6 and np.abs(found).max() > 0.1
    said = np.concatenate([np.asarray(event.value) for event in made["there.codes"]], axis=1)
    np.testing.assert_array_equal(said[:, :60], encoded(Encoder(encodec32_files["encoder"]), sound, [60], STAGES))


def test_its_codes_become_sound_again(in_patches: Path, encodec32_files: dict[str, Path]) -> None:
    patch = Patch("Music")
    patch.connect(patch.add("in~", "in"), patch.add("encodec32.encode~", "there"))
    patch.add("encodec32.decode~", "back")
    patch.connect("there.codes", "back.codes")
    patch.connect("back.y", patch.add("out~", "out", channels=1))
    patch.connect("in", patch.add("out~", "dry", channel=2, channels=1))
    sound = np.float32(0.5) * np.tile(SOUND, (1, 2))
    made = patch.render(input=sound, rate=RATE)
    encoder, decoder = Encoder(encodec32_files["encoder"]), Decoder(encodec32_files["decoder"])
    wanted = decoded(decoder, encoded(encoder, sound, [64], STAGES), [64])[0]
    late = FRAMES * HOP + answer_frames(EncodecMusicEncode, RATE) + latency_frames(EncodecMusicDecode, RATE)
    total = late + ENCODER_DELAY
    np.testing.assert_array_equal(made.audio[1, total : sound.shape[1]], sound[0, : sound.shape[1] - total])
    shift = late - DECODER_DELAY
    found = made.audio[0, shift + 1_000 : sound.shape[1]]
    assert np.abs(found - wanted[1_000 : 1_000 + len(found)]).max() < 1e-6 and np.abs(found).max() > 0.1


@pytest.mark.parametrize(("kind", "rate"), [("encodec32~", 48_000), ("encodec48~", 44_100)])
def test_at_another_rate_a_long_chunk_comes_back_in_time(
    in_patches: Path, encodec32_files: dict[str, Path], encodec48_files: dict[str, Path], kind: str, rate: int
) -> None:
    """Its resampler holds sound back: a render would wait for ever for a chunk that is asked for too early."""
    patch = Patch("Other rate")
    patch.connect(patch.add("in~", "in", channels=2), patch.add(kind, "it"), patch.add("*~", "quieter", b=QUIETER))
    patch.connect("quieter", patch.add("out~", "out"))
    cls: Any = EncodecMusic if kind == "encodec32~" else EncodecStereo
    sound = np.float32(0.5) * numbers((2, 3 * rate), 9)
    late = latency_frames(cls, rate)
    made = patch.render(input=sound, rate=rate).audio[:, late + rate // 10 : sound.shape[1]]
    steps = made[:, : made.shape[1] // 480 * 480].reshape(2, -1, 480)
    assert steps.shape[1] > 50 and np.abs(steps).max(axis=2).min() > 1e-3, "sound without a gap"


# Windows.


@pytest.fixture
def small(tmp_path: Path) -> dict[str, Path]:
    """With the short windows of the golden answers."""
    files = write(tmp_path, *of_golden("encodec-48khz"))
    made = {}
    for half in ("encoder", "decoder"):
        made[half] = tmp_path / f"{half}.onnx"
        make_network(f"encodec-{half}", files, made[half])
    return made


def test_windows_say_what_the_original_says(small: dict[str, Path]) -> None:
    known = golden("encodec-48khz")
    encoder, decoder = WindowEncoder(small["encoder"]), WindowDecoder(small["decoder"])
    step, overlap = decoder.step, encoder.overlap
    assert (step, overlap) == (1_900, 20)
    sound = numbers((1, 2, 2 * step + step + overlap), 2)[0]
    encoder._before = sound[:, :overlap]  # the original's first window has nothing before it
    parts = []
    for number in range(3):
        start = overlap + number * step
        codes, scale = encoder.encode(sound[:, start : start + step], 4)
        np.testing.assert_array_equal(codes, known["codes"][number, 0])
        assert abs(scale - known["scales"][number]) < 1e-6
        parts.append(decoder.decode(codes, scale))
    found = np.concatenate(parts, axis=1)
    assert np.abs(found - known["sound"][:, : found.shape[1]]).max() < 2e-6
    assert np.abs(found[0] - found[1]).max() > 0.1, "two channels"


def stereo_wanted(files: dict[str, Path], sound: Any) -> Any:
    encoder, decoder = WindowEncoder(files["encoder"]), WindowDecoder(files["decoder"])
    places = range(0, sound.shape[1], STEP)
    parts = [decoder.decode(*encoder.encode(sound[:, at : at + STEP], 16)) for at in places]
    return np.float32(QUIETER) * np.concatenate(parts, axis=1)


STEREO = np.float32(0.3) * numbers((2, 4 * STEP), 7)


def test_in_a_patch_stereo_goes_through(in_patches: Path, encodec48_files: dict[str, Path]) -> None:
    patch = Patch("Stereo")
    patch.connect(patch.add("in~", "in", channels=2), patch.add("encodec48~", "it", bandwidth=24.0))
    patch.connect("it", patch.add("*~", "quieter", b=QUIETER), patch.add("out~", "out"))
    made = patch.render(input=STEREO, rate=encodec_stereo.RATE).audio
    shift = latency_frames(EncodecStereo, encodec_stereo.RATE) - OVERLAP
    found, wanted = made[:, shift + 1_000 : shift + STEREO.shape[1]], stereo_wanted(encodec48_files, STEREO)[:, 1_000:]
    assert found.shape[1] > 2 * STEP and np.abs(found).max() > 0.02
    np.testing.assert_array_equal(found, wanted[:, : found.shape[1]])


def test_in_a_patch_stereo_becomes_codes_and_sound_again(in_patches: Path, encodec48_files: dict[str, Path]) -> None:
    patch = Patch("Stereo")
    patch.connect(patch.add("in~", "in", channels=2), patch.add("encodec48.encode~", "there", bandwidth=24.0))
    patch.add("encodec48.decode~", "back")
    patch.connect("there.codes", "back.codes")
    patch.connect("there.scale", "back.scale")
    patch.connect("back.y", patch.add("*~", "quieter", b=QUIETER), patch.add("out~", "out"))
    rate = encodec_stereo.RATE
    made = patch.render(input=STEREO, rate=rate).audio
    shift = STEP + answer_frames(EncodecStereoEncode, rate) + latency_frames(EncodecStereoDecode, rate)
    found = made[:, shift + 1_000 : shift + STEREO.shape[1]]
    wanted = stereo_wanted(encodec48_files, STEREO)[:, 1_000 : 1_000 + found.shape[1]]
    assert found.shape[1] > 2 * STEP and np.abs(found).max() > 0.02
    assert np.abs(found - wanted).max() < 1e-6


def test_what_is_no_window_is_refused(encodec48_files: dict[str, Path]) -> None:
    node = EncodecStereoDecode()
    node.load(encodec48_files, "cpu")
    silence = np.zeros(TICK, np.float32)
    node.on_codes(np.zeros((2, 10)), 0.0)
    assert "a window has 150" in node.infer(silence)["refused"]
    for wrong in (-1.0, 9.0, "loud", float("nan")):
        node.on_scale(wrong)
        assert "no loudness" in node.infer(silence)["refused"]
    node.on_scale(0.5)
    assert "refused" not in node.infer(silence)


def test_a_model_of_another_kind_is_refused_by_name(
    encodec_files: dict[str, Path], encodec32_files: dict[str, Path]
) -> None:
    for made, files in ((EncodecMusic(), encodec_files), (EncodecStereo(), encodec32_files)):
        with pytest.raises(WorkerError, match=r"config\.json"):
            made.load(files, "cpu")
