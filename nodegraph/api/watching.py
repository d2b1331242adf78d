"""Follow the files of a patch while it plays: its nodes of the user's own (.py) and the patches in it (.ng).

A thread looks at them a few times a second. When one has changed and stands still, what must be tried is tried in
another process, and only then the patch is updated. What goes wrong is told, and the sound goes on as it was: a file
that is broken, that is not trusted, or that is gone stays the node that it was.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.errors import NodegraphError, Problem
from nodegraph.core.flatten import subpatches
from nodegraph.core.ownfiles import OwnFile, shown_path
from nodegraph.core.subpatches import PatchKinds
from nodegraph.core.trust import edits, is_trusted, record
from nodegraph.usernodes.bringing import take, wanted
from nodegraph.usernodes.reading import Abandoned

if TYPE_CHECKING:
    from nodegraph.api.playing import Playing
    from nodegraph.core.document import Document

PERIOD_S: Final = 0.2
DEEPEST: Final = 32
"""Files may bring files, which may bring files: so often it is looked again at once."""


class Watch:
    """What `Playing.watch_files` gives. It ends with the playing, or when it is closed."""

    def __init__(self, playing: Playing, trust_edits: bool, period_s: float = PERIOD_S) -> None:
        """`trust_edits`: see `Playing.watch_files`."""
        self.playing, self.trust_edits, self.period_s = playing, trust_edits, period_s
        self.looks = 0
        """How often it has looked at files that stood still."""
        self._closing = threading.Event()
        self._last: Any = None
        self._settled = False
        self._said: set[Problem] = set()
        self._edited: dict[Path, OwnFile] = {}
        self._allowed = ExitStack()
        with playing.changing:
            self._follow_edits(playing.patch.document)
        self._thread = threading.Thread(target=self._run, name="nodegraph-files", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Follow the files no longer. Waits for that."""
        self._closing.set()
        self._thread.join()

    # The thread.

    def _run(self) -> None:
        try:
            while not self._closing.wait(self.period_s) and self.playing.running:
                self._look()
        except Abandoned:
            pass
        finally:
            self._allowed.close()
            with self.playing.changing:
                self.playing.patch.graph.registry.settle()
            self._tell_edits()

    def _is_over(self) -> bool:
        return self._closing.is_set() or not self.playing.running

    def _look(self) -> None:
        playing = self.playing
        with playing.changing:
            patch = playing.patch
            kinds = patch.graph.registry
            kinds.steadfast = True
            state = patch, kinds.files()
            if state != self._last:
                self._last, self._settled = state, False  # somebody may be writing still
                return
            if self._settled:
                return
            self._settled = True
            before = dict(patch.graph.nodes)
        self._bring(patch.document)
        with playing.changing:
            if playing.patch is patch:
                self._tell(kinds)
                self._update([id for id, entry in patch.graph.nodes.items() if _is_another(before.get(id), entry)])
        self.looks += 1

    def _bring(self, document: Document) -> None:
        """Load what is new. The patch is not touched while something is tried."""
        for _ in range(DEEPEST):
            with self.playing.changing:
                document.graph.refresh()
                self._follow_edits(document)
                found = wanted(document)
            if not found:
                return
            for item in found:
                take(item, self._is_over)

    def _update(self, changed: list[str]) -> None:
        if not changed:
            return
        try:
            self.playing.update()
        except NodegraphError as error:
            for problem in error.problems:
                self._say_problem(problem.node or "", problem)
        else:
            for id in changed:
                self.playing.say(id, f"plays {self.playing.patch.graph.node(id).kind} as it is now.")

    def _tell(self, kinds: PatchKinds) -> None:
        """Say what is wrong with the files, each thing once."""
        nodes = self.playing.patch.graph.nodes
        found = {problem: kind for kind, problem in kinds.troubles()}
        for problem, kind in found.items():
            if problem not in self._said:
                self._say_problem(next((id for id, entry in nodes.items() if entry.kind == kind), ""), problem)
        self._said = set(found)

    def _say_problem(self, node: str, problem: Problem) -> None:
        line = f" The line is: {problem.source.strip()}" if problem.source else ""
        what = f"{replace(problem, node=None).describe()}{line}"
        self.playing.say(node, f"{what} What was playing plays on.")

    # Trust for what is saved meanwhile.

    def _follow_edits(self, document: Document) -> None:
        if not self.trust_edits:
            return
        for owner in (document, *subpatches(document)):
            for _, file in owner.graph.registry.own():
                if file.path not in self._edited and is_trusted(file.path, file.digest):
                    self._allowed.enter_context(edits([file.path]))
                if file.path in self._edited or is_trusted(file.path, file.digest):
                    self._edited[file.path] = file

    def _tell_edits(self) -> None:
        for path, file in self._edited.items():
            if not record(file.digest).is_file():
                what = f"{path.name} was edited while it played. To trust it from now on: nodegraph trust"
                self.playing.say("", f"{what} {shown_path(path)}")


def _is_another(was: Any, now: Any) -> bool:
    return was is None or was.spec is not now.spec
