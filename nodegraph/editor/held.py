"""What the hand holds on the canvas, as long as it does."""

from __future__ import annotations

from dataclasses import dataclass, field

from nodegraph.core.cable import Cable
from nodegraph.editor.gestures import Line, Shake

Point = tuple[float, float]


@dataclass
class Moving:
    """Boxes and notes in the hand: where it took them, and how far it has brought them."""

    start: Point
    nodes: set[str]
    notes: set[str] = field(default_factory=set)
    taken: str = ""
    """The one that lies under the hand."""
    by: Point = (0.0, 0.0)
    begun: bool = False
    onto: Cable | None = None
    """The cable into which it goes when it is let go."""
    loose: bool = False
    """It was shaken: its cables come off."""
    guides: list[Line] = field(default_factory=list)
    """To what it has snapped."""
    shake: Shake = field(default_factory=Shake)


@dataclass
class Framing:
    """A rectangle that selects what it touches, besides what was selected before."""

    start: Point
    at: Point
    before: set[str] = field(default_factory=set)
    notes: set[str] = field(default_factory=set)


@dataclass
class Panning:
    """The canvas in the hand."""

    at: Point


@dataclass
class Holding:
    """A control that a box shows, in the hand."""

    at: Point
