"""What is wrong with nodes, where they stand: what a check of the patch finds, what becomes of their models, and what
went wrong in them while they played.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

WRONG: Final = "!"
WAITS: Final = "…"
MODELS: Final = {
    "failed": (WRONG, "Its model has failed"), "unloaded": (WRONG, "Its model does not listen now"),
    "restarting": (WRONG, "Its worker is started again"), "loading": (WAITS, "Its model is being loaded"),
    "warming": (WAITS, "Its model warms up"),
}  # fmt: skip
"""States of a listener that are told, with their signs and words."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing about one node that its user should know. `sign` is drawn at its box; `within` is the node itself when
    the box is that of a subpatch around it."""

    sign: str
    what: str
    do: str = ""
    within: str = ""

    @property
    def words(self) -> str:
        """All of it."""
        inside = f"{self.within}: " if self.within else ""
        return f"{inside}{self.what} {self.do}".strip()


class Health:
    """The troubles of one editor's patch. `version` is another number whenever they are others."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.version = 0
        self.patch: list[Trouble] = []
        """What is wrong with no node in particular."""
        self._found: dict[str, list[Trouble]] = {}
        self._models: dict[str, tuple[str, str]] = {}
        self._faults: dict[str, str] = {}
        self._asking = self._again = False
        editing.joined.append(self._joined)
        for topic in ("changed", "opened", "saved"):
            editing.hear(topic, self._changed)
        editing.hear("playing", self._plays)
        editing.hear("status", self._told)
        editing.hear("log", self._logged)

    # -- what is known

    def of(self, node: str) -> tuple[Trouble, ...]:
        """What is wrong with a box of the sheet on top, the gravest first; with what is inside it, too."""
        place = self.editing.sheet.place(node)
        found = [
            trouble if id == place else Trouble(trouble.sign, trouble.what, trouble.do, id.removeprefix(place + "/"))
            for id, troubles in self.all().items()
            if id == place or id.startswith(place + "/")
            for trouble in troubles
        ]
        return tuple(sorted(dict.fromkeys(found), key=lambda trouble: trouble.sign != WRONG))

    def signs(self) -> dict[str, str]:
        """The boxes of the sheet on top that have a sign, and which."""
        signs: dict[str, str] = {}
        for id, troubles in self.all().items():
            box = self.editing.sheet.box_of(id)
            if box is not None and troubles:
                wrong = any(trouble.sign == WRONG for trouble in troubles)
                signs[box] = WRONG if wrong or signs.get(box) == WRONG else WAITS
        return signs

    def all(self) -> dict[str, list[Trouble]]:
        """All troubles, by the ids under which nodes play."""
        found = {id: list(troubles) for id, troubles in self._found.items()}
        for id, (state, error) in self._models.items():
            sign, words = MODELS[state]
            what = f"{words}: {error}" if error else f"{words}."
            found.setdefault(id, []).append(Trouble(sign, what))
        for id, text in self._faults.items():
            if not any(text in trouble.what or trouble.what in text for trouble in found.get(id, ())):
                found.setdefault(id, []).append(Trouble(WRONG, f"It reported: {text}"))
        return found

    # -- what comes

    def _joined(self) -> None:
        self._faults.clear()
        self._models.clear()
        self._asking = False
        self._ask()

    def _changed(self, data: Mapping[str, Any]) -> None:
        nodes = [str(command.get("node", "")) for command in data.get("commands", ())]
        for sheet in self.editing.sheets.open:  # who is changed has another chance, wherever the file is a node
            if sheet.mirror.sheet == data.get("sheet"):
                for node in nodes:
                    if self._faults.pop(sheet.place(node), None) is not None:
                        self.version += 1
        self._ask()

    def _plays(self, data: Mapping[str, Any]) -> None:
        self._models.clear()
        if data["playing"]:
            self._faults.clear()
        self.version += 1
        self._ask()

    def _ask(self) -> None:
        if self._asking:
            self._again = True
            return
        self._asking = True
        self.editing.link.ask("problems", self._answered)

    def _answered(self, answer: Mapping[str, Any]) -> None:
        self._asking = False
        if "ok" in answer:
            found: dict[str, list[Trouble]] = {}
            whole: list[Trouble] = []
            for data in answer["ok"]["problems"]:
                trouble = Trouble(WRONG, str(data["what"]), str(data.get("do", "")))
                for node in data["nodes"]:
                    found.setdefault(node, []).append(trouble)
                if not data["nodes"]:
                    whole.append(trouble)
            if (found, whole) != (self._found, self.patch):
                self._found, self.patch = found, whole
                self.version += 1
        if self._again:
            self._again = False
            self._ask()

    def _told(self, data: Mapping[str, Any]) -> None:
        models = {
            node: (str(one["state"]), str(one["error"]))
            for node, one in data.get("listeners", {}).items()
            if one["state"] in MODELS
        }
        if models != self._models:
            self._models = models
            self.version += 1

    def _logged(self, data: Mapping[str, Any]) -> None:
        if data.get("fault") and data["node"]:
            self._faults[str(data["node"])] = str(data["text"])
            self.version += 1
