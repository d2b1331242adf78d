"""How controls look as bars, in boxes and in the inspector: where they stand, what moves them, what they wait for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nodegraph.core.ports import Control
from nodegraph.editor import dials
from nodegraph.editor.scene import Box
from nodegraph.editor.turning import drivers

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing


@dataclass(frozen=True, slots=True)
class Fader:
    """How one looks. `part` is how far it stands on its way; None: it is a switch that is on or off."""

    name: str
    part: float | None
    on: bool
    value: str
    stored: bool
    """Whether the node has a value of its own for it."""
    driven: str = ""
    """What drives it by cable: ``signal``, ``event``."""
    waits: bool = False
    """Whether something is awaited that is to move it."""
    learned: bool = False
    held: bool = False
    moved: tuple[float, float] | None = None
    """From where to where on its way a signal moves it."""


def fader_of(editing: Editing, node: str, control: Control) -> Fader:
    """How a control looks now."""
    graph = editing.mirror.document.graph
    value = editing.number(node, control.name)
    from_cables = drivers(graph, node, control.name)
    driven = "" if not from_cables else "signal" if any(kind == "signal" for _, kind in from_cables) else "event"
    grip, learning = editing.turning.grip, editing.learning
    moved = editing.seeing.driven(node, control)
    return Fader(
        control.name, None if control.curve == "switch" else _part(control, value),
        control.curve == "switch" and value >= 0.5 * sum(control.span), dials.told(control, value),
        node in graph and control.name in graph.node(node).params, driven, bool(learning.waits(node, control.name)),
        bool(learning.learned(node, control.name)),
        grip is not None and (grip.node, grip.control.name) == (node, control.name),
        None if moved is None else (_part(control, moved[0]), _part(control, moved[1])),
    )  # fmt: skip


def _part(control: Control, value: float) -> float:
    return round(dials.part_of(control, value), 3)


def faders_of(editing: Editing, box: Box) -> tuple[Fader, ...]:
    """How the controls look that a box shows."""
    if not box.rows:
        return ()
    entry = editing.mirror.document.graph.nodes.get(box.node)
    ports = {} if entry is None or entry.spec is None else entry.spec.inlet_named
    controls = [port for name in box.rows if isinstance(port := ports.get(name), Control)]
    return tuple(fader_of(editing, box.node, control) for control in controls)
