"""An engine that ended although nobody wanted it, and edits that were never saved: what to do is asked."""

from __future__ import annotations

from collections.abc import Callable

from nodegraph.core.errors import NodegraphError
from nodegraph.editor.editing import Editing
from nodegraph.editor.engine import Engine
from nodegraph.editor.gui.question import Question


class Returning:
    """Keeps an eye on the editor's own engine."""

    def __init__(
        self, editing: Editing, engine: Engine | None, question: Question, lost: Callable[[], str | None]
    ) -> None:
        """`lost` says in words when the edits of the patch were made that were never saved; None without any."""
        self.editing, self.engine, self.question, self._lost = editing, engine, question, lost
        self._asked = False

    def turn(self) -> None:
        """Ask, when there is something to ask."""
        engine, editing = self.engine, self.editing
        if engine is None or self._asked:
            return
        gone = editing.sheets.open[0].mirror.ready and not editing.link.up and engine.ended
        if not engine.waits and not gone:
            return
        self._asked = True
        at = self._lost()
        title = "Never saved" if engine.waits else "The engine has ended"
        words = "" if engine.waits else "The engine ended by itself, and with it the sound. "
        if at is None:
            self.question.ask(title, words, [("Start it again", self._start), ("Leave it", self._leave)])
            return
        self.question.ask(
            title, f"{words}Edits of {at} were never saved.",
            [
                ("Take them up", lambda: self._start("--recover", "take")),
                ("Leave them", lambda: self._start("--recover", "forget")),
                ("Decide later", self._start),  # they are kept until then
            ],
        )  # fmt: skip

    def _start(self, *how: str) -> None:
        assert self.engine is not None
        try:
            self.engine.start(*how)
        except NodegraphError as error:
            self.editing.say(str(error))
        self.editing.lost = None
        self.editing.link.look_again()
        self._asked = False

    def _leave(self) -> None:
        self.editing.say("There is no engine: nothing can be changed. Close the window and open the patch again.")
