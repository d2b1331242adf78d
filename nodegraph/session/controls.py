"""The controls of a session: found by their addresses, read, and moved one by one or many at once."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any, Final

from nodegraph.api.patch import Patch
from nodegraph.api.playing import Playing
from nodegraph.core.errors import NodegraphError, PatchError, Problem
from nodegraph.core.hints import did_you_mean, quoted
from nodegraph.runtime.acts import Act
from nodegraph.runtime.many import Places
from nodegraph.runtime.recall import Floats
from nodegraph.session.layout import FEW, Selection, selection
from nodegraph.session.moves import Moves
from nodegraph.session.news import News
from nodegraph.session.parameters import ROOT, Parameter, parameters_of

SOMEBODY: Final = "somebody"


class Controls:
    """What a session does with its controls."""

    patch: Patch
    playing: Playing | None
    turn: threading.RLock
    news: News
    moves: Moves
    _parameters: Mapping[str, Parameter] | None

    @property
    def live(self) -> dict[str, float]:
        """Address → value, of controls that were moved away from what the patch stores."""
        return self.moves.live

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Every parameter by its address. It is another mapping whenever the patch is another."""
        found = self._parameters
        if found is not None:  # without waiting for an edit that is under way
            return found
        with self.turn:
            if self._parameters is None:
                self._read()
            assert self._parameters is not None
            return self._parameters

    def _read(self) -> None:
        """Read the parameters anew from the patch."""
        found = parameters_of(self.patch.document)
        self.moves.follow(found)
        self._parameters = found

    def parameter(self, address: str) -> Parameter:
        """The parameter at an address: ``/patch/cut/cutoff``, or ``cut.cutoff``. Raises PatchError."""
        found = self.parameters.get(address) or self.parameters.get(self.full(address))
        if found is None:
            hint = did_you_mean(self.full(address), self.parameters, "Ask for the list of parameters.")
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
        message, moved = found.message(value, ramp_s)
        playing = self.playing
        if playing is not None and playing.running:
            if moved is not None:
                self.moves.asked(found.address, by)
            with playing.setting:
                playing.player.act("set", *found.place, message, frame=frame)
        elif moved is not None:
            self.rest({found.address: moved}, by)
        return moved

    def chosen(self, addresses: Iterable[str]) -> Selection:
        """Controls that are moved again and again; they hold until the patch is another. Raises PatchError."""
        return selection(self.parameter(address) for address in addresses)

    def steer(self, found: Parameter, message: Any, frame: int, *, by: str = SOMEBODY) -> None:
        """What `set` does, for those who are called on the player's own thread, which must not wait for an edit.

        A control's value lies within its span. `frame` is when it happens.
        """
        playing = self.playing
        if playing is not None:
            self.moves.asked(found.address, by)
            playing.player.acts.do(Act(frame, "set", (*found.place, message)))

    def set_all(
        self, values: Mapping[str, Any], *, ramp_s: float | None = None, frame: int = -1, by: str = SOMEBODY
    ) -> dict[str, float]:
        """Several at one instant, all or none of them; returns what the controls among them take.

        Raises PatchError as `set` does, with every address and value that is wrong.
        """
        problems: list[Problem] = []
        made: list[tuple[Parameter, Any, float | None]] = []
        for address, value in values.items():
            try:
                found = self.parameter(address)
                made.append((found, *found.message(value, ramp_s)))
            except NodegraphError as error:
                problems += error.problems
        if problems:
            raise PatchError(problems)
        moved = {found.address: number for found, _, number in made if number is not None}
        places = tuple(found.place for found, _, _ in made)
        if not self._act_all(places, tuple(message for _, message, _ in made), moved, frame, by) and moved:
            self.rest(moved, by)
        return moved

    def set_many(self, chosen: Selection, values: Floats, *, frame: int = -1, by: str = SOMEBODY) -> None:
        """Many controls at one instant, chosen before and held within their spans (`session.layout`)."""
        if not self._act_all(chosen.places, values, (), frame, by) and len(values):
            self.rest(dict(zip(chosen.addresses, values.tolist(), strict=True)), by)

    def _act_all(
        self, places: Places, messages: tuple[Any, ...] | Floats, moved: Iterable[str], frame: int, by: str
    ) -> bool:
        """Have them arrive at once, if it plays."""
        playing = self.playing
        if playing is None or not playing.running:
            return False
        self.moves.asked_many(places, by)
        for address in moved:
            self.moves.asked(address, by)
        with playing.setting:
            playing.player.act("sets", places, messages, frame=frame, wake=len(places) <= FEW)
        return True

    def rest(self, moved: dict[str, float], by: str) -> None:
        """Controls are moved while nothing plays."""
        self.live.update(moved)
        self.news.tell("values", {"by": by, "values": moved})

    def _moved(self) -> list[tuple[Parameter, float]]:
        known = self.parameters
        return [(known[address], value) for address, value in self.live.items() if address in known]
