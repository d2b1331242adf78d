"""How late a model for nn~ is live, through a JACK server: as late as is declared, and no later than nn~ itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nodegraph.api.places import resolver
from nodegraph.core.flatten import flatten
from nodegraph.runtime.player import Player
from tests.nn.playing import RATE, SOFT, late, noise, patch
from tests.runtime.capturing import through
from tests.runtime.conftest import JackServer, jack_server
from tests.runtime.playing import assert_same

__all__ = ["jack_server"]
NN_TILDE: int = 8_128
"""Frames of nn~ at its usual buffer of 4096, at 48 kHz."""


def test_from_client_to_client(trusted: Path, jack_server: JackServer) -> None:
    made = patch("nn~", file="plain.ts", rate=RATE)
    made.graph.set("model", "compensate", False)
    made.add("out~", "straight", channel=2, channels=1)
    made.connect("in.y", "straight.x")
    declared = late(made)
    assert declared < NN_TILDE

    def player() -> Player:
        resolve = resolver(made.document, [Path.cwd()])
        found = Player(flatten(made.document), RATE, resolve=resolve, weights=lambda name: {})
        assert found.lanes is not None and found.lanes.wait_ready(120.0)
        return found

    sound, frames = noise(RATE // 2), RATE
    heard, straight = through(player, jack_server, sound, frames, straight=1)
    wanted = np.zeros((1, frames), np.float32)
    begins = straight + declared + 1  # the model itself says half of the sample before
    wanted[:, begins : begins + sound.shape[1]] = sound[:, : frames - begins] * np.float32(0.5) * SOFT
    assert_same(heard[:1], wanted, f"{declared} frames later than the straight way")
