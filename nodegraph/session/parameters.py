"""Every parameter of a patch under an address, without anybody doing anything: ``/patch/cut/cutoff``.

Nodes inside a subpatch stand under it: ``/patch/voice/cut/cutoff``. Three things have addresses: control inlets, which
are read and written; inlets for messages, which are written; outlets that send messages, which are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from nodegraph.core.document import Document
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.flatten import BOUNDARY, address
from nodegraph.core.hints import quoted
from nodegraph.core.messages import BANG, Ramp, as_number
from nodegraph.core.ports import CableKind, Control, Curve, Inlet, Outlet
from nodegraph.core.spec import Role
from nodegraph.core.view import GraphView, NodeEntry

ROOT: Final = "/patch"
DEEPEST: Final = 16


class Number(Protocol):
    """What a control inlet says of its number."""

    name: str
    help: str
    default: float
    unit: str
    span: tuple[float, float]
    curve: Curve
    ramp_s: float

    def legal(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Parameter:
    """One address. `node` is its node's id as people see it (``voice/cut``); `place` is where it lies in the graph that
    plays."""

    address: str
    node: str
    port: Inlet | Outlet
    stored: float | None
    place: tuple[str, str]

    @property
    def control(self) -> Number | None:
        """It, if it is a number that can be read and written."""
        return self.port if isinstance(self.port, Control) else None

    @property
    def readable(self) -> bool:
        """Whether it has a value, or sends messages."""
        return isinstance(self.port, (Control, Outlet))

    @property
    def writable(self) -> bool:
        """Whether it takes a number or a message."""
        return isinstance(self.port, Inlet)

    def message(self, value: Any, ramp_s: float | None = None) -> tuple[Any, float | None]:
        """What is sent here for a value, and the number that a control takes by it. Raises PatchError."""
        if not self.writable:
            raise PatchError(Problem("read-only", f"{self.address} is an outlet: it can be read only."))
        control = self.control
        if control is None or value is BANG:
            return value, None
        number = as_number(value)
        if number is None or number != number:
            what = f"{self.address} takes a number, not {quoted(str(value))}."
            raise PatchError(Problem("bad-value", what, f"It goes from {control.legal()}."))
        low, high = control.span
        moved = float(min(max(number, low), high))
        return (moved if ramp_s is None else Ramp(moved, ramp_s)), moved

    def as_data(self) -> dict[str, Any]:
        """What a client wants to know of it, as plain data."""
        found: dict[str, Any] = {"address": self.address, "node": self.node, "port": self.port.name}
        found["help"] = self.port.help
        if self.control is not None:
            low, high = self.control.span
            found |= {"default": self.control.default, "stored": self.stored, "span": [low, high]}
            found |= {"unit": self.control.unit, "curve": self.control.curve}
        else:
            found["takes" if self.writable else "sends"] = "messages"
        return found


def parameters_of(document: Document) -> dict[str, Parameter]:
    """All of a patch's parameters by address, in the order of the nodes and their ports."""
    view = document.graph.view
    return {item.address: item for item in _within(view, view, "", 0)}


def _within(top: GraphView, view: GraphView, prefix: str, depth: int) -> Iterator[Parameter]:
    for id, entry in view.nodes.items():
        if entry.spec is None or entry.spec.role is Role.PORT:
            continue
        node = prefix + id
        for port in entry.spec.inlets:
            if isinstance(port, Control) or port.kind is CableKind.EVENT:
                yield _parameter(top, node, entry, port)
        for out in entry.spec.outlets:
            if out.kind is CableKind.EVENT:
                yield _parameter(top, node, entry, out)
        if entry.spec.role is Role.PATCH and depth < DEEPEST:
            inner: Document = entry.spec.cls.document  # type: ignore[attr-defined]
            yield from _within(top, inner.graph.view, node + BOUNDARY, depth + 1)


def _parameter(top: GraphView, node: str, entry: NodeEntry, port: Inlet | Outlet) -> Parameter:
    stored = float(entry.value(port.name)) if isinstance(port, Control) else None
    return Parameter(f"{ROOT}/{node}/{port.name}", node, port, stored, address(top, node, port.name))


def by_place(found: Mapping[str, Parameter]) -> dict[tuple[str, str], Parameter]:
    """Controls by where they lie in the graph that plays."""
    return {item.place: item for item in found.values() if item.control is not None}
