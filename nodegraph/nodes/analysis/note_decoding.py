"""From the likelihoods that Basic Pitch gives (which keys sound, where notes begin) to notes: at once, or as they come.

The rules are those of Spotify's `basic_pitch.note_creation` (Apache-2.0), written anew; `decode` gives the same notes.

Source: R. M. Bittner and others, "A Lightweight Instrument-Agnostic Model for Polyphonic Note Transcription and
Multipitch Estimation", ICASSP 2022, section 2.3. The search for notes without an onset follows J. Salamon and
E. Gómez, "Melody Extraction From Polyphonic Music Signals", 2012.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

KEYS = 88
LOWEST_KEY = 21  # MIDI A0
TOLERANCE = 11  # frames that a note may fade and come back
JITTER = 4  # frames by which a beginning may move as more is heard


class Rules(NamedTuple):
    """What counts as a note. Likelihoods 0 to 1, `shortest` in frames of 11.6 ms."""

    onset: float = 0.5
    frame: float = 0.3
    shortest: int = 11


USUAL = Rules()


class Found(NamedTuple):
    """A note from frame `start` up to `end`. `struck`: it has an onset; otherwise it was found by its sound alone."""

    start: int
    end: int
    key: int
    loudness: float
    struck: bool


def decode(keys: Floats, onsets: Floats, rules: Rules = USUAL, rise: float | None = None) -> list[Found]:
    """The notes in `keys` and `onsets`, both (frames, 88), likelihoods 0 to 1.

    `rise` scales sudden rises in `keys` to likelihoods of onsets; without it the largest rise counts as much as the
    largest onset. Backwards in time: a later note ends an earlier one on its own key and on the keys beside it.
    """
    count = len(keys)
    if count < 3:
        return []
    likely = _with_rises(keys, onsets, rise)
    peaks = np.zeros(likely.shape, bool)
    peaks[1:-1] = (likely[1:-1] > likely[:-2]) & (likely[1:-1] > likely[2:]) & (likely[1:-1] >= rules.onset)
    left = keys.astype(np.float64)
    found: list[Found] = []
    for start, key in zip(*(axis[::-1].tolist() for axis in np.nonzero(peaks)), strict=True):
        end, quiet = start + 1, 0
        while end < count - 1 and quiet < TOLERANCE:
            quiet = quiet + 1 if left[end, key] < rules.frame else 0
            end += 1
        end -= quiet
        if end - start > rules.shortest:
            left[start:end, max(0, key - 1) : key + 2] = 0.0
            found.append(Found(start, end, key, float(np.mean(keys[start:end, key])), True))
    found.extend(_without_onset(keys, left, rules))
    return found


def _with_rises(keys: Floats, onsets: Floats, rise: float | None) -> Floats:
    """The onsets, and where a key rises suddenly (over one frame and over two)."""
    rises = rises_in(keys)
    if rise is None:
        rise = float(np.max(onsets)) / (float(np.max(rises)) or 1.0)
    return np.maximum(onsets, rise * rises)


def rises_in(keys: Floats) -> Floats:
    """By how much each key rises at least, over one frame and over two; 0 in the first two frames."""
    rises = np.zeros(keys.shape)
    rises[2:] = np.maximum(0.0, np.minimum(keys[2:] - keys[1:-1], keys[2:] - keys[:-2]))
    return rises


def _without_onset(keys: Floats, left: Floats, rules: Rules) -> list[Found]:
    """From the loudest frame that no note explains, follow its key both ways; again, until all is quiet."""
    count = len(keys)
    found: list[Found] = []
    while True:
        middle, key = divmod(int(np.argmax(left)), KEYS)
        if left[middle, key] <= rules.frame:
            return found
        left[middle, key] = 0.0
        ends: list[int] = []
        for step, last in ((1, count - 1), (-1, 0)):
            at, quiet = middle + step, 0
            while (last - at) * step > 0 and quiet < TOLERANCE:
                quiet = quiet + 1 if left[at, key] < rules.frame else 0
                left[at, max(0, key - 1) : key + 2] = 0.0
                at += step
            ends.append(at - step * (1 + quiet))
        end, start = ends
        if end - start > rules.shortest:
            found.append(Found(start, end, key, float(np.mean(keys[start:end, key])), False))


@dataclass
class Sounding:
    """A note that was sent. `end` is None while it is not known."""

    key: int
    start: int
    end: int | None = None


class Begin(NamedTuple):
    """A note begins; `frames` is None when its end is not known yet."""

    frame: int
    key: int
    loudness: float
    frames: int | None


class End(NamedTuple):
    """A note that began without a length has ended."""

    frame: int
    key: int


@dataclass
class NoteStream:
    """Notes as they come, each said once, and each when `patience` frames after its beginning have been heard.

    Every piece of likelihoods is decoded together with what was heard shortly before. A note that is still sounding
    when it is said has no length; its `End` follows.
    """

    patience: int = 30
    memory: int = 344
    keys: Floats = field(default_factory=lambda: np.zeros((0, KEYS)))
    onsets: Floats = field(default_factory=lambda: np.zeros((0, KEYS)))
    base: int = 0
    decided: int = 0
    said: list[Sounding] = field(default_factory=list)
    most_onset: float = 0.0
    most_rise: float = 0.0

    def feed(self, keys: Floats, onsets: Floats, rules: Rules = USUAL) -> list[Begin | End]:
        """Hear more frames, (n, 88) each, and say what is certain now. Frames count from the stream's beginning."""
        self.keys = np.concatenate([self.keys, keys])
        self.onsets = np.concatenate([self.onsets, onsets])
        surplus = max(0, len(self.keys) - self.memory - self.patience)
        self.keys, self.onsets, self.base = self.keys[surplus:], self.onsets[surplus:], self.base + surplus
        self.most_onset = max(self.most_onset, float(np.max(self.onsets)))
        self.most_rise = max(self.most_rise, float(np.max(rises_in(self.keys))))
        heard = self.base + len(self.keys)
        found = decode(self.keys, self.onsets, rules, self.most_onset / (self.most_rise or 1.0))
        spoken: list[Begin | End] = []
        for note in sorted(found):
            note = note._replace(start=note.start + self.base, end=note.end + self.base)
            if note.start >= heard - self.patience or not self._is_new(note):
                continue
            known = note.end <= heard - 1 - TOLERANCE
            spoken.append(Begin(note.start, note.key, note.loudness, note.end - note.start if known else None))
            self.said.append(Sounding(note.key, note.start, note.end if known else None))
        self.decided = max(self.decided, heard - self.patience)
        for sounding in self.said:
            if sounding.end is None and (end := self._end(sounding, heard, rules)) is not None:
                sounding.end = end
                spoken.append(End(end, sounding.key))
        self.said = [note for note in self.said if note.end is None or note.end >= self.base]
        return spoken

    def _is_new(self, note: Found) -> bool:
        if note.start < self.decided - TOLERANCE:
            return False
        for other in self.said:
            if other.key != note.key or (other.end is not None and note.start >= other.end):
                continue
            again = note.struck and other.end is None and note.start >= max(self.decided, other.start + JITTER + 1)
            if note.end > other.start and not again:
                return False
        return True

    def _end(self, note: Sounding, heard: int, rules: Rules) -> int | None:
        """Where an open note ended: it stays quiet, or later notes on its key or beside it take over."""
        begin = max(note.start + 1, self.base)
        quiet = self.keys[begin - self.base : heard - self.base, note.key] < rules.frame
        for other in self.said:
            if other.start > note.start and abs(other.key - note.key) <= 1:
                quiet[max(0, other.start - begin) : (other.end or heard) - begin] = True
        run = 0
        for index, silent in enumerate(quiet.tolist()):
            run = run + 1 if silent else 0
            if run == TOLERANCE:
                return begin + index + 1 - TOLERANCE
        return None
