"""Presets: how to go from one to another, or stand among several, and chance within spans. Pure functions.

A control of curve ``log`` moves in equal ratios, ``integer`` and ``switch`` snap at the middle, all others move in a
straight line. At the place of a preset its values are exactly its own, and between them never beyond them.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from nodegraph.core.document import Document
from nodegraph.core.errors import Problem
from nodegraph.core.flatten import BOUNDARY, address, entry_at
from nodegraph.core.hints import quoted
from nodegraph.core.ports import Control
from nodegraph.core.spec import Role

TimeCurve = Literal["linear", "smooth", "exponential"]
TIME_CURVES: Final[tuple[str, ...]] = get_args(TimeCurve)
STEEP: Final = 5.0
"""How much steeper an exponential way ends than it begins: e to this power."""
RECALLS: Final = "preset"
"""The kind of node that recalls presets: its own controls are in none, or it would recall itself."""
Values = Mapping[str, float]


# the way from one to another


def eased(share: float, curve: str) -> float:
    """How far on its way something is, 0 to 1, after this share of its time.

    ``linear`` goes evenly, ``smooth`` begins and ends slowly (``3 t² - 2 t³``), ``exponential`` begins slowly and ends
    fast (``(exp(5 t) - 1) / (exp(5) - 1)``).
    """
    share = min(max(share, 0.0), 1.0)
    if curve == "smooth":
        return share * share * (3.0 - 2.0 * share)
    if curve == "exponential":
        return math.expm1(STEEP * share) / math.expm1(STEEP)
    return share


def between(first: float, second: float, share: float, control: Control | None = None) -> float:
    """The value at a share (0 to 1) of the way from one value of a control to another."""
    share = min(max(share, 0.0), 1.0)
    return among((first, second), (1.0 - share, share), control)


def among(values: Sequence[float], weights: Sequence[float], control: Control | None = None) -> float:
    """The mean of values of a control by weights (0 or more, not all 0), by its curve.

    Of what snaps the heaviest counts, the last one among equals.
    """
    held = [(value, weight) for value, weight in zip(values, weights, strict=True) if weight > 0.0]
    if not held:
        raise ValueError("all weights are 0")
    if all(value == held[0][0] for value, _ in held):
        return held[0][0]
    curve = control.curve if control is not None else "linear"
    if curve in ("integer", "switch"):
        return max(reversed(held), key=lambda item: item[1])[0]
    total = math.fsum(weight for _, weight in held)
    low, high = min(value for value, _ in held), max(value for value, _ in held)
    if curve == "log" and low > 0.0:
        mean = math.exp(math.fsum(weight / total * math.log(value) for value, weight in held))
    else:
        mean = math.fsum(weight / total * value for value, weight in held)
    return min(max(mean, low), high)


def corners(count: int, x: float, y: float) -> tuple[float, ...]:
    """The weights of up to four presets at a place in a square: left and right below, left and right above.

    Of two only `x` counts; with three the last stands in the middle above.
    """
    x, y = min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)
    if count <= 1:
        return (1.0,) * count
    if count == 2:
        return (1.0 - x, x)
    below = ((1.0 - x) * (1.0 - y), x * (1.0 - y))
    return (*below, y) if count == 3 else (*below, (1.0 - x) * y, x * y)


def morphed(presets: Sequence[Values], weights: Sequence[float], controls: Mapping[str, Control]) -> dict[str, float]:
    """A preset among presets. What only some of them hold stands among those; what none of weight holds is left out."""
    found: dict[str, float] = {}
    for name in dict.fromkeys(name for preset in presets for name in preset):
        held = [(preset[name], weight) for preset, weight in zip(presets, weights, strict=True) if name in preset]
        if any(weight > 0.0 for _, weight in held):
            found[name] = among([item[0] for item in held], [item[1] for item in held], controls.get(name))
    return found


def randomised(values: Values, controls: Mapping[str, Control], amount: float = 1.0, seed: int = 0) -> dict[str, float]:
    """These values moved by chance within the spans of their controls.

    `amount`, 0 to 1: how far at most, as a share of the span by the control's curve; 1 reaches all of it, 0 moves
    nothing. A switch or a whole number is drawn anew with this probability. What is drawn for a control depends on
    `seed` and its name only.
    """
    amount = min(max(amount, 0.0), 1.0)
    return {
        name: _drawn(value, controls[name], amount, random.Random(f"{seed} {name}"))
        for name, value in values.items()
        if name in controls
    }


def _drawn(value: float, control: Control, amount: float, draw: random.Random) -> float:
    low, high = control.span
    chance, place = draw.random(), draw.random()
    if control.curve in ("integer", "switch"):
        return float(math.floor(low + place * (math.floor(high) - low + 1.0))) if chance < amount else value
    if amount == 0.0:
        return value
    logarithmic = control.curve == "log" and low > 0.0
    bottom, top, at = (math.log(low), math.log(high), math.log(max(value, low))) if logarithmic else (low, high, value)
    reach = amount * (top - bottom)
    found = max(bottom, at - reach) + place * (min(top, at + reach) - max(bottom, at - reach))
    return min(max(math.exp(found) if logarithmic else found, low), high)


# where they act


@dataclass(frozen=True, slots=True)
class Placed:
    """One value of a preset where it acts: the inlet of a node of the graph that plays."""

    node: str
    inlet: str
    value: float


@dataclass(frozen=True)
class Book:
    """The presets of one patch as the engine recalls them, in their order; what they hold in vain is `missing`."""

    presets: Mapping[str, Values] = field(default_factory=dict)
    controls: Mapping[str, Control] = field(default_factory=dict)
    places: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called; a preset's number is its place here, from 0."""
        return tuple(self.presets)

    def placed(self, values: Values) -> tuple[Placed, ...]:
        """Values by ``node.port`` where they act, held within spans."""
        found = []
        for name, value in values.items():
            if name in self.places:
                low, high = self.controls[name].span
                found.append(Placed(*self.places[name], min(max(value, low), high)))
        return tuple(found)


def control_at(document: Document, port: str) -> Control | None:
    """The control that ``node.port`` names, if a preset may move it."""
    node, _, name = port.rpartition(".")
    entry = entry_at(document.graph.view, node)
    if entry is None or entry.spec is None or entry.kind == RECALLS:
        return None
    inlet = entry.spec.inlet_named.get(name)
    return inlet if isinstance(inlet, Control) else None


def book_of(document: Document, prefix: str = "") -> Book:
    """The presets of a document; `prefix` is that of its nodes in the graph that plays (``voice/``)."""
    view = document.graph.view
    controls: dict[str, Control] = {}
    places: dict[str, tuple[str, str]] = {}
    missing: dict[str, tuple[str, ...]] = {}
    presets: dict[str, Values] = {}
    for name, values in document.presets.items():
        for port in values:
            control = controls.get(port) or control_at(document, port)
            if control is not None:
                controls[port] = control
                node, inlet = address(view, *port.rpartition(".")[::2])
                places[port] = prefix + node, inlet
        presets[name] = {port: value for port, value in values.items() if port in controls}
        gone = tuple(port for port in values if port not in controls)
        if gone:
            missing[name] = gone
    return Book(presets, controls, places, missing)


def books_of(document: Document) -> dict[str, Book]:
    """The presets of a document and of the patches in it, by the prefix of their nodes in the graph that plays."""
    found: dict[str, Book] = {}
    waiting = [(document, "")]
    while waiting:
        here, prefix = waiting.pop()
        if here.presets:
            found[prefix] = book_of(here, prefix)
        for id, entry in here.graph.view.nodes.items():
            if entry.spec is not None and entry.spec.role is Role.PATCH:
                waiting.append((entry.spec.cls.document, prefix + id + BOUNDARY))  # type: ignore[attr-defined]
    return found


def missing_line(preset: str, gone: Iterable[str]) -> str:
    """What is said when a preset holds values of parameters that are not there."""
    ports = list(gone)
    some = ", ".join(ports[:5]) + (f" and {len(ports) - 5} more" if len(ports) > 5 else "")
    return f"The preset {quoted(preset)} holds {some}, which the patch does not have; the rest is recalled."


def missing(document: Document) -> list[Problem]:
    """What the presets of a document hold in vain. It plays nevertheless."""
    return [
        Problem("gone-in-preset", missing_line(name, gone), file=document.file)
        for name, gone in book_of(document).missing.items()
    ]
