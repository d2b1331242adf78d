"""A MIDI system whose ports are plugged in and pulled out by the test."""

from __future__ import annotations

from collections.abc import Callable

from nodegraph.core.errors import DeviceError

Heard = Callable[[bytes], None]


class FakePort:
    def __init__(self, system: FakeSystem, name: str, heard: Heard | None = None) -> None:
        self.system, self.name, self.heard, self.closed = system, name, heard, False

    def send(self, data: bytes) -> None:
        if self.name in self.system.dead:
            raise DeviceError(f"the port '{self.name}' does not answer.")
        self.system.sent.append((self.name, data))

    def close(self) -> None:
        self.closed = True


class FakeSystem:
    name = "fake"
    virtual = False

    def __init__(self, inputs: list[str] | None = None, outputs: list[str] | None = None) -> None:
        self.ins, self.outs = inputs or [], outputs or []
        self.sent: list[tuple[str, bytes]] = []
        self.open: list[FakePort] = []
        self.dead: set[str] = set()

    def inputs(self) -> list[str]:
        return list(self.ins)

    def outputs(self) -> list[str]:
        return list(self.outs)

    def open_input(self, name: str, heard: Heard) -> FakePort:
        if name in self.dead:
            raise DeviceError(f"the port '{name}' is taken.")
        self.open.append(FakePort(self, name, heard))
        return self.open[-1]

    def open_output(self, name: str) -> FakePort:
        return FakePort(self, name)

    def virtual_input(self, name: str, heard: Heard) -> FakePort:
        return self.open_input(name, heard)

    def virtual_output(self, name: str) -> FakePort:
        return FakePort(self, name)

    def play(self, port: str, *data: int) -> None:
        """Bytes come in by a port that is open."""
        for item in list(self.open):
            if item.name == port and not item.closed and item.heard is not None:
                item.heard(bytes(data))

    def data_sent(self, port: str) -> list[str]:
        return [data.hex(" ") for name, data in list(self.sent) if name == port]
