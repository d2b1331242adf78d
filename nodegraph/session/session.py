"""A session: one patch, being played and edited by several clients at once.

Every client does everything through it, and hears of what the others do (`session.news`). Its methods may be called
from any thread; they are carried out one after another, each whole. What `set` moves is the sound; what `edit` changes
is the patch. `keep` takes what was moved into the patch.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.api.patch import Patch
from nodegraph.api.playing import Playing
from nodegraph.core.commands import Command, Set, perform
from nodegraph.core.commands import commands as commands_of
from nodegraph.core.errors import NodegraphError, PatchError, Problem
from nodegraph.core.flatten import BOUNDARY
from nodegraph.core.hints import did_you_mean, quoted
from nodegraph.core.messages import BANG, Event, Ramp, as_number, to_wire
from nodegraph.runtime.acts import Act
from nodegraph.session.news import News
from nodegraph.session.parameters import ROOT, Controls, Parameter, by_place, parameters_of
from nodegraph.session.presets import Presets
from nodegraph.timing.following import Following, follow

SOMEBODY: Final = "somebody"
MOST_LISTS: Final = 32
CLOCK: Final = {"tempo": "go", "play": "run", "locate": "locate"}


class Session:
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
        self.live: dict[str, float] = {}
        """Address → value, of controls that were moved away from what the patch stores."""
        self.presets = Presets(self)
        self.following: Following | None = None
        """What the clock of the patch follows."""
        self.at_first: list[Act] = []
        """What is done when it plays next, at its first frames."""
        self._report = report
        self._parameters: dict[str, Parameter] | None = None
        self._places: dict[tuple[str, str], Parameter] = {}
        self._batch: dict[str, float] = {}
        self._events: list[list[Any]] = []
        self._by: dict[str, str] = {}
        self._lists: dict[int, tuple[object, object, tuple[str, ...]]] = {}
        self._lists_by: dict[int, str] = {}
        self._batches: dict[int, dict[str, float]] = {}

    # -- playing

    def play(self) -> None:
        """Begin to play; what was moved before stays moved. Playing already, it does nothing.

        Raises as `Patch.play` does.
        """
        with self.turn:
            if self.playing is not None and self.playing.running:
                return
            first = [(item.node, item.port.name, value) for item, value in self._moved()]
            acts, self.at_first = self.at_first, []
            playing = Playing(
                self.patch, report=self.say, first=first, each=self._flush, acts=acts, **self.options
            )  # fmt: skip
            playing.heard.tell(self._hear)
            self.playing = playing
            playing.call(self._attach)
            threading.Thread(target=self._wait, args=(playing,), name="session", daemon=True).start()
        self.news.tell("playing", {"on": True})

    def stop(self) -> None:
        """Fade out and stop. Stopped already, it does nothing."""
        playing = self.playing
        if playing is not None:
            playing.stop()

    def close(self) -> None:
        """Stop; nothing is saved."""
        self.stop()
        self.follow(None)

    def _attach(self) -> None:
        """On the player's thread: hear what moves."""
        assert self.playing is not None
        self.playing.player.messages.moved = self._move
        self.playing.player.messages.moved_several = self._move_several
        self.playing.player.acts.noted.append(self._note)

    def _wait(self, playing: Playing) -> None:
        playing.wait()
        error = playing.error
        said = {} if error is None else {"error": [problem.as_dict() for problem in error.problems]}
        self.news.tell("playing", {"on": False, **said})

    # -- parameters

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Every parameter by its address."""
        with self.turn:
            if self._parameters is None:
                self._parameters = parameters_of(self.patch.document)
                self._places = by_place(self._parameters)
            return self._parameters

    def parameter(self, address: str) -> Parameter:
        """The parameter at an address: ``/patch/cut/cutoff``, or ``cut.cutoff``. Raises PatchError."""
        found = self.parameters.get(address) or self.parameters.get(self.full(address))
        if found is None:
            hint = did_you_mean(address, self.parameters, "Ask for the list of parameters.")
            raise PatchError(Problem("unknown-address", f"There is no parameter {quoted(address)}.", hint))
        return found

    @staticmethod
    def full(address: str) -> str:
        """``cut.cutoff`` as an address."""
        if address.startswith("/"):
            return address
        node, _, port = address.rpartition(".")
        return f"{ROOT}/{node}/{port}"

    def get(self, address: str) -> float:
        """The value of a control: where it was moved last, or what the patch stores. Raises PatchError."""
        found = self.parameter(address)
        if found.stored is None:
            raise PatchError(Problem("no-value", f"{found.address} has no value: it is for messages."))
        return self.live.get(found.address, found.stored)

    def set(
        self, address: str, value: Any, *, ramp_s: float | None = None, frame: int = -1, by: str = SOMEBODY
    ) -> float | None:
        """Move a control, or send a message to an inlet; returns the value that a control takes.

        A number beyond a control's span is held within it. `ramp_s` is how long the way there takes (else what the
        control itself takes), `frame` when it happens: as soon as may be.
        Raises PatchError when there is no such address, or it takes no such value.
        """
        found = self.parameter(address)
        if not found.writable:
            raise PatchError(Problem("read-only", f"{found.address} is an outlet: it can be read only."))
        control = found.control
        message, moved = value, None
        if control is not None and value is not BANG:
            number = as_number(value)
            if number is None or number != number:
                what = f"{found.address} takes a number, not {quoted(str(value))}."
                raise PatchError(Problem("bad-value", what, f"It goes from {control.legal()}."))
            low, high = control.span
            message = moved = min(max(number, low), high)
            if ramp_s is not None:
                message = Ramp(moved, ramp_s)
        playing = self.playing
        if playing is not None and playing.running:
            if moved is not None:
                self._by[found.address] = by
            with playing.setting:
                playing.player.act("set", *found.place, message, frame=frame)
        elif moved is not None:
            self.live[found.address] = moved
            self.news.tell("values", {"by": by, "values": {found.address: moved}})
        return moved

    def several(self, addresses: Sequence[str]) -> Controls:
        """A list of controls that is moved again and again. Raises PatchError when one of them is no control."""
        with self.turn:
            return Controls.of([self.parameter(address) for address in addresses], self.revision)

    def set_several(
        self,
        several: Controls,
        values: Sequence[float] | NDArray[np.float64],
        *,
        frame: int = -1,
        by: str = SOMEBODY,
    ) -> NDArray[np.float64]:
        """Move many controls at once, and cheaply; returns what they take. All numbers must be finite.

        Raises PatchError when the patch is another one since the list was made: make it again.
        """
        if several.revision != self.revision:
            raise PatchError(Problem("stale", "The patch has changed since the list of controls was made."))
        held = several.held(values)
        numbers = tuple(held.tolist())
        playing = self.playing
        if playing is not None and playing.running:
            self._lists_by[id(several.places)] = by
            with playing.setting:
                playing.player.act("sets", several.places, numbers, frame=frame)
        else:
            moved = dict(zip(several.addresses, numbers, strict=True))
            self.live.update(moved)
            self.news.tell("values", {"by": by, "values": moved})
        return held

    def steer(self, found: Parameter, message: Any, frame: int, *, by: str = SOMEBODY) -> None:
        """What `set` does, for those who are called on the player's own thread, which must not wait for an edit.

        A control's value lies within its span. `frame` is when it happens.
        """
        playing = self.playing
        if playing is not None:
            self._by[found.address] = by
            playing.player.acts.do(Act(frame, "set", (*found.place, message)))

    def _moved(self) -> list[tuple[Parameter, float]]:
        known = self.parameters
        return [(known[address], value) for address, value in self.live.items() if address in known]

    def _move(self, node: str, inlet: str, value: float) -> None:
        """A control was moved, by a client or from within the patch; on the player's thread."""
        found = self._places.get((node, inlet))
        if found is not None and self.live.get(found.address) != value:
            self.live[found.address] = value
            self._batch[found.address] = value

    def _move_several(self, places: Sequence[tuple[str, str]], values: Sequence[float]) -> None:
        """The same for many at once, which are told together."""
        known = self._lists.get(id(places))
        if known is None or known[0] is not places or known[1] is not self._places:
            found = tuple(self._places[place].address if place in self._places else "" for place in places)
            if len(self._lists) >= MOST_LISTS:
                self._lists.clear()
                self._lists_by.clear()
            self._lists[id(places)] = known = places, self._places, found
        moved = dict(zip(known[2], values, strict=True))
        moved.pop("", None)
        if not moved.items() <= self.live.items():
            self.live.update(moved)
            self._batches[id(places)] = moved

    def _note(self, act: Act) -> None:
        """Something was asked for from outside, and was taken; on the player's thread. Its number is known before it
        is heard."""
        if act.what == "set":
            node, inlet, message = act.args
            found = self._places.get((node, inlet))
            number = as_number(message)
            if found is not None and found.control is not None and number is not None and number == number:
                low, high = found.control.span
                self._move(node, inlet, min(max(number, low), high))
        elif act.what == "sets":
            self._move_several(*act.args)

    def _hear(self, event: Event) -> None:
        if self.news.wanted("events"):
            address = f"{ROOT}/{event.node}/{event.port}"
            self._events.append([address, event.time, to_wire(event.value)])

    def _flush(self) -> None:
        """After every round of the player: follow, and tell what moved in it."""
        if self.following is not None and self.playing is not None:
            self.following.round(self.playing)
        if self._batches:
            batches, self._batches = self._batches, {}
            for key, moved in batches.items():
                self.news.tell("values", {"by": self._lists_by.get(key, ""), "values": moved})
        if self._batch:
            batch, self._batch = self._batch, {}
            by = {self._by.pop(address, "") for address in batch}
            self.news.tell("values", {"by": by.pop() if len(by) == 1 else "", "values": batch})
        if self._events:
            events, self._events = self._events, []
            self.news.tell("events", {"events": events})

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
                self._update()
            except NodegraphError:
                perform(document, undo)
                raise
            history.done(made, undo, label=label, merge=None if merge is None else (by, merge))
            self._changed(by)
            return made

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
                    self._update()
                except NodegraphError:
                    back()
                    raise
                self._changed(by)
            return label

    def _update(self) -> None:
        if self.playing is not None and self.playing.running:
            self.playing.update()
        else:
            self.patch.graph.refresh()

    def _changed(self, by: str) -> None:
        history = self.patch.history
        self.revision += 1
        before = self._parameters
        self._parameters = None
        known = self.parameters
        for command in history.last:  # what the patch stores now is what sounds
            if isinstance(command, Set):
                for name in command.values:
                    self.live.pop(f"{ROOT}/{command.node}/{name}", None)
        if before is not None:
            self.live = {address: value for address, value in self.live.items() if address in known}
        self.news.tell(
            "changed",
            {
                "revision": self.revision, "by": by, "commands": [command.as_data() for command in history.last],
                "undo": history.undo_label, "redo": history.redo_label,
            },
        )  # fmt: skip

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
            self._parameters = None
            self.live = {}
            self.revision += 1
            self.parameters  # noqa: B018 - so that the player's thread finds them
            self.news.tell("opened", {"revision": self.revision, "by": by, "patch": str(patch)})

    def save(self, path: str | Path | None = None, *, by: str = SOMEBODY) -> Path:
        """Write the patch to its file, or to another. Raises PatchFileError."""
        with self.turn:
            saved = self.patch.save(path)
        self.news.tell("saved", {"path": str(saved), "by": by})
        return saved

    # -- asking

    def status(self) -> dict[str, Any]:
        """How it plays (`Playing.status`), with the place in musical time."""
        playing = self.playing
        if playing is None or not playing.running:
            return {"playing": False, "title": self.patch.title, "revision": self.revision}
        clock, frame = playing.player.messages.clock, playing.player.engine.done
        beat = clock.beat_at(frame)
        return {
            "playing": True, "title": self.patch.title, "revision": self.revision, **playing.status(),
            "clock": {"on": clock.playing, "tempo": clock.tempo_at(frame), "beat": beat, "meter": clock.beats_a_bar,
                      "follows": None if self.following is None else self.following.status()},
            "at": time.time(),
        }  # fmt: skip

    def say(self, node: str, text: str) -> None:
        """A line for the log, told to everybody."""
        if self._report is not None:
            self._report(node, text)
        self.news.tell("log", {"node": node, "text": text})

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
