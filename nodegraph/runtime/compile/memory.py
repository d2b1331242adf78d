"""A schedule's memory: an arena, and buffers that are used again."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from nodegraph.runtime.compile.operations import Operation

PAGE = 1 << 18
SYSTEM_PAGE = 4096
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Array = TypeVar("Array", bound=np.ndarray[Any, Any])


def touched(array: Array) -> Array:
    """The array, with every page written to: the system gives fresh memory at the first write, and that may not be the
    audio thread's."""
    flat = array.reshape(-1).view(np.uint8)
    for bytes in (flat[::SYSTEM_PAGE], flat[-1:]):
        np.bitwise_or(bytes, 0, out=bytes)  # numpy leaves out an assignment of something to itself
    return array


class Arena:
    """Zeroed memory in pieces that start on cache lines. It lives as long as the object."""

    def __init__(self) -> None:
        self._pages: list[Bytes] = []
        self._page: Bytes = np.zeros(0, np.uint8)
        self._base = 0
        self._used = 0

    def block(self, size: int, align: int = 64) -> tuple[int, Bytes]:
        """A piece of memory, its start a multiple of `align`: its address and an array over it."""
        self._used = (self._used + align - 1) // align * align
        if self._used + size > len(self._page):
            raw = touched(np.zeros(max(PAGE, size) + 64, np.uint8))
            skip = -raw.ctypes.data % 64
            self._page = raw[skip:]
            self._base = raw.ctypes.data + skip
            self._used = 0
            self._pages.append(raw)
        start = self._used
        self._used += size
        return self._base + start, self._page[start : start + size]

    def take(self, size: int) -> int:
        """The address of a piece of memory."""
        return self.block(size)[0]


class Buffers:
    """Signal buffers. They are numbered (negative) while operations are collected and get addresses at the end."""

    def __init__(self, arena: Arena, frames: int) -> None:
        self.arena = arena
        self.frames = frames
        self.lanes: list[int] = []
        self.at: list[int] = []
        self._scratch: dict[tuple[int, int], int] = {}

    def new(self, lanes: int = 1, factor: int = 1) -> int:
        """A buffer of one block, `factor` times as long at a higher rate."""
        self.lanes.append(lanes * factor)
        return -len(self.lanes)

    def scratch(self, lanes: int, which: int = 0) -> int:
        """The address of memory that any operation may use while it runs."""
        found = self._scratch.get((lanes, which))
        if found is None:
            found = self._scratch[lanes, which] = self.arena.take(4 * self.frames * max(lanes, 1))
        return found

    def lanes_of(self, buffer: int) -> int:
        """How many samples a buffer holds for each of the block's frames."""
        return self.lanes[-buffer - 1] if buffer < 0 else 1

    def assign(self, operations: list[Operation], last: list[int]) -> None:
        """Give addresses: a buffer is free again after its last reader; those in `last` are read at the very end."""
        end = len(operations)
        final = [-1] * (len(self.lanes) + 1)
        flat_outs: list[list[int]] = []
        for number, one in enumerate(operations):
            for item in one.ins:
                if isinstance(item, list):
                    for buffer in item:
                        if buffer < 0:
                            final[-buffer] = number
                elif item < 0:
                    final[-item] = number
            made: list[int] = []
            for item in one.outs:
                made += item if isinstance(item, list) else [item]
            for buffer in made:
                if final[-buffer] < number:
                    final[-buffer] = number
            flat_outs.append(made)
        for buffer in last:
            if buffer < 0:
                final[-buffer] = end
        expiring: list[list[int]] = [[] for _ in range(end + 1)]
        for buffer in range(1, len(final)):
            if final[buffer] >= 0:
                expiring[final[buffer]].append(buffer)
        self.at = [0] * (len(self.lanes) + 1)
        free: dict[int, list[int]] = {size: [] for size in set(self.lanes)}
        for number in range(end):
            for buffer in flat_outs[number]:
                lanes = self.lanes[-buffer - 1]
                pool = free[lanes]
                self.at[-buffer] = pool.pop() if pool else self.arena.take(4 * self.frames * lanes)
            for buffer in expiring[number]:
                if self.at[buffer]:
                    free[self.lanes[buffer - 1]].append(self.at[buffer])

    def address(self, buffer: int) -> int:
        """Where a buffer lies; an address stays what it is."""
        return self.at[-buffer] if buffer < 0 else buffer

    def written(self, tables: list[list[Any]]) -> list[int]:
        """Write tables of buffers as addresses; gives the address of each.

        A list in a table becomes the address of a table of its own: its length, then its addresses.
        """
        at = self.at
        total = sum(len(items) + sum(1 + len(item) for item in items if type(item) is list) for items in tables)
        base, block = self.arena.block(8 * max(1, total))
        flat: list[int] = []
        found: list[int] = []
        for items in tables:
            row = []
            for item in items:
                if type(item) is list:
                    row.append(base + 8 * len(flat))
                    flat.append(len(item))
                    flat += [at[-one] if one < 0 else one for one in item]
                else:
                    row.append(at[-item] if item < 0 else item)
            found.append(base + 8 * len(flat))
            flat += row
        block.view(np.int64)[: len(flat)] = flat
        return found
