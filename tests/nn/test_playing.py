"""Models of TorchScript play: bit by bit what PyTorch alone makes, as late as is declared."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nodegraph import Patch
from nodegraph.core.ports import CableKind
from tests.nn.playing import RATE, SOFT, Floats, Job, alone, assert_comes_back, late, model, noise, patch, spec

Folder = Path | None
CASES = {
    "codec": ("codec", "forward", 0, 1), "codec4096": ("codec", "forward", 4_096, 1),
    "codecs": ("codec", "forward", 0, 3), "effects": ("effects", "forward", 64, 1),
    "cross": ("effects", "cross", 0, 1), "envelope": ("effects", "envelope", 1_024, 2),
    "encode": ("codec", "encode", 0, 1), "thin": ("effects", "thin", 0, 1), "hold": ("effects", "hold", 256, 1),
    "plain": ("plain", "forward", 1_000, 1), "double": ("plain", "double", 480, 1),
}  # fmt: skip
"""File, method, buffer, batch."""
WIDTHS = {"cross": 2, "thin": 2, "hold": 2}
"""Channels that go in, where it is not one for each that runs side by side."""


def test_each_is_what_torch_alone_makes(trusted: Path, torch_folder: Folder, tmp_path: Path) -> None:
    """Nine nodes in one patch and one worker: each has its own memory, chance, width and latency."""
    made, sound = Patch(), noise(40_000, 3)
    for width in (1, 2, 3):
        made.add("in~", f"in{width}", channels=width)
    jobs: list[Job] = []
    ratios: list[int] = []
    places, channel = {}, 1
    for number, (name, (file, method, buffer, batch)) in enumerate(CASES.items()):
        before = channel
        settings = {"file": f"{file}.ts", "method": method, "buffer": buffer, "batch": batch, "rate": RATE}
        settings["latents"] = "signal"
        width = WIDTHS.get(name, batch)
        channel = model(made, name, "nn~", channel, f"in{width}.y", seed=number, **settings)
        made.graph.set(name, "compensate", False)  # each as late as it is itself
        does, frames = spec(made, name).cls.does, buffer or 2_048
        assert late(made, name) == frames + round(0.06 * RATE)
        places[name] = slice(before - 1, channel - 1)
        assert width == does.channels_in * batch
        heard = sound[:width, : 40_000 // frames * frames][:, does.ratio_in - 1 :: does.ratio_in]
        heard, each = heard.reshape(batch, does.channels_in, -1), frames // does.ratio_in
        jobs.append(Job(trusted / f"{file}.ts", method, heard, each, number))
        ratios.append(does.ratio_out)
    played = made.render(seconds=40_000 / RATE, input=sound).audio
    found = alone(torch_folder, tmp_path, *jobs)
    for ratio, wanted, (name, place) in zip(ratios, found, places.items(), strict=True):
        rows = np.repeat(wanted.reshape(-1, wanted.shape[2]), ratio, axis=1)
        if name == "double":
            rows[1] = RATE / 1e6  # it was told its rate, which PyTorch alone did not tell it
        assert_comes_back(played[place], rows, late(made, name), name)


def test_chance_begins_with_the_seed(trusted: Path) -> None:
    made = Patch()
    made.add("in~", "in")
    for number, seed in enumerate((1, 1, 9)):
        model(made, f"m{number}", "rave~", number + 1, file="codec.ts", seed=seed)
    played = made.render(seconds=0.5, input=noise(24_000)).audio
    assert np.array_equal(played[0], played[1]), "two models in one process share their chance"
    assert np.abs(played[0]).max() > 1e-3 and not np.array_equal(played[0], played[2])


def test_latents_are_arrays_at_the_latent_rate_and_the_same_as_the_signal(trusted: Path) -> None:
    made = patch("rave.encode~", file="codec.ts", buffer=1_024, latents="signal")
    made.add("rave.encode~", "arrays", file="codec.ts", buffer=1_024)
    entry = spec(made, "arrays")
    assert [item.name for item in spec(made).outlets] == ["y"] and "latent 0, latent 1" in spec(made).outlets[0].help
    assert [(item.name, item.kind, item.shape) for item in entry.outlets] == [("latent", CableKind.TENSOR, (4,))]
    made.connect("in.y", "arrays.x")
    made.connect("arrays.latent", made.add("vector.mean", "mean").x)
    played = made.render(seconds=0.6, input=noise(28_800))
    latents = [(event.frame, event.value) for event in played["arrays.latent"]]
    assert len(latents) >= 300
    for number, (frame, value) in enumerate(latents):
        chunk, place = divmod(number, 16)  # a chunk's arrays come when it is answered, one after another
        assert frame == late(made) + 1_024 * (chunk + 1) + 64 * place and value.shape == (4,)
    for number, (_, value) in enumerate(latents[:-20]):
        at = late(made) + 64 * number
        if number > 20:  # faded in
            held = np.repeat(SOFT * value[:, None], 64, axis=1)
            assert np.array_equal(played.audio[:4, at : at + 64], held)


def test_encoded_and_decoded_is_what_the_whole_model_makes(trusted: Path, torch_folder: Folder, tmp_path: Path) -> None:
    """No latent is lost or told twice on the way, and it comes back as late as is declared."""
    made, sound = Patch(), noise(60_000)
    made.add("in~", "in")
    for number, way in enumerate(("arrays", "signal")):
        made.add("rave.encode~", f"{way}-encode", file="codec.ts", seed=3, time=0.064, latents=way)
        made.add("rave.decode~", way, file="codec.ts", latents=way)
        made.connect("in.y", f"{way}-encode.x")
        made.connect(
            *((f"{way}-encode.latent", f"{way}.latent") if way == "arrays" else (f"{way}-encode.y", f"{way}.x"))
        )
        made.add("*~", f"{way}-soft", b=float(SOFT))
        made.add("out~", f"{way}-out", channel=number + 1, channels=1)
        made.connect(f"{way}.y", f"{way}-soft.x")
        made.connect(f"{way}-soft.y", f"{way}-out.x")
    assert "x" not in spec(made, "arrays").inlet_named and "latent" not in spec(made, "signal").inlet_named
    assert late(made, "signal-encode") % 64 == 0, "the decoder's frames begin where the encoder's do"
    total = late(made, "signal-encode") + late(made, "arrays") + 2_048
    played = made.render(seconds=60_000 / RATE, input=sound).audio
    (wanted,) = alone(torch_folder, tmp_path, Job(trusted / "codec.ts", "forward", sound[None], 2_048, 3))
    for number in range(2):  # both wait for the later of the two
        assert _lag(played[number], SOFT * wanted[0, 0]) == total


def _lag(heard: Floats, wanted: Floats) -> int:
    """By how much what was heard is later than what was wanted, bit by bit; -1 where it is another sound."""
    begin, probe = 12_288, 400
    for lag in range(4_000, len(heard) - begin - probe):
        if np.array_equal(heard[lag + begin : lag + begin + probe], wanted[begin : begin + probe]):
            count = min(len(heard) - lag, len(wanted))
            return lag if np.array_equal(heard[lag + begin : lag + count], wanted[begin:count]) else -1
    return -1
