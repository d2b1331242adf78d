"""How late a worker's sound is live, through a JACK server, is how late it is declared to be."""

from __future__ import annotations

import numpy as np
import pytest

import tests.lane.fake_streams as fakes
from nodegraph.runtime.lane.streams import latency_frames
from nodegraph.runtime.player import Player
from tests.lane.test_streams import OPTIONS, RATE, noise, patch, shifted
from tests.runtime.capturing import through
from tests.runtime.conftest import JackServer, jack_server
from tests.runtime.playing import assert_same

__all__ = ["jack_server"]


@pytest.mark.parametrize(("cls", "level"), [(fakes.Halved, 0.5), (fakes.Delayed, 1.0)])
def test_from_client_to_client(jack_server: JackServer, cls: type[fakes.FakeStream], level: float) -> None:
    """The way without the model, beside it, says how long the server itself takes."""
    graph = patch(cls.spec.kind)
    graph.set("model", "compensate", False)
    graph.add("out~", "straight", channel=3, channels=1)
    graph.connect("in.y", "straight.x")

    def player() -> Player:
        made = Player(graph.view, RATE, **OPTIONS)
        assert made.lanes is not None and made.lanes.wait_ready(60.0)
        return made

    sound, frames = noise(0.5), RATE
    heard, begins = through(player, jack_server, sound, frames, straight=2)
    late = latency_frames(cls, RATE)
    assert late > 1_000
    sound = np.pad(sound, ((0, 0), (0, frames - sound.shape[1])))
    wanted = shifted(sound * np.float32(level), begins + late)[:1]
    assert_same(heard[:1], wanted, f"the model's way, {late} frames later than the straight one")
