"""A player that runs without a device, round by round, with a follower and a leader: as fast as it goes."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from nodegraph.core.graph import Graph
from nodegraph.core.messages import MidiIn
from nodegraph.runtime.acts import Act
from nodegraph.runtime.player import Player
from nodegraph.timing.follower import Follower
from nodegraph.timing.places import Here, Source
from nodegraph.timing.timebase import TimeBase

RATE = 48_000
BLOCK = 256
Came = tuple[float, bytes]
"""Seconds, and a MIDI message."""


def song() -> Graph:
    graph = Graph()
    graph.add("every", "grid", beats=0.25)
    graph.add("phase~", "ramp", beats=1.0)
    graph.add("out~", "out", channels=1)
    graph.add("*~", "half", b=0.5)
    graph.connect("ramp.y", "half.x")
    graph.connect("half.y", "out.x")
    return graph


def ticks(bpm: Callable[[float], float] | float, seconds: float, start: float = 0.1) -> list[float]:
    """When a leader's ticks are due: its tempo may depend on the time."""
    tempo = bpm if callable(bpm) else lambda time: float(bpm)
    found, at = [], start
    while at < seconds:
        found.append(at)
        at += 60.0 / (24.0 * tempo(at + 30.0 / (24.0 * tempo(at))))
    return found


def late(times: Iterable[float], jitter_s: float, seed: int = 1) -> list[float]:
    """As they arrive: up to so much late, in order."""
    chance = np.random.default_rng(seed)
    found: list[float] = []
    for time in times:
        found.append(max(time + chance.uniform(0.0, jitter_s), found[-1] if found else 0.0))
    return found


class Followed:
    """What a run came to: at each round the frame, beat and tempo of the clock; the acts that were noted; the sound."""

    def __init__(self) -> None:
        self.frames: list[int] = []
        self.beats: list[float] = []
        self.tempi: list[float] = []
        self.on: list[bool] = []
        self.errors: list[float] = []
        self.acts: list[Act] = []
        self.told: list[tuple[int, Any]] = []
        self.log: list[tuple[str, str]] = []
        self.sound = np.zeros((2, 0), np.float32)
        self.jumps = 0

    def at(self, seconds: float) -> int:
        """The round at a time."""
        return min(bisect.bisect_left(self.frames, round(seconds * RATE)), len(self.frames) - 1)

    def largest_step(self, first: float = 0.0) -> float:
        """The most by which the beat was elsewhere than tempo explains, from a second on; in seconds."""
        start = self.at(first)
        frames, beats, tempi = (np.array(item[start:]) for item in (self.frames, self.beats, self.tempi))
        moved = np.diff(beats)
        steady = np.diff(frames) / RATE * np.maximum(tempi[:-1], tempi[1:]) / 60.0
        slow = np.diff(frames) / RATE * np.minimum(tempi[:-1], tempi[1:]) / 60.0
        beyond = np.maximum(moved - steady, slow - moved)
        return float(np.max(beyond * 60.0 / tempi[1:]))


def follow(
    source: Source,
    came: Iterable[Came],
    seconds: float,
    graph: Graph | None = None,
    *,
    rounds_frames: int = BLOCK,
    lookahead: bool = False,
    latency_s: float = 0.0,
    sounds: bool = True,
    each: Callable[[Player, Follower], None] | None = None,
) -> Followed:
    """Play for so long, while these messages arrive at their time.

    Without `sounds` only messages are handled. With `lookahead` they come as they do live: when 30 ms more have
    been handled already.
    """
    made, player, base = Followed(), Player((graph or song()).view, RATE), TimeBase(RATE)
    base.anchor(0.0, 0)
    ahead = round(0.03 * RATE) if lookahead else 0
    done = 0

    def here() -> Here:
        messages = player.messages
        return Here(messages.clock, RATE, base, latency_s, 0, messages.handled, done, True)

    follower = Follower(player, source, here())
    player.acts.asked.append(lambda act: follower.hear(act, here()) if act.what == "arrive" else None)
    player.acts.noted.append(made.acts.append)
    player.watch("grid", "count", lambda event: made.told.append((event.frame, event.value)))
    queue = sorted(came, key=lambda item: item[0])
    place = 0
    pieces = []
    player.engine.waiting = True
    player.messages.run(ahead)
    while done < round(seconds * RATE):
        upto = done + rounds_frames
        while place < len(queue) and queue[place][0] * RATE < upto:
            at, data = queue[place]
            player.acts.do(Act(round(at * RATE), "arrive", ("midi", MidiIn("in", data))))
            place += 1
        player.messages.run(upto + ahead)
        if sounds:
            player.engine.flush()
            player.engine.grant(player.messages.handled)
            out = np.zeros((player.engine.outputs, rounds_frames), np.float32)
            player.engine.process(None, out)
            pieces.append(out)
        done = upto
        clock, frame = player.messages.clock, player.messages.handled
        made.frames.append(frame)
        made.beats.append(clock.beat_at(frame))
        made.tempi.append(clock.tempo_at(frame))
        made.on.append(clock.playing)
        follower.round(here())
        made.errors.append(follower.error_s)
        if each is not None:
            each(player, follower)
    made.jumps = follower.jumps
    made.log = list(player.log)
    if pieces:
        made.sound = np.concatenate(pieces, axis=1)
    player.close()
    return made


def replay(acts: Iterable[Act], frames: int, graph: Graph | None = None) -> np.ndarray:
    """The same acts at the same frames, without a follower or a leader."""
    player = Player((graph or song()).view, RATE)
    for act in acts:
        player.acts.do(act)
    outs = np.zeros((player.engine.outputs, frames), np.float32)
    player.render(outs)
    player.close()
    return outs


def sent(graph: Graph, seconds: float, steps: Iterable[Act] = ()) -> list[tuple[int, bytes]]:
    """The MIDI messages that a graph sends while it is rendered, by frame."""
    player = Player(graph.view, RATE)
    found: list[tuple[int, bytes]] = []
    player.messages.outside.sink("midi", lambda frame, value: found.append((frame, value.data)))
    for act in steps:
        player.acts.do(act)
    player.render(np.zeros((player.engine.outputs, round(seconds * RATE)), np.float32))
    assert not player.log, list(player.log)
    kept = [item for item in found if 0 <= item[0] < round(seconds * RATE)]
    player.close()
    return kept
