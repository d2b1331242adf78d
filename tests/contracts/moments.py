"""A host for message nodes that does nothing but keep the time."""

from __future__ import annotations

import heapq
from types import SimpleNamespace

from nodegraph.core import BANG, registry

RATE = 48_000


class Moments:
    """A host with a clock that jumps from call to call; what is sent is kept as (frame, outlet, value)."""

    rate = RATE

    def __init__(self):
        self.frame, self.sent, self.logged, self.calls, self.count = 0, [], [], [], 0

    @property
    def now(self):
        return SimpleNamespace(frame=self.frame, time=self.frame / RATE)

    def send(self, node, outlet, value):
        self.sent.append((self.frame, outlet, value))

    def after(self, node, seconds, call):
        ticket = [self.frame + max(1, round(seconds * RATE)), self.count, call]
        self.count += 1
        heapq.heappush(self.calls, ticket)
        return ticket

    def cancel(self, ticket):
        ticket[2] = None

    def log(self, node, text):
        self.logged.append(text)

    def run(self, seconds):
        end = round(seconds * RATE)
        while self.calls and self.calls[0][0] < end:
            self.frame, _, call = heapq.heappop(self.calls)
            if call:
                call(self.now)
        self.frame = end


def make(kind, settings=None, **controls):
    spec = registry().get(kind)
    node = spec.cls()
    node.id, node.host, node.settings = "it", Moments(), settings or {}
    node.controls = {item.name: controls.get(item.name, item.default) for item in spec.controls}
    node.start(node.host.now)
    return node


def give(node, inlet, message=BANG):
    """As the runtime does: a control is stored first, and a handler gets what it asks for."""
    if inlet in node.controls:
        node.controls[inlet] = message
    handler = getattr(node, "on_" + inlet, None)
    names = handler.__code__.co_varnames[1 : handler.__code__.co_argcount]
    handler(**{name: {"message": message, "when": node.host.now}[name] for name in names})


def values(node, outlet="y"):
    return [value for _, name, value in node.host.sent if name == outlet]


def frames(node):
    return [frame for frame, _, _ in node.host.sent]
