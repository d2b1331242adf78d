"""Like units side by side: sixteen voices in one operation.

Where signals are summed, the inputs of the mix are taken sixteen at a time. Those whose whole upstream has the same
shape become one group, lane k for input k, and so do the units that feed them, as far as they are alike. The outermost
mix comes first, so that whole voices stand side by side, with the sums inside them. Everything computes the same bits
in lanes as alone, so packing changes nothing but the time it takes.
"""

from __future__ import annotations

from nodegraph.core.order import components
from nodegraph.runtime.compile.units import Plan, Ref, Unit, signature
from nodegraph.runtime.kernels.forms import LANES

LEAST = 4
"""Fewer units than this run alone: a group costs the same however many of its lanes are in use."""


class Group:
    """Up to sixteen units of one kind that run as one; None is a hole."""

    __slots__ = ("first", "lanes", "used")

    def __init__(self, lanes: tuple[Unit | None, ...], first: Unit) -> None:
        self.lanes = lanes
        self.first = first
        self.used = 0
        for lane, unit in enumerate(lanes):
            if unit is not None:
                unit.group = self
                unit.lane = lane
                self.used |= unit.used


def pack(plan: Plan, least: int = LEAST) -> list[Group]:
    """Group units; gives the groups. Each unit knows its group and lane."""
    groups: list[Group] = []
    for unit in plan.units:
        unit.group = None  # a unit may come from an earlier plan
    for unit in reversed(plan.units):
        if unit.op == "mix" and unit.group is None and len(unit.inputs) >= least:
            for first in range(0, len(unit.inputs), LANES):
                _chunk(unit.inputs[first : first + LANES], groups, least)
    _channels(plan, groups, least)
    return _worth(groups)


def _worth(groups: list[Group]) -> list[Group]:
    """The groups that pay. Joined groups without any memory among them only multiply and add, which one voice does just
    as fast over time, and would be packed and unpacked for nothing: their units go back."""
    number = {id(group): index for index, group in enumerate(groups)}
    ends = [
        (index, number[id(ref[0].group)])
        for index, group in enumerate(groups)
        for ref in group.first.refs()
        if ref[0].group is not None
    ]
    part = components(len(groups), [*ends, *((b, a) for a, b in ends)])
    remembering = {
        part[index] for index, group in enumerate(groups) if group.first.spec is not None and group.first.spec.memories
    }
    kept = []
    for index, group in enumerate(groups):
        if part[index] in remembering:
            kept.append(group)
            continue
        for unit in group.lanes:
            if unit is not None:
                unit.group = None
    return kept


def _chunk(refs: list[Ref], groups: list[Group], least: int) -> None:
    classes: dict[tuple[int, int], list[int]] = {}
    for lane, (unit, output) in enumerate(refs):
        classes.setdefault((unit.shape, output), []).append(lane)
    for lanes in classes.values():
        if len(lanes) >= least:
            row: list[Ref | None] = [None] * LANES
            for lane in lanes:
                row[lane] = refs[lane]
            _claim(row, lanes, groups)


def _channels(plan: Plan, groups: list[Group], least: int) -> None:
    """Nodes of many channels: their channels side by side, from the last node of a chain upwards."""
    by_node: dict[str, list[Unit]] = {}
    for unit in plan.units:
        if unit.op == "kernel" and unit.group is None:
            by_node.setdefault(unit.node, []).append(unit)
    for units in reversed(list(by_node.values())):
        if len(units) < least:
            continue
        for first in range(0, len(units), LANES):
            part = units[first : first + LANES]
            classes: dict[int, list[int]] = {}
            for lane, unit in enumerate(part):
                classes.setdefault(unit.shape, []).append(lane)
            for lanes in classes.values():
                if len(lanes) >= least:
                    row: list[Ref | None] = [None] * LANES
                    for lane in lanes:
                        row[lane] = (part[lane], 0)
                    _claim(row, lanes, groups)


def _claim(start: list[Ref | None], lanes: list[int], groups: list[Group]) -> None:
    """Make groups of a row of like signals and of what feeds them."""
    work = [start]
    while work:
        row = work.pop()
        units: list[Unit | None] = [None] * LANES
        members: list[Unit] = []
        for lane in lanes:
            ref = row[lane]
            if ref is None:
                break
            units[lane] = ref[0]
            members.append(ref[0])
        if len(members) != len(lanes) or len(set(map(id, members))) != len(members):
            continue  # a hole inside the row, or a signal shared by several lanes
        first = members[0]
        if first.op not in ("kernel", "mix"):
            continue
        if any(unit.group is not None or unit.shape != first.shape for unit in members):
            continue
        if first.spec is None or signature(first.spec).tick:
            groups.append(Group(tuple(units), first))
        for position in range(len(first.inputs)):
            work.append([None if unit is None else unit.inputs[position] for unit in units])
