"""A worker dies while the patch plays: the sound does not notice, and the answers come back."""

from __future__ import annotations

import os
import signal
import time

import numpy as np

from nodegraph.core import TapNode, inlet, node
from nodegraph.core.graph import Graph
from nodegraph.core.registry import Registry, registry
from nodegraph.models.store import Store
from nodegraph.runtime.drivers import open_driver
from nodegraph.runtime.player import Player
from tests.runtime.playing import assert_same, render

PATIENCE_S = 60.0
"""How soon answers are back is measured by `make bench ONLY=lane`; here they only have to come."""
HEARD: list[np.ndarray] = []


@node("keep~")
class Keep(TapNode):
    """Keep everything that is played."""

    x = inlet.signal("sound", channels=1)

    def hear(self, sound, when):
        HEARD.append(sound[0].copy())


def patch() -> Graph:
    graph = Graph(Registry([*(spec.cls for spec in registry()), Keep]))
    graph.add("saw~", "tone", freq=110.0)
    graph.add("svf~", "cut", cutoff=700.0)
    graph.add("sine~", "lfo", freq=0.7)
    graph.add("scale~", "sweep", mul=300.0, add=800.0)
    graph.add("gain~", "level", gain=0.3)
    graph.add("yamnet.tag~", "ears", hop=0.25, threshold=0.0)
    graph.add("keep~", "keep")
    graph.add("out~", "out", channels=1)
    for a, b in (
        ("tone.y", "cut.x"), ("lfo.y", "sweep.x"), ("sweep.y", "cut.cutoff"), ("cut.low", "level.x"),
        ("level.y", "out.x"), ("level.y", "ears.x"), ("level.y", "keep.x"),
    ):  # fmt: skip
        graph.connect(a, b)
    return graph


def test_kill_9_of_the_worker_is_not_heard_and_answers_come_back() -> None:
    store = Store()
    store.fetch("yamnet")
    graph = patch()
    said: list[tuple[str, str]] = []
    answers: list[float] = []
    player = Player(graph.view, 48_000, weights=store.files, report=lambda id, text: said.append((id, text)))
    player.watch("ears", "tags", lambda event: answers.append(time.monotonic()))
    assert player.lanes is not None and player.lanes.wait_ready(60)
    HEARD.clear()
    driver = open_driver("null", player.engine, block=256)
    driver.start()

    def until(condition, patience: float) -> bool:
        end = time.monotonic() + patience
        player.live(lambda: not condition() and time.monotonic() < end)
        return bool(condition())

    assert until(lambda: len(answers) > 3, PATIENCE_S), "answers before"
    (pid,) = player.lanes.pids
    assert pid is not None
    killed = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    before = player.engine.done
    came_back = until(
        lambda: bool(answers) and answers[-1] > killed + 0.3 and player.lanes.pids not in ([], [pid]), PATIENCE_S
    )
    assert came_back, player.status()
    assert until(lambda: player.engine.done > before + 48_000, PATIENCE_S)
    assert until(lambda: ("ears", "listens again.") in said, PATIENCE_S), said
    driver.stop()
    status = player.status()["listeners"]["ears"]
    player.close()
    heard = np.concatenate(HEARD)
    reference = render(graph, len(heard))[0]
    assert len(heard) > before + 48_000, "the sound went on"
    assert_same(heard[None], reference[None], "what was played while the worker died")
    assert status["restarts"] >= 1, status
    told = [text for id, text in said if id == "ears"]
    assert any("SIGKILL" in text for text in told), f"the node says so: {said}"
    assert told[-1] == "listens again.", told
