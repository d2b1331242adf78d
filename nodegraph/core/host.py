"""What the runtime gives to nodes in Python: time, the world outside, presets, and ways to act."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from nodegraph.core.ports import Control


class Moment(Protocol):
    """A point in logical time."""

    @property
    def frame(self) -> int:
        """Frames since the patch began."""

    @property
    def time(self) -> float:
        """Seconds since the patch began."""


class BeatTicket(Protocol):
    """A call that waits for beats. `last`: the place in its grid of the last call."""

    @property
    def last(self) -> int: ...


class MusicalTime(Protocol):
    """The clock of the patch. Beats count from 0; what a node changes, it changes now."""

    @property
    def playing(self) -> bool: ...
    @property
    def beats_a_bar(self) -> int: ...
    @property
    def jumps(self) -> int:
        """How often it was put elsewhere: for who must tell that from another tempo in `tempo_changed`."""

    def tempo_at(self, frame: int) -> float: ...
    def beat_at(self, frame: int) -> float: ...
    def frame_at(self, beat: float) -> int | None: ...
    def at(self, node: Any, beat: float, call: Callable[[Moment], None]) -> BeatTicket: ...
    def every(
        self, node: Any, beats: float, call: Callable[[Moment], None], offset: float = 0.0, straight: bool = False
    ) -> BeatTicket: ...
    def go(self, bpm: float, seconds: float = 0.0) -> None: ...
    def run(self, on: bool) -> None: ...
    def locate(self, beat: float) -> None: ...
    def measure(self, beats_a_bar: int, swing: float, swing_beats: float) -> None: ...


class Outside(Protocol):
    """Doors to the world (``osc``, ``midi``), as a Python node uses them.

    `listen` has ``call(value, when)`` called with everything that arrives, in logical time, until the node leaves.
    `tell` hands `value` out, to happen at `frame`; offline it is gone.
    """

    def listen(self, node: Any, door: str, call: Callable[[Any, Moment], None]) -> None: ...
    def tell(self, door: str, frame: int, value: Any) -> None: ...


class Placed(Protocol):
    """A value for a control, as a preset holds it."""

    @property
    def node(self) -> str: ...
    @property
    def inlet(self) -> str: ...
    @property
    def value(self) -> float: ...


class Presets(Protocol):
    """The presets of a patch (`core.presets.Book`): ``node.port`` → value, by name, in the order of their numbers."""

    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def presets(self) -> Mapping[str, Mapping[str, float]]: ...
    @property
    def controls(self) -> Mapping[str, Control]: ...
    @property
    def missing(self) -> Mapping[str, tuple[str, ...]]: ...
    def placed(self, values: Mapping[str, float]) -> tuple[Placed, ...]: ...


class Host(Protocol):
    """What the runtime gives to a Python node.

    `presets` are those of the patch in which the node stands; `recall` moves controls now, so that each is there after
    so many seconds (0: after its own ramp).
    """

    rate: int

    @property
    def clock(self) -> MusicalTime: ...
    @property
    def outside(self) -> Outside: ...
    def send(self, node: Any, outlet: str, value: Any) -> None: ...
    def after(self, node: Any, seconds: float, call: Callable[[Moment], None]) -> object: ...
    def cancel(self, ticket: object) -> None: ...
    def write(self, node: Any, outlet: str, channel: int, value: float, ramp_s: float) -> None: ...
    def log(self, node: Any, text: str) -> None: ...
    def presets(self, node: Any) -> Presets: ...
    def recall(self, node: Any, values: Iterable[Placed], seconds: float = 0.0, curve: str = "linear") -> None: ...
