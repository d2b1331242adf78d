"""Copy and paste as patch text: what is copied is a small patch, which pastes into a mail and back from one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from nodegraph.core.cable import Cable
from nodegraph.core.commands import AddNote, Command, Restore
from nodegraph.core.document import Document
from nodegraph.core.errors import PatchError, PatchFileError, Problem
from nodegraph.core.graph import Graph
from nodegraph.core.notes import is_place
from nodegraph.core.patchfile import dumps, entry_data, read

Point = tuple[float, float]


@dataclass
class Pasted:
    """What pasting does: its commands, and the nodes and notes that come."""

    commands: list[Command] = field(default_factory=list)
    nodes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def copied(
    document: Document, nodes: Iterable[str], places: dict[str, Point] | None = None, notes: Iterable[str] = ()
) -> str:
    """Nodes with the cables among them, and notes, as the text of a patch. `places` are of nodes whose places are told
    nowhere.
    """
    graph = Graph(document.graph.registry)
    chosen = [id for id in nodes if id in document.graph]
    found = Document(graph)
    for id in chosen:
        graph.put(document.graph.node(id))
        found.put(id, document.view.get(id))
        if document.place(id) is None and id in (places or {}):
            found.put(id, (places or {})[id])
    for cable in document.graph.cables:
        if cable.from_node in graph and cable.to_node in graph:
            graph.lay(cable)
    found.presentation = {id: document.presentation[id] for id in chosen if id in document.presentation}
    found.notes = {id: document.notes[id] for id in notes if id in document.notes}
    return dumps(found)


def pasted(text: str, document: Document, *, by: Point = (0.0, 0.0), at: Point | None = None) -> Pasted:
    """What brings a copied text into a document: everything moved `by` so much, or with its upper left corner `at` a
    place. Nodes and notes keep their ids where these are free, and their places in the presentation with them.

    Raises PatchError when the text holds no patch.
    """
    found = _document(text, document)
    ids = list(found.graph.nodes)
    taken = set(document.graph.nodes)
    names = {}
    for id in ids:
        names[id] = _free(id, taken)
        taken.add(names[id])
    places = {id: place for id in ids if (place := found.place(id)) is not None}
    ats: dict[str, Any] = {id: note.get("at") for id, note in found.notes.items()}
    laid = {id: (float(at[0]), float(at[1])) for id, at in ats.items() if is_place(at)}
    corners = [*places.values(), *laid.values()]
    if at is not None and corners:
        by = at[0] - min(place[0] for place in corners), at[1] - min(place[1] for place in corners)
    made = Pasted()
    come: set[str] = set()
    for id in ids:
        come.add(id)
        cables = (*found.graph.cables_into(id), *found.graph.cables_out_of(id))
        inside = dict.fromkeys(cable for cable in cables if cable.from_node in come and cable.to_node in come)
        if id in places:
            found.put(id, [round(places[id][0] + by[0]), round(places[id][1] + by[1])])
        made.commands.append(
            Restore(
                names[id],
                entry_data(found.graph.node(id)),
                tuple(str(_renamed(cable, names)) for cable in inside),
                found.view.get(id),
                found.presentation.get(id) if names[id] == id else None,
            )
        )
        made.nodes.append(names[id])
    taken = set(document.notes)
    for id, note in found.notes.items():
        new = _free(id, taken)
        taken.add(new)
        moved = {name: value for name, value in note.items() if new == id or name != "present"}
        if id in laid:
            moved["at"] = [round(laid[id][0] + by[0]), round(laid[id][1] + by[1])]
        made.commands.append(AddNote(new, moved))
        made.notes.append(new)
    return made


def _document(text: str, document: Document) -> Document:
    """The patch that a text holds, with other words around it, or a mail's marks before its lines."""
    lines = [line.lstrip("> ") if line.startswith(">") else line for line in text.splitlines()]
    whole = "\n".join(lines)
    begin, end = whole.find("{"), whole.rfind("}")
    if begin < 0 or end < begin:
        what = "What was copied last is no piece of a patch."
        raise PatchError(Problem("nothing-to-paste", what, "Copy boxes first, or the text of a patch."))
    found, problems = read(whole[begin : end + 1], kinds=document.graph.registry)
    if found is None or (problems and not len(found.graph) and not found.notes):
        raise PatchFileError(problems)
    return found


def _free(id: str, taken: set[str]) -> str:
    """The id, or the next that is free: ``cut``, ``cut2``, ``cut3``."""
    if id not in taken:
        return id
    stem = id.rstrip("0123456789") or id
    number = int(id[len(stem) :] or 1) if len(id) - len(stem) < 10 else 1
    while f"{stem}{number}" in taken or number == 1:
        number += 1
    return f"{stem}{number}"


def _renamed(cable: Cable, names: dict[str, str]) -> Cable:
    return Cable(names[cable.from_node], cable.from_port, names[cable.to_node], cable.to_port)
