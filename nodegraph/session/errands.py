"""What a session does besides playing its patch: sounds that are previewed, models that are fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodegraph.session.fetching import Fetching
from nodegraph.session.previewing import Previewing

if TYPE_CHECKING:
    from nodegraph.session.session import Session


class Errands:
    """The errands of one session."""

    def __init__(self, session: Session) -> None:
        self.previewing = Previewing(session)
        self.fetching = Fetching(session)

    def end(self) -> None:
        """Nobody waits for them any more."""
        self.previewing.stop()
        self.fetching.end_all()
