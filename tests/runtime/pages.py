"""The program of `test_pages`: counts the pages that the system had to give to a thread. A process of its own: a client
of JACK locks all memory of the process in which it is, and then there is nothing to count."""

from __future__ import annotations

import json
import resource
import sys

import numpy as np

from nodegraph.core.document import Document
from nodegraph.core.flatten import flatten
from nodegraph.core.graph import Graph
from nodegraph.core.registry import registry
from nodegraph.runtime.compile.memory import SYSTEM_PAGE, touched
from nodegraph.runtime.player import Player

CHANNELS = 16
FRAMES = 24_000
SIZE = 64 << 20


def faults() -> int:
    """Pages that this thread had to be given since it began."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt


def written(array: np.ndarray) -> int:  # type: ignore[type-arg]
    """Pages that were asked for at the first write to each."""
    before = faults()
    array[::SYSTEM_PAGE] = 1
    return faults() - before


def heavy() -> Graph:
    """Rings, delay lines, tables, oversized buffers: whatever keeps sound."""
    graph = Graph(registry())
    graph.add("in~", "in", channels=CHANNELS)
    graph.add("delay~", "late", time=0.4)
    graph.add("spectrum~", "look")
    graph.add("reverb~", "room")
    graph.add("sum~", "sum")
    graph.add("out~", "out")
    for source, target in (
        ("in.y", "late.x"), ("late.y", "look.x"), ("late.y", "sum.x"), ("sum.y", "room.x"), ("room.y", "out.x"),
    ):  # fmt: skip
        graph.connect(source, target)
    return graph


def played() -> list[int]:
    """Pages that were asked for in each piece of a patch that begins to play."""
    sound, out = np.full((CHANNELS, FRAMES), 0.1, np.float32), np.full((2, FRAMES), 0.1, np.float32)
    player = Player(flatten(Document(heavy())), 48_000, inputs=CHANNELS)
    process, found = player.engine.process, []

    def counting(*given: object) -> None:
        before = faults()
        process(*given)  # type: ignore[arg-type]
        found.append(faults() - before)

    player.engine.process = counting  # type: ignore[method-assign, assignment]
    player.render(out, sound)
    player.close()
    return found


if __name__ == "__main__":
    said = {
        "fresh": written(np.zeros(SIZE, np.uint8)), "touched": written(touched(np.zeros(SIZE, np.uint8))),
        "played": (played(), played())[1],  # what is loaded once is loaded in the first
    }  # fmt: skip
    sys.stdout.write(json.dumps(said))
