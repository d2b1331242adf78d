"""Nodes as a patch of their own: what is laid across becomes inlets and outlets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nodegraph.core.cable import Cable
from nodegraph.core.commands import Add, Command, Connect, Remove
from nodegraph.core.document import Document
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.graph import Graph
from nodegraph.core.patchfile import dumps
from nodegraph.core.ports import CableKind

Point = tuple[float, float]
INLETS: Final = {CableKind.SIGNAL: "inlet~", CableKind.EVENT: "inlet"}
OUTLETS: Final = {CableKind.SIGNAL: "outlet~", CableKind.EVENT: "outlet"}
ABOVE: Final = 70.0
APART: Final = 110.0


@dataclass(frozen=True, slots=True)
class Encapsulated:
    """The text of the new patch, its name, and what puts a node of it in the place of the nodes."""

    text: str
    kind: str
    node: str
    commands: list[Command]


def encapsulated(document: Document, nodes: Iterable[str], places: Mapping[str, Point], kind: str) -> Encapsulated:
    """`places` are where boxes stand. Raises PatchError when a cable crosses for which there is no inlet or outlet."""
    whole = document.graph
    chosen = set(nodes)
    inside = [id for id in whole.nodes if id in chosen]
    graph = Graph(whole.registry)
    for id in inside:
        graph.put(whole.node(id))
    coming: dict[tuple[str, str], list[Cable]] = {}
    going: dict[tuple[str, str], list[Cable]] = {}
    for cable in whole.cables:
        enters, leaves = cable.to_node in chosen, cable.from_node in chosen
        if enters and leaves:
            graph.lay(cable)
        elif enters:
            coming.setdefault((cable.from_node, cable.from_port), []).append(cable)
        elif leaves:
            going.setdefault((cable.from_node, cable.from_port), []).append(cable)
    node = whole.free_id(Path(kind).stem)
    view = {id: list(places[id]) for id in inside if id in places}
    top, bottom = _rows(view)
    left = min((at[0] for at in view.values()), default=0.0)
    commands: list[Command] = [Remove(id) for id in inside]
    commands.append(Add(node, kind, at=_middle(view)))
    for number, cables in enumerate(coming.values()):
        port = _port(graph, cables[0].to_port, INLETS, _kind(document, cables))
        view[port] = [left + APART * number, top - ABOVE]
        for cable in cables:
            graph.connect((port, "y"), (cable.to_node, cable.to_port))
        commands.append(Connect(str(Cable(cables[0].from_node, cables[0].from_port, node, port))))
    for number, ((id, name), cables) in enumerate(going.items()):
        port = _port(graph, name, OUTLETS, _kind(document, cables))
        view[port] = [left + APART * number, bottom + ABOVE]
        graph.connect((id, name), (port, "x"))
        commands += [Connect(str(Cable(node, port, cable.to_node, cable.to_port))) for cable in cables]
    found = Document(graph, view={id: document.view[id] for id in inside if id in document.view})
    for id, (x, y) in view.items():  # a box goes on showing the controls that it shows
        found.put(id, [round(x), round(y)])
    text = dumps(found)
    return Encapsulated(text, kind, node, commands)


def _kind(document: Document, cables: list[Cable]) -> CableKind:
    kind = document.graph.cable_kind(cables[0])
    if kind not in INLETS:
        what = f"The cable {cables[0]} carries {'a ' + str(kind) if kind else 'what is not known'} across."
        raise PatchError(
            Problem("cannot-cross", what, "Signals and events go into a subpatch. Select its other end, too.")
        )
    return kind


def _port(graph: Graph, name: str, kinds: Mapping[CableKind, str], kind: CableKind) -> str:
    """A new inlet or outlet, called as the port inside where that is free."""
    id, number = name, 1
    while id in graph.nodes:
        number += 1
        id = f"{name}{number}"
    return graph.add(kinds[kind], id)


def _rows(view: Mapping[str, list[float]]) -> tuple[float, float]:
    ys = [at[1] for at in view.values()] or [0.0]
    return min(ys), max(ys)


def _middle(view: Mapping[str, list[float]]) -> Point:
    xs, ys = [at[0] for at in view.values()] or [0.0], [at[1] for at in view.values()] or [0.0]
    return round((min(xs) + max(xs)) / 2), round((min(ys) + max(ys)) / 2)
