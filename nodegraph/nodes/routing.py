"""Where messages go: switches, gates, lists made and taken apart."""

from __future__ import annotations

from typing import Any

from nodegraph.core import BANG, EventNode, Moment, inlet, node, outlet, setting
from nodegraph.core.messages import as_number
from nodegraph.nodes.events import WIDE


@node("toggle", aliases=("tgl", "ToggleFF", "checkbox"))
class Toggle(EventNode):
    """Switch between 0 and 1.

    A bang turns it over, a number sets it: 0 is off, all others on. `value` is what is stored, and what is set by hand
    or from outside; setting it sends it.

    Source: definition, as in Max and Pd.
    """

    x = inlet.event("a bang turns it over, a number sets it")
    value = inlet.control(0, "the stored state", span=(0, 1), curve="switch")
    y = outlet.event("1 or 0")

    def on_x(self, message: Any) -> None:
        number = as_number(message)
        on = not self.value if number is None else number != 0.0
        self.controls["value"] = float(on)
        self.y(int(on))

    def on_value(self, message: float) -> None:
        self.y(int(message != 0.0))


@node("gate", aliases=("spigot",))
class MessageGate(EventNode):
    """Let messages through while it is open.

    It is open unless it is told otherwise, unlike Max's and Pd's.

    Source: definition, as in Max and Pd.
    """

    x = inlet.event("message")
    open = inlet.control(1, "1 lets through, 0 does not", span=(0, 1), curve="switch")
    y = outlet.event("the message, while it is open")

    def on_x(self, message: Any) -> None:
        if self.open:
            self.y(message)


@node("switch", aliases=("selector", "multiplex", "mux"))
class Switch(EventNode):
    """Let the messages of one inlet through.

    `pick` says which: 1 is a, 2 is b, and so on; 0 lets nothing through. A new `pick` sends nothing by itself.

    Source: definition, as in Max.
    """

    pick = inlet.control(1, "which inlet, 0 for none", span=(0, 4), curve="integer")
    a = inlet.event("messages at pick 1")
    b = inlet.event("messages at pick 2")
    c = inlet.event("messages at pick 3")
    d = inlet.event("messages at pick 4")
    y = outlet.event("messages of the inlet that is picked")

    def _send(self, number: int, message: Any) -> None:
        if self.pick == number:
            self.y(message)

    def on_a(self, message: Any) -> None:
        self._send(1, message)

    def on_b(self, message: Any) -> None:
        self._send(2, message)

    def on_c(self, message: Any) -> None:
        self._send(3, message)

    def on_d(self, message: Any) -> None:
        self._send(4, message)


@node("pack", aliases=("pak", "join", "bundle"))
class Pack(EventNode):
    """Make a list of several numbers, or of a message and numbers.

    `b`, `c` and `d` are kept; what comes to `a` sends the list of the first `size` items (a bang sends it as it is).
    Numbers that come to the others at the same instant are in it. In the beginning `a` is 0.

    Source: definition, as in Max and Pd.
    """

    size = setting.number(2, "how many items", span=(1, 4))
    a = inlet.event("first item, any message; sends the list")
    b = inlet.control(0.0, "second item", span=WIDE)
    c = inlet.control(0.0, "third item", span=WIDE)
    d = inlet.control(0.0, "fourth item", span=WIDE)
    y = outlet.event("the list")

    def start(self, when: Moment) -> None:
        self.first: Any = 0

    def on_a(self, message: Any) -> None:
        if message is not BANG:
            self.first = message
        self.y((self.first, self.b, self.c, self.d)[: int(self.size)])


@node("unpack", aliases=("unjoin", "spell", "fan"))
class Unpack(EventNode):
    """Take a list apart.

    Its first four items come out, each where there is one; further ones are left out. A note is pitch, velocity (0 when
    it ends) and length, if it has one; a tag is label and probability; any other message comes out of `a`.

    Source: definition, as in Max and Pd.
    """

    x = inlet.event("a list, a note, a tag")
    a = outlet.event("first item")
    b = outlet.event("second item")
    c = outlet.event("third item")
    d = outlet.event("fourth item")

    def on_x(self, message: Any) -> None:
        items = message if isinstance(message, tuple) else (message,)
        for send, item in zip((self.a, self.b, self.c, self.d), items, strict=False):
            if item is not None:
                send(item)
