"""Find in the patch: in ids, kinds and their other names, values, and what a kind is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from nodegraph.core.hints import shown
from nodegraph.core.view import NodeEntry
from nodegraph.editor.question import Question, Row
from nodegraph.editor.scene import Scene

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing


def words_of(entry: NodeEntry) -> Iterator[str]:
    """All texts of a node in which something may be found."""
    yield entry.id
    yield entry.kind
    for name, value in (*entry.params.items(), *entry.extra.items()):
        yield f"{name}={value}" if isinstance(value, str) else f"{name}={shown(value)}"
    if entry.spec is not None:
        yield from entry.spec.aliases
        yield entry.spec.summary


def found(text: str, scene: Scene) -> list[str]:
    """The nodes in which every word is found, from above to below; without a word none."""
    words = text.casefold().split()
    if not words:
        return []
    nodes = scene.document.graph.nodes
    places = sorted(scene.boxes.values(), key=lambda box: (box.y, box.x))
    hits = []
    for box in places:
        entry = nodes.get(box.node)
        if entry is not None:
            texts = [item.casefold() for item in words_of(entry)]
            if all(any(word in item for item in texts) for word in words):
                hits.append(box.node)
    return hits


class Find(Question):
    """Each that is found is selected and brought into view; Enter and the arrows go on."""

    title, hint, most = "Find", "id, kind, value", 0

    def __init__(self, editing: Editing, go: Callable[[Iterable[str]], None]) -> None:
        super().__init__()
        self.editing, self._go = editing, go
        self._text = ""

    @property
    def matches(self) -> list[str]:
        """The nodes that are marked."""
        return [row.value for row in self.rows]

    def offers(self, text: str) -> Sequence[Row]:
        self._text = text
        scene = self.editing.scene
        return [Row(node, scene.boxes[node].text, node) for node in found(text, scene)]

    def state(self) -> Any:
        return id(self.editing.sheet), self.editing.mirror.version

    def chosen(self) -> None:
        if self.row is not None:
            self._go([self.row.value])

    def answer(self, text: str, row: Row | None) -> bool:
        self.step(1)
        return False

    def completed(self, text: str, row: Row | None) -> str | None:
        return None

    def note(self) -> str:
        if not self._text.strip():
            return ""
        if self.row is None:
            return "Nothing is found."
        return f"{self.at + 1} of {len(self.rows)}   {self.row.text}   {self.row.more}"
