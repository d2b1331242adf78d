"""A flood of OSC: the sound is the same to the bit, every packet is accounted for, nothing grows."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any, Final

import numpy as np

from nodegraph import Patch
from nodegraph.core.flatten import flatten
from nodegraph.osc.building import message
from nodegraph.osc.door import Door
from nodegraph.runtime.capture import Capture
from nodegraph.runtime.drivers.jack import JackDriver
from nodegraph.runtime.player import Player
from nodegraph.session.session import Session
from tests.runtime.conftest import JackServer
from tests.soak.length import length, report
from tests.soak.memory import Held, held

RATE: Final = 48_000
A_SECOND: Final = 50_000
SECONDS: Final = length(3, 20)
PIECE: Final = RATE
GROWTH: Final = 0.05
"""Of the memory, after a quarter of the flood."""

FLOOD: Final = """
import socket, sys, time
port, rate, seconds = map(int, sys.argv[1:4])
packets = [bytes.fromhex(text) for text in sys.argv[4:]]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect(("127.0.0.1", port))
begins, sent, refused = time.monotonic(), 0, 0
while sent < rate * seconds:
    for _ in range(50):
        sock.send(packets[sent % len(packets)])
        sent += 1
    time.sleep(max(0.0, begins + sent / rate - time.monotonic()))
print(sent, time.monotonic() - begins)
"""


def music() -> Patch:
    """Something that never repeats, and a control that is not heard for the flood to play with."""
    patch = Patch("Music")
    patch.connect(patch.add("every", "beat", beats=0.125), patch.add("random", "chance", low=40, high=76, seed=3))
    patch.connect("chance.y", patch.add("mtof", "tune"), patch.add("saw~", "saw").freq)
    patch.connect("saw", patch.add("svf~", "cut", cutoff=900), patch.add("gain~", "level", gain=0.3))
    patch.connect("level", patch.add("out~", "out"))
    patch.connect("level", patch.add("gain~", "unheard"))
    return patch


class Hash:
    """A hash of each second of sound."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._pending = np.zeros((2, 0), np.float32)

    def take(self, sound: np.ndarray[Any, Any]) -> None:
        self._pending = np.concatenate([self._pending, sound], axis=1)
        while self._pending.shape[1] >= PIECE:
            self.pieces.append(hashlib.sha256(self._pending[:, :PIECE].tobytes()).hexdigest())
            self._pending = self._pending[:, PIECE:]


def test_a_flood_leaves_the_sound_alone_and_is_accounted_for(jack_server: JackServer) -> None:
    import jack

    patch = music()
    player = Player(flatten(patch.document), RATE, outputs=2)
    said: list[str] = []
    session = Session(patch, report=lambda node, text: said.append(text))
    playing: Any = SimpleNamespace(player=player, running=True, setting=threading.Lock(), stop=lambda: None)
    session.playing = playing
    session._attach()
    player.engine.waiting = True
    capture, mine = Capture(player.engine), Hash()
    driver = JackDriver(player.engine, "player", server=jack_server.name)
    other = jack.Client("wheel", servername=jack_server.name, no_start_server=True)
    other.activate()
    other.set_freewheel(True)
    driver.start()
    packets = [
        message("/patch/unheard/gain", (0.5,)), message("/patch/unheard/gain", (0.25, 10)), message("/nowhere", ("x",)),
        message("/patch/unh*/gain", (1.0,)), b"/broken\0,i\0\0", b"\xff" * 40,
    ]  # fmt: skip
    with Door(session, port=0) as door:
        begins = time.monotonic()
        command = [sys.executable, "-c", FLOOD, str(door.port), str(A_SECOND), str(SECONDS)]
        flood = subprocess.Popen([*command, *(data.hex() for data in packets)], stdout=subprocess.PIPE, text=True)
        warm: Held | None = None
        sent = A_SECOND * SECONDS

        def each() -> None:
            nonlocal warm
            mine.take(capture.drain())
            if warm is None and door.status()["received"] + door.status()["lost"] > sent // 4:
                warm = held()

        over: float | None = None

        def goes_on() -> bool:
            nonlocal over
            told = door.status()
            if over is None and flood.poll() is not None and told["received"] + told["lost"] >= sent:
                over = time.monotonic()
            return over is None or len(mine.pieces) < 2

        try:
            player.live(goes_on, each)
        finally:
            driver.stop()
            other.set_freewheel(False)
            other.deactivate()
            other.close()
        end = held()
        assert flood.stdout is not None and flood.wait() == 0
        count, took = flood.stdout.read().split()
        elapsed = time.monotonic() - begins
        told = door.status()
    player.close()

    report(
        f"{count} packets in {float(took):.1f} s: {told['received']} read, {told['lost']} lost by the system,"
        f" {told['dropped']} dropped, {told['malformed']} malformed; {len(mine.pieces)} s of sound;"
        f" {warm and warm.bytes / 1e6:.1f} MB, then {end.bytes / 1e6:.1f} MB; {len(said)} lines in the log"
    )
    assert int(count) == sent == told["received"] + told["lost"], "every packet is accounted for"
    assert told["malformed"] > 0 and told["unmatched"] > 0 and said
    assert len(said) <= elapsed + 2, "one line a second"
    assert warm is not None and end.growth(warm) < GROWTH, f"memory grew from {warm} to {end}"
    assert end.files <= warm.files

    reference, theirs = Player(flatten(patch.document), RATE, outputs=2), Hash()
    block = np.zeros((2, PIECE), np.float32)
    for _ in mine.pieces:
        reference.render(block)
        theirs.take(block)
    reference.close()
    assert capture.lost == 0 and len(mine.pieces) >= 2
    assert mine.pieces == theirs.pieces, "the sound is the same to the bit"
    assert len(set(mine.pieces)) == len(mine.pieces), "and never repeats itself"
