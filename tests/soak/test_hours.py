"""Hours of sound in freewheel: the same bits twice, and what the process holds stays what it was."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import numpy as np

from nodegraph.api.patch import Patch
from nodegraph.core.flatten import flatten
from nodegraph.models.store import Store
from nodegraph.runtime.capture import Capture
from nodegraph.runtime.drivers.jack import JackDriver
from nodegraph.runtime.player import Player
from tests.runtime.conftest import JackServer
from tests.soak.length import length, report
from tests.soak.memory import Held, held

RATE: Final = 48_000
SECONDS: Final = length(600, 8 * 3_600)
WARM: Final = length(60, 1_200)
PIECE: Final = 10 * RATE
"""Frames that one hash stands for."""
GROWTH: Final = 0.01


def installation(folder: Path) -> Patch:
    """What plays by itself for months: a clock, chance, notes on voices, filters that move, echoes, a room, a
    listener that hears the whole and moves it, and what is drawn of it."""
    patch = Patch("Installation")
    patch.add("transport", "time", tempo=97)
    patch.add("every", "beat", beats=0.5)
    patch.connect("beat.bang", patch.add("random", "chance", low=40, high=76, seed=3))
    patch.connect("chance.y", patch.add("quantise", "scale"), patch.add("makenote", "note", duration=0.4))
    voices = patch.add("voices~", "voices", count=12)
    patch.connect("note", voices.notes)
    patch.connect(voices.freq, patch.add("saw~", "saws").freq)
    patch.connect(voices.gate, patch.add("adsr~", "shape", attack=0.05, decay=0.3, release=1.0).gate)
    patch.connect("saws", patch.add("svf~", "cut", resonance=0.5), patch.add("*~", "loud"), patch.add("sum~", "sum"))
    patch.connect("shape", "loud.b")
    patch.connect(patch.add("lfo~", "sweep", freq=0.07, low=300, high=2_500), "cut.cutoff")
    patch.connect(
        patch.add("noise~", "wind"), patch.add("svf~", "whistle", resonance=0.9), patch.add("gain~", "far", gain=0.05)
    )
    patch.connect(patch.add("lfo~", "gusts", shape="drift", freq=0.2, low=200, high=900), "whistle.cutoff")
    patch.connect("sum", patch.add("gain~", "dry", gain=0.1), patch.add("out~", "out"))
    patch.connect("far", "dry")
    patch.connect(
        "dry", patch.add("delay~", "echo", time=0.37, feedback=0.4), patch.add("reverb~", "room", mix=1.0), "out"
    )
    patch.connect("sum", patch.add("vad~", "voice"))
    patch.connect("voice.speech", "far.gain")
    patch.connect("dry", patch.add("env~", "level"))
    patch.connect("dry", patch.add("spectrum~", "look"))
    return patch


class Run:
    """One run: a hash of each piece of sound and of the messages in it, and what the process held."""

    def __init__(self, server: JackServer, folder: Path, store: Any) -> None:
        self.hashes: list[str] = []
        self.warm: Held | None = None
        self.end: Held | None = None
        self.messages = 0
        self.peak = 0.0
        said: list[tuple[str, str]] = []
        player = Player(
            flatten(installation(folder).document), RATE, weights=store.files, report=lambda *text: said.append(text)
        )
        player.messages.everything = self._hear
        self._events: list[tuple[int, str]] = []
        player.engine.waiting = True
        capture = Capture(player.engine)
        self._pending = np.zeros((2, 0), np.float32)
        driver = JackDriver(player.engine, "player", server=server.name)
        import jack

        other = jack.Client("wheel", servername=server.name, no_start_server=True)
        other.activate()
        other.set_freewheel(True)
        driver.start()
        try:
            player.live(lambda: len(self.hashes) * PIECE < SECONDS * RATE, lambda: self._take(capture))
        finally:
            driver.stop()
            other.set_freewheel(False)
            other.deactivate()
            other.close()
            player.close()
        assert capture.lost == 0 and not said, said[:5]

    def _hear(self, event: Any) -> None:
        self.messages += 1
        self._events.append((event.frame, f"{event.node}.{event.port} {event.value}"))

    def _take(self, capture: Capture) -> None:
        self._pending = np.concatenate([self._pending, capture.drain()], axis=1)
        while self._pending.shape[1] >= PIECE:
            piece, self._pending = self._pending[:, :PIECE], self._pending[:, PIECE:]
            until = (len(self.hashes) + 1) * PIECE
            told = sorted(event for event in self._events if event[0] < until)
            self._events = [event for event in self._events if event[0] >= until]
            self.peak = max(self.peak, float(np.abs(piece).max()))
            self.hashes.append(hashlib.sha256(piece.tobytes() + repr(told).encode()).hexdigest())
            if len(self.hashes) * PIECE == WARM * RATE:
                self.warm = held()
            if len(self.hashes) * PIECE == SECONDS * RATE:
                self.end = held()


def test_hours_of_sound_are_the_same_twice_and_nothing_grows(jack_server: JackServer, tmp_path: Path) -> None:
    store = Store()
    store.fetch("silero-vad")
    first = Run(jack_server, tmp_path, store)
    assert first.warm is not None and first.end is not None
    second = Run(jack_server, tmp_path, store)
    report(
        f"{SECONDS / 3600:.2f} h, {first.messages} messages, peak {first.peak:.2f}; memory after {WARM} s"
        f" {first.warm.bytes / 1e6:.1f} MB, at the end {first.end.bytes / 1e6:.1f} MB"
    )
    assert 0.02 < first.peak <= 1.0 and first.messages > SECONDS
    assert len(set(first.hashes)) == len(first.hashes), "it never repeats itself"
    assert first.hashes == second.hashes
    assert first.end.growth(first.warm) < GROWTH, f"memory grew from {first.warm} to {first.end}"
    assert (first.end.threads, first.end.files) == (first.warm.threads, first.warm.files)
