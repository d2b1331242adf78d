"""A sound file, heard once without touching the patch: a player of its own, on the same device, beside it.

The system mixes both, as it mixes two programs. Where a device belongs to one program alone, it says so instead.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nodegraph.api.patch import Patch
from nodegraph.api.playing import Playing
from nodegraph.core.errors import DeviceError, Fault, PatchError, Problem

if TYPE_CHECKING:
    from nodegraph.session.session import Session

SAME: Final = ("driver", "device", "rate", "block")
"""Options that it plays with as the patch does."""
LONGEST_S: Final = 30.0
"""Of a preview: the beginning of a sound says what it is."""


class Previewing:
    """What of one session is being listened to besides its patch."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._turn = threading.Lock()
        self._playing: Playing | None = None

    def play(self, name: str, path: Path) -> float:
        """Begin, in the place of what sounds already. Gives the seconds. Raises MediaError, DeviceError."""
        from nodegraph.session.browsing import waveform

        seconds = min(float(waveform(path, 0)["seconds"]), LONGEST_S)
        if seconds <= 0.0:
            raise PatchError(Problem("empty-sound", f"{name} is empty: there is nothing to hear."))
        patch = Patch("Preview", media=[path.parent])
        patch.connect(patch.add("play~", file=str(path)), patch.add("out~"))
        options = {key: value for key, value in self._session.options.items() if key in SAME}
        with self._turn:
            self._end()
            try:
                playing = Playing(patch, seconds, **options)
            except DeviceError as error:
                what = f"{error.problems[0].what} Nothing can be heard beside the patch on this device."
                raise DeviceError(Problem(error.problems[0].code, what, "Stop the patch, and try again.")) from error
            self._playing = playing
            self._tell(name)
        threading.Thread(target=self._wait, args=(playing,), name="preview", daemon=True).start()
        return seconds

    def stop(self) -> None:
        """Fade it out. Silent already, it does nothing."""
        with self._turn:
            self._end()

    def _end(self) -> None:
        playing, self._playing = self._playing, None
        if playing is not None:
            playing.stop()

    def _wait(self, playing: Playing) -> None:
        playing.wait()
        if playing.error is not None:
            self._session.say("", Fault(playing.error.problems[0].describe()))
        with self._turn:
            if self._playing is playing:
                self._playing = None
            if self._playing is None:
                self._tell(None)

    def _tell(self, name: str | None) -> None:
        """In turn, so that what is told last is so."""
        self._session.news.tell("preview", {"path": name})
