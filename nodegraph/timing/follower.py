"""The clock of a patch follows a source: a phase-locked loop that bends the tempo and never steps the phase.

What is missing is made up by tempo: a bend of at most GENTLE that lasts as long as it must, or, where that would take
longer than a bar, a bend over one bar. An error of more than a tenth of a bar is no drift: the clock is put where the
source is. A start, a stop and a jump of the source act at once, at their frame.

Everything that is done to the clock is an act (`runtime.acts`): what was followed can be written down and played again
without the source.
"""

from __future__ import annotations

from typing import Any, Final

from nodegraph.runtime.acts import Act
from nodegraph.runtime.player import Player
from nodegraph.timing.places import Here, Place, Source

GENTLE: Final = 0.02
"""The most by which the tempo is bent, as long as a bar is enough for it."""
JUMPS: Final = 0.1
"""An error beyond this share of a bar is jumped over: it would take a bend of more than a fifth."""
LEAST_BEND_S: Final = 1.0
"""No bend is shorter."""
RENEWED_S: Final = 0.5
"""None is renewed sooner, unless something is wrong by URGENT_S."""
URGENT_S: Final = 0.005
NEAR_S: Final = 0.000_05
"""An error below this is left alone."""
TEMPO: Final = 0.005
"""A tempo that is off by this share is put right at once."""
STILL: Final = 0.000_5
"""The same, for a clock that stands still."""
LATE_S: Final = 0.15
"""A start that is known so late at most begins with its first beat, and catches up."""


class Follower:
    """One player's clock follows one source. All methods are called on the player's thread."""

    def __init__(self, player: Player, source: Source, here: Here) -> None:
        self.player = player
        self.source = source
        self.jumps = 0
        """How often an error was too large to be bent away."""
        self.error_s = 0.0
        """By how much the patch is behind the source, when it was looked at last."""
        self._run: int | None = None
        self._acted = -1
        """The frame of the last act."""
        self._bent = -(1 << 60)
        """The frame of the last bend."""
        self._until = 0
        """At which it ends."""
        self._bpm: float | None = None
        """The tempo that the clock was last told to come to."""
        self._on: bool | None = None
        self._jumps = player.messages.clock.jumps
        """Of the clock, as far as they are known."""
        source.begin(here)

    def hear(self, act: Act, here: Here) -> None:
        """An act was asked for from outside."""
        if self.source.hear(act, here):
            frame = max(act.frame, here.frame)
            place = self._place(here, frame)
            if place is not None:
                self._go_there(place, frame, here)

    def round(self, here: Here) -> None:
        """Once a round of the player, after it: see that the clock is where it should be."""
        frame = here.frame
        if frame <= self._acted:
            return  # what was done last has not come into force
        clock = here.clock
        if self.source.leads and not self._lead(here):
            return
        place = self._place(here, frame)
        if place is None:
            return
        if place.run != self._run or (place.playing is not None and place.playing != clock.playing):
            self._go_there(place, frame, here)
        elif clock.playing:
            self._steer(place, frame, here)
        elif abs(clock.tempo_at(frame) - place.bpm) > STILL * place.bpm:
            self._tempo(place.bpm, frame)

    def _place(self, here: Here, frame: int) -> Place | None:
        """Where the source will be when what acts at a frame is heard."""
        return self.source.place(here, frame + here.latency_s * here.rate)

    # -- what the patch changes by itself

    def _lead(self, here: Here) -> bool:
        """Tell the source what somebody in the patch has changed since the last round. False while a tempo of the
        patch's own glides: it is not to be steered then."""
        clock, frame = here.clock, here.frame
        goal = clock.tempo_at(1 << 60)
        if self._bpm is not None and abs(goal - self._bpm) > 1e-9:
            now = clock.tempo_at(frame)
            self.source.tell(here, bpm=now)
            if now != goal:
                return False
            self._bpm = goal
        if clock.jumps != self._jumps:
            self._jumps = clock.jumps
            self.source.tell(here, beat=clock.beat_at(frame))
        if self._on is not None and clock.playing != self._on:
            self.source.tell(here, playing=clock.playing)
            self._on = clock.playing
        return True

    # -- what the source wants

    def _do(self, frame: int, *what: Any) -> None:
        self.player.acts.do(Act(frame, "clock", what))
        self._jumps += what[0] == "locate"
        self._acted = max(self._acted, frame)

    def _tempo(self, bpm: float, frame: int) -> None:
        self._do(frame, "go", bpm)
        self._bpm = bpm

    def _go_there(self, place: Place, frame: int, here: Here) -> None:
        """The source has started, stopped or jumped."""
        beat = place.beat
        clock = here.clock
        if place.playing and 0.0 < (place.beat - place.first) * 60.0 / place.bpm < LATE_S and place.run != self._run:
            beat = place.first  # no note of the first beat is lost
        self._run = place.run
        if place.playing is False and clock.playing:
            self._do(frame, "run", False)
        self._tempo(place.bpm, frame)
        if place.cycle is None:
            self._do(frame, "locate", beat)
        elif place.playing and not clock.playing:
            self._do(frame, "locate", beat % place.cycle)  # from the beginning, at its place in the bar
        if place.playing and not clock.playing:
            self._do(frame, "run", True)
        if place.playing is not None:
            self._on = place.playing
        self._bent, self._until = frame, frame

    def _steer(self, place: Place, frame: int, here: Here) -> None:
        clock, rate = here.clock, here.rate
        beat_s = 60.0 / place.bpm
        error = within(place.beat - clock.beat_at(frame), place.cycle)
        self.error_s = error * beat_s
        bar_s = beat_s * clock.beats_a_bar
        if abs(self.error_s) > JUMPS * bar_s:
            self.jumps += 1
            self._tempo(place.bpm, frame)
            self._do(frame, "locate", clock.beat_at(frame) + error)
            self._bent, self._until = frame, frame
            return
        # where the clock gets by itself, and where the source will be by then
        ahead = max(self._until, frame + round(LEAST_BEND_S * rate))
        then = place.beat + (ahead - frame) / rate / beat_s
        missing_s = within(then - clock.beat_at(ahead), place.cycle) * beat_s
        wrong = abs(missing_s) > URGENT_S or abs(clock.tempo_at(ahead) - place.bpm) > TEMPO * place.bpm
        due = frame - self._bent >= RENEWED_S * rate
        if not (wrong or (due and abs(missing_s) > NEAR_S)):
            return
        lasts_s = min(max(2.0 * abs(self.error_s) / GENTLE, LEAST_BEND_S), max(bar_s, RENEWED_S))
        there = frame + round(lasts_s * rate)
        goal = clock.beat_at(frame) + error + (there - frame) / rate / beat_s
        self._do(frame, "go_through", goal, there, place.bpm)
        self._bpm, self._on = place.bpm, True
        self._bent, self._until = frame, there


def within(beats: float, cycle: float | None) -> float:
    """A difference of beats; the shortest way, where only the place in a cycle counts."""
    return beats if cycle is None else (beats + 0.5 * cycle) % cycle - 0.5 * cycle
