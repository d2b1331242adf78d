"""What a network does to packets, with a seed: loses some, holds some up, sends some twice."""

from __future__ import annotations

import heapq
import random
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nodegraph.codes.packets import DOOR, Packet, parse
from nodegraph.core.graph import Graph
from nodegraph.runtime.player import Player

PORT = 9_040


def sent(graph: Graph, frames: int, sound: Any = None, rate: int = 48_000, **options: Any) -> list[tuple[int, bytes]]:
    """What leaves a graph that is played offline: frame and packet."""

    found: list[tuple[int, bytes]] = []
    player = Player(graph.view, rate, **options)
    try:
        player.messages.outside.sink(DOOR, lambda frame, out: found.append((frame, out.packet)))
        player.render(np.zeros((player.engine.outputs, frames), np.float32), sound, block=64)
    finally:
        player.close()
    return found


def through(
    packets: Sequence[tuple[int, bytes]], *, seed: int = 1, loss: float = 0.0, jitter: int = 0, twice: float = 0.0,
    clock: float = 1.0, missing: Callable[[Packet], bool] = lambda packet: False,
) -> list[tuple[int, bytes]]:  # fmt: skip
    """When each packet arrives, in frames of a receiver whose clock goes `clock` times as fast."""
    chance = random.Random(seed)
    found = []
    for frame, data in packets:
        for _ in range(1 + (chance.random() < twice)):
            late = chance.randrange(jitter + 1)
            if chance.random() >= loss and not missing(parse(data)):
                found.append((round(frame * clock) + late, data))
    return sorted(found, key=lambda item: item[0])


def received(
    graph: Graph, frames: int, arrivals: Sequence[tuple[int, bytes]], rate: int = 48_000, **options: Any
) -> tuple[Any, list[tuple[int, str, Any]], list[str]]:
    """The sound of a graph at which packets arrive, the messages of its node ``get``, and its log."""

    events: list[tuple[int, str, Any]] = []
    log: list[str] = []
    player = Player(graph.view, rate, report=lambda node, text: log.append(text), **options)
    out = np.zeros((player.engine.outputs, frames), np.float32)
    try:
        for port in ("codes", "lost"):
            player.watch("get", port, lambda event: events.append((event.frame, event.port, event.value)))
        for frame, data in arrivals:
            player.act("arrive", DOOR, (PORT, data), frame=frame)
        player.render(out, None, block=64)
    finally:
        player.close()
    return out, events, log


class Relay:
    """Stands between sender and receiver on loopback: loses, delays and doubles packets, by a seed."""

    def __init__(self, to: int, *, seed: int = 1, loss: float = 0.05, jitter_s: float = 0.03, twice: float = 0.02):
        self.to, self.loss, self.jitter_s, self.twice = to, loss, jitter_s, twice
        self._chance = random.Random(seed)
        self.lost: list[int] = []
        """Numbers of the packets that were lost."""
        self.passed: list[int] = []
        self._in = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._in.bind(("127.0.0.1", 0))
        self._out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port: int = self._in.getsockname()[1]
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        waiting: list[tuple[float, int, bytes]] = []
        count = 0
        while not self._over:
            soonest = waiting[0][0] - time.monotonic() if waiting else 0.05
            self._in.settimeout(max(min(soonest, 0.05), 0.0005))
            try:
                data = self._in.recv(65_536)
            except TimeoutError:
                data = b""
            now = time.monotonic()
            if data:
                number = parse(data).sequence
                if self._chance.random() < self.loss:
                    self.lost.append(number)
                else:
                    self.passed.append(number)
                    for _ in range(1 + (self._chance.random() < self.twice)):
                        count += 1
                        heapq.heappush(waiting, (now + self._chance.random() * self.jitter_s, count, data))
            while waiting and waiting[0][0] <= now:
                self._out.sendto(heapq.heappop(waiting)[2], ("127.0.0.1", self.to))

    def close(self) -> None:
        self._over = True
        self._thread.join(10.0)
        self._in.close()
        self._out.close()


def free_port() -> int:
    """A UDP port that nobody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
