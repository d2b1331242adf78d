"""Codes between machines: what an encoder says here, a decoder elsewhere makes sound of."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from nodegraph.codes.kinds import Codec, codec_of
from nodegraph.codes.packets import DOOR, CodesError, CodesOut, Packet, as_arrived, build, parse
from nodegraph.codes.waiting import Waiting
from nodegraph.core import EventNode, Moment, NodegraphError, inlet, node, outlet, setting
from nodegraph.nodes.codecs.messages import codes_in
from nodegraph.osc.limits import Log

PORT = 9_040


@node("codes.send", aliases=("netsend~", "aoo_send~"))
class CodesSend(EventNode):
    """Send a codec's codes to another machine, where `codes.receive` takes them.

    Each array is one UDP packet: a header of 28 bytes and the codec's name, then the codes, packed to the bit. It
    leaves as soon as the array is there. It goes out live only, and to other machines only where whoever plays the
    patch allows it (`--send-to`).
    A codec that is not known by name is described by `rate`, `hop` and `bits`.
    What goes through: of `encodec-24khz` at 6 kbit/s 25 packets a second, of 71 bytes each: 6.0 kbit/s of codes, 8.2 of
    headers; UDP and IP add 28 bytes a packet, 5.6 kbit/s. A stage less takes 0.75 kbit/s off the codes.
    Shapes: codes (stages, frames), whole numbers from 0 on; 128 stages, 1024 frames and 10 s at most.
    Errors: what is no such array is left out, and the log says so once. An unknown codec is told in the log.

    Source: definition; as RTP numbers packets and frames, H. Schulzrinne and others, RFC 3550, 2003, section 5.1.
    """

    codes = inlet.tensor("codes of some frames", shape=("stages", "frames"))
    to = setting.text("127.0.0.1", "the machine: its number or name")
    port = setting.number(PORT, "the port at which it listens", span=(1, 65_535))
    codec = setting.text("encodec-24khz", "whose codes they are")
    rate = setting.number(0, "the codec's rate; 0: as known", span=(0, 384_000), unit="Hz")
    hop = setting.number(0, "samples of a frame; 0: as known", span=(0, 65_535))
    bits = setting.number(0, "bits of a code; 0: as known", span=(0, 16))

    def start(self, when: Moment) -> None:
        self.kind = kind_of(self)
        self.stream = int.from_bytes(os.urandom(4), "big")
        self.sequence = self.first = 0
        self.began = when.frame
        self.said = False

    def on_codes(self, message: Any, when: Moment) -> None:
        if self.kind is None:
            return
        self.first = self._place(when.frame)
        try:
            codes = codes_in(message)
            packet = build(Packet(self.kind, self.stream, self.sequence, self.first, codes))
        except NodegraphError as error:
            if not self.said:
                self.said = True
                self.host.log(self, f"It was not sent: {error.problems[0].what}")
            return
        self.sequence += 1
        self.first += codes.shape[1]
        self.host.outside.tell(DOOR, when.frame, CodesOut(str(self.to), int(self.port), packet))

    def _place(self, frame: int) -> int:
        """The number of the first frame: where the last array ended, or later if it was silent for a while."""
        assert self.kind is not None
        if not self.sequence:
            self.began = frame
        now = int((frame - self.began) * self.kind.rate / (self.kind.hop * self.host.rate))
        return now if now > self.first + 1 else self.first


@node("codes.receive", aliases=("netreceive~", "aoo_receive~"))
class CodesReceive(EventNode):
    """Get codes from another machine, and say them at exact frames, whatever the network does to them.

    What comes waits for `buffer` seconds, so that what takes longer, or overtakes, is back in its place in time; what
    comes twice is dropped. In the place of a packet that is missing the codes before it are said again, for `hold`
    seconds at most; then nothing is, and the decoder fades. Packets that come a second late find their place taken.
    Two machines' clocks never go alike: when codes wait longer or shorter than `buffer` by a frame, for 10 s, a frame
    is left out or said twice, so that nothing grows. At 50 millionths of difference that is one frame of 13 ms in four
    and a half minutes.
    One stream is heard; another one may take over when nothing came for 0.5 s. Ports are open on this machine only,
    unless whoever plays the patch names networks (`--codes`, `--listen`, `--allow`). Offline nothing comes, but for
    what a performance holds.
    Shapes: codes (stages, frames), int64, as they were sent.
    Errors: packets that are no codes, or those of another codec, are counted and dropped; the log has one line a
    second at most.

    Source: definition. The problem: R. Ramjee and others, "Adaptive Playout Mechanisms for Packetized Audio
    Applications in Wide-Area Networks", INFOCOM 1994; repetition: C. Perkins and others, "A Survey of Packet Loss
    Recovery Techniques for Streaming Audio", IEEE Network, 1998.
    """

    port = setting.number(PORT, "where it listens", span=(1, 65_535))
    codec = setting.text("encodec-24khz", "whose codes it takes")
    rate = setting.number(0, "the codec's rate; 0: as known", span=(0, 384_000), unit="Hz")
    hop = setting.number(0, "samples of a frame; 0: as known", span=(0, 65_535))
    bits = setting.number(0, "bits of a code; 0: as known", span=(0, 16))
    buffer = inlet.control(0.1, "how long codes wait for those that are late", unit="s", span=(0.0, 5.0), ramp_s=0.0)
    hold = inlet.control(0.2, "how long the last codes stand for missing ones", unit="s", span=(0.0, 5.0), ramp_s=0.0)
    codes = outlet.tensor("codes of some frames", shape=("stages", "frames"))
    lost = outlet.event("how many packets were lost so far, whenever one is missed")

    def start(self, when: Moment) -> None:
        self.kind = kind_of(self)
        self.line = Waiting(self.host.rate)
        self.now = when.frame
        self.count = 0
        self.ticket: object = None
        self.asked_for: int | None = None
        self.noted = Log(lambda text: self.host.log(self, text), lambda: self.now / self.host.rate, "")
        if self.kind is not None:
            self.host.outside.listen(self, DOOR, self._hear)

    def _hear(self, value: Any, when: Moment) -> None:
        found = as_arrived(value)
        if found is None or found[0] != int(self.port):
            return
        self.now = when.frame
        try:
            packet = parse(found[1])
        except CodesError as error:  # it comes from a file: what comes by the door was looked at there
            self.noted.note("malformed packets", error.problems[0].what)
            return
        if packet.codec != self.kind:
            self.noted.note("packets of another codec", f"{packet.codec}, not {self.kind}")
            return
        foreign = self.line.foreign
        self.line.arrive(packet, when.frame, self.buffer)
        if self.line.foreign > foreign:
            self.noted.note("packets of another sender, while one is heard")
        self._go_on(when)

    def _due(self, when: Moment) -> None:
        self.now = when.frame
        self.ticket, self.asked_for = None, None
        self._go_on(when)

    def _go_on(self, when: Moment) -> None:
        """Say what is due now, and come back when the next is."""
        while (due := self.line.due) is not None and due <= when.frame:
            codes, lost = self.line.say(when.frame, self.hold)
            if lost:
                self.count += lost
                self.lost(self.count)
            if codes is not None:
                self.codes(np.ascontiguousarray(codes))
        if due != self.asked_for:
            self.host.cancel(self.ticket)
            self.asked_for = due
            if due is not None:
                self.ticket = self.host.after(self, (due - when.frame) / self.host.rate, self._due)


def codec_in(given: Callable[[str], Any]) -> Codec:
    """What settings (``given(name)``) say of the codec. Raises PatchError when that is nothing."""
    return codec_of(given("codec"), given("rate"), given("hop"), given("bits"))


def kind_of(node: EventNode) -> Codec | None:
    """What a node's settings say of the codec; None, and a line in the log, when that is nothing."""
    try:
        return codec_in(node.settings.__getitem__)
    except NodegraphError as error:
        node.host.log(node, str(error))
        return None
