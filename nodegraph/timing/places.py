"""What a source of time says: where the music is at a frame, how fast it goes, and whether it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from nodegraph.runtime.acts import Act
    from nodegraph.runtime.musical_time import MusicalTime
    from nodegraph.timing.timebase import TimeBase


class Place(NamedTuple):
    """Where the music is.

    `playing` is None where the source leaves it to the patch. `run` counts starts, stops and jumps of the source: with
    another number the patch goes there at once. `first` is the beat at which this run began. With a `cycle` only the
    place within so many beats is known.
    """

    beat: float
    bpm: float
    playing: bool | None
    run: int = 0
    first: float = 0.0
    cycle: float | None = None


class Here(NamedTuple):
    """What a source may want to know of those who follow it."""

    clock: MusicalTime
    rate: int
    timebase: TimeBase
    latency_s: float
    """By how much what acts at a frame is heard later than the device takes the frame."""
    lookahead: int
    """Frames by which what arrives acts later than it came."""
    frame: int
    """The first frame that is not handled yet."""
    done: int
    """Frames that were played."""
    coupled: bool
    """Whether frames go with the time of the machine: not while a server freewheels."""
    stamp: Callable[[], tuple[int, float] | None] = lambda: None
    """The first frame of the device's last block, and when the device asked for it (`Engine.stamp`)."""
    server: str = ""
    """The JACK server that plays, if one does."""


class Source(Protocol):
    """Something outside that the patch follows. All methods are called on the player's thread."""

    leads: bool
    """Whether it takes the tempo, and start and stop, of the patch as well."""

    door: str
    """The door by which it hears (`runtime.outside`); empty: by none."""

    def begin(self, here: Here) -> None:
        """A player begins, or goes on for another one at another rate."""

    def hear(self, act: Act, here: Here) -> bool:
        """Something came in from outside. Whether the music goes on elsewhere from that frame on."""

    def place(self, here: Here, frame: float) -> Place | None:
        """Where the music is at a frame; None while nobody knows."""

    def tell(
        self, here: Here, *, bpm: float | None = None, playing: bool | None = None, beat: float | None = None
    ) -> None:
        """Somebody in the patch changed the tempo, started or stopped it, or put it at a beat."""

    def status(self) -> Mapping[str, Any]:
        """What people want to know, as plain data."""

    def close(self) -> None:
        """The end."""


Report = Callable[[str], None]


class SecondsToBeats:
    """For a source that counts seconds: beat 0 is at second 0, at the tempo that the patch has.

    When the patch changes its tempo the music goes on from where it is; when the source jumps it is counted from
    second 0 again.
    """

    def __init__(self, bpm: float) -> None:
        self.bpm = bpm
        self._second = self._beat = 0.0

    @property
    def origin(self) -> tuple[float, float]:
        """A second, and its beat."""
        return self._second, self._beat

    def beat(self, second: float) -> float:
        """The beat at a second."""
        return self._beat + (second - self._second) * self.bpm / 60.0

    def change(self, bpm: float, second: float) -> None:
        """Another tempo from a second on."""
        self._second, self._beat, self.bpm = second, self.beat(second), bpm

    def jump(self) -> None:
        """The source has jumped."""
        self._second = self._beat = 0.0
