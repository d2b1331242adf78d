"""A session: one patch, being played and edited by several clients at once.

Every client does everything through it, and hears of what the others do (`session.news`). Its methods may be called
from any thread; they are carried out one after another, each whole. What `set` moves is the sound; what `edit` changes
is the patch. `keep` takes what was moved into the patch.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nodegraph.api.patch import Patch
from nodegraph.api.playing import Playing
from nodegraph.core.commands import Command, Set, perform
from nodegraph.core.commands import commands as commands_of
from nodegraph.core.errors import NodegraphError, PatchError, Problem
from nodegraph.core.flatten import BOUNDARY
from nodegraph.runtime.acts import Act
from nodegraph.session.cables import Cables
from nodegraph.session.controls import SOMEBODY, Controls
from nodegraph.session.costs import Costs
from nodegraph.session.errands import Errands
from nodegraph.session.journal import Journal
from nodegraph.session.moves import Moves
from nodegraph.session.news import News
from nodegraph.session.parameters import Parameter
from nodegraph.session.presets import Presets
from nodegraph.session.sheets import Sheets
from nodegraph.session.updating import change_of, sounds_otherwise, stored, update
from nodegraph.timing.following import Following, follow

if TYPE_CHECKING:
    from nodegraph.session.learning import Learner

CLOCK: Final = {"tempo": "go", "play": "run", "locate": "locate"}


class Session(Controls):
    """One patch for many. Close it at the end, or use ``with``."""

    def __init__(self, patch: Patch, *, report: Callable[[str, str], None] | None = None, **options: Any) -> None:
        """`options` say how it is played, as for `Playing`; `report` gets lines for a log besides the listeners."""
        self.patch = patch
        self.options = options
        self.news = News()
        self.revision = 0
        self.turn = threading.RLock()
        """Held while something is carried out."""
        self.playing: Playing | None = None
        self.moves = Moves()
        self.presets = Presets(self)
        self.sheets = Sheets(self)
        """The patch files in the patch that are being edited."""
        self.cables = Cables(self)
        self.costs = Costs(self)
        self.errands = Errands(self)
        self.following: Following | None = None
        """What the clock of the patch follows."""
        self.learners: dict[str, Learner] = {}
        """Doors that bind what comes in to parameters, by name."""
        self.at_first: list[Act] = []
        """What is done when it plays next, at its first frames."""
        self.journal = Journal(self.news, report)
        self.lines = self.journal.lines
        self._parameters: dict[str, Parameter] | None = None

    # -- playing

    def play(self) -> None:
        """Begin to play; what was moved before stays moved. Playing already, it does nothing.

        Raises as `Patch.play` does.
        """
        with self.turn:
            if self.playing is not None and self.playing.running:
                return
            moved = [(item.node, item.port.name, value) for item, value in self._moved()]
            acts, self.at_first = self.at_first, []
            options = {**self.options, "first": [*moved, *self.options.get("first", ())]}
            playing = Playing(self.patch, report=self.say, each=self._flush, acts=acts, **options)
            if playing.patch is not self.patch:  # a performance brings its own
                self.patch = playing.patch
                self._read()
            playing.heard.tell(self.cables.heard)
            self.playing = playing
            playing.call(self._attach)
            threading.Thread(target=self._wait, args=(playing,), name="session", daemon=True).start()
        self.news.tell("playing", {"playing": True})

    def once(self, *options: str) -> None:
        """These options were for what plays now, and not for what plays after it."""
        for name in options:
            self.options.pop(name, None)

    def stop(self) -> None:
        """Fade out and stop. Stopped already, it does nothing."""
        playing = self.playing
        if playing is not None:
            playing.stop()

    def close(self) -> None:
        """Stop; nothing is saved."""
        self.stop()
        self.errands.end()
        self.follow(None)

    def _attach(self) -> None:
        """On the player's thread: hear what moves."""
        assert self.playing is not None
        self.playing.player.messages.moved = self.moves.move
        self.playing.player.messages.moved_all = self.moves.arrived
        self.playing.player.acts.noted.append(self.moves.note)

    def _wait(self, playing: Playing) -> None:
        playing.wait()
        error = playing.error
        said = {} if error is None else {"error": [problem.as_dict() for problem in error.problems]}
        self.news.tell("playing", {"playing": False, **said})

    def _flush(self) -> None:
        """After every round of the player: follow, and tell what moved in it."""
        self.costs.tend()
        if self.following is not None and self.playing is not None:
            self.following.round(self.playing)
        by, batch = self.moves.taken()
        if batch:
            self.news.tell("values", {"by": by, "values": batch})
        if self.playing is not None:
            self.cables.follow(self.playing.player)

    # -- the clock of the patch

    def transport(
        self, *, tempo: float | None = None, play: bool | None = None, locate: float | None = None, frame: int = -1
    ) -> None:
        """Another tempo, go on or stand still, go to a beat; at `frame`, or as soon as may be."""
        playing = self._needed()
        with playing.setting:
            for name, value in (("locate", locate), ("tempo", tempo), ("play", play)):
                if value is not None:
                    playing.player.act("clock", CLOCK[name], value, frame=frame)

    def follow(self, source: str | None, **options: Any) -> None:
        """Have the clock of the patch follow ``"midi"``, ``"mtc"``, ``"link"`` or ``"jack"`` from now on, playing or
        not; None: it goes by itself. `options` as docs/time.md says; all take `offset_s`, by which the patch is ahead.

        Raises PatchError for what there is not, DeviceError when the source cannot be reached.
        """
        follow(self, source, **options)
        self.news.tell("follows", {"source": source})

    def _needed(self) -> Playing:
        playing = self.playing
        if playing is None or not playing.running:
            raise PatchError(Problem("not-playing", "The patch does not play.", "Play it first."))
        return playing

    # -- the patch

    def edit(
        self,
        commands: Iterable[Command | Mapping[str, Any]],
        *,
        label: str = "",
        merge: object = None,
        by: str = SOMEBODY,
    ) -> list[Command]:
        """Carry out commands (`core.commands`) as one step, all or none, and play the patch as it is then.

        Raises PatchError and so on; the patch and the sound are as before then.
        """
        made = [item if isinstance(item, Command) else commands_of([item])[0] for item in commands]
        with self.turn:
            document, history = self.patch.document, self.patch.history
            undo = perform(document, made)
            if not undo:
                return []
            try:
                self._update(sounds_otherwise(made))
            except NodegraphError:
                perform(document, undo)
                raise
            history.done(made, undo, label=label, merge=None if merge is None else (by, merge))
            self._changed(by)
            return made

    def altered(self, *, by: str = SOMEBODY) -> None:
        """What no command changes is another in the patch, such as what was learned: it is to be saved, and whoever
        has a copy of the patch is told to ask for it anew.
        """
        with self.turn:
            self.patch.history.unsaved()
            self.revision += 1
            self._changed(by)
            self._update(False)

    def undo(self, *, by: str = SOMEBODY) -> str | None:
        """Take the last step back, whoever did it. Returns what it was, or None."""
        return self._go(self.patch.undo, self.patch.redo, by)

    def redo(self, *, by: str = SOMEBODY) -> str | None:
        """Do again what was taken back last."""
        return self._go(self.patch.redo, self.patch.undo, by)

    def _go(self, there: Callable[[], str | None], back: Callable[[], str | None], by: str) -> str | None:
        with self.turn:
            label = there()
            if label is not None:
                try:
                    self._update(sounds_otherwise(self.patch.history.last))
                except NodegraphError:
                    back()
                    raise
                self._changed(by)
            return label

    def _update(self, sounds: bool = True) -> None:
        update(self.patch, self.playing, sounds)

    def _changed(self, by: str) -> None:
        history = self.patch.history
        self.revision += 1
        settled: list[str] = []
        if sounds_otherwise(history.last) or self._parameters is None:
            settled = self.parameters_changed(stored(history.last))
        self.news.tell("changed", change_of(history, self.revision, settled, by))

    def parameters_changed(self, stored: Iterable[str]) -> list[str]:
        """The patch has other parameters now, or stores other values; `stored` are the addresses of those it stores.
        Gives those that stand no more where they were moved to.
        """
        before, moved = self._parameters, set(self.live)
        self._read()
        known = self.parameters
        self.moves.stored(stored)
        if before is not None:
            self.moves.live = {address: value for address, value in self.live.items() if address in known}
        return sorted(moved - self.live.keys())

    def keep(self, *, by: str = SOMEBODY) -> list[str]:
        """Take the values that were moved into the patch, as one step. Returns their addresses.

        Those of nodes inside a subpatch belong to its own file and stay as they are.
        """
        with self.turn:
            found: dict[str, dict[str, float]] = {}
            addresses = []
            for item, value in self._moved():
                if BOUNDARY not in item.node and item.stored != value:
                    found.setdefault(item.node, {})[item.port.name] = value
                    addresses.append(item.address)
            if found:
                self.edit([Set(node, values) for node, values in found.items()], label="Keep what was moved", by=by)
            return addresses

    def open(self, path: str | Path, *, by: str = SOMEBODY) -> None:
        """Another patch takes the place of this one; playing, they fade. Raises PatchError and so on."""
        patch = Patch.open(path, media=self.patch.media)
        with self.turn:
            if self.playing is not None and self.playing.running:
                self.playing.load(patch)
            self.patch = patch
            self.sheets.forget()
            self.moves.live = {}
            self.revision += 1
            self._read()
            self.news.tell("opened", {"revision": self.revision, "by": by, "patch": str(patch)})

    @property
    def unsaved(self) -> bool:
        """Whether the patch, or a sheet that it uses, is not in its file as it is now."""
        with self.turn:
            return self.patch.history.changed or self.sheets.unsaved

    def save(self, path: str | Path | None = None, *, by: str = SOMEBODY) -> Path:
        """Write the patch to its file, or to another, and its sheets to theirs. Raises PatchFileError."""
        with self.turn:
            self.sheets.save_all(by=by)
            saved = self.patch.save(path)
        self.news.tell("saved", {"path": str(saved), "by": by})
        return saved

    # -- asking

    def status(self) -> dict[str, Any]:
        """How it plays (`Playing.status`), with the place in musical time."""
        playing = self.playing
        follows = None if self.following is None else self.following.name
        found = {"title": self.patch.title, "revision": self.revision, "follows": follows}
        if playing is None or not playing.running:
            return {"playing": False, **found}
        return {"playing": True, **found, **playing.status(), "clock": self.clock(), "at": time.time()}

    def clock(self) -> dict[str, Any] | None:
        """Where the clock of the patch stands, and what it follows; None while it does not play."""
        playing = self.playing
        if playing is None or not playing.running:
            return None
        clock, frame = playing.player.messages.clock, playing.player.engine.done
        beat = clock.beat_at(frame)
        follows = None if self.following is None else self.following.status()
        return {
            "on": clock.playing, "tempo": clock.tempo_at(frame), "beat": beat, "meter": clock.beats_a_bar,
            "follows": follows,
        }  # fmt: skip

    def say(self, node: str, text: str) -> None:
        """A line for the log, told to everybody."""
        self.journal.say(node, text)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
