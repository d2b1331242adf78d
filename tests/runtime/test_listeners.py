"""What a patch is told of its listeners, whatever they went through between two looks."""

from __future__ import annotations

from typing import Any

import pytest

from nodegraph.core.graph import Graph
from nodegraph.core.listening import Workers
from nodegraph.nodes.analysis.taggers import YamnetTagger
from nodegraph.runtime.lane import NodeStatus
from nodegraph.runtime.listeners import LOOK_EVERY, Listeners
from nodegraph.runtime.messages import Messages


class FakeLane:
    """A lane without a worker; its status is what the test says."""

    def __init__(self) -> None:
        self.state: Any = "loading"
        self.restarts = 0
        self.error = ""

    def add(self, *_: Any, **__: Any) -> None: ...

    def poll(self) -> list[Any]:
        return []

    def status(self) -> dict[str, NodeStatus]:
        status = NodeStatus(self.state, None, None, None, None, None, None, 0, 0, 0, self.restarts, self.error)
        return {"ears": status}


SEQUENCES = {
    "seen at every step": (
        [("ready", 0, ""), ("restarting", 1, "killed"), ("warming", 1, "killed"), ("ready", 1, "killed")],
        ["killed", "listens again."],
    ),
    "back before anybody looked": ([("ready", 0, ""), ("ready", 1, "killed")], ["killed", "listens again."]),
    "twice between two looks": ([("ready", 0, ""), ("ready", 2, "hung")], ["hung", "listens again."]),
    "given up": (
        [("ready", 0, ""), ("restarting", 1, "killed"), ("failed", 3, "left out")],
        ["killed", "left out"],
    ),
    "cannot be loaded": ([("loading", 0, ""), ("failed", 0, "no such file")], ["no such file"]),
    "nothing happened": ([("loading", 0, ""), ("warming", 0, ""), ("ready", 0, "")], []),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_restart_is_told_however_short_it_was(name: str) -> None:
    states, expected = SEQUENCES[name]
    graph = Graph()
    graph.add("yamnet.tag~", "ears")
    messages = Messages(48_000, *[lambda *_: None] * 4)
    messages.follow(graph.view)
    told: list[str] = []
    listeners = Listeners(48_000, messages, lambda id, text: told.append(text), None, [], Workers())
    lane = FakeLane()
    listeners.lanes = lane  # type: ignore[assignment]
    ears = YamnetTagger()
    ears.id = "ears"
    listeners.add(graph.node("ears"), ears, None, 0)
    for lane.state, lane.restarts, lane.error in states:
        for _ in range(LOOK_EVERY + 1):
            listeners.answers()
    assert told == expected
