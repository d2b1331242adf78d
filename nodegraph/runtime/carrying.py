"""What a node of the user's own keeps when another version of its file takes its place.

Memories go over one by one where name and type are the same, and the shape where there is one. Of arrays only those go
over that `process` writes: one that it only reads is what `arrange` makes of the new text. The audio thread copies at
the swap, so nothing is missing in between; what would take it too long begins anew.
"""

from __future__ import annotations

import ast
import ctypes
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nodegraph.core.declare import PythonNode
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.runtime.kernels.source import Source
from nodegraph.runtime.kernels.values import SIZES
from nodegraph.runtime.ticket import Ticket

if TYPE_CHECKING:
    from nodegraph.runtime.compile.places import Place, Row

MOST_WORDS: Final = 1 << 17
"""So many words of 4 bytes one node may have copied at a swap: about 0.1 ms."""
DATA: Final = (bool, int, float, str, tuple, list, dict, set, deque, Random, np.ndarray)


def carried(was: Place, new: Place) -> tuple[list[Row], list[str]]:
    """The copies that bring one version's memories into the other's places, and the arrays that are too long for it."""
    old, about = was.ran.about, new.ran.about
    from_state, to_state = was.ran.state, new.ran.state
    rows: list[Row] = []
    for name in (*about.counters, *(item.name for item in about.spec.memories if not item.array)):
        element = about.elements[name]
        if old.elements.get(name) == element and (name in old.counters) == (name in about.counters):
            size = SIZES[element]
            source = from_state + old.offsets[name] + size * was.lane
            rows.append((source, to_state + about.offsets[name] + size * new.lane, 4, 4, size // 4))
    too_long: list[str] = []
    words = 0
    before = {item.name: item for item in old.spec.memories if item.array}
    for item in about.spec.memories:
        name = item.name
        if name not in before or before[name].element != item.element or name not in written_arrays(about.spec):
            continue
        source, *shape = _words(from_state + old.arrays[name])
        target, *wanted = _words(to_state + about.arrays[name])
        if shape != wanted:
            continue
        count = shape[0] * shape[1] * SIZES[item.element] // 4
        words += count
        if words > MOST_WORDS:
            too_long.append(name)
        else:
            rows.append((source, target, 4, 4, count))
    return rows, too_long


def fit(old: Mapping[str, Any], new: Mapping[str, Any], written: Iterable[str]) -> bool:
    """Whether these arrays of a node can all be carried over."""
    words = 0
    for name in written:
        if name not in new:
            continue
        was, now = old.get(name), new[name]
        if was is None or (was.shape, was.dtype) != (now.shape, now.dtype):
            return False
        words += now.nbytes // 4
    return words <= MOST_WORDS


def _words(address: int) -> list[int]:
    """Address, length and rows of an array."""
    return list((ctypes.c_int64 * 3).from_address(address))


@lru_cache(maxsize=256)
def written_arrays(spec: NodeSpec) -> frozenset[str]:
    """The arrays that `process` writes, or hands to a function that may."""
    if spec.role is not Role.BLOCK:
        return frozenset()
    found = set()
    for item in ast.walk(Source.of(spec.cls.process).tree):  # type: ignore[attr-defined]
        if isinstance(item, ast.Subscript) and isinstance(item.ctx, ast.Store) and isinstance(item.value, ast.Name):
            found.add(item.value.id)
        elif isinstance(item, ast.Call) and not (isinstance(item.func, ast.Name) and item.func.id in ("len", "rows")):
            found |= {argument.id for argument in item.args if isinstance(argument, ast.Name)}
    return frozenset(found)


def carry_on(old: PythonNode, new: PythonNode) -> None:
    """Give a node in Python the attributes of its predecessor that it has too, of the same type and shape."""
    ours = vars(PythonNode()).keys() | {"host", "id", "folder"}
    for name, value in vars(old).items():
        mine: Any = vars(new).get(name)
        if name in ours or type(mine) is not type(value) or not isinstance(value, DATA):
            continue
        if isinstance(value, np.ndarray) and (value.shape, value.dtype) != (mine.shape, mine.dtype):
            continue
        setattr(new, name, value)


class Leaving:
    """The host of a node whose successor is there: what it had asked for still happens, and it asks for no more."""

    def __init__(self, host: Any) -> None:
        self._host = host

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)

    def after(self, node: Any, seconds: float, call: Callable[[Any], None]) -> Ticket:
        """Nothing."""
        return Ticket(None)
