"""A cable that the hand holds: where it may end, and why not elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from nodegraph.core.cable import Cable
from nodegraph.core.errors import Problem
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

    def cable(self, port: Port) -> Cable:
        """The cable between its start and another port; whichever of the two is the outlet."""
        outlet, inlet = (self.start, port) if self.start.out else (port, self.start)
        return Cable(outlet.node, outlet.name, inlet.node, inlet.name)


def begun(scene: Scene, start: Port, at: Point) -> Wiring:
    """A cable from a port: core's own rules say what it may be joined to."""
    made = Wiring(start, at)
    graph = scene.document.graph
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
    return scene.document.graph.why_not(wiring.cable(port))
