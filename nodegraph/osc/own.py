"""The addresses that are the door's own: the transport, the session, and who listens.

========================  ==================  =========================================================
address                   arguments           what it does
========================  ==================  =========================================================
``/transport/tempo``      beats a minute      sets it; without: answers with it
``/transport/play``       1 or 0, or none     goes on; stands still at 0
``/transport/stop``       none                stands still
``/transport/locate``     beat, or none       goes there; without: to the first
``/session/play``         none                begins to play
``/session/stop``         none                fades out and stops
``/session/undo``         none                takes the last step back
``/session/redo``         none                does it again
``/session/save``         none                writes the patch to its file
``/subscribe``            pattern[, port]     tells of what it matches, for a minute
``/unsubscribe``          [pattern[, port]]   does not any more
========================  ==================  =========================================================
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from nodegraph.core.errors import NodegraphError, PatchError, Problem
from nodegraph.osc.building import message
from nodegraph.osc.feedback import Feedback
from nodegraph.osc.origin import Origin
from nodegraph.session.session import Session

MOST_WAITING: Final = 32
"""Commands for the session that wait for one another."""
Refuse = Callable[[Origin, str, NodegraphError], None]
Reply = Callable[[Origin, str, tuple[Any, ...]], None]


class Own:
    """Does what they ask for. On the door's thread; what takes its time goes to another."""

    def __init__(self, session: Session, feedback: Feedback, reply: Reply, refuse: Refuse) -> None:
        self.session, self.feedback = session, feedback
        self._reply, self._refuse = reply, refuse
        self._slow = ThreadPoolExecutor(1, "osc-session")
        self._waiting = 0
        self._loop = asyncio.get_running_loop()
        self._commands: dict[str, Callable[[str], object]] = {
            "/session/play": lambda by: session.play(),
            "/session/stop": lambda by: session.stop(),
            "/session/undo": lambda by: session.undo(by=by),
            "/session/redo": lambda by: session.redo(by=by),
            "/session/save": lambda by: session.save(by=by),
        }

    def do(self, address: str, args: tuple[Any, ...], frame: int, origin: Origin) -> bool:
        """Whether it was one of them. Raises NodegraphError."""
        if address.startswith("/transport/"):
            return self._transport(address, args, frame, origin)
        if address in self._commands:
            self._later(address, origin)
            return True
        if address == "/subscribe":
            self._subscribe(args, origin)
            return True
        if address == "/unsubscribe":
            pattern = None if not args else str(args[0])
            self.feedback.unsubscribe(origin.end, self._where(args, origin), pattern)
            return True
        return False

    def close(self) -> None:
        """Do no more."""
        self._slow.shutdown(wait=False, cancel_futures=True)

    # -- the transport

    def _transport(self, address: str, args: tuple[Any, ...], frame: int, origin: Origin) -> bool:
        what, session = address.removeprefix("/transport/"), self.session
        number = _number(address, args[0]) if args else None
        if what == "tempo" and number is not None:
            if not 1.0 <= number <= 1_000.0:
                number = min(max(number, 1.0), 1_000.0)
                self._reply(origin, address, (number,))
            session.transport(tempo=number, frame=frame)
        elif what == "tempo":
            clock = session.status().get("clock")
            if clock is None:
                raise PatchError(Problem("not-playing", "The patch does not play.", "Play it first: /session/play."))
            self._reply(origin, address, (float(clock["tempo"]),))
        elif what == "play":
            session.transport(play=number is None or number != 0.0, frame=frame)
        elif what == "stop":
            session.transport(play=False, frame=frame)
        elif what == "locate":
            session.transport(locate=min(max(number or 0.0, 0.0), 1e9), frame=frame)
        else:
            return False
        return True

    # -- the session

    def _later(self, address: str, origin: Origin) -> None:
        if self._waiting >= MOST_WAITING:
            raise PatchError(Problem("too-many", "The session has too much to do.", "Wait a little."))
        self._waiting += 1
        self._slow.submit(self._command, address, origin)

    def _command(self, address: str, origin: Origin) -> None:
        """On the thread for what takes its time."""
        error: NodegraphError | None = None
        try:
            self._commands[address](origin.name)
        except NodegraphError as found:
            error = found
        except Exception as found:  # the door goes on, whatever it was
            error = PatchError(Problem("internal", f"It failed: {type(found).__name__}: {found}."))
        try:
            self._loop.call_soon_threadsafe(self._done, address, origin, error)
        except RuntimeError:
            return  # the door was closed meanwhile

    def _done(self, address: str, origin: Origin, error: NodegraphError | None) -> None:
        self._waiting -= 1
        if error is not None:
            self._refuse(origin, address, error)

    # -- listeners

    def _subscribe(self, args: tuple[Any, ...], origin: Origin) -> None:
        if not args or not isinstance(args[0], str):
            what = "A subscription names the addresses that it is for."
            raise PatchError(Problem("bad-value", what, "/subscribe /patch/*/cutoff, or //* for all."))
        where = self._where(args, origin)
        name = Origin(origin.end, where).name if where != origin.where else origin.name
        found = self.feedback.subscribe(origin.end, where, name, args[0])
        known = self.session.parameters
        values = [
            message(address, (self.session.get(address),))
            for address in found
            if address in known and known[address].control is not None
        ]
        self.feedback.send(origin.end, where, values)

    @staticmethod
    def _where(args: tuple[Any, ...], origin: Origin) -> tuple[Any, ...]:
        if len(args) < 2 or origin.end.protocol != "udp":
            return origin.where
        port = args[1]
        if not isinstance(port, (int, float)) or port != port or not 1 <= port <= 65_535:
            raise PatchError(Problem("bad-port", f"{port!r} is no port.", "It goes from 1 to 65535."))
        return origin.at_port(int(port))


def _number(address: str, value: Any) -> float:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise PatchError(Problem("bad-value", f"{address} takes a number."))
    return float(value)
