"""Reading a graph: its nodes, its cables, and what stands at each inlet and outlet."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from nodegraph.core.cable import Cable, natural
from nodegraph.core.errors import PatchError
from nodegraph.core.ports import CableKind, Control, Setting
from nodegraph.core.spec import NodeSpec


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """One node of a graph. Never written in place: a change makes a new entry.

    `params` holds values of control inlets and settings as they were given, `extra` the keys that the spec does not
    know. A placeholder (a kind that is not installed) has no spec and keeps everything in `extra`. `line` is where it
    stands in its file. `token` stays with a node through all changes, its id's among them.
    """

    id: str
    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    spec: NodeSpec | None = field(default=None, compare=False, repr=False)
    line: int | None = field(default=None, compare=False, repr=False)
    token: object = field(default_factory=object, compare=False, repr=False)

    def parameter(self, name: str) -> Control | Setting | None:
        """The control inlet or setting of this name."""
        return parameter(self.spec, name) if self.spec else None

    def value(self, name: str) -> Any:
        """The stored value, or the default. Raises PatchError when there is no such parameter."""
        if name in self.params:
            return self.params[name]
        found = self.parameter(name)
        if found is not None:
            return found.default
        if name in self.extra:
            return self.extra[name]
        from nodegraph.core.problems import unknown_parameter

        raise PatchError(unknown_parameter(self, name))


class Store:
    """What a graph and its views share. Cables stand per inlet and per outlet, each row in canonical order.

    The rows of a node (``into[node]``, ``out_of[node]``) are never written in place: a change makes new ones, so copies
    share them, and the same object means the same cables. `factors` are of nodes that run at more than the engine's
    rate, and how many times.
    """

    __slots__ = ("cables", "cables_sorted", "factors", "into", "nodes", "nodes_sorted", "out_of")

    def __init__(self) -> None:
        self.nodes: dict[str, NodeEntry] = {}
        self.cables: dict[Cable, None] = {}
        self.into: dict[str, Mapping[str, tuple[Cable, ...]]] = {}
        self.out_of: dict[str, Mapping[str, tuple[Cable, ...]]] = {}
        self.factors: dict[str, int] = {}
        self.nodes_sorted = True
        self.cables_sorted = True

    def copy(self) -> Store:
        new = Store()
        new.nodes = self.nodes.copy()
        new.cables = self.cables.copy()
        new.into = self.into.copy()
        new.out_of = self.out_of.copy()
        new.factors = self.factors.copy()
        new.nodes_sorted, new.cables_sorted = self.nodes_sorted, self.cables_sorted
        return new


class GraphView:
    """A graph, read only. It follows the graph it was taken from; `copy` gives one that stands still."""

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def nodes(self) -> Mapping[str, NodeEntry]:
        """Nodes under their ids, in natural order of the ids."""
        store = self._store
        if not store.nodes_sorted:
            entries = sorted(store.nodes.items(), key=lambda item: natural(item[0]))
            store.nodes.clear()
            store.nodes.update(entries)
            store.nodes_sorted = True
        return MappingProxyType(store.nodes)

    @property
    def cables(self) -> Collection[Cable]:
        """The cables in canonical order. Asking whether one is there is quick."""
        store = self._store
        if not store.cables_sorted:
            cables = sorted(store.cables, key=lambda cable: cable.key)
            store.cables.clear()
            store.cables.update(dict.fromkeys(cables))
            store.cables_sorted = True
        return store.cables.keys()

    def __len__(self) -> int:
        return len(self._store.nodes)

    def __contains__(self, node: object) -> bool:
        return node in self._store.nodes

    def node(self, node: str) -> NodeEntry:
        """The node under this id. Raises PatchError when there is none."""
        found = self._store.nodes.get(node)
        if found is None:
            from nodegraph.core.problems import unknown_node

            raise PatchError(unknown_node(node, self._store.nodes))
        return found

    def into(self, node: str, port: str) -> Sequence[Cable]:
        """The cables that end in this inlet, in canonical order."""
        ports = self._store.into.get(node)
        return ports.get(port, ()) if ports else ()

    def out_of(self, node: str, port: str) -> Sequence[Cable]:
        """The cables that begin at this outlet, in canonical order."""
        ports = self._store.out_of.get(node)
        return ports.get(port, ()) if ports else ()

    def cables_into(self, node: str) -> Iterator[Cable]:
        """Every cable that ends in this node, inlet by inlet in canonical order."""
        ports = self._store.into.get(node, {})
        for port in sorted(ports) if len(ports) > 1 else ports:
            yield from ports[port]

    def cables_out_of(self, node: str) -> Iterator[Cable]:
        """Every cable that begins at this node, outlet by outlet in canonical order."""
        ports = self._store.out_of.get(node, {})
        for port in sorted(ports) if len(ports) > 1 else ports:
            yield from ports[port]

    def value(self, node: str, name: str) -> Any:
        """The stored value of a control inlet or setting, or its default."""
        return self.node(node).value(name)

    def cable_kind(self, cable: Cable) -> CableKind | None:
        """What flows along it; None when its outlet is not known."""
        entry = self._store.nodes.get(cable.from_node)
        port = entry.spec.outlet_named.get(cable.from_port) if entry and entry.spec else None
        return port.kind if port else None

    def implicit_cables(self) -> tuple[Cable, ...]:
        """The invisible event cables from each `send` to each `receive` of the same name, in canonical order.

        They run from the *inlet* of the `send` to the *outlet* of the `receive`: what comes in there goes out here.
        """
        sends: dict[str, list[NodeEntry]] = {}
        receives: dict[str, list[NodeEntry]] = {}
        for entry in self._store.nodes.values():
            if entry.spec and entry.kind in ("send", "receive"):
                name = entry.params.get("name") or getattr(entry.parameter("name"), "default", "")
                if isinstance(name, str) and name:
                    (sends if entry.kind == "send" else receives).setdefault(name, []).append(entry)
        found = []
        for name, froms in sends.items():
            for to in receives.get(name, ()):
                for source in froms:
                    if source.spec and source.spec.inlets and to.spec and to.spec.outlets:
                        found.append(Cable(source.id, source.spec.inlets[0].name, to.id, to.spec.outlets[0].name))
        return tuple(sorted(found, key=lambda cable: cable.key))

    def copy(self) -> GraphView:
        """A view of the graph as it is now, which later changes do not touch."""
        return GraphView(self._store.copy())


def parameter(spec: NodeSpec, name: str) -> Control | Setting | None:
    """The control inlet or setting of this name, or what every node has."""
    inlet = spec.inlet_named.get(name)
    return inlet if isinstance(inlet, Control) else spec.setting_named.get(name) or PROPERTIES.get(name)


def _property(name: str, default: Any, help: str) -> Setting:
    made = Setting(default, help, "flag")
    made.name = name
    return made


PROPERTIES: Final[Mapping[str, Setting]] = {
    "compensate": _property("compensate", True, "whether others wait for it when it is late, and it for others"),
}
"""What every node has besides its own settings."""
