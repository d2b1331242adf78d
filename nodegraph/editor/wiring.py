"""A cable that the hand holds: where it may end, and why not elsewhere."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from nodegraph.core.cable import Cable
from nodegraph.core.errors import Problem
from nodegraph.core.graph import Graph
from nodegraph.editor.scene import Port, Scene

Point = tuple[float, float]


@dataclass
class Wiring:
    """A cable with one end at a port and the other in the hand."""

    start: Port
    at: Point
    fits: set[tuple[str, str, bool]] = field(default_factory=set)
    """The ports at which it may end."""
    over: Port | None = None
    """The port to which it would be joined if it were let go."""
    taken: Cable | None = None
    """The cable whose end it is that was taken, when it is not a new one."""
    again: bool = False
    """Whether the next one begins at the same port when this one is joined."""

    def cable(self, port: Port) -> Cable:
        """The cable between its start and another port; whichever of the two is the outlet."""
        outlet, inlet = (self.start, port) if self.start.out else (port, self.start)
        return Cable(outlet.node, outlet.name, inlet.node, inlet.name)


def begun(scene: Scene, start: Port, at: Point, taken: Cable | None = None) -> Wiring:
    """A cable from a port: core's own rules say what it may be joined to, without the cable that was `taken`."""
    made = Wiring(start, at, taken=taken)
    graph = _rest(scene, taken)
    for box in scene.boxes.values():
        for port in box.inlets if start.out else box.outlets:
            cable = made.cable(port)
            if cable not in graph.cables and graph.why_not(cable) is None:
                made.fits.add(port.key)
    return made


def over(scene: Scene, wiring: Wiring, x: float, y: float, zoom: float) -> Port | None:
    """The port meant at a point: the one within reach; else of the box there the nearest where it may end."""
    found = scene.port_at(x, y, zoom, out=not wiring.start.out)
    if found is not None:
        return found
    box = scene.box_at(x, y)
    if box is None or box.node == wiring.start.node:
        return None
    ports = [port for port in (box.inlets if wiring.start.out else box.outlets) if port.key in wiring.fits]
    return min(ports, key=lambda port: abs(box.x + port.at - x), default=None)


def why_not(scene: Scene, wiring: Wiring, port: Port) -> Problem | None:
    """Why it cannot end there; None when it can."""
    return _rest(scene, wiring.taken).why_not(wiring.cable(port))


def taken_at(scene: Scene, port: Port, chosen: Collection[Cable], *, any_there: bool = False) -> Wiring | None:
    """The cable whose end at a port the hand takes: one of the `chosen`, or, with `any_there`, one that ends there.

    Its other end stays where it is.
    """
    graph = scene.document.graph
    here = graph.out_of(port.node, port.name) if port.out else graph.into(port.node, port.name)
    cable = next((cable for cable in here if cable in chosen), here[-1] if any_there and here else None)
    if cable is None:
        return None
    end = (cable.to_node, cable.to_port, False) if port.out else (cable.from_node, cable.from_port, True)
    start = scene.port(*end)
    return None if start is None else begun(scene, start, scene.boxes[port.node].place(port), cable)


def _rest(scene: Scene, taken: Cable | None) -> Graph:
    graph = scene.document.graph
    if taken is None or taken not in graph.cables:
        return graph
    rest = graph.copy()
    rest.disconnect(taken)
    return rest
