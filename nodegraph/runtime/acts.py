"""What is done to a playing graph from outside, each thing at a frame: so it can be written down and done again.

==========  =============================  ====================================================================
act         its arguments                  what it does
==========  =============================  ====================================================================
``set``     node, inlet, message           a message arrives at an inlet
``sets``    places, messages               messages arrive at inlets ``(node, inlet)``, all at one frame; they may be
                                           an array of float64 instead
``arrive``  door, value                    something comes in by a door (`runtime.outside`)
``recall``  values, seconds, curve         controls move together: a list of (node, inlet, value) (`runtime.recall`)
``clock``   name of a method, arguments    the clock of the patch is told to ``go``, ``run``, ``locate``, ``measure``,
                                           ``go_through`` (`runtime.musical_time`)
==========  =============================  ====================================================================

If `Player.exact` wants all to be at frames that are known beforehand, three more things are told: ``edit`` when an edit
of the graph begins, ``stage`` when one of its graphs begins to play, and ``floor`` when Python was held up, and what is
handled from here on acts at that frame at the earliest.

Whoever asks may name the frame; it is never one that has been handled already. A run in which the same acts come at the
same frames gives the same sound, to the bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from nodegraph.runtime.many import Many
from nodegraph.runtime.messages import Messages

CLOCK: Final = ("go", "run", "locate", "measure", "go_through")


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that is done, at a frame of the engine."""

    frame: int
    what: str
    args: tuple[Any, ...]


class Acts:
    """Carries acts out on one graph's messages. On the player's thread."""

    def __init__(self, messages: Messages, many: Many, on_its_way: Callable[[str], bool]) -> None:
        """`on_its_way`: whether a node that is not there will come with the edit that is under way. `many` delivers
        what comes to several places at once."""
        self.messages = messages
        self.many = many
        self.on_its_way = on_its_way
        self.noted: list[Callable[[Act], None]] = []
        """Are told of every act that is taken, with its final frame, before it is heard."""
        self.asked: list[Callable[[Act], None]] = []
        """Are told of every act as it was asked for, with the frame that it named itself (-1: none): who measures time
        by what comes needs that one."""
        self.late = 0
        """Acts that wanted a frame which had been handled when they came; they act at the next one."""
        self._early: list[Act] = []

    def do(self, act: Act) -> None:
        """Carry it out at its frame, or at the first that is not handled yet."""
        messages = self.messages
        for call in self.asked:
            call(act)
        if act.frame < messages.handled:
            self.late += act.frame >= 0
            act = Act(messages.handled, act.what, act.args)
        if act.what == "set":
            if act.args[0] not in messages.entries and self.on_its_way(act.args[0]):
                self._early.append(act)
                return
            messages.post(act.frame, *act.args)
        elif act.what == "sets":
            act = self._sets(act)
            if not act.args[0]:
                return
        elif act.what == "arrive":
            messages.at(act.frame, lambda when: messages.outside.arrive(when.frame, *act.args))
        elif act.what == "recall":
            messages.at(act.frame, lambda when: messages.recalls.recall(*act.args))
        elif act.what == "clock" and act.args[0] in CLOCK:
            name, *rest = act.args
            messages.at(act.frame, lambda when: getattr(messages.clock, name)(*rest))
        else:
            raise ValueError(f"no such act: {act.what} {act.args}")
        self.tell(act)

    def tell(self, act: Act) -> None:
        """Tell those who take note."""
        for call in self.noted:
            call(act)

    def _sets(self, act: Act) -> Act:
        """Have many messages delivered; returns the act without those whose nodes are still to come."""
        messages, (places, values) = self.messages, act.args
        late = self.many.missing(places)
        numbers = self.many.numbers(values)
        if late and any(self.on_its_way(places[number][0]) for number in late):
            values = as_tuple(values)
            self._early += [Act(act.frame, "set", (*places[number], values[number])) for number in late]
            here = [number for number in range(len(places)) if number not in late]
            places, values = tuple(places[number] for number in here), tuple(values[number] for number in here)
            numbers = self.many.numbers(values)
        if numbers is None:
            for (node, inlet), value in zip(places, as_tuple(values), strict=True):
                messages.post(act.frame, node, inlet, value)
        else:
            messages.at(act.frame, lambda when: self.many.deliver(when.frame, places, numbers))
        return Act(act.frame, "sets", (places, values))

    def go_on(self) -> None:
        """The nodes of an edit have come: what waited for them reaches them."""
        early, self._early = self._early, []
        for act in early:
            self.do(act)


def as_tuple(messages: Any) -> tuple[Any, ...]:
    """The messages of ``sets`` one by one."""
    return tuple(messages.tolist() if isinstance(messages, np.ndarray) else messages)
