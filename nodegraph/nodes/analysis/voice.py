"""Voices: who speaks, and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import Chunks, InferenceNode, Weights, inlet, node, outlet
from nodegraph.nodes.analysis.sessions import open_session

RATE = 16_000
CHUNK = 512
CONTEXT = 64  # samples of the chunk before, which the model wants in front


@node("vad~", aliases=("silero.vad~",))
class VoiceActivity(InferenceNode):
    """Say whether somebody speaks.

    `speech` sends the probability every 32 ms. `speaking` sends 1 when it reaches `threshold`, and 0 when it has been
    below ``threshold - hysteresis`` for `hangover` seconds; the first answer sends where it starts from.
    Shapes: chunks (512,) float32 at 16 kHz; the model remembers what was before.
    Answers stand 0.132 s after the chunk's end. Cost: 0.2 ms a chunk on one core.
    Errors: WeightsMissing when `silero-vad` is not in the model store.

    Source: Silero Team, "Silero VAD", 2021 to 2026.
    """

    x = inlet.signal("sound in which somebody may speak; channels are mixed to one", channels=1)
    threshold = inlet.control(0.5, "probability at which speech begins", span=(0.05, 0.95))
    hysteresis = inlet.control(0.15, "how far below that speech ends", span=(0.0, 0.5))
    hangover = inlet.control(0.1, "silence that does not end speech yet", unit="s", span=(0.0, 3.0))
    speech = outlet.event("probability of speech, every 32 ms")
    speaking = outlet.event("1 when speech begins, 0 when it has ended")

    hears = Chunks(samples=CHUNK, rate=RATE)
    weights = Weights("silero-vad")
    answer_s = 0.1

    def load(self, files: dict[str, Path], device: str) -> None:
        self.session = open_session(files["model"], device)
        self.reset()

    def reset(self) -> None:
        self.state = np.zeros((2, 1, 128), np.float32)
        self.context = np.zeros(CONTEXT, np.float32)
        self.told: bool | None = None
        self.quiet_since: int | None = None
        self.heard = 0

    def infer(self, clip: NDArray[np.float32]) -> dict[str, Any]:
        heard = np.concatenate([self.context, clip])[None]
        feed = {"input": heard, "state": self.state, "sr": np.array(RATE, np.int64)}
        output, self.state = self.session.run(None, feed)
        self.context = heard[0, -CONTEXT:]
        self.heard += len(clip)
        speech = float(output[0, 0])
        speaking = self._speaking(speech)
        if speaking == self.told:
            return {"speech": speech}
        self.told = speaking
        return {"speech": speech, "speaking": int(speaking)}

    def _speaking(self, speech: float) -> bool:
        """Silero's own VADIterator: begin at the threshold, end after a silence."""
        if speech >= self.threshold:
            self.quiet_since = None
            return True
        if not self.told:
            return False
        if speech < self.threshold - self.hysteresis:
            if self.quiet_since is None:
                self.quiet_since = self.heard
            if self.heard - self.quiet_since >= self.hangover * RATE:
                self.quiet_since = None
                return False
        return True
