"""Codes in files: kept as they come, and said again at their frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nodegraph.codes.files import MOST_CODES, MOST_TIME, Array, Taken, check_target, read, write
from nodegraph.codes.kinds import Codec, codec_of
from nodegraph.codes.packets import MOST_FRAMES, MOST_STAGES
from nodegraph.core import BANG, EventNode, MediaError, Moment, NodegraphError, inlet, node, outlet, setting
from nodegraph.nodes.codecs.messages import codes_in


def _codec(given: Any) -> Codec:
    return codec_of(given("codec"), given("rate"), given("hop"), given("bits"))


@node("codes.write", aliases=("mtr", "textfile.write"))
class CodesWrite(EventNode):
    """Keep codes in a file, each array with its frame.

    From the beginning of the patch, or from when `on` becomes 1, until `on` becomes 0 or the patch ends: then the file
    is written, in one step. It is a safetensors file (docs/codes.md): EnCodec at 6 kbit/s takes 1.2 kB a second.
    `revision` names the weights, for whoever wants to be sure later. A codec that is not known by name is described by
    `rate`, `hop` and `bits`.
    Shapes: codes (stages, frames), whole numbers from 0 on; 128 stages and 1024 frames at most, 67 million codes in
    all.
    Errors: MediaError for a file that cannot be written. What are no codes is left out, and the log says so once. A
    recording without codes leaves no file.

    Source: definition; safetensors, Hugging Face, 2022.
    """

    file = setting.file("the file to make (.safetensors)", writes=True)
    codec = setting.text("encodec-24khz", "whose codes they are")
    revision = setting.text("", "which weights it has")
    rate = setting.number(0, "the codec's rate; 0: as known", span=(0, 384_000), unit="Hz")
    hop = setting.number(0, "samples of a frame; 0: as known", span=(0, 65_535))
    bits = setting.number(0, "bits of a code; 0: as known", span=(0, 16))
    codes = inlet.tensor("codes of some frames", shape=("stages", "frames"))
    on = inlet.control(1.0, "1 records, 0 does not", span=(0.0, 1.0), curve="switch")
    check_target = staticmethod(check_target)
    validate_with: ClassVar = {"file": "made.safetensors"}

    def start(self, when: Moment) -> None:
        self.arrays: list[Array] = []
        self.count = 0
        self.began = when.frame
        self.said = False
        self.kind: Codec | None = None
        try:
            self.kind = _codec(self.settings.__getitem__)
        except NodegraphError as error:
            self.host.log(self, str(error))

    def stop(self) -> None:
        if getattr(self, "arrays", None):
            self._write()

    def on_on(self, message: float, when: Moment) -> None:
        if message and not self.arrays:
            self.began = when.frame
        elif not message and self.arrays:
            try:
                self._write()
            except MediaError as error:
                self.host.log(self, str(error))
            self.arrays, self.count = [], 0

    def on_codes(self, message: Any, when: Moment) -> None:
        if self.kind is None or not self.on:
            return
        try:
            codes = codes_in(message)
        except NodegraphError as error:
            self._say(error.problems[0].what)
            return
        span, at = (1 << self.kind.bits) - 1, when.frame - self.began
        if len(codes) > MOST_STAGES or codes.shape[1] > MOST_FRAMES:
            self._say(f"codes came in the shape {codes.shape}.")
        elif codes.min() < 0 or codes.max() > span:
            self._say(f"codes go from {codes.min()} to {codes.max()}; those of {self.kind.name} go from 0 to {span}.")
        elif self.count + codes.size > MOST_CODES or at > MOST_TIME:
            self._say(f"{Path(self.file).name} is full.")
        else:
            self.arrays.append(Array(at, codes.astype(np.uint16)))
            self.count += codes.size

    def _say(self, what: str) -> None:
        if not self.said:
            self.said = True
            self.host.log(self, f"It was not kept: {what}")

    def _write(self) -> None:
        if self.file and self.kind is not None:
            write(Path(self.file), Taken(self.kind, self.revision, self.host.rate, tuple(self.arrays)))


@node("codes.read", aliases=("qlist", "textfile.read"))
class CodesRead(EventNode):
    """Say the codes in a file, each array at its frame.

    It begins with the patch, or when `on` becomes 1; `again` begins again, now. With `loop` it begins again where the
    last codes end. At the rate at which they were kept they lie at exactly the same frames; at another one the nearest.
    Shapes: codes (stages, frames), int64, as they were kept.
    Errors: MediaError, before the patch plays, for a file that is missing, no safetensors file, cut off, of something
    else, of another codec than `codec`, empty, or with numbers that cannot be.

    Source: definition; safetensors, Hugging Face, 2022.
    """

    file = setting.file("a file of codes (.safetensors)")
    codec = setting.text("encodec-24khz", "whose codes it takes")
    rate = setting.number(0, "the codec's rate; 0: as known", span=(0, 384_000), unit="Hz")
    hop = setting.number(0, "samples of a frame; 0: as known", span=(0, 65_535))
    bits = setting.number(0, "bits of a code; 0: as known", span=(0, 16))
    loop = setting.flag(False, "begin again at the end")
    again = inlet.event("begin again, now")
    on = inlet.control(1.0, "1 plays, 0 does not", span=(0.0, 1.0), curve="switch")
    codes = outlet.tensor("codes of some frames", shape=("stages", "frames"))
    done = outlet.event("bang at the end, and at the end of each loop")

    @staticmethod
    def check_source(path: Path, given: Any) -> None:
        """Raises NodegraphError when the file cannot be played by a node with these settings (``given(name)``)."""
        read(path, _codec(given))

    def start(self, when: Moment) -> None:
        self.ticket: object = None
        self.taken: Taken | None = None
        if not self.file:
            return
        try:
            self.taken = read(Path(self.file), _codec(self.settings.__getitem__))
        except NodegraphError as error:  # it was whole when the patch was checked
            self.host.log(self, str(error))
            return
        self.length = max(self.taken.length(self.host.rate), 1)
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
        if self.taken is not None:
            self.index, self.origin = 0, when.frame
            self._go_on(when)

    def _go_on(self, when: Moment) -> None:
        """Say what is due now, and come back when the next is."""
        assert self.taken is not None
        self.ticket = None
        arrays, rate = self.taken.arrays, self.host.rate
        while True:
            over = self.index == len(arrays)
            due = self.origin + (self.length if over else self.taken.frame(arrays[self.index].at, rate))
            if due > when.frame:
                self.ticket = self.host.after(self, (due - when.frame) / rate, self._go_on)
                return
            if not over:
                self.codes(arrays[self.index].codes)
                self.index += 1
                continue
            self.done(BANG)
            if not self.loop:
                return
            self.index, self.origin = 0, self.origin + self.length

    def _rest(self) -> None:
        self.host.cancel(self.ticket)
        self.ticket = None
