"""From sound to notes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import At, Chunks, InferenceNode, Note, Weights, inlet, node, outlet, setting
from nodegraph.nodes.analysis.note_decoding import KEYS, LOWEST_KEY, Begin, NoteStream, Rules
from nodegraph.nodes.analysis.sessions import open_session

RATE = 22_050
FRAME = 256  # samples from one answer of the model to the next
WINDOW = 43_844  # samples that the model hears at once
WINDOW_FRAMES = 172
EDGE = 15  # frames at either end of a window that are not trusted
CHUNK_FRAMES = 43
SECONDS = FRAME / RATE
KEYS_OUT, ONSETS_OUT = "StatefulPartitionedCall:1", "StatefulPartitionedCall:2"


@node("notes~", aliases=("basicpitch~", "transcribe~"))
class BasicPitchNotes(InferenceNode):
    """Write down the notes that are played, of any instrument and of several at once.

    `notes` sends each note once: MIDI key, velocity (the mean likelihood of the key while it sounds), and length. A
    note that still sounds when it is sent has no length; the same key with velocity 0 follows when it ends.
    The rhythm is kept: every note is sent the same time after it was played, ``1.17 + patience + 0.25`` s, 2.42 s.
    With more `patience` more notes carry their length, and short-lived mistakes grow fewer.
    Shapes: chunks (11_008,) float32 at 22.05 kHz; the model hears the last 43_844 samples; keys (43, 88) float32,
    rows 11.6 ms apart, the last 0.17 s before the chunk's end.
    Cost: 50 to 75 ms for 0.5 s of sound on one core.
    Errors: WeightsMissing when `basic-pitch` is not in the model store.

    Source: R. M. Bittner and others, "A Lightweight Instrument-Agnostic Model for Polyphonic Note Transcription and
    Multipitch Estimation", ICASSP 2022.
    """

    x = inlet.signal("music; channels are mixed to one", channels=1)
    onset = inlet.control(0.5, "likelihood at which a note begins", span=(0.05, 0.95))
    sustain = inlet.control(0.3, "likelihood below which it has ended", span=(0.05, 0.95))
    shortest = inlet.control(0.128, "shorter notes are left out", unit="s", span=(0.03, 2.0), curve="log")
    patience = setting.number(1.0, "how long it listens on before it sends a note", span=(0.35, 8.0), unit="s")
    notes = outlet.event("key, velocity and length of each note")
    keys = outlet.tensor("likelihood that each piano key sounds", shape=(CHUNK_FRAMES, KEYS))

    hears = Chunks(samples=CHUNK_FRAMES * FRAME, rate=RATE)
    weights = Weights("basic-pitch")
    answer_s = 0.25

    def load(self, files: dict[str, Path], device: str) -> None:
        self.session = open_session(files["model"], device)
        self.reset()

    def reset(self) -> None:
        self.sound = np.zeros(WINDOW_FRAMES * FRAME, np.float32)
        self.stream = NoteStream(patience=round(float(self.patience) / SECONDS))
        self.heard = 0  # frames of sound

    def infer(self, clip: NDArray[np.float32]) -> dict[str, Any]:
        self.sound = np.concatenate([self.sound[len(clip) :], clip])
        self.heard += CHUNK_FRAMES
        keys, onsets = self.likelihoods(self.sound[:WINDOW])
        fresh = slice(WINDOW_FRAMES - EDGE - CHUNK_FRAMES, WINDOW_FRAMES - EDGE)
        # The first chunk reaches back before the sound began.
        news = slice(fresh.start + max(0, EDGE + CHUNK_FRAMES - self.heard), fresh.stop)
        rules = Rules(self.onset, self.sustain, round(self.shortest / SECONDS))
        said = self.stream.feed(keys[news].astype(np.float64), onsets[news].astype(np.float64), rules)
        lag = EDGE + self.stream.patience + CHUNK_FRAMES - self.heard
        sent = [
            At(
                max(0.0, (event.frame + lag) * SECONDS),
                Note(event.key + LOWEST_KEY, event.loudness, None if event.frames is None else event.frames * SECONDS)
                if isinstance(event, Begin)
                else Note(event.key + LOWEST_KEY, 0.0),
            )
            for event in said
        ]
        # Of what happens at once, ends come first: a key that is struck again must not be ended by its own first end.
        sent.sort(key=lambda item: (item.offset_s, item.message.velocity > 0.0))
        return {"notes": sent, "keys": keys[fresh]}

    def likelihoods(self, window: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of (43_844,) samples: which keys sound and where notes begin, (172, 88) each."""
        keys, onsets = self.session.run([KEYS_OUT, ONSETS_OUT], {"serving_default_input_2:0": window[None, :, None]})
        return keys[0], onsets[0]
