"""What leaves the event and tensor outlets of a patch while it plays."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from queue import SimpleQueue

from nodegraph.core.document import Document
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.flatten import BOUNDARY, document_of, entry_at, flatten
from nodegraph.core.hints import did_you_mean, listed
from nodegraph.core.messages import Event
from nodegraph.core.ports import CableKind
from nodegraph.core.spec import Role
from nodegraph.core.view import GraphView
from nodegraph.runtime.player import Player

Port = tuple[str, str]
LOUD = (CableKind.EVENT, CableKind.TENSOR)


class Heard:
    """Collects every message of every outlet, and hands them on.

    ``most``: how many are kept; None keeps all. Messages are collected on the player's thread.
    """

    def __init__(self, player: Player, document: Document, most: int | None = None) -> None:
        self.player = player
        self.events: deque[Event] = deque(maxlen=most)
        self._names: dict[Port, Port] = {}
        self._newest: dict[Port, Port] = {}
        self._ears: list[tuple[frozenset[Port] | None, Callable[[Event], None]]] = []
        self._lock = threading.Lock()
        self.follow(document)
        player.messages.everything = self._take

    def follow(self, document: Document) -> None:
        """Hear the outlets of this patch, and for the fade of an edit those of the last one."""
        before, self._newest = self._newest, dict(outlets(document))
        self._names = {**before, **self._newest}

    def _take(self, event: Event) -> None:
        port = event.node, event.port
        name = self._names.get(port)
        if name is None:
            return
        if name != port:
            event = replace(event, node=name[0], port=name[1])
        with self._lock:
            self.events.append(event)
            ears = list(self._ears)
        for ports, call in ears:
            if ports is None or (event.node, event.port) in ports:
                call(event)

    def queue(self, ports: Iterable[Port] | None) -> SimpleQueue[Event | None]:
        """A queue of the messages of these outlets (None: of all), beginning with those that are still kept."""
        wanted = None if ports is None else frozenset(ports)
        found: SimpleQueue[Event | None] = SimpleQueue()
        with self._lock:
            for event in self.events:
                if wanted is None or (event.node, event.port) in wanted:
                    found.put(event)
            self._ears.append((wanted, found.put))
        return found

    def tell(self, call: Callable[[Event], None]) -> None:
        """Call `call` with every message from now on, on the player's thread."""
        with self._lock:
            self._ears.append((None, call))

    def taken(self) -> list[Event]:
        """What was kept, in the order of time."""
        with self._lock:
            return sorted(self.events, key=lambda event: event.frame)


def outlets(document: Document) -> Iterator[tuple[Port, Port]]:
    """The outlets of the played graph that send messages, each with its name for people.

    What goes out of a subpatch has the subpatch's name: ``voice.hit``; its inlets and parameters are left out.
    """
    for entry in flatten(document).nodes.values():
        owner, id = document_of(document, entry.id)
        spec = owner.graph.nodes[id].spec
        direction = getattr(spec.cls, "direction", "") if spec and spec.role is Role.PORT else ""
        if direction in ("in", "param"):
            continue
        for port in entry.spec.outlets if entry.spec else ():
            if port.kind in LOUD:
                within = entry.id.rpartition(BOUNDARY)[0]
                if direction == "out" and not within:
                    continue
                yield (entry.id, port.name), (within, id) if direction == "out" else (entry.id, port.name)


def port_of(view: GraphView, text: str) -> Port:
    """``"ears.tags"`` as an outlet whose messages can be heard. Raises PatchError."""
    node, _, name = text.partition(".")
    entry = entry_at(view, node) or view.node(node)
    names = [port.name for port in (entry.spec.outlets if entry.spec else ()) if port.kind in LOUD]
    if not name and names:
        return node, names[0]
    if name not in names:
        do = did_you_mean(name, names, f"Those that do are {listed(names)}.")
        what = f"'{text}' sends no messages."
        raise PatchError(Problem("unknown-port", what, do, node=node, port=name or None))
    return node, name
