"""Messages to send to a node: such as a patch sends, and such as no patch should, but some will."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from nodegraph.core.messages import BANG, Note, NoteExpression, Tag
from nodegraph.core.ports import CableKind, Control, Inlet
from nodegraph.core.spec import NodeSpec
from nodegraph.validation.driving import promised, within
from nodegraph.validation.rig import IT, Post

ORDINARY: Final[tuple[Any, ...]] = (
    BANG, 1, 0, 0.5, -3.25, 64, "word", "440", (0.8, 60), ("note", 1), Note(60, 0.8), Note(60, 0.0),
    Note(61.5, 0.5, 0.25), NoteExpression(60, "bend", 0.5), Tag("Speech", 0.9), 127,
)  # fmt: skip

NUMBERS: Final[tuple[Any, ...]] = (
    0.0, -0.0, 1e-320, -1e-40, 1e30, -1e30, 1.7e308, -1.7e308, math.nan, math.inf, -math.inf, True, False,
    2**31, -(2**63), 2**64, 10**400, -(10**400),
)  # fmt: skip
TEXTS: Final[tuple[Any, ...]] = (
    "", " ", "bang", "nan", "-inf", "1e999", "9" * 400, "9" * 5_000, "1e-999", "0x10", "é\u200b\u202e", "a\0b",
    "\ud800", "new\nline", "{}", "[1, 2]", "%s%n", "x" * 10_000, "$1",
)  # fmt: skip
LISTS: Final[tuple[Any, ...]] = (
    (), (math.nan,), (math.inf, -math.inf), (1,), (1, 2, 3, 4, 5, 6, 7, 8), ("a", "b"), ("a", 1, BANG), ((),),
    (((1,),),), (BANG,), tuple(range(1_000)), (Note(60, 1.0), Tag("a", 0.5)), ("set", math.nan), (10**400,), ("\0",),
)  # fmt: skip
RECORDS: Final[tuple[Any, ...]] = (
    BANG, Note(0, 0.0), Note(60, 1.0, 0.0), Note(-5, -1.0, -1.0), Note(math.nan, math.nan, math.nan),
    Note(1e30, 1e30, math.inf), Note(60.5, 2.0, 1e9), Tag("", 0.0), Tag("x" * 1_000, math.nan), Tag("a", -1e30),
    Tag("\0", math.inf), NoteExpression(60, "bend", math.nan), NoteExpression(60, "pressure", 1e30),
    NoteExpression(math.nan, "", -math.inf),
)  # fmt: skip
HOSTILE: Final = (*NUMBERS, *TEXTS, *LISTS, *RECORDS)


def takes_messages(inlet: Inlet) -> bool:
    """Whether messages may be sent to it."""
    return inlet.kind in (CableKind.EVENT, CableKind.TENSOR)


def ordinary(spec: NodeSpec, random: np.random.Generator, frames: int, most: int = 48) -> list[Post]:
    """Messages as a patch sends them: controls inside their spans, events of every sort, tensors as declared."""
    inlets = [item for item in spec.inlets if takes_messages(item)]
    found: list[Post] = []
    if not inlets:
        return found
    fixed = promised(spec)
    for frame in sorted(random.integers(1, max(2, frames - 1), min(most, frames // 32)).tolist()):
        inlet = inlets[int(random.integers(len(inlets)))]
        value: Any
        if isinstance(inlet, Control):
            value = float(fixed.get(inlet.name, within(inlet, random, (1,))[0]))
        elif inlet.kind is CableKind.TENSOR:
            value = tensor(inlet, random)
        else:
            value = ORDINARY[int(random.integers(len(ORDINARY)))]
        found.append((int(frame), IT, inlet.name, value))
    return found


def tensor(inlet: Inlet, random: np.random.Generator) -> np.ndarray[Any, Any]:
    """An array of the declared shape; a dimension that has a name only is 32 long."""
    shape = tuple(size if isinstance(size, int) else 32 for size in inlet.shape) or (32,)
    return random.random(shape).astype(np.float32)


def hostile(inlet: Inlet, random: np.random.Generator) -> Iterator[Any]:
    """Everything that should not come to an inlet: huge, none, of the wrong type, of the wrong shape."""
    if inlet.kind is not CableKind.TENSOR:
        yield from HOSTILE
        return
    right = tensor(inlet, random)
    yield from (right, right * np.float32(np.nan), right * np.float32(1e30), -right, np.zeros_like(right))
    yield from (right[:0], right[:1], right[None], np.zeros(0, np.float32), np.float32(1.0) * np.ones(()))
    yield from (right.astype(np.float64), right.astype(np.int32), np.zeros((1, 1, 1), np.float32))
