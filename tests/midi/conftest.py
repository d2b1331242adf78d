"""The JACK server of the tests, and what plays a patch of messages without a device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nodegraph import Patch
from nodegraph.midi.messages import MidiIn
from nodegraph.runtime.player import Player
from tests.runtime.conftest import JackServer, start_jack

RATE = 48_000


@pytest.fixture
def jack_server() -> Iterator[JackServer]:
    server = start_jack("nodegraph-midi")
    yield server
    server.stop()


class Rig:
    """A patch that is played without a device: what comes in, what its outlets send, what goes out."""

    def __init__(self, patch: Patch, report: Callable[[str, str], None] | None = None) -> None:
        self.heard: list[tuple[int, str, Any]] = []
        self.gone: list[tuple[int, Any]] = []
        self.player = Player(patch.graph.view, RATE, report=report)
        self.player.messages.everything = lambda event: self.heard.append(
            (event.frame, f"{event.node}.{event.port}", event.value)
        )
        self.player.messages.outside.sink("midi", lambda frame, value: self.gone.append((frame, value)))

    def arrive(self, frame: int, *data: int, port: str = "keys") -> None:
        self.player.act("arrive", "midi", MidiIn(port, bytes(data)), frame=frame)

    def give(self, frame: int, port: str, value: Any) -> None:
        node, _, inlet = port.partition(".")
        self.player.messages.post(frame, node, inlet, value)

    def run(self, frames: int) -> None:
        """Handle the messages before this frame, without sound."""
        self.player._obey()
        self.player.messages.run(frames)

    def values(self, port: str) -> list[Any]:
        return [value for _, found, value in self.heard if found == port]

    def bytes_out(self) -> list[tuple[int, str]]:
        return [(frame, value.data.hex(" ")) for frame, value in self.gone]


@pytest.fixture
def rig() -> Iterator[Callable[..., Rig]]:
    made: list[Rig] = []

    def make(*kinds: tuple[str, dict[str, Any]], **options: Any) -> Rig:
        """Nodes side by side; their ids are n0, n1, …"""
        patch = Patch()
        for number, (kind, values) in enumerate(kinds):
            patch.add(kind, f"n{number}", **values)
        made.append(Rig(patch, **options))
        return made[-1]

    yield make
    for item in made:
        item.player.close()
