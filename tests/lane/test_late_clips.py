"""Clips whose answers nobody would hear any more may be left out; a flow of chunks never leaves one out."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodegraph.runtime.player import Player
from tests.lane.test_messages_to_workers import prompted, through
from tests.lane.test_streams import OPTIONS, RATE


def asked(graph: Any) -> list[tuple[str, int, int | None]]:
    """Every request of a short render: node, end of what is heard, and when its answer is of no use."""
    player = Player(graph.view, RATE, **OPTIONS)
    found: list[tuple[str, int, int | None]] = []
    try:
        lanes = player.listeners.lanes
        assert lanes is not None
        request = lanes.request

        def noted(id: str, number: int, end: int, controls: Any, **options: Any) -> None:
            found.append((id, end, options["late_after"]))
            request(id, number, end, controls, **options)

        lanes.request = noted  # type: ignore[method-assign]
        out = np.zeros((player.engine.outputs, RATE // 4), np.float32)
        player.render(out, np.zeros((1, out.shape[1]), np.float32))
    finally:
        player.close()
    return found


def test_a_clip_is_of_no_use_once_its_answer_would_come_too_late() -> None:
    found = asked(prompted())
    assert len(found) > 2 and all(late == end + round(0.1 * RATE) for _, end, late in found)


def test_chunks_are_always_of_use() -> None:
    found = asked(through())
    assert len(found) > 2 and all(late is None for _, _, late in found)
