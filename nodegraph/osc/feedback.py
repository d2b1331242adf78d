"""Who listens to a patch by OSC, and is told what moves: values and messages, gathered and sent fifty times a second.

A listener subscribes with patterns of addresses, and does so again before its time is over; one that is gone is
dropped. Of a value that moves several times in between the last one is told. Who moved it is not told of it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

from nodegraph.core.errors import NodegraphError, PatchError, Problem
from nodegraph.core.messages import from_wire
from nodegraph.osc.addresses import Addresses, Pattern
from nodegraph.osc.building import Floats, arguments, bundle, message
from nodegraph.osc.receiving import End, Where
from nodegraph.session.session import Session

PERIOD_S: Final = 0.02
LASTS_S: Final = 60.0
MOST: Final = 64
MOST_PATTERNS: Final = 64
MOST_WAITING: Final = 4_096
"""News that wait for the next round; older ones are given up."""
SMALL: Final = 1_400
"""Bytes of a bundle that any network carries in one piece."""


class Listener:
    """One that is told. `name` is what its own moves are told under."""

    def __init__(self, end: End, where: Where, name: str) -> None:
        self.end, self.where, self.name = end, where, name
        self.patterns: dict[str, float] = {}
        """Pattern → until when it holds, on the monotonic clock."""
        self.addresses: frozenset[str] = frozenset()


class Feedback:
    """The listeners of one door. On the loop's thread, but for `hear`."""

    def __init__(
        self, session: Session, addresses: Callable[[], Addresses], sent: Callable[[bool], None], clock: Any = None
    ) -> None:
        """`addresses`: those of the patch as it is now; `sent` is told of every packet, whether it went."""
        self.session, self.listeners = session, dict[tuple[int, Where], Listener]()
        self._addresses, self._sent = addresses, sent
        self._clock: Callable[[], float] = clock or time.monotonic
        self._news: deque[tuple[str, Any]] = deque(maxlen=MOST_WAITING)
        self._floats = Floats()
        self._awake = False
        self._hearing = False
        self._loop = asyncio.get_running_loop()
        self._closed = False

    # -- listeners

    def subscribe(self, end: End, where: Where, name: str, pattern: str) -> list[str]:
        """Have a listener told of what a pattern matches, for a minute from now on; returns the addresses.

        Raises OscError when it is no pattern, PatchError when there are too many.
        """
        Pattern(pattern)
        key = id(end), where[:2]
        listener = self.listeners.get(key)
        if listener is None:
            self.expire()
            if len(self.listeners) >= MOST:
                raise PatchError(Problem("too-many", f"{MOST} listen already.", "Unsubscribe one."))
            listener = self.listeners[key] = Listener(end, where, name)
        if pattern not in listener.patterns and len(listener.patterns) >= MOST_PATTERNS:
            raise PatchError(Problem("too-many", f"One listener has {MOST_PATTERNS} patterns at most."))
        listener.patterns[pattern] = self._clock() + LASTS_S
        self._follow(listener)
        self._hear_or_not()
        return [address for address in self._addresses().matching(pattern) if address in listener.addresses]

    def unsubscribe(self, end: End, where: Where, pattern: str | None = None) -> bool:
        """Take back a pattern, or all; whether there was something."""
        key = id(end), where[:2]
        listener = self.listeners.get(key)
        if listener is None:
            return False
        there = pattern is None or listener.patterns.pop(pattern, None) is not None
        if pattern is None or not listener.patterns:
            del self.listeners[key]
        else:
            self._follow(listener)
        self._hear_or_not()
        return there

    def dead(self, end: End, where: Where | None = None) -> None:
        """Nobody is there any more."""
        gone = [key for key in self.listeners if key[0] == id(end) and (where is None or key[1] == where[:2])]
        for key in gone:
            del self.listeners[key]
        self._hear_or_not()

    def expire(self) -> None:
        """Drop those that did not subscribe again in time."""
        now = self._clock()
        for key, listener in list(self.listeners.items()):
            over = [pattern for pattern, until in listener.patterns.items() if until < now]
            for pattern in over:
                del listener.patterns[pattern]
            if not listener.patterns:
                del self.listeners[key]
            elif over:
                self._follow(listener)
        self._hear_or_not()

    def follow(self) -> None:
        """The patch is another one, or has changed."""
        for listener in self.listeners.values():
            self._follow(listener)

    def _follow(self, listener: Listener) -> None:
        addresses = self._addresses()
        listener.addresses = frozenset(item for pattern in listener.patterns for item in addresses.matching(pattern))

    def _hear_or_not(self) -> None:
        """Ask for news as long as somebody wants them: messages cost the patch something to tell."""
        wanted = bool(self.listeners) and not self._closed
        if wanted != self._hearing:
            self._hearing = wanted
            (self.session.news.listen if wanted else self.session.news.leave)(self.hear, ("values", "events"))

    # -- news

    def hear(self, topic: str, data: Any) -> None:
        """From the session, on any thread."""
        self._news.append((topic, data))
        if not self._awake:
            self._awake = True
            try:
                self._loop.call_soon_threadsafe(self._soon)
            except RuntimeError:  # the door was closed meanwhile
                self._awake = False

    def _soon(self) -> None:
        self._loop.call_later(PERIOD_S, self.flush)

    def flush(self) -> None:
        """Tell what has come together."""
        self._awake = False
        values: dict[str, tuple[float, str]] = {}
        told: list[tuple[str, bytes]] = []
        while self._news:
            topic, data = self._news.popleft()
            if topic == "values":
                by = data["by"]
                values.update((address, (value, by)) for address, value in data["values"].items())
            else:
                told += self._told(data["events"])
        packets: dict[str, bytes] = {}
        for listener in list(self.listeners.values()):
            mine = []
            for address, (value, by) in values.items():
                if address in listener.addresses and by != listener.name:
                    packet = packets.get(address)
                    if packet is None:
                        packet = packets[address] = self._floats.message(address, value)
                    mine.append(packet)
            mine += [packet for address, packet in told if address in listener.addresses]
            self.send(listener.end, listener.where, mine)

    def _told(self, events: Iterable[Any]) -> list[tuple[str, bytes]]:
        wanted = frozenset().union(*(listener.addresses for listener in self.listeners.values()))
        found = []
        for address, _, wire in events:
            if address in wanted:
                try:
                    found.append((address, message(address, arguments(from_wire(wire)))))
                except NodegraphError:
                    self._sent(False)
        return found

    def send(self, end: End, where: Where, packets: list[bytes]) -> None:
        """Several packets to one listener, as bundles where they are more than one."""
        start = 0
        while start < len(packets):
            size, stop = 16, start
            while stop < len(packets) and (stop == start or size + 4 + len(packets[stop]) <= SMALL):
                size += 4 + len(packets[stop])
                stop += 1
            part = packets[start:stop]
            self._sent(end.send(part[0] if len(part) == 1 else bundle(part), where))
            start = stop

    def close(self) -> None:
        """Tell nobody any more."""
        self._closed = True
        self.listeners.clear()
        self._hear_or_not()
