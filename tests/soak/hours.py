"""The program of `test_hours`: ``python -m tests.soak.hours SERVER`` plays hours of sound in freewheel through JACK.

It writes a line of JSON for every piece of sound with what it is made of, and one at the end with what it held.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from nodegraph.api.patch import Patch
from nodegraph.core.flatten import flatten
from nodegraph.models.store import Store
from nodegraph.runtime.capture import Capture
from nodegraph.runtime.drivers.jack import JackDriver
from nodegraph.runtime.player import Player
from tests.soak.length import length
from tests.soak.memory import Held, held

RATE: Final = 48_000
SECONDS: Final = length(160, 8 * 3_600)
WARM: Final = length(40, 1_200)
PIECE: Final = 10 * RATE
"""Frames that one hash stands for."""


def installation() -> Patch:
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
    patch.connect("dry", patch.add("spectrum~", "look", window="8192", hop=4_096))
    return patch


class Run:
    """One run: a hash of each piece of sound and of the messages in it, and what the process held."""

    def __init__(self, server: str) -> None:
        self.pieces = 0
        self.warm: Held | None = None
        self.end: Held | None = None
        self.messages = 0
        self._events: list[tuple[int, bytes]] = []
        self._piece, self._filled = np.zeros((2, PIECE), np.float32), 0
        store = Store()
        store.fetch("silero-vad")
        said: list[tuple[str, str]] = []
        player = Player(
            flatten(installation().document), RATE, weights=store.files, report=lambda *text: said.append(text)
        )
        player.messages.everything = self._hear
        player.engine.waiting = True
        capture = Capture(player.engine)
        import jack

        driver = JackDriver(
            player.engine, "player", server=server
        )  # before it freewheels: then it has no time to answer
        other = jack.Client("wheel", servername=server, no_start_server=True)
        other.activate()
        other.set_freewheel(True)
        driver.start()
        try:
            player.live(lambda: self.pieces * PIECE < SECONDS * RATE, lambda: self._take(capture))
        finally:
            driver.stop()
            other.set_freewheel(False)
            other.deactivate()
            other.close()
            player.close()
        assert self.warm is not None and self.end is not None
        tell(
            messages=self.messages, lost=capture.lost, said=said[:5], warm=asdict(self.warm), end=asdict(self.end),
        )  # fmt: skip

    def _hear(self, event: Any) -> None:
        self.messages += 1
        value = event.value.tobytes() if isinstance(event.value, np.ndarray) else repr(event.value).encode()
        self._events.append((event.frame, f"{event.node}.{event.port} ".encode() + value))

    def _take(self, capture: Capture) -> None:
        came = capture.drain()
        while came.shape[1]:
            part, came = np.split(came, [PIECE - self._filled], axis=1)
            self._piece[:, self._filled : self._filled + part.shape[1]] = part
            self._filled += part.shape[1]
            if self._filled == PIECE:
                self._filled = 0
                self._whole()

    def _whole(self) -> None:
        """Another piece of sound is there."""
        if self.pieces * PIECE >= SECONDS * RATE:
            return  # what the device played until it heard of the end
        self.pieces += 1
        until = self.pieces * PIECE
        told = sorted(event for event in self._events if event[0] < until)
        self._events = [event for event in self._events if event[0] >= until]
        made = hashlib.sha256(self._piece)
        for frame, message in told:
            made.update(b"%d %d " % (frame, len(message)) + message)
        tell(piece=made.hexdigest(), peak=float(np.abs(self._piece).max()))
        if until == WARM * RATE:
            self.warm = held()
        if until == SECONDS * RATE:
            self.end = held()


def tell(**data: Any) -> None:
    """A line for the test."""
    sys.stdout.write(json.dumps(data) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Run(sys.argv[1])
