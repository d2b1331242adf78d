"""Many controls moved at one frame, for what a surface or a sequencer sends: written to the audio thread in one go.

Two hundred faders that move a hundred times a second are twenty thousand numbers a second. Which slot each of them is
for is looked up once for a list of places that comes again and again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from nodegraph.core.ports import Control
from nodegraph.core.view import NodeEntry
from nodegraph.runtime.engine import Engine
from nodegraph.runtime.messages import NATIVE, Messages

Place = tuple[str, str]
MOST_BANKS: Final = 32


class Bank:
    """Where the controls of a list lie, in one graph. `others` are those that are no native node's."""

    def __init__(self, places: Sequence[Place], entries: Mapping[str, NodeEntry], engine: Engine) -> None:
        self.places, self.entries = places, entries
        native: list[int] = []
        self.others: list[int] = []
        self.missing: list[str] = []
        """Nodes that are not there."""
        self.stored: dict[int, float] = {}
        slots, ramps, lows, highs = [], [], [], []
        for number, (node, inlet) in enumerate(places):
            entry = entries.get(node)
            if entry is None:
                self.missing.append(node)
            port = None if entry is None or entry.spec is None else entry.spec.inlet_named.get(inlet)
            if entry is None or entry.spec is None or entry.spec.role not in NATIVE or not isinstance(port, Control):
                self.others.append(number)
                continue
            native.append(number)
            self.stored[number] = float(entry.value(inlet))
            slots.append(engine.slot(node, entry.spec, inlet))
            ramps.append(round(port.ramp_s * engine.rate))
            lows.append(port.span[0])
            highs.append(port.span[1])
        self.native = np.array(native, np.int64)
        self.slots, self.ramps = np.array(slots, np.int64), np.array(ramps, np.int64)
        self.frames: list[int] = ramps
        self.lows, self.highs = np.array(lows, np.float64), np.array(highs, np.float64)


class Several:
    """Moves lists of controls of one graph. On the player's thread."""

    def __init__(self, messages: Messages, engine: Engine) -> None:
        self.messages, self.engine = messages, engine
        self._banks: dict[int, Bank] = {}
        self._once: Any = None

    def post(self, frame: int, places: Sequence[Place], values: Sequence[float]) -> None:
        """From outside these controls get these numbers at `frame`, before any node acts there."""
        self.messages.at(frame, lambda when: self._move(when.frame, places, values))

    def _move(self, frame: int, places: Sequence[Place], values: Sequence[float]) -> None:
        messages = self.messages
        numbers = np.asarray(values, np.float64)
        if len(numbers) != len(places) or not np.isfinite(numbers).all():
            for (node, inlet), value in zip(places, values, strict=False):  # each is looked at by itself, and told of
                messages.post(frame, node, inlet, value)
            return
        bank = self.bank(places)
        if len(bank.native):
            mine = numbers[bank.native] if bank.others else numbers
            held = np.minimum(np.maximum(mine, bank.lows), bank.highs)
            self.engine.controls(max(frame, messages.floor), bank.slots, bank.ramps, held)
            self._tell(bank, held)
        for number in bank.others:
            messages.post(frame, *places[number], float(numbers[number]))

    def bank(self, places: Sequence[Place]) -> Bank:
        """The bank for this very list, kept from its second coming on."""
        entries = self.messages.entries
        bank = self._banks.get(id(places))
        if bank is not None and bank.places is places and bank.entries is entries:
            return bank
        bank = Bank(places, entries, self.engine)
        if self._once is places:
            if len(self._banks) >= MOST_BANKS:
                self._banks.clear()
            self._banks[id(places)] = bank
        self._once = places
        return bank

    def _tell(self, bank: Bank, held: np.ndarray[Any, Any]) -> None:
        messages = self.messages
        for number, value, frames in zip(bank.native.tolist(), held.tolist(), bank.frames, strict=True):
            messages.recalls.moved(*bank.places[number], value, frames, bank.stored[number])
        if messages.moved_several is not None and not bank.others:
            messages.moved_several(bank.places, held.tolist())
        elif messages.moved is not None:
            for number, value in zip(bank.native.tolist(), held.tolist(), strict=True):
                node, inlet = bank.places[number]
                messages.moved(node, inlet, value)
