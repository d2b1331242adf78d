"""The findings about nodes, values and cables, worded once for edits and for `check`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nodegraph.core.cable import Cable, natural
from nodegraph.core.errors import Problem
from nodegraph.core.hints import did_you_mean, listed, quoted
from nodegraph.core.ports import CableKind, Inlet, Outlet
from nodegraph.core.registry import Registry
from nodegraph.core.values import misfit
from nodegraph.core.view import GraphView, NodeEntry


def unknown_kind(kind: str, kinds: Registry) -> Problem:
    known = kinds.why_not(kind)
    if known is not None:
        return known
    found = kinds.suggest(kind)
    do = f"Did you mean {' or '.join(quoted(item) for item in found)}?" if found else "See `nodegraph nodes`."
    return Problem("unknown-kind", f"There is no node kind {quoted(kind)}.", do)


def unknown_node(node: str, nodes: Mapping[str, NodeEntry]) -> Problem:
    do = did_you_mean(node, nodes, f"Nodes are {listed(sorted(nodes, key=natural))}.")
    return Problem("unknown-node", f"There is no node {quoted(node)}.", do)


def unknown_port(entry: NodeEntry, port: str, ports: Sequence[Inlet | Outlet], word: str) -> Problem:
    names = [item.name for item in ports]
    do = did_you_mean(port, names, f"Its {word}s are {listed(names)}." if names else f"It has no {word}s.")
    return Problem("unknown-port", f"'{entry.kind}' has no {word} {quoted(port)}.", do, node=entry.id, port=port)


def unknown_parameter(entry: NodeEntry, name: str) -> Problem:
    if entry.spec is None:
        what = f"The kind {quoted(entry.kind)} is not known here, so its parameter {quoted(name)} is not."
        return Problem("unknown-parameter", what, "Install what it comes from.", node=entry.id, port=name)
    inlet = entry.spec.inlet_named.get(name)
    if inlet is not None:
        what = f"The {inlet.kind} inlet {quoted(name)} of '{entry.kind}' holds no value."
        return Problem("unknown-parameter", what, "Connect a cable to it.", node=entry.id, port=name)
    names = [item.name for item in (*entry.spec.controls, *entry.spec.settings)]
    do = did_you_mean(name, names, f"Its parameters are {listed(names)}." if names else "It has none.")
    what = f"'{entry.kind}' has no parameter {quoted(name)}."
    return Problem("unknown-parameter", what, do, node=entry.id, port=name)


def value_problem(entry: NodeEntry, name: str, value: Any) -> Problem | None:
    """What is wrong with this value, if anything."""
    found = entry.parameter(name)
    if found is None:
        return unknown_parameter(entry, name)
    wrong = misfit(found, value)
    return Problem(*wrong, node=entry.id, port=name) if wrong else None


def cable_problem(view: GraphView, cable: Cable) -> Problem | None:
    """What is wrong with this cable by itself, if anything. Ports of placeholders are taken on trust."""
    for node in (cable.from_node, cable.to_node):
        if node not in view:
            return unknown_node(node, view.nodes)
    source, target = view.node(cable.from_node), view.node(cable.to_node)
    outlet = source.spec.outlet_named.get(cable.from_port) if source.spec else None
    inlet = target.spec.inlet_named.get(cable.to_port) if target.spec else None
    if source.spec and outlet is None:
        return unknown_port(source, cable.from_port, source.spec.outlets, "outlet")
    if target.spec and inlet is None:
        return unknown_port(target, cable.to_port, target.spec.inlets, "inlet")
    if outlet is None or inlet is None or outlet.kind in inlet.takes:
        return None
    assert target.spec is not None  # an inlet was found
    kind = outlet.kind
    others = [item.name for item in target.spec.inlets if kind in item.takes]
    takes = " or ".join(f"{article(item)} {item}" for item in sorted(inlet.takes))
    what = f"'{cable.outlet}' is {article(kind)} {kind}; the inlet '{cable.inlet}' takes {takes}."
    do = (
        f"Inlets of '{cable.to_node}' that take {article(kind)} {kind}: {listed(others)}."
        if others
        else f"No inlet of '{cable.to_node}' takes {article(kind)} {kind}; put a node between that converts it."
    )
    return Problem("cable-kind", what, do, node=cable.to_node, port=cable.to_port)


def taken_inlet(cable: Cable, kind: CableKind, rivals: Sequence[Cable]) -> Problem:
    there = listed(rival.outlet for rival in rivals)
    what = f"The inlet '{cable.inlet}' takes one {kind} cable, and has the one from {there}."
    do = "Remove one of the cables" + (", or join them before with mix~." if kind is CableKind.SIGNAL else ".")
    return Problem("taken-inlet", what, do, node=cable.to_node, port=cable.to_port)


def article(word: str) -> str:
    """``an`` event, ``a`` signal."""
    return "an" if word[0] in "aeio" else "a"
