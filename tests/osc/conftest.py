"""What the tests of OSC share: a session with a door, and a socket that talks to it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nodegraph import Patch
from nodegraph.osc.building import message
from nodegraph.osc.door import Door
from nodegraph.osc.packets import Timed, parse
from nodegraph.session.session import Session
from tests.runtime.conftest import jack_server

__all__ = ["jack_server"]
PATIENCE_S = 60.0


def until(true: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Wait until something is so; returns what it gave."""
    end = time.monotonic() + patience_s
    while not (found := true()):
        assert time.monotonic() < end, f"it never came: {what}"
        time.sleep(0.005)
    return found


class Client:
    """A UDP socket of another program's."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(PATIENCE_S)
        self.port = self.socket.getsockname()[1]

    def send(self, address: str, *args: Any) -> None:
        self.send_bytes(message(address, args))

    def send_bytes(self, data: bytes) -> None:
        self.socket.sendto(data, ("127.0.0.1", self.door.port))

    def hear(self) -> list[Timed]:
        """The messages of the next packet."""
        return parse(self.socket.recv(65_536))

    def until(self, address: str) -> tuple[Any, ...]:
        """The arguments of the next message of this address; others are passed over."""
        while True:
            for item in self.hear():
                if item.address == address:
                    return item.args

    def ask(self, address: str) -> Any:
        """The value of a control."""
        self.send(address)
        return self.until(address)[0]

    def close(self) -> None:
        self.socket.close()


def instrument() -> Patch:
    """A tone, a level, something that takes notes, and something that says what it hears."""
    patch = Patch("Instrument")
    patch.connect(patch.add("sine~", "osc", freq=330), patch.add("gain~", "level", gain=0.25), patch.add("out~", "out"))
    patch.add("gain~", "other", gain=0.5)
    patch.connect("osc", "other")
    patch.add("voices~", "voices", count=4)
    patch.add("number", "n")
    patch.add("svf~", "cut", cutoff=800)
    patch.add("delay", "later", time=0.0)
    return patch


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(instrument(), driver="null") as made:
        yield made


@pytest.fixture
def door(session: Session) -> Iterator[Door]:
    with Door(session, port=0, tcp_port=0) as made:
        yield made


@pytest.fixture
def client(door: Door) -> Iterator[Client]:
    made = Client(door)
    yield made
    made.close()
