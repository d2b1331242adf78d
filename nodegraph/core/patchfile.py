"""The patch file: JSON text that `git diff` reads and `git merge` merges, extension ``.ng``.

::

    {
      "nodegraph": 1,
      "title": "A filter that listens",
      "nodes": {
        "cut": {"kind": "svf~", "cutoff": 800},
        "mic": {"kind": "in~"}
      },
      "cables": [
        "mic.y -> cut.x"
      ],
      "view": {
        "cut": [40, 120],
        "mic": [40, 40]
      }
    }

One node, one cable, one place a line; nodes and places in natural order of their ids, cables in theirs. A node's values
stand in the order of its declaration. ``"presets"`` stand behind the cables, in their own order, one a line, or one
value a line where that is too long: ``"dark": {"cut.cutoff": 300, "cut.resonance": 0.8}``. Behind ``"view"`` stand
``"presentation"``, the places of the nodes that are shown when the patch is presented, and ``"notes"``, comments, areas
and images (`core.notes`), one a line. What this version does not
know stays as it was: kinds, keys of nodes, keys of the file.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from nodegraph.core.cable import Cable, natural, why_not_an_id
from nodegraph.core.document import Document
from nodegraph.core.errors import PatchError, PatchFileError, Problem
from nodegraph.core.graph import Graph
from nodegraph.core.hints import quoted, shown
from nodegraph.core.jsontext import MOST_BYTES, MOST_DEPTH, Places, parse, scan, too_large
from nodegraph.core.migrations import FORMAT, MIGRATIONS, Migration, migrate
from nodegraph.core.notes import is_place, ordered, why_no_note
from nodegraph.core.preset_names import why_no_preset
from nodegraph.core.problems import unknown_node
from nodegraph.core.registry import Registry, registry
from nodegraph.core.replacing import replace_file
from nodegraph.core.subpatches import PatchKinds
from nodegraph.core.values import storable
from nodegraph.core.view import NodeEntry, parameter

KEYS: Final = ("nodegraph", "title", "about", "nodes", "cables", "presets", "view", "presentation", "notes")
WIDTH: Final = 100
MOST_HINTS: Final = 20
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NOT_A_PATCH: Final = "Open a .ng file that nodegraph has saved."


# reading


def load(path: str | os.PathLike[str], *, kinds: Registry | None = None) -> Document:
    """Read a patch file. Raises PatchFileError with every problem of its form; `check` finds those of its meaning."""
    document, problems = examine(path, kinds=kinds)
    if problems or document is None:
        raise PatchFileError(problems)
    return document


def loads(
    text: str | bytes,
    *,
    file: str | None = None,
    kinds: Registry | None = None,
    migrations: Mapping[int, Migration] = MIGRATIONS,
) -> Document:
    """The document that a text holds. `file` names it in messages. Raises as `load` does."""
    document, problems = read(text, file=file, kinds=kinds, migrations=migrations)
    if problems or document is None:
        raise PatchFileError(problems)
    return document


def examine(path: str | os.PathLike[str], *, kinds: Registry | None = None) -> tuple[Document | None, list[Problem]]:
    """What can be read of a patch file, and all problems of its form. The document is None when nothing can be."""
    file = os.fspath(path)
    try:
        data = stored(file)
    except PatchFileError as error:
        return None, list(error.problems)
    document, problems = read(data, file=file, kinds=kinds)
    if document is not None:
        document.path = Path(file)
    return document, problems


def stored(file: str) -> bytes:
    """What stands in a file, be it a patch or not. Raises PatchFileError when it cannot be read."""
    try:
        return _bytes(file)
    except OSError as error:
        what = f"{_reason(error)}."
        raise PatchFileError(Problem("unreadable-file", what, "Give the path of a patch file.", file)) from error


def _bytes(file: str) -> bytes:
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            what = "This is a folder." if stat.S_ISDIR(status.st_mode) else "This is no ordinary file."
            raise PatchFileError(Problem("unreadable-file", what, "Give the path of a patch file.", file))
        if status.st_size > MOST_BYTES:
            raise PatchFileError(too_large(status.st_size, file))
        return stream.read(MOST_BYTES + 1)


def read(
    text: str | bytes,
    *,
    file: str | None = None,
    kinds: Registry | None = None,
    migrations: Mapping[int, Migration] = MIGRATIONS,
) -> tuple[Document | None, list[Problem]]:
    """What can be read of a text, and all problems of its form."""
    if isinstance(text, bytes):
        if len(text) > MOST_BYTES:
            return None, [too_large(len(text), file)]
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            return None, [Problem("not-json", "This is not a text in UTF-8.", _NOT_A_PATCH, file, line)]
    try:
        data, places, problems = parse(text.removeprefix("\ufeff"), file)
        if not isinstance(data, dict):
            what = f"This is {_kind_of(data)}; a patch is an object in braces."
            raise PatchFileError(Problem("not-a-patch", what, _NOT_A_PATCH, file, 1))
        data = migrate(data, _format(data, places, file), file, migrations)
    except PatchFileError as error:
        return None, list(error.problems)
    if not isinstance(kinds, PatchKinds):
        kinds = PatchKinds(registry() if kinds is None else kinds)
        if file is not None:
            kinds.lie_in(Path(file))
    reader = _Reader(data, places, file, Graph(kinds))
    reader.problems += problems
    document = reader.document()
    return document, sorted(reader.problems, key=lambda problem: problem.line or 0)


def _format(data: dict[str, Any], places: Places, file: str | None) -> int:
    version = data.get("nodegraph")
    line = places.line("nodegraph") or 1
    if "nodegraph" not in data:
        what = 'This is not a patch: it does not begin with its format, "nodegraph": 1.'
        raise PatchFileError(Problem("not-a-patch", what, _NOT_A_PATCH, file, line))
    if isinstance(version, bool) or not isinstance(version, int) or version < 0:
        what = f"The format of the patch is {shown(version)}; it should be a whole number."
        raise PatchFileError(Problem("not-a-patch", what, f'Write "nodegraph": {FORMAT}.', file, line))
    if version > FORMAT:
        what = f"The patch is written in format {shown(version)}; this nodegraph reads up to {FORMAT}."
        raise PatchFileError(Problem("newer-version", what, "Update nodegraph.", file, line))
    return version


def entry_of(id: str, data: Mapping[str, Any], kinds: Registry, line: int | None = None) -> NodeEntry:
    """A node as the file has it: ``{"kind": "svf~", "cutoff": 800}``. Its kind and values may be any."""
    kind: str = data["kind"]
    values = {name: value for name, value in data.items() if name != "kind"}
    spec = kinds.shaped(kind, values)
    params: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in values.items():
        (params if spec and parameter(spec, name) else extra)[name] = value
    return NodeEntry(id, spec.kind if spec else kind, params, extra, spec, line)


def entry_data(entry: NodeEntry) -> dict[str, Any]:
    """A node as the file has it: its kind, then its values in the order of its declaration, then what is unknown."""
    items: dict[str, Any] = {"kind": entry.kind}
    if entry.spec:
        shapes = entry.spec.cls.shapes  # what decides about the other ports stands before them
        for name in (*shapes, *(port.name for port in (*entry.spec.inlets, *entry.spec.settings))):
            if name in entry.params:
                items[name] = entry.params[name]
    return items | {name: value for name, value in (*entry.params.items(), *entry.extra.items()) if name not in items}


class _Reader:
    """From data to a document, collecting problems."""

    def __init__(self, data: dict[str, Any], places: Places, file: str | None, graph: Graph) -> None:
        self.data, self.places, self.file, self.graph = data, places, file, graph
        self.problems: list[Problem] = []

    def document(self) -> Document:
        data = self.data
        for id, entry in self._part("nodes", dict, {}).items():
            self._node(id, entry)
        cable_places: dict[Cable, int] = {}
        for index, item in enumerate(self._part("cables", list, [])):
            self._cable(index, item, cable_places)
        view: dict[str, Any] = self._part("view", dict, {})
        presentation = self._presentation()
        title, about = self._part("title", str, ""), self._part("about", str, "")
        after: dict[str, str] = {}
        known = ""
        for key in data:
            if key in KEYS:
                known = key
            else:
                after[key] = known
        return Document(
            self.graph,
            title,
            about,
            {id: place for id, place in view.items() if id in self.graph},
            {key: data[key] for key in after},
            None,
            after,
            {id: place for id, place in view.items() if id not in self.graph},
            places=self.places,
            cable_places=cable_places,
            presets=self._presets(),
            notes=self._notes(),
            presentation={id: place for id, place in presentation.items() if id in self.graph},
            unpresented={id: place for id, place in presentation.items() if id not in self.graph},
        )

    def _presets(self) -> dict[str, dict[str, float]]:
        found: dict[str, dict[str, float]] = {}
        for name, values in self._part("presets", dict, {}).items():
            wrong = why_no_preset(name, values)
            if wrong:
                do = 'Write it as "name": {"node.port": number}.'
                self._problem("bad-preset", f"The preset {quoted(name)}: {wrong}.", do, ("presets", name))
            else:
                found[name] = values
        return found

    def _notes(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for id, note in self._part("notes", dict, {}).items():
            wrong = why_no_note(id, note)
            if wrong:
                do = "Mend it, or take it out."
                self._problem("bad-note", f"The note {quoted(id)}: {wrong}.", do, ("notes", id))
            else:
                found[id] = ordered(note)
        return found

    def _presentation(self) -> dict[str, Any]:
        found: dict[str, Any] = self._part("presentation", dict, {})
        for id in (id for id, place in found.items() if not is_place(place)):
            what = f"The place of {quoted(id)} in the presentation is {shown(found[id])}."
            self._problem("bad-presentation", what, 'Write it as "node": [x, y].', ("presentation", id))
        return found

    def _part(self, key: str, type_: type, default: Any) -> Any:
        value = self.data.get(key, default)
        if isinstance(value, type_):
            return value
        self._problem("wrong-type", f'"{key}" is {_kind_of(value)}.', f"It should be {_KINDS[type_]}.", (key,))
        return default

    def _node(self, id: str, data: Any) -> None:
        place = ("nodes", id)
        wrong = why_not_an_id(id)
        if wrong:
            self._problem("illegal-id", f"{quoted(id)} cannot be a node's id: {wrong}.", "Choose another.", place)
            return
        if not isinstance(data, dict):
            what = f"The node '{id}' is {_kind_of(data)}."
            self._problem("wrong-type", what, 'Write it as {"kind": "…"}.', place, id)
            return
        kind = data.get("kind")
        if not isinstance(kind, str) or not kind:
            what = f"The node '{id}' has no kind." if "kind" not in data else f"The kind of '{id}' is {shown(kind)}."
            self._problem("no-kind", what, 'Give it one: "kind": "…"; see `nodegraph nodes`.', place, id)
            return
        self.graph.put(entry_of(id, data, self.graph.registry, self.places.line(*place)))

    def _cable(self, index: int, text: Any, found: dict[Cable, int]) -> None:
        place = ("cables", index)
        if not isinstance(text, str):
            do = 'Write it as "osc.y -> cut.x".'
            self._problem("bad-cable", f"This cable is {_kind_of(text)}.", do, place)
            return
        try:
            cable = Cable.parse(text)
        except PatchError as error:
            for problem in error.problems:
                self._problem(problem.code, problem.what, problem.do, place)
            return
        if cable in found:
            line = self.places.line("cables", found[cable])
            what = f"The cable {quoted(str(cable))} stands twice, on line {line} and here."
            self._problem("duplicate-cable", what, "Take one of them out.", place)
            return
        found[cable] = index
        nodes = self.data.get("nodes")
        missing = [id for id in dict.fromkeys((cable.from_node, cable.to_node)) if id not in self.graph]
        for id in missing:
            if isinstance(nodes, dict) and id in nodes:
                continue  # it is there, and what is wrong with it has been said
            hints = self.graph.nodes if len(self.problems) < MOST_HINTS else {}
            problem = unknown_node(id, hints)
            what = f"{problem.what[:-1]} for the cable {quoted(str(cable))}."
            self._problem(problem.code, what, problem.do if hints else "Add it, or take out the cable.", place)
        if not missing:
            self.graph.lay(cable)

    def _problem(self, code: str, what: str, do: str, place: tuple[str | int, ...], node: str | None = None) -> None:
        self.problems.append(Problem(code, what, do, self.file, self.places.line(*place), node))


_KINDS: Final[dict[type, str]] = {dict: "an object in braces", list: "a list in brackets", str: "a text in quotes"}


def _kind_of(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return shown(value)
    return _KINDS.get(type(value), f"the number {shown(value)}")


# writing


def dumps(document: Document) -> str:
    """The document as the text of a file: the same document always gives the same text.

    Raises PatchFileError when it holds something that no file can hold.
    """
    graph = document.graph.view
    parts: dict[str, str | None] = {
        "nodegraph": str(FORMAT),
        "title": _words(document.title, "title"),
        "about": _words(document.about, "about"),
        "nodes": _lines("{}", (f"{_text(id)}: {_node_text(entry)}" for id, entry in graph.nodes.items())),
        "cables": _lines("[]", (_text(str(cable)) for cable in graph.cables)),
        "presets": _lines("{}", (_preset(*item) for item in document.presets.items())) if document.presets else None,
        "view": _sorted(_places(document, document.strangers, document.view), "view"),
        "presentation": _sorted(_places(document, document.unpresented, document.presentation), "presentation"),
        "notes": _sorted({id: ordered(note) for id, note in document.notes.items()}, "note"),
    }
    unknown: dict[str, list[str]] = {}
    for key in (key for key in document.extra if key not in KEYS):
        unknown.setdefault(document.after.get(key, KEYS[-1]), []).append(key)
    found: list[str] = []
    for known in ("", *KEYS):
        if known and parts[known] is not None:
            found.append(f'"{known}": {parts[known]}')
        for key in unknown.get(known, ()):
            found.append(f"{_text(key)}: {_spread(document.extra[key], key)}")
    text = _SURROGATE.sub(lambda one: f"\\u{ord(one[0]):04x}", "{\n  " + ",\n  ".join(found) + "\n}\n")
    if len(text) > MOST_BYTES:
        raise PatchFileError(too_large(len(text), document.file))
    return text


def save(document: Document, path: str | os.PathLike[str] | None = None) -> Path:
    """Write the document to `path`, or to the file it came from. Returns the path, which becomes the document's.

    The file is the old one or the new one at any moment, whatever happens: the text is written beside it, brought to
    the disk, and put in its place in one step. Its permissions stay. Raises PatchFileError, and leaves all as it was.
    """
    target = Path(path) if path is not None else document.path
    if target is None:
        raise PatchFileError("The patch has no file yet.", "Give a path to save it to.")
    text = dumps(document)
    try:
        replace_file(target, text.encode())
    except (OSError, ValueError) as error:
        reason = _reason(error) if isinstance(error, OSError) else "This cannot be a file's path"
        problem = Problem("not-saved", f"The patch was not saved: {reason}.", "Save it elsewhere.", str(target))
        raise PatchFileError(problem) from error
    document.path = target
    document.graph.registry.lie_in(target)
    document.places = scan(text)[0]
    document.cable_places = {cable: index for index, cable in enumerate(document.graph.cables)}
    return target


def _places(document: Document, strangers: Mapping[str, Any], places: Mapping[str, Any]) -> dict[str, Any]:
    return document.no_nodes(strangers) | {id: place for id, place in places.items() if id in document.graph}


def _sorted(items: Mapping[str, Any], what: str) -> str | None:
    """One a line, in natural order of their ids; None when there are none."""
    lines = [f"{_text(id)}: {_text(items[id], what, id)}" for id in sorted(items, key=natural)]
    return _lines("{}", lines) if lines else None


def _preset(name: str, values: Mapping[str, float]) -> str:
    """A preset on one line, or with one value a line when it is long."""
    ids = sorted(values, key=natural)
    text = f"{_text(name)}: {_text({id: values[id] for id in ids}, 'preset', name)}"
    if len(text) <= WIDTH:
        return text
    items = ",\n      ".join(f"{_text(id)}: {_text(values[id], 'preset', name)}" for id in ids)
    return f"{_text(name)}: {{\n      {items}\n    }}"


def _node_text(entry: NodeEntry) -> str:
    return _text(entry_data(entry), "node", entry.id)


def _text(value: Any, what: str = "text", name: str = "", levels: int = MOST_DEPTH - 2) -> str:
    if not storable(value, levels):
        message = f"The {what} {quoted(name)} holds something that a patch file cannot hold: {shown(value)}."
        raise PatchFileError(Problem("not-storable", message, "Use finite numbers, texts, flags, lists and objects."))
    return json.dumps(value, ensure_ascii=False)


def _words(text: Any, name: str) -> str | None:
    if not isinstance(text, str):
        what = f"The {name} of the patch is {shown(text)}."
        raise PatchFileError(Problem("not-storable", what, "It should be a text."))
    return _text(text) if text else None


def _spread(value: Any, name: str) -> str:
    """On one line, or with one item a line when it is long."""
    text = _text(value, "key", name, MOST_DEPTH - 1)
    if len(text) <= WIDTH or not isinstance(value, (dict, list)):
        return text
    if isinstance(value, dict):
        return _lines("{}", (f"{_text(key)}: {_text(item)}" for key, item in value.items()))
    return _lines("[]", (_text(item) for item in value))


def _lines(brackets: str, items: Iterable[str]) -> str:
    text = ",\n    ".join(items)
    return f"{brackets[0]}\n    {text}\n  {brackets[1]}" if text else brackets


def _reason(error: OSError) -> str:
    return {
        "FileNotFoundError": "There is no such file or folder",
        "PermissionError": "It may not be read or written by you",
        "IsADirectoryError": "This is a folder",
        "NotADirectoryError": "A part of the path is no folder",
    }.get(type(error).__name__, error.strerror or str(error))
