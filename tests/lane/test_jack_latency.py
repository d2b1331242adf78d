"""How late a worker's sound is live, through a JACK server, is how late it is declared to be."""

from __future__ import annotations

import numpy as np
import pytest

from nodegraph.runtime.lane.streams import latency_frames
from nodegraph.runtime.player import Player
from tests.lane.test_streams import OPTIONS, RATE, noise, patch, shifted
from tests.runtime.capturing import through
from tests.runtime.conftest import JackServer, jack_server
from tests.runtime.playing import assert_same

__all__ = ["jack_server"]


@pytest.mark.parametrize(("kind", "level", "delay"), [("test.halved~", 0.5, 0), ("test.late-by-a-model~", 1.0, 100)])
def test_from_client_to_client(jack_server: JackServer, kind: str, level: float, delay: int) -> None:
    """The way without the model, beside it, says how long the server itself takes."""
    sound, frames = noise(0.5), RATE
    graph = patch(kind)
    graph.set("model", "compensate", False)
    graph.add("out~", "straight", channel=3, channels=1)
    graph.connect("in.y", "straight.x")
    player = Player(graph.view, RATE, **OPTIONS)
    try:
        assert player.lanes is not None and player.lanes.wait_ready(60.0)
        late = latency_frames(type(player.listeners._of["model"].node), RATE)
        made = through(player, jack_server, sound, frames)
    finally:
        player.close()
    sound = np.pad(sound, ((0, 0), (0, frames - sound.shape[1])))
    begins = int(np.flatnonzero(made[2])[0] - np.flatnonzero(sound[0])[0])
    assert begins <= 2 * jack_server.block
    assert_same(made[2:, begins:], sound[:, : frames - begins], "the straight way")
    wanted = shifted(sound * np.float32(level), begins + late)[:1]
    assert_same(made[:1], wanted, f"the model's way, {late} frames later than the straight one")
    assert late > 1_000 and delay < late
