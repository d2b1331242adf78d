"""A patch with patches in it as one graph, which is what the engine plays.

Nodes inside a subpatch stand under the ids of the nodes around them: ``voice/osc`` is `osc` inside `voice`. The ports
of a subpatch are nodes themselves, through which sound and messages go: ``voice/x``. Parameters reach the controls that
they are joined to before anything plays: their values are stored there, and a signal that comes into one is laid to all
of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from nodegraph.core.cable import Cable
from nodegraph.core.document import Document
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.media import SOUND
from nodegraph.core.ports import CableKind, Control
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.core.subpatches import FACTORS
from nodegraph.core.values import argument_in, finite
from nodegraph.core.view import GraphView, NodeEntry, Store

MOST_NODES: Final = 65_536
MOST_PLACES: Final = 10_000
"""Subpatches that are looked through for one file."""
MOST_TIMES: Final = max(int(factor) for factor in FACTORS)
BOUNDARY: Final = "/"
OVERSAMPLED: Final = (Role.KERNEL, Role.BLOCK, Role.PORT, Role.ROUTE)
SOUNDING: Final = (Role.KERNEL, Role.BLOCK)
Address = tuple[str, str]


class Given(NamedTuple):
    """The value of an argument, and the folder from which it is meant if it is a file; None: the played patch's own."""

    value: Any
    folder: Path | None


def flatten(document: Document) -> GraphView:
    """The graph that is played. Raises PatchError when it has too many nodes."""
    view = document.graph.view
    if len(view) > MOST_NODES:
        raise PatchError(_too_many(document))
    if all(entry.spec is None or entry.spec.role not in (Role.PATCH, Role.PORT) for entry in view.nodes.values()):
        return view.copy()
    flattener = _Flattener(document)
    flattener.place(document, "", {}, {}, 1)
    flattener.lay_moving()
    return GraphView(flattener.store)


def address(view: GraphView, node: str, port: str) -> Address:
    """Where a port of a document's node lies in the flat graph: ports of subpatches are nodes there.

    `node` may itself lie inside: ``voice/osc``.
    """
    entry = entry_at(view, node)
    spec = entry.spec if entry else None
    if spec is None or spec.role is not Role.PATCH:
        return node, port
    inside = node + BOUNDARY + port
    if isinstance(spec.inlet_named.get(port), Control):
        return inside, "value"
    return inside, "y" if port in spec.outlet_named and port not in spec.inlet_named else "x"


def entry_at(view: GraphView, node: str) -> NodeEntry | None:
    """The node under an id of the flat graph, as the document that it stands in has it."""
    outer, boundary, inner = node.partition(BOUNDARY)
    entry = view._store.nodes.get(outer)
    if not boundary or entry is None:
        return entry
    if entry.spec is None or entry.spec.role is not Role.PATCH:
        return None
    return entry_at(entry.spec.cls.document.graph.view, inner)  # type: ignore[attr-defined]


def document_of(document: Document, node: str) -> tuple[Document, str]:
    """The document in which a node of the flat graph stands, and its id there."""
    outer, boundary, inner = node.partition(BOUNDARY)
    entry = document.graph._store.nodes.get(outer)
    if not boundary or entry is None or entry.spec is None or entry.spec.role is not Role.PATCH:
        return document, node
    return document_of(entry.spec.cls.document, inner)  # type: ignore[attr-defined]


def subpatches(document: Document) -> Iterator[Document]:
    """The documents of the patch files in a patch, each once, those inside them too."""
    seen: set[Path] = set()
    waiting = [document]
    while waiting:
        for entry in waiting.pop().graph.nodes.values():
            if entry.spec is None or entry.spec.role is not Role.PATCH:
                continue
            path = entry.spec.cls.path  # type: ignore[attr-defined]
            if path not in seen:
                seen.add(path)
                inner: Document = entry.spec.cls.document  # type: ignore[attr-defined]
                yield inner
                waiting.append(inner)


def places(document: Document, prefix: str = "") -> Iterator[tuple[str, Document]]:
    """The patches in a patch, every time that they stand in it, with what stands before the ids of their nodes. Patches
    within patches may stand in it more often than anybody can count: take as many as are wanted.
    """
    for entry in document.graph.nodes.values():
        if entry.spec is not None and entry.spec.role is Role.PATCH:
            inner: Document = entry.spec.cls.document  # type: ignore[attr-defined]
            yield f"{prefix}{entry.id}{BOUNDARY}", inner
            yield from places(inner, f"{prefix}{entry.id}{BOUNDARY}")


class _Flattener:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.store = Store()
        self.store.nodes_sorted = self.store.cables_sorted = False
        self.moving: list[tuple[str, str, str]] = []
        """Signals into parameters: the node and outlet that they come from, and the parameter."""

    def place(
        self,
        document: Document,
        prefix: str,
        params: Mapping[str, Any],
        arguments: Mapping[str, Given],
        factor: int,
        token: object = None,
    ) -> None:
        """Add the nodes and cables of a document.

        `params` and `arguments` are those that the outer node stores, `token` is its token.
        """
        view = document.graph.view
        values = {
            id: params.get(id, entry.value("value"))
            for id, entry in view.nodes.items()
            if entry.spec and _direction(entry.spec) == "param"
        }
        home = document.folder if prefix else None
        known = {
            id: arguments.get(id, Given(entry.value("default"), home))
            for id, entry in view.nodes.items()
            if entry.spec and _direction(entry.spec) == "argument"
        }
        moved = _moved(view, values)
        for id, entry in view.nodes.items():
            spec = entry.spec
            if spec is None:
                continue
            direction = _direction(spec)
            if direction == "argument":
                continue
            stored = {**entry.params, **moved.get(id, {})}
            given = {
                name: known.get(argument_in(value) or "", Given(value, home)) for name, value in stored.items()
            }  # fmt: skip
            if spec.role is Role.PATCH:
                self._inner(entry, given, prefix, factor, token)
                continue
            if known or prefix:
                stored = {name: _meant(spec, name, item) for name, item in given.items()}
            if direction == "param":
                stored = {"value": values[id]}
            if direction:
                spec = spec.cls.inside(spec)  # type: ignore[attr-defined]
            elif stored is not entry.params and spec.cls.shapes:
                spec = self._shaped(document, entry, prefix + id, stored)
            token_here = _token(token, entry)
            self._add(replace(entry, id=prefix + id, params=stored, spec=spec, token=token_here), factor)
        for cable in view.cables:
            self._lay(view, cable, prefix)

    def _inner(self, entry: NodeEntry, given: Mapping[str, Given], prefix: str, factor: int, token: object) -> None:
        """Add what is inside a subpatch."""
        spec = entry.spec
        assert spec is not None
        times = given["oversample"].value if "oversample" in given else "1"
        factor *= int(times) if times in FACTORS else 1
        if factor > MOST_TIMES:
            what = f"It would run at {factor} times the engine's rate, with the patches around it that are oversampled."
            do = f"All factors together make {MOST_TIMES} at most."
            raise PatchError(Problem("oversampled-too-often", what, do, node=prefix + entry.id, port="oversample"))
        params = {name: item.value for name, item in given.items() if name in spec.inlet_named}
        arguments = {name: item for name, item in given.items() if name not in spec.inlet_named}
        inner: Document = spec.cls.document  # type: ignore[attr-defined]
        self.place(inner, prefix + entry.id + BOUNDARY, params, arguments, factor, _token(token, entry))

    def _shaped(self, document: Document, entry: NodeEntry, id: str, stored: Mapping[str, Any]) -> NodeSpec | None:
        """The spec of a node whose settings arguments may give. Raises PatchError when they make no node."""
        kinds = document.graph.registry
        assert entry.spec is not None
        if any(argument_in(entry.params.get(name)) for name in entry.spec.cls.shapes):
            wrong = kinds.why_not_shaped(entry.kind, stored)
            if wrong:
                raise PatchError(replace(problem, node=id) for problem in wrong)
        return kinds.shaped(entry.kind, stored)

    def _add(self, entry: NodeEntry, factor: int) -> None:
        if len(self.store.nodes) >= MOST_NODES:
            raise PatchError(_too_many(self.document))
        self.store.nodes[entry.id] = entry
        if factor != 1 and entry.spec is not None and entry.spec.role in OVERSAMPLED:
            self.store.factors[entry.id] = factor

    def _lay(self, view: GraphView, cable: Cable, prefix: str) -> None:
        source, target = view._store.nodes[cable.from_node], view._store.nodes[cable.to_node]
        if source.spec is None or target.spec is None or not _has(source, cable.from_port, target, cable.to_port):
            return
        from_node, from_port = address(view, cable.from_node, cable.from_port)
        to_node, to_port = address(view, cable.to_node, cable.to_port)
        if view.cable_kind(cable) is CableKind.SIGNAL and to_port == "value" and _is_param(target, cable.to_port):
            self.moving.append((prefix + from_node, from_port, prefix + to_node))
            return
        self._join(Cable(prefix + from_node, from_port, prefix + to_node, to_port))

    def _join(self, cable: Cable) -> None:
        store = self.store
        if cable in store.cables:
            return
        store.cables[cable] = None
        for index, node, port in ((store.into, cable[2], cable[3]), (store.out_of, cable[0], cable[1])):
            ports = index.get(node, {})
            index[node] = {**ports, port: (*ports.get(port, ()), cable)}

    def lay_moving(self) -> None:
        """Lay the signals that come into parameters to the controls that these move."""
        for node, outlet, param in self.moving:
            for target, inlet in self._controls(param):
                self._join(Cable(node, outlet, target, inlet))
        for index in (self.store.into, self.store.out_of):
            for node, ports in index.items():
                index[node] = {port: tuple(sorted(row, key=lambda cable: cable.key)) for port, row in ports.items()}

    def _controls(self, param: str) -> Iterator[Address]:
        """The controls of sound nodes that a parameter moves, by way of other parameters too."""
        for cable in self.store.out_of.get(param, {}).get("y", ()):
            spec = self.store.nodes[cable.to_node].spec
            if spec is None:
                continue
            if _direction(spec) == "param":
                yield from self._controls(cable.to_node)
            elif spec.role in SOUNDING and isinstance(spec.inlet_named.get(cable.to_port), Control):
                yield cable.to_node, cable.to_port


def _token(outer: object, entry: NodeEntry) -> object:
    """What makes a node of the flat graph the same as before: its own token, and those of what it lies in."""
    return entry.token if outer is None else (outer, entry.token)


def _direction(spec: NodeSpec) -> str:
    """What sort of port a node is; empty for all other nodes."""
    return str(getattr(spec.cls, "direction", "")) if spec.role is not Role.DEVICE else ""


def _has(source: NodeEntry, outlet: str, target: NodeEntry, inlet: str) -> bool:
    """Whether both ends of a cable are there, as far as subpatches are concerned."""
    assert source.spec is not None and target.spec is not None
    from_patch, to_patch = source.spec.role is Role.PATCH, target.spec.role is Role.PATCH
    return (not from_patch or outlet in source.spec.outlet_named) and (not to_patch or inlet in target.spec.inlet_named)


def _is_param(target: NodeEntry, port: str) -> bool:
    spec = target.spec
    assert spec is not None
    return _direction(spec) == "param" or (
        spec.role is Role.PATCH and isinstance(spec.inlet_named.get(port), Control)
    )  # fmt: skip


def _moved(view: GraphView, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The controls that parameters move, with the values that they have from the start."""
    found: dict[str, dict[str, Any]] = {}
    for id, value in values.items():
        for cable in view.out_of(id, "y"):
            spec = view._store.nodes[cable.to_node].spec
            control = spec.inlet_named.get(cable.to_port) if spec else None
            if isinstance(control, Control) and finite(value):
                low, high = control.span
                found.setdefault(cable.to_node, {})[cable.to_port] = min(max(value, low), high)
    return found


def _meant(spec: NodeSpec, name: str, given: Given) -> Any:
    """A stored value for the flat graph: files are meant from the folder of the patch that names them."""
    setting = spec.setting_named.get(name)
    text = given.value
    if setting is None or setting.type != "file" or given.folder is None or not isinstance(text, str):
        return text
    return text if not text or text.startswith(SOUND) else str(given.folder / text)


def _too_many(document: Document) -> Problem:
    what = f"The patch has more than {MOST_NODES} nodes, those of its subpatches included."
    return Problem("too-many-nodes", what, "Play it in parts.", document.file)
