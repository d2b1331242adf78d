"""Everything that is wrong with the patch of a session, with the nodes where an editor shows it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from nodegraph.api.checking import problems
from nodegraph.core.document import Document
from nodegraph.core.errors import Problem
from nodegraph.core.flatten import BOUNDARY
from nodegraph.core.spec import Role

if TYPE_CHECKING:
    from nodegraph.session.session import Session

MOST_PLACES: Final = 1_000
"""Subpatches that are looked through for where a problem is."""


def problems_of(session: Session) -> list[dict[str, Any]]:
    """What `nodegraph check` says of the patch as it is now; ``nodes`` are the ids under which it plays where it is."""
    with session.turn:
        document = session.patch.document
        found = problems(document, session.patch.media)
        inside = list(islice(_inside(document), MOST_PLACES))
        return [problem.as_dict() | {"nodes": _nodes(problem, document, inside)} for problem in found]


def _nodes(problem: Problem, document: Document, inside: list[tuple[str, Document]]) -> list[str]:
    """Where a problem is: a node of a patch file that stands in this one several times is at several places."""
    node = problem.node
    if node is None:
        return []
    if problem.file is None or problem.file == document.file or node.partition(BOUNDARY)[0] != node:
        return [node]
    places = [prefix + node for prefix, inner in inside if inner.file == problem.file and node in inner.graph]
    return places or [node]


def _inside(document: Document, prefix: str = "") -> Iterator[tuple[str, Document]]:
    """The patches in a patch, every time that they stand in it, with what stands before the ids of their nodes."""
    for entry in document.graph.nodes.values():
        if entry.spec is not None and entry.spec.role is Role.PATCH:
            inner: Document = entry.spec.cls.document  # type: ignore[attr-defined]
            yield f"{prefix}{entry.id}{BOUNDARY}", inner
            yield from _inside(inner, f"{prefix}{entry.id}{BOUNDARY}")
