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
    "encode": ("codec", "encode", 0, 1), "plain": ("plain", "forward", 1_000, 1), "double": ("plain", "double", 480, 1),
}  # fmt: skip
"""File, method, buffer, batch."""
WIDTHS = {"cross": 2}
"""Channels that go in, where it is not one for each that runs side by side."""


def test_each_is_what_torch_alone_makes(trusted: Path, torch_folder: Folder, tmp_path: Path) -> None:
    """Nine nodes in one patch and one worker: each has its own memory, chance, width and latency."""
    made, sound = Patch(), noise(40_000, 3)
    for width in (1, 2, 3):
        made.add("in~", f"in{width}", channels=width)
    jobs, places, channel = [], {}, 1
    for number, (name, (file, method, buffer, batch)) in enumerate(CASES.items()):
        before = channel
        settings = {"file": f"{file}.ts", "method": method, "buffer": buffer, "batch": batch, "rate": RATE}
        width = WIDTHS.get(name, batch)
        channel = model(made, name, "nn~", channel, f"in{width}.y", seed=number, **settings)
        made.graph.set(name, "compensate", False)  # each as late as it is itself
        does, frames = spec(made, name).cls.does, buffer or 2_048
        assert late(made, name) == frames + round(0.06 * RATE)
        places[name] = slice(before - 1, channel - 1)
        assert width == does.channels_in * batch
        heard = sound[:width, : 40_000 // frames * frames]
        jobs.append(Job(trusted / f"{file}.ts", method, heard.reshape(batch, does.channels_in, -1), frames, number))
    played = made.render(seconds=40_000 / RATE, input=sound).audio
    for job, wanted, (name, place) in zip(jobs, alone(torch_folder, tmp_path, *jobs), places.items(), strict=True):
        ratio = job.sound.shape[2] // wanted.shape[2]
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
    made = patch("rave.encode~", file="codec.ts", buffer=1_024)
    entry = spec(made)
    assert [item.name for item in entry.outlets] == ["y", "latent"] and entry.outlet_named["latent"].shape == (4,)
    assert entry.outlet_named["latent"].kind is CableKind.TENSOR and "latent 0, latent 1" in entry.outlets[0].help
    made.connect("model.latent", made.add("vector.mean", "mean").x)
    played = made.render(seconds=0.6, input=noise(28_800))
    latents = [(event.frame, event.value) for event in played["model.latent"]]
    assert len(latents) >= 300
    for number, (frame, value) in enumerate(latents):
        assert frame == late(made) + 64 * (number + 1) and value.shape == (4,)
    for frame, value in latents[20:-20]:
        assert np.array_equal(played.audio[:4, frame - 64 : frame], np.repeat(SOFT * value[:, None], 64, axis=1))


def test_encoded_and_decoded_is_what_the_whole_model_makes(trusted: Path, torch_folder: Folder, tmp_path: Path) -> None:
    """By arrays no latent is lost or told twice; by a signal none either, where the grids of both agree."""
    made, sound = Patch(), noise(60_000)
    made.add("in~", "in")
    after = model(made, "encode", "rave.encode~", 1, file="codec.ts", seed=3, time=0.064)
    made.add("rave.decode~", "arrays", file="codec.ts")
    made.add("rave.decode~", "signal", file="codec.ts", takes="signal")
    made.connect("encode.latent", "arrays.latent")
    made.connect("encode.y", "signal.x")
    for number, name in enumerate(("arrays", "signal")):
        made.add("*~", f"{name}-soft", b=float(SOFT))
        made.add("out~", f"{name}-out", channel=after + number, channels=1)
        made.graph.set(name, "compensate", False)
        made.connect(f"{name}.y", f"{name}-soft.x")
        made.connect(f"{name}-soft.y", f"{name}-out.x")
    assert "x" not in spec(made, "arrays").inlet_named and "latent" not in spec(made, "signal").inlet_named
    assert late(made, "encode") % 64 == 0, "the decoder's frames begin where the encoder's do"
    played = made.render(seconds=60_000 / RATE, input=sound).audio
    (wanted,) = alone(torch_folder, tmp_path, Job(trusted / "codec.ts", "forward", sound[None], 2_048, 3))
    for number, name in enumerate(("arrays", "signal")):
        assert _is_within(played[after - 1 + number], SOFT * wanted[0, 0]), name


def _is_within(heard: Floats, wanted: Floats) -> bool:
    """Whether what was heard is what was wanted, bit by bit, from some frame on."""
    begin, probe = 12_288, 400
    for lag in range(4_000, len(heard) - begin - probe):
        if np.array_equal(heard[lag + begin : lag + begin + probe], wanted[begin : begin + probe]):
            count = min(len(heard) - lag, len(wanted))
            return bool(np.array_equal(heard[lag + begin : lag + count], wanted[begin:count]))
    return False
