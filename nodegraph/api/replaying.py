"""A performance that was kept (`api.performance`), done again: each act at its frame, in the order in which it came."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from nodegraph.api.checking import require
from nodegraph.api.performance import FORMAT, LINE_BYTES, SUFFIX, copied, digest, versions
from nodegraph.api.places import resolver
from nodegraph.core.commands import commands, perform
from nodegraph.core.errors import NodegraphError, PatchError, PatchFileError, Problem
from nodegraph.core.flatten import flatten
from nodegraph.core.hints import quoted
from nodegraph.core.messages import from_wire
from nodegraph.core.patchfile import dumps
from nodegraph.core.presets import books_of
from nodegraph.core.values import finite
from nodegraph.runtime.acts import CLOCK, Act

if TYPE_CHECKING:
    from nodegraph.api.patch import Patch
    from nodegraph.runtime.player import Player

NEVER: Final = 1 << 62
TAIL_BYTES: Final = 1 << 16
OURS: Final = f"Give a file ({SUFFIX}) that nodegraph has kept."


class Replay:
    """One performance to be done again, line by line. Close it at the end.

    Raises PatchFileError when the file is no performance, PatchError when it was played at another rate.
    """

    def __init__(self, path: str | os.PathLike[str], patch: Patch, rate: int, report: Callable[[str, str], None]):
        self.path = Path(path)
        self.report = report
        try:
            self._file: BinaryIO = self.path.open("rb")
        except OSError as error:
            what = f"The performance '{self.path}' cannot be read: {error.strerror or error}."
            raise PatchFileError(Problem("unreadable-file", what, "Give the path of a performance.")) from error
        self._number = 0
        self._line: dict[str, Any] | None = None
        self._over = False
        self._unknown: set[str] = set()
        try:
            self.header = self._header()
            self._check_rate(rate)
            self._frames = self._length()
        except BaseException:
            self._file.close()
            raise
        self.patch: Patch = type(patch)(document=copied(patch.document), media=patch.media)
        """A copy of the patch, which the edits of the performance change."""
        self.same = digest(dumps(self.patch.document)) == self.header["hash"]
        self._tell_differences()

    # -- the header

    def _header(self) -> dict[str, Any]:
        text = self._file.readline(LINE_BYTES)
        self._number = 1
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        wanted = {"performance": int, "rate": int, "hash": str, "patch": str}
        if not isinstance(found, dict) or any(type(found.get(name)) is not kind for name, kind in wanted.items()):
            raise PatchFileError(
                Problem("not-a-performance", "This is not a performance: its first line is no header of one.", OURS,
                        str(self.path), 1)
            )  # fmt: skip
        if found["performance"] > FORMAT:
            what = f"The performance is written in format {found['performance']}; this nodegraph reads up to {FORMAT}."
            raise PatchFileError(Problem("newer-version", what, "Update nodegraph.", str(self.path), 1))
        return found

    def _check_rate(self, rate: int) -> None:
        was = self.header["rate"]
        if was != rate:
            what = f"The performance was played at {was} Hz, and is to be played at {rate} Hz."
            do = f"Its frames are those of {was} Hz: play or render with --rate {was}."
            raise PatchError(Problem("other-rate", what, do, file=str(self.path)))

    def _tell_differences(self) -> None:
        name = self.path.name
        if not self.same:
            self.report("", f"{name} was played with another patch, or another version of this one; what fits is done.")
        now = versions()
        others = [
            f"{package} {was}"
            for package, was in (self.header.get("versions") or {}).items()
            if package in now and now[package] != was
        ]
        if others:
            self.report("", f"{name} was played with {', '.join(others)}: the bits may differ.")
        if self.header.get("hears") == "device":
            self.report("", f"{name} does not hold what the device's inputs heard.")

    def _length(self) -> int:
        """The frames that were played: of the last line that is whole."""
        here = self._file.tell()
        self._file.seek(0, os.SEEK_END)
        size = self._file.tell()
        self._file.seek(max(here, size - TAIL_BYTES))
        for text in reversed(self._file.read(TAIL_BYTES).splitlines()):
            line = _parsed(text)
            if line is not None:
                self._file.seek(here)
                return max(int(line.get("end", line.get("at", 0))), 0)
        self._file.seek(here)
        return 0

    @property
    def frames(self) -> int:
        """How long it is, in frames; at least one."""
        return max(self._frames, 1)

    # -- doing it

    def attach(self, player: Player, edits: Callable[[Patch, str, bool], None]) -> None:
        """Let a player do it; `edits` is told when another graph is to be played: the patch, its text, and whether it
        is another patch."""
        self.player = player
        self._edits = edits
        player.exact = True
        player.score = self

    def play(self, handled: int) -> int:
        """Do what was done when every message before frame `handled` had been handled (`runtime.player.Score`)."""
        while not self._over:
            line = self._peek()
            if line is None:
                break
            after = _after(line)
            if after > handled:
                return after
            if ("edit" in line or "stage" in line) and not self.player.stage_on("edit" in line):
                return handled
            self._line = None
            self._do(line)
        self._end()
        return NEVER

    def _end(self) -> None:
        self._over = True
        if self.player.score is self:
            self.player.score = None
        self.close()

    def _peek(self) -> dict[str, Any] | None:
        if self._line is None:
            text = self._file.readline(LINE_BYTES)
            if not text:
                self.report(
                    "", f"{self.path.name} breaks off after line {self._number}: it was not brought to its end."
                )
                return None
            self._number += 1
            self._line = _parsed(text) if text.endswith(b"\n") else None
            if self._line is None:
                self.report(
                    "", f"{self.path.name}: line {self._number} cannot be read; the performance ends before it."
                )
        return self._line

    def _do(self, line: dict[str, Any]) -> None:
        try:
            if "end" in line:
                self._over = True
            elif "late" in line:
                self._tell_late(line)
            elif "floor" in line:
                self.player.messages.floor = max(self.player.messages.floor, int(line["floor"]))
            elif "edit" in line:
                self._edit(line)
            elif "do" in line:
                self._act(line)
        except NodegraphError:
            raise
        except Exception as error:  # a line that somebody else wrote
            self._say_of(f"cannot be done: {type(error).__name__}: {error}")

    def _say_of(self, text: str) -> None:
        self.report("", f"{self.path.name}: line {self._number} {text}.")

    def _act(self, line: dict[str, Any]) -> None:
        what, args = line["do"], from_wire(line["args"])
        wrong = _misfit(what, args)
        if wrong:
            self._say_of(wrong)
            return
        if what == "set":
            self._known(args[0])
        elif what in ("recall", "sets"):
            for place in args[0]:
                self._known(place[0])
        self.player.acts.do(Act(line["at"], what, args))

    def _known(self, node: str) -> None:
        if node not in self.player.messages.entries and node not in self._unknown and len(self._unknown) < 100:
            self._unknown.add(node)
            self.report("", f"{self.path.name} plays {quoted(node)}, which is not in the patch.")

    def _tell_late(self, line: dict[str, Any]) -> None:
        late: Mapping[str, Any] = line["late"]
        seconds = line["at"] / self.player.rate
        if "rate" in late:
            text = f"it went on at {late['rate']} Hz, which was not kept"
        elif "handed_over" in late:
            text = "a node became another while its controls were moved"
        elif "unkept" in late:
            text = "something came in that a file cannot hold"
        else:
            text = "something acted too late, or not at all"
        self.report("", f"{self.path.name}, at {seconds:.3f} s: {text}; from here on it may sound otherwise.")

    # -- edits

    def _edit(self, line: dict[str, Any]) -> None:
        other = False
        for asked in line["edit"]:
            other = other or bool(asked.get("other"))
            try:
                self._change(asked)
            except NodegraphError as error:
                if self.same:
                    raise PatchFileError(self._refused(str(error))) from error
                self._say_of(f"is an edit that does not fit this patch: {error}")
                return
        document = self.patch.document
        document.graph.refresh()
        require(document, self.patch.media)
        text = dumps(document)
        self._edits(self.patch, text, other)
        before = self.player.engine.resources.resolve
        self.player.engine.resources.resolve = resolver(document, self.patch.media)
        try:
            self.player.edit(flatten(document), other=other, books=books_of(document))
        except NodegraphError:
            self.player.engine.resources.resolve = before
            raise
        self.player.messages.patch_text = text  # type: ignore[attr-defined]

    def _change(self, asked: Mapping[str, Any]) -> None:
        if asked.get("files"):
            self._say_of("took over files that had changed: here they are as they are now")
        elif "patch" in asked:
            document = copied(self.patch.document, asked["patch"])
            self.patch = type(self.patch)(document=document, media=self.patch.media)
        else:
            perform(self.patch.document, commands(asked["commands"]))
            if self.same and digest(dumps(self.patch.document)) != asked["hash"]:
                raise PatchError("The patch after this edit is not what it was.")

    def _refused(self, why: str) -> Problem:
        what = f"The edit at {self.player.messages.handled / self.player.rate:.3f} s cannot be done again: {why}"
        return Problem("edit-refused", what, "Render as far as that with --seconds.", str(self.path), self._number)

    def close(self) -> None:
        """Read no more."""
        self._file.close()


def _parsed(text: bytes) -> dict[str, Any] | None:
    """A line, if it is one of a performance."""
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(line, dict) or type(line.get("end", line.get("at"))) is not int:
        return None
    return line if type(line.get("after", 0)) is int else None


def _after(line: Mapping[str, Any]) -> int:
    """What had been handled when this came: a remark comes at once."""
    if "late" in line or "end" in line:
        return -1
    return int(line.get("after", line["at"]))


def _misfit(what: Any, args: Any) -> str:
    """Why an act cannot be; empty when it can."""
    fits = {
        "set": lambda: len(args) == 3 and all(isinstance(item, str) for item in args[:2]),
        "sets": lambda: (
            len(args) == 2
            and len(args[0]) == len(args[1])
            and all(isinstance(node, str) and isinstance(inlet, str) for node, inlet in args[0])
        ),
        "arrive": lambda: len(args) == 2 and isinstance(args[0], str),
        "clock": lambda: args[0] in CLOCK and all(finite(item) or isinstance(item, bool) for item in args[1:]),
        "recall": lambda: (
            1 <= len(args) <= 3
            and all(
                isinstance(node, str) and isinstance(inlet, str) and finite(value) for node, inlet, value in args[0]
            )
            and all(finite(item) for item in args[1:2])
        ),
    }
    try:
        if what in fits and isinstance(args, tuple) and fits[what]():
            return ""
    except (TypeError, ValueError, IndexError):
        pass
    return "is no act"
