"""The outline of a patch: every node in the order of the signal, a line each for what it holds and is joined to.

The lines read as they are, without colours and places: aloud, in a terminal, in a mail.

::

    cut: svf~ 800
        inlet x (signal) from osc.y
        cutoff 800 Hz
        outlet low (signal) to out.x
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from nodegraph.core.cable import Cable
from nodegraph.core.errors import PatchError
from nodegraph.core.hints import shown
from nodegraph.core.order import in_order
from nodegraph.core.ports import CableKind, Control
from nodegraph.core.view import GraphView, NodeEntry
from nodegraph.editor.objecttext import label_of

Of = Literal["node", "inlet", "value", "outlet"]
INDENT: Final = "    "


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a node, or something of it. `name` is the port or setting; `cables` are those that are joined there."""

    of: Of
    node: str
    text: str
    name: str = ""
    cables: tuple[Cable, ...] = ()

    @property
    def key(self) -> tuple[str, Of, str]:
        """What tells it from all others."""
        return self.node, self.of, self.name

    def ends(self) -> list[tuple[str, Of, str]]:
        """The lines at the other ends of its cables."""
        if self.of == "outlet":
            return [(cable.to_node, "inlet", cable.to_port) for cable in self.cables]
        return [(cable.from_node, "outlet", cable.from_port) for cable in self.cables]


def order(view: GraphView) -> list[str]:
    """The nodes as the signal goes; in the order of their ids where loops forbid that."""
    try:
        return in_order(view)
    except PatchError:
        return list(view.nodes)


def lines(view: GraphView, node: str) -> Iterator[Line]:
    """The lines of one node: itself, inlets, values, outlets."""
    entry = view.node(node)
    yield Line("node", node, f"{node}: {label_of(entry)}" + ("" if entry.spec else " (not installed here)"))
    found: list[Line] = []
    named: set[str] = set()
    if entry.spec is not None:
        for inlet in entry.spec.inlets:
            named.add(inlet.name)
            cables = tuple(view.into(node, inlet.name))
            if isinstance(inlet, Control):
                found.append(_value(entry, inlet.name, inlet.unit, cables))
            else:
                yield Line("inlet", node, f"inlet {inlet.name} ({inlet.kind}) {_from(cables)}", inlet.name, cables)
        found += [_value(entry, item.name, "", ()) for item in entry.spec.settings]
    for cable in view.cables_into(node):
        if cable.to_port not in named:
            yield Line("inlet", node, f"inlet {cable.to_port} (unknown) {_from((cable,))}", cable.to_port, (cable,))
    yield from found
    for name, value in entry.extra.items():
        yield Line("value", node, f"{name} {shown(value)} (unknown)", name)
    outlets: dict[str, CableKind | None] = {port.name: port.kind for port in entry.spec.outlets} if entry.spec else {}
    for cable in view.cables_out_of(node):
        outlets.setdefault(cable.from_port, None)
    for port, kind in outlets.items():
        cables = tuple(view.out_of(node, port))
        ends = ", ".join(cable.inlet for cable in cables) or "nothing"
        yield Line("outlet", node, f"outlet {port} ({kind or 'unknown'}) to {ends}", port, cables)


def text(view: GraphView, title: str = "") -> str:
    """The whole outline."""
    count, cables = len(view), len(view.cables)
    head = f"{title or 'Untitled'}: {count} node{'s' * (count != 1)}, {cables} cable{'s' * (cables != 1)}"
    found = [head]
    for node in order(view):
        found += [line.text if line.of == "node" else INDENT + line.text for line in lines(view, node)]
    return "\n".join(found) + "\n"


def _value(entry: NodeEntry, name: str, unit: str, cables: tuple[Cable, ...]) -> Line:
    value: Any = entry.value(name)
    words = f"{name} {value if isinstance(value, str) and value else shown(value)}{f' {unit}' if unit else ''}"
    if name not in entry.params:
        words += " (default)"
    return Line("value", entry.id, words + (f" {_from(cables)}" if cables else ""), name, cables)


def _from(cables: tuple[Cable, ...]) -> str:
    return f"from {', '.join(cable.outlet for cable in cables)}" if cables else "from nothing"
