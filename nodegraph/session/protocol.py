"""The protocol: what a client may ask of a session, as plain data that any wire can carry.

A request is answered under its number, with what it wanted or with what is wrong::

    {"id": 1, "do": "set", "values": {"cut.cutoff": 900}}
    {"re": 1, "ok": {"values": {"/patch/cut/cutoff": 900.0}}}
    {"re": 2, "error": [{"code": "unknown-address", "what": "There is no parameter 'cut.cutof'.", "do": "…"}]}

What a client has subscribed to it is told, as it comes: ``{"on": "values", "by": "pad", "values": {…}}``.
docs/server.md lists the requests; `session.asking`, `session.looking`, `session.changing`, `session.recalling`,
`session.learning`, `session.browsing`, `session.fetching` and `session.picturing` carry them out.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from nodegraph.core.errors import Fault, NodegraphError, PatchError, Problem
from nodegraph.core.hints import shown
from nodegraph.core.messages import BANG, Note, NoteExpression, from_wire
from nodegraph.core.ports import CableKind
from nodegraph.session import asking, browsing, changing, fetching, learning, looking, picturing, recalling
from nodegraph.session.layout import Layout
from nodegraph.session.levels import Levels
from nodegraph.session.news import TOPICS
from nodegraph.session.requests import read
from nodegraph.session.session import Session

VERSION: Final = 1
"""Of the protocol. It goes up when what was legal is so no more."""
PERIODS: Final = {"meters": 0.05, "status": 1.0, "cables": 0.1}
"""Topics that are told again and again, and how often: every so many seconds."""
PROBE: Final = "probe"
PROBED_S: Final = 1 / 15
"""How often an outlet that is looked at closely is told."""
SHORTEST_S: Final = 0.02
Push = Callable[[str, Mapping[str, Any]], None]

assert all((asking, browsing, changing, fetching, learning, looking, picturing, recalling))  # they declare the requests
_count = itertools.count(1)


class Client:
    """One client of a session. `answer` may be called from any thread, one call after another."""

    def __init__(self, session: Session, push: Push, *, name: str = "", levels: Levels | None = None) -> None:
        """`push` gets what the client has subscribed to, on the thread on which it arises: it must not block. `levels`
        are the meters that the clients of one session share.
        """
        self.session = session
        self.name = name or f"client {next(_count)}"
        self.levels = levels or Levels(session)
        self.topics: set[str] = set()
        self.echo = True
        """Whether it is told of what it moved itself."""
        self.periods: dict[str, float] = {}
        self.layout: Layout | None = None
        self._push = push
        self._due: dict[str, float] = {}

    def answer(self, data: Any) -> dict[str, Any] | None:
        """Carry out a request; gives the answer. None to one without an id that went well: nobody waits for it."""
        id = data.get("id") if isinstance(data, Mapping) else None
        known = isinstance(id, (int, str, type(None)))
        if not known:
            id = None
        try:
            if not known:
                raise PatchError(
                    Problem("bad-request", "The id of a request is a number or a text.", "Send such a one.")
                )
            asked, brought = read(data)
            done = asked.call(self, brought)
        except NodegraphError as error:
            return {"re": id, "error": [problem.as_dict() for problem in error.problems]}
        except Exception as error:  # a mistake of ours: one request fails, and the log says why
            text = f"{type(error).__name__}: {error}"
            self.session.say("", Fault(f"The request {data.get('do')!r} of {self.name} failed: {text}"))
            return {"re": id, "error": [Problem("internal", f"The request failed: {text}").as_dict()]}
        return None if id is None else {"re": id, "ok": done}

    def close(self) -> None:
        """It has gone."""
        self.session.news.leave(self._hear)
        self.levels.forget(self)
        self.session.cables.forget(self)
        self.periods.clear()

    # -- what it is told

    def subscribe(self, topics: set[str], periods: Mapping[str, float]) -> None:
        """Tell it of these from now on, too. Raises PatchError for a topic that is none."""
        for topic in topics:
            if topic not in TOPICS and topic not in PERIODS:
                known = ", ".join((*TOPICS, *PERIODS))
                raise PatchError(Problem("unknown-topic", f"There is no topic '{topic}'.", f"There are {known}."))
        self.topics |= topics
        self.session.news.listen(self._hear, topics & set(TOPICS))
        if "cables" in topics:
            self.session.cables.look(self)
        self.periods |= {topic: max(periods.get(topic, PERIODS[topic]), SHORTEST_S) for topic in topics & set(PERIODS)}

    def unsubscribe(self, topics: set[str]) -> None:
        """Tell it of these no more."""
        self.topics -= topics
        self.session.news.leave(self._hear, topics & set(TOPICS))
        if "cables" in topics:
            self.session.cables.look_away(self)
        for topic in topics & set(PERIODS):
            self._tell_no_more(topic)

    def probe(self, node: str, port: str) -> CableKind:
        """Tell it again and again of one outlet; gives what flows there. Raises PatchError."""
        kind = self.session.cables.probe(self, node, port)
        self.periods[PROBE] = PROBED_S
        return kind

    def stop_probing(self, node: str, port: str) -> None:
        """Tell it of that outlet no more."""
        self.session.cables.leave(self, node, port)
        if not self.session.cables.closely_seen(self):
            self._tell_no_more(PROBE)

    def _tell_no_more(self, topic: str) -> None:
        self.periods.pop(topic, None)
        self._due.pop(topic, None)

    def _hear(self, topic: str, data: Mapping[str, Any]) -> None:
        if topic == "values" and not self.echo and data["by"] == self.name:
            return
        self._push(topic, data)

    def lean(self, data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """What ``values`` are told as: ``moved``, by number, as far as the client has a layout."""
        layout, rest = self.layout, data["values"]
        if layout is not None and layout.holds(self.session.parameters):
            packed, rest = layout.packed(rest)
            if packed is not None:
                yield "moved", {"by": data["by"], **packed}
        if rest:
            yield "values", {"by": data["by"], "values": dict(rest)}

    def tick(self, now: float | None = None) -> float | None:
        """Tell what is told again and again, as far as it is due; gives the seconds until the next, None without any.
        Whoever runs the client calls it."""
        now = time.monotonic() if now is None else now
        for topic, period in list(self.periods.items()):
            if self._due.get(topic, 0.0) <= now:
                self._due[topic] = now + period
                data = self._of(topic)
                if data is not None:
                    self._push(topic, data)
        return min((self._due.get(topic, 0.0) - now for topic in self.periods), default=None)

    def _of(self, topic: str) -> Mapping[str, Any] | None:
        """What is told of a topic now; None: nothing."""
        if topic == "cables":
            return self.session.cables.read(self)
        if topic == PROBE:
            return self.session.cables.closely(self)
        return self.levels.read(self) if topic == "meters" else self.levels.status(self)


def message_of(value: Any) -> Any:
    """A message that a client sent. Raises PatchError when it is none."""
    try:
        found = from_wire(value)
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        found = None
    if not _is_message(found):
        what = f"This is no message: {shown(value)}."
        do = 'Send a number, a text, a list, {"bang": true}, or {"note": [60, 0.8, null]}.'
        raise PatchError(Problem("bad-value", what, do))
    return found


def _is_message(value: Any) -> bool:
    if isinstance(value, (Note, NoteExpression)):  # their parts were made by from_wire
        return True
    if isinstance(value, tuple):
        return all(_is_message(item) for item in value)
    return value is BANG or isinstance(value, (bool, int, float, str, bytes))
