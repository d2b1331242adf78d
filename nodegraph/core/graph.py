"""The graph: nodes under stable ids, joined by cables.

`GraphView` reads it, `Graph` also changes it. Every change is checked against the node specs and raises PatchError
before anything is touched. What a file says is let in unchecked (`put`, `lay`), so that `check` can report all of it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from nodegraph.core.cable import Cable, natural, why_not_an_id
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.hints import did_you_mean, listed, quoted
from nodegraph.core.problems import (
    article,
    cable_problem,
    taken_inlet,
    unknown_kind,
    unknown_node,
    unknown_parameter,
    value_problem,
)
from nodegraph.core.registry import Registry, registry
from nodegraph.core.spec import NodeSpec
from nodegraph.core.subpatches import PatchKinds
from nodegraph.core.values import misfit, plain
from nodegraph.core.view import GraphView, NodeEntry, Store, parameter

PortRef = str | tuple[str, str]
_STEMS: Final = {"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod"}


class Graph(GraphView):
    """A graph that can be changed."""

    __slots__ = ("_numbers", "registry")

    def __init__(self, kinds: Registry | None = None) -> None:
        """`kinds` are the node kinds it may hold; without it all that are installed."""
        super().__init__(Store())
        self.registry = kinds if isinstance(kinds, PatchKinds) else PatchKinds(registry() if kinds is None else kinds)
        self._numbers: dict[str, int] = {}

    @property
    def view(self) -> GraphView:
        """The graph, read only, following the changes."""
        return GraphView(self._store)

    def copy(self) -> Graph:
        """A graph of its own with the same nodes and cables."""
        new = Graph(self.registry)
        new._store = self._store.copy()
        new._numbers = self._numbers.copy()
        return new

    def refresh(self) -> list[str]:
        """Look again at the files that are kinds here (subpatches); gives the nodes that have become something else.

        Cables to ports that are gone stay, and `check` tells of them.
        """
        changed = []
        for id, entry in self._store.nodes.items():
            spec = self.registry.shaped(entry.kind, {**entry.params, **entry.extra})
            if spec is not entry.spec:
                values = {**entry.params, **entry.extra}
                known = {name: value for name, value in values.items() if spec and parameter(spec, name)}
                extra = {name: value for name, value in values.items() if name not in known}
                self._store.nodes[id] = replace(entry, params=known, extra=extra, spec=spec)
                changed.append(id)
        return changed

    # nodes

    def add(self, kind: str, id: str | None = None, **params: Any) -> str:
        """Add a node and return its id (made from the kind when none is given: ``sine1``)."""
        spec = self._spec(kind)
        if id is None:
            id = self.free_id(spec.kind)
        else:
            self.check_new_id(id)
        values = {name: plain(value) for name, value in params.items()}
        entry = NodeEntry(id, spec.kind, values, {}, self.registry.shaped(spec.kind, values))
        problems = self._misshapen(entry) or [
            problem for name, value in values.items() if (problem := value_problem(entry, name, value))
        ]
        if problems:
            raise PatchError(problems)
        self.put(entry)
        return id

    def remove(self, node: str) -> tuple[NodeEntry, tuple[Cable, ...]]:
        """Remove a node with its cables. Returns both, so that `put` and `lay` can bring them back."""
        entry = self.node(node)
        cables = tuple(dict.fromkeys((*self.cables_into(node), *self.cables_out_of(node))))
        for cable in cables:
            self._lift(cable)
        del self._store.nodes[node]
        return entry, cables

    def rename(self, node: str, new: str) -> None:
        """Give a node another id. Its cables follow."""
        if node == new and node in self._store.nodes:
            return
        self.node(node)
        self.check_new_id(new)
        entry, cables = self.remove(node)
        self.put(replace(entry, id=new))
        for cable in cables:
            from_node = new if cable.from_node == node else cable.from_node
            to_node = new if cable.to_node == node else cable.to_node
            self.lay(Cable(from_node, cable.from_port, to_node, cable.to_port))

    def set(self, node: str, port: str, value: Any) -> tuple[Cable, ...]:
        """Store a value of a control inlet or setting.

        A setting may decide which ports the node has: cables at ports that go are taken away and returned.
        """
        entry = self.node(node)
        value = plain(value)
        problem = value_problem(entry, port, value)
        if problem:
            raise PatchError(problem)
        return self._change(entry, {**entry.params, port: value}, port)

    def set_values(self, node: str, values: Mapping[str, Any]) -> tuple[Cable, ...]:
        """Store several values of one node, all or none of them; None forgets the stored one. Returns what `set` does.

        Raises PatchError with every one that is not legal.
        """
        entry = self.node(node)
        values = {name: plain(value) for name, value in values.items()}
        shapes = entry.spec.cls.shapes if entry.spec else ()
        first = [name for name in values if name in shapes]
        if first:  # the other values may be those of ports that come with them
            params = {name: value for name, value in {**entry.params, **values}.items() if value is not None}
            entry = replace(entry, params=params, spec=self.registry.shaped(entry.kind, params))
            wrong = self._misshapen(entry)
            if wrong:
                raise PatchError(wrong)
        problems = [
            problem
            for name, value in values.items()
            if (problem := self._unset_problem(entry, name) if value is None else value_problem(entry, name, value))
        ]
        if problems:
            raise PatchError(problems)
        dropped: list[Cable] = []
        for name in (*first, *(name for name in values if name not in first)):
            value = values[name]
            dropped += self.unset(node, name) if value is None else self.set(node, name, value)
        return tuple(dropped)

    def _unset_problem(self, entry: NodeEntry, name: str) -> Problem | None:
        return unknown_parameter(entry, name) if entry.parameter(name) is None else None

    def unset(self, node: str, port: str) -> tuple[Cable, ...]:
        """Forget the stored value: the default holds again. Returns what `set` does."""
        entry = self.node(node)
        if entry.parameter(port) is None:
            raise PatchError(unknown_parameter(entry, port))
        if port not in entry.params:
            return ()
        return self._change(entry, {name: value for name, value in entry.params.items() if name != port}, port)

    def _change(self, entry: NodeEntry, params: dict[str, Any], port: str) -> tuple[Cable, ...]:
        """Give a node other values."""
        if entry.spec is None or port not in entry.spec.cls.shapes:
            self._store.nodes[entry.id] = replace(entry, params=params)
            return ()
        spec = self.registry.shaped(entry.kind, params)
        assert spec is not None  # the kind has shapes, so it is known
        params, extra = _fitting(replace(entry, params=params), spec)
        new = replace(entry, params=params, extra=extra, spec=spec)
        problems = self._misshapen(new)
        if problems:
            raise PatchError(problems)
        return self._exchange(entry.id, new)

    def _exchange(self, node: str, new: NodeEntry) -> tuple[Cable, ...]:
        """Put another entry in the place of a node. Cables that fit there stay; the others are returned."""
        _, cables = self.remove(node)
        self.put(new)
        dropped = []
        for cable in sorted(cables, key=lambda cable: cable.key):
            if self._cable_problem(cable):
                dropped.append(cable)
            else:
                self.lay(cable)
        return tuple(dropped)

    def _misshapen(self, entry: NodeEntry) -> list[Problem]:
        """What is wrong with the settings from which a node takes its ports."""
        return [replace(item, node=entry.id) for item in self.registry.why_not_shaped(entry.kind, entry.params)]

    def replace(self, node: str, kind: str) -> tuple[Cable, ...]:
        """Make the node another kind. Cables and values that fit there stay; the cables that do not are returned."""
        old = self.node(node)
        spec = self._spec(kind)
        shaped = self.registry.shaped(spec.kind, {**old.extra, **old.params}) or spec
        params, extra = _fitting(old, shaped)
        if self.registry.why_not_shaped(spec.kind, params):
            params = {name: value for name, value in params.items() if name not in spec.cls.shapes}
        return self._exchange(node, replace(old, kind=spec.kind, params=params, extra=extra, spec=shaped))

    def put(self, entry: NodeEntry) -> None:
        """Let a node in as it is, from a file or from `remove`: its kind and values are not checked, its id is."""
        self.check_new_id(entry.id)
        store = self._store
        if store.nodes_sorted and store.nodes:
            store.nodes_sorted = natural(next(reversed(store.nodes))) < natural(entry.id)
        store.nodes[entry.id] = entry

    # cables

    def cable_between(self, outlet: PortRef, inlet: PortRef) -> Cable:
        """The cable that joins an outlet (``"osc.y"``) to an inlet (``"cut.x"``); it need not be there.

        Of a node alone (``"osc"``) the first outlet is meant, and the first inlet that takes what comes from there.
        """
        from_node, from_port = self._end(outlet)
        source = self.node(from_node)
        if not from_port:
            from_port = self._first_outlet(source)
        to_node, to_port = self._end(inlet)
        target = self.node(to_node)
        if not to_port:
            to_port = self._first_inlet(target, source, from_port)
        return Cable(from_node, from_port, to_node, to_port)

    def connect(self, outlet: PortRef, inlet: PortRef) -> Cable:
        """Lay a cable, its ends given as for `cable_between`. One that is there already stays."""
        cable = self.cable_between(outlet, inlet)
        if cable in self._store.cables:
            return cable
        problem = self._cable_problem(cable)
        if problem:
            raise PatchError(problem)
        self.lay(cable)
        return cable

    def disconnect(self, outlet: PortRef | Cable, inlet: PortRef | None = None) -> Cable:
        """Take a cable away, given as a `Cable`, as ``"osc.y -> cut.x"``, or by its two ends."""
        if isinstance(outlet, Cable):
            cable = outlet
        elif inlet is None:
            if not isinstance(outlet, str):
                raise PatchError(Problem("bad-cable", f"{outlet!r} is one end only.", "Give both ends of the cable."))
            cable = Cable.parse(outlet)
        else:
            cable = Cable(*self._end(outlet), *self._end(inlet))
        if cable not in self._store.cables:
            at = [str(item) for item in self.cables if item.to_node == cable.to_node]
            do = did_you_mean(str(cable), at, f"Cables into '{cable.to_node}': {listed(at)}.")
            raise PatchError(Problem("unknown-cable", f"There is no cable {quoted(str(cable))}.", do))
        self._lift(cable)
        return cable

    def why_not(self, cable: Cable) -> Problem | None:
        """Why a cable cannot be laid; None when it can."""
        return self._cable_problem(cable)

    def lay(self, cable: Cable) -> None:
        """Let a cable in as it is, from a file or from `remove`: ports are not checked, both nodes must be there."""
        store = self._store
        if cable in store.cables:
            return
        for node in (cable.from_node, cable.to_node):
            if node not in store.nodes:
                raise PatchError(unknown_node(node, store.nodes))
        key = cable.key
        if store.cables_sorted and store.cables:
            store.cables_sorted = next(reversed(store.cables)).key < key
        store.cables[cable] = None
        for index, node, port in ((store.into, cable.to_node, cable.to_port),
                                  (store.out_of, cable.from_node, cable.from_port)):  # fmt: skip
            ports = index.get(node, {})
            row = ports.get(port, ())
            at = bisect_left(row, key, key=lambda item: item.key) if row else 0
            index[node] = {**ports, port: (*row[:at], cable, *row[at:])}

    def _lift(self, cable: Cable) -> None:
        store = self._store
        del store.cables[cable]
        for index, node, port in ((store.into, cable.to_node, cable.to_port),
                                  (store.out_of, cable.from_node, cable.from_port)):  # fmt: skip
            row = tuple(item for item in index[node][port] if item != cable)
            ports = {name: cables for name, cables in index[node].items() if name != port}
            if row:
                ports[port] = row
            if ports:
                index[node] = ports
            else:
                del index[node]

    # looking things up for the changes

    def _spec(self, kind: str) -> NodeSpec:
        spec = self.registry.get(kind)
        if spec is None:
            raise PatchError(unknown_kind(kind, self.registry))
        return spec

    def check_new_id(self, id: str) -> None:
        """Raise PatchError when no new node can have this id."""
        wrong = why_not_an_id(id)
        if wrong:
            raise PatchError(Problem("illegal-id", f"{quoted(id)} cannot be a node's id: {wrong}.", "Choose another."))
        if id in self._store.nodes:
            raise PatchError(Problem("duplicate-id", f"There is a node '{id}' already.", "Choose another id.", node=id))

    def free_id(self, kind: str) -> str:
        """An id that no node has, made from a kind: ``sine1``."""
        stem = kind.rstrip("~")
        stem = _STEMS.get(stem) or re.sub(r"\W+", "_", stem).strip("_")[:48] or "node"
        if stem[-1].isdecimal():
            stem += "_"
        number = self._numbers.get(stem, 1)
        while f"{stem}{number}" in self._store.nodes:
            number += 1
        self._numbers[stem] = number + 1
        return f"{stem}{number}"

    def _end(self, ref: PortRef) -> tuple[str, str]:
        if isinstance(ref, tuple):
            return ref
        node, _, port = ref.partition(".")
        return node.strip(), port.strip()

    def _first_outlet(self, source: NodeEntry) -> str:
        if source.spec and source.spec.outlets:
            return source.spec.outlets[0].name
        raise PatchError(Problem("unknown-port", f"The node '{source.id}' has no outlet to take.", node=source.id))

    def _first_inlet(self, target: NodeEntry, source: NodeEntry, from_port: str) -> str:
        if target.spec is None:
            raise PatchError(Problem("unknown-port", f"The inlets of '{target.id}' are not known.", node=target.id))
        port = source.spec.outlet_named.get(from_port) if source.spec else None
        for inlet in target.spec.inlets:
            if port is None or port.kind in inlet.takes:
                return inlet.name
        kind = f"{article(port.kind)} {port.kind}" if port else "anything"
        raise PatchError(Problem("cable-kind", f"No inlet of '{target.id}' takes {kind}.", node=target.id))

    def _cable_problem(self, cable: Cable) -> Problem | None:
        problem = cable_problem(self, cable)
        if problem is None and (rivals := self.into(cable.to_node, cable.to_port)):
            kind = self.cable_kind(cable)
            target = self._store.nodes[cable.to_node].spec
            inlet = target.inlet_named.get(cable.to_port) if target else None
            if kind and inlet and not inlet.takes_many(kind):
                taken = [rival for rival in rivals if self.cable_kind(rival) is kind]
                if taken:
                    return taken_inlet(cable, kind, taken)
        return problem


def _fitting(entry: NodeEntry, spec: NodeSpec) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values of a node that are legal under another spec, and the keys that neither knows."""
    params: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in (*entry.params.items(), *entry.extra.items()):
        found = parameter(spec, name)
        if found is None:
            if name in entry.extra:
                extra[name] = value
        elif misfit(found, value) is None:
            params[name] = value
    return params, extra


__all__ = ["Cable", "Graph", "GraphView", "NodeEntry", "PortRef"]
