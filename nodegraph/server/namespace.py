"""A session as an OSCQuery namespace: paths to plain data, as the OSCQuery proposal describes them.

Source: OSCQueryProposal (Vidvox), with its list of units.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from nodegraph.core.messages import BANG, Note, NoteExpression, Tag
from nodegraph.session.parameters import ROOT, Number, Parameter
from nodegraph.session.session import Session

UNITS: Final = {
    "Hz": "time.hz", "s": "time.second", "ms": "time.ms", "dB": "gain.db", "BPM": "time.bpm", "st": "time.midinote",
    "cents": "time.cents",
}  # fmt: skip
"""Our units by the names that the proposal has for them; others keep their own."""
ATTRIBUTES: Final = (
    "FULL_PATH", "CONTENTS", "TYPE", "ACCESS", "VALUE", "RANGE", "DESCRIPTION", "TAGS", "EXTENDED_TYPE", "UNIT",
    "CLIPMODE", "OVERLOADS", "CRITICAL",
)  # fmt: skip
EXTENSIONS: Final = {
    **dict.fromkeys(ATTRIBUTES[3:-1], True), "CRITICAL": False, "HTML": False, "LISTEN": True, "PATH_CHANGED": True,
    "PATH_ADDED": True, "PATH_REMOVED": True, "PATH_RENAMED": True,
}  # fmt: skip
READ, WRITE = 1, 2


def arguments(message: Any) -> tuple[Any, ...]:
    """A message as the arguments of an OSC message: a bang has none."""
    if message is BANG:
        return ()
    if isinstance(message, (Tag, Note, NoteExpression)):
        return tuple(item for item in message if item is not None)
    if isinstance(message, tuple):
        return tuple(part for item in message for part in arguments(item))
    listed = getattr(message, "tolist", None)
    if callable(listed):
        found = listed()
        return tuple(found) if isinstance(found, list) else (found,)
    return (message,)


def type_of(values: tuple[Any, ...]) -> str:
    """The OSC types of arguments, as one text."""
    return "".join(
        ("T" if item else "F") if isinstance(item, bool) else "i" if isinstance(item, int)
        else "f" if isinstance(item, float) else "b" if isinstance(item, bytes) else "s"
        for item in values
    )  # fmt: skip


class Namespace:
    """What OSCQuery shows of a session. `heard` are the last messages of outlets, by address."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.heard: dict[str, tuple[Any, ...]] = {}
        self._of: Mapping[str, Parameter] | None = None
        self._tree: dict[str, Any] = {}

    def find(self, path: str) -> dict[str, Any] | None:
        """All attributes of a path, with everything below it; None where there is nothing."""
        node = self._node(path)
        return None if node is None else self._data("/" + "/".join(_parts(path)), node)

    def attribute(self, path: str, name: str) -> dict[str, Any] | None:
        """One attribute, under its name. Empty: it has none yet. None: it can have none. Raises KeyError for a path
        that is none."""
        node = self._node(path)
        if node is None:
            raise KeyError(path)
        data = self._data("/" + "/".join(_parts(path)), node, below=name == "CONTENTS")
        if name in data:
            return {name: data[name]}
        access = data["ACCESS"]
        return {} if name == "VALUE" and access & READ else None

    def _node(self, path: str) -> Any:
        parameters = self.session.parameters
        if parameters is not self._of:
            self._tree = {}
            for item in parameters.values():
                self._put(item)
            self._of = parameters
        node: Any = self._tree
        for part in _parts(path):
            node = node.get(part) if isinstance(node, dict) else None
        if node is None and "/" + "/".join(_parts(path)) == ROOT:
            return {}
        return node

    def _put(self, item: Parameter) -> None:
        *way, last = _parts(item.address)
        node = self._tree
        for part in way:
            within = node.setdefault(part, {})
            if not isinstance(within, dict):  # a port and a node inside a subpatch have one path: the node has it
                within = node[part] = {}
            node = within
        node.setdefault(last, item)

    def _data(self, path: str, node: Any, below: bool = True) -> dict[str, Any]:
        if isinstance(node, Parameter):
            return self._method(node)
        found: dict[str, Any] = {"FULL_PATH": path, "ACCESS": 0, **self._about(path)}
        if below:
            prefix = "" if path == "/" else path
            found["CONTENTS"] = {name: self._data(f"{prefix}/{name}", inner) for name, inner in node.items()}
        return found

    def _about(self, path: str) -> dict[str, Any]:
        document = self.session.patch.document
        if path in ("/", ROOT):
            text = " – ".join(part for part in (document.title, document.about) if part)
            return {"DESCRIPTION": text or "a patch"}
        entry = document.graph.nodes.get(path.removeprefix(ROOT + "/"))
        if entry is None:
            return {}
        kind = entry.kind
        return {"DESCRIPTION": entry.spec.summary if entry.spec else kind, "TAGS": [kind]}

    def _method(self, item: Parameter) -> dict[str, Any]:
        found: dict[str, Any] = {"FULL_PATH": item.address}
        if item.port.help:
            found["DESCRIPTION"] = item.port.help
        control = item.control
        if control is not None:
            return found | self._control(item, control)
        if item.writable:
            # any message may come: a bang is the one that all understand
            return found | {
                "TYPE": "I", "ACCESS": WRITE, "TAGS": ["message"], "OVERLOADS": [{"TYPE": "f"}, {"TYPE": "s"}],
            }  # fmt: skip
        values = self.heard.get(item.address)
        found |= {"TYPE": "I" if not values else type_of(values), "ACCESS": READ, "TAGS": ["message"]}
        if values is not None:
            found["VALUE"] = [None if isinstance(value, bytes) else value for value in values] or [None]
        return found

    def _control(self, item: Parameter, control: Number) -> dict[str, Any]:
        low, high = control.span
        value = self.session.live.get(item.address, item.stored)
        assert value is not None
        within: dict[str, Any] = {"MIN": low, "MAX": high}
        kind, number = "f", float(value)
        if control.curve == "switch":
            kind = "T" if value else "F"
            return {
                "TYPE": kind, "ACCESS": READ | WRITE, "VALUE": [bool(value)], "RANGE": [{"VALS": [False, True]}],
                "TAGS": ["control", "switch"], "OVERLOADS": [{"TYPE": "f"}],
            }  # fmt: skip
        if control.curve == "integer":
            kind, number = "i", round(number)
            within = {"MIN": round(low), "MAX": round(high)}
        found: dict[str, Any] = {"TYPE": kind, "ACCESS": READ | WRITE, "VALUE": [number], "RANGE": [within]}
        found |= {"CLIPMODE": ["both"], "TAGS": ["control", control.curve]}
        if kind == "i":
            found["OVERLOADS"] = [{"TYPE": "f"}]
        if control.unit:
            found |= {"UNIT": [UNITS.get(control.unit, control.unit)], "EXTENDED_TYPE": [control.unit]}
        return found


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def moves(names: Iterable[tuple[str, str]], before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Any]:
    """What an edit has done to the paths: ``("PATH_RENAMED", {"OLD": …, "NEW": …})``, ``("PATH_ADDED", path)``, ….

    `names` are the nodes that were renamed, `before` and `after` the parameters by address.
    """
    gone, renamed = set(before), {}
    for node, called in names:
        old, new = f"{ROOT}/{node}", f"{ROOT}/{called}"
        if any(address.startswith(old + "/") for address in gone):
            renamed[old] = new
            gone = {new + a[len(old) :] if a.startswith(old + "/") else a for a in gone}
    for old, new in renamed.items():
        yield "PATH_RENAMED", {"OLD": old, "NEW": new}
    for address in sorted(gone - set(after)):
        yield "PATH_REMOVED", address
    for address in after:
        if address not in gone:
            yield "PATH_ADDED", address
    for address, item in after.items():
        if address in before and address in gone and _shape(before[address]) != _shape(item):
            yield "PATH_CHANGED", address


def _shape(item: Parameter) -> Any:
    control = item.control
    return None if control is None else (control.span, control.curve, control.unit)
