"""An edit of a playing graph, as stages that fade.

First old and new play side by side (the union of both graphs), the cables that go fading out and those that come fading
in; then the new graph alone. A node whose kind, settings or channel count changes is two nodes for the time of the
fade. Where the union would close a loop of signals, the old cables fade first and the new ones after them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from nodegraph.core.cable import Cable
from nodegraph.core.ports import CableKind
from nodegraph.core.spec import Role
from nodegraph.core.view import GraphView, NodeEntry, Store
from nodegraph.runtime.compile.plan import FADE_IN, FADE_OUT, Fading
from nodegraph.runtime.compile.schedule import Schedule
from nodegraph.runtime.compile.units import Plan
from nodegraph.runtime.engine import Engine

LEAVING = "~leaving"


@dataclass
class Stage:
    """One schedule of an edit: what to compile, whose state to take, and how long it plays."""

    view: GraphView
    compile: Callable[[], Schedule]
    frames: int
    final: bool
    changed: frozenset[str] = frozenset()
    origin: Mapping[str, str] = field(default_factory=dict)


def stages(engine: Engine, old: GraphView, new: GraphView) -> list[Stage]:
    """The stages from one graph to another. Raises PatchError or MediaError if the new one cannot be played.

    The last stage is planned when it is needed: what is heard first is compiled first.
    """
    changed = _changed(old, new)
    whole = _whole(engine, old, new, changed)
    coming, going = _cables(old, new, changed, whole)
    if not coming and not going and not changed and not _waits_change(engine, old, new):
        plan = engine.plan(new)
        return [Stage(new, lambda: engine.compile(new, plan), 0, True)]
    union = _union(old, new, changed, coming, going)
    if union.closes_a_loop(engine):
        return _one_after_the_other(engine, old, new, changed, coming, going)
    plan = union.plan(engine)
    if any(plan.channels.get((cable.from_node, cable.from_port), 1) != 1 for cable in union.fading):
        # wide cables come or go: nodes behind them may get other channels, which makes them other nodes
        changed |= _reshaped(engine.plan(old), engine.plan(new), old, new)
        coming, going = _cables(old, new, changed, whole)
        union = _union(old, new, changed, coming, going)
        plan = union.plan(engine)
    engine.resources.leave(union.leaving, changed)
    fresh = frozenset(id for id in changed if id in new.nodes and id in old.nodes)
    frames = union.lead(engine) + engine.fade_frames
    first = Stage(union.view, lambda: engine.compile(union.view, plan), frames, False, fresh, union.origin)
    return [first, Stage(new, lambda: engine.compile(new, engine.plan(new)), 0, True)]


def _waits_change(engine: Engine, old: GraphView, new: GraphView) -> bool:
    return _waits(engine, old) != _waits(engine, new)


def _waits(engine: Engine, view: GraphView) -> Mapping[Cable, int]:
    return engine.timing(view).waits


def _one_after_the_other(
    engine: Engine, old: GraphView, new: GraphView, changed: set[str], coming: set[Cable], going: set[Cable]
) -> list[Stage]:
    waits, waited = _waits(engine, new), _waits(engine, old)
    lead = max(engine.timing(new).late.values(), default=0)
    out = engine.plan(old, Fading(dict.fromkeys(going, FADE_OUT), waited, 0))
    into = engine.plan(new, Fading(dict.fromkeys(coming, FADE_IN), waits, lead))
    target = engine.plan(new)
    fresh = frozenset(changed & set(new.nodes))
    return [
        Stage(old, lambda: engine.compile(old, out), engine.fade_frames, False),
        Stage(new, lambda: engine.compile(new, into), lead + engine.fade_frames, False, fresh),
        Stage(new, lambda: engine.compile(new, target), 0, True),
    ]


def _changed(old: GraphView, new: GraphView) -> set[str]:
    """Nodes that stay under their id but become something else."""
    found = set()
    before = old._store.nodes
    factors, factors_before = new._store.factors, old._store.factors
    for id, entry in new._store.nodes.items():
        was = before.get(id)
        if was is None or (was is entry and not factors and not factors_before) or entry.spec is None:
            continue
        if was.kind != entry.kind or was.spec is not entry.spec or factors.get(id, 1) != factors_before.get(id, 1):
            found.add(id)
        elif was.params != entry.params:
            names = {item.name for item in entry.spec.settings}
            if any(was.params.get(name) != entry.params.get(name) for name in names):
                found.add(id)
    return found


def _reshaped(old: Plan, new: Plan, before: GraphView, after: GraphView) -> set[str]:
    """Nodes that stay but whose channels change with the cables before them.

    Most nodes do the same to every channel, so what counts is what leaves them. For those that see all channels at
    once, and so may do something else with each, it is also what arrives. A port that a plan does not list has one.
    """

    def out(plan: Plan, node: str, port: str) -> int:
        return plan.channels.get((node, port), 1)

    def arriving(plan: Plan, view: GraphView, id: str) -> dict[str, int]:
        return {
            port: max(out(plan, cable.from_node, cable.from_port) for cable in cables)
            for port, cables in view._store.into.get(id, {}).items()
            if cables
        }

    found = {
        node for node, port in old.channels.keys() | new.channels.keys() if out(old, node, port) != out(new, node, port)
    }
    for id, entry in after._store.nodes.items():
        if id in found or entry.spec is None or id not in before._store.nodes:
            continue
        if entry.spec.role is Role.ROUTE or getattr(entry.spec.cls, "spread", "each") == "all":
            fixed = {inlet.name for inlet in entry.spec.inlets if inlet.channels is not None}
            was, now = arriving(old, before, id), arriving(new, after, id)
            if any(was.get(port, width) != width for port, width in now.items() if port not in fixed):
                found.add(id)
    return found & before._store.nodes.keys() & after._store.nodes.keys()


def _whole(engine: Engine, old: GraphView, new: GraphView, changed: set[str]) -> set[str]:
    """Changed nodes that go on with all that their earlier versions remember."""
    before, after = old._store.nodes, new._store.nodes
    return {id for id in changed if engine.resources.goes_on(before[id], after[id], new._store.factors.get(id, 1))}


def _cables(old: GraphView, new: GraphView, changed: set[str], whole: set[str]) -> tuple[set[Cable], set[Cable]]:
    """Signal cables to fade in and out.

    Both where they end at a node that stays or leave the engine. In also where sound that is there already enters a
    node that comes, and before every delay line that comes: what begins at once there would be heard beginning later.
    A node that goes on with all that it remembers hears on, too: only what it says fades from one to the other.
    """
    stay = (new._store.nodes.keys() & old._store.nodes.keys()) - changed
    before, after = old._store.cables, new._store.cables

    def sound(view: GraphView, cable: Cable) -> bool:
        return view.cable_kind(cable) is CableKind.SIGNAL

    def output(view: GraphView, cable: Cable) -> bool:
        spec = view._store.nodes[cable.to_node].spec
        return spec is not None and spec.role is Role.DEVICE

    def remembers(view: GraphView, cable: Cable) -> bool:
        spec = view._store.nodes[cable.to_node].spec
        return spec is not None and any(item.array for item in spec.memories)

    def touched(view: GraphView, cables: set[Cable]) -> Iterator[Cable]:
        """Those of these cables, and of all at changed nodes, that carry sound."""
        ends = [index.get(id, {}) for id in changed for index in (view._store.into, view._store.out_of)]
        for cable in cables.union(*(row for ports in ends for row in ports.values())):
            if sound(view, cable):
                yield cable

    coming = {
        cable
        for cable in touched(new, after.keys() - before.keys())
        if cable.to_node in stay
        or output(new, cable)
        or ((cable.from_node in stay or remembers(new, cable)) and (cable.to_node not in whole or cable not in before))
    }
    going = {
        cable
        for cable in touched(old, before.keys() - after.keys())
        if cable.to_node in stay or output(old, cable)
    }  # fmt: skip
    return coming, going


@dataclass
class Union:
    """Both graphs in one. Nodes that leave keep playing under another id (`leaving`); `origin` is the way back."""

    old: GraphView
    new: GraphView
    view: GraphView
    fading: dict[Cable, int]
    leaving: dict[str, str]
    origin: dict[str, str]

    def before(self, cable: Cable) -> Cable:
        """A cable of the union as the old graph had it."""
        origin = self.origin
        return Cable(origin.get(cable[0], cable[0]), cable[1], origin.get(cable[2], cable[2]), cable[3])

    def closes_a_loop(self, engine: Engine) -> bool:
        """Whether signals go round in a loop that neither graph has."""
        inside = engine.order(self.view).inside
        if not inside:
            return False
        old, new = engine.order(self.old).inside, engine.order(self.new).inside
        return any(cable not in new and self.before(cable) not in old for cable in inside)

    def plan(self, engine: Engine) -> Plan:
        """Old cables wait as long as they did, new ones as they will; those that stay fade from one to the other."""
        old, new = _waits(engine, self.old), _waits(engine, self.new)
        waits, waited = dict(new), dict(new)
        if old or new:
            for cable in self.view._store.cables:
                was = self.before(cable)
                if was in self.old._store.cables and (cable is not was or cable in self.new._store.cables):
                    waited[cable] = old.get(was, 0)
                    if cable not in self.new._store.cables:
                        waits[cable] = old.get(was, 0)
        return engine.plan(self.view, Fading(self.fading, waited, self.lead(engine)), waits=waits)

    def lead(self, engine: Engine) -> int:
        """How long the fades wait: what is late would begin in the middle of them, and not smoothly."""
        timing = engine.timing(self.new)
        return max(timing.late.values(), default=0)


def _union(old: GraphView, new: GraphView, changed: set[str], coming: set[Cable], going: set[Cable]) -> Union:
    store: Store = new._store.copy()
    leaving = {id for id in old._store.nodes if id not in new._store.nodes or id in changed}
    name = {id: id + LEAVING for id in leaving}
    origin = {new_id: id for id, new_id in name.items()}
    for id in leaving:
        entry: NodeEntry = old._store.nodes[id]
        store.nodes[name[id]] = replace(entry, id=name[id])
        if id in old._store.factors:
            store.factors[name[id]] = old._store.factors[id]
    fading: dict[Cable, int] = dict.fromkeys(coming, FADE_IN)
    for cable in old._store.cables:
        wanted = cable in going
        if not wanted and cable.to_node not in leaving:
            continue
        moved = Cable(name.get(cable[0], cable[0]), cable[1], name.get(cable[2], cable[2]), cable[3])
        if moved not in store.cables:
            store.cables[moved] = None
            for index, node, port in ((store.into, moved[2], moved[3]), (store.out_of, moved[0], moved[1])):
                ports = index.get(node, {})
                index[node] = {**ports, port: (*ports.get(port, ()), moved)}
        if wanted:
            fading[moved] = FADE_OUT
    store.cables_sorted = False  # the nodes that leave may stand at the end: the order of nodes is not heard
    return Union(old, new, GraphView(store), fading, name, origin)
