"""The log of a session: its last lines, kept for clients that come later."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from nodegraph.core.errors import Fault
from nodegraph.session.news import News

LINES: Final = 1_000


class Journal:
    """What was said. `say` may be called from any thread."""

    def __init__(self, news: News, report: Callable[[str, str], None] | None) -> None:
        """`report` gets the lines besides those who listen to the news."""
        self.lines: deque[dict[str, Any]] = deque(maxlen=LINES)
        """``at`` (seconds since 1970), ``node``, ``text``, and ``fault`` where something went wrong."""
        self._news, self._report = news, report

    def say(self, node: str, text: str) -> None:
        """A line, told to everybody."""
        if self._report is not None:
            self._report(node, text)
        line: dict[str, Any] = {"at": round(time.time(), 3), "node": node, "text": str(text)}
        if isinstance(text, Fault):
            line["fault"] = True
        self.lines.append(line)
        self._news.tell("log", line)
