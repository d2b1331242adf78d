"""AudioLDM's two ends say what diffusers' and transformers' say, so much later; windows fade into one another.

Tiny random weights in the published layouts, saved by those libraries. The vocoder's originals put silence before and
behind the columns in every layer; what is streamed has nothing before it, so what it looks to either side is left out.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.core import ModelError
from nodegraph.models import Store
from nodegraph.models.convert.networks.autoencoder_kl import audioldm_decoder, audioldm_encoder
from nodegraph.models.convert.networks.hifigan import hifigan
from nodegraph.models.making import make_network
from nodegraph.nodes.codecs import audioldm
from nodegraph.nodes.codecs.flowing import Flowing
from nodegraph.nodes.codecs.mel_latents import (
    COLUMN,
    COLUMN_DELAY,
    DECODER_DELAY,
    ENCODER_DELAY,
    HOP,
    RATE,
    SILENCE,
    VOCODER_DELAY,
    WINDOW,
    Columns,
    MelDecoder,
    MelEncoder,
)
from nodegraph.runtime.lane.streams import answer_frames, latency_frames
from tests.codecs.tiny import golden, numbers, of_golden, of_golden_vocoder, write_audioldm

GOLDEN = golden("audioldm2")
FRAMES = WINDOW.step
STEP = FRAMES * HOP
CLOSE = 2e-5
"""Rounding, after dozens of layers, of numbers up to 4; sounds are a tenth of that."""
SEEN = 24
"""Columns that the vocoder looks to each side."""


def near(found: Any, wanted: Any) -> float:
    """How far off, relative to the largest number."""
    assert found.shape == wanted.shape and np.abs(wanted).max() > 0.1
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


# What the originals say.


def test_columns_are_those_of_the_original() -> None:
    """librosa's bank and PyTorch's spectra; the first and last ones of the original see its mirrored edges."""
    sound = numbers((1, 1, 128 * COLUMN), 2)[0, 0]
    ends = -COLUMN_DELAY % COLUMN
    late = (COLUMN_DELAY + ends) // COLUMN
    heard = np.concatenate([np.zeros(ends, np.float32), sound, np.zeros(COLUMN - ends, np.float32)])
    mels = Columns(64)
    found = np.concatenate([mels.hear(part) for part in np.split(heard, 3)], axis=1)
    assert near(found[:, late + 4 : 128], GOLDEN["columns"][:, 4 : 128 - late]) < 2e-6
    assert np.all(Columns(64).hear(np.zeros(4 * COLUMN)) == np.float32(SILENCE))


def test_a_latent_is_that_of_the_original(audioldm_files: dict[str, Path]) -> None:
    encoder = Flowing(audioldm_files["encoder"])
    for name, found in zip(
        ("mean", "deviation"), encoder.hear(["mean", "deviation"], {"columns": GOLDEN["columns"][None]}), strict=True
    ):
        wanted = GOLDEN[name].transpose(0, 2, 1)
        assert near(found[0], wanted.reshape(-1, wanted.shape[2])) < CLOSE
    assert (encoder.number("hop"), encoder.number("column"), encoder.number("bands")) == (HOP, COLUMN, 64)


def latents(frames: int) -> Any:
    """Those of which the original's columns were made, and more of the kind."""
    first = 3.0 * numbers((1, 2, 24, 16), 3)[0].transpose(0, 2, 1).reshape(32, 24)
    return np.concatenate([first, 3.0 * numbers((32, max(frames - 24, 0)), 4)], axis=1)[:, :frames].astype(np.float32)


def test_columns_come_back_as_from_the_original(audioldm_files: dict[str, Path]) -> None:
    (found,) = Flowing(audioldm_files["decoder"]).hear(["columns"], {"latent": latents(24)[None]})
    assert near(found[0], GOLDEN["made"]) < CLOSE


@pytest.mark.parametrize("cuts", [[96], [1] * 96, [64, 32], [5, 1, 2, 13, 75]], ids=str)
def test_sound_comes_back_as_from_the_original(audioldm_files: dict[str, Path], cuts: list[int]) -> None:
    voice, columns = Flowing(audioldm_files["vocoder"]), GOLDEN["made"][None]
    parts = [voice.hear(["sound"], {"columns": columns[..., a:b]})[0] for a, b in pairwise(np.cumsum([0, *cuts]))]
    found = np.concatenate(parts, axis=2)[0, 0, VOCODER_DELAY:]
    wanted = GOLDEN["sound"][: -(-len(found) // 3)]
    first = -(-SEEN * COLUMN // 3)
    assert len(wanted) - first > 1_500
    assert near(found[::3][first:], wanted[first:]) < CLOSE


# Weights in other layouts, and what is none.


def test_normalised_weights_are_the_same_network() -> None:
    """As old and as new PyTorch keep them: a direction of any length, and the length."""
    config, plain = of_golden_vocoder("audioldm2")
    one = hifigan(plain, config).graph
    for length, way in (
        ("weight_g", "weight_v"),
        ("parametrizations.weight.original0", "parametrizations.weight.original1"),
    ):
        arrays = {name: value for name, value in plain.items() if not name.endswith(".weight")}
        for name in set(plain) - set(arrays):
            arrays[name.removesuffix("weight") + way] = 3.0 * plain[name]
            norm = np.sqrt((plain[name] ** 2).sum(axis=(1, 2), keepdims=True))
            arrays[name.removesuffix("weight") + length] = norm
        other = hifigan(arrays, config).graph
        assert [item.op_type for item in one.node] == [item.op_type for item in other.node]
        for a, b in zip(one.initializer, other.initializer, strict=True):
            a, b = (np.frombuffer(item.raw_data, "<i8" if item.data_type == 7 else "<f4") for item in (a, b))
            assert np.abs(a - b).max(initial=0.0) < 1e-6


def test_attention_under_its_older_names_is_the_same_network() -> None:
    config, arrays = of_golden("audioldm2")
    vocoder, _ = of_golden_vocoder("audioldm2")
    old = dict(arrays)
    for new, name in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
        old = {key.replace(f"attentions.0.{new}.", f"attentions.0.{name}."): value for key, value in old.items()}
    assert set(old) != set(arrays)
    for draw in (audioldm_encoder, audioldm_decoder):
        one, other = (draw(each, config, vocoder).SerializeToString() for each in (arrays, old))
        assert one == other


@pytest.mark.parametrize("normalises", [False, True])
def test_columns_are_normalised_if_the_settings_say_so(tmp_path: Path, normalises: bool) -> None:
    config, arrays = of_golden_vocoder("audioldm2")
    columns = numbers((1, 64, 40), 6)
    made = []
    for flag, heard in (
        (True, columns),
        (False, (columns - arrays["mean"][:, None]) / arrays["scale"][:, None] if normalises else columns),
    ):
        path = tmp_path / f"{flag}.onnx"
        path.write_bytes(hifigan(arrays, config | {"normalize_before": flag}).SerializeToString())
        made.append(Flowing(path).hear(["sound"], {"columns": heard})[0])
    assert (np.abs(made[0] - made[1]).max() < 1e-5) == normalises


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "another kind": ("audioldm-encoder", {"_class_name": "AutoencoderOobleck"}, "AutoencoderOobleck"),
    "other blocks": ("audioldm-encoder", {"down_block_types": ["AttnDownEncoderBlock2D"] * 3}, "down_block_types"),
    "colours": ("audioldm-encoder", {"in_channels": 3}, "in_channels"),
    "a moved latent": ("audioldm-decoder", {"shift_factor": 0.1}, "shift_factor"),
    "other groups": ("audioldm-decoder", {"norm_num_groups": 3}, "groups"),
    "more layers": ("audioldm-decoder", {"layers_per_block": 2}, "it has no encoder"),
    "too many bands": ("audioldm-encoder", {"vocoder": {"model_in_dim": 66}}, "66 bands"),
    "another vocoder": ("audioldm-vocoder", {"vocoder": {"model_type": "univnet"}}, "univnet"),
    "other kernels": ("audioldm-vocoder", {"vocoder": {"upsample_kernel_sizes": [16, 16, 8, 4]}}, "upsample"),
    "short kernels": ("audioldm-vocoder", {"vocoder": {"upsample_kernel_sizes": [4, 16, 8, 4, 4]}}, "shorter"),
    "even kernels": ("audioldm-vocoder", {"vocoder": {"resblock_kernel_sizes": [3, 7, 10]}}, "middle"),
    "other channels": ("audioldm-vocoder", {"vocoder": {"upsample_initial_channel": 64}}, "conv_pre"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_none_is_refused(tmp_path: Path, what: str) -> None:
    network, changed, said = WRONG[what]
    files = write_audioldm(tmp_path)
    for key, change in (
        ("config", {name: value for name, value in changed.items() if name != "vocoder"}),
        ("vocoder-config", changed.get("vocoder", {})),
    ):
        files[key].write_text(json.dumps(json.loads(files[key].read_text()) | change))
    with pytest.raises(ModelError, match=said) as caught:
        make_network(network, files, tmp_path / "model.onnx")
    assert caught.value.problems[0].code == "wrong-architecture"
    assert not (tmp_path / "model.onnx").exists()


def test_its_licence_is_asked_for_once() -> None:
    manifest = Store().info("audioldm2").manifest
    assert manifest.non_commercial and manifest.licence == "CC-BY-NC-SA-4.0"


# Windows.


def joined(whole: Any, run: Any, lag: int, blank: float, clipped: bool) -> Any:
    """What windows over `whole`, ``(rows, frames)``, say together, frame by frame, `lag` frames later: by the rule."""
    count, made = whole.shape[1] // FRAMES, {}
    for step in range(count):
        end = (step + 1) * FRAMES
        start = max(0, end - WINDOW.whole) if clipped else end - WINDOW.whole
        window = whole[:, start:end] if start >= 0 else None
        if window is not None:
            made[step] = start, run(window)
    frames = []
    for frame in range(-lag, count * FRAMES - lag):
        step = (frame + lag) // FRAMES
        start, said = made[step]
        each = said.shape[1] // (min(WINDOW.whole, (step + 1) * FRAMES) if clipped else WINDOW.whole)
        if frame < 0:
            frames.append(np.full((len(said), each), blank))
            continue
        value = said[:, (frame - start) * each : (frame - start + 1) * each]
        into = (frame + lag) % FRAMES
        if step and into < WINDOW.fade:
            before, tail = made[step - 1]
            place = np.arange(into * each, (into + 1) * each) + 1
            share = place / (WINDOW.fade * each + 1)
            old = tail[:, (frame - before) * each : (frame - before + 1) * each]
            value = share * value + (1.0 - share) * old
        frames.append(value)
    return np.concatenate(frames, axis=1)


def test_windows_of_latents_fade_into_one_another(audioldm_files: dict[str, Path]) -> None:
    """Each window is the network's own; between them stands arithmetic; the vocoder hears it as one."""
    latent = latents(5 * FRAMES)
    network, voice = Flowing(audioldm_files["decoder"]), Flowing(audioldm_files["vocoder"])
    columns = joined(
        latent, lambda window: network.hear(["columns"], {"latent": window[None]})[0][0], WINDOW.ahead, SILENCE, True
    )
    (wanted,) = voice.hear(["sound"], {"columns": columns[None].astype(np.float32)})
    decoder = MelDecoder(audioldm_files, "audioldm2")
    for _ in range(2):
        found = np.concatenate([decoder.say(part) for part in np.split(latent, 5, axis=1)])
        assert near(found, wanted[0, 0]) < CLOSE
        decoder.forget()


def test_windows_of_sound_fade_into_one_another(audioldm_files: dict[str, Path]) -> None:
    sound = numbers((5 * STEP,), 7)
    network, grain = Flowing(audioldm_files["encoder"]), HOP // COLUMN
    silence = np.full((64, (WINDOW.before + WINDOW.ahead) * grain), SILENCE, np.float32)
    columns = np.concatenate([silence, Columns(64).hear(sound)], axis=1)
    made = [
        network.hear(["mean"], {"columns": columns[None, :, at * grain : (at + WINDOW.whole) * grain]})[0][0]
        for at in range(0, 5 * FRAMES, FRAMES)
    ]
    wanted = []
    for step, window in enumerate(made):
        said = window[:, WINDOW.before : WINDOW.before + FRAMES].copy()
        for place in range(WINDOW.fade if step else 0):
            share = (place + 1) / (WINDOW.fade + 1)
            old = made[step - 1][:, WINDOW.before + FRAMES + place]
            said[:, place] = share * said[:, place] + (1.0 - share) * old
        wanted.append(said)
    encoder = MelEncoder(audioldm_files, "audioldm2")
    found = np.concatenate([encoder.hear(part)[0] for part in np.split(sound, 5)], axis=1)
    assert near(found, np.concatenate(wanted, axis=1)) < CLOSE


def swelling(seconds: float) -> Any:
    """Noise that comes and goes, so that a shift shows."""
    count = round(seconds * RATE)
    swell = 0.1 + np.abs(np.sin(2.0 * np.pi * 1.7 * np.arange(count) / RATE)) ** 3
    return (numbers((count,), 8) * swell).astype(np.float32)


def likeness(found: Any, wanted: Any) -> float:
    return float(np.corrcoef(found.ravel(), wanted.ravel())[0, 1])


def test_a_streamed_latent_is_near_that_of_one_shot_and_as_late_as_declared(audioldm_files: dict[str, Path]) -> None:
    """It cannot be the same: the network normalises over all that it hears. It is likest where it is declared to be.
    What is heard at once begins behind the silence before the sound, which would count for all of it."""
    count, grain = 8, HOP // COLUMN
    sound = swelling(count * STEP / RATE)
    encoder = MelEncoder(audioldm_files, "audioldm2")
    found = np.concatenate([encoder.hear(part)[0] for part in np.split(sound, count)], axis=1)
    columns = Columns(64).hear(sound)[:, FRAMES * grain :]
    (whole,) = encoder.network.hear(["mean"], {"columns": columns[None]})
    kept = whole[0, :, FRAMES : -2 * FRAMES]
    likes = {
        late: likeness(found[:, 2 * FRAMES + late :][:, : kept.shape[1]], kept) for late in range(2 * WINDOW.ahead + 1)
    }
    assert max(likes, key=lambda late: likes[late]) == (ENCODER_DELAY - COLUMN_DELAY) // HOP
    assert max(likes.values()) > 0.9


def test_streamed_sound_is_near_that_of_one_shot_and_as_late_as_declared(audioldm_files: dict[str, Path]) -> None:
    latent = latents(8 * FRAMES)
    decoder = MelDecoder(audioldm_files, "audioldm2")
    found = np.concatenate([decoder.say(part) for part in np.split(latent, 8, axis=1)])
    (columns,) = decoder.network.hear(["columns"], {"latent": latent[None]})
    decoder.forget()
    whole = decoder.vocoder.hear(["sound"], {"columns": columns})[0][0, 0, VOCODER_DELAY:]
    first, count = 2 * STEP, 3 * STEP
    likes = {
        late: likeness(found[first + late : first + late + count], whole[first : first + count])
        for late in range(DECODER_DELAY - 40, DECODER_DELAY + 41)
    }
    assert max(likes, key=lambda late: likes[late]) == DECODER_DELAY
    assert likes[DECODER_DELAY] > 0.9


# In a patch.


def test_in_a_patch(in_patches: Path, audioldm_files: dict[str, Path]) -> None:
    """Through both halves at once, and as latents; a dry path waits for the latents."""
    sound = np.float32(0.5) * numbers((1, 8 * STEP), 5)
    encoder, decoder = MelEncoder(audioldm_files, "audioldm2"), MelDecoder(audioldm_files, "audioldm2")
    wanted = np.concatenate([decoder.say(encoder.hear(part)[0]) for part in np.split(sound[0], 8)])
    patch = Patch("Latent")
    patch.connect(patch.add("in~", "in"), patch.add("audioldm.encode~", "there"))
    patch.add("audioldm.decode~", "back")
    patch.connect("there.latent", "back.latent")
    patch.connect("back.y", patch.add("out~", "out", channels=1))
    patch.connect("in", patch.add("out~", "dry", channel=2, channels=1))
    made = patch.render(input=sound, rate=RATE)
    audio = made.audio
    late = STEP + answer_frames(audioldm.AudioLdmEncode, RATE) + latency_frames(audioldm.AudioLdmDecode, RATE)
    total = late + ENCODER_DELAY
    np.testing.assert_array_equal(audio[1, total : sound.shape[1]], sound[0, : sound.shape[1] - total])
    shift = late - DECODER_DELAY
    found = audio[0, shift + 1_000 : shift + sound.shape[1]]
    assert len(found) > STEP and np.abs(found).max() > 0.05
    assert np.abs(found - wanted[1_000 : 1_000 + len(found)]).max() < CLOSE
    assert all(event.value.shape == (32, FRAMES) for event in made["there.deviation"])
    patch = Patch("At once")
    patch.connect(patch.add("in~", "in"), patch.add("audioldm~", "it"), patch.add("out~", "out"))
    audio = patch.render(input=sound, rate=RATE).audio
    shift = latency_frames(audioldm.AudioLdm, RATE) - audioldm.AudioLdm.delay
    found = audio[0, shift + 1_000 : shift + sound.shape[1]]
    assert len(found) > STEP
    assert np.abs(found - wanted[1_000 : 1_000 + len(found)]).max() < CLOSE


@pytest.mark.parametrize("way", ["linear", "round"])
def test_two_sounds_are_mixed_as_latents(in_patches: Path, audioldm_files: dict[str, Path], way: str) -> None:
    """Both at the same instant: what they say together is what arithmetic says."""
    sounds = [numbers((5 * STEP,), seed) for seed in (11, 12)]
    patch = Patch("Style")
    patch.add("latent.mix", "mix", way=way, mix=0.25)
    patch.connect("mix", patch.add("audioldm.decode~", "back").latent)
    patch.connect("back.y", patch.add("out~", "out", channels=1))
    for channel, (name, inlet) in enumerate((("what", "a"), ("how", "b")), start=1):
        patch.connect(
            patch.add("in~", f"in{channel}", channel=channel, channels=1), patch.add("audioldm.encode~", name)
        )
        patch.connect(f"{name}.latent", f"mix.{inlet}")
    made = patch.render(input=np.stack(sounds), rate=RATE)
    assert not made["back.refused"]
    each = []
    for sound in sounds:
        encoder = MelEncoder(audioldm_files, "audioldm2")
        each.append([encoder.hear(part)[0].ravel() for part in np.split(sound, 5)])
    found = [np.asarray(event.value) for event in made["mix.y"]]
    assert len(found) >= 5
    for mixed, a, b in zip(found, *each, strict=False):
        if way == "linear":
            assert np.abs(mixed - (0.75 * a + 0.25 * b)).max() < CLOSE
        else:
            length = 0.75 * np.linalg.norm(a) + 0.25 * np.linalg.norm(b)
            assert np.linalg.norm(mixed) == pytest.approx(length, rel=1e-5)
    assert np.abs(made.audio).max() > 0.05


def test_a_latent_comes_in_a_row_or_as_one_frame_that_holds(audioldm_files: dict[str, Path]) -> None:
    node = audioldm.AudioLdmDecode()
    node.load(audioldm_files, "cpu")
    one = latents(1)[:, 0]
    said = []
    for message in (np.repeat(one[:, None], FRAMES, axis=1), np.repeat(one[:, None], FRAMES, axis=1).ravel(), one):
        node.reset()
        for tick in range(FRAMES + 2):
            if tick in (0, FRAMES):
                node.on_latent(message, 0.0)
            answer = node.infer(np.zeros(HOP, np.float32))
            assert "refused" not in answer
        said.append(answer["y"])
    assert np.array_equal(said[0], said[1]) and np.array_equal(said[0], said[2]) and np.abs(said[0]).max() > 0.01


def test_latents_of_another_model_are_refused(audioldm_files: dict[str, Path]) -> None:
    node = audioldm.AudioLdmDecode()
    node.load(audioldm_files, "cpu")
    for wrong in (np.zeros((3, FRAMES)), np.full((32, FRAMES), np.nan), "latent", np.zeros((32, 3)), np.zeros(33)):
        node.on_latent(wrong, 0.0)
        assert "latent" in node.infer(np.zeros(HOP, np.float32))["refused"]
