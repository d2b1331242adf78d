"""Beats of music."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import BANG, At, Chunks, InferenceNode, Weights, inlet, node, outlet, setting
from nodegraph.nodes.analysis.beat_tracking import BeatTracker
from nodegraph.nodes.analysis.sessions import open_session

Floats = NDArray[np.float32]
RATE = 22_050
HOP, WINDOW = 441, 1_411  # 20 ms and 64 ms
FRAMES_A_SECOND = RATE / HOP
CHUNK_FRAMES = 2
AHEAD = 2  # frames that must have begun before the window around one is full
BANDS_AN_OCTAVE, LOW_HZ, HIGH_HZ, TUNING_HZ = 24, 30.0, 17_000.0, 440.0
STATE = (2, 1, 150)
TICKS = 24  # of a MIDI clock, a beat


def log_bank(fft: int, rate: int) -> Floats:
    """Triangles an equal number to the octave, from bin to bin; of those that fall on one bin one is kept, and each
    adds up to 1: (fft // 2, bands).

    Source: S. Böck and others, "madmom: a new Python Audio and Music Signal Processing Library", 2016, the logarithmic
    filter bank.
    """
    bins = np.arange(fft // 2) * (rate / fft)
    first = np.ceil(np.log2(LOW_HZ / TUNING_HZ) * BANDS_AN_OCTAVE)
    last = np.floor(np.log2(HIGH_HZ / TUNING_HZ) * BANDS_AN_OCTAVE)
    corners = TUNING_HZ * 2.0 ** (np.arange(first, last + 1) / BANDS_AN_OCTAVE)
    above = np.clip(bins.searchsorted(corners), 1, len(bins) - 1)
    places = np.unique(above - (corners - bins[above - 1] < bins[above] - corners)).tolist()
    bank = np.zeros((len(bins), len(places) - 2), np.float32)
    for band, (start, middle, stop) in enumerate(zip(places, places[1:], places[2:], strict=False)):
        if stop - start < 2:
            middle, stop = start, start + 1
        bank[start:middle, band] = np.arange(middle - start) / max(1, middle - start)
        bank[middle:stop, band] = 1.0 - np.arange(stop - middle) / (stop - middle)
    bank /= bank.sum(axis=0)
    return bank


@node("beat~", aliases=("beatnet~", "BeatTrack", "tempo~", "beatroot~"))
class Beats(InferenceNode):
    """Follow the beat of music: foretell every beat, and send it when it sounds.

    `beat` sends the place of the beat in its bar (1 is the downbeat) at the moment of the beat itself: the tracker
    knows the tempo, and says it before. `clock` sends 24 bangs a beat, as a MIDI clock does, locked to the same beats.
    `tempo` is told with each beat, `sure` says how clear the tempo is. It needs some seconds of music before it has
    found the beat, and follows slow changes. `shift` moves all of it, as far ahead as a quarter of a second.
    Shapes: chunks (882,) float32 at 22.05 kHz; likelihoods (2,) float32: a beat that is no downbeat, and a downbeat, of
    the last 20 ms.
    Beats stand where they sound; a beat that could not be foretold comes 0.20 s late. Cost: 1 ms for 40 ms of sound on
    one core.
    Errors: WeightsMissing when `beatnet-1` (or 2 or 3, as `model` says) is not in the model store.

    Source: M. Heydari and others, "BeatNet: CRNN and Particle Filtering for Online Joint Beat, Downbeat and Meter
    Tracking", ISMIR 2021, its network; in the place of its particle filter a hidden Markov model after F. Krebs and
    others, "An Efficient State-Space Model for Joint Tempo and Meter Tracking", ISMIR 2015. Weights: BeatNet 1.1.3,
    CC BY 4.0.
    """

    x = inlet.signal("music; channels are mixed to one", channels=1)
    model = setting.choice("1", "which of the three models; they were trained on different music", ("1", "2", "3"))
    lowest = setting.number(55.0, "slowest tempo to look for, beats a minute", span=(30.0, 200.0))
    highest = setting.number(215.0, "fastest tempo to look for, beats a minute", span=(60.0, 300.0))
    shift = inlet.control(0.0, "how much later, or earlier, all is sent", unit="s", span=(-0.25, 0.25))
    beat = outlet.event("place in the bar, 1 is the downbeat, at each beat")
    clock = outlet.event("a bang 24 times a beat")
    tempo = outlet.event("beats a minute, at each beat")
    sure = outlet.event("how clear the tempo is, 0 to 1, at each beat")
    likelihoods = outlet.tensor("how likely a beat and a downbeat are now", shape=(2,))

    hears = Chunks(samples=CHUNK_FRAMES * HOP, rate=RATE)
    weights = Weights("beatnet-{model}")
    answer_s = 0.1

    def load(self, files: dict[str, Path], device: str) -> None:
        self.session = open_session(files["model"], device)
        self.window, self.bank = np.hanning(WINDOW).astype(np.float32), log_bank(WINDOW, RATE)
        self.reset()

    def reset(self) -> None:
        self.sound = np.zeros(WINDOW // 2, np.float32)
        self.before: Floats | None = None
        self.hidden = self.cell = np.zeros(STATE, np.float32)
        self.heard = 0
        lowest = float(self.lowest)
        self.tracker = BeatTracker(lowest, max(float(self.highest), 1.2 * lowest), FRAMES_A_SECOND)
        self.ticked = -1e9

    def infer(self, clip: Floats) -> dict[str, Any]:
        self.sound = np.concatenate([self.sound, clip])
        self.heard += CHUNK_FRAMES
        ripe = (len(self.sound) - WINDOW) // HOP + 1
        if ripe <= 0:
            return {}
        likely = self.activations(self.features(self.sound, ripe))
        self.sound = self.sound[ripe * HOP :]
        # What is said now acts so many frames after the end of this chunk; a beat is told as soon as it lies within.
        late = CHUNK_FRAMES + self.answer_s * FRAMES_A_SECOND
        shift = float(self.shift) * FRAMES_A_SECOND
        sent: dict[str, Any] = {"beat": [], "clock": [], "tempo": [], "sure": []}
        for one, down in likely[:, :2].tolist():
            behind = self.heard - (self.tracker.frame + 1)
            found = self.tracker.hear(one, down, late + behind + CHUNK_FRAMES - shift)
            if found is None:
                continue
            due_s = self._due_s(found.frame + shift, late)
            sent["beat"].append(At(due_s, found.place))
            sent["tempo"].append(At(due_s, 60.0 * FRAMES_A_SECOND / found.interval))
            sent["sure"].append(At(due_s, self.tracker.sureness))
            sent["clock"] += self._ticks(found.frame + shift, found.interval, late)
        sent["likelihoods"] = likely[-1, :2].astype(np.float32)
        return sent

    def _due_s(self, frame: float, late: float) -> float:
        """When a message is due for something at a frame: never before it can be sent."""
        return max(0.0, frame - self.heard - late) / FRAMES_A_SECOND

    def _ticks(self, frame: float, interval: float, late: float) -> list[At]:
        """The bangs of one beat; none comes before those of the beat before it are through."""
        step = interval / TICKS
        at = frame + step * np.arange(TICKS)
        at = at[at > self.ticked + 0.5 * step]
        if len(at):
            self.ticked = float(at[-1])
        return [At(self._due_s(float(place), late), BANG) for place in at]

    def features(self, sound: Floats, count: int) -> Floats:
        """Of `count` windows 20 ms apart: log magnitudes in 136 bands, and how they have risen: (count, 272)."""
        windows = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP][:count]
        magnitudes = np.abs(np.fft.rfft(windows * self.window)).astype(np.float32)[:, : WINDOW // 2]
        bands = np.log10(magnitudes @ self.bank + 1.0)
        before = bands[:1] if self.before is None else self.before
        risen = np.maximum(bands - np.concatenate([before, bands[:-1]]), 0.0)
        self.before = bands[-1:]
        return np.concatenate([bands, risen], axis=1)

    def activations(self, features: Floats) -> Floats:
        """How likely a beat, a downbeat, and neither are: (count, 3)."""
        feed = {"features": features, "hidden": self.hidden, "cell": self.cell}
        likely, self.hidden, self.cell = self.session.run(["likelihoods", "hidden_out", "cell_out"], feed)
        found: Floats = likely
        return found
