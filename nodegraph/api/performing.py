"""What a patch that plays has to do with performances: one is kept (`performance`), one is done again (`replaying`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nodegraph.api.heard import Heard

if TYPE_CHECKING:
    from nodegraph.api.patch import Patch
    from nodegraph.api.performance import Performance
    from nodegraph.api.replaying import Replay
    from nodegraph.api.sounds import Sound
    from nodegraph.runtime.player import Player


class Performing:
    """A part of `Playing`."""

    patch: Patch
    player: Player
    heard: Heard
    input: Sound | None
    seconds: float | None
    rate: int
    performance: Performance | None
    replay: Replay | None
    _told_error = False

    def say(self, node: str, text: str) -> None:
        """A line for the log."""
        raise NotImplementedError

    def _goes_over(self, patch: Patch, text: str, other: bool) -> None:
        """The performance that is played edits the patch."""
        if self.performance is not None:
            self.performance.ask(patch, text, other)
        self.heard.follow(patch.document)
        self.patch = patch

    def _keep(self, path: Path, text: str) -> Performance:
        from nodegraph.api.performance import Performance

        hears = "sound" if self.input is not None else "device" if self.player.engine.inputs else ""
        return Performance(path, self.patch, self.player, text, hears)

    def _look(self) -> None:
        """After a round."""
        performance = self.performance
        if performance is None:
            return
        performance.look()
        if performance.error and not self._told_error:
            self._told_error = True
            self.say("", performance.error)

    def _closes(self) -> list[Callable[[], None]]:
        """What closes the files of performances in the end."""
        closes: list[Callable[[], None]] = []
        if self.performance is not None:
            closes.append(partial(self.performance.finish, self.player.engine.done))
        if self.replay is not None:
            closes.append(self.replay.close)
        return closes

    def _end_performance(self) -> None:
        """It is stopped, or its seconds are over: the fade that comes now does not belong to what was performed."""
        if self.performance is not None:
            played = self.player.engine.done
            self.performance.end(played if self.seconds is None else min(played, round(self.seconds * self.rate)))
