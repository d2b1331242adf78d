"""What is done to a playing patch, kept in a file (``.ngp``), so that it can be played and rendered again.

Text, one JSON object a line. The first says what was played: the patch's text and its hash, the rate, the versions.
Then each act (`runtime.acts`) with its frame::

    {"at": 48128, "do": "set", "args": ["cut", "cutoff", {"ramp": [300.0, 2.0]}]}
    {"at": 96000, "after": 49152, "do": "set", "args": ["osc", "freq", 220.0]}
    {"at": 143872, "edit": [{"commands": [{"do": "connect", "cable": "osc.y -> out.x"}], "hash": "…"}]}
    {"at": 145280, "stage": true}
    {"at": 148000, "floor": 149440}
    {"at": 150016, "late": {"messages": {"ears": 1}}}
    {"end": 2880000, "acts": 5, "exact": false}

``after``: which messages had been handled when it came, if not all before its frame. ``floor``: Python was held up, and
what it did from then on acted at that frame at the earliest. ``late``: something did not act at its frame, so that what
follows may sound otherwise when it is done again. Lines are written as
they come, by a thread of their own: a kill loses the last ones at most.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from nodegraph.core.commands import Command, perform
from nodegraph.core.document import Document
from nodegraph.core.errors import MediaError, NodegraphError, Problem
from nodegraph.core.messages import BANG, MidiIn, Note, NoteExpression, Ramp, Tag, to_wire
from nodegraph.core.osc import OscIn
from nodegraph.core.patchfile import dumps, loads
from nodegraph.core.subpatches import PatchKinds
from nodegraph.core.values import plain
from nodegraph.runtime.acts import as_tuple

if TYPE_CHECKING:
    from nodegraph.api.patch import Patch
    from nodegraph.runtime.acts import Act
    from nodegraph.runtime.player import Player

SUFFIX: Final = ".ngp"
FORMAT: Final = 1
MOST_WAITING: Final = 200_000
"""Lines that may wait for the disk; what comes then is lost, and counted."""
LINE_BYTES: Final = 1 << 26
LOOK_EVERY: Final = 64
"""Rounds between two looks at what listeners have missed."""
PACKAGES: Final = ("numpy", "numba", "llvmlite")


def digest(text: str) -> str:
    """The hash by which a patch is known in a performance."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def versions() -> dict[str, str]:
    """What the bits of a sound may depend on."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("nodegraph", *PACKAGES):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def copied(document: Document, text: str | None = None) -> Document:
    """A document of its own with the same text (or another), the same kinds and the same place."""
    known = document.graph.registry
    kinds = PatchKinds(known, media=list(known.media), drafts=known.drafts)
    kinds.folder = known.folder
    if document.path is not None:
        kinds.lie_in(document.path)
    made = loads(dumps(document) if text is None else text, kinds=kinds)
    made.path = document.path
    return made


def check_target(path: Path) -> None:
    """Raises MediaError when a performance cannot be kept there."""
    if path.suffix.lower() != SUFFIX:
        raise MediaError(Problem("bad-target", f"'{path.name}' is no name of a performance.", f"Call it …{SUFFIX}."))
    if not path.absolute().parent.is_dir():
        raise MediaError(Problem("bad-target", f"The folder of '{path}' is not there.", "Make the folder."))


class Performance:
    """A performance that is being kept. `look` and what is noted come on the player's thread."""

    def __init__(self, path: Path, patch: Patch, player: Player, text: str, hears: str) -> None:
        """`hears` is where `in~` has its sound from: ``device``, ``sound``, or nothing. Raises MediaError."""
        self.path, self.player = path, player
        self.acts = self.lost = 0
        self.exact = True
        self.over = False
        self.error = ""
        self._late: dict[str, Any] = {}
        self._rounds = 0
        self._since = player.engine.done
        """Before this frame nothing can be late that has not been told."""
        self._said: deque[str] = deque()
        self._more = threading.Event()
        self._file = self._open(path)
        self._follow(patch, text)
        header = {
            "performance": FORMAT, "rate": player.rate, "title": patch.title, "hears": hears, "versions": versions(),
            "hash": digest(text), "patch": text,
        }  # fmt: skip
        try:
            self._file.write(json.dumps(header) + "\n")
            self._file.flush()
        except OSError as error:
            self._file.close()
            raise MediaError(_unwritten(path, error)) from error
        player.exact = True
        player.acts.noted.append(self._note)
        self._thread = threading.Thread(target=self._write, name="performance", daemon=True)
        self._thread.start()

    @staticmethod
    def _open(path: Path) -> TextIO:
        check_target(path)
        try:
            return path.open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise MediaError(_unwritten(path, error)) from error

    # -- edits

    def _follow(self, patch: Patch, text: str) -> None:
        self._commands: list[Command] = []
        self._asked: list[dict[str, Any]] = []
        self._text = text
        self._shadow = copied(patch.document, text)
        self._document = patch.document
        patch.document.told.append(self._tell)

    def _tell(self, commands: Sequence[Command]) -> None:
        """The patch was changed; it is not played as it is now before `ask`."""
        self._commands += commands

    def ask(self, patch: Patch, text: str, other: bool) -> Callable[[], None]:
        """A patch is to be played as it is now; `other`: of what plays nothing stays. Returns what to call if that was
        refused."""
        before, commands = self._text, self._commands
        anew = patch.document is not self._document
        if anew:
            self._stop_following()
            asked = list(self._asked)
            told: dict[str, Any] = {"patch": text, "other": True} if other else {"patch": text}
            self._follow(patch, text)
            self._asked = asked
        else:
            self._commands = []
            told = self._told(commands, text)
        self._text = text
        self._asked.append(told)

        def refused() -> None:
            if told in self._asked:
                self._asked.remove(told)
            if not anew:
                self._commands[:0] = commands
                self._text, self._shadow = before, copied(patch.document, before)

        return refused

    def _told(self, commands: list[Command], text: str) -> dict[str, Any]:
        """An edit as its commands; as the whole text where these do not lead there (somebody went past them)."""
        if not commands and text == self._text:
            return {"files": True}
        try:
            perform(self._shadow, commands)
            if dumps(self._shadow) == text:
                return {"commands": [command.as_data() for command in commands], "hash": digest(text)}
        except NodegraphError:
            pass
        self._shadow = copied(self._shadow, text)
        return {"patch": text}

    def _stop_following(self) -> None:
        if self._tell in self._document.told:
            self._document.told.remove(self._tell)

    # -- what comes

    def _note(self, act: Act) -> None:
        if self.over:
            return
        line: dict[str, Any] = {"at": act.frame}
        handled = self.player.messages.handled
        if handled != act.frame and act.what != "floor":
            line["after"] = handled
        if act.what == "edit":
            asked, self._asked = self._asked, []
            line["edit"] = asked
        elif act.what == "stage":
            line["stage"] = True
            if act.args[0]:
                self._doubt(act.frame, {"handed_over": True})
        elif act.what == "floor":
            line["floor"] = act.args[0]
        else:
            args = (act.args[0], as_tuple(act.args[1])) if act.what == "sets" else act.args
            line |= {"do": act.what, "args": to_wire(args)}
            if not faithful(args):
                self._doubt(act.frame, {"unkept": act.what})
        self.acts += "do" in line
        self._say(line)

    def look(self) -> None:
        """After a round: what came too late in it."""
        if self.over:
            return
        player = self.player
        counters = player.engine.counters()
        found: dict[str, Any] = {}
        for name, count in (("engine", counters["late"]), ("lost", counters["lost"])):
            if count > self._late.get(name, 0):
                found[name] = count - self._late.get(name, 0)
            self._late[name] = count
        messages = dict(player.messages.late)
        before = self._late.get("messages", {})
        if messages != before:
            found["messages"] = {node: count - before.get(node, 0) for node, count in messages.items()}
            self._late["messages"] = messages
        self._rounds += 1
        if player.lanes is not None and self._rounds % LOOK_EVERY == 1:
            found |= self._missed()
        if found:
            self._doubt(self._since, found)
        self._since = min(player.engine.done, player.messages.handled)

    def _missed(self) -> dict[str, Any]:
        """Answers that listeners owed and never gave, or only after they were started again."""
        now = {id: (one["misses"], one["restarts"]) for id, one in self.player.listeners.status().items()}
        before = self._late.get("missed", {})
        self._late["missed"] = now
        more = [id for id, count in now.items() if count > before.get(id, (0, 0))]
        return {"missed": more} if more else {}

    def _doubt(self, frame: int, late: dict[str, Any]) -> None:
        """From here on it may sound otherwise when it is done again."""
        self.exact = False
        self._say({"at": frame, "late": late})

    def change_rate(self, frame: int, rate: int) -> None:
        """Another rate from here on: the performance ends, its frames are over."""
        self._doubt(frame, {"rate": rate})
        self.end(frame)

    def end(self, frame: int) -> None:
        """It ends before this frame, while the player still plays."""
        self.look()
        handled = self.player.messages.handled
        if handled < frame and not self.over:
            self._doubt(handled, {"unhandled": frame - handled})
        self.finish(frame)

    # -- writing

    def _say(self, line: dict[str, Any]) -> None:
        if len(self._said) >= MOST_WAITING:
            self.lost += 1
            self.exact = False
            return
        self._said.append(json.dumps(plain(line), default=str))
        self._more.set()

    def _write(self) -> None:
        while not (self.over and not self._said):
            self._more.wait()
            self._more.clear()
            lines = []
            while self._said:
                lines.append(self._said.popleft())
            try:
                if lines and not self.error:
                    self._file.write("\n".join(lines) + "\n")
                    self._file.flush()
            except (OSError, ValueError) as error:
                self.error = f"The performance is not kept any more: {getattr(error, 'strerror', None) or error}."

    def finish(self, frame: int) -> None:
        """It ends before this frame. More than once does no harm."""
        if self.over:
            return
        self._stop_following()
        self._say({"end": frame, "acts": self.acts, "exact": self.exact, "lost": self.lost})
        self.over = True
        self._more.set()
        self._thread.join(10.0)
        self._file.close()


def faithful(value: Any) -> bool:
    """Whether a message comes back from a file as what it was."""
    if value is None or value is BANG or isinstance(value, (bool, int, float, str, bytes)):
        return True
    if type(value) in (tuple, Tag, Note, NoteExpression, Ramp, MidiIn, OscIn):
        return all(faithful(item) for item in value)
    return False


def _unwritten(path: Path, error: OSError) -> Problem:
    what = f"The performance '{path}' cannot be written: {error.strerror or error}."
    return Problem("bad-target", what, "Keep it elsewhere.")
