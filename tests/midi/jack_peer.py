"""A JACK client that plays with us: it sends what it is told, each at its frame, and notes what comes, and when."""

from __future__ import annotations

from collections import deque
from typing import Any


class Peer:
    """Frames count from its first block on. `sends` are (frame, bytes), in order; `heard` fills with the like."""

    def __init__(self, server: str, name: str = "peer") -> None:
        import jack

        self.client: Any = jack.Client(name, servername=server, no_start_server=True)
        self.out = self.client.midi_outports.register("out")
        self.into = self.client.midi_inports.register("in")
        self.sound = self.client.inports.register("sound")
        self.sends: deque[tuple[int, bytes]] = deque()
        self.heard: list[tuple[int, bytes]] = []
        self.sent: list[tuple[int, bytes]] = []
        self.recorded: list[Any] = []
        self.records = False
        self.frame = 0
        self.runs = False
        self.client.set_process_callback(self._process)

    def _process(self, count: int) -> None:
        self.out.clear_buffer()
        if not self.runs:
            return
        while self.sends and self.sends[0][0] < self.frame + count:
            frame, data = self.sends.popleft()
            if frame >= self.frame:
                self.out.write_midi_event(frame - self.frame, data)
                self.sent.append((frame, data))
        for offset, data in self.into.incoming_midi_events():
            self.heard.append((self.frame + offset, bytes(data)))
        if self.records:
            self.recorded.append(self.sound.get_array().copy())
        self.frame += count

    def start(self) -> None:
        self.client.activate()

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()
