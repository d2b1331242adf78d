"""What waits to be sent to one client, and never grows without end.

Of values, and of what is told again and again, only the newest counts: it takes the room of one message, however slowly
a client reads.
Everything else is kept in order, up to a bound; then the client is beyond help, and whoever sends closes it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from nodegraph.session.layout import Gathered

Data = Mapping[str, Any]
Encode = Callable[[Mapping[str, Any]], bytes | str]
Lean = Callable[[Data], Iterator[tuple[str, Data]]]
MOST_BYTES: Final = 4 << 20
MOST_EVENTS: Final = 200
"""Messages of one outlet and another that wait in one piece; older ones are lost, and counted."""
NEWEST: Final = ("meters", "status", "cables", "probe")


class Outbox:
    """Messages to one client. All methods are called on one thread."""

    def __init__(self, encode: Encode, lean: Lean, most: int = MOST_BYTES) -> None:
        self.encode = encode
        self.full = False
        """It holds more than it may: the client does not read."""
        self.lost_events = 0
        self._lean = lean
        self._most = most
        self._waiting: deque[bytes | str] = deque()
        self._size = 0
        self._values = Gathered()
        self._by = ""
        self._newest: dict[str, Data] = {}
        self._events: deque[Any] = deque()

    def answer(self, data: Data) -> None:
        """An answer; in order."""
        self._add(self.encode(data))

    def push(self, topic: str, data: Data) -> None:
        """News."""
        if topic == "values":
            self._by = data["by"] if not self._values or self._by == data["by"] else ""
            self._values.add(data["values"])
        elif topic in NEWEST and "outlets" not in data:  # which must not be lost: later news are numbered by them
            self._newest[topic] = data
        elif topic == "events":
            self._events.extend(data["events"])
            while len(self._events) > MOST_EVENTS:
                self._events.popleft()
                self.lost_events += 1
        else:
            self._settle()
            self._add(self.encode({"on": topic, **data}))

    def take(self) -> bytes | str | None:
        """The next message to send; None when there is none."""
        if not self._waiting:
            self._settle()
            for topic in list(self._newest):
                self._add(self.encode({"on": topic, **self._newest.pop(topic)}))
        if not self._waiting:
            return None
        found = self._waiting.popleft()
        self._size -= len(found)
        return found

    def _settle(self) -> None:
        """What was gathered until now goes before what comes next: values that were told before an edit belong to the
        patch before it."""
        if self._values:
            for topic, data in self._lean({"by": self._by, "values": self._values.take()}):
                self._add(self.encode({"on": topic, **data}))
        if self._events:
            events, self._events = list(self._events), deque()
            lost, self.lost_events = self.lost_events, 0
            self._add(self.encode({"on": "events", "events": events, **({"lost": lost} if lost else {})}))

    def _add(self, made: bytes | str) -> None:
        self._size += len(made)
        if self._size > self._most and self._waiting:
            self.full = True
            self._waiting.clear()
            self._size = 0
            return
        if not self.full:
            self._waiting.append(made)
