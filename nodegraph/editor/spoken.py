"""What was said, line by line: by the engine, by nodes, by this editor; also what was said before the editor came."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

MOST: Final = 500
"""Lines that are kept."""


@dataclass(slots=True)
class Line:
    """One line. ``at``: seconds since 1970, of the last time that it was said; ``count``: how often it was, one time
    after another; ``fault``: it tells of something that went wrong."""

    number: int
    at: float
    node: str
    text: str
    fault: bool = False
    count: int = 1

    def fits(self, words: str, node: str) -> bool:
        """Whether a filter lets it through: every word stands in it, and the node, if any, is this one or around it."""
        if node and self.node != node and not self.node.startswith(node + "/"):
            return False
        if not words:
            return True
        said = f"{self.node} {self.text}".casefold()
        return all(word in said for word in words.casefold().split())


class Spoken:
    """The lines of one editor. `version` is another number whenever a line has come, or is said again."""

    def __init__(self, editing: Editing, now: Callable[[], float] = time.time) -> None:
        self.editing = editing
        self.lines: deque[Line] = deque(maxlen=MOST)
        self.version = 0
        self.begun = 0
        """Another number when lines have come that are older than those that were there."""
        self._now = now
        self._number = 0
        self._told: deque[tuple[float, str, str]] = deque(maxlen=2 * MOST)
        """What the engine has told, so that nothing is told twice after a line that broke."""
        editing.joined.append(self._ask)

    def _ask(self) -> None:
        self.editing.link.ask("log", self._earlier, most=MOST)

    @property
    def nodes(self) -> list[str]:
        """Who has spoken, in the order of their names."""
        return sorted({line.node for line in self.lines if line.node})

    @property
    def faults(self) -> int:
        """How many lines tell of something that went wrong."""
        return sum(line.fault for line in self.lines)

    @property
    def texts(self) -> list[str]:
        """What was said last, each as often as it was, the last one last."""
        found: list[str] = []
        for line in reversed(self.lines):
            text = f"{line.node}: {line.text}" if line.node else line.text
            found += [text] * min(line.count, MOST - len(found))
            if len(found) == MOST:
                break
        return found[::-1]

    def say(self, text: str, *, node: str = "", fault: bool = False, at: float | None = None) -> None:
        """A line; one that is said again is counted."""
        at = self._now() if at is None else at
        last = self.lines[-1] if self.lines else None
        self.version += 1
        if last is not None and (last.node, last.text, last.fault) == (node, text, fault):
            last.count += 1
            last.at = at
            return
        self._number += 1
        self.lines.append(Line(self._number, at, node, text, fault))

    def hear(self, data: Mapping[str, Any]) -> None:
        """A line of the engine's log."""
        self._told.append(_key(data))
        self.say(str(data["text"]), node=str(data["node"]), fault=bool(data.get("fault")), at=float(data["at"]))

    def _earlier(self, answer: Mapping[str, Any]) -> None:
        """What the engine said while nobody here listened stands where it belongs."""
        if "ok" not in answer:
            return
        told = set(self._told)
        missed = [line for line in answer["ok"]["lines"] if _key(line) not in told]
        if not missed:
            return
        ours = list(self.lines)
        self.lines.clear()
        heard = [Line(0, float(line["at"]), str(line["node"]), str(line["text"]), bool(line.get("fault")))
                 for line in missed]  # fmt: skip
        for line in sorted([*heard, *ours], key=lambda line: line.at):
            for _ in range(line.count):
                self.say(line.text, node=line.node, fault=line.fault, at=line.at)
        self._told.extend(_key(line) for line in missed)
        self.begun += 1

    def reveal(self, node: str) -> bool:
        """Select the node that spoke and bring it into view; of one inside a subpatch, the box in which it is."""
        return bool(node) and self.editing.reveal(node)


def _key(data: Mapping[str, Any]) -> tuple[float, str, str]:
    return float(data["at"]), str(data["node"]), str(data["text"])
