"""One document on the desk: its copy, its boxes, what is selected, what is seen of it, and the hand on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from nodegraph.core.commands import Command
from nodegraph.editor.hands import Hands
from nodegraph.editor.mirror import Mirror
from nodegraph.editor.scene import Scene
from nodegraph.editor.selection import Selection
from nodegraph.editor.turning import Turning
from nodegraph.editor.viewport import Viewport
from nodegraph.editor.wiring import Wiring

Point = tuple[float, float]
ROOT: Final = "/patch"
"""Where the addresses of the outermost patch begin."""


class Desk(Protocol):
    """Where sheets lie."""

    turning: Turning

    @property
    def natural(self) -> float: ...
    @property
    def step(self) -> float | None: ...
    @property
    def locked(self) -> bool: ...

    def do(self, commands: list[Command], label: str = "", merge: str | None = None) -> bool: ...
    def say(self, text: str) -> None: ...
    def ask_for_object(self, x: float, y: float, wiring: Wiring | None = None) -> None: ...
    def show_help(self, node: str) -> None: ...


class Sheet:
    """One document, and everything that is of it alone."""

    def __init__(self, desk: Desk, mirror: Mirror, root: str = ROOT) -> None:
        """`root` is the address under which its nodes play: ``/patch``, ``/patch/voice1``."""
        self.mirror, self.root = mirror, root
        self.scene = Scene()
        self.selection = Selection()
        self.viewport = Viewport()
        self.hands = Hands(self)
        self._desk = desk
        self._seen = -1
        self._shown_once = False

    @property
    def step(self) -> float | None:
        """The grid on which boxes are put down by hand; None for none."""
        return self._desk.step

    @property
    def natural(self) -> float:
        """The zoom at which the patch is as large as everything else."""
        return self._desk.natural

    def address(self, node: str, name: str) -> str:
        """Where a control of a node is found by others."""
        return f"{self.root}/{node}/{name}"

    @property
    def inside(self) -> str:
        """What stands before the ids of its nodes when all is one graph: ``voice1/``; nothing for the patch itself."""
        way = self.root.removeprefix(ROOT).strip("/")
        return f"{way}/" if way else ""

    def place(self, node: str) -> str:
        """The id under which a node plays: ``voice1/osc``."""
        return self.inside + node

    def box_of(self, place: str) -> str | None:
        """The box in which a node is found that plays under this id: itself, or a subpatch around it."""
        if not place.startswith(self.inside):
            return None
        found = place.removeprefix(self.inside).partition("/")[0]
        return found if found in self.scene.boxes else None

    def do(self, commands: list[Command], label: str = "") -> bool:
        """Carry out commands as one step. False when it cannot be, which is said."""
        return self._desk.do(commands, label)

    @property
    def turning(self) -> Turning:
        """The hand on controls."""
        return self._desk.turning

    def say(self, text: str) -> None:
        """A line for whoever sits here."""
        self._desk.say(text)

    def ask_for_object(self, x: float, y: float, wiring: Wiring | None = None) -> None:
        """Ask for one at a place, to be joined to a cable that the hand has let go there."""
        self._desk.ask_for_object(x, y, wiring)

    def show_help(self, node: str) -> None:
        """Say what an object is for."""
        self._desk.show_help(node)

    def follow(self, size: tuple[float, float]) -> bool:
        """Lay out anew if the document is another than last time; all of it is shown in a window of this size when it
        comes first.
        """
        if self._seen == self.mirror.version:
            return False
        self._seen = self.mirror.version
        self.scene.follow(self.mirror.document)
        self.selection.follow(self.scene)
        self.hands.again()
        if self.mirror.ready and not self._shown_once:
            self._shown_once = True
            self.show_all(size)
        return True

    @property
    def locked(self) -> bool:
        """Whether boxes cannot be edited now."""
        return self._desk.locked

    def moved(self, places: Mapping[str, Point], notes: Mapping[str, Point], label: str = "", merge: str | None = None
              ) -> bool:  # fmt: skip
        """Put boxes and notes elsewhere as one step: where they are shown now, in the patch or in its presentation."""
        made = self.selection.moving(self.mirror.document, places, notes, presenting=self.scene.presenting)
        if not label and len(made) > 1:
            label = "Move"
        return self._desk.do(made, label, merge)

    def present(self, on: bool) -> None:
        """Show what is marked for the presentation, or everything."""
        self.scene.presenting = on
        self.selection.clear()
        self.scene.follow(self.mirror.document)

    def another(self) -> None:
        """It is another document from now on: all of it is shown when it has come."""
        self._shown_once = False

    def show_all(self, size: tuple[float, float], most: float = 1.0) -> None:
        """The whole of it, in a window of this size; at most so many times as large as it is."""
        bounds = self.scene.bounds()
        if bounds is not None:
            self.viewport.show(*bounds, *size, largest=most * self._desk.natural)
