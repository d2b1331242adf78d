"""Find in the patch, and in the subpatches in it: in ids, kinds and their other names, values, and what a kind is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.flatten import BOUNDARY
from nodegraph.core.hints import shown
from nodegraph.core.spec import Role
from nodegraph.core.view import NodeEntry
from nodegraph.editor.question import Question, Row
from nodegraph.editor.scene import Scene

if TYPE_CHECKING:
    from nodegraph.core.document import Document
    from nodegraph.editor.editing import Editing

NAMED: Final = 4
"""So many of the nodes inside a subpatch are named."""


def words_of(entry: NodeEntry) -> Iterator[str]:
    """All texts of a node in which something may be found."""
    yield entry.id
    yield entry.kind
    for name, value in (*entry.params.items(), *entry.extra.items()):
        yield f"{name}={value}" if isinstance(value, str) else f"{name}={shown(value)}"
    if entry.spec is not None:
        yield from entry.spec.aliases
        yield entry.spec.summary


@dataclass(frozen=True, slots=True)
class Hit:
    """A node in which all that is looked for was found, or a subpatch with such nodes: their ids, each with the way to
    it from that subpatch."""

    node: str
    inside: tuple[str, ...] = ()


def found(text: str, scene: Scene) -> list[Hit]:
    """The nodes in which every word is found, or inside which it is, from above to below; without a word none."""
    words = text.casefold().split()
    if not words:
        return []
    nodes = scene.document.graph.nodes
    places = sorted(scene.boxes.values(), key=lambda box: (box.y, box.x))
    known: dict[int, tuple[str, ...]] = {}
    hits = []
    for entry in (nodes[box.node] for box in places if box.node in nodes):
        inside = _inside(entry, words, known)
        if inside or _fits(entry, words):
            hits.append(Hit(entry.id, inside))
    return hits


def _fits(entry: NodeEntry, words: list[str]) -> bool:
    texts = [item.casefold() for item in words_of(entry)]
    return all(any(word in item for item in texts) for word in words)


def _inside(entry: NodeEntry, words: list[str], known: dict[int, tuple[str, ...]]) -> tuple[str, ...]:
    """The nodes inside a subpatch in which every word is found. Each file is looked through once (`known`)."""
    if entry.spec is None or entry.spec.role is not Role.PATCH:
        return ()
    document: Document = entry.spec.cls.document  # type: ignore[attr-defined]
    if id(document) not in known:
        hits = []
        for inner in document.graph.nodes.values():
            if _fits(inner, words):
                hits.append(inner.id)
            hits += [inner.id + BOUNDARY + id for id in _inside(inner, words, known)]
        known[id(document)] = tuple(hits)
    return known[id(document)]


class Find(Question):
    """Each that is found is selected and brought into view; Enter and the arrows go on."""

    title, hint, most = "Find", "id, kind, value", 0

    def __init__(self, editing: Editing, go: Callable[[Iterable[str]], None], value: str = "") -> None:
        super().__init__(value=value)
        self.editing, self._go = editing, go
        self._text = ""

    @property
    def matches(self) -> list[str]:
        """The nodes that are marked."""
        return [row.value.node for row in self.rows]

    def offers(self, text: str) -> Sequence[Row]:
        self._text = text
        scene = self.editing.scene
        return [Row(hit.node, scene.boxes[hit.node].text, hit) for hit in found(text, scene)]

    def state(self) -> Any:
        return id(self.editing.sheet), self.editing.mirror.version

    def chosen(self) -> None:
        if self.row is not None:
            self._go([self.row.value.node])

    def answer(self, text: str, row: Row | None) -> bool:
        self.step(1)
        return False

    def into(self) -> bool:
        """Open the subpatch that is selected, and find on in there."""
        sheets = self.editing.sheets
        if self.row is None or not sheets.opens(self.row.value.node):
            return False
        again = Find(self.editing, self._go, self._text)
        sheets.open_node(self.row.value.node, lambda: self.editing.ways.ask(again))
        return True

    def completed(self, text: str, row: Row | None) -> str | None:
        return None

    def note(self) -> str:
        if not self._text.strip():
            return ""
        if self.row is None:
            return "Nothing is found."
        inside = self.row.value.inside
        said = f"   inside: {', '.join(inside[:NAMED])}{', …' * (len(inside) > NAMED)}" if inside else ""
        return f"{self.at + 1} of {len(self.rows)}   {self.row.text}   {self.row.more}{said}"
