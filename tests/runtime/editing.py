"""A graph with a path that no edit touches and one that random edits change, for the tests of edits."""

from __future__ import annotations

import random
from typing import Final

from nodegraph.core.cable import Cable
from nodegraph.core.graph import Graph
from tests.runtime.playing import voices

SMOOTH: Final = 3.0 * 10.0 ** (-90.0 / 20.0)
"""A step of -90 dBFS as `click` reads it; sines below 400 Hz at 0.02 with fades of 5 ms stay 30 dB below."""


def two_paths() -> Graph:
    """A path that no edit touches, on output 1, and sines that come and go, on output 2."""
    graph = voices(20)
    graph.remove("out")
    graph.add("out~", "safe", channel=1, channels=1)
    graph.connect("sum.y", "safe.x")
    graph.add("gain~", "open", gain=0.02)  # far below the safety limiter, which holds both outputs
    graph.add("out~", "edited", channel=2, channels=1)
    graph.connect("open.y", "edited.x")
    for k in range(12):
        graph.add("sine~", f"tone{k}", freq=80.0 + 31.0 * k)
        graph.connect(f"tone{k}.y", "open.x")
    return graph


def random_edit(graph: Graph, choose: random.Random, number: int) -> str:
    """One edit of the second path."""
    tones = [id for id in graph.nodes if id.startswith("tone")]
    what = choose.randrange(6)
    if what == 0 and len(tones) > 4:
        graph.remove(choose.choice(tones))
        return "remove"
    if what == 1:
        id = graph.add("sine~", f"tone{1000 + number}", freq=choose.uniform(60.0, 400.0))
        graph.connect(f"{id}.y", "open.x")
        return "add"
    tone = choose.choice(tones)
    if what == 2:
        cable = Cable(tone, "y", "open", "x")
        if cable in graph.cables:
            graph.disconnect(cable)
        else:
            graph.connect(f"{tone}.y", "open.x")
        return "cable"
    if what == 3:
        other = choose.choice(tones)
        cable = Cable(other, "y", tone, "freq")
        if cable in graph.cables:
            graph.disconnect(cable)
            return "unmodulate"
        if (
            other != tone
            and not graph.into(other, "freq")
            and not graph.into(tone, "freq")
            and not graph.out_of(tone, "y")
        ):
            graph.connect(f"{other}.y", f"{tone}.freq")
            return "modulate"
    if what == 4:
        id = f"soft{number}"
        cable = Cable(tone, "y", "open", "x")
        if cable in graph.cables:
            graph.disconnect(cable)
            graph.add("onepole~", id, cutoff=500.0)
            graph.connect(f"{tone}.y", f"{id}.x")
            graph.connect(f"{id}.y", "open.x")
            return "insert"
    for id in [id for id in graph.nodes if id.startswith("soft")][:3]:
        graph.remove(id)
    return "tidy"
