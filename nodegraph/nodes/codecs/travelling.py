"""Codes sent to another machine and received from there, written to files and read again."""

from __future__ import annotations

import math
import secrets
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nodegraph.codes.codecs import CODECS, NAMES
from nodegraph.codes.files import SUFFIX, check_source, check_target, read_codes, write_codes
from nodegraph.codes.packets import MOST_FRAMES, CodesError, Packet, pack, unpack
from nodegraph.codes.waiting import Waiting
from nodegraph.core import BANG, EventNode, Moment, WorkerError, inlet, node, outlet, setting
from nodegraph.core.osc import DOOR, OscOut
from nodegraph.nodes.codecs.messages import codes_in

ADDRESS = "/nodegraph/codes"
TURN_S = 0.04
"""About so much sound is in one message of codes."""
GIVEN_UP_S = 1.0
"""After so long without a frame nobody sends any more."""
MOST_KEPT = 1 << 21
"""Frames in one file: eight hours."""


def frames_a_turn(codec: str) -> int:
    """How many frames of a codec go with one message."""
    return max(1, round(TURN_S / float(CODECS[codec].frame_s)))


@node("codes.send", aliases=("codes.netsend",))
class CodesSend(EventNode):
    """Send codes to another machine, which makes sound of them again.

    There `codes.receive` gets them. They go as OSC by UDP: a packet for each message of codes, of 16 bytes and the
    codes themselves, 10 or 11 bits each. What a network loses is lost; `again` sends the last messages once more with
    each new one, which makes up for as many lost packets in a row, and costs as much again. It goes out live only, and
    to other machines only where whoever plays the patch allows it (``--send-to``).
    Shapes: codes (stages, frames), whole numbers.

    Source: RFC 3550 (2003) and RFC 2198 (1997) for what a packet must say, and for sending it again.
    """

    codec = setting.choice("encodec-24khz", "whose codes they are", NAMES)
    to = setting.text("127.0.0.1", "the machine: its number or name")
    port = setting.number(9_000, "the port at which it listens", span=(1, 65_535))
    address = setting.text(ADDRESS, "the OSC address, one for each stream")
    codes = inlet.tensor("codes of some frames", shape=("stages", "frames"))
    again = inlet.control(0.0, "how many messages go once more", span=(0.0, 3.0), curve="integer")

    def start(self, when: Moment) -> None:
        self.stream, self.count = secrets.randbits(32), 0
        self.before: list[NDArray[np.int64]] = []
        self.told = False

    def on_codes(self, message: Any, when: Moment) -> None:
        try:
            codes = codes_in(message)
            part = codes[:, :MOST_FRAMES]
            stages = min([len(part), *(len(old) for old in self.before)])
            older = self.before[len(self.before) - int(self.again) :] if self.again else []
            whole = np.concatenate([old[:stages] for old in older] + [part[:stages]], axis=1)[:, -MOST_FRAMES:]
            if not older:
                whole = part
            first = self.count + part.shape[1] - whole.shape[1]
            data = pack(Packet(CODECS[str(self.codec)], self.stream, first, whole))
        except (CodesError, WorkerError) as error:
            if not self.told:
                self.told = True
                self.host.log(self, str(error))
            return
        self.before = [*self.before, part][-3:]
        self.count += part.shape[1]
        out = OscOut(str(self.to), int(self.port), "udp", str(self.address), (data,), False)
        self.host.outside.tell(DOOR, when.frame, out)


@node("codes.receive", aliases=("codes.netreceive",))
class CodesReceive(EventNode):
    """Get the codes that another machine sends with `codes.send`.

    They wait `buffer` seconds, so that those which come late or in another order find their place, and are sent on at
    the pace of the sound, 40 ms at a time. What has not come by then is lost: its codes are -1, and a decoder repeats
    the frame before, and fades. When a sender begins anew, so does this. Needs an open port (``--osc``); other
    machines are heard where ``--listen`` and ``--allow`` say so. What is no packet of this codec's is left out.
    Shapes: codes (stages, frames), whole numbers; -1 for a frame that was lost.

    Source: H. Schulzrinne and others, "RTP: A Transport Protocol for Real-Time Applications", RFC 3550, 2003,
    appendices A.1 and A.8.
    """

    codec = setting.choice("encodec-24khz", "whose codes they are", NAMES)
    address = setting.text(ADDRESS, "the OSC address, one for each stream")
    buffer = setting.number(0.1, "how long codes wait for others", span=(0.0, 5.0), unit="s")
    codes = outlet.tensor("codes of the next frames", shape=("stages", "frames"))
    lost = outlet.event("how many frames were lost so far, when it is more")

    def start(self, when: Moment) -> None:
        frame_s = float(CODECS[str(self.codec)].frame_s)
        self.turn = frames_a_turn(str(self.codec))
        self.waiting = Waiting(math.ceil(float(self.buffer) / frame_s))
        self.given_up = math.ceil(GIVEN_UP_S / frame_s)
        self.ticket: object | None = None
        self.began = self.turns = self.said = 0
        self.told = False
        self.host.outside.listen(self, DOOR, self._hear)

    def _hear(self, value: Any, when: Moment) -> None:
        address, args = value
        if address != self.address:
            return
        try:
            packet = unpack(args[0] if len(args) == 1 else None)
            if packet.codec.name != self.codec:
                raise CodesError.of(f"codes of {packet.codec.name} came, and {self.codec} is wanted.")
        except CodesError as error:
            if not self.told:
                self.told = True
                self.host.log(self, f"{error} It is left out, and so are others like it.")
            return
        if self.waiting.put(packet):
            if self.ticket is not None:
                self.host.cancel(self.ticket)
            wait = round(self.waiting.depth * float(packet.codec.frame_s) * self.host.rate)
            self.began, self.turns = when.frame + wait, 0
            self._await(when)

    def _await(self, when: Moment) -> None:
        """The next turn; they are counted, so that none of them drifts."""
        turn_s = self.turn * CODECS[str(self.codec)].frame_s
        due = self.began + round(self.turns * turn_s * self.host.rate)
        self.turns += 1
        self.ticket = self.host.after(self, max(0.0, (due - when.frame) / self.host.rate), self._go_on)

    def _go_on(self, when: Moment) -> None:
        self.ticket = None
        codes = self.waiting.take(self.turn)
        lost = self.waiting.lost
        if self.waiting.missing >= self.given_up:
            self.waiting.lost -= min(self.waiting.missing, lost)  # nobody sends: that is no loss
            self.said = self.waiting.lost
            self.waiting.forget()
            return
        self.codes(codes.astype(np.float32))
        if lost > self.said:
            self.said = lost
            self.lost(lost)
        self._await(when)


@node("codes.write", aliases=("codes.record",))
class CodesWrite(EventNode):
    """Write codes into a file, from when the patch starts until it ends.

    The file is safetensors: an array ``codes``, and the codec's name. It gets its name when it is whole. Where the
    number of stages changes, the least is kept; a frame that was lost is the one before it again.
    Shapes: codes (stages, frames), whole numbers.

    Errors: MediaError when it cannot be written.

    Source: definition: docs of the format in `nodegraph.codes.files`.
    """

    file = setting.file("the file to make (.safetensors)", writes=True)
    codec = setting.choice("encodec-24khz", "whose codes they are", NAMES)
    codes = inlet.tensor("codes of some frames", shape=("stages", "frames"))
    check_target = staticmethod(check_target)
    validate_with: ClassVar = {"file": f"made{SUFFIX}"}

    def start(self, when: Moment) -> None:
        self.kept: list[NDArray[np.uint16]] = []
        self.count = 0
        self.told = False

    def on_codes(self, message: Any) -> None:
        codec = CODECS[str(self.codec)]
        try:
            codes = codes_in(message)
            if len(codes) > codec.stages or codes.min() < -1 or codes.max() >= codec.entries:
                raise CodesError.of(f"what came are no codes of {codec.name}.")
            if self.count >= MOST_KEPT:
                raise CodesError.of("the file is full: what comes now is left out.")
        except (CodesError, WorkerError) as error:
            if not self.told:
                self.told = True
                self.host.log(self, str(error))
            return
        last: NDArray[Any] = self.kept[-1][:, -1] if self.kept else np.zeros(len(codes), np.uint16)
        for frame in range(codes.shape[1]):
            if (codes[:, frame] < 0).any():
                codes[:, frame] = np.resize(last, len(codes))
            last = codes[:, frame]
        self.kept.append(codes.astype(np.uint16))
        self.count += codes.shape[1]

    def stop(self) -> None:
        kept, self.kept = getattr(self, "kept", []), []
        if kept and self.file:
            stages = min(len(codes) for codes in kept)
            whole = np.concatenate([codes[:stages] for codes in kept], axis=1)
            write_codes(Path(self.file), CODECS[str(self.codec)], whole)


@node("codes.read", aliases=("codes.play",))
class CodesRead(EventNode):
    """Read codes from a file, and send them at the pace of the sound.

    It begins with the patch, or when `on` becomes 1; `again` begins again, now. 40 ms of codes go with each message.
    Shapes: codes (stages, frames), whole numbers.

    Errors: MediaError for a file that cannot be read, before the patch plays.

    Source: definition: docs of the format in `nodegraph.codes.files`.
    """

    file = setting.file("a file that codes.write has made")
    loop = setting.flag(False, "begin again at the end")
    again = inlet.event("begin again, now")
    on = inlet.control(1.0, "1 plays, 0 does not", span=(0.0, 1.0), curve="switch")
    codes = outlet.tensor("codes of the next frames", shape=("stages", "frames"))
    done = outlet.event("bang at the end, and at the end of each loop")
    check_source = staticmethod(check_source)

    def start(self, when: Moment) -> None:
        self.ticket: object | None = None
        self.whole: NDArray[np.int64] | None = None
        if not self.file:
            return
        try:
            self.of, self.whole = read_codes(Path(self.file))
        except CodesError as error:  # it was whole when the patch was checked
            self.host.log(self, str(error))
            return
        self.turn = frames_a_turn(self.of.name)
        if self.on:
            self._begin(when)

    def on_again(self, when: Moment) -> None:
        if self.on:
            self._begin(when)

    def on_on(self, message: float, when: Moment) -> None:
        if message and self.ticket is None:
            self._begin(when)
        elif not message:
            self._rest()

    def _begin(self, when: Moment) -> None:
        self._rest()
        if self.whole is not None:
            self.began, self.at = when.frame, 0
            self._play(when)

    def _rest(self) -> None:
        if self.ticket is not None:
            self.host.cancel(self.ticket)
            self.ticket = None

    def _play(self, when: Moment) -> None:
        assert self.whole is not None
        self.ticket = None
        if self.at >= self.whole.shape[1]:
            self.done(BANG)
            if not self.loop:
                return
            self.began, self.at = when.frame, 0
        part = self.whole[:, self.at : self.at + self.turn]
        self.codes(part.astype(np.float32))
        self.at += part.shape[1]
        due = self.began + round(self.at * self.of.frame_s * self.host.rate)
        self.ticket = self.host.after(self, max(0.0, (due - when.frame) / self.host.rate), self._play)
