"""What flows along the cables, for several who look: how loud every signal is, how many messages passed, and a closer
look at single outlets.

Nothing is measured while nobody looks. Signals are measured by the engine (`runtime.compile.gauges`); whoever reads its
gauges takes the peaks away, so one does it for all and remembers for each what he has not seen yet.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.flatten import BOUNDARY, address, entry_at
from nodegraph.core.graph import Graph
from nodegraph.core.messages import Event, to_wire
from nodegraph.core.ports import CableKind
from nodegraph.core.problems import unknown_kind, unknown_node, unknown_port
from nodegraph.core.spec import Role
from nodegraph.core.view import GraphView
from nodegraph.runtime.compile.gauges import Gauges, Port, Probe
from nodegraph.runtime.edits import LEAVING
from nodegraph.runtime.player import Player
from nodegraph.session.parameters import ROOT

if TYPE_CHECKING:
    from nodegraph.session.session import Session

FRESH_S: Final = 0.01
"""What was measured a moment ago is not measured again."""
SAMPLES: Final = 2_048
"""Of a signal that is looked at closely."""
VALUES: Final = 512
"""Of a tensor, at most."""
ITEMS: Final = 64
"""Of a list, at most."""
RATE_S: Final = 2.0
"""So long back messages are counted for how many come a second."""
MOST: Final = 8
"""Outlets that one client looks at closely."""


@dataclass
class Looking:
    """What one who looks has not seen yet."""

    peaks: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    seen: dict[str, int] = field(default_factory=dict)
    number: int = -1
    silent: bool = False
    """Whether the last that was told was that all are silent."""


class Closely:
    """One outlet that is looked at closely."""

    def __init__(self, node: str, port: str, kind: CableKind, place: Port) -> None:
        """`place` is where it lies in the graph that is played."""
        self.node, self.port, self.kind, self.place = node, port, kind, place
        self.readers: set[object] = set()
        self.probe: Probe | None = None
        self.last: Event | None = None
        self._times: deque[float] = deque(maxlen=4_096)

    def heard(self, event: Event) -> None:
        """A message has left it."""
        self.last = event
        self._times.append(event.time)

    def told(self, player: Player) -> dict[str, Any]:
        """As it is now."""
        found: dict[str, Any] = {"node": self.node, "port": self.port, "kind": str(self.kind.value)}
        if self.kind is CableKind.SIGNAL:
            probe = self.probe
            channels, factor = (0, 1) if probe is None else (probe.channels, probe.factor)
            samples = np.zeros(0, np.float32) if probe is None else probe.read(SAMPLES)
            return found | {"channels": channels, "rate": player.rate * factor, "samples": samples.tobytes()}
        now, last = player.engine.done / player.rate, self.last
        found["ago"] = None if last is None else max(0.0, now - last.time)
        found["per_s"] = sum(at > now - RATE_S for at in self._times) / RATE_S
        if last is not None and isinstance(last.value, np.ndarray):
            flat = last.value.reshape(-1)
            which = np.arange(len(flat)) if len(flat) <= VALUES else np.linspace(0, len(flat) - 1, VALUES).astype(int)
            return found | {"shape": list(last.value.shape), "values": flat[which].tolist()}
        return found | {"value": None if last is None else _short(to_wire(last.value))}


class Cables:
    """The cables of a session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._looking: dict[object, Looking] = {}
        self._closely: dict[tuple[str, str], Closely] = {}
        self._left: list[Closely] = []
        self._counts: dict[str, int] = {}
        self._events: list[list[Any]] = []
        self._player: Player | None = None
        self._changed = False
        self._gauges: Gauges | None = None
        self._number = 0
        self._names: list[str] = []
        self._which: NDArray[np.intp] = np.zeros(0, np.intp)
        self._at = 0.0

    # -- who looks

    def look(self, reader: object) -> None:
        """He wants to know of all cables from now on."""
        with self._lock:
            self._looking.setdefault(reader, Looking(seen=dict(self._counts)))

    def look_away(self, reader: object) -> None:
        """He does not any more; but looks closely at what he did."""
        with self._lock:
            self._looking.pop(reader, None)

    def forget(self, reader: object) -> None:
        """He has gone."""
        self.look_away(reader)
        for node, port in list(self._closely):
            self.leave(reader, node, port)

    def probe(self, reader: object, node: str, port: str) -> CableKind:
        """Look closely at an outlet from now on; gives what flows there. Raises PatchError when there is none such."""
        graph = self._session.patch.graph
        kind = outlet_kind(graph, node, port)
        with self._lock:
            others = [one for place, one in self._closely.items() if place != (node, port)]
            if sum(reader in one.readers for one in others) >= MOST:
                what = f"More than {MOST} outlets at once are too many to look at."
                raise PatchError(Problem("too-many-probes", what, "Stop looking at one."))
            one = self._closely.get((node, port))
            if one is None:
                one = self._closely[node, port] = Closely(node, port, kind, address(graph.view, node, port))
                playing = self._session.playing
                if playing is not None and kind is not CableKind.SIGNAL:
                    for event in playing.heard.taken():
                        if (event.node, event.port) == (node, port):
                            one.heard(event)
                self._changed = True
            one.readers.add(reader)
        return kind

    def leave(self, reader: object, node: str, port: str) -> None:
        """Look at it no more."""
        with self._lock:
            one = self._closely.get((node, port))
            if one is not None:
                one.readers.discard(reader)
                if not one.readers:
                    self._left.append(self._closely.pop((node, port)))
                    self._changed = True

    def closely_seen(self, reader: object) -> int:
        """How many outlets he looks at closely."""
        with self._lock:
            return sum(reader in one.readers for one in self._closely.values())

    # -- what happens

    def heard(self, event: Event) -> None:
        """On the player's thread: a message has left an outlet."""
        if self._session.news.wanted("events"):
            self._events.append([f"{ROOT}/{event.node}/{event.port}", event.time, to_wire(event.value)])
        if not self._looking and not self._closely:
            return
        with self._lock:
            name = f"{ROOT}/{event.node}/{event.port}"
            self._counts[name] = self._counts.get(name, 0) + 1
            one = self._closely.get((event.node, event.port))
            if one is not None:
                one.heard(event)

    def follow(self, player: Player) -> None:
        """On the player's thread, every round: tell what was sent in it, and have measured what is looked at, by
        whichever player plays now."""
        if self._events:
            events, self._events = self._events, []
            self._session.news.tell("events", {"events": events})
        closely = any(one.kind is CableKind.SIGNAL for one in list(self._closely.values()))
        player.watched = bool(self._looking) or closely
        if not self._changed and player is self._player:
            return
        with self._lock:
            self._changed, before, self._player = False, self._player, player
            left, self._left = self._left, []
            for one in left:
                if one.probe is not None and before is player:
                    player.engine.probes.remove(one.probe)
            for one in self._closely.values():
                if one.kind is CableKind.SIGNAL and (one.probe is None or before is not player):
                    one.probe = player.engine.probes.add(*one.place)

    # -- what is told

    def read(self, reader: object) -> Mapping[str, Any] | None:
        """The peak of every signal with a cable since this reader's last look (1.0 is full scale), and how many
        messages left each outlet; None when that is what was told last: nothing.

        ``levels`` stand in the order of ``outlets``, which are told when they are others, with a new ``number``.
        """
        with self._lock:
            mine = self._looking.get(reader)
            if mine is None:
                return None
            playing = self._session.playing
            if playing is not None and playing.running:
                self._measure(playing.player)
            else:
                self._named([], None)
            told: dict[str, Any] = {"number": self._number, "levels": mine.peaks.tolist()}
            silent = not mine.peaks.any()
            mine.peaks[:] = 0.0
            events = {name: count - mine.seen.get(name, 0) for name, count in self._counts.items()}
            told["events"] = {name: count for name, count in events.items() if count}
            mine.seen = dict(self._counts)
            if mine.number != self._number:
                mine.number = self._number
                told["outlets"] = list(self._names)
            elif silent and mine.silent and not told["events"]:
                return None
            mine.silent = silent
            return told

    def closely(self, reader: object) -> Mapping[str, Any]:
        """What this reader looks at closely."""
        with self._lock:
            playing = self._session.playing
            if playing is None or not playing.running:
                return {"playing": False, "probes": []}
            found = [one.told(playing.player) for one in self._closely.values() if reader in one.readers]
        return {"playing": True, "probes": found}

    def _measure(self, player: Player) -> None:
        gauges = player.engine.probes.gauges
        if gauges is None or time.monotonic() - self._at < FRESH_S:
            return
        self._at = time.monotonic()
        if gauges is not self._gauges:
            self._named([(number, name_of(gauges.view, *port)) for number, port in enumerate(gauges.ports)], gauges)
        peaks = gauges.read()[self._which]
        for one in self._looking.values():
            if len(one.peaks) != len(peaks):
                one.peaks = np.zeros(len(peaks), np.float32)
            np.maximum(one.peaks, peaks, out=one.peaks)

    def _named(self, ports: list[tuple[int, str | None]], gauges: Gauges | None) -> None:
        """Outlets are numbered anew, if they are others."""
        self._gauges = gauges
        names = [name for _, name in ports if name is not None]
        self._which = np.array([number for number, name in ports if name is not None], np.intp)
        if names != self._names:
            self._names = names
            self._number += 1
            for one in self._looking.values():
                one.peaks = np.zeros(len(names), np.float32)


def name_of(view: GraphView, node: str, outlet: str) -> str | None:
    """How an outlet of the played graph is called outside; None for what only plays on until it has faded."""
    if node.endswith(LEAVING):
        return None
    entry = view._store.nodes.get(node)
    spec = entry.spec if entry is not None else None
    if spec is not None and spec.role is Role.PORT and getattr(spec.cls, "direction", "") == "out" and BOUNDARY in node:
        return f"{ROOT}/{node}"  # what goes out of a subpatch is the subpatch's
    return f"{ROOT}/{node}/{outlet}"


def outlet_kind(graph: Graph, node: str, port: str) -> CableKind:
    """What flows out of an outlet. Raises PatchError when there is none such."""
    entry = entry_at(graph.view, node)
    if entry is None:
        raise PatchError(unknown_node(node, graph.nodes))
    if entry.spec is None:
        raise PatchError(unknown_kind(entry.kind, graph.registry))
    outlet = entry.spec.outlet_named.get(port)
    if outlet is None:
        raise PatchError(unknown_port(entry, port, entry.spec.outlets, "outlet"))
    return outlet.kind


def _short(value: Any) -> Any:
    """A message of which long lists and texts are cut."""
    if isinstance(value, str):
        return value[:200]
    if isinstance(value, list):
        return [_short(item) for item in value[:ITEMS]]
    return value
