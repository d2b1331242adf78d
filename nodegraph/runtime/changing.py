"""Edits of a graph that plays: begun one after another, each in stages that fade."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from nodegraph.core.errors import Fault, NodegraphError
from nodegraph.core.presets import Book
from nodegraph.core.view import GraphView
from nodegraph.runtime.acts import Act, Acts
from nodegraph.runtime.collecting import no_collection
from nodegraph.runtime.compile.schedule import Schedule
from nodegraph.runtime.edits import Stage, stages
from nodegraph.runtime.engine import NOW, Engine
from nodegraph.runtime.listeners import Listeners
from nodegraph.runtime.messages import Messages
from nodegraph.runtime.renaming import Names, moved_values, renamed, renames, strangers
from nodegraph.runtime.taps import Taps

MARGIN: Final = 128
"""Frames after a fade's end at which the next stage may come: the engine's own block, twice."""


@dataclass(frozen=True)
class Wish:
    """An edit that is asked for: the graph to play, whether it is another patch's, and its presets."""

    view: GraphView
    other: bool
    books: Mapping[str, Book] | None


class Changing:
    """What a player does with edits. `exact`: they act at frames that are known beforehand (`Player.exact`)."""

    engine: Engine
    messages: Messages
    listeners: Listeners
    taps: Taps
    acts: Acts
    exact: bool
    watched: bool
    score: object
    _view: GraphView
    _goal: GraphView
    _stages: deque[Stage]
    _next: Wish | None
    _ready: tuple[Stage, Schedule, list[tuple[str, str, float]]] | None
    _stage_until: int | None
    _fade_frames: int
    lookahead: int
    _report: Callable[[str, str], None]
    _open: Callable[[GraphView, int], None]
    _handle: Callable[[int], None]
    _in_time: Callable[[int, int], None]

    def edit(self, view: GraphView, *, other: bool = False, books: Mapping[str, Book] | None = None) -> None:
        """Play another graph from now on. What stays keeps its state; what comes or goes fades; values ramp.

        Nodes stay under other ids too, as long as they are the same ones (`NodeEntry.token`). `other`: it is another
        patch, of which nothing stays whatever its ids. `books` are its presets, if they are others.

        While the fades of an edit are under way the next one waits for them; of several that wait only the last is
        played. Raises PatchError, MediaError and KernelError and leaves the sound as it was.
        """
        target = GraphView(view._store.copy())
        with no_collection():
            if self.editing:
                self.engine.plan(target)
                self._next = Wish(target, other or (self._next is not None and self._next.other), books)
            else:
                self._begin(Wish(target, other, books))

    @property
    def editing(self) -> bool:
        """Whether a fade of an edit is under way."""
        waits = self._stage_until is not None or self._next is not None or self._ready is not None
        return bool(self._stages) or waits

    def _begin(self, wish: Wish) -> None:
        """Enter an edit's first stage."""
        target = wish.view
        names = strangers(self._goal, target) if wish.other else renames(self._goal, target)
        self._rename(names)
        try:
            first, *others = stages(self.engine, self._goal, target)
            schedule = first.compile()
        except NodegraphError:
            self._rename({new: old for old, new in names.items()})
            raise
        values = list(moved_values(self._goal, target))
        self._goal = target
        if wish.books is not None:
            self.messages.books = wish.books
        self._stages.extend(others)
        if self.exact:
            self.acts.tell(Act(self.messages.handled, "edit", ()))
        if self.score is not None:
            self._ready = first, schedule, values
        else:
            self._enter(first, schedule, values)

    def _rename(self, names: Names) -> None:
        """Nodes that play have other ids from now on."""
        if not names:
            return
        for part in (self.engine, self.messages, self.listeners, self.taps):
            part.rename(names)
        self._goal = self._view = renamed(self._goal, names)
        self.messages.follow(self._goal)

    def _edit_on(self) -> None:
        """Go on to an edit's next stage when the last one has faded, and to the next edit after that."""
        if not self._faded() or (not self._stages and self._next is None):
            return
        try:
            with no_collection():
                if self._stages:
                    stage = self._stages.popleft()
                    self._enter(stage, stage.compile())
                elif self._next is not None:
                    wish, self._next = self._next, None
                    self._begin(wish)
        except NodegraphError as error:  # the sound goes on as it is
            self._report("", Fault(f"The edit was not taken over: {error}"))

    def _faded(self) -> bool:
        """Whether the fade of the last stage is over."""
        if self._stage_until is not None:
            engine = self.engine
            if engine.epoch_played < self._stage_until or engine.done < engine.epoch_began + self._fade_frames:
                return False
            self._stage_until = None
        return True

    def stage_on(self, again: bool = False) -> bool:
        """For a score: enter the next stage of an edit now, at the frame that is handled next; or, with `again`, say
        whether another edit can begin. False: the fade of the last one must be played first."""
        if not self._faded() and self.engine.done < self.messages.handled:
            return False
        self._stage_until = None
        with no_collection():
            if again:
                while self._ready is not None or self._stages:  # it is another patch: what was begun comes to its end
                    self._next_stage()
                self._stage_until = None
            else:
                self._next_stage()
        return True

    def _next_stage(self) -> None:
        if self._ready is not None:
            (stage, schedule, values), self._ready = self._ready, None
            self._enter(stage, schedule, values)
        elif self._stages:
            stage = self._stages.popleft()
            self._enter(stage, stage.compile())

    def _enter(self, stage: Stage, schedule: Schedule, values: Iterable[tuple[str, str, float]] = ()) -> None:
        engine, frame = self.engine, NOW
        if self.exact:
            if self.score is None and not engine.waiting:
                self._handle(max(self.messages.handled, engine.done + self.lookahead))
                self._in_time(self.messages.handled, max(self.messages.handled, self.messages.floor))
            frame = max(self.messages.handled, self.messages.floor)
        self._stage_until = engine.install(schedule, frame, changed=stage.changed, origin=stage.origin)
        if self.exact:
            self.acts.tell(Act(frame, "stage", (schedule.handed_over,)))
        self._fade_frames = stage.frames + MARGIN
        for node, name in schedule.places.too_long:
            self._report(node, f"'{name}' is too long to be carried over at one sample; it begins anew.")
        self._view = stage.view
        if stage.final:
            self._open(stage.view, self.messages.handled)
            self.acts.go_on()
            self.engine.forget(stage.view)
        for node, name, value in values:
            self.messages.post(self.messages.handled, node, name, value)

    def _watch_on(self) -> None:
        """Play the same with gauges, or without, once nothing else is under way: no bit of the sound is another."""
        engine = self.engine
        if self.editing or not engine.probes.settled:
            return
        engine.probes.watched = self.watched
        try:
            with no_collection():
                engine.install(engine.compile(self._view, engine.plan(self._view)))
        except NodegraphError as error:  # the sound goes on as it is
            self._report("", Fault(f"The signals cannot be watched: {error}"))
