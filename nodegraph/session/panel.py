"""What the performer's panel shows: what the patch marks for it, or else all of its controls and what its
listeners say, node by node.

A patch marks things by an entry of its file::

    "panel": [
      {"kind": "slider", "address": "cut.cutoff", "label": "Brightness"},
      {"kind": "xy", "address": "cut.cutoff", "y": "cut.resonance"},
      {"kind": "toggle", "address": "clock.on"}, {"kind": "button", "address": "clock.reset"},
      {"kind": "tags", "address": "ears.tags"}, {"kind": "meter", "address": "out"}, {"kind": "preset"}
    ]

What it names and the patch does not have is left out, and named under ``missing``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.errors import NodegraphError
from nodegraph.core.flatten import entry_at
from nodegraph.core.spec import Role
from nodegraph.session.parameters import Parameter

if TYPE_CHECKING:
    from nodegraph.session.session import Session

KEY: Final = "panel"
KINDS: Final = ("slider", "toggle", "xy", "button", "preset", "meter", "tags")
MOST: Final = 500
"""Items of a panel; a patch with more controls should mark those that matter."""


def panel_of(session: Session) -> dict[str, Any]:
    """``items``, each with its ``kind``, ``label``, ``group`` and the parameter's data; and whether they were
    ``marked``."""
    entry = session.patch.document.extra.get(KEY)
    items: list[dict[str, Any]] = []
    missing: list[str] = []
    if isinstance(entry, list) and entry:
        for wanted in entry[:MOST]:
            found = _marked(session, wanted)
            if found is None:
                missing.append(str(wanted.get("address", wanted)) if isinstance(wanted, Mapping) else str(wanted))
            else:
                items.append(found)
        left = max(0, len(entry) - MOST)
    else:
        every = [item for item in session.parameters.values() if item.control is not None or _listens(session, item)]
        items = [_item(session, found, _kind(found), "", found.node) for found in every[:MOST]]
        left = max(0, len(every) - MOST)
    return {
        "title": session.patch.title, "about": session.patch.about, "marked": isinstance(entry, list) and bool(entry),
        "items": items, "missing": missing, "left": left, "revision": session.revision,
    }  # fmt: skip


def _marked(session: Session, wanted: Any) -> dict[str, Any] | None:
    if not isinstance(wanted, Mapping) or wanted.get("kind", "slider") not in KINDS:
        return None
    kind, label = wanted.get("kind", "slider"), str(wanted.get("label", ""))
    if kind in ("preset", "meter"):
        return {"kind": kind, "label": label or ("Presets" if kind == "preset" else "Level"), "group": ""}
    found = _parameter(session, wanted.get("address"))
    if found is None or (found.control is None and kind in ("slider", "toggle", "xy")):
        return None
    if found.writable is not (kind != "tags"):
        return None
    item = _item(session, found, kind, label, "")
    if kind == "xy":
        other = _parameter(session, wanted.get("y"))
        if other is None or other.control is None:
            return None
        item["y"] = _data(session, other)
    return item


def _parameter(session: Session, address: Any) -> Parameter | None:
    try:
        return session.parameter(address) if isinstance(address, str) else None
    except NodegraphError:
        return None


def _listens(session: Session, found: Parameter) -> bool:
    """Whether it is what a listener says."""
    entry = entry_at(session.patch.graph.view, found.node)
    return not found.writable and entry is not None and entry.spec is not None and entry.spec.role is Role.INFERENCE


def _kind(found: Parameter) -> str:
    if found.control is None:
        return "tags"
    return "toggle" if found.control.curve == "switch" else "slider"


def _item(session: Session, found: Parameter, kind: str, label: str, group: str) -> dict[str, Any]:
    shown = label or (found.port.name if group else f"{found.node} {found.port.name}")
    return {"kind": kind, "label": shown, "group": group, **_data(session, found)}


def _data(session: Session, found: Parameter) -> dict[str, Any]:
    data = found.as_data()
    if found.control is not None:
        data["value"] = session.live.get(found.address, found.stored)
    return data
