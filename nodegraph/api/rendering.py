"""Offline: a patch as an array, or piece by piece into a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nodegraph.api.checking import require
from nodegraph.api.heard import Heard, port_of
from nodegraph.api.places import placed_error, resolver, weights
from nodegraph.api.refs import PortRef
from nodegraph.api.sounds import check_sound_target, heard_sound, writer
from nodegraph.core.errors import NodegraphError, PatchError, Problem
from nodegraph.core.flatten import address, flatten
from nodegraph.core.listening import MOST_MODEL_THREADS, Workers
from nodegraph.core.messages import Event
from nodegraph.core.patchfile import dumps
from nodegraph.core.presets import books_of

if TYPE_CHECKING:
    from nodegraph.api.patch import Patch
    from nodegraph.runtime.crew import Threads
    from nodegraph.runtime.player import Player

Floats = NDArray[np.float32]
Sound = str | os.PathLike[str] | ArrayLike
Post = tuple[str, str, Any]
TAIL_S: Final = 2.0
OTHERWISE_S: Final = 10.0
PIECE_S: Final = 0.5
RATES: Final = (8_000, 384_000)
LONGEST_BLOCK: Final = 8_192


class Rendering:
    """One offline render. Iterate over it: float32 pieces ``(channels, frames)``; then it is closed.

    Raises, when it is made, as `Patch.render` does.
    """

    def __init__(
        self,
        patch: Patch,
        seconds: float | None = None,
        *,
        rate: int = 48_000,
        block: int = 64,
        input: Sound | None = None,
        report: Callable[[str, str], None] | None = None,
        first: Iterable[Post] = (),
        threads: Threads = "auto",
        performance: str | os.PathLike[str] | None = None,
    ) -> None:
        """`performance` is a file of what was done while it was played (`api.performance`): it is done again."""
        check_numbers(seconds, rate, block)
        self.log: list[tuple[str, str]] = []
        self._report = report
        self.replay = None
        if performance is not None:
            from nodegraph.api.replaying import Replay

            self.replay = Replay(performance, patch, rate, self._say)
            patch = self.replay.patch
        require(patch.document, patch.media)
        self.patch, self.rate, self.block = patch, rate, block
        heard = None if input is None else heard_sound(input, rate)
        if seconds is None:
            seconds = length(patch, heard, rate) if self.replay is None else self.replay.frames / rate
        self.seconds = seconds
        self.frames = round(self.seconds * rate)
        self.done = 0
        self.status: dict[str, Any] = {}
        self.text = dumps(patch.document)
        self.player = make_player(patch, rate, heard, self._say, self.text, first, threads)
        self.heard = Heard(self.player, patch.document)
        if self.replay is not None:
            self.replay.attach(self.player, lambda patch, text, other: self.heard.follow(patch.document))
        self.channels = self.player.engine.outputs

    def _say(self, node: str, text: str) -> None:
        self.log.append((node, text))
        if self._report is not None:
            self._report(node, text)

    def __iter__(self) -> Iterator[Floats]:
        piece = max(1, round(PIECE_S * self.rate) // self.block) * self.block
        try:
            while self.done < self.frames:
                outs = np.zeros((self.channels, min(piece, self.frames - self.done)), np.float32)
                self.player.render(outs, block=self.block)
                self.done += outs.shape[1]
                yield outs
        except NodegraphError as error:
            raise placed_error(error, self.patch.document) from error
        finally:
            self.close()

    def events(self) -> list[Event]:
        """The messages of every outlet up to here, in the order of time."""
        return [event for event in self.heard.taken() if event.frame < self.done]

    def close(self) -> None:
        """End it; recordings that the patch makes are finished."""
        if not self.status:
            if self.replay is not None:
                self.replay.close()
            self.status = self.player.status()
            try:
                self.player.close()
            except NodegraphError as error:
                raise placed_error(error, self.patch.document) from error


@dataclass
class Rendered:
    """What a patch sounds like and says.

    ``audio``: float32 ``(channels, frames)`` at `rate`. ``events``: the messages of every outlet that sent any, by
    ``"node.port"``. ``log``: what nodes had to say, as (node, text). ``text``: the patch.
    """

    audio: Floats
    rate: int
    events: dict[str, list[Event]] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)
    text: str = ""
    title: str = ""

    @classmethod
    def of(cls, rendering: Rendering, progress: Callable[[float, float], bool | None] | None = None) -> Rendered:
        """Render all of it."""
        pieces = []
        for piece in rendering:
            pieces.append(piece)
            if progress is not None and progress(rendering.done / rendering.rate, rendering.seconds) is False:
                break
        rendering.close()
        audio = np.concatenate(pieces, axis=1) if pieces else np.zeros((rendering.channels, 0), np.float32)
        document = rendering.patch.document
        return cls(
            audio, rendering.rate, by_port(rendering.events()), rendering.log, rendering.text, document.title
        )  # fmt: skip

    @property
    def seconds(self) -> float:
        """How long it is."""
        return float(self.audio.shape[1] / self.rate)

    def __getitem__(self, port: PortRef | str) -> list[Event]:
        """The messages of one outlet, in the order of time; none when it sent none."""
        return self.events.get(str(port), [])

    def array(self, port: PortRef | str) -> NDArray[Any]:
        """The messages of one outlet as an array, one row a message.

        Of a tensor outlet ``(messages, *shape)``; of numbers ``(messages,)``; of tags their scores; of notes
        ``(messages, 3)``: pitch, velocity, duration (NaN while held). Raises PatchError when they are of other kinds.
        """
        try:
            rows = [_row(event.value) for event in self[port]]
            return np.asarray(rows, np.float32 if rows and isinstance(rows[0], np.ndarray) else np.float64)
        except (TypeError, ValueError) as error:
            what = f"The messages of '{port}' do not make an array: {error}."
            raise PatchError(Problem("no-array", what, "Read them as events.")) from error

    def times(self, port: PortRef | str) -> NDArray[np.float64]:
        """The time of each message of one outlet, in seconds."""
        return np.array([event.time for event in self[port]], np.float64)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the sound, with the patch inside: ``.wav`` (32-bit float) or ``.flac`` (24 bits), in one step.

        Raises MediaError; nothing is left behind then.
        """
        path = Path(path)
        check_sound_target(path, self.audio.shape[0])
        file = writer(path, self.rate, self.audio.shape[0], self.text)
        try:
            file.write(self.audio)
            file.close()
        except BaseException:
            file.abandon()
            raise
        return path

    def picture(self, path: str | os.PathLike[str]) -> Path:
        """Draw it: waveform, spectrogram, and what its listeners said. A PNG, written in one step."""
        from nodegraph.pictures import picture

        events = [event for found in self.events.values() for event in found]
        return picture(Path(path), self.audio, self.rate, events, title=self.title)


def _row(value: Any) -> Any:
    from nodegraph.core.messages import Note, Tag

    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, Tag):
        return value.score
    if isinstance(value, Note):
        return (value.pitch, value.velocity, np.nan if value.duration_s is None else value.duration_s)
    if isinstance(value, (int, float, tuple)):
        return value
    raise TypeError(f"{value!r} is no number")


def by_port(events: list[Event]) -> dict[str, list[Event]]:
    """Messages by ``"node.port"``."""
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(f"{event.node}.{event.port}", []).append(event)
    return found


def make_player(
    patch: Patch,
    rate: int,
    heard: Floats | None,
    report: Callable[[str, str], None],
    text: str,
    first: Iterable[Post] = (),
    threads: Threads = 1,
    lookahead_s: float | None = None,
    workers: Workers | None = None,
) -> Player:
    """A player for a patch that was checked. Raises what `Player` does, with file and line.

    `first` are messages from outside that arrive before anything else happens. `threads` play it at most.
    """
    from nodegraph.runtime.capture import feed
    from nodegraph.runtime.player import LOOKAHEAD_S, Player

    document = patch.document
    try:
        player = Player(
            flatten(document),
            rate,
            resolve=resolver(document, patch.media),
            weights=weights,
            report=report,
            patch_text=text,
            threads=threads,
            books=books_of(document),
            lookahead_s=LOOKAHEAD_S if lookahead_s is None else lookahead_s,
            workers=workers,
        )
    except NodegraphError as error:
        raise placed_error(error, document) from error
    if heard is not None:
        feed(player.engine, heard)
    for node, inlet, value in first:
        player.set(*address(document.graph.view, node, inlet), value)
    return player


def check_lookahead(seconds: float) -> None:
    """Raises PatchError when messages cannot run so far ahead."""
    from nodegraph.runtime.player import LOOKAHEADS_S

    low, high = LOOKAHEADS_S
    if not low <= seconds <= high:
        what, do = f"The lookahead is {seconds:g} s.", f"It takes {low:g} to {high:g} s, and more than a block."
        raise PatchError(Problem("bad-lookahead", what, do))


def workers_of(models_on: str, models_memory: float | None, models_threads: int | None) -> Workers:
    """How models are run. Raises WorkerError for a device that is none, PatchError for another number that is none."""
    from nodegraph.providers import parse_device

    parse_device(models_on)
    if models_memory is not None and not 0.0 < models_memory < 1e9:
        what = f"Models cannot hold {models_memory:g} MB."
        raise PatchError(Problem("bad-option", what, "Give what their process may hold, such as 500."))
    if models_threads is not None and not 1 <= models_threads <= MOST_MODEL_THREADS:
        what = f"Models cannot compute on {models_threads} threads."
        raise PatchError(Problem("bad-option", what, f"Give 1 to {MOST_MODEL_THREADS}."))
    return Workers(models_on, models_memory, models_threads)


def check_numbers(seconds: float | None, rate: int, block: int) -> None:
    """Raises PatchError when a length, rate or block cannot be."""
    found = []
    if seconds is not None and not 0.0 < seconds < 1e7:
        found.append(Problem("bad-seconds", f"{seconds} s cannot be played.", "Give a length above 0."))
    if not RATES[0] <= rate <= RATES[1]:
        found.append(Problem("bad-rate", f"The rate is {rate} Hz.", f"It takes {RATES[0]} to {RATES[1]} Hz."))
    if not 1 <= block <= LONGEST_BLOCK:
        found.append(Problem("bad-block", f"The block is {block} frames.", f"It takes 1 to {LONGEST_BLOCK}."))
    if found:
        raise PatchError(found)


def length(patch: Patch, heard: Floats | None, rate: int) -> float:
    """The longest sound that plays once, and a tail for what rings on; or 10 s."""
    import soundfile

    resolve = resolver(patch.document, patch.media)
    longest = 0.0 if heard is None else heard.shape[1] / rate
    for entry in flatten(patch.document).nodes.values():
        if entry.kind != "play~" or entry.value("loop") or not entry.value("file"):
            continue
        speed = abs(float(entry.value("speed")))
        info = soundfile.info(str(resolve(entry.value("file"))))
        longest = max(longest, info.frames / info.samplerate / max(speed, 0.1))
    return longest + TAIL_S if longest else OTHERWISE_S


__all__ = ["Heard", "Rendered", "Rendering", "by_port", "check_numbers", "length", "make_player", "port_of"]
