"""A busy interpreter does not stop the sound. How much of it arrives is measured by `make bench ONLY=gil`."""

from __future__ import annotations

import ctypes

import pytest

from nodegraph.runtime.drivers import Driver
from nodegraph.runtime.drivers.jack import JackDriver
from nodegraph.runtime.drivers.null import NullDriver
from nodegraph.runtime.player import Player
from tests.runtime.conftest import start_jack
from tests.runtime.playing import voices

BLOCKS = 20
HOLDS = 200


def hold_the_lock(seconds: float) -> None:
    """Sleep in C with the interpreter's lock held: no line of Python runs anywhere in this process meanwhile."""
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))


@pytest.mark.parametrize("kind", ["null", "jack"])
def test_blocks_are_played_while_no_python_can_run(kind: str) -> None:
    server = start_jack("nodegraph-gil", block=64) if kind == "jack" else None
    player = Player(voices(8).view, 48_000)
    driver: Driver
    if server is not None:
        driver = JackDriver(player.engine, "busy", server=server.name)
    else:
        driver = NullDriver(player.engine, 64)
    driver.start()
    played = 0
    for _ in range(HOLDS):
        before = player.engine.counters()["callbacks"]
        hold_the_lock(0.05)
        played += player.engine.counters()["callbacks"] - before
        if played >= BLOCKS:
            break
    driver.stop()
    player.close()
    if server is not None:
        server.stop()
    assert played >= BLOCKS, f"{played} blocks while the lock was held"
