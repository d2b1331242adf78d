"""The sheets on the desk: the patch itself, and the patch files inside it that are open beside it.

Two nodes of one file open two sheets of one document: what is edited is the file, what is moved and heard is the node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodegraph.core.drafts import Drafts
from nodegraph.core.errors import NodegraphError
from nodegraph.core.patchfile import dumps
from nodegraph.core.subpatches import SUFFIX
from nodegraph.editor.encapsulating import encapsulated
from nodegraph.editor.mirror import Mirror
from nodegraph.editor.sheet import ROOT, Sheet

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing


class Sheets:
    """Which sheets are open; the first is the patch itself and always is."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.drafts = Drafts()
        """The texts of the files that are open."""
        link = editing.link
        self.open = [Sheet(editing, Mirror(link.ask, editing.say, drafts=self.drafts))]
        self.top = self.open[0]
        self.version = 0
        """Another number whenever other sheets are open, or another is on top."""
        self._mirrors: dict[str, Mirror] = {}
        self._ways: dict[str, tuple[str, str | None]] = {}
        """How a sheet was asked for: the kind, and the sheet in which that was meant."""
        self._seen: dict[str, int] = {}
        self._wanted: set[str] = set()
        self._looked: tuple[int, ...] = ()
        self._turn = 0
        """Another number whenever the session plays another patch: what was asked before is for nothing."""

    def actions(self) -> dict[str, Callable[[], Any]]:
        """Its actions by name."""
        return {
            "open-subpatch": self.open_selected, "leave-subpatch": self.leave, "close-sheet": self.close,
            "next-sheet": lambda: self.step(1), "previous-sheet": lambda: self.step(-1),
            "encapsulate": self.encapsulate,
        }  # fmt: skip

    @property
    def mirrors(self) -> list[Mirror]:
        """The documents that are known, those of sheets that were closed too."""
        return [self.open[0].mirror, *self._mirrors.values()]

    @property
    def unsaved(self) -> bool:
        """Whether one of them is not in its file as it is now."""
        return any(mirror.unsaved for mirror in self.mirrors)

    # -- open and close

    def open_selected(self) -> None:
        """The subpatch that is selected."""
        nodes = self.top.selection.nodes
        if len(nodes) == 1:
            self.open_node(next(iter(nodes)))

    def opens(self, node: str) -> bool:
        """Whether a node stands for a patch file."""
        entry = self.top.mirror.document.graph.nodes.get(node)
        return entry is not None and entry.kind.endswith(SUFFIX)

    def open_node(self, node: str, then: Callable[[], None] = lambda: None) -> None:
        """The patch file for which a node of the sheet on top stands. `then` is called when it lies on top."""
        if not self.opens(node):
            self.editing.say(f"{node} is no patch: there is nothing inside to be opened.")
            return
        here = self.top
        root = f"{here.root}/{node}"
        found = next((sheet for sheet in self.open if sheet.root == root), None)
        if found is not None:
            self.show(found)
            then()
            return
        kind, within = here.mirror.document.graph.node(node).kind, here.mirror.sheet

        def told(mirror: Mirror) -> None:
            self._opened(mirror, root, here)
            then()

        self._ask(kind, within, told)

    def _ask(self, kind: str, within: str | None, then: Callable[[Mirror], None], **more: str) -> None:
        fields: dict[str, Any] = {"kind": kind, **more} if within is None else {"kind": kind, "within": within, **more}

        turn = self._turn

        def told(answer: Mapping[str, Any]) -> None:
            self.editing.tell_problems(answer)
            if "ok" in answer and turn == self._turn:
                found = answer["ok"]
                name = str(found["sheet"])
                mirror = self._mirrors.get(name)
                if mirror is None:
                    link = self.editing.link
                    mirror = Mirror(link.ask, self.editing.say, sheet=name, drafts=self.drafts)
                    self._mirrors[name] = mirror
                self._ways[name] = kind, within
                mirror.take(found, self.editing.link.name)
                then(mirror)

        self.editing.link.ask("sheet", told, **fields)

    def _opened(self, mirror: Mirror, root: str, beside: Sheet) -> None:
        found = next((sheet for sheet in self.open if sheet.root == root), None)
        if found is not None:  # asked for twice
            self.show(found)
            return
        made = Sheet(self.editing, mirror, root)
        at = self.open.index(beside) if beside in self.open else 0
        self.open.insert(at + 1, made)
        self.show(made)

    def show(self, sheet: Sheet) -> None:
        """Put a sheet on top."""
        if sheet is not self.top:
            self.editing.let_be()
            self.top = sheet
        self.top.follow(self.editing.size)  # it may have lain below for long
        self.version += 1

    def leave(self) -> None:
        """To the sheet in which the node of this one stands."""
        root = self.top.root
        while root != ROOT:
            root = root.rpartition("/")[0]
            found = next((sheet for sheet in self.open if sheet.root == root), None)
            if found is not None:
                self.show(found)
                return

    def close(self) -> None:
        """Take the sheet on top away; what was edited in it stays edited."""
        if self.top is not self.open[0]:
            at = self.open.index(self.top)
            closed = self.open[at]
            self.show(self.open[at - 1])
            self.open.remove(closed)
            self.editing.ways.comparing.closed(closed)

    def step(self, by: int) -> None:
        """The next sheet."""
        self.show(self.open[(self.open.index(self.top) + by) % len(self.open)])

    def way(self) -> list[tuple[str, Sheet | None]]:
        """The way to the sheet on top: names from the patch inwards, each with its sheet if that is open."""
        open = {sheet.root: sheet for sheet in self.open}
        found: list[tuple[str, Sheet | None]] = [(self.open[0].mirror.title, self.open[0])]
        root = ROOT
        for id in self.top.root.removeprefix(ROOT).strip("/").split("/"):
            if id:
                root = f"{root}/{id}"
                found.append((id, open.get(root)))
        return found

    # -- time

    def joined(self) -> None:
        """The session is there (again): it may know nothing of sheets any more."""
        for name, (kind, within) in list(self._ways.items()):
            self._mirrors[name].begin({"you": self.editing.link.name}, load=False)
            self._ask(kind, within, lambda mirror: None)

    def renewed(self) -> None:
        """The session plays another patch."""
        self.editing.let_be()
        self._turn += 1
        del self.open[1:]
        self._mirrors.clear()
        self._ways.clear()
        self._seen.clear()
        self._wanted.clear()
        for path, _ in list(self.drafts):
            self.drafts.put(path, None)
        self.show(self.open[0])

    def follow(self) -> None:
        """Let the texts of all sheets count wherever they are nodes; ask for files that are not on this machine."""
        moved = False
        for name, mirror in self._mirrors.items():
            if mirror.ready and self._seen.get(name) != mirror.version:
                self._seen[name] = mirror.version
                text = dumps(mirror.document)
                if self.drafts.text(Path(name)) != text:
                    self.drafts.put(Path(name), text)
                    moved = True
        if moved:
            self.refresh()
        versions = tuple(mirror.version for mirror in self.mirrors)
        if versions != self._looked:
            self._looked = versions
            for mirror in self.mirrors:
                self._want(mirror)

    def refresh(self) -> None:
        """Files may be others now."""
        for mirror in self.mirrors:
            mirror.refresh()
        for name, mirror in self._mirrors.items():
            self._seen[name] = mirror.version

    def _want(self, mirror: Mirror) -> None:
        for entry in mirror.document.graph.nodes.values():
            if entry.spec is None and entry.kind.endswith(SUFFIX):
                key = f"{mirror.sheet or ''}\n{entry.kind}"
                if key not in self._wanted:  # told once, whatever comes of it
                    self._wanted.add(key)
                    self._ask(entry.kind, mirror.sheet, lambda mirror: None)

    # -- a subpatch of what is selected

    def encapsulate(self) -> None:
        """What is selected becomes a patch file of its own, and a node in its place."""
        editing, sheet = self.editing, self.top
        if editing.modes.refuses():
            return
        if not sheet.selection.nodes:
            editing.say("Nothing is selected that could become a subpatch.")
            return
        places = {id: (box.x, box.y) for id, box in sheet.scene.boxes.items()}
        try:
            made = encapsulated(sheet.mirror.document, sheet.selection.nodes, places, self._free_name(sheet))
        except NodegraphError as error:
            editing.tell(error)
            return

        def begun(mirror: Mirror) -> None:
            self.follow()
            if sheet is self.top and editing.do(made.commands, f"Encapsulate as {made.kind}"):
                sheet.selection.only([made.node])

        self._ask(made.kind, sheet.mirror.sheet, begun, text=made.text)

    def _free_name(self, sheet: Sheet) -> str:
        """A name that no file has, as far as is known here."""
        kinds = sheet.mirror.document.graph.registry
        stem = Path(self.open[0].mirror.file or "sub.ng").stem
        number = 1
        while kinds.get(found := f"{stem}-{number}{SUFFIX}") is not None or Path(kinds.folder or "", found).exists():
            number += 1
        return found
