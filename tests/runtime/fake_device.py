"""A device of the tests' own: a thread that calls the same native callback as PortAudio does, and keeps what it got."""

from __future__ import annotations

import ctypes
import threading
import time
from typing import Any

import numpy as np

from nodegraph.core.errors import DeviceError, Problem
from nodegraph.runtime.drivers.gate import Gate
from nodegraph.runtime.engine import Engine
from nodegraph.runtime.native import callbacks
from nodegraph.runtime.native.compiled import address


class Card:
    """A sound card: it may be unplugged and plugged in again, takes some rates, and opens once or more often."""

    def __init__(self, rates: tuple[int, ...] = (44_100, 48_000), *, times: int = 1, inputs: int = 0) -> None:
        self.rates, self.times, self.inputs = rates, times, inputs
        self.plugged = True
        self.open = 0
        self.blocks: list[np.ndarray] = []
        """Everything that its listeners have heard, from the first block on, silence between streams left out."""
        self.input_value = 0.0
        self.opened_blocks: list[int] = []

    @property
    def heard(self) -> np.ndarray:
        return np.concatenate(self.blocks) if self.blocks else np.zeros((0, 2), np.float32)

    def driver(self, kind: str, engine: Engine, *, block: int = 256, **_: Any) -> CardDriver:
        """As `open_driver`."""
        return CardDriver(self, engine, block)


class CardDriver:
    """A stream on a card."""

    def __init__(self, card: Card, engine: Engine, block: int) -> None:
        if not card.plugged:
            raise DeviceError("there is no sound device.")
        if engine.rate not in card.rates:
            legal = ", ".join(map(str, card.rates))
            raise DeviceError(
                Problem("device-rate", f"the card does not run at {engine.rate} Hz. It takes {legal} Hz.")
            )
        if card.open >= card.times:
            raise DeviceError(Problem("device-busy", "the card is in use."))
        if block > 4_096:
            raise DeviceError(f"the card does not take blocks of {block}.")
        card.open += 1
        card.opened_blocks.append(block)
        self.card, self.engine, self.block = card, engine, block
        self.gate = Gate(engine, card.inputs, engine.outputs)
        self.notices: list[str] = []
        self._going = False
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def alive(self) -> bool:
        return self._going and self.card.plugged

    @property
    def latency_s(self) -> float:
        return self.block / self.engine.rate

    def start(self) -> None:
        self._going = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        call = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 6)(address(callbacks.portaudio))
        given = np.full((self.block, max(1, self.card.inputs)), 0.0, np.float32)
        due = time.monotonic()
        while self._going and self.card.plugged:
            given[:] = self.card.input_value
            wanted = np.zeros((self.block, self.engine.outputs), np.float32)
            was_open = self.gate.is_open
            call(given.ctypes.data, wanted.ctypes.data, self.block, 0, 0, self.gate.address)
            if was_open or self.gate.is_open:  # opened after the look, this block is the first that is heard
                self.card.blocks.append(wanted)
            due = max(due + self.block / self.engine.rate, time.monotonic() - 0.05)
            time.sleep(max(0.0, due - time.monotonic()))

    def stop(self) -> None:
        self._going = False
        if self._thread is not None:
            self._thread.join()
        if not self._closed:
            self._closed = True
            self.card.open -= 1

    def describe(self) -> str:
        return f"the card, {self.engine.rate} Hz, blocks of {self.block}"
