"""Controls in the hand: one is taken, turned and let go, in the inspector or in a box; and the keys that turn one.

While it is turned the sound follows; what is let go is stored, as one step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.commands import Command, Set, Show
from nodegraph.core.graph import Graph
from nodegraph.core.ports import Control
from nodegraph.core.view import GraphView
from nodegraph.editor import dials

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing
    from nodegraph.editor.sheet import Sheet

MOST_SHOWN: Final = 4
"""So many controls a box shows that is told to show some."""


@dataclass
class Grip:
    """A control in the hand: where it stood, and where it is now on its way, 0 to 1."""

    sheet: Sheet
    node: str
    control: Control
    before: float
    part: float
    value: float


class Turning:
    """The hand on the controls of one editor."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.grip: Grip | None = None
        self._touched: tuple[str, str] | None = None

    def actions(self) -> dict[str, Callable[[], Any]]:
        """Its actions by name."""
        return {
            "inline-controls": self.show_or_hide, "next-control": lambda: self.choose(1),
            "previous-control": lambda: self.choose(-1), "turn-up": lambda: self.step(1.0),
            "turn-down": lambda: self.step(-1.0), "reset-control": self.reset, "reset-values": self.reset_all,
        }  # fmt: skip

    # -- one that is chosen

    @property
    def chosen(self) -> tuple[str, str] | None:
        """The control for which keys are: of the selected box the one that was touched last, else its first."""
        nodes = self.editing.selection.nodes
        if len(nodes) != 1:
            return None
        node = next(iter(nodes))
        names = [control.name for control in self._controls(node)]
        if self._touched is not None and self._touched[0] == node and self._touched[1] in names:
            return self._touched
        return (node, names[0]) if names else None

    def touch(self, node: str, name: str) -> None:
        """Keys are for this one from now on, when its box is selected."""
        self._touched = node, name

    def choose(self, by: int) -> None:
        """The next control of the selected box, or the one before."""
        chosen = self.chosen
        if chosen is not None:
            names = [control.name for control in self._controls(chosen[0])]
            self.touch(chosen[0], names[(names.index(chosen[1]) + by) % len(names)])

    def step(self, steps: float) -> None:
        """Turn the chosen one a little; steps one after another are undone as one."""
        chosen = self.chosen
        if chosen is not None:
            node, name = chosen
            control = self._control(node, name)
            if control is not None:
                value = dials.stepped(control, self.editing.number(node, name), steps)
                self.editing.do([Set(node, {name: value})], merge=f"turn {node}.{name}")

    def reset(self) -> None:
        """Put the chosen one back to what it is without a value of its own."""
        chosen = self.chosen
        if chosen is not None and chosen[1] in self.editing.mirror.document.graph.node(chosen[0]).params:
            self.editing.set_value(*chosen, None)

    def reset_all(self) -> None:
        """Put all values of the selected boxes back."""
        graph = self.editing.mirror.document.graph
        commands: list[Command] = []
        for node in graph.nodes:
            entry = graph.node(node)
            if node in self.editing.selection.nodes and entry.spec is not None:
                known = {item.name for item in (*entry.spec.controls, *entry.spec.settings)}
                values = dict.fromkeys(name for name in entry.params if name in known)
                if values:
                    commands.append(Set(node, values))
        self.editing.do(commands, "Reset all values")

    # -- one that is held

    def take(self, node: str, name: str) -> bool:
        """Begin to turn one. False when it is none."""
        control = self._control(node, name)
        if control is None:
            return False
        value = self.editing.number(node, name)
        self.touch(node, name)
        self.grip = Grip(self.editing.sheet, node, control, value, dials.part_of(control, value), value)
        return True

    def drag(self, points: float, held: frozenset[str] | set[str] = frozenset()) -> None:
        """The hand has gone so many points further, with these modifiers held: the sound follows."""
        grip = self._gripped()
        if grip is not None and points:
            grip.part = dials.dragged(grip.part, points, held)
            value = dials.rounded(grip.control, dials.value_at(grip.control, grip.part))
            if value != grip.value:
                grip.value = value
                self.editing.move_control(grip.node, grip.control.name, value)

    def let_go(self) -> None:
        """What it has come to is stored. A switch that was not turned goes over."""
        grip, self.grip = self._gripped(), None
        if grip is None:
            return
        value = grip.value
        if grip.control.curve == "switch" and value == grip.before:
            low, high = grip.control.span
            value = low if value >= 0.5 * (low + high) else high
        if value != grip.before:
            self.editing.set_value(grip.node, grip.control.name, value)

    def cancel(self) -> None:
        """As if it had never been taken."""
        grip, self.grip = self._gripped(), None
        if grip is not None and grip.value != grip.before:
            self.editing.move_control(grip.node, grip.control.name, grip.before)

    def _gripped(self) -> Grip | None:
        """What is held, if it is there still."""
        grip = self.grip
        if grip is not None and self._control(grip.node, grip.control.name) is None:
            self.grip = None
        return self.grip

    def typed(self, node: str, name: str, text: str) -> None:
        """Store what was typed for a control; what is no value is said. Raises PatchError then."""
        control = self._control(node, name)
        if control is not None:
            self.touch(node, name)
            self.editing.set_value(node, name, dials.read(control, text))

    # -- in boxes

    def show_or_hide(self) -> None:
        """Have the selected boxes show their first controls, or no more when one of them does."""
        document, nodes = self.editing.mirror.document, self.editing.selection.nodes
        chosen = [node for node in document.graph.nodes if node in nodes]
        if any(document.shown(node) for node in chosen):
            commands: list[Command] = [Show(node) for node in chosen if document.shown(node)]
            label = "Hide values in boxes"
        else:
            label = "Show values in boxes"
            shown = {node: tuple(item.name for item in self._controls(node)[:MOST_SHOWN]) for node in chosen}
            commands = [Show(node, names) for node, names in shown.items() if names]
        if commands:
            self.editing.do(commands, commands[0].label() if len(commands) == 1 else label)
        elif chosen:
            self.editing.say("What is selected has no controls to show.")

    def show(self, node: str, name: str) -> None:
        """Have a box show this control, too, or no more."""
        names = self.editing.mirror.document.shown(node)
        rest = tuple(item for item in names if item != name)
        self.editing.do([Show(node, rest if name in names else (*names, name))])

    def _controls(self, node: str) -> tuple[Control, ...]:
        entry = self.editing.mirror.document.graph.nodes.get(node)
        return () if entry is None or entry.spec is None else entry.spec.controls

    def _control(self, node: str, name: str) -> Control | None:
        return next((control for control in self._controls(node) if control.name == name), None)


def drivers(graph: Graph | GraphView, node: str, name: str) -> list[tuple[str, str]]:
    """What drives a control by cable: outlets (``lfo1.y``) with the kind of what comes."""
    return [
        (f"{cable.from_node}.{cable.from_port}", str(graph.cable_kind(cable) or "?"))
        for cable in graph.cables_into(node)
        if cable.to_port == name
    ]
