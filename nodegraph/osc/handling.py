"""What an OSC message does to a session. On the door's thread.

Numbers for controls are gathered while a batch of packets is read, and move them in one go. All else is done one
message after another, in the order of the packets.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.core.errors import NodegraphError, PatchError, Problem
from nodegraph.core.flatten import entry_at
from nodegraph.core.hints import quoted
from nodegraph.core.messages import BANG, Note
from nodegraph.core.osc import DOOR, OscIn
from nodegraph.core.ports import Outlet
from nodegraph.osc.addresses import Addresses, Pattern, is_pattern
from nodegraph.osc.building import message
from nodegraph.osc.layouts import Layouts, worth_it
from nodegraph.osc.learning import Binding, Learned
from nodegraph.osc.limits import Bucket, Counters, Log
from nodegraph.osc.origin import Origin
from nodegraph.osc.packets import OscError, Timed, parse
from nodegraph.osc.receiving import End, Where
from nodegraph.osc.room import Room
from nodegraph.osc.timebase import Timebase
from nodegraph.runtime.player import Player
from nodegraph.session.layout import Selection, selection
from nodegraph.session.parameters import ROOT, Parameter
from nodegraph.session.session import Session

MOST_LISTS: Final = 64
ANSWER_S, ANSWER_TRIES = 0.002, 250
"""How often it is looked whether a value can be told, and how many times."""
ERROR: Final = "/error"
RESERVED: Final = (ERROR, ROOT + "/", "/transport/", "/session/", "/subscribe", "/unsubscribe")
NOTE_INLETS: Final = frozenset({"note", "notes"})
Values = list[float] | NDArray[np.float64]
Own = Callable[[str, tuple[Any, ...], int, Origin], bool]


class Handling:
    """One door's messages. `own` does what addresses of the door itself ask for; it says whether one was."""

    def __init__(
        self, session: Session, counters: Counters, log: Log, timebase: Callable[[Player], Timebase],
        own: Own, changed: Callable[[], None], bound: Callable[[Binding], None], horizon_s: float,
    ) -> None:  # fmt: skip
        """`changed` is called when the patch has other addresses, `bound` when the learner has bound something."""
        self.session, self.counters, self.log = session, counters, log
        self.own, self.changed, self.bound = own, changed, bound
        self.room = Room(session, counters, log, timebase, horizon_s)
        self.learned = Learned()
        self.learning: Callable[[str, int], Binding] | None = None
        """What makes a binding for the next address that brings a number; it gets the address and which argument."""
        self.addresses = Addresses()
        self._known: dict[str, Parameter] = {}
        self._receivers: list[Pattern] = []
        self.revision = -1
        self._layouts = Layouts()
        self._lists: dict[tuple[str, ...], Selection] = {}
        self._moving: list[str] = []
        self._to: list[float] = []
        self._mover: Origin | None = None
        self._replies = Bucket(50.0, 100.0)

    # -- packets

    def take(self, data: bytes, end: End, where: Where) -> None:
        """One packet."""
        if self.session.revision != self.revision:
            self.refresh()
        single = self._layouts.single(data)
        if single is not None and math.isfinite(single[1]):
            self.counters.messages += 1
            self._gather(*single, end, where)
            return
        numbers = self._layouts.bundle(data)
        if numbers is not None:
            self.counters.messages += len(numbers.values)
            self.over()
            self._move(numbers.controls, numbers.values, numbers.time, Origin(end, where))
            return
        try:
            messages = parse(data)
        except OscError as error:
            self.counters.malformed += 1
            self.log.note("malformed packets", error.problems[0].what.removeprefix("A packet was not understood: "))
            return
        self.counters.messages += len(messages)
        origin = Origin(end, where)
        if not self._whole(data, messages, origin):
            for item in messages:
                self._one(item, origin)
            if len(messages) == 1:
                self._learn_single(data, messages[0])

    def over(self) -> None:
        """A batch of packets has ended: what was gathered moves."""
        if self._moving:
            addresses, values = tuple(self._moving), self._to
            self._moving, self._to = [], []
            assert self._mover is not None
            self._set(self._list(addresses), values, -1, self._mover)

    def _gather(self, address: str, value: float, end: End, where: Where) -> None:
        mover = self._mover
        if mover is None or mover.where != where or mover.end is not end:
            self.over()
            self._mover = Origin(end, where)
        self._moving.append(address)
        self._to.append(value)

    def _whole(self, data: bytes, messages: list[Timed], origin: Origin) -> bool:
        """A bundle that does nothing but move controls moves them as one, and is known from now on."""
        known = self._known
        if not worth_it(data, messages) or any(
            (item := known.get(message.address)) is None or item.control is None for message in messages
        ):
            return False
        values = [message.args[0] for message in messages]
        if not all(map(math.isfinite, values)) or self.learning is not None:
            return False
        controls = self._list(tuple(message.address for message in messages))
        self._layouts.learn_bundle(data, controls)
        self.over()
        self._move(controls, values, messages[0].time, origin)
        return True

    def _learn_single(self, data: bytes, item: Timed) -> None:
        found = self._known.get(item.address)
        if found is not None and found.control is not None and item.time is None and self.learning is None:
            self._layouts.learn_single(data, item.address)

    # -- the patch

    def refresh(self) -> None:
        """The patch is another one: its addresses are looked at again."""
        self.over()
        with self.session.turn:
            self.revision = self.session.revision
            self._known = dict(self.session.parameters)
            view = self.session.patch.graph.view
        self.addresses = Addresses(self._known)
        self._layouts, self._lists = Layouts(), {}
        self._receivers = []
        for item in self._known.values():
            entry = entry_at(view, item.node) if isinstance(item.port, Outlet) else None
            if entry is not None and entry.kind == "osc.receive" and item.port.name == "message":
                pattern = str(entry.value("address"))
                try:
                    self._receivers.append(Pattern("//*" if pattern.startswith("$") else pattern))
                except OscError:
                    continue  # the node itself says so
        self.changed()

    def _list(self, addresses: tuple[str, ...]) -> Selection:
        found = self._lists.get(addresses)
        if found is None:
            if len(self._lists) >= MOST_LISTS:
                self._lists.clear()
            found = selection(self._known[address] for address in addresses)
            self._lists[addresses] = found
        return found

    # -- controls

    def _move(self, controls: Selection, values: Values, time: float | None, origin: Origin) -> None:
        frame = self.room.frame_at(time, len(values))
        if frame is not None:
            self._set(controls, values, frame, origin)

    def _set(self, controls: Selection, values: Values, frame: int, origin: Origin) -> None:
        if self.room.full(len(values)):
            return
        asked = np.asarray(values, np.float64)
        held = controls.held(asked)
        self.session.set_many(controls, held, frame=frame, by=origin.name)
        if (held != asked).any():
            for address, value, moved in zip(controls.addresses, asked.tolist(), held.tolist(), strict=True):
                if value != moved and self._replies.take():
                    self.reply(origin, address, (moved,))  # held within its span: its sender is told

    # -- messages

    def _one(self, item: Timed, origin: Origin) -> None:
        """Any message."""
        found = self._known.get(item.address)
        if self.learning is None and found is not None and found.control is not None and item.time is None:
            value = item.args[0] if len(item.args) == 1 else None
            if isinstance(value, (int, float)) and math.isfinite(value):
                self._gather(item.address, float(value), origin.end, origin.where)
                return
        self.over()
        if self.learning is not None and self._bind(item):
            return
        frame = self.room.frame_at(item.time)
        if frame is None or self.room.full():
            return
        try:
            self._do(item.address, item.args, frame, origin)
        except NodegraphError as error:
            self.counters.errors += 1
            self.refuse(origin, item.address, error)
        except (OverflowError, ValueError, RecursionError) as error:
            self.counters.errors += 1
            self.refuse(origin, item.address, PatchError(Problem("bad-value", f"It makes no sense here: {error}.")))

    def _do(self, address: str, args: tuple[Any, ...], frame: int, origin: Origin) -> None:
        if not self._known.get(address) and self.own(address, args, frame, origin):
            return
        done = self._known_do(address, args, frame, origin)
        for binding in self.learned.of(address):
            done = self._learned_do(binding, args, frame, origin) or done
        if any(self._receives(pattern, address) for pattern in self._receivers):
            playing = self.session.playing
            if playing is not None and playing.running:
                with playing.setting:
                    playing.player.act("arrive", DOOR, OscIn(address, args), frame=frame)
            done = True
        if not done:
            self.counters.unmatched += 1
            if address.startswith(ROOT + "/") or is_pattern(address):
                self.refuse(origin, address, PatchError(Problem("unknown-address", f"There is no {quoted(address)}.")))
            else:
                what = f"There is no {quoted(address)}, and nothing receives it."
                self.refuse(origin, address, PatchError(Problem("unknown-address", what)))

    def _known_do(self, address: str, args: tuple[Any, ...], frame: int, origin: Origin) -> bool:
        found = self._known.get(address)
        if found is not None:
            self.play(found, args, frame, origin)
            return True
        if not is_pattern(address):
            return False
        matching = [self._known[item] for item in self.addresses.matching(address)]
        usable = [item for item in matching if (item.control is not None if not args else item.writable)]
        for item in usable:
            if self.room.full():
                break
            self.play(item, args, frame, origin)
        return bool(usable)

    def _learned_do(self, binding: Binding, args: tuple[Any, ...], frame: int, origin: Origin) -> bool:
        found = self._known.get(binding.to)
        if found is None:
            return False
        if found.control is None:
            self.play(found, args, frame, origin)
        elif len(args) > binding.arg and _is_number(args[binding.arg]):
            self.play(found, (binding.value(float(args[binding.arg])),), frame, origin)
        return True

    @staticmethod
    def _receives(pattern: Pattern, address: str) -> bool:
        if pattern.matches(address):
            return True
        return is_pattern(address) and not is_pattern(pattern.text) and Pattern(address).matches(pattern.text)

    def play(self, item: Parameter, args: tuple[Any, ...], frame: int, origin: Origin) -> None:
        """A message for a parameter. Raises PatchError."""
        session, by = self.session, origin.name
        if item.control is None:
            session.set(item.address, as_message(item, args), frame=frame, by=by)
            return
        if not args:
            self._answer(origin, item.address, ANSWER_TRIES)
            return
        ramp_s = None
        if len(args) > 1:
            if len(args) > 2 or not _is_number(args[1]) or not args[1] >= 0.0:
                what = f"{item.address} takes a value, or a value and the milliseconds to it."
                raise PatchError(Problem("bad-value", what, f"It goes from {item.control.legal()}."))
            ramp_s = min(float(args[1]) / 1_000.0, 3_600.0)
        moved = session.set(item.address, args[0], ramp_s=ramp_s, frame=frame, by=by)
        if moved is not None and _is_number(args[0]) and moved != float(args[0]):
            self.reply(origin, item.address, (moved,))

    def _answer(self, origin: Origin, address: str, tries: int) -> None:
        """Tell a value: when the player has taken what came before, so that who sets and asks hears what was set."""
        playing = self.session.playing
        if tries and playing is not None and playing.running and playing.player.asked:
            asyncio.get_running_loop().call_later(ANSWER_S, self._answer, origin, address, tries - 1)
            return
        try:
            self.reply(origin, address, (self.session.get(address),))
        except PatchError as error:  # it has gone meanwhile
            self.refuse(origin, address, error)

    # -- learning

    def _bind(self, item: Timed) -> bool:
        """Whether the learner took it: the first number of an address that is none of ours."""
        if item.address.startswith(RESERVED) or is_pattern(item.address):
            return False
        arg = next((number for number, value in enumerate(item.args) if _is_number(value)), None)
        learning = self.learning
        if arg is None or learning is None:
            return False
        self.learning = None
        self.bound(learning(item.address, arg))
        return True

    # -- answers

    def reply(self, origin: Origin, address: str, args: tuple[Any, ...]) -> None:
        """Answer the sender."""
        went = origin.end.send(message(address, args), origin.where)
        self.counters.sent += went
        self.counters.unsent += not went

    def refuse(self, origin: Origin, address: str, error: NodegraphError) -> None:
        """Say why not, to the sender: not more often than it is good for."""
        text = str(error)
        self.log.note("messages that make no sense here", f"{address[:60]}: {text[:200]}")
        if address != ERROR and self._replies.take():  # two of us that do not understand each other fall silent
            self.reply(origin, ERROR, (address, text))


def as_message(item: Parameter, args: tuple[Any, ...]) -> Any:
    """Arguments as a message for an inlet: none are a bang, several a list, or a note where notes come in."""
    if not args:
        return BANG
    if item.port.name in NOTE_INLETS and len(args) in (2, 3) and all(_is_number(value) for value in args):
        pitch, velocity, *length = map(float, args)
        return Note(pitch, min(max(velocity, 0.0), 1.0), length[0] if length else None)
    return args[0] if len(args) == 1 else args


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
