"""What moves controls from outside: learned by MIDI and by OSC, waiting, forgotten. It knows no GUI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

WAYS: Final = {"midi": "MIDI", "osc": "OSC"}
"""The doors by which something is learned, and how people write them."""


class Learning:
    """What the session has learned, and what it waits for."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.learners: Mapping[str, Mapping[str, Any]] = {}
        """By door, as the session tells: ``waiting`` and ``learned``."""
        self._waits: dict[str, list[str]] = {}
        self._moves: dict[str, list[str]] = {}
        """By address: the doors by which something is awaited, and what moves it, in words."""
        editing.hear("learned", self._heard)
        editing.joined.append(self._joined)

    def actions(self) -> dict[str, Callable[[], Any]]:
        """Its actions by name."""
        return {
            "learn-midi": lambda: self._learn_chosen("midi"), "learn-osc": lambda: self._learn_chosen("osc"),
            "unlearn": self._unlearn_chosen,
        }  # fmt: skip

    # -- what is so

    def waits(self, node: str, name: str) -> list[str]:
        """The doors by which something is awaited that is to move this control."""
        return self._waits.get(self.editing.sheet.address(node, name), [])

    @property
    def waiting(self) -> bool:
        """Whether anything is awaited."""
        return bool(self._waits)

    def learned(self, node: str, name: str) -> list[str]:
        """What moves this control, in words: ``CC 74 ch 1``, ``/1/fader3``."""
        return self._moves.get(self.editing.sheet.address(node, name), [])

    # -- what is asked for

    def learn(self, node: str, name: str, by: str) -> None:
        """Bind what moves next, by ``midi`` or ``osc``, to a control. Asked for again while it waits, it waits no
        more.
        """
        if by in self.waits(node, name):
            self.stop()
        else:
            self._ask("learn", by=by, address=self.editing.sheet.address(node, name))

    def stop(self) -> None:
        """Wait no more."""
        self._ask("stop_learning")

    def unlearn(self, node: str, name: str) -> None:
        """Forget what moves a control."""
        self._ask("unlearn", address=self.editing.sheet.address(node, name))

    # -- by the keys

    def _learn_chosen(self, by: str) -> None:
        chosen = self.editing.turning.chosen
        if chosen is not None:
            waited = by in self.waits(*chosen)
            self.learn(*chosen, by)
            if not waited:
                self.editing.say(f"Move what is to turn {'.'.join(chosen)} by {WAYS[by]}; Escape lets it be.")

    def _unlearn_chosen(self) -> None:
        chosen = self.editing.turning.chosen
        if chosen is not None:
            self.unlearn(*chosen)

    # -- what the session tells

    def _joined(self) -> None:
        self.editing.link.ask("learned", self._came)

    def _ask(self, what: str, **fields: Any) -> None:
        # what comes of it is told as news, in order; an answer may be older than the last of them
        self.editing.link.ask(what, self.editing.tell_problems, **fields)

    def _came(self, answer: Mapping[str, Any]) -> None:
        if "ok" in answer:
            self._heard(answer["ok"])

    def _heard(self, data: Mapping[str, Any]) -> None:
        self.learners = data["learners"]
        self._waits, self._moves = {}, {}
        for by, found in self.learners.items():
            if found.get("waiting"):
                self._waits.setdefault(found["waiting"], []).append(by)
        for bond in self.learners.get("midi", {}).get("learned", ()):
            self._moves.setdefault(bond["address"], []).append(words(bond))
        for bond in self.learners.get("osc", {}).get("learned", ()):
            self._moves.setdefault(bond["to"], []).append(str(bond["address"]))


def words(bond: Mapping[str, Any]) -> str:
    """A bond of MIDI in a few words."""
    what, number = bond.get("what", ""), bond.get("number", 0)
    named = {
        "7 bit": f"CC {number}", "14 bit": f"CC {number} 14 bit", "nrpn": f"NRPN {number}", "rpn": f"RPN {number}",
        "note": f"note {number}", "key": f"key pressure {number}", "bend": "bend", "pressure": "pressure",
    }  # fmt: skip
    channel = bond.get("channel", 0)
    port = f" of {bond['port']}" if bond.get("port") else ""
    return f"{named.get(what, what)} ch {channel or 'any'}{port}"
