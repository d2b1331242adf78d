"""What boxes cost and how late they are, asked of the engine while somebody looks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

EVERY_S: Final = 1.0
HOT: Final = 0.25
"""The share of a core at which a box is as hot as it is drawn."""
LEAST: Final = 0.00005
"""What is less is not told: 0.0 %."""


@dataclass(frozen=True, slots=True)
class Warmth:
    """Of one box: the share of a core that its sound took, what of its model's worker, and how late it makes the sound.
    ``shared``: that its share is an equal part of what several were counted for."""

    cpu: float = 0.0
    model_cpu: float = 0.0
    model_ms: float = 0.0
    latency_ms: float = 0.0
    late_ms: float = 0.0
    shared: bool = False

    @property
    def heat(self) -> float:
        """From 0.0 to 1.0."""
        return min(1.0, sqrt(max(self.cpu, self.model_cpu) / HOT))

    @property
    def label(self) -> str:
        """``3.2 %``, ``12.0 ms``, or both: short, for the box. Of a node with a model it is the model's share."""
        parts = []
        if self.model_cpu:
            parts.append(f"model {percent(self.model_cpu)} %")
        elif self.cpu >= LEAST:
            parts.append(f"{percent(self.cpu)} %")
        if self.latency_ms:
            parts.append(f"{self.latency_ms:.1f} ms")
        return "  ".join(parts)

    @property
    def words(self) -> str:
        """The same for people who want to know."""
        parts = []
        if self.cpu >= LEAST:
            about = "about " if self.shared else ""
            parts.append(f"{about}{percent(self.cpu)} % of a core")
        if self.model_ms:
            parts.append(f"its model {self.model_ms:.1f} ms an answer")
        if self.latency_ms:
            parts.append(f"adds {self.latency_ms:.1f} ms")
        if self.late_ms:
            parts.append(f"{self.late_ms:.1f} ms late in all")
        return ", ".join(parts)


class Heat:
    """The costs of one editor's patch."""

    def __init__(self, editing: Editing, now: Callable[[], float] = time.monotonic) -> None:
        self.editing = editing
        self.on = False
        self.version = 0
        """Another number whenever something is known anew."""
        self.nodes: Mapping[str, Mapping[str, Any]] = {}
        self.counted_s = 0.0
        self._now = now
        self._asking = False
        self._asked = -EVERY_S
        editing.joined.append(self._joined)
        editing.hear("playing", lambda data: self._forget())

    def toggle(self) -> None:
        """Draw it, or no more."""
        self.on = not self.on
        self.version += 1
        if self.on and not self.editing.playing:
            self.editing.say("Nothing plays: what boxes cost is shown as soon as it does.")

    def _joined(self) -> None:
        self._asking = False
        self._forget()

    def _forget(self) -> None:
        self.nodes, self.counted_s = {}, 0.0
        self.version += 1

    def turn(self) -> None:
        """Ask again, if it is time. Called by who draws it."""
        now = self._now()
        if self.on and self.editing.playing and not self._asking and now - self._asked >= EVERY_S:
            self._asking, self._asked = True, now
            self.editing.link.ask("costs", self._answered, quiet=True)

    def _answered(self, answer: Mapping[str, Any]) -> None:
        self._asking = False
        found = answer.get("ok")
        if found is not None and (found["counted_s"] or not found["playing"]):
            self.nodes, self.counted_s = found["nodes"], float(found["counted_s"])
            self.version += 1

    def boxes(self) -> dict[str, Warmth]:
        """How warm the boxes of the sheet on top are; a subpatch is as warm as all inside it."""
        found: dict[str, Warmth] = {}
        for node, data in self.nodes.items():
            box = self.editing.sheet.box_of(node)
            if box is None:
                continue
            before = found.get(box, _COLD)
            found[box] = Warmth(
                before.cpu + data.get("cpu", 0.0), before.model_cpu + data.get("model_cpu", 0.0),
                before.model_ms + (data.get("model_ms") or 0.0), max(before.latency_ms, data.get("latency_ms", 0.0)),
                max(before.late_ms, data.get("late_ms", 0.0)), before.shared or "among" in data,
            )  # fmt: skip
        return found


_COLD: Final = Warmth()


def percent(share: float) -> str:
    """``0.03``, ``3.2``, ``12``: as much as is worth reading."""
    value = 100.0 * share
    return f"{value:.2f}" if value < 0.1 else f"{value:.1f}" if value < 10.0 else f"{value:.0f}"
