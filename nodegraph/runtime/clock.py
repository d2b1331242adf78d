"""Musical time: beats as a function of frames. Tempo jumps or glides; the clock stops, goes on, is put elsewhere.

Between two changes the tempo is constant or moves in a straight line over time, so beats are a polynomial of the frame,
and the frame of a beat is a root of it: nothing is summed up, nothing drifts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

SLOWEST, FASTEST = 1.0, 1_000.0
"""Beats a minute."""
TEMPO: Final = 120.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `frame` on: at beat `beat`, going at `bpm`, which moves to `target` within `frames` and stays there."""

    frame: int
    beat: float
    bpm: float
    target: float
    frames: int


class Clock:
    """The clock of one patch. It runs from frame 0, at 120 beats a minute in bars of four, until somebody says more."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.playing = True
        self.beats_a_bar = 4
        self.swing = 0.5
        self.swing_beats = 0.5
        self._now = Stretch(0, 0.0, TEMPO, TEMPO, 0)

    # -- reading

    def tempo_at(self, frame: int) -> float:
        """Beats a minute at a frame from now on; what they would be while it stands still."""
        now = self._now
        if not now.frames or frame >= now.frame + now.frames:
            return now.target
        return now.bpm + (now.target - now.bpm) * (frame - now.frame) / now.frames

    def beat_at(self, frame: int) -> float:
        """The beat at a frame from the last change on."""
        now = self._now
        if not self.playing:
            return now.beat
        passed = float(frame - now.frame)
        gliding = min(passed, float(now.frames))
        beats = now.bpm * gliding
        if now.frames:
            beats += 0.5 * (now.target - now.bpm) * gliding * gliding / now.frames
        beats += now.target * (passed - gliding)
        return now.beat + beats / (60.0 * self.rate)

    def frame_at(self, beat: float) -> int | None:
        """The first frame that is not before a beat; None when it never comes, or has passed."""
        now = self._now
        if not self.playing:
            return None
        wanted = (beat - now.beat) * 60.0 * self.rate
        if wanted < -1e-6 * self.rate:
            return None
        passed = self._frames_for(max(wanted, 0.0))
        return now.frame + math.ceil(passed - 1e-6)

    def _frames_for(self, wanted: float) -> float:
        """How many frames it takes to gather so much tempo times frames."""
        now = self._now
        if now.frames:
            half_slope = 0.5 * (now.target - now.bpm) / now.frames
            within = now.bpm * now.frames + half_slope * now.frames**2
            if wanted <= within:
                if abs(half_slope) < 1e-12:
                    return wanted / now.bpm
                root = math.sqrt(max(now.bpm**2 + 4.0 * half_slope * wanted, 0.0))
                return 2.0 * wanted / (now.bpm + root)
            return now.frames + (wanted - within) / now.target
        return wanted / now.target

    def swung(self, beat: float) -> float:
        """The beat at which something is heard that is written at `beat`.

        Of two notes of `swing_beats` the first takes up the share `swing` of both; what lies between moves along.
        """
        if self.swing == 0.5:
            return beat
        pair = 2.0 * self.swing_beats
        number = math.floor(beat / pair + 1e-9)
        place = max(beat / pair - number, 0.0)
        late = 2.0 * self.swing * place if place < 0.5 else 1.0 - 2.0 * (1.0 - self.swing) * (1.0 - place)
        return (number + late) * pair

    # -- changing

    def go_at(self, frame: int, bpm: float, seconds: float = 0.0) -> None:
        """Another tempo from `frame` on, reached in so many seconds."""
        bpm = min(max(bpm, SLOWEST), FASTEST)
        frames = round(max(seconds, 0.0) * self.rate)
        start = self.tempo_at(frame) if frames else bpm
        self._now = Stretch(frame, self.beat_at(frame), start, bpm, frames)

    def go_through_at(self, frame: int, beat: float, there: int, bpm: float) -> None:
        """Bend the tempo from `frame` on so that `beat` falls on the frame `there`, and goes on at `bpm` from there.

        The place does not jump: the tempo does, by twice what is missing, and then goes to `bpm` in a straight line. A
        bend beyond the slowest or the fastest tempo is cut there, and so does not get as far.
        """
        bpm = min(max(bpm, SLOWEST), FASTEST)
        frames = max(there - frame, 1)
        here = self.beat_at(frame)
        mean = (beat - here) * 60.0 * self.rate / frames
        self._now = Stretch(frame, here, min(max(2.0 * mean - bpm, SLOWEST), FASTEST), bpm, frames)

    def run_at(self, frame: int, on: bool) -> None:
        """Go on from where it stands, or stand still."""
        if on != self.playing:
            beat, bpm = self.beat_at(frame), self.tempo_at(frame)
            left = max(0, self._now.frame + self._now.frames - frame)
            self._now = Stretch(frame, beat, bpm, self._now.target, left)
            self.playing = on

    def go_on_for(self, other: Clock, frame: int, here: int) -> None:
        """Be at `here` what another clock, of another rate perhaps, is at its `frame`."""
        was = other._now
        left = max(0, was.frame + was.frames - frame)
        frames = round(left * self.rate / other.rate)
        self._now = Stretch(here, other.beat_at(frame), other.tempo_at(frame), was.target, frames)
        self.playing = other.playing
        self.beats_a_bar = other.beats_a_bar
        self.swing, self.swing_beats = other.swing, other.swing_beats

    def locate_at(self, frame: int, beat: float) -> None:
        """Put it at a beat."""
        left = max(0, self._now.frame + self._now.frames - frame)
        self._now = Stretch(frame, beat, self.tempo_at(frame), self._now.target, left)
