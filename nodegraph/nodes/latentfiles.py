"""Latents that are kept and come again: in a file, or as a loop that is played while it is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import BANG, EventNode, MediaError, Moment, NodegraphError, inlet, node, outlet, setting
from nodegraph.core.arrayfiles import Arrays, Format, WrongFile
from nodegraph.core.errors import Problem
from nodegraph.core.hints import quoted
from nodegraph.nodes.latents import MOST_DIMENSIONS, said
from nodegraph.nodes.takes import Keeping, Replaying
from nodegraph.nodes.vectors import Vector, vector_of

FORMAT: Final = Format(
    "nodegraph-latents", "1", "latents", {"latents": ("F32", 2), "times": ("I64", 1)},
    frozenset({"latents", "times"}), 256 << 20,
)  # fmt: skip
MOST_NUMBERS: Final = 48 << 20
MOST_LOOPED: Final = 1 << 16
MOST_TIME: Final = 1 << 48
MOST_A_SECOND: Final = 4_096
SHORTEST_S: Final = 0.02
"""Of a loop: a shorter one would keep the engine busy with nothing else."""
CLOCKS: Final = range(1_000, 1 << 20)
DO: Final = "Give a file that latent.record has made, or make it as docs/latents.md says."


@node("latent.record", aliases=("latent.write",))
class LatentRecord(Keeping):
    """Keep latents in a file, each with its frame.

    From the beginning of the patch, or from when `on` becomes 1, until `on` becomes 0 or the patch ends: then the file
    is written, in one step. It is a safetensors file (docs/latents.md): 16 numbers at 23 Hz take 1.7 kB a second. All
    latents of a file have one length, that of the first.
    Shapes: x (n,), 4096 numbers at most, 50 million in all.
    Errors: MediaError for a file that cannot be written. What is no latent, or has another length, is left out, and the
    log says so once. A recording without latents leaves no file.

    Source: definition; safetensors, Hugging Face, 2022.
    """

    file = setting.file("the file to make (.safetensors)", writes=True)
    x = inlet.tensor("latent", shape=("n",))
    on = Keeping.on
    check_target = staticmethod(FORMAT.check_target)
    validate_with: ClassVar = {"file": "made.safetensors"}

    def forget(self) -> None:
        self.times: list[int] = []
        self.latents: list[NDArray[np.float32]] = []

    def empty(self) -> bool:
        return not self.times

    def on_x(self, message: Any, when: Moment) -> None:
        if not self.on:
            return
        vector, at = vector_of(message), self.where(when)
        if vector is None or len(vector) > MOST_DIMENSIONS:
            self.excuse(f"a latent is an array of 1 to {MOST_DIMENSIONS} numbers.")
        elif self.latents and len(vector) != len(self.latents[0]):
            self.excuse(f"a latent of {len(vector)} numbers came after some of {len(self.latents[0])}.")
        elif (len(self.latents) + 1) * len(vector) > MOST_NUMBERS or at > MOST_TIME:
            self.excuse(f"{Path(self.file).name} is full.")
        elif len(self.times) >= MOST_A_SECOND and at - self.times[-MOST_A_SECOND] < self.host.rate:
            self.excuse(f"more than {MOST_A_SECOND} came in a second.")
        else:
            self.times.append(at)
            self.latents.append(said(vector))

    def finish(self) -> None:
        if self.file:
            arrays: Arrays = {"latents": np.stack(self.latents), "times": np.array(self.times, np.int64)}
            FORMAT.write(Path(self.file), arrays, {"clock": str(self.host.rate)})


def read(path: Path) -> tuple[NDArray[np.float32], list[int], int]:
    """The latents in a file (count, n), their times in samples, and at which rate these count. Raises MediaError."""
    if not path.is_file():
        raise MediaError(Problem("no-file", f"There is no file of latents {quoted(path.name)}.", "Check the name."))
    try:
        metadata, arrays = FORMAT.read(path)
        clock, latents, times = metadata.get("clock", ""), arrays["latents"], arrays["times"]
        if not (clock.isascii() and clock.isdigit() and len(clock) <= 7 and int(clock) in CLOCKS):
            raise WrongFile(f"its clock is {quoted(clock[:20])}, and no rate")
        if not latents.size or latents.shape[1] > MOST_DIMENSIONS or latents.size > MOST_NUMBERS:
            raise WrongFile(f"its latents have the shape {latents.shape}")
        if not np.isfinite(latents).all():
            raise WrongFile("some of its numbers are none")
        if len(times) != len(latents):
            raise WrongFile(f"it has {len(latents)} latents and {len(times)} times")
        if times[0] < 0 or times.max() > MOST_TIME or np.any(np.diff(times) < 0):
            raise WrongFile("its latents lie at times that are none, or go back")
        if np.any(times[MOST_A_SECOND:] - times[:-MOST_A_SECOND] < int(clock)):
            raise WrongFile(f"more than {MOST_A_SECOND} of its latents lie in a second")
    except WrongFile as error:
        what = f"The file {quoted(path.name)} cannot be read as latents: {error}."
        raise MediaError(Problem("bad-latents", what, DO)) from error
    return latents, times.tolist(), int(clock)


@node("latent.replay", aliases=("latent.read",))
class LatentReplay(Replaying):
    """Say the latents in a file, each at its frame.

    It begins with the patch, or when `on` becomes 1; `again` begins again, now. With `loop` it begins again one usual
    distance after the last. At the rate at which they were kept they lie at exactly the same frames; at another one at
    the nearest.
    Shapes: y (n,), float32, as they were kept.
    Errors: MediaError, before the patch plays, for a file that is missing, no safetensors file, cut off, of something
    else, empty, or with numbers that cannot be.

    Source: definition; safetensors, Hugging Face, 2022.
    """

    file = setting.file("a file of latents (.safetensors)")
    y = outlet.tensor("latent", shape=("n",))
    done = Replaying.done

    @staticmethod
    def check_source(path: Path, given: Any) -> None:
        """Raises NodegraphError when the file cannot be played."""
        read(path)

    def load(self) -> None:
        self.latents: NDArray[np.float32] | None = None
        if not self.file:
            return
        try:
            self.latents, times, clock = read(Path(self.file))
        except NodegraphError as error:  # it was whole when the patch was checked
            self.host.log(self, str(error))
            return
        self.places = [(2 * at * self.host.rate + clock) // (2 * clock) for at in times]
        steps = np.diff(self.places)
        self.length = self.places[-1] + (max(1, int(np.median(steps))) if len(steps) else self.host.rate)

    def count(self) -> int:
        return len(self.places)

    def due(self, index: int) -> int:
        return self.places[index]

    def say(self, index: int) -> None:
        assert self.latents is not None
        self.y(self.latents[index])


@node("latent.loop", aliases=("latent.looper", "loop"))
class LatentLoop(EventNode):
    """Play a movement through latents, and have it come again and again.

    While `record` is 1 everything that comes to `x` is kept; when it becomes 0 that is played in a loop as long as the
    recording was. `speed` makes the loop faster or slower, from its next latent on: what a decoder makes of it keeps
    its pitch. With `play` at 0 it rests, and at 1 begins again. While it records or has nothing to play, `x` goes
    through.
    Shapes: x and y (n,). It keeps 65536 latents, and 4096 in a second; what comes beyond goes through only, and the log
    says so once. A recording of less than 20 ms is not played.

    Source: definition: a looper.
    """

    x = inlet.tensor("latent", shape=("n",))
    record = inlet.control(0.0, "1 keeps what comes, 0 plays it", span=(0.0, 1.0), curve="switch")
    play = inlet.control(1.0, "1 plays the loop, 0 lets x through", span=(0.0, 1.0), curve="switch")
    speed = inlet.control(1.0, "how many times as fast", span=(0.125, 8.0), curve="log", ramp_s=0.0)
    y = outlet.tensor("latent", shape=("n",))
    again = outlet.event("bang at each beginning of the loop")

    def start(self, when: Moment) -> None:
        self.kept: list[tuple[int, Vector]] = []
        self.began, self.length, self.index = when.frame, 0, 0
        self.ticket: object = None
        self.said = False

    def on_x(self, message: Any, when: Moment) -> None:
        vector = vector_of(message)
        if vector is None:
            return
        if self.record:
            self._keep(when.frame - self.began, vector)
        if self.ticket is None:
            self.y(said(vector))

    def _keep(self, at: int, vector: Vector) -> None:
        many = len(self.kept)
        if many < MOST_LOOPED and (many < MOST_A_SECOND or at - self.kept[-MOST_A_SECOND][0] >= self.host.rate):
            self.kept.append((at, vector))
        elif not self.said:
            self.said = True
            self.host.log(
                self, f"It keeps {MOST_LOOPED} latents, and {MOST_A_SECOND} in a second; more go through only."
            )

    def on_record(self, message: float, when: Moment) -> None:
        self._rest()
        if message:
            self.kept, self.began, self.length = [], when.frame, 0
        else:
            self.length = when.frame - self.began
            self._begin(when)

    def on_play(self, message: float, when: Moment) -> None:
        self._rest()
        self._begin(when)

    def _begin(self, when: Moment) -> None:
        if self.play and self.kept and self.length >= SHORTEST_S * self.host.rate and not self.record:
            self.index = 0
            self.again(BANG)
            self._wait(self.kept[0][0])

    def _wait(self, frames: int) -> None:
        self.ticket = self.host.after(self, frames / self.host.rate / self.speed, self._go_on)

    def _go_on(self, when: Moment) -> None:
        """Say the next one; after the last the loop begins again."""
        if self.index == len(self.kept):
            self._begin(when)
            return
        at, vector = self.kept[self.index]
        self.y(said(vector))
        self.index += 1
        after = self.kept[self.index][0] if self.index < len(self.kept) else self.length
        self._wait(after - at)

    def _rest(self) -> None:
        self.host.cancel(self.ticket)
        self.ticket = None
