"""The presets of a session: stored from what sounds, recalled, stood among, moved by chance.

Each recall is one act, which a performance keeps as one line. Parameters are named as presets name them
(``cut.cutoff``), or by their addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from nodegraph.core.commands import RemovePreset, RenamePreset, StorePreset
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.hints import listed, quoted
from nodegraph.core.ports import Control
from nodegraph.core.preset_commands import preset_in, unknown_preset
from nodegraph.core.presets import RECALLS, TIME_CURVES, Book, book_of, corners, missing_line, morphed, randomised
from nodegraph.session.parameters import ROOT, Parameter

if TYPE_CHECKING:
    from nodegraph.session.session import Session

SOMEBODY: Final = "somebody"
MOST_SECONDS: Final = 3_600.0


class Presets:
    """What a session does with presets. Any thread."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.recalled: str | None = None
        """The one that was recalled last."""

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called; a preset's number is its place here, from 0."""
        with self._session.turn:
            return tuple(self._session.patch.document.presets)

    def values(self, name: str) -> dict[str, float]:
        """What a preset holds, ``node.port`` → value. Raises PatchError."""
        with self._session.turn:
            return dict(preset_in(self._session.patch.document, name))

    # -- keeping them

    def store(self, name: str, addresses: Iterable[str] | None = None, *, by: str = SOMEBODY) -> dict[str, float]:
        """Keep where parameters are now: these, or those that the preset holds already, or all of the patch.

        Raises PatchError when one of them is no control.
        """
        session = self._session
        with session.turn:
            presets = session.patch.document.presets
            if addresses is not None:
                found = [self._control(address) for address in addresses]
            elif name in presets:
                known = book_of(session.patch.document).controls
                found = [session.parameter(port) for port in presets[name] if port in known]
            else:
                found = self._all()
            values = {key(item): session.live.get(item.address, item.stored or 0.0) for item in found}
            session.edit([StorePreset(name, values)], by=by)
            self._tell(by)
            return values

    def _all(self) -> list[Parameter]:
        nodes = self._session.patch.graph.nodes
        return [
            item
            for item in self._session.parameters.values()
            if isinstance(item.port, Control) and (item.node not in nodes or nodes[item.node].kind != RECALLS)
        ]

    def _control(self, address: str) -> Parameter:
        found = self._session.parameter(address)
        node = self._session.patch.graph.nodes.get(found.node)
        if not isinstance(found.port, Control) or (node is not None and node.kind == RECALLS):
            what = f"{found.address} cannot be in a preset."
            raise PatchError(Problem("no-control", what, "Presets hold the controls of nodes that do not recall any."))
        return found

    def remove(self, name: str, *, by: str = SOMEBODY) -> None:
        """Let a preset go. Raises PatchError."""
        self._session.edit([RemovePreset(name)], by=by)
        self._tell(by)

    def rename(self, name: str, to: str, *, by: str = SOMEBODY) -> None:
        """Call a preset otherwise. Raises PatchError."""
        self._session.edit([RenamePreset(name, to)], by=by)
        if self.recalled == name:
            self.recalled = to
        self._tell(by)

    # -- going there

    def recall(self, name: str | int, seconds: float = 0.0, *, curve: str = "linear", by: str = SOMEBODY) -> None:
        """Go to a preset, by its name or its number from 0, within so many seconds (0: as fast as controls move).

        `curve` is how the way goes by time. What it holds of nodes that are gone is left out, and told in the log.
        Raises PatchError when there is no such preset.
        """
        with self._session.turn:
            name = self._name(name)
            book = book_of(self._session.patch.document)
            if name in book.missing:
                self._session.say("", missing_line(name, book.missing[name]))
            self._go(book, book.presets[name], seconds, curve, by)
            self.recalled = name
        self._tell(by)

    def morph(
        self,
        names: Sequence[str | int],
        x: float,
        y: float = 0.0,
        *,
        weights: Sequence[float] | None = None,
        seconds: float = 0.0,
        by: str = SOMEBODY,
    ) -> dict[str, float]:
        """Stand among presets: between two by `x`, among four by `x` and `y` (0 to 1), or among any by `weights`.

        Returns where parameters go. Raises PatchError.
        """
        with self._session.turn:
            book = book_of(self._session.patch.document)
            chosen = [self._name(name) for name in names]
            if weights is None and not 1 <= len(chosen) <= 4:
                raise PatchError(Problem("bad-morph", "By x and y one stands among 1 to 4 presets.", "Give weights."))
            given = corners(len(chosen), x, y) if weights is None else tuple(weights)
            if len(given) != len(chosen) or not all(0.0 <= one < 1e9 for one in given) or not any(given):
                raise PatchError(Problem("bad-morph", "The weights do not fit.", "Give one a preset, not all 0."))
            values = morphed([book.presets[name] for name in chosen], given, book.controls)
            self._go(book, values, seconds, "linear", by)
            return values

    def randomise(
        self,
        amount: float = 1.0,
        *,
        seed: int = 0,
        addresses: Iterable[str] | None = None,
        seconds: float = 0.0,
        by: str = SOMEBODY,
    ) -> dict[str, float]:
        """Move parameters by chance, from where they are, so far within their spans (0 to 1): these, or all.

        The same seed always draws the same. Returns where they go. Raises PatchError.
        """
        session = self._session
        with session.turn:
            found = self._all() if addresses is None else [self._control(address) for address in addresses]
            now = {key(item): session.live.get(item.address, item.stored or 0.0) for item in found}
            controls = {key(item): item.port for item in found if isinstance(item.port, Control)}
            values = randomised(now, controls, amount, seed)
            places = {key(item): item.place for item in found}
            self._go(Book({}, controls, places), values, seconds, "linear", by)
            return values

    def _name(self, name: str | int) -> str:
        names = self.names
        if isinstance(name, int) and not isinstance(name, bool):
            if 0 <= name < len(names):
                return names[name]
            what = f"There is no preset number {name}."
            raise PatchError(Problem("unknown-preset", what, f"They are counted from 0: {listed(names)}."))
        if name not in names:
            raise PatchError(unknown_preset(str(name), dict.fromkeys(names)))
        return str(name)

    def _go(self, book: Book, values: Mapping[str, float], seconds: float, curve: str, by: str) -> None:
        if not 0.0 <= seconds <= MOST_SECONDS:
            what = f"It cannot take {seconds} s."
            raise PatchError(Problem("bad-seconds", what, f"Give 0 to {MOST_SECONDS:g} s."))
        if curve not in TIME_CURVES:
            what = f"There is no curve {quoted(curve)}."
            raise PatchError(Problem("bad-curve", what, f"There are {listed(TIME_CURVES)}."))
        session = self._session
        playing = session.playing
        if playing is not None and playing.running:
            placed = tuple((item.node, item.inlet, item.value) for item in book.placed(values))
            with playing.setting:
                playing.player.act("recall", placed, float(seconds), curve)
            return
        moved = {}
        for port, value in values.items():
            low, high = book.controls[port].span
            moved[session.full(port)] = min(max(value, low), high)
        session.rest(moved, by)

    def _tell(self, by: str) -> None:
        self._session.news.tell("presets", {"by": by, "presets": list(self.names), "recalled": self.recalled})


def key(parameter: Parameter) -> str:
    """A parameter as a preset names it: ``voice/cut.cutoff``."""
    return f"{parameter.address[len(ROOT) + 1 : -len(parameter.port.name) - 1]}.{parameter.port.name}"
