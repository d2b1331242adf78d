"""Going through the outline: which of its nodes are open, where one is, and what the keys do there."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.commands import Command, Disconnect
from nodegraph.core.ports import Control, Setting
from nodegraph.editor.joining import ARROW, ConnectQuestion, sources
from nodegraph.editor.outline import Line, Of, lines, order, text
from nodegraph.editor.question import Question, Row

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

ALL: Final = 1 << 30
Key = tuple[str, Of, str]


class Outlining:
    """The outline of the patch on top, and where one is in it. What is selected on the canvas and here is one."""

    def __init__(
        self, editing: Editing, ask: Callable[[Question], None], go: Callable[[Iterable[str]], None]
    ) -> None:  # fmt: skip
        self.editing, self._ask, self._go = editing, ask, go
        self.at: Key | None = None
        """The line that one is on."""
        self.open: set[str] = set()
        """Nodes whose lines are shown."""
        self._order: list[str] = []
        self._lines: list[Line] = []
        self._look: Any = None

    def lines(self) -> list[Line]:
        """The lines that are shown."""
        editing = self.editing
        mirror = editing.mirror
        look = (id(mirror), mirror.version, frozenset(self.open))
        if look != self._look:
            if self._look is None or self._look[:2] != look[:2]:
                self._order = order(mirror.document.graph.view)
            self._look = look
            view = mirror.document.graph.view
            self._lines = []
            for node in self._order:
                found = lines(view, node)
                self._lines += found if node in self.open else [next(found)]
        return self._lines

    def follow(self) -> int | None:
        """The number of the line that one is on; what is selected on the canvas leads."""
        here = self.lines()
        nodes = self.editing.selection.nodes
        if len(nodes) == 1 and (self.at is None or self.at[0] not in nodes):
            self.at = (next(iter(nodes)), "node", "")
        if self.at is None:
            return None
        keys = [line.key for line in here]
        if self.at not in keys:
            self.at = (self.at[0], "node", "")
        if self.at not in keys:
            self.at = None
            return None
        return keys.index(self.at)

    @property
    def line(self) -> Line | None:
        """The line that one is on."""
        index = self.follow()
        return None if index is None else self._lines[index]

    # -- going

    def to(self, key: Key) -> None:
        """Be on this line; its node is selected."""
        if key[1] != "node":
            self.open.add(key[0])
        self.at = key
        self._go([key[0]])

    def step(self, by: int) -> None:
        """The next line, or one before."""
        here, index = self.lines(), self.follow()
        if here:
            first = 0 if by > 0 else len(here) - 1
            self.to(here[first if index is None else min(max(index + by, 0), len(here) - 1)].key)

    def right(self) -> None:
        """Open a node; from an open one to what it holds; along a cable."""
        line = self.line
        if line is None:
            self.step(1)
        elif line.of != "node":
            ends = line.ends()
            if ends:
                self.to(ends[0])
        elif line.node not in self.open:
            self.open.add(line.node)
        else:
            self.step(1)

    def left(self) -> None:
        """To the node that holds it; close that."""
        line = self.line
        if line is not None and line.of != "node":
            self.to((line.node, "node", ""))
        elif line is not None:
            self.open.discard(line.node)

    # -- doing

    def enter(self) -> None:
        """Change it: the text of a node, a value; of a port, ask for a cable."""
        line = self.line
        if line is None:
            return
        editing = self.editing
        entry = editing.mirror.document.graph.nodes[line.node]
        if line.of == "node":
            self._go([line.node])
            editing.objects.edit()
        elif line.of == "value":
            item = entry.parameter(line.name)
            if item is not None:
                self._ask(ValueQuestion(editing, line.node, item))
        elif line.of == "outlet":
            self._ask(ConnectQuestion(editing, f"{line.node}.{line.name}{ARROW}"))
        else:
            self._ask(SourceQuestion(editing, f"{line.node}.{line.name}"))

    def delete(self) -> None:
        """Take it away: a node; the cables of a port; a value, so that its default holds."""
        line = self.line
        if line is None:
            return
        if line.of == "node":
            self._go([line.node])
            self.editing.chosen.delete()
        elif line.cables:
            commands: list[Command] = [Disconnect(str(cable)) for cable in line.cables]
            self.editing.do(commands, "Disconnect" if len(commands) > 1 else "")
        elif line.of == "value" and line.name in self.editing.mirror.document.graph.nodes[line.node].params:
            self.editing.set_value(line.node, line.name, None)

    def key(self, key: str, chord: str) -> bool:
        """A key while the outline has the keys. Whether it is for it."""
        acts: dict[str, Callable[[], None]] = {
            "up": lambda: self.step(-1), "down": lambda: self.step(1), "left": self.left, "right": self.right,
            "enter": self.enter, "delete": self.delete, "backspace": self.delete,
            "pageup": lambda: self.step(-10), "pagedown": lambda: self.step(10),
            "home": lambda: self.step(-ALL), "end": lambda: self.step(ALL),
        }  # fmt: skip
        act = acts.get(chord)
        if act is not None:
            act()
        return act is not None

    def text(self) -> str:
        """All of it."""
        mirror = self.editing.mirror
        return text(mirror.document.graph.view, mirror.title)

    def copy(self) -> None:
        """All of it, into the clipboard."""
        self.editing.chosen.put(self.text())
        self.editing.say("The outline is in the clipboard.")


class ValueQuestion(Question):
    """Another value for a control or a setting."""

    most = 0

    def __init__(self, editing: Editing, node: str, item: Control | Setting) -> None:
        value = editing.mirror.document.graph.value(node, item.name)
        super().__init__(value=value if isinstance(value, str) else json.dumps(value))
        self.editing, self.node, self.item = editing, node, item
        self.title, self.hint = f"{node}.{item.name}", item.legal()

    def answer(self, text: str, row: Row | None) -> bool:
        value: Any = text
        if isinstance(self.item, Control) or self.item.type not in ("text", "file", "choice"):
            with contextlib.suppress(ValueError):  # else it is a text, and what is wrong with it is said
                value = json.loads(text)
        if self.editing.set_value(self.node, self.item.name, value if text.strip() else None):
            return True
        self.wrong = self.editing.lines[-1]
        return False

    def note(self) -> str:
        return self.wrong or f"{self.item.help}   {self.item.legal()}   empty: the default"


class SourceQuestion(ConnectQuestion):
    """From where a cable to an inlet comes."""

    def __init__(self, editing: Editing, inlet: str) -> None:
        super().__init__(editing)
        self.before, self.inlet = "", inlet
        self.title, self.hint = f"Connect to {inlet}", "osc.y"

    def offers(self, text: str) -> list[Row]:
        return sources(self.editing.mirror.document.graph, text, self.inlet)

    def answer(self, text: str, row: Row | None) -> bool | str:
        return super().answer(f"{row.text if row else text}{ARROW}{self.inlet}", None)

    def completed(self, text: str, row: Row | None) -> str | None:
        return None if row is None else row.text
