"""What stands beside the boxes of a patch, for whoever reads it: comments, areas behind boxes, images.

::

    "notes": {
      "n1": {"kind": "comment", "text": "Turn this\\nfirst.", "at": [40, 20], "points": 20, "colour": "cyan"},
      "n2": {"kind": "panel", "text": "Voices", "at": [20, 0], "size": [300, 200], "colour": "purple"},
      "n3": {"kind": "image", "file": "score.png", "at": [400, 0], "size": [320, 200]}
    }

A note never sounds. Kinds and keys that are not known here stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from nodegraph.core.cable import why_not_an_id
from nodegraph.core.hints import listed, quoted, shown
from nodegraph.core.values import finite

KINDS: Final = ("comment", "panel", "image")
COLOURS: Final = ("cyan", "green", "purple", "magenta", "amber", "grey", "white")
SMALLEST: Final = 4.0
LARGEST: Final = 400.0
"""Bounds of a text's height, in points."""
WIDEST: Final = 100_000.0
_NUMBERED: Final = re.compile(r"#[0-9a-fA-F]{6}")


def is_place(value: Any) -> bool:
    """Whether it is ``[x, y]``."""
    return isinstance(value, (list, tuple)) and len(value) == 2 and all(finite(item) for item in value)


def _is_size(value: Any) -> bool:
    return is_place(value) and all(1.0 <= item <= WIDEST for item in value)


def _is_points(value: Any) -> bool:
    return finite(value) and SMALLEST <= value <= LARGEST


def _is_colour(value: Any) -> bool:
    return isinstance(value, str) and (value in COLOURS or _NUMBERED.fullmatch(value) is not None)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


LEGAL: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "text": (_is_text, "a text"),
    "file": (lambda value: isinstance(value, str) and bool(value), "the name of a file"),
    "at": (is_place, "a place, [x, y]"),
    "size": (_is_size, f"a width and a height, [w, h], of 1 to {WIDEST:.0f} points"),
    "points": (_is_points, f"a number from {SMALLEST:.0f} to {LARGEST:.0f}, the height of the text"),
    "colour": (_is_colour, f"{listed(COLOURS)}, or a number such as #ffbe3c"),
    "present": (is_place, "a place, [x, y]"),
}
"""What the keys of a note may hold, in the order in which they are written behind its kind."""
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "comment": ("text", "at"), "panel": ("at", "size"), "image": ("file", "at"),
}  # fmt: skip


def why_no_note(id: Any, data: Any) -> str | None:
    """Why this cannot be a note, with what is legal; None when it can."""
    wrong = why_not_an_id(id) if isinstance(id, str) else f"{shown(id)} is no text"
    if wrong:
        return f"it cannot have this id: {wrong}"
    if not isinstance(data, Mapping):
        return f'it is {shown(data)}, and should be an object, {{"kind": "comment", …}}'
    kind = data.get("kind")
    if not isinstance(kind, str) or not kind:
        return f"it has no kind; give it one of {listed(KINDS)}"
    if kind not in KINDS:
        return None
    for name in NEEDED[kind]:
        if name not in data:
            return f"a note of kind {quoted(kind)} needs {quoted(name)}, {LEGAL[name][1]}"
    for name, (fits, legal) in LEGAL.items():
        if name in data and not fits(data[name]):
            return f"its {name} is {shown(data[name])}, and should be {legal}"
    return None


def ordered(data: Mapping[str, Any]) -> dict[str, Any]:
    """A note as it stands in a file: its kind, what is known of it, then what is not."""
    known = [name for name in ("kind", *LEGAL) if name in data]
    return {name: data[name] for name in (*known, *(name for name in data if name not in known))}
