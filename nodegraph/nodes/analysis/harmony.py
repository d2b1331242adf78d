"""Keys and chords."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import Moment, TapNode, inlet, node, outlet
from nodegraph.nodes.analysis.pitch_classes import SILENCE, Classes, PitchClasses

Floats = NDArray[np.float64]
NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
WINDOW_S, HOP_S = 0.35, 0.1
MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
"""How well each pitch class fits a key, as listeners judged it."""
KINDS = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "dim": (0, 3, 6),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
}
RARE = {"": 0.0, "m": 0.0, "dim": 0.08, "7": 0.05, "m7": 0.08, "maj7": 0.09}
"""How much better a rarer chord must fit."""
SHARP = 22.0
STAY = 0.85
LEAST_FIT = 0.55
CHORDS = tuple(f"{name}{kind}" for kind in KINDS for name in NAMES)


class Harmony(TapNode):
    """What they share: windows of a third of a second, ten times a second."""

    def __init__(self) -> None:
        super().__init__()
        self.classes: PitchClasses | None = None
        self.sound = np.zeros(0, np.float32)

    def stride(self) -> int:
        return round(HOP_S * self.host.rate)

    def hear(self, sound: Any, when: Moment) -> None:
        if self.classes is None:
            self.classes = PitchClasses(self.host.rate, 1 << round(np.log2(WINDOW_S * self.host.rate)))
        whole = sound.shape[1] == self.stride()
        mono = np.where(np.isfinite(sound), sound, np.float32(0.0)).mean(axis=0, dtype=np.float32)
        self.sound = np.concatenate([self.sound, mono])[-self.classes.size :]
        if whole and len(self.sound) == self.classes.size:
            self.heard(self.classes.hear(self.sound))

    def heard(self, found: Classes) -> None:
        """The pitch classes of the last window."""
        raise NotImplementedError


@node("chroma~", aliases=("Chromagram", "chromagram~"))
class Chroma(Harmony):
    """Measure how much each of the twelve pitch classes sounds, whatever the octave.

    Overtones are explained by the notes below them, and not counted.

    Shapes: classes (12,) float32, C first, 0 to 1: the loudest is 1; bass (12,) the same of the notes below 200 Hz. Ten
    times a second, of the last 0.35 s; they stand 0.06 s after it. Cost: 4 % of one core.

    Source: M. Mauch and S. Dixon, "Approximate Note Transcription for the Improved Identification of Difficult Chords",
    ISMIR 2010.
    """

    x = inlet.signal("music")
    pitches = outlet.tensor("how much each pitch class sounds", shape=(12,))
    bass = outlet.tensor("the same in the bass", shape=(12,))

    def heard(self, found: Classes) -> None:
        for outlet_, values in ((self.pitches, found.treble), (self.bass, found.bass)):
            outlet_((values / max(float(values.max()), 1e-12)).astype(np.float32))


@node("key~", aliases=("KeyTrack",))
class Key(Harmony):
    """Say in which key music is: one of twelve major and twelve minor ones.

    `key` is told when it changes, as ``C`` or ``Am``; `root` its pitch class (0 is C), `minor` 1 or 0. The last
    `memory` seconds count. `sure` is how much better it fits than the next one, 0 to 1, each second.
    Answers stand 0.06 s after what was heard. Cost: 4 % of one core.

    Source: C. Krumhansl, *Cognitive Foundations of Musical Pitch*, 1990, chapter 4: the profiles of E. Kessler, and the
    key as the one whose profile correlates best.
    """

    x = inlet.signal("music")
    memory = inlet.control(12.0, "how long what was heard counts", unit="s", span=(1.0, 120.0), curve="log")
    key = outlet.event("name of the key, when it changes")
    root = outlet.event("its pitch class, 0 is C")
    minor = outlet.event("1 when it is minor")
    sure = outlet.event("how much better it fits than the next, once a second")

    def __init__(self) -> None:
        super().__init__()
        self.mean = np.zeros(12)
        self.said = -1
        self.count = 0

    def heard(self, found: Classes) -> None:
        part = 1.0 - float(np.exp(-HOP_S / max(float(self.controls["memory"]), 0.1)))
        total = found.treble + found.bass
        if found.level > SILENCE and total.max() > 0.0:
            self.mean += part * (total / total.max() - self.mean)
        self.count += 1
        if not self.mean.any():
            return
        fits = key_fits(self.mean)
        order = np.argsort(-fits)
        better = float(fits[order[0]] - fits[order[1]])
        best = int(order[0])
        if best != self.said and self.count >= 10 and (self.said < 0 or fits[best] - fits[self.said] > 0.03):
            self.said = best
            self.key(f"{NAMES[best % 12]}{'m' if best >= 12 else ''}")
            self.root(best % 12)
            self.minor(int(best >= 12))
        if self.count % 10 == 0:
            self.sure(min(max(better, 0.0), 1.0))


@node("chords~", aliases=("chord~",))
class Chords(Harmony):
    """Say which chord sounds: major, minor, diminished, and three with a seventh, on twelve roots.

    `chord` is told when it changes, as ``C``, ``Am``, ``Bdim``, ``G7``, ``Dm7``, ``Fmaj7``, or ``N``: none;
    `root` its pitch class (0 is C), `notes` its pitch classes as a list. A chord must last some 0.2 s.
    Answers stand 0.06 s after what was heard; a change is noticed about 0.3 s after it. Cost: 4 % of
    one core.

    Source: T. Fujishima, "Realtime Chord Recognition of Musical Sound", ICMC 1999 (templates); pitch classes after
    M. Mauch and S. Dixon, ISMIR 2010; the forward procedure of L. Rabiner, 1989, so that it does not flicker.
    """

    x = inlet.signal("music")
    calm = inlet.control(0.85, "how much a chord tends to stay", span=(0.0, 0.99))
    chord = outlet.event("name of the chord, when it changes")
    root = outlet.event("its pitch class, 0 is C")
    notes = outlet.event("the pitch classes of the chord")

    def __init__(self) -> None:
        super().__init__()
        self.likely = np.full(len(CHORDS) + 1, 1.0 / (len(CHORDS) + 1))
        self.said = -1

    def heard(self, found: Classes) -> None:
        fits = chord_fits(found)
        weight = np.exp(SHARP * (fits - fits.max()))
        stay = float(self.controls["calm"])
        count = len(self.likely)
        before = stay * self.likely + (1.0 - stay) * (1.0 - self.likely) / (count - 1)
        self.likely = before * weight
        self.likely /= self.likely.sum()
        best = int(self.likely.argmax())
        if best == self.said or self.likely[best] < 0.5:
            return
        self.said = best
        if best == len(CHORDS):
            self.chord("N")
            return
        root, kind = best % 12, tuple(KINDS.values())[best // 12]
        self.chord(CHORDS[best])
        self.root(root)
        self.notes(tuple((root + step) % 12 for step in kind))


def key_fits(classes: Floats) -> Floats:
    """How well pitch classes fit each key, -1 to 1: twelve major ones from C, then twelve minor ones."""
    return np.array([_alike(classes, np.roll(profile, root)) for profile in (MAJOR, MINOR) for root in range(12)])


def chord_fits(found: Classes) -> Floats:
    """How well each chord of `CHORDS` fits, 0 to 1, and at the end how well none does."""
    whole = np.concatenate([_length_1(found.treble), 0.6 * _length_1(found.bass)])
    length = np.linalg.norm(whole)
    if found.level <= SILENCE or not length > 0.0:
        fits = np.zeros(len(CHORDS) + 1)
        fits[-1] = 1.0
        return fits
    return np.append(_templates() @ (whole / length) - np.repeat([RARE[kind] for kind in KINDS], 12), LEAST_FIT)


def _alike(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12))


def _length_1(values: Floats) -> Floats:
    return values / max(float(np.linalg.norm(values)), 1e-12)


@cache
def _templates() -> Floats:
    rows = []
    for steps in KINDS.values():
        for root in range(12):
            treble, bass = np.zeros(12), np.zeros(12)
            treble[[(root + step) % 12 for step in steps]] = 1.0
            bass[root] = 1.0
            row = np.concatenate([_length_1(treble), 0.6 * bass])
            rows.append(_length_1(row))
    return np.array(rows)
