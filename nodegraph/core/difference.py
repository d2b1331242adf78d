"""What is different between two documents: in lines for people, and as data.

::

    found = difference(old, new)
    if found:
        print("\\n".join(found.lines()))

A node that is gone and one that has come are one that was renamed, where they hold the same and no other does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from nodegraph.core.cable import Cable, natural
from nodegraph.core.document import Document
from nodegraph.core.hints import shown
from nodegraph.core.notes import ordered
from nodegraph.core.patchfile import entry_data
from nodegraph.core.preset_names import rename_in
from nodegraph.core.view import NodeEntry

Sign = Literal["+", "-", "~"]
Of = Literal[
    "node", "name", "kind", "value", "cable", "place", "preset", "note", "presentation", "title", "about", "key"
]
FEW: Final = 6
"""So many boxes that have moved are named in a line."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different: something has come (+), has gone (-), or is otherwise (~).

    `nodes` are those it is about, under their new ids; a node that is gone is under its old one.
    """

    sign: Sign
    of: Of
    text: str
    nodes: tuple[str, ...] = ()
    cable: Cable | None = None
    before: Any = None
    after: Any = None

    def line(self) -> str:
        """As a line for people."""
        return f"{self.sign} {self.text}"

    def as_data(self) -> dict[str, Any]:
        """As plain data."""
        cable = {"cable": str(self.cable)} if self.cable else {}
        return {
            "sign": self.sign, "of": self.of, "nodes": list(self.nodes), **cable, "before": self.before,
            "after": self.after, "text": self.text,
        }  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """The way from the document `old` to the document `new`."""

    old: Document
    new: Document
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Old id → new id."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """Nodes that are in both, and hold or show something else; under their new ids."""
    moved: tuple[str, ...] = ()
    laid: tuple[Cable, ...] = ()
    lifted: tuple[Cable, ...] = ()
    """Cables that are gone, with new ids."""
    changes: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes)

    def old_id(self, node: str) -> str:
        """What a node of the new document was called."""
        return next((old for old, new in self.renamed.items() if new == node), node)

    def lines(self) -> list[str]:
        """A line for each change."""
        return [change.line() for change in self.changes]


def difference(old: Document, new: Document) -> Difference:
    """What is different in `new`."""
    ours, theirs = old.graph.view.nodes, new.graph.view.nodes
    gone = [id for id in ours if id not in theirs]
    come = [id for id in theirs if id not in ours]
    renamed = _renamed(old, new, gone, come)
    now = dict(renamed)
    back = {after: before for before, after in renamed.items()}
    both = [id for id in theirs if id in ours or id in back]
    removed = tuple(id for id in gone if id not in renamed)
    added = tuple(id for id in come if id not in back)
    before_of = {id: ours[back.get(id, id)] for id in both}
    was_at = {id: old.place(back.get(id, id)) for id in both}
    moved = tuple(id for id in both if was_at[id] != new.place(id))
    shows = {
        id: tuple(_box(id, old.view.get(back.get(id, id)), new.view.get(id), moved=id in moved)) for id in both
    }  # fmt: skip
    changed = tuple(id for id in both if shows[id] or _content(before_of[id]) != _content(theirs[id]))
    cables_before = {
        item._replace(from_node=now.get(item.from_node, item.from_node), to_node=now.get(item.to_node, item.to_node))
        for item in old.graph.cables
    }
    cables_now = set(new.graph.cables)
    laid = tuple(sorted(cables_now - cables_before))
    lifted = tuple(sorted(cables_before - cables_now))

    changes = [*_words(old, new)]
    changes += [Change("~", "name", f"{was}: is called {id} now", (id,), None, was, id) for was, id in renamed.items()]
    changes += [Change("-", "node", f"{id}: {_told(ours[id])}", (id,), None, entry_data(ours[id])) for id in removed]
    changes += [
        Change("+", "node", f"{id}: {_told(theirs[id])}", (id,), None, None, entry_data(theirs[id])) for id in added
    ]
    for id in changed:
        changes += (*_node(before_of[id], theirs[id]), *shows[id])
    for sign, cables in (("-", lifted), ("+", laid)):
        for item in cables:
            changes.append(Change(sign, "cable", str(item), (item.from_node, item.to_node), item))  # type: ignore[arg-type]
    if moved:
        names = ", ".join(moved[:FEW]) + (f" and {len(moved) - FEW} more" if len(moved) > FEW else "")
        before, after = {id: was_at[id] for id in moved}, {id: new.place(id) for id in moved}
        changes.append(Change("~", "place", f"moved: {names}", moved, None, before, after))
    changes += _presented(old, new, back, both)
    changes += _notes(old, new)
    changes += _presets(old, new, renamed)
    return Difference(old, new, renamed, added, removed, changed, moved, laid, lifted, tuple(changes))


def _words(old: Document, new: Document) -> Iterator[Change]:
    if old.title != new.title:
        yield Change("~", "title", f"title: {shown(old.title)} → {shown(new.title)}", (), None, old.title, new.title)
    if old.about != new.about:
        yield Change("~", "about", "the text about the patch", (), None, old.about, new.about)
    ours, theirs = _unknown(old), _unknown(new)
    for key in dict.fromkeys((*ours, *theirs)):
        before, after = ours.get(key), theirs.get(key)
        if key not in theirs or key not in ours or not _same(before, after):
            sign: Sign = "-" if key not in theirs else "+" if key not in ours else "~"
            yield Change(sign, "key", f"{shown(key)} in the file", (), None, before, after)


def _unknown(document: Document) -> dict[str, Any]:
    """Keys that are not known, and places that are no node's."""
    found = dict(document.extra)
    for key, places in (("view", document.strangers), ("presentation", document.unpresented)):
        if strangers := document.no_nodes(places):
            found[key] = strangers
    return found


def _presented(old: Document, new: Document, back: Mapping[str, str], both: Iterable[str]) -> Iterator[Change]:
    """Where boxes stand in the presentation: those that are there before and now, and those that have come."""
    before = {id: old.presentation.get(back.get(id, id)) for id in both}
    found = tuple(
        id for id in new.graph.view.nodes if not _same(before.get(id), new.presentation.get(id))
    )  # fmt: skip
    if found:
        was = {id: before.get(id) for id in found}
        now = {id: new.presentation.get(id) for id in found}
        names = ", ".join(found[:FEW]) + (f" and {len(found) - FEW} more" if len(found) > FEW else "")
        yield Change("~", "presentation", f"in the presentation: {names}", found, None, was, now)


def _notes(old: Document, new: Document) -> Iterator[Change]:
    for id in sorted(old.notes.keys() | new.notes.keys(), key=natural):
        before, after = old.notes.get(id), new.notes.get(id)
        if before is None or after is None:
            sign: Sign = "+" if before is None else "-"
            told = before or after or {}
            words = shown(told.get("text") or told.get("file") or "")
            yield Change(sign, "note", f"note {id}: {told.get('kind')} {words}", (), None, before, after)
        elif not _same(ordered(before), ordered(after)):
            names = [name for name in dict.fromkeys((*before, *after)) if not _same(before.get(name), after.get(name))]
            yield Change("~", "note", f"note {id}: {', '.join(names) or 'its order'}", (), None, before, after)


def _node(old: NodeEntry, new: NodeEntry) -> Iterator[Change]:
    id, before, after = new.id, entry_data(old), entry_data(new)
    if old.kind != new.kind:
        yield Change("~", "kind", f"{id}: {old.kind} → {new.kind}", (id,), None, old.kind, new.kind)
    found = list(_values(id, before, after, but="kind"))
    yield from found
    if old.kind == new.kind and not found and not _same(before, after):
        yield Change("~", "value", f"{id}: the same values in another order", (id,), None, before, after)


def _box(id: str, before: Any, after: Any, *, moved: bool) -> Iterator[Change]:
    """What is told of a node's box besides its place."""
    one, two = (told if isinstance(told, dict) else {"at": told} for told in (before, after))
    found = list(_values(id, one, two, but="at"))
    yield from found
    if not found and not moved and not _same(before, after):
        yield Change("~", "place", f"{id}: its place is written otherwise", (id,), None, before, after)


def _values(id: str, before: Mapping[str, Any], after: Mapping[str, Any], *, but: str) -> Iterator[Change]:
    for name in dict.fromkeys((*before, *after)):
        one, two = before.get(name), after.get(name)
        if name == but or (name in before and name in after and _same(one, two)):
            continue
        if name not in before:
            text = f"{id}: {name} {shown(two)}, which had no value of its own"
        elif name not in after:
            text = f"{id}: {name} {shown(one)} → as it is without a value of its own"
        else:
            text = f"{id}: {name} {shown(one)} → {shown(two)}"
        yield Change("~", "value", text, (id,), None, one, two)


def _presets(old: Document, new: Document, renamed: Mapping[str, str]) -> Iterator[Change]:
    ours, theirs = deepcopy(old.presets), new.presets
    for was, id in renamed.items():
        rename_in(ours, was, id)
    for name in ours:
        if name not in theirs:
            yield Change("-", "preset", f"preset {shown(name)}", (), None, ours[name])
    for name, values in theirs.items():
        if name not in ours:
            yield Change("+", "preset", f"preset {shown(name)}", (), None, None, values)
        elif not _same(ours[name], values):
            yield Change("~", "preset", f"preset {shown(name)}", (), None, ours[name], values)
    both = [name for name in ours if name in theirs]
    if both != [name for name in theirs if name in ours]:
        yield Change("~", "preset", "the order of the presets", (), None, list(ours), list(theirs))


def _told(entry: NodeEntry) -> str:
    """A node in a few words: its kind and what it stores."""
    values = [f"{name}={shown(value)}" for name, value in entry_data(entry).items() if name != "kind"]
    return " ".join((entry.kind, *values))


# nodes that are called otherwise

Signature = Callable[[Document, str, Mapping[str, str]], Hashable]


def _renamed(old: Document, new: Document, gone: Iterable[str], come: Iterable[str]) -> dict[str, str]:
    """Which of the nodes that are gone are which of those that have come: by what they hold together with their cables,
    then with their place, then alone; each time only where one of each is meant.
    """
    found: dict[str, str] = {}
    left, right = list(gone), list(come)
    for signature in (_with_cables, _with_place, _alone):
        again = True
        while again and left and right:
            ours = _unique(old, left, signature, found)
            theirs = _unique(new, right, signature, {})
            pairs = {ours[key]: theirs[key] for key in ours.keys() & theirs.keys()}
            found |= pairs
            left = [id for id in left if id not in pairs]
            right = [id for id in right if id not in set(pairs.values())]
            again = bool(pairs) and signature is _with_cables  # who stands beside it may be known now
    return {id: found[id] for id in sorted(found, key=natural)}


def _unique(
    document: Document, ids: Iterable[str], signature: Signature, names: Mapping[str, str]
) -> dict[Hashable, str]:
    found: dict[Hashable, list[str]] = {}
    for id in ids:
        found.setdefault(signature(document, id, names), []).append(id)
    return {key: same[0] for key, same in found.items() if len(same) == 1}


def _with_cables(document: Document, id: str, names: Mapping[str, str]) -> Hashable:
    known = {**names, id: ""}
    ends = frozenset(
        (known.get(item.from_node, item.from_node), item.from_port, known.get(item.to_node, item.to_node), item.to_port)
        for item in _cables(document, id)
    )
    return _alone(document, id, names), ends


def _with_place(document: Document, id: str, names: Mapping[str, str]) -> Hashable:
    return _alone(document, id, names), json.dumps(document.view.get(id))


def _alone(document: Document, id: str, names: Mapping[str, str]) -> Hashable:
    return _content(document.graph.view.nodes[id])


# small things


def _content(entry: NodeEntry) -> str:
    return json.dumps(entry_data(entry))


def _same(one: Any, two: Any) -> bool:
    """Whether a file would hold the same: 1 is not 1.0."""
    return json.dumps(one) == json.dumps(two)


def _cables(document: Document, node: str) -> list[Cable]:
    graph = document.graph
    return list(dict.fromkeys((*graph.cables_into(node), *graph.cables_out_of(node))))
