"""Presets as they are handled in the editor: listed, gone to, stored, and stood among. It knows no GUI."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.commands import RenamePreset
from nodegraph.core.presets import RECALLS, TIME_CURVES
from nodegraph.core.presets import corners as corner_weights

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing
    from nodegraph.editor.mirror import Mirror

MOST_CORNERS: Final = 4


class Presetting:
    """The presets of what is edited, and what the hand does with them."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.recalled: str | None = None
        """The one that was gone to last, by whomever."""
        self.seconds = 0.0
        """How long it takes to get to one."""
        self.curve = TIME_CURVES[0]
        """How the way goes by time."""
        self.at = (0.0, 0.0)
        """Where the point stands among the corners, each 0 to 1."""
        self.amount = 0.1
        """How far chance moves controls, as a share of their spans."""
        self._corners: list[str] | None = None
        self._seed = random.randrange(1 << 30)
        self._asked: tuple[float, float] | None = None
        self._wanted: tuple[float, float] | None = None
        editing.hear("presets", self._heard)
        editing.hear("opened", lambda data: self._another())
        editing.joined.append(lambda: self._ask("presets"))

    def actions(self) -> dict[str, Callable[[], Any]]:
        """Its actions by name."""
        return {"store-preset": lambda: self.store(self.free_name()), "randomise": self.randomise, "keep": self.keep}

    # -- what there is

    @property
    def _patch(self) -> Mirror:
        """The patch itself, whichever sheet is on top: presets are its own."""
        return self.editing.sheets.open[0].mirror

    @property
    def names(self) -> list[str]:
        """All of them, in their order."""
        return list(self._patch.document.presets)

    def holds(self, name: str) -> Mapping[str, float]:
        """The values of one, ``node.port`` → value."""
        return self._patch.document.presets.get(name, {})

    def free_name(self) -> str:
        """A name for another one."""
        number = len(self.names) + 1
        while f"preset {number}" in self.names:
            number += 1
        return f"preset {number}"

    # -- one

    def recall(self, name: str) -> None:
        """Go to one."""
        self._ask("recall", name=name, ms=1000.0 * self.seconds, curve=self.curve)

    def store(self, name: str) -> bool:
        """Keep where controls are now: of the selected boxes, if any are and it is a new one, else of all. False
        without a name.
        """
        name = name.strip()
        if not name:
            self.editing.say("A preset wants a name.")
            return False
        chosen = {} if name in self.names else self._chosen()
        self._ask("store", name=name, **chosen)
        return True

    def rename(self, name: str, to: str) -> bool:
        """Call one otherwise."""
        to = to.strip()
        if not to or to == name:
            return False
        if not self.editing.do([RenamePreset(name, to)], mirror=self._patch):
            return False
        self._corners = [to if item == name else item for item in self.corners]
        if self.recalled == name:
            self.recalled = to
        return True

    def forget(self, name: str) -> None:
        """Let one go; undo brings it back."""
        self._ask("forget", name=name)

    def keep(self) -> None:
        """Take where controls are now into the patch."""
        self.editing.link.ask("keep", self.editing.tell_problems)

    # -- among several

    @property
    def corners(self) -> list[str]:
        """The presets among which the point stands: left and right below, then above."""
        names = self.names
        if self._corners is None:
            return names[:MOST_CORNERS]
        return [name for name in self._corners if name in names]

    def put(self, corner: int, name: str | None) -> None:
        """Put another preset into a corner; None: none. One that stood elsewhere changes places with it."""
        now = self.corners
        if name is None:
            self._corners = [item for index, item in enumerate(now) if index != corner]
            return
        if name in now and corner < len(now):
            now[now.index(name)], now[corner] = now[corner], name
        elif corner < len(now):
            now[corner] = name
        elif name not in now:
            now.append(name)
        self._corners = now[:MOST_CORNERS]

    def stand(self, x: float, y: float) -> None:
        """Go where a point among the corners is. While an answer is awaited only the last one waits to be asked for."""
        self._corners = self.corners  # one that is stored later changes nothing of where the point stands
        self.at = min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)
        self._wanted = self.at
        if self._asked is None:
            self._go()

    def _go(self) -> None:
        corners = self.corners
        if self._wanted is None or not corners:
            return
        self._asked, self._wanted = self._wanted, None
        x, y = self._asked
        self.editing.link.ask("morph", self._stood, names=corners, x=x, y=y)

    def _stood(self, answer: Mapping[str, Any]) -> None:
        self._asked = None
        self.editing.tell_problems(answer)
        if "ok" in answer:
            self._go()

    # -- by chance

    def randomise(self) -> None:
        """Move controls by chance: of the selected boxes, else all. Each time otherwise."""
        self._seed += 1
        fields = self._chosen()
        self._ask("randomise", amount=self.amount, seed=self._seed, ms=1000.0 * self.seconds, **fields)

    @property
    def some(self) -> bool:
        """Whether what is done is for the controls of selected boxes alone."""
        return bool(self._chosen())

    def _chosen(self) -> dict[str, list[str]]:
        editing = self.editing
        graph = editing.mirror.document.graph
        found = [
            editing.sheet.address(id, control.name)
            for id, entry in graph.nodes.items()
            if id in editing.selection.nodes and entry.spec is not None and entry.kind != RECALLS
            for control in entry.spec.controls
        ]
        return {"addresses": found} if found else {}

    # -- what the session tells

    def _ask(self, what: str, **fields: Any) -> None:
        self.editing.link.ask(what, self._answered, **fields)

    def _answered(self, answer: Mapping[str, Any]) -> None:
        self.editing.tell_problems(answer)
        if "recalled" in answer.get("ok", {}):
            self._heard(answer["ok"])

    def _heard(self, data: Mapping[str, Any]) -> None:
        self.recalled = data["recalled"]

    def _another(self) -> None:
        self._corners, self._asked, self._wanted, self.at = None, None, None, (0.0, 0.0)


def weights(count: int, x: float, y: float) -> list[float]:
    """How much each corner weighs at a point, for what is drawn there."""
    return list(corner_weights(count, x, y)) if 1 <= count <= MOST_CORNERS else []
