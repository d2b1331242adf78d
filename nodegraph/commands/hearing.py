"""What the listeners of a playing patch say: the newest answer of each outlet, in words."""

from __future__ import annotations

from typing import Any

from nodegraph.core.messages import BANG, Event, Note, Tag
from nodegraph.core.ports import CableKind
from nodegraph.core.spec import Role
from nodegraph.core.view import GraphView

KEYS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
GONE_S = 1.0
"""An answer that is older is not what is heard now."""


class Hearing:
    """Takes messages as they come (from any thread) and gives the newest of each listener's outlet."""

    def __init__(self, view: GraphView) -> None:
        self.units: dict[tuple[str, str], str] = {}
        self._latest: dict[tuple[str, str], list[Event]] = {}
        for entry in view.nodes.values():
            if entry.spec is None or entry.spec.role not in (Role.INFERENCE, Role.TAP):
                continue
            for port in entry.spec.outlets:
                if port.kind is CableKind.EVENT:
                    self.units[entry.id, port.name] = " Hz" if " Hz" in port.help else ""

    def __call__(self, event: Event) -> None:
        key = event.node, event.port
        if key not in self.units:
            return
        held = self._latest.get(key)
        if held and held[0].frame == event.frame:
            held.append(event)
        else:
            self._latest[key] = [event]

    def answers(self, now: float) -> dict[str, list[Any]]:
        """The newest values by ``"node.port"``, of those that are not older than `GONE_S`."""
        return {
            f"{node}.{port}": [event.value for event in events]
            for (node, port), events in sorted(self._latest.items())
            if events[0].time > now - GONE_S
        }

    def words(self, now: float) -> dict[str, str]:
        """The same in words."""
        return {
            port: ", ".join(in_words(value) + self.units[_split(port)] for value in values)
            for port, values in self.answers(now).items()
        }


def _split(port: str) -> tuple[str, str]:
    node, _, name = port.partition(".")
    return node, name


def in_words(value: Any) -> str:
    """``Speech 0.92``, ``C#4``, ``221.3``"""
    if isinstance(value, Tag):
        return f"{value.label} {value.score:.2f}"
    if isinstance(value, Note):
        return key_name(value.pitch)
    if value is BANG:
        return "bang"
    if isinstance(value, float):
        return f"{value:.1f}" if abs(value) >= 10.0 else f"{value:.2f}"
    return str(value)


def key_name(pitch: float) -> str:
    """A MIDI pitch as musicians call it: 60 is C4."""
    key = round(pitch)
    return f"{KEYS[key % 12]}{key // 12 - 1}"
