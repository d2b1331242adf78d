"""Messages compared and judged: are two the same, is one legal, did a node raise."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from nodegraph.core.messages import BANG, Event, Note, NoteExpression, Tag
from nodegraph.core.ports import CableKind, Outlet
from nodegraph.validation.finding import Finding
from nodegraph.validation.rig import Heard, Post

RAISED: Final = re.compile(r"^[A-Za-z_][\w.]*: .*\(.+:\d+\)$", re.DOTALL)
"""How the runtime reports that a node raised: the error, then where. `Messages.guarded` writes it."""
LONGEST: Final = 80


def plain(value: Any) -> Any:
    """A message so that equal ones compare equal, NaN included, and a float differs from a whole number."""
    if isinstance(value, np.ndarray):
        return ("array", value.shape, str(value.dtype), value.tobytes())
    if isinstance(value, (tuple, list)):
        return (type(value).__name__, *(plain(item) for item in value))
    if isinstance(value, float):
        return ("float", "nan" if math.isnan(value) else value.hex())
    return (type(value).__name__, value)


def shown(value: Any) -> str:
    """A message in a few words."""
    text = f"array {value.shape}" if isinstance(value, np.ndarray) else repr(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def first_other_event(a: Sequence[Event], b: Sequence[Event]) -> tuple[Event | None, Event | None] | None:
    """The first messages in which two runs differ; None when they are alike."""
    for index in range(max(len(a), len(b))):
        one, two = (row[index] if index < len(row) else None for row in (a, b))
        if one is None or two is None or _key(one) != _key(two):
            return one, two
    return None


def _key(event: Event) -> tuple[Any, ...]:
    return event.frame, event.node, event.port, plain(event.value)


def event_difference(what: str, a: Heard, b: Heard, when: str = "") -> Finding | None:
    """A finding about the first message in which two runs differ."""
    pair = first_other_event(a.events, b.events)
    if pair is None:
        return None
    first = pair[0] or pair[1]
    assert first is not None
    one, two = ("no message" if item is None else f"{shown(item.value)} at frame {item.frame}" for item in pair)
    return Finding(what, first.port, frame=first.frame, values=(one, two), when=when)


def raised(heard: Heard, posts: Iterable[Post] = (), when: str = "") -> Finding | None:
    """A finding about the first error that a node let out, and the message that came then."""
    sent: dict[int, list[str]] = {}
    for frame, _, inlet, value in posts:
        sent.setdefault(frame, []).append(f"{shown(value)} to '{inlet}'")
    for frame, _, text in heard.reports:
        if RAISED.match(text):
            came = f"after {', '.join(sent[frame])}" if frame in sent else ""
            return Finding(f"it raises {text}", frame=frame, when=", ".join(item for item in (came, when) if item))
    return None


def unfit(event: Event, outlet: Outlet) -> str:
    """Why what was sent is no message for this outlet; empty when it is one."""
    value = event.value
    if outlet.kind is CableKind.TENSOR:
        return _unfit_tensor(value, outlet)
    return _unfit_message(value)


def _unfit_tensor(value: Any, outlet: Outlet) -> str:
    if not isinstance(value, np.ndarray) or value.dtype != np.float32:
        kind = f"{value.dtype} array" if isinstance(value, np.ndarray) else type(value).__name__
        return f"a tensor is a float32 array, and this is a {kind}"
    fits = value.ndim == len(outlet.shape) and all(
        not isinstance(size, int) or size == given for size, given in zip(outlet.shape, value.shape, strict=True)
    )
    if outlet.shape and not fits:
        return f"the shape {value.shape} is not the declared one, {outlet.shape}"
    return ""


def _unfit_message(value: Any) -> str:
    if value is BANG or isinstance(value, (str, bool, int, float)):
        return ""
    if isinstance(value, (Note, NoteExpression, Tag)):
        fields = value[:2] if isinstance(value, Note) and value.duration_s is None else value  # a note may be held
        return "" if all(isinstance(item, (str, int, float)) for item in fields) else "its fields are odd"
    if type(value) is tuple:
        return next((why for item in value if (why := _unfit_message(item))), "")
    return f"a message is a number, a text, a tuple, BANG, a Note or a Tag, and this is a {type(value).__name__}"


def finite(value: Any) -> bool:
    """Whether every number in a message is finite."""
    if isinstance(value, np.ndarray):
        return bool(np.isfinite(value).all())
    if isinstance(value, float):
        return math.isfinite(value)
    return all(map(finite, value)) if isinstance(value, tuple) else True
