"""A session follows a source: by name, through everything that may become of the player and the device."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.hints import did_you_mean, quoted
from nodegraph.runtime.acts import Act
from nodegraph.runtime.player import LOOKAHEAD_S, Player
from nodegraph.timing.follower import Follower
from nodegraph.timing.places import Here, Source

if TYPE_CHECKING:
    from nodegraph.api.playing import Playing
    from nodegraph.session.session import Session

FARTHEST_S: Final = 2.0


def _midi(port: str = "") -> Source:
    from nodegraph.timing.midi_clock import MidiClock

    return MidiClock(port)


def _mtc(port: str = "") -> Source:
    from nodegraph.timing.timecode import MidiTimecode

    return MidiTimecode(port)


def _link(start_stop: bool = False, quantum: float | None = None) -> Source:
    from nodegraph.timing.link import Link

    return Link(start_stop=start_stop, quantum=quantum)


def _jack(lead: bool = False, server: str | None = None) -> Source:
    from nodegraph.timing.jack_transport import JackTransport

    return JackTransport(lead=lead, server=server)


SOURCES: Final[dict[str, Callable[..., Source]]] = {"midi": _midi, "mtc": _mtc, "link": _link, "jack": _jack}


def follow(session: Session, name: str | None, offset_s: float = 0.0, **options: Any) -> None:
    """Follow a source by name from now on, or none (`Session.follow`). Raises PatchError, or what the source does."""
    if name is not None and name not in SOURCES:
        raise PatchError(Problem("unknown-source", f"No clock can be followed by the name {quoted(name)}.",
                                 did_you_mean(name, SOURCES, f"There are {', '.join(SOURCES)}.")))  # fmt: skip
    if not -FARTHEST_S <= offset_s <= FARTHEST_S:
        raise PatchError(Problem("bad-offset", f"An offset of {offset_s} s is too far.", "It takes -2 to 2 s."))
    source = None
    if name is not None:
        try:
            source = SOURCES[name](**options)
        except TypeError as error:
            what = f"To follow {quoted(name)} there are no such options: {', '.join(options)}."
            raise PatchError(Problem("unknown-option", what, "See docs/time.md.")) from error
    made = None if source is None else Following(source, offset_s, str(name))
    with session.turn:
        before, session.following = session.following, made
    if before is not None:
        before.close(session.playing)


class Following:
    """One source, followed by whatever plays. `round` is for the player's thread."""

    def __init__(self, source: Source, offset_s: float = 0.0, name: str = "") -> None:
        """`offset_s`: by how much the patch is to be ahead of the source, besides what the device takes."""
        self.source, self.name = source, name
        self.offset_s = offset_s
        self._follower: Follower | None = None
        self._playing: Playing | None = None
        self._closed = False

    def round(self, playing: Playing) -> None:
        """After every round of the player. A fault of the source ends the following, never the playing."""
        if self._closed:
            return
        try:
            self._round(playing)
        except Exception as error:
            self._closed = True
            playing.say("", f"The clock is followed no more: {type(error).__name__}: {error}")

    def _round(self, playing: Playing) -> None:
        player = playing.player
        here = self._here(playing, player)
        if self._follower is None or self._follower.player is not player:
            self._playing = playing
            self._follower = Follower(player, self.source, here)
            if self._hear not in player.acts.asked:
                player.acts.asked.append(self._hear)
        self._follower.round(here)

    def _hear(self, act: Act) -> None:
        if act.what == "arrive" and self._follower is not None and self._playing is not None and not self._closed:
            self._follower.hear(act, self._here(self._playing, self._follower.player))

    def _here(self, playing: Playing, player: Player) -> Here:
        messages, engine = player.messages, player.engine
        latency = playing.supervisor.driver.latency_s + player.timing.total / player.rate
        return Here(
            messages.clock, player.rate, playing.timebase, latency + self.offset_s,
            getattr(player, "lookahead", round(LOOKAHEAD_S * player.rate)), messages.handled, engine.done,
            not engine.waiting, engine.stamp, getattr(playing.supervisor.driver, "server", ""),
        )  # fmt: skip

    def status(self) -> dict[str, Any]:
        """What is followed, and how well: plain data."""
        follower = self._follower
        found = dict(self.source.status())
        if follower is not None:
            found |= {"error_s": follower.error_s, "jumps": follower.jumps}
        return found

    def close(self, playing: Playing | None) -> None:
        """Follow no more: the clock goes on as it goes. Not on the player's thread."""

        def leave() -> None:
            self._closed = True
            asked = self._follower.player.acts.asked if self._follower is not None else []
            if self._hear in asked:
                asked.remove(self._hear)

        if playing is not None and playing.running:
            with contextlib.suppress(PatchError):  # it ended meanwhile
                playing.call(leave)
        self._closed = True
        self.source.close()
