"""MIDI of a session: a door each time that it plays and wants one, and its learned knobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nodegraph.midi.door import MidiDoor, uses_midi
from nodegraph.midi.learning import Learning
from nodegraph.midi.messages import DOOR
from nodegraph.session.learning import tell

if TYPE_CHECKING:
    from nodegraph.session.session import Session

TOPICS = ("playing", "changed", "opened", "follows")


class SessionMidi:
    """Attach it to a session, and close it with it. `door` is the one of what plays now, or played last.

    Ports are opened for a patch that has nodes for MIDI, or learned knobs; when something is to be learned; and when
    the clock follows what comes by MIDI.
    """

    def __init__(self, session: Session, **options: Any) -> None:
        """`options` are those of `MidiDoor`."""
        self.session = session
        self.learning = Learning(session, lambda bond: tell(session, DOOR))
        self.door: MidiDoor | None = None
        self._options = options
        self._learns = False
        session.learners[DOOR] = self
        session.news.listen(self._hear, TOPICS)
        self._open()

    # -- a learner of the session's

    ways: tuple[str, ...] = ("span", "curve", "takeover", "port")

    @property
    def waiting(self) -> str | None:
        """The address that waits for a knob."""
        return self.learning.waiting

    @property
    def learned(self) -> list[dict[str, Any]]:
        """What has been learned, as it stands in the patch's file."""
        return [bond.as_data() for bond in self.learning.bonds]

    def learn(self, address: str, **how: Any) -> None:
        """Bind the next knob that moves (`Learning.learn`), with the ports open. Raises PatchError."""
        self.learning.learn(address, **how)
        self._learns = True
        self._open()
        tell(self.session)

    def stop_learning(self) -> None:
        """Wait for no knob any more."""
        if self.learning.waiting is not None:
            self.learning.cancel()
            tell(self.session)

    def unlearn(self, address: str) -> int:
        """Forget all knobs that move a parameter; gives how many. Raises PatchError."""
        gone = self.learning.remove(address)
        if gone:
            tell(self.session)
        return gone

    # -- ports when they are needed

    def _hear(self, topic: str, data: Mapping[str, Any]) -> None:
        if topic != "playing" or data.get("playing"):
            self._open()

    def _open(self) -> None:
        with self.session.turn:
            playing = self.session.playing
            if playing is None or not playing.running or (self.door is not None and self.door.playing is playing):
                return
            following = self.session.following
            follows = following is not None and following.source.door == DOOR
            if self._learns or follows or uses_midi(self.session.patch):
                self.door = MidiDoor(playing, **self._options)

    def status(self) -> dict[str, Any]:
        """The door's, and what has been learned: plain data."""
        door = self.door
        found: dict[str, Any] = {} if door is None else door.status()
        return found | {"learned": self.learned}

    def close(self) -> None:
        """Learn nothing more; the door closes with what plays."""
        self.session.learners.pop(DOOR, None)
        self.session.news.leave(self._hear, TOPICS)
        self.learning.close()
