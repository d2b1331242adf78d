"""OSC as messages: to other programs, and from them. Plain Python in logical time."""

from __future__ import annotations

import re
from typing import Any

from nodegraph.core import BANG, EventNode, Moment, inlet, node, outlet, setting
from nodegraph.core.osc import DOOR, OscOut
from nodegraph.osc.addresses import Pattern, is_pattern
from nodegraph.osc.building import arguments
from nodegraph.osc.packets import OscError

ADDRESS = re.compile(r"/[^\s#\0]{0,511}")


@node("osc.send", aliases=("udpsend", "netsend", "sendOSC", "oscformat", "packOSC", "NetAddr", "SendReply"))
class OscSend(EventNode):
    """Send messages to another program by OSC.

    A number or a text is sent as it is, a list as its items, a bang without arguments, a note as pitch, velocity and
    length. A list that begins with an address (a text with ``/`` in front) goes there. What comes faster than `rate`
    is made fewer: of each address the newest is sent, in its turn. It leaves when the sound of its frame does, or at
    once with a time tag. It goes out live only, and to other machines only where whoever plays the patch allows it.

    Source: M. Wright, "The Open Sound Control 1.0 Specification", 2002.
    """

    to = setting.text("127.0.0.1", "the machine: its number or name")
    port = setting.number(9_000, "the port at which it listens", span=(1, 65_535))
    protocol = setting.choice("udp", "how it goes there", choices=("udp", "tcp", "tcp-slip"))
    address = setting.text("/nodegraph", "the OSC address")
    timetag = setting.flag(False, "send at once, with the time at which it is to act")
    x = inlet.event("what is sent")
    rate = inlet.control(100.0, "messages a second of each address at most; 0: all", span=(0.0, 10_000.0), ramp_s=0.0)

    MOST_ADDRESSES = 256

    def start(self, when: Moment) -> None:
        self.newest: dict[str, tuple[Any, ...] | None] = {}  # address → what waits for its turn, if anything
        self.said = False

    def on_x(self, message: Any, when: Moment) -> None:
        address, args = self.address, arguments(message)
        if args and isinstance(args[0], str) and args[0].startswith("/"):
            address, args = args[0], args[1:]
        if not ADDRESS.fullmatch(address):
            if not self.said:
                self.said = True
                self.host.log(self, f"{address[:60]!r} is no OSC address: it begins with '/' and has no spaces.")
        elif address in self.newest:
            self.newest[address] = args
        else:
            self._send(address, args, when)

    def _send(self, address: str, args: tuple[Any, ...], when: Moment) -> None:
        out = OscOut(str(self.to), int(self.port), self.protocol, address, args, bool(self.timetag))
        self.host.outside.tell(DOOR, when.frame, out)
        if self.rate > 0.0 and len(self.newest) < self.MOST_ADDRESSES:
            self.newest[address] = None
            self.host.after(self, 1.0 / self.rate, lambda when: self._go_on(address, when))

    def _go_on(self, address: str, when: Moment) -> None:
        waiting = self.newest.pop(address, None)
        if waiting is not None:
            self._send(address, waiting, when)


@node("osc.receive", aliases=("udpreceive", "netreceive", "oscparse", "unpackOSC", "routeOSC", "OSCdef", "OSCFunc"))
class OscReceive(EventNode):
    """Get the messages that come in by OSC under an address.

    One argument is a number or a text, several are a list, none is a bang. `address` may be a pattern: ``/fader/*``,
    ``/pad/[1-8]``, ``/{note,cc}``; the message before tells which address it was. A message with a time tag arrives at
    its frame. Parameters of the patch need no node: they have addresses of their own.

    Source: M. Wright, "The Open Sound Control 1.0 Specification", 2002.
    """

    address = setting.text("/nodegraph", "the address, or a pattern of them")
    source = outlet.event("the address of what comes next")
    message = outlet.event("number, text, list or bang")

    def start(self, when: Moment) -> None:
        self.pattern: Pattern | None = None
        try:
            self.pattern = Pattern(self.address)
        except OscError as error:
            self.host.log(self, str(error))
            return
        self.host.outside.listen(self, DOOR, self._hear)

    def _hear(self, value: Any, when: Moment) -> None:
        address, args = value
        if self.pattern is None or not self._is_mine(address):
            return
        self.source(address)
        self.message(args[0] if len(args) == 1 else tuple(args) or BANG)

    def _is_mine(self, address: str) -> bool:
        assert self.pattern is not None
        if address == self.address or self.pattern.matches(address):
            return True
        if is_pattern(address) and not is_pattern(self.address):
            try:
                return Pattern(address).matches(self.address)
            except OscError:
                return False
        return False
