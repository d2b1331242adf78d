"""Patch files as node kinds: ``{"kind": "voice.ng"}`` is a node whose ports are those that the file declares.

The file is found as media are: in the patch's own folder or a declared media folder. Its `inlet~`, `inlet`, `param`,
`outlet~` and `outlet` nodes become the ports of the node, under their ids; its `argument` nodes become settings. Ports
stand in the order of their `order` settings, then of their ids.

A Python file is a kind likewise: see `core.ownfiles`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from nodegraph.core.cable import PORT, natural
from nodegraph.core.declare import Node
from nodegraph.core.drafts import Drafts, Stamp
from nodegraph.core.errors import NodegraphError, Problem
from nodegraph.core.hints import quoted
from nodegraph.core.media import media_folders as declared_folders
from nodegraph.core.media import resolve_media
from nodegraph.core.ownfiles import SUFFIX as OWN
from nodegraph.core.ownfiles import OwnFile, own_file, own_path, record, shelf
from nodegraph.core.ports import CableKind, Control, Inlet, Outlet, Setting
from nodegraph.core.registry import Registry
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.core.view import NodeEntry

if TYPE_CHECKING:
    from nodegraph.core.document import Document

SUFFIX: Final = ".ng"
DEEPEST: Final = 32
"""How many patches may stand inside one another."""
FACTORS: Final = ("1", "2", "4", "8")
"""How many times the engine's rate a subpatch may run at."""


class Subpatch(Node):
    """A patch inside a patch: its document, and what it was read from."""

    role = Role.PATCH
    document: ClassVar[Document]
    path: ClassVar[Path]


@dataclass
class _Read:
    """A file that was read: `stamps` of it and all files in it tell whether it is still the same.

    `shelved`: the shelf's generation then, when the file is a node of the user's own or holds one. `inner`: the kinds
    of a patch file. A steadfast kind may have both a spec and a problem: the spec is from before the problem.
    """

    spec: NodeSpec | None
    problem: Problem | None
    digest: bytes = b""
    stamps: dict[Path, Stamp | None] = field(default_factory=dict)
    shelved: int = 0
    inner: PatchKinds | None = None

    def is_stale(self, drafts: Drafts) -> bool:
        """Whether it must be read again."""
        if self.shelved and self.shelved != shelf.generation:
            return True
        return any(drafts.stamp(path) != stamp for path, stamp in self.stamps.items())


class PatchKinds(Registry):
    """The kinds that a patch can use: those of a registry, and the patch files around it.

    `folder` is the patch's own, the working folder before it has one. `media` are further folders in which it may name
    files. `within` are the patch files in which this one stands, outermost first. `drafts` are files that are being
    edited.
    """

    steadfast = False
    """Whether a file that goes bad, or goes away, stays the kind that it was (while it plays)."""

    def __init__(
        self, base: Registry, folder: Path | None = None, media: Iterable[Path] = (), within: tuple[Path, ...] = (),
        drafts: Drafts | None = None,
    ) -> None:  # fmt: skip
        self.base: Registry = base.base if isinstance(base, PatchKinds) else base
        self._specs, self._aliases = self.base._specs, self.base._aliases
        self._suggestions, self.problems = self.base._suggestions, self.base.problems
        self.folder = folder
        self.media: list[Path] = media if isinstance(media, list) else list(media)
        self.within = within
        self.drafts = Drafts() if drafts is None else drafts
        self._files: dict[str, _Read] = {}

    @classmethod
    def of_folder(cls, folder: Path) -> PatchKinds:
        """The installed kinds, and the files of this folder."""
        from nodegraph.core.registry import registry

        return cls(registry(), folder)

    def lie_in(self, path: Path) -> None:
        """The patch lies in this file from now on."""
        path = Path(os.path.realpath(path))
        self.folder, self.within = path.parent, (*self.within[:-1], path)

    def get(self, kind: str) -> NodeSpec | None:
        if not kind.endswith((SUFFIX, OWN)):
            return super().get(kind)
        return self._file(kind).spec

    def why_not(self, kind: str) -> Problem | None:
        return self._file(kind).problem if kind.endswith((SUFFIX, OWN)) else None

    def shaped(self, kind: str, values: Mapping[str, Any]) -> NodeSpec | None:
        found = super().shaped(kind, values)
        return shelf.named(found, kind) if found is not None and kind.endswith(OWN) and found.kind != kind else found

    def _located(self, spec: NodeSpec, settings: dict[str, Any]) -> dict[str, Any]:
        for item in spec.settings:
            text = settings[item.name]
            if item.name in spec.cls.shapes and item.type == "file" and isinstance(text, str) and text:
                with contextlib.suppress(NodegraphError):  # said by core.check
                    path = resolve_media(self.folder or Path.cwd(), text, (*self.media, *declared_folders()))
                    settings[item.name] = path if path.is_file() else text
        return settings

    def files(self) -> dict[Path, Stamp | None]:
        """The files on which the kinds that were looked up depend, as they are now."""
        return {path: self.drafts.stamp(path) for read in self._files.values() for path in read.stamps}

    def has_own(self) -> bool:
        """Whether a node of the user's own was looked up."""
        return any(kind.endswith(OWN) for kind in self._files)

    def own(self) -> Iterator[tuple[str, OwnFile]]:
        """The nodes of the user's own among the kinds that were looked up, and their files as they are now."""
        for kind in [kind for kind in self._files if kind.endswith(OWN)]:
            try:
                yield kind, own_file(self.folder or Path.cwd(), kind)
            except NodegraphError:
                continue  # what is wrong is told where the kind is looked up

    def settle(self) -> None:
        """Be steadfast no longer: what stayed although its file went bad is looked at again."""
        self.steadfast = False
        for read in self._files.values():
            if read.problem is not None or (read.inner is not None and any(read.inner.troubles())):
                read.shelved = -1

    def troubles(self) -> Iterator[tuple[str, Problem]]:
        """What is wrong with the files that were looked up, those inside patch files too: (kind, problem)."""
        for kind, read in self._files.items():
            if read.problem is not None:
                yield kind, read.problem
            if read.inner is not None:
                yield from read.inner.troubles()

    def __contains__(self, kind: object) -> bool:
        return super().__contains__(kind) or (isinstance(kind, str) and self.get(kind) is not None)

    def _file(self, kind: str) -> _Read:
        found = self._files.get(kind)
        if found is None or found.is_stale(self.drafts):
            new = self._own(kind) if kind.endswith(OWN) else self._read(kind, found)
            if self.steadfast and new.spec is None and found is not None and found.spec is not None:
                new.spec, new.digest, new.inner = found.spec, found.digest, found.inner
            elif found is not None and found.spec is not None and new.spec is not None and found.digest == new.digest:
                new.spec = found.spec  # the same text again: the same kind
            found = self._files[kind] = new
        return found

    def _own(self, kind: str) -> _Read:
        """A node of the user's own. Nothing of it is run here."""
        folder, generation = self.folder or Path.cwd(), shelf.generation
        stamps: dict[Path, Stamp | None] = {}
        try:
            path = own_path(folder, kind)
            stamps[path] = self.drafts.stamp(path)
            file = own_file(folder, kind)
        except NodegraphError as error:
            return _Read(None, error.problems[0], b"", stamps, generation)
        decision = record(file.digest)
        stamps[decision] = self.drafts.stamp(decision)
        spec, problem = shelf.look(kind, file)
        state = "none" if spec is None else "loaded" if shelf.is_loaded(file) else "told"
        return _Read(spec, problem, f"{state} {file.digest}".encode(), stamps, generation)

    def _read(self, kind: str, before: _Read | None) -> _Read:
        try:
            path = resolve_media(self.folder or Path.cwd(), kind, (*self.media, *declared_folders()))
        except NodegraphError as error:
            return _Read(None, error.problems[0])
        stamps: dict[Path, Stamp | None] = {path: self.drafts.stamp(path)}
        if path in self.within:
            way = " -> ".join(quoted(item.name) for item in (*self.within[self.within.index(path) :], path))
            what = f"The patch {quoted(kind)} would contain itself: {way}."
            return _Read(None, Problem("recursive-patch", what, "Take one of these nodes out."), b"", stamps)
        if len(self.within) >= DEEPEST:
            what = f"The patch {quoted(kind)} stands {DEEPEST + 1} patches deep."
            return _Read(None, Problem("too-deep", what, f"{DEEPEST} may stand inside one another."), b"", stamps)
        if stamps[path] is None:
            do = "Put it into the folder of the patch, or correct the name."
            return _Read(None, Problem("missing-patch", f"There is no patch file {quoted(kind)}.", do), b"", stamps)
        return self._opened(kind, path, stamps, before)

    def _opened(self, kind: str, path: Path, stamps: dict[Path, Stamp | None], before: _Read | None) -> _Read:
        from nodegraph.core.patchfile import examine
        from nodegraph.core.patchfile import read as read_text

        inner = PatchKinds(self.base, path.parent, self.media, (*self.within, path), self.drafts)
        if self.steadfast and before is not None and before.inner is not None:
            inner.steadfast, inner._files = True, dict(before.inner._files)
        draft = self.drafts.text(path)
        if draft is None:
            document, problems = examine(path, kinds=inner)
        else:
            document, problems = read_text(draft, file=str(path), kinds=inner)
        if document is None or problems:
            what = f"The patch file {quoted(kind)} cannot be read: {problems[0].what}"
            return _Read(None, Problem("bad-patch", what, "Open it by itself and mend it."), b"", stamps)
        if draft is not None:
            document.path = path
        digest = hashlib.sha256(draft.encode() if draft is not None else path.read_bytes() if path.exists() else b"")
        for name, read in sorted(inner._files.items()):
            stamps |= read.stamps
            digest.update(name.encode() + read.digest)
        shelved = max((read.shelved for read in inner._files.values()), default=0)
        return _Read(subpatch_spec(kind, path, document), None, digest.digest(), stamps, shelved, inner)


def subpatch_spec(kind: str, path: Path, document: Document) -> NodeSpec:
    """The spec of a node that stands for a patch."""
    text = document.title or path.stem
    about = f"{text}.\n\n{document.about}" if document.about else f"{text}."
    cls = cast("type[Subpatch]", type("Subpatch", (Subpatch,), {"document": document, "path": path, "__doc__": about}))
    ports = sorted(_ports(document), key=lambda item: item[0])
    cls.spec = NodeSpec(
        kind=kind,
        cls=cls,
        role=Role.PATCH,
        help=about,
        inlets=tuple(port for _, port in ports if isinstance(port, Inlet)),
        outlets=tuple(port for _, port in ports if isinstance(port, Outlet)),
        settings=(*(port for _, port in ports if isinstance(port, Setting)), _oversample()),
        memories=(),
    )
    return cls.spec


def _oversample() -> Setting:
    setting = Setting("1", "how many times the engine's rate it runs at", "choice", FACTORS)
    setting.name = "oversample"
    return setting


def _ports(document: Document) -> Iterator[tuple[Any, Inlet | Outlet | Setting]]:
    for entry in document.graph.nodes.values():
        port = port_of(entry)
        if port is not None and PORT.fullmatch(entry.id):
            port.name = entry.id
            yield (float(entry.value("order")), isinstance(port, Control), natural(entry.id)), port


def port_of(entry: NodeEntry) -> Inlet | Outlet | Setting | None:
    """The port of the outer node for which a node inside a patch stands; None when it stands for none."""
    spec = entry.spec
    if spec is None or spec.role is not Role.PORT:
        return None
    direction: str = spec.cls.direction  # type: ignore[attr-defined]
    help = str(entry.value("help"))
    if direction == "argument":
        return Setting(entry.value("default"), help, "any")
    if direction == "param":
        control = spec.inlet_named["value"]
        assert isinstance(control, Control)
        return Control(
            CableKind.EVENT, help, 1, (), control.default, control.unit, control.span, control.curve, control.ramp_s,
        )  # fmt: skip
    port = (spec.outlets if direction == "in" else spec.inlets)[0]
    channels = int(entry.value("channels")) or None if port.kind is CableKind.SIGNAL else None
    return (Inlet if direction == "in" else Outlet)(port.kind, help, channels)
