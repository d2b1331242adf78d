"""Chains: operations without memory of which each is heard by the next one alone become one operation.

A chain is found in the finished list of operations, so whatever else listens to a signal (a meter, a fade, a second
cable, an output) ends it. Its operations keep their rows beside it, for the time while one of their controls ramps, and
for the search for NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodegraph.runtime.compile.emitting import Emitting
from nodegraph.runtime.compile.memory import Arena, Buffers
from nodegraph.runtime.compile.operations import Operation
from nodegraph.runtime.kernels.links import can_link, last_link, link
from nodegraph.runtime.native import chains
from nodegraph.runtime.native import words as w
from nodegraph.runtime.native.compiled import address

SHORTEST = 3
"""Two operations cost as much alone."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Operations `first` to `last` of a schedule; `x` is the signal that comes in."""

    first: int
    last: int
    x: int


def chains_of(operations: Sequence[Operation], buses: Sequence[int]) -> list[Chain]:
    """The chains in a list of operations, in its order. `buses` are read at the end."""
    readers = _readers(operations, buses)
    found = []
    first = 0
    while first < len(operations):
        last = first
        if _fit(operations[first]) and operations[first].ins:
            while last + 1 < len(operations) and _goes_on(operations[last], operations[last + 1], readers):
                last += 1
            if last - first + 1 >= SHORTEST:
                found.append(Chain(first, last, operations[first].ins[0]))
        first = last + 1
    return found


def spans_of(count: int, made: Sequence[Chain]) -> list[tuple[int, int]]:
    """Which operations, of so many, each row that is walked stands for: the first, and the one behind the last."""
    behind = {chain.first: chain.last + 1 for chain in made}
    found = []
    number = 0
    while number < count:
        found.append((number, behind.get(number, number + 1)))
        number = found[-1][1]
    return found


def _readers(operations: Sequence[Operation], buses: Sequence[int]) -> dict[int, int]:
    """How many operations read each buffer."""
    readers: dict[int, int] = {}
    for one in operations:
        heard: set[int] = set()
        for item in one.ins:
            if isinstance(item, list):
                heard.update(item)
            else:
                heard.add(item)
        for buffer in heard:
            readers[buffer] = readers.get(buffer, 0) + 1
    for buffer in buses:
        readers[buffer] = readers.get(buffer, 0) + 1
    return readers


def _fit(one: Operation) -> bool:
    form = one.form
    return form is not None and one.factor == 1 and form.lanes == 1 and can_link(form.spec, form.used)


def _goes_on(one: Operation, behind: Operation, readers: dict[int, int]) -> bool:
    return _fit(behind) and one.outs[0] in behind.ins and readers.get(one.outs[0]) == 1


class Chaining(Emitting):
    """The part of a schedule that makes chains."""

    arena: Arena
    buffers: Buffers
    operations: list[Operation]
    chain_states: list[np.ndarray[Any, Any]]

    def rows_walked(self, made: Sequence[Chain], places: Sequence[int]) -> list[tuple[int, int, int, int]]:
        """The rows that the dispatcher walks: a chain in the place of its operations.

        `places` are the addresses of each operation's inputs and outputs by turns.
        """
        found = []
        starts = {chain.first: chain for chain in made}
        number = 0
        while number < len(self.operations):
            chain = starts.get(number)
            found.append(self._row(number, places) if chain is None else self._chain(chain, places))
            number = number + 1 if chain is None else chain.last + 1
        return found

    def rows_placed(self, made: Sequence[Chain], table: int) -> None:
        """Tell operations where their rows are, now that those that are walked begin at `table`."""
        behind = {chain.first: chain.last for chain in made}
        number = index = 0
        while number < len(self.operations):
            one = self.operations[number]
            if not one.row:
                one.row = table + 32 * index
            number = behind.get(number, number) + 1
            index += 1

    def _row(self, number: int, places: Sequence[int]) -> tuple[int, int, int, int]:
        one = self.operations[number]
        return one.function, one.state, places[2 * number], places[2 * number + 1]

    def _chain(self, chain: Chain, places: Sequence[int]) -> tuple[int, int, int, int]:
        count = chain.last - chain.first + 1
        members = range(chain.first, chain.last + 1)
        rows = self._table([self._row(number, places) for number in members])
        out = self.buffers.address(self.operations[chain.last].outs[0])
        links = [(self._link(chain, number), *self._row(number, places)[1:]) for number in members]
        state, block = self.arena.block(8 * 4)
        self.chain_states.append(block.view(np.int64))
        self.chain_states[-1][:] = rows, count, 0, self._table([*links, (last_link(), 0, 0, out)])
        for k, number in enumerate(members):
            self.operations[number].row = rows + 32 * k
            self.operations[number].chain = state + 8 * w.C_RAMPING
        return address(chains.chain), state, self.words(self.buffers.address(chain.x)), 0

    def _table(self, rows: Sequence[tuple[int, ...]]) -> int:
        return self.words(*(word for row in rows for word in row))

    def _link(self, chain: Chain, number: int) -> int:
        one = self.operations[number]
        heard = chain.x if number == chain.first else self.operations[number - 1].outs[0]
        linked = sum(1 << k for k, buffer in enumerate(one.ins) if buffer == heard)
        form: Any = one.form
        return link(form.spec, form.modes, form.used, linked)
