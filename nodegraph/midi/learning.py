"""Learned knobs: a controller that moves is bound to a parameter, and moves it from then on.

What is learned is kept in the patch (`midi.bonds`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.messages import BANG
from nodegraph.midi import words
from nodegraph.midi.bonds import KEY, WHATS, Knob, Learned, knobs, learnable, learned_in, reads, stored
from nodegraph.midi.bonds import renamed as with_names
from nodegraph.midi.gathering import Controls
from nodegraph.midi.messages import DOOR, named, taken
from nodegraph.session.parameters import Parameter
from nodegraph.session.updating import renames

if TYPE_CHECKING:
    from nodegraph.runtime.acts import Act
    from nodegraph.session.session import Session

BY: Final = "midi"
NEAR: Final = 1.5 / words.MOST_7
"""So near to the parameter's value a knob has picked it up."""
MOST_PORTS: Final = 64


@dataclass
class _Hand:
    """A bond at work: where its knob stood last, and what it has set."""

    last: float | None = None
    set: float | None = None


class Learning:
    """Learns knobs for a session, and has them move its parameters while it plays. `close` it at the end.

    Its methods may be called from any thread.
    """

    def __init__(self, session: Session, told: Callable[[Learned], None] | None = None) -> None:
        """`told` hears of each bond that was learned."""
        self.session, self._told = session, told
        self._turn = session.turn
        self._wanted: Learned | None = None
        self._fresh: Learned | None = None
        self._controls: dict[str, Controls] = {}
        self._hands: dict[Learned, _Hand] = {}
        self._bonds: tuple[Learned, ...] = ()
        self._parameters: Mapping[str, Parameter] = {}
        self._attached: Any = None
        self._read()
        session.news.listen(self._hear, ("changed", "opened", "playing"))
        self._attach()

    def close(self) -> None:
        """Learn and move nothing any more."""
        self.session.news.leave(self._hear, ("changed", "opened", "playing"))
        playing = self._attached
        if playing is not None and self._note in playing.player.acts.noted:
            playing.player.acts.noted.remove(self._note)

    # -- what may be asked

    @property
    def bonds(self) -> list[Learned]:
        """What has been learned."""
        return list(self._bonds)

    def learn(
        self,
        address: str,
        *,
        span: tuple[float, float] | None = None,
        curve: str = "",
        takeover: str = "pickup",
        port: str = "",
    ) -> None:
        """Bind the next knob, key or bend that moves, on a port with `port` in its name, to a parameter.

        Another call takes the place of one that still waits. Raises PatchError when nothing can be bound so.
        """
        found = self.session.parameter(address)
        if not found.writable:
            raise PatchError(Problem("read-only", f"{found.address} is an outlet: no knob can move it."))
        bond = Learned.of(Learned(found.address, WHATS[0], 0, 0, port, span, curve, takeover).as_data())
        with self._turn:
            self._wanted, self._fresh = bond, None

    @property
    def waiting(self) -> str | None:
        """The address that waits for a knob."""
        wanted = self._wanted
        return None if wanted is None else wanted.address

    def cancel(self) -> None:
        """Wait for no knob any more."""
        with self._turn:
            self._wanted = None

    def add(self, bond: Learned) -> None:
        """Bind without moving anything. Raises PatchError when there is no such parameter."""
        if not self.session.parameter(bond.address).writable:
            raise PatchError(Problem("read-only", f"{bond.address} is an outlet: no knob can move it."))
        with self._turn:
            self._learn((*(item for item in self._bonds if item != bond), bond))

    def remove(self, address: str | None = None, bond: Learned | None = None) -> int:
        """Forget all bonds of an address, or one bond; returns how many."""
        full = None if address is None else self.session.full(address)
        with self._turn:
            left = tuple(item for item in self._bonds if item.address != full and item != bond)
            gone = len(self._bonds) - len(left)
            if gone:
                self._learn(left)
            return gone

    # -- the patch's file

    def _read(self) -> None:
        with self._turn:
            self._bonds = tuple(learned_in(self.session.patch.document))
            self._parameters = dict(self.session.parameters)

    def _learn(self, bonds: tuple[Learned, ...]) -> None:
        """Other bonds from now on: the patch is to be saved."""
        before = stored(self.session.patch.document)
        self._keep(bonds)
        if stored(self.session.patch.document) != before:
            self.session.altered(by=BY)

    def _keep(self, bonds: tuple[Learned, ...]) -> None:
        """Other bonds from now on, in the patch as well; those of its file that could not be read stay there."""
        self._bonds = bonds
        document = self.session.patch.document
        odd = [data for data in stored(document) if not reads(data)]
        held = document.extra.get(KEY)
        others = {key: value for key, value in held.items() if key != DOOR} if isinstance(held, Mapping) else {}
        if bonds or odd:
            others[DOOR] = [*(bond.as_data() for bond in bonds), *odd]
        extra = {key: value for key, value in document.extra.items() if key != KEY}
        document.extra = {**extra, **({KEY: others} if others else {})}

    def _hear(self, topic: str, data: Mapping[str, Any]) -> None:
        if topic == "playing":
            if data.get("playing"):
                self._attach()
            return
        if topic == "opened":
            self._read()
            return
        names = renames(data)
        with self._turn:
            bonds = tuple(with_names(bond, names) for bond in self._bonds)
            if bonds != self._bonds:
                self._keep(bonds)
            self._parameters = dict(self.session.parameters)

    # -- while it plays: on the player's thread, which must not wait for others

    def _attach(self) -> None:
        playing = self.session.playing
        if playing is None or playing is self._attached or not playing.running:
            return
        self._attached = playing
        try:
            playing.call(lambda: playing.player.acts.noted.append(self._note))
        except PatchError:  # it is over already
            self._attached = None

    def _note(self, act: Act) -> None:
        if act.what != "arrive" or act.args[0] != DOOR:
            return
        found = taken(act.args[1])
        if found is None:
            return
        port, data = found
        if port not in self._controls and len(self._controls) >= MOST_PORTS:
            self._controls.clear()
        moved = knobs(self._controls.setdefault(port, Controls()), data)
        if not moved:
            return
        if self._wanted is not None or self._fresh is not None:
            self._bind(port, moved)
        for knob in moved:
            for bond in self._bonds:
                if bond.means(port, knob):
                    self._move(bond, knob, act.frame)

    def _bind(self, port: str, moved: list[Knob]) -> None:
        wanted, fresh = self._wanted, self._fresh
        knob = learnable(moved)
        if fresh is not None and any(item.what == "7 bit" for item in moved):
            self._fresh = None
            if any((item.what, item.channel) == ("7 bit", fresh.channel) and item.number == fresh.number + words.FINE
                   for item in moved):  # fmt: skip
                self._bound(replace(fresh, what="14 bit"), instead=fresh)
                return
        if wanted is None or knob is None or not named(port, wanted.port):
            return
        self._wanted = None
        bond = replace(wanted, what=knob.what, channel=knob.channel, number=knob.number)
        if knob.what == "7 bit" and knob.number < words.FINE:
            self._fresh = bond  # its fine part may follow
        self._bound(bond)

    def _bound(self, bond: Learned, instead: Learned | None = None) -> None:
        bonds = tuple(item for item in self._bonds if item not in (bond, instead))
        self._bonds = (*bonds, bond)
        threading.Thread(target=self._settle, args=(bond, instead), name="learned", daemon=True).start()

    def _settle(self, bond: Learned, instead: Learned | None) -> None:
        """Into the patch, on a thread that may wait."""
        with self._turn:
            self._learn(self._bonds)
        if self._told is not None:
            self._told(bond)

    def _move(self, bond: Learned, knob: Knob, frame: int) -> None:
        parameter = self._parameters.get(bond.address)
        if parameter is None:
            return
        if parameter.control is None:
            self._strike(bond, parameter, knob, frame)
            return
        hand = self._hands.setdefault(bond, _Hand())
        before, hand.last = hand.last, knob.share
        now = self.session.live.get(parameter.address, parameter.stored)
        share = bond.share(parameter, parameter.control.default if now is None else now)
        if bond.takeover == "jump" or knob.what == "note" or (hand.set is not None and now == hand.set):
            share = knob.share
        elif bond.takeover == "pickup":
            passed = before is not None and min(before, knob.share) <= share <= max(before, knob.share)
            if not passed and abs(knob.share - share) > NEAR:
                return
            share = knob.share
        else:
            share = _scaled(share, before, knob.share)
        value = bond.value(parameter, share)
        # in step with the parameter: from now on the knob is where the value is
        hand.set = value if share == knob.share else None
        self.session.steer(parameter, value, frame, by=BY)

    def _strike(self, bond: Learned, parameter: Parameter, knob: Knob, frame: int) -> None:
        """An inlet for messages: a key strikes it, a controller when it passes its middle."""
        hand = self._hands.setdefault(bond, _Hand())
        before, hand.last = hand.last or 0.0, knob.share
        struck = knob.share > 0.0 if knob.what == "note" else before < 0.5 <= knob.share
        if struck:
            self.session.steer(parameter, BANG, frame, by=BY)


def _scaled(share: float, before: float | None, now: float) -> float:
    """A parameter's share when its knob moves from `before` to `now` without being where the parameter is."""
    if before is None or before == now:
        return share
    if now > before:
        return min(share + (1.0 - share) * (now - before) / (1.0 - before), 1.0)
    return max(share - share * (before - now) / before, 0.0)
