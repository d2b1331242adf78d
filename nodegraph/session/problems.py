"""Everything that is wrong with the patch of a session, with the nodes where an editor shows it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from nodegraph.api.checking import problems
from nodegraph.api.performance import copied
from nodegraph.core.document import Document
from nodegraph.core.errors import Problem
from nodegraph.core.flatten import BOUNDARY, MOST_PLACES, places

if TYPE_CHECKING:
    from nodegraph.session.session import Session


def problems_of(session: Session) -> dict[str, Any]:
    """What `nodegraph check` says of the patch as it is now; ``nodes`` are the ids under which it plays where it is.

    Files and models are looked into without the session's turn: nobody waits for that.
    """
    with session.turn:
        document, revision = copied(session.patch.document), session.revision
    found = problems(document, session.patch.media)
    inside = list(islice(places(document), MOST_PLACES))
    told = [problem.as_dict() | {"nodes": _nodes(problem, document, inside)} for problem in found]
    return {"problems": told, "revision": revision}


def _nodes(problem: Problem, document: Document, inside: list[tuple[str, Document]]) -> list[str]:
    """Where a problem is: a node of a patch file that stands in this one several times is at several places."""
    node = problem.node
    if node is None:
        return []
    if problem.file is None or problem.file == document.file or node.partition(BOUNDARY)[0] != node:
        return [node]
    found = [prefix + node for prefix, inner in inside if inner.file == problem.file and node in inner.graph]
    return found or [node]
