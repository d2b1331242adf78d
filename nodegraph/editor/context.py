"""What the menu offers for what is under the mouse: a box, a cable, a control, the void. It knows no GUI."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.cable import Cable
from nodegraph.core.commands import Disconnect
from nodegraph.core.ownfiles import SUFFIX, own_path
from nodegraph.core.ports import Control
from nodegraph.core.spec import NodeSpec
from nodegraph.core.view import NodeEntry
from nodegraph.editor import dials
from nodegraph.editor.learning import WAYS
from nodegraph.editor.turning import drivers

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

_SOURCE: Final = re.compile(r"Source: (.*?)(?:\n\s*\n|\Z)", re.DOTALL)
_WEIGHTS: Final = re.compile(r"\s*Weights: (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a menu: something that can be done, else words to be read; without any a line between."""

    words: str = ""
    do: Callable[[], Any] | None = None
    keys: str = ""
    title: bool = False
    enabled: bool = True
    on: bool | None = None
    """Whether it is switched on; None: it is no switch."""


LINE: Final = Entry()


class Context:
    """The menus of one editor."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing

    def at(self, x: float, y: float) -> list[Entry]:
        """The menu for a place on the canvas, in points of the screen; what is there is selected."""
        editing = self.editing
        px, py = editing.viewport.patch(x, y)
        box = editing.scene.box_at(px, py)
        if box is not None:
            if box.node not in editing.selection.nodes:
                editing.selection.only([box.node])
            name = box.row_at(px, py)
            return self.for_box(box.node) if name is None else self.for_control(box.node, name)
        cable = editing.scene.cable_at(px, py, editing.viewport.zoom)
        if cable is not None:
            editing.selection.only((), {cable})
            return self.for_cable(cable, px, py)
        return [
            Entry("New object", partial(editing.ask_for_object, px, py), self._keys("new-object")),
            self._action("paste", "Paste"), LINE, self._action("select-all", "Select all"),
            self._action("show-all", "Show everything"),
        ]  # fmt: skip

    def for_selected(self) -> tuple[list[Entry], float, float]:
        """The menu for what is selected, and where it opens on the canvas: for the keyboard."""
        editing = self.editing
        nodes, cables = editing.selection.nodes, editing.selection.cables
        if nodes:
            node = next(id for id in editing.scene.boxes if id in nodes)
            box = editing.scene.boxes[node]
            return self.for_box(node), *editing.viewport.screen(box.x, box.y + box.height)
        if cables:
            x, y = middle_of(editing, next(iter(cables)))
            return self.for_cable(next(iter(cables)), x, y), *editing.viewport.screen(x, y)
        return [], 0.0, 0.0

    def for_box(self, node: str) -> list[Entry]:
        """What it is, whence it comes, and what can be done with it."""
        editing = self.editing
        entry = editing.mirror.document.graph.node(node)
        found = [Entry(f"{node}: {entry.kind}", title=True), *(Entry(line) for line in about(editing, entry))]
        found += [
            LINE, self._action("edit-object", "Change or replace"), self._action("rename-object", "Rename"),
            self._action("duplicate", "Duplicate"), self._action("copy", "Copy"), self._action("delete", "Delete"),
        ]  # fmt: skip
        chosen = editing.turning.chosen
        if entry.spec is not None and entry.spec.controls:
            shows = bool(editing.mirror.document.shown(node))
            found += [
                LINE, self._action("inline-controls", "Show values in the box", on=shows),
                self._action("reset-values", "Reset all values", enabled=bool(entry.params)),
            ]  # fmt: skip
            if chosen is not None:
                found += self._learning(*chosen)
        return found

    def for_control(self, node: str, name: str) -> list[Entry]:
        """What can be done with one control."""
        editing = self.editing
        entry = editing.mirror.document.graph.node(node)
        control = None if entry.spec is None else entry.spec.inlet_named.get(name)
        if not isinstance(control, Control):
            return []
        editing.turning.touch(node, name)
        shown = name in editing.mirror.document.shown(node)
        return [
            Entry(f"{node}.{name}", title=True), *(Entry(line) for line in words_of(editing, node, control)), LINE,
            Entry("Reset", partial(editing.set_value, node, name, None), self._keys("reset-control"),
                  enabled=name in entry.params),
            Entry("Show in the box", partial(editing.turning.show, node, name), on=shown), *self._learning(node, name),
        ]  # fmt: skip

    def below(self, node: str, control: Control) -> str:
        """The few words below a control's name: what is awaited, what moves it, else its span."""
        waits = self.editing.learning.waits(node, control.name)
        if waits:
            return f"move it by {WAYS[waits[0]]}"
        moves = [f"by {outlet}" for outlet, _ in drivers(self.editing.mirror.document.graph, node, control.name)]
        driven = self.editing.seeing.driven(node, control)
        if driven is not None:
            moves = [f"{moves[0].removeprefix('by ')}: {dials.told_between(control, *driven)}"]
        moves += self.editing.learning.learned(node, control.name)
        return ", ".join(moves) or ("off or on" if control.curve == "switch" else control.legal())

    def for_cable(self, cable: Cable, x: float, y: float) -> list[Entry]:
        """What can be done with a cable; an object that is inserted comes to a place of the patch."""
        editing = self.editing
        return [
            Entry(str(cable), title=True), LINE,
            Entry("Insert an object here", partial(editing.objects.insert, cable, x, y), self._keys("insert-object")),
            Entry("Delete", partial(editing.do, [Disconnect(str(cable))]), self._keys("delete")),
        ]  # fmt: skip

    def _learning(self, node: str, name: str) -> list[Entry]:
        learning = self.editing.learning
        waits = learning.waits(node, name)
        found = [LINE]
        for by, words in WAYS.items():
            text = f"Wait no more for {words}" if by in waits else f"Learn {words} for {name}"
            found.append(Entry(text, partial(learning.learn, node, name, by), self._keys(f"learn-{by}")))
        known = learning.learned(node, name)
        text = f"Forget {', '.join(known)}" if known else "Forget what was learned"
        found.append(Entry(text, partial(learning.unlearn, node, name), self._keys("unlearn"), enabled=bool(known)))
        return found

    def _keys(self, action: str) -> str:
        """The keys of an action, as they are shown."""
        return self.editing.keys.shown(action)

    def _action(self, name: str, words: str, *, enabled: bool = True, on: bool | None = None) -> Entry:
        # what takes a window is there when the menu is used, not when it is made
        return Entry(words, lambda: self.editing.actions[name](), self._keys(name), enabled=enabled, on=on)


def about(editing: Editing, entry: NodeEntry) -> list[str]:
    """What a node is, in a few lines: its help, its source, its model with the licence, the file of one's own."""
    spec = entry.spec
    if spec is None:
        return ["This kind is not installed here."]
    found = [spec.summary]
    source, weights = credits(spec)
    if source:
        found.append(f"Source: {source}")
    if weights:
        found.append(f"Model: {weights}")
    if spec.kind.endswith(SUFFIX):
        found.append(f"File: {own_path(editing.mirror.document.folder, spec.kind)}")
    return found


def credits(spec: NodeSpec) -> tuple[str, str]:
    """From whom a kind comes (author, work, section), and whose model it uses under which licence; "" if not told."""
    match = _SOURCE.search(inspect.cleandoc(spec.help))
    if match is None:
        return "", ""
    text = " ".join(match[1].split()).replace("*", "")
    weights = _WEIGHTS.search(text)
    return (text, "") if weights is None else (text[: weights.start()].rstrip(), weights[1])


def words_of(editing: Editing, node: str, control: Control) -> list[str]:
    """What a control is, within which span, what it is without a value of its own, and what moves it."""
    found = [control.help] if control.help else []
    found.append(f"{control.legal()}; {dials.told(control, control.default)} without a value of its own")
    for outlet, kind in drivers(editing.mirror.document.graph, node, control.name):
        more = ": what it makes of it is heard, not told" if kind == "signal" else ""
        found.append(f"Moved by {outlet} ({kind}){more}.")
    found += [f"Moved by {bond}." for bond in editing.learning.learned(node, control.name)]
    found += [f"Waits for {WAYS[by]}; Escape lets it be." for by in editing.learning.waits(node, control.name)]
    return found


def middle_of(editing: Editing, cable: Cable) -> tuple[float, float]:
    """Where the middle of a cable is in the patch."""
    ends = editing.scene.ends(cable)
    return (0.0, 0.0) if ends is None else ((ends[0][0] + ends[1][0]) / 2, (ends[0][1] + ends[1][1]) / 2)
