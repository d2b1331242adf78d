"""Nodes that get other ids while they play: the same nodes under new names, whose sound goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from nodegraph.core.cable import Cable
from nodegraph.core.view import GraphView, Store
from nodegraph.runtime.compile.held import held_parts

AWAY = "~was"
"""What is added to the id of a node that leaves while another takes its id."""
Names = Mapping[str, str]
"""New ids by old ones."""


def renames(old: GraphView, new: GraphView) -> dict[str, str]:
    """The nodes that have other ids in the new graph.

    A node is the same as long as its token is. A graph that was read anew has new tokens: there the id decides.
    """
    before, after = old._store.nodes, new._store.nodes
    doubtful = [entry for id, entry in after.items() if id not in before or before[id].token != entry.token]
    if not doubtful or not before:
        return {}
    known = {entry.token: id for id, entry in before.items()}
    found: dict[str, str] = {}
    for entry in doubtful:
        was = known.get(entry.token)
        if was is not None and was != entry.id:
            found[was] = entry.id
    for id in set(found.values()):
        if id in before and id not in found:
            found[id] = id + AWAY
    return found


def strangers(old: GraphView, new: GraphView) -> dict[str, str]:
    """What makes every node of the old graph another than those of the new one, whatever their ids."""
    return {id: id + AWAY for id in old._store.nodes if id in new._store.nodes}


def renamed(view: GraphView, names: Names) -> GraphView:
    """The same graph under other ids."""
    if not names:
        return view
    old, store = view._store, Store()
    name = renamer(names)
    for id, entry in old.nodes.items():
        store.nodes[name(id)] = replace(entry, id=name(id)) if id in names else entry
    store.factors = {name(id): factor for id, factor in old.factors.items()}
    cables: dict[Cable, Cable] = {}
    for cable in old.cables:
        other = moved(cable, names)
        cables[cable] = cable if other == cable else other
    store.cables = dict.fromkeys(cables.values())
    for index, before in ((store.into, old.into), (store.out_of, old.out_of)):
        for id, ports in before.items():
            index[name(id)] = {
                port: tuple(sorted((cables[cable] for cable in row), key=lambda cable: cable.key))
                for port, row in ports.items()
            }
    store.nodes_sorted = store.cables_sorted = False
    return GraphView(store)


def renamer(names: Names) -> Callable[[str], str]:
    """From an old id to the new one."""
    return lambda id: names.get(id, id)


def moved(cable: Cable, names: Names) -> Cable:
    """A cable under the new ids of its nodes."""
    return Cable(names.get(cable[0], cable[0]), cable[1], names.get(cable[2], cable[2]), cable[3])


def moved_values(old: GraphView, new: GraphView) -> Iterator[tuple[str, str, float]]:
    """The controls whose stored value differs, of the nodes that stay: (node, inlet, value)."""
    before = old._store.nodes
    for id, entry in new._store.nodes.items():
        was = before.get(id)
        if was is None or was is entry or was.spec is not entry.spec or entry.spec is None:
            continue
        if was.params is entry.params:
            continue
        for control in entry.spec.controls:
            value = entry.value(control.name)
            if value != was.value(control.name):
                yield id, control.name, value


def held(node: str, names: Names) -> str:
    """The name under which the engine knows a node, or one channel of what it holds."""
    id, rest = held_parts(node)
    return names.get(id, id) + rest
