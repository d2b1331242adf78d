"""Codes in files: kept as they come, and said again at their frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nodegraph.codes.files import FORMAT, MOST_CODES, MOST_TIME, Array, Taken, read, write
from nodegraph.codes.packets import MOST_FRAMES, MOST_STAGES
from nodegraph.core import Moment, NodegraphError, inlet, node, outlet, setting
from nodegraph.nodes.codecs.messages import codes_in
from nodegraph.nodes.codes import codec_in, kind_of
from nodegraph.nodes.takes import Keeping, Replaying


@node("codes.write", aliases=("mtr", "textfile.write"))
class CodesWrite(Keeping):
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
    on = Keeping.on
    check_target = staticmethod(FORMAT.check_target)
    validate_with: ClassVar = {"file": "made.safetensors"}

    def start(self, when: Moment) -> None:
        self.kind = kind_of(self)
        super().start(when)

    def forget(self) -> None:
        self.arrays: list[Array] = []
        self.count = 0

    def empty(self) -> bool:
        return not self.arrays

    def on_codes(self, message: Any, when: Moment) -> None:
        if self.kind is None or not self.on:
            return
        try:
            codes = codes_in(message)
        except NodegraphError as error:
            self.excuse(error.problems[0].what)
            return
        span, at = (1 << self.kind.bits) - 1, self.where(when)
        if len(codes) > MOST_STAGES or codes.shape[1] > MOST_FRAMES:
            self.excuse(f"codes came in the shape {codes.shape}.")
        elif codes.min() < 0 or codes.max() > span:
            self.excuse(f"codes go from {codes.min()} to {codes.max()}; those of {self.kind.name} go from 0 to {span}.")
        elif self.count + codes.size > MOST_CODES or at > MOST_TIME:
            self.excuse(f"{Path(self.file).name} is full.")
        else:
            self.arrays.append(Array(at, codes.astype(np.uint16)))
            self.count += codes.size

    def finish(self) -> None:
        if self.file and self.kind is not None:
            write(Path(self.file), Taken(self.kind, self.revision, self.host.rate, tuple(self.arrays)))


@node("codes.read", aliases=("qlist", "textfile.read"))
class CodesRead(Replaying):
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
    loop = Replaying.loop
    codes = outlet.tensor("codes of some frames", shape=("stages", "frames"))
    done = Replaying.done

    @staticmethod
    def check_source(path: Path, given: Any) -> None:
        """Raises NodegraphError when the file cannot be played by a node with these settings (``given(name)``)."""
        read(path, codec_in(given))

    def load(self) -> None:
        self.taken: Taken | None = None
        if not self.file:
            return
        try:
            self.taken = read(Path(self.file), codec_in(self.settings.__getitem__))
        except NodegraphError as error:  # it was whole when the patch was checked
            self.host.log(self, str(error))
            return
        self.length = max(self.taken.length(self.host.rate), 1)

    def count(self) -> int:
        assert self.taken is not None
        return len(self.taken.arrays)

    def due(self, index: int) -> int:
        assert self.taken is not None
        return self.taken.frame(self.taken.arrays[index].at, self.host.rate)

    def say(self, index: int) -> None:
        assert self.taken is not None
        self.codes(self.taken.arrays[index].codes)
