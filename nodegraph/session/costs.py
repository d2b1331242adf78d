"""What every node of a playing patch costs, for several who look: it is counted as long as somebody asks."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.declare import InferenceNode
from nodegraph.core.listening import hop_of
from nodegraph.runtime.player import Player
from nodegraph.runtime.watching import Cost, Watching

if TYPE_CHECKING:
    from nodegraph.session.session import Session

FRESH_S: Final = 0.4
"""What was counted so shortly ago is told again: a look at less says little."""
KEPT_S: Final = 5.0
"""After so long without being asked it counts no more."""


class Costs:
    """The costs of a session. `read` may be called from any thread."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._watching: Watching | None = None
        self._asked = self._looked = 0.0
        self._found: tuple[float, dict[str, Cost]] = (0.0, {})

    def read(self) -> dict[str, Any]:
        """What each node costs, and how late it is (`session.looking.costs`). To be asked shorter than 5 s after the
        last time: the first answer has no costs yet."""
        playing = self._session.playing
        if playing is None or not playing.running:
            return {"playing": False, "counted_s": 0.0, "nodes": {}}
        player = playing.player
        with self._lock:
            self._asked = now = time.monotonic()
            if self._watching is None or self._watching.engine is not player.engine:
                self._watching = Watching(player.engine)
                self._watching.on = True
                self._found = self._watching.look()
                self._looked = now
            elif now - self._looked >= FRESH_S:
                self._found = self._watching.look()
                self._looked = now
            counted, costs = self._found
        return {"playing": True, "counted_s": counted, "late_ms": _ms(player, player.timing.total),
                "nodes": nodes_of(player, costs)}  # fmt: skip

    def tend(self) -> None:
        """Stop counting when nobody has asked for a while. Called in every round of the player."""
        if self._watching is not None and time.monotonic() - self._asked > KEPT_S:
            with self._lock:
                watching, self._watching = self._watching, None
                if watching is not None:
                    watching.on = False


def nodes_of(player: Player, costs: dict[str, Cost]) -> dict[str, dict[str, Any]]:
    """What is known of every node that costs something, or is late, or has a model."""
    found: dict[str, dict[str, Any]] = {}
    for id, cost in costs.items():
        found.setdefault(id, {})["cpu"] = cost.share
        if cost.among > 1:
            found[id]["among"] = cost.among
    timing = player.timing
    for id, frames in timing.own.items():
        found.setdefault(id, {})["latency_ms"] = _ms(player, frames)
    for id, frames in timing.late.items():
        found.setdefault(id, {})["late_ms"] = _ms(player, frames)
    for id, status in player.listeners.status().items():
        spent, node = status["inference_p50_ms"], player.messages.nodes.get(id)
        if spent is None:  # it has not answered yet
            continue
        one = found.setdefault(id, {})
        one["model_ms"] = spent
        if isinstance(node, InferenceNode) and (every := hop_of(node.hears, node.controls)):
            one["model_cpu"] = spent / 1e3 / every
    return found


def _ms(player: Player, frames: int) -> float:
    return 1e3 * frames / player.rate
