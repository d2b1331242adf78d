"""RNNoise takes noise out of recorded speech, and its sound is as late as it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.core import StreamNode
from nodegraph.nodes.analysis.denoise import FRAME, RATE, Denoiser
from nodegraph.runtime.lane.streams import latency_frames
from tests.listeners.sounds import ALSA, SAMPLES, joined, recording

WORDS = [ALSA / f"{name}.wav" for name in ("Front_Center", "Rear_Left", "Side_Right", "Front_Left")]


def speech() -> Any:
    sound = joined(WORDS, RATE, pause_s=0.3)
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


def through(node: Denoiser, sound: Any) -> tuple[Any, list[float]]:
    """What comes out, without the delay that it declares, and how likely somebody speaks."""
    node.reset()
    answers = [node.infer(sound[at : at + FRAME]) for at in range(0, len(sound) - FRAME + 1, FRAME)]
    return np.concatenate([item["y"] for item in answers])[node.delay :], [item["speech"] for item in answers]


def ratio_db(clean: Any, other: Any) -> float:
    """How much louder than its error the clean sound is."""
    clean = clean[: len(other)]
    return float(10.0 * np.log10(np.sum(clean**2) / np.sum((clean - other) ** 2)))


@pytest.mark.parametrize(("kind", "before", "after"), [("white", 0.0, 11.0), ("white", 5.0, 13.0), ("hiss", 0.0, 9.0),
                                                       ("hum", 0.0, 6.5)])  # fmt: skip
def test_speech_comes_out_of_noise(denoiser: Any, kind: str, before: float, after: float) -> None:
    clean = speech()
    if kind == "white":
        noise = np.random.default_rng(1).standard_normal(len(clean)).astype(np.float32)
    else:
        one = recording(SAMPLES / {"hiss": "vinyl_hiss.flac", "hum": "ambi_haunted_hum.flac"}[kind], RATE)
        noise = np.tile(one, len(clean) // len(one) + 1)[: len(clean)]
    noise *= np.sqrt(np.mean(clean**2) / np.mean(noise**2)) / 10.0 ** (before / 20.0)
    found, _ = through(denoiser, clean + noise)
    assert ratio_db(clean, found) > after, f"{ratio_db(clean, found):.1f} dB"


def test_speech_is_known_and_noise_is_none(denoiser: Any) -> None:
    _, said = through(denoiser, speech())
    assert np.median(sorted(said)[-200:]) > 0.9
    _, said = through(denoiser, (0.1 * np.random.default_rng(2).standard_normal(RATE * 3)).astype(np.float32))
    assert np.mean(said[100:]) < 0.3


def test_without_amount_it_is_the_sound_itself(denoiser: Any) -> None:
    denoiser.controls["amount"] = 0.0
    clean = speech()
    found, _ = through(denoiser, clean)
    np.testing.assert_array_equal(found, clean[: len(found)])


def test_in_a_patch_it_lags_by_what_it_declares_and_the_dry_path_waits() -> None:
    """At amount 0 the node gives back what it heard: beside a path without it nothing is left but its rounding."""
    patch = Patch("Clean")
    patch.connect(patch.add("in~", "in"), patch.add("denoise~", "clean", amount=0.0), patch.add("out~", "out"))
    patch.connect("in", patch.add("*~", "minus", b=-1.0), "out")
    clean = speech()[: 2 * RATE]
    made = patch.render(input=clean[None], rate=RATE)
    assert issubclass(Denoiser, StreamNode) and latency_frames(Denoiser, RATE) == FRAME + 960 + 960
    settled = made.audio[:, latency_frames(Denoiser, RATE) + 500 :]
    assert settled.shape[1] > RATE and np.abs(settled).max() == 0.0
    said = [event.value for event in made["clean.speech"]]
    assert len(said) > 150 and max(said) > 0.9 and min(said) >= 0.0
