"""Bring the nodes of the user's own that a patch names: those that are trusted and not here yet are tried, then loaded.

Looking (`wanted`) reads the patch and is quick; reading and loading (`take`) takes its time and touches no patch, so
that a thread can do it while the patch plays.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from nodegraph.core.document import Document
from nodegraph.core.errors import DeclarationError, NodegraphError, PatchError
from nodegraph.core.flatten import subpatches
from nodegraph.core.ownfiles import SUFFIX, OwnFile, own_file, remember, shelf
from nodegraph.core.ports import CableKind
from nodegraph.core.spec import NodeSpec
from nodegraph.core.subpatches import PatchKinds
from nodegraph.core.trust import is_trusted
from nodegraph.core.values import plain
from nodegraph.usernodes.loading import load
from nodegraph.usernodes.reading import read

MOST_TRIED: Final = 4
"""So many different ways in which a patch sets a node's values are tried."""
_one_at_a_time = threading.RLock()


@dataclass
class Wanted:
    """A node of the user's own that is not here yet, and how the patch uses it."""

    kind: str
    file: OwnFile
    folder: Path
    uses: list[dict[str, Any]] = field(default_factory=list)
    values: list[dict[str, Any]] = field(default_factory=list)


def bring(document: Document) -> None:
    """Load what the patch needs, the patches in it too. What cannot be loaded is told by `check`."""
    while found := wanted(document):
        for item in found:
            take(item)
        document.graph.refresh()


def wanted(document: Document) -> list[Wanted]:
    """The trusted files that the patch names and that were not tried yet."""
    found: dict[tuple[str, Path], Wanted] = {}
    for owner in (document, *subpatches(document)):
        for kind, file in owner.graph.registry.own():
            if _is_new(file):
                item = found.setdefault((kind, file.path), Wanted(kind, file, owner.folder))
                for use, values in _uses(owner, kind):
                    if use not in item.uses:
                        item.uses.append(use)
                    if values not in item.values and len(item.values) < MOST_TRIED:
                        item.values.append(values)
    return list(found.values())


def take(item: Wanted, abandoned: Callable[[], bool] = lambda: False) -> None:
    """Try a node and load it, or remember why that cannot be. Raises `reading.Abandoned`."""
    with _one_at_a_time:
        if not _is_new(item.file):
            return
        try:
            data = read(
                item.file, item.kind, uses=item.uses, values=item.values, folder=item.folder, abandoned=abandoned
            )  # fmt: skip
            spec = load(item.file)
        except DeclarationError as error:
            if error.problems[0].code != "node-not-tried":  # that is no fault of the file: it is tried again
                shelf.refuse(item.file, error.problems[0])
            return
        remember(item.file, data)
        shelf.put(item.file, spec)


def bring_kind(kinds: PatchKinds, kind: str) -> NodeSpec | None:
    """The spec of a kind; of the user's own, after it was brought. None when it cannot be had."""
    if kind.endswith(SUFFIX):
        folder = kinds.folder or Path.cwd()
        try:
            file = own_file(folder, kind)
        except NodegraphError:
            return kinds.get(kind)  # which tells why not
        if _is_new(file):
            take(Wanted(kind, file, folder))
    return kinds.get(kind)


def brought(path: Path) -> NodeSpec:
    """The spec of the node in a file. Raises PatchError when it is not trusted, not there, or no good."""
    kinds = PatchKinds.of_folder(path.parent)
    spec = bring_kind(kinds, path.name)
    if spec is None:
        problem = kinds.why_not(path.name)
        assert problem is not None
        raise PatchError(problem)
    return spec


def _is_new(file: OwnFile) -> bool:
    return is_trusted(file.path, file.digest) and not shelf.is_loaded(file) and not shelf.is_refused(file)


def _uses(document: Document, kind: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """How a document uses the nodes of a kind: (which ports carry sound, the stored values)."""
    view = document.graph.view
    for entry in view.nodes.values():
        if entry.kind != kind:
            continue
        into, out = list(view.cables_into(entry.id)), list(view.cables_out_of(entry.id))
        signals = sorted({cable.to_port for cable in into if view.cable_kind(cable) is CableKind.SIGNAL})
        use = {"signals": signals, "heard": sorted({cable.from_port for cable in out})}
        stored: Mapping[str, Any] = {**entry.params, **entry.extra}
        yield use, {name: plain(value) for name, value in stored.items() if not _is_argument(value)}


def _is_argument(value: object) -> bool:
    return isinstance(value, str) and value.startswith("$")
