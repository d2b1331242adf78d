"""What a player sends to JACK in freewheel, recorded by another client."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import repeat

import numpy as np
import pytest

from nodegraph.runtime.drivers.jack import JackDriver
from nodegraph.runtime.player import Player
from tests.runtime.conftest import JackServer
from tests.runtime.playing import first_difference

PATIENCE_S = 120.0
SETTLING_BLOCKS = 8
MOST_TRIES = 5


def capture(
    player: Player,
    server: JackServer,
    frames: int,
    each: Callable[[], None] | None = None,
    over: Callable[[], bool] = lambda: False,
    *,
    blocks: deque[np.ndarray] | None = None,
    patience_s: float = PATIENCE_S,
) -> np.ndarray:
    """Play a fresh player in freewheel and record it in another client, from its first frames on.

    `each` is called every round; it ends after `frames`, or when `over` says so. Who gives `blocks` gets each recorded
    block there, silence before the first sound included, and may take them out while it plays; it returns the rest.

    The first blocks are left out: a connection that is made while the server waits for us takes effect some blocks
    later, and until then any of them may be lost.
    """
    import jack

    player.engine.waiting = True
    driver = JackDriver(player.engine, "player", server=server.name)
    other = jack.Client("recorder", servername=server.name, no_start_server=True)
    ports = [other.inports.register(f"in_{k + 1}") for k in range(player.engine.outputs)]
    kept: deque[np.ndarray] = deque() if blocks is None else blocks

    settling: Iterator[None] | None = None

    def process(count: int) -> None:
        if settling is not None and next(settling, True):
            kept.append(np.stack([port.get_array().copy() for port in ports]))

    other.set_process_callback(process)
    other.activate()
    other.set_freewheel(True)
    driver.start()
    for mine, theirs in zip(driver.outputs, ports, strict=True):
        other.connect(mine, theirs)
    settling = repeat(None, SETTLING_BLOCKS)
    until = time.monotonic() + patience_s
    player.live(lambda: player.engine.done < frames and not over() and time.monotonic() < until, each)
    driver.stop()
    other.set_freewheel(False)
    other.deactivate()
    other.close()
    sound = np.concatenate([np.zeros((player.engine.outputs, 0), np.float32), *kept], axis=1)
    if blocks is not None:
        return sound
    heard = np.flatnonzero(np.abs(sound).max(axis=0))
    assert len(heard), "nothing was captured"
    return sound[:, heard[0] :]


def through(
    player: Callable[[], Player], server: JackServer, sound: np.ndarray, frames: int, straight: int
) -> tuple[np.ndarray, int]:
    """Send a sound through a player in freewheel, from another client and back to it: so many frames of the player's
    outputs from the first frame of the sound on, and how late the output is that gives the sound as it came, the one
    with the number `straight`.

    A cycle that a busy machine loses is missing in both, so another player tries again until that one is whole.
    """
    for _ in range(MOST_TRIES):
        fresh = player()
        try:
            made = _once_through(fresh, server, sound, frames)
        finally:
            fresh.close()
        heard = np.flatnonzero(made[straight])
        late = int(heard[0] - np.flatnonzero(sound[0])[0]) if len(heard) else frames
        whole = np.pad(sound[0], (late, frames))[:frames]
        if late <= 2 * server.block and np.array_equal(made[straight], whole):
            return made, late
    pytest.fail(f"a cycle was lost in each of {MOST_TRIES} tries")


def _once_through(player: Player, server: JackServer, sound: np.ndarray, frames: int) -> np.ndarray:
    import jack

    player.engine.waiting = True
    driver = JackDriver(player.engine, "player", server=server.name)
    other = jack.Client("listener", servername=server.name, no_start_server=True)
    outs = [other.outports.register(f"out_{k + 1}") for k in range(player.engine.inputs)]
    ins = [other.inports.register(f"in_{k + 1}") for k in range(player.engine.outputs)]
    made = np.zeros((len(ins), frames), np.float32)
    connected = False
    settled, at = 0, -1

    def process(count: int) -> None:
        nonlocal settled, at
        settled += connected
        if settled <= SETTLING_BLOCKS or at >= frames:
            for port in outs:
                port.get_array()[:] = 0.0
            return
        at = max(at, 0)
        part = np.stack([port.get_array() for port in ins])[:, : frames - at]
        made[:, at : at + part.shape[1]] = part
        for port, row in zip(outs, sound, strict=True):
            block = row[at : at + count]
            port.get_array()[:] = np.pad(block, (0, count - len(block)))
        at += count

    other.set_process_callback(process)
    other.activate()
    other.set_freewheel(True)
    driver.start()
    for mine, theirs in zip(outs, driver.inputs, strict=True):
        other.connect(mine, theirs)
    for mine, theirs in zip(driver.outputs, ins, strict=True):
        other.connect(mine, theirs)
    connected = True
    until = time.monotonic() + PATIENCE_S
    player.live(lambda: at < frames and time.monotonic() < until)
    driver.stop()
    other.set_freewheel(False)
    other.deactivate()
    other.close()
    assert at >= frames, "it did not come to its end"
    return made


def aligned(captured: np.ndarray, reference: np.ndarray, most: int = 6_144) -> int:
    """The frame of the reference at which the capture begins."""
    probe = captured[:, :2_000].view(np.int32)
    for offset in range(most):
        if np.array_equal(probe, reference[:, offset : offset + 2_000].view(np.int32)):
            return offset
    begins = [k for k in range(reference.shape[1] - 64) if np.array_equal(captured[:, :64], reference[:, k : k + 64])]
    offset = begins[0] if begins else 0
    part = first_difference(captured[:, :2_000], reference[:, offset : offset + 2_000])
    pytest.fail(f"the capture begins at frames {begins} of the reference: {part}")
