"""The first time: five things to do, each shown beside the thing it speaks of, and done by doing it.

It comes by itself once, with the patch that `first_patch` gives, and again by the action ``tour``. A window shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing
    from nodegraph.editor.settings import Choices

Beside = Literal["menu", "values", "cable", "canvas"]
"""What a step speaks of: a menu (its word is `Step.of`), the values of a box, two ports, or the canvas."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do."""

    title: str
    words: str
    beside: Beside
    of: str
    begin: Callable[[Editing], Any]
    """What is so before, as it is compared with `done`."""
    done: Callable[[Editing, Any], bool]


def _numbers(editing: Editing) -> dict[str, Any]:
    nodes = editing.mirror.document.graph.nodes
    return {"live": dict(editing.live)} | {id: dict(entry.params) for id, entry in nodes.items()}


def _number_moved(editing: Editing, before: dict[str, Any]) -> bool:
    now = _numbers(editing)
    if any(now["live"][key] != before["live"].get(key) for key in now["live"]):
        return True
    return any(now[id] != before[id] for id in now.keys() & before.keys() - {"live"})


def _cables(editing: Editing) -> frozenset[str]:
    return frozenset(str(cable) for cable in editing.mirror.document.graph.cables)


def _nodes(editing: Editing) -> frozenset[str]:
    return frozenset(editing.mirror.document.graph.nodes)


STEPS: Final = (
    Step(
        "Play and stop", "Press Ctrl+Space, here or anywhere: what plays fades out. Press it again, and it plays. "
        "It is in the menu Sound, too.", "menu", "Sound",
        lambda editing: editing.turned, lambda editing, before: editing.turned != before,
    ),
    Step(
        "Drag a number", "At the right stand the values of the box that is selected. Take a bar with the mouse, "
        "'{value}' for one, and pull it to the left or the right: the sound follows at once.", "values", "tone.cutoff",
        _numbers, _number_moved,
    ),
    Step(
        "Draw a cable", "Outlets are below, inlets above. Take the outlet of '{from}', and lead it to the inlet "
        "'{inlet}' of '{to}': it is marked, as is everything that fits.", "cable", "swell.y -> tone.cutoff",
        _cables, lambda editing, before: bool(_cables(editing) - before),
    ),
    Step(
        "Make an object", "Press n, or click twice on the void. Type a word, such as noise, choose with the arrows, "
        "and press Enter.", "canvas", "",
        _nodes, lambda editing, before: bool(_nodes(editing) - before),
    ),
    Step(
        "Take it back", "Press Ctrl+Z: the last step is undone. Every step can be, one after another, and Ctrl+Shift+Z "
        "does them again.", "menu", "Edit",
        lambda editing: (editing.mirror.undo_label, editing.mirror.redo_label),
        lambda editing, before: (
            editing.mirror.redo_label is not None
            and (editing.mirror.undo_label, editing.mirror.redo_label) != before
        ),
    ),
)  # fmt: skip
OVER: Final = "That was all. F1 lists all keys; Help, Tour brings this again."


class Tour:
    """Where somebody is on the way through the steps."""

    def __init__(self, editing: Editing, choices: Choices) -> None:
        self.editing, self.choices = editing, choices
        self.number: int | None = None
        """The step that is shown, from 0; None when none is."""
        self.wanted = False
        """It comes when the patch is there."""
        self._before: Any = None

    def actions(self) -> dict[str, Callable[[], Any]]:
        """Its actions by name."""
        return {"tour": self.toggle, "tour-skip": self.skip, "tour-back": self.back}

    @property
    def step(self) -> Step | None:
        """The step that is shown."""
        return None if self.number is None else STEPS[self.number]

    @property
    def words(self) -> str:
        """What it says, with the names that are in the patch."""
        step = self.step
        if step is None:
            return ""
        _, value = self.value() or ("", "one of them")
        ends = self.ends()
        if step.beside == "cable" and ends is None:
            return "Outlets are below, inlets above. Take an outlet of a box, and lead it to an inlet of another."
        start, end, inlet = ends or ("", "", "")
        nodes = self.editing.mirror.document.graph.nodes
        kinds = {word: nodes[id].kind if id else "" for word, id in (("from", start), ("to", end))}
        return step.words.format_map({"value": value, "inlet": inlet, **kinds})

    def value(self) -> tuple[str, str] | None:
        """The node and the control of which a step speaks, if the patch has them."""
        nodes = self.editing.mirror.document.graph.nodes
        node, _, name = STEPS[1].of.partition(".")
        return (node, name) if node in nodes else None

    def ends(self) -> tuple[str, str, str] | None:
        """The boxes that are to be joined, and the inlet; None if they are, or are not there."""
        start, end = STEPS[2].of.split(" -> ")
        one, (other, inlet) = start.split(".")[0], end.split(".")
        graph = self.editing.mirror.document.graph
        joined = any(str(cable) == STEPS[2].of for cable in graph.cables)
        return None if joined or not {one, other} <= graph.nodes.keys() else (one, other, inlet)

    # -- from step to step

    def toggle(self) -> None:
        """Begin, or end what has begun."""
        if self.number is None:
            self._show(0)
        else:
            self.end()

    def skip(self) -> None:
        """Leave this one out; after the last it is over."""
        if self.number is not None:
            self._on()

    def back(self) -> None:
        """Once more the one before."""
        if self.number:
            self._show(self.number - 1)

    def end(self) -> None:
        """It is over, and does not come by itself again."""
        self.number = None
        self.wanted = False
        self.choices.decide(toured=True)

    def turn(self) -> bool:
        """See whether what is to be done was done. Whether another step is shown now."""
        editing = self.editing
        if not editing.mirror.ready:
            return False
        if self.wanted:
            self.wanted = False
            self._show(0)
            return True
        step = self.step
        if step is not None and step.done(editing, self._before):
            self._on()
            return True
        return False

    def _on(self) -> None:
        assert self.number is not None
        if self.number + 1 < len(STEPS):
            self._show(self.number + 1)
        else:
            self.end()
            self.editing.say(OVER)

    def _show(self, number: int) -> None:
        self.number = number
        self._before = STEPS[number].begin(self.editing)
        if STEPS[number].beside == "values" and (found := self.value()) is not None:
            self.editing.selection.only([found[0]])


def first_patch() -> Path | None:
    """The patch to begin with: beside this file where the package was installed, in ``patches/`` of its source."""
    here = Path(__file__).parent / "first.ng", Path(__file__).parents[2] / "patches" / "first.ng"
    return next((path for path in here if path.is_file()), None)
