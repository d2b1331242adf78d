"""A patch being played: the engine, the messages, the listeners and the taps, kept in step.

Python works in rounds (`advance`). Each round takes in what the audio thread and the workers have to say, handles the
messages up to a horizon, and grants the audio thread what is known. Live, the horizon runs a fixed lookahead before the
sound and nobody waits. Offline and freewheeling it stops where an answer is still due, and the sound waits for the
grant; the same events then act at the same samples, so the result is the same to the bit.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from nodegraph.core.declare import InferenceNode, PythonNode, TapNode
from nodegraph.core.errors import Fault, NodegraphError, Problem
from nodegraph.core.host import Moment
from nodegraph.core.listening import Workers
from nodegraph.core.messages import Event
from nodegraph.core.ownfiles import carried_on
from nodegraph.core.ports import CableKind
from nodegraph.core.presets import Book
from nodegraph.core.spec import Role
from nodegraph.core.view import GraphView, NodeEntry
from nodegraph.runtime.acts import Act, Acts
from nodegraph.runtime.carrying import Leaving, carry_on
from nodegraph.runtime.changing import Changing, Wish
from nodegraph.runtime.collecting import no_collection, no_long_collection
from nodegraph.runtime.compile.order import order_of
from nodegraph.runtime.compile.plan import Planner
from nodegraph.runtime.compile.schedule import Schedule
from nodegraph.runtime.compile.timing import Timing, timing_of
from nodegraph.runtime.crew import Threads, thread_count
from nodegraph.runtime.edits import Stage
from nodegraph.runtime.engine import LONGEST_BLOCK, Engine
from nodegraph.runtime.lane import Lanes
from nodegraph.runtime.lane.ring import Ring
from nodegraph.runtime.lane.streams import begun, said_channels, streams, width
from nodegraph.runtime.listeners import Listeners, Weights
from nodegraph.runtime.many import Many
from nodegraph.runtime.messages import Messages, controls_of, moved_controls
from nodegraph.runtime.native import words as w
from nodegraph.runtime.resources import Resources
from nodegraph.runtime.taps import Taps

LOOKAHEAD_S = 0.03
TRIGGER_S = 0.06
"""What a native node's message takes to act: a device's block, a round of Python, and the lookahead, with room."""
LOOKAHEADS_S = (0.001, 1.0)
"""What a lookahead may be."""
STEP_S = 0.01
"""Offline, messages are handled in steps: a step may ask for clips, whose answers then hold the sound."""


class Score(Protocol):
    """What is done again at its frames, as it was noted."""

    def play(self, handled: int) -> int:
        """Do what was done when every message before frame `handled` had been handled; gives the frame at which more
        is to be done, or `handled` itself when the sound must come there first."""


class Line(Protocol):
    """What comes and goes with frames of its own, such as a device's MIDI. Called every round, on its thread."""

    def hear(self, player: Player, done: int) -> None:
        """Take in all that came before frame `done`: it acts `player.lookahead` frames after it came."""

    def hand_over(self, player: Player, handled: int) -> None:
        """Everything before frame `handled` is known: give it out. It must not wait."""


class Player(Changing):
    """One graph on one engine. All methods are called from one thread, but for `play`, `set` and `edit`."""

    @no_collection()
    def __init__(
        self,
        view: GraphView,
        rate: int,
        *,
        inputs: int | None = None,
        outputs: int | None = None,
        packing: bool = True,
        fade_s: float = 0.005,
        resolve: Callable[[str], Path] = Path,
        weights: Weights | None = None,
        modules: list[str] | None = None,
        report: Callable[[str, str], None] | None = None,
        patch_text: str = "",
        start: int = 0,
        threads: Threads = 1,
        books: Mapping[str, Book] | None = None,
        lookahead_s: float = LOOKAHEAD_S,
        workers: Workers | None = None,
        lanes: Lanes | None = None,
    ) -> None:
        """Compile `view` for `rate`. `inputs` and `outputs` default to what the patch uses (at least a stereo output).
        `start` is the first frame's number: another one than 0 where this player goes on for another. `lookahead_s`:
        how far messages run ahead of the sound, live; what comes with a frame of its own acts so much later.

        `threads` play it at most, the audio thread included. `books` are the patch's presets.
        `workers` says how models are run; `lanes` are lent, of the same rate, and go on when the player has ended.
        Raises PatchError, MediaError, KernelError.
        """
        self.rate = rate
        self.log: deque[tuple[str, str]] = deque(maxlen=1000)
        self.report = report or (lambda node, text: None)
        resources = Resources(rate)
        resources.resolve = resolve
        self._view = self._goal = GraphView(view._store.copy())
        order = order_of(self._view)
        waits = timing_of(self._view, order, rate, self._view._store.factors).waits
        plan = Planner(self._view, order, waits, resources.arrays).make()
        self.engine = Engine(
            rate,
            plan.inputs if inputs is None else inputs,
            max(plan.outputs, 2) if outputs is None else outputs,
            packing=packing,
            fade_s=fade_s,
            resources=resources,
            threads=thread_count(threads),
        )
        self.messages = Messages(rate, self.engine.control, self.engine.message, self.engine.hold, self._report)
        self.messages.patch_text = patch_text  # type: ignore[attr-defined]
        self.messages.books = {} if books is None else books
        self.acts = Acts(self.messages, Many(self.messages, self.engine), lambda node: self.editing)
        self.score: Score | None = None
        """What is done again, if a performance is replayed."""
        self.exact = False
        """Whether edits act at frames that are known beforehand, and told as acts: so that they can be done again.
        Else an edit is heard with the next block."""
        self.workers = workers or Workers()
        self.listeners = Listeners(rate, self.messages, self._report, weights, modules or [], self.workers, lanes)
        self.taps = Taps(rate, self.messages, resources, self._report)
        self.watched = False
        """Whether the level of every signal with a cable is wanted (`Probes.gauges`). From any thread."""
        self._stages: deque[Stage] = deque()
        self._next: Wish | None = None
        self._ready: tuple[Stage, Schedule, list[tuple[str, str, float]]] | None = None
        self._stage_until: int | None = None
        self._fade_frames = 0
        self._commands: deque[Callable[[], None]] = deque()
        self._start = start
        self.lines: list[Line] = []
        self.lookahead_s = lookahead_s
        self.lookahead = max(1, round(lookahead_s * rate))
        """Frames by which messages run ahead of the sound."""
        self._trigger = round(max(TRIGGER_S, lookahead_s + TRIGGER_S - LOOKAHEAD_S) * rate)
        self._step = round(STEP_S * rate)
        self._wake = threading.Event()
        self.engine.begin_at(start)
        self.messages.handled = self.messages.now = start
        self._open(self._view, start)
        self.engine.install(self.engine.compile(self._view, plan))

    # -- nodes in Python

    def _open(self, view: GraphView, frame: int) -> None:
        """Make, keep and stop the Python nodes as this graph wants them."""
        before = self.messages.entries
        self.messages.follow(view)
        closed: dict[str, PythonNode] = {}
        for id in [id for id in self.messages.nodes if self._is_other(id, view)]:
            closed[id] = self.messages.nodes[id]
            self._close(id)
        for id, entry in view.nodes.items():
            if entry.spec is None or id in self.messages.nodes:
                continue
            if entry.spec.role in (Role.EVENT, Role.TAP, Role.INFERENCE):
                was = closed.get(id)
                self._make(entry, frame, moved_controls(before[id], was.controls) if was else {})
                if was is not None and type(was) is not entry.spec.cls and carried_on(was.spec, entry.spec):
                    was.host = Leaving(was.host)
                    self.messages.call(self.messages.nodes[id], frame, partial(self._carry_on, was, id))

    def _is_other(self, id: str, view: GraphView) -> bool:
        entry = view._store.nodes.get(id)
        node = self.messages.nodes[id]
        if entry is None or entry.spec is None or type(node) is not entry.spec.cls:
            return True
        return bool(node.settings != self.engine.resources.settings(entry))

    def _make(self, entry: NodeEntry, frame: int, handed: Mapping[str, float]) -> None:
        """Make a Python node. `handed`: values of controls that were moved while another had its place."""
        assert entry.spec is not None
        node: Any = entry.spec.cls()
        node.id = entry.id
        node.controls = controls_of(entry)
        for control in entry.spec.controls:
            if control.name in handed:
                node.controls[control.name] = min(max(handed[control.name], control.span[0]), control.span[1])
        node.settings = self.engine.resources.settings(entry)
        if isinstance(node, InferenceNode):
            heard = next((item.channels for item in entry.spec.inlets if item.kind is CableKind.SIGNAL), 1)
            ring = self.engine.resources.ring(entry.id, entry.spec, width(heard, entry.value))
            self.listeners.add(entry, node, ring, frame, self._stream(entry, frame))
        elif isinstance(node, TapNode):
            self.taps.add(node, frame)
        self.messages.join(node, frame)

    def _stream(self, entry: NodeEntry, frame: int) -> Ring | None:
        """Where a node's sound comes back, if a worker makes it."""
        assert entry.spec is not None
        if not streams(entry.spec):
            return None
        channels = said_channels(entry.spec, entry.value)
        return begun(self.engine.resources.stream(entry.id, entry.spec, channels), frame)

    def _carry_on(self, was: PythonNode, id: str, when: Moment) -> None:
        """After its start a node of the user's own takes over what its earlier version had come to."""
        carry_on(was, self.messages.nodes[id])

    def _close(self, id: str) -> None:
        self.taps.remove(id, self.engine.done)
        self.listeners.remove(id)
        self.messages.leave(id)

    def _report(self, node: str, text: str) -> None:
        self.log.append((node, text))
        self.report(node, text)

    # -- rounds

    def advance(self) -> None:
        """One round."""
        self._obey()
        engine, messages = self.engine, self.messages
        engine.flush()
        done = engine.done  # before the lines are heard: what has come since then acts behind this round's horizon
        for line in self.lines:
            line.hear(self, done)
        self._obey()  # what they have set going
        for trigger in engine.triggers():
            messages.emit(trigger.frame + self._trigger, trigger.node, trigger.outlet, trigger.value)
        self.taps.hear(done)
        self.listeners.answers()
        if engine.waiting:
            limit = self.taps.earliest(done + (self.lookahead if self.lines else self._trigger))
            while True:
                limit = self.listeners.earliest(limit)
                before = messages.handled
                self._run(min(limit, before + self._step))
                if messages.handled >= limit or messages.handled == before:
                    break
        else:
            self._run(done + self.lookahead)
        for line in self.lines:
            line.hand_over(self, messages.handled)
        if engine.waiting:
            engine.grant(engine.known(messages.handled))
        if self.score is None:
            self._edit_on()
        if self.watched is not engine.probes.watched:
            self._watch_on()
        engine.retire()
        blamed = engine.blamed()
        if blamed is not None:
            self._report(blamed, Fault("made NaN or infinity; it was silenced and starts anew."))

    def _handle(self, horizon: int) -> None:
        """Handle the messages before a frame.

        Where all must be exact, what comes of them is given to the engine together: if Python was held up for so long
        that it may come too late, all of it acts a lookahead from now, at a frame that is known."""
        engine, messages = self.engine, self.messages
        if not self.exact or engine.waiting or engine.done == self._start:
            messages.run(horizon)
            return
        before = messages.handled
        engine.gathered = []
        try:
            messages.run(horizon)
        finally:
            gathered, engine.gathered = engine.gathered, None
            if gathered:
                self._in_time(before, gathered[0][0])
            for frame, slot, what, value in gathered:
                engine.push(max(frame, messages.floor), slot, what, value)

    def _in_time(self, handled: int, frame: int) -> None:
        """See to it that what is to act at a frame, of the messages from `handled` on, does not come too late."""
        soonest = self.engine.done + self.lookahead // 3
        if self.exact and self.score is None and not self.engine.waiting and frame < soonest:
            self.messages.floor = self.engine.done + self.lookahead
            self.acts.tell(Act(handled, "floor", (self.messages.floor,)))

    def _run(self, horizon: int) -> None:
        """Handle the messages before a frame, and do what a score says at its frames."""
        messages = self.messages
        if self.score is None:
            self._handle(horizon)
            return
        while True:
            before = messages.handled
            until = min(horizon, self.score.play(before))
            self._handle(until)
            if messages.handled >= horizon or until <= before:
                return

    def _obey(self) -> None:
        """Do what others have asked for. What comes meanwhile waits for the next time: none lasts for ever."""
        for _ in range(len(self._commands)):
            try:
                self._commands[0]()
            finally:
                self._commands.popleft()

    # -- playing

    @property
    def lanes(self) -> Lanes | None:
        """The inference lanes, once something listens."""
        return self.listeners.lanes

    def render(self, outs: Any, ins: Any = None, *, block: int = 64) -> None:
        """Play into `outs`, float32 ``(channels, frames)``, as fast as it goes, waiting for the listeners."""
        frames = outs.shape[1]
        engine = self.engine
        engine.waiting = True
        whole = max(1, LONGEST_BLOCK // block) * block
        start = 0
        while start < frames:
            granted = int(engine.words[w.GRANT]) - engine.done
            if granted <= 0:
                self.advance()
                if int(engine.words[w.GRANT]) <= engine.done:
                    self.listeners.wait(0.5)
                continue
            count = min(whole, frames - start, granted)
            engine.process(
                None if ins is None else ins[:, start : start + count], outs[:, start : start + count], block
            )  # fmt: skip
            start += count

    def live(
        self, running: Callable[[], bool], each: Callable[[], None] | None = None, period_s: float = 0.004
    ) -> None:
        """Rounds for a device that plays by its own clock, until `running` says no."""
        with no_long_collection():
            while running():
                self.advance()
                if each is not None:
                    each()
                if self.engine.waiting:
                    self.listeners.wait(0.001)
                    time.sleep(0)
                else:
                    self._wake.wait(period_s)
                    self._wake.clear()

    def set(self, node: str, port: str, value: Any) -> None:
        """Send a value to a control or message inlet, from any thread."""
        self.act("set", node, port, value)

    def act(self, what: str, *args: Any, frame: int = -1, wake: bool = True) -> None:
        """Do something to the graph from outside (`runtime.acts`), at `frame` or as soon as may be. From any thread.

        Without `wake` it is taken when the next round comes by itself: the sound is the same, and a round is saved.
        """
        self._commands.append(lambda: self.acts.do(Act(frame, what, args)))
        if wake:
            self._wake.set()

    @property
    def asked(self) -> int:
        """How many acts are not taken yet. Who lets in what strangers send looks at it first. From any thread."""
        return len(self._commands)

    def wake(self) -> None:
        """Begin the next round soon. From any thread."""
        self._wake.set()

    def watch(self, node: str, outlet: str, call: Callable[[Event], None]) -> None:
        """Be told of every message that leaves an outlet."""
        self.messages.watchers.setdefault((node, outlet), []).append(call)

    @property
    def timing(self) -> Timing:
        """How late every node is, and the whole: of the graph that is played, or will be after an edit."""
        return self.engine.timing(self._goal)

    # -- the end

    def status(self) -> dict[str, Any]:
        """Counters, load, listeners: what a status view shows."""
        found: dict[str, Any] = dict(self.engine.counters())
        found["late_messages"] = dict(self.messages.late)
        found["time"] = self.engine.done / self.rate
        timing = self.timing
        found["latency_frames"] = timing.total
        found["late_nodes"] = dict(timing.late)
        found["rate"] = self.rate
        found.update(self.engine.sharing())
        listeners = self.listeners.status()
        if listeners:
            found["listeners"] = listeners
            lanes = self.lanes
            found["lanes"] = [] if lanes is None else lanes.workers_status()
            found["models_may"] = "" if lanes is None else lanes.held
            found["models_on"] = "" if lanes is None else lanes.runs_on
            found["models_memory_mb"] = 0.0 if lanes is None else round(lanes.resident_bytes / 1e6, 1)
        return found

    def close(self) -> None:
        """Stop every node and worker. What taps have not heard yet they hear now."""
        problems: list[Problem] = []
        self.taps.finish(self.engine.done)
        for id in list(self.messages.nodes):
            try:
                self.messages.leave(id)
            except NodegraphError as error:
                problems += error.problems
        self.listeners.close()
        self.engine.close()
        self.engine.resources.close()
        if problems:
            raise NodegraphError(problems)
