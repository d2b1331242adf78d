"""Commands that change the presets of a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nodegraph.core.command import Command, bad_command
from nodegraph.core.document import Document
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.hints import did_you_mean, listed, quoted
from nodegraph.core.preset_names import ordered, why_no_preset


@dataclass(frozen=True)
class StorePreset(Command):
    """A preset comes, or gets other values: ``node.port`` → number. `number` is its place in the list, else the last.

    Its nodes may be gone.
    """

    do = "store-preset"
    preset: str
    values: Mapping[str, float] = field(default_factory=dict)
    number: int | None = None

    def apply(self, document: Document) -> list[Command]:
        wrong = why_no_preset(self.preset, self.values)
        if wrong:
            what = f"The preset {quoted(str(self.preset))}: {wrong}."
            raise PatchError(bad_command(what, 'Its values are {"node.port": number}.'))
        presets = document.presets
        before = presets.get(self.preset)
        undo: Command = RemovePreset(self.preset)
        if before is not None:
            undo = StorePreset(self.preset, before, list(presets).index(self.preset))
        if self.number is not None:
            presets.pop(self.preset, None)
        presets[self.preset] = ordered(self.values)
        if self.number is not None:
            names = [name for name in presets if name != self.preset]
            names.insert(self.number, self.preset)
            _in_order(presets, names)
        return [undo]

    def label(self) -> str:
        return f"Store the preset {self.preset}"

    def merged(self, later: Command) -> Command | None:
        return later if isinstance(later, StorePreset) and later.preset == self.preset else None


@dataclass(frozen=True)
class RemovePreset(Command):
    """A preset goes."""

    do = "remove-preset"
    preset: str

    def apply(self, document: Document) -> list[Command]:
        values = preset_in(document, self.preset)
        undo = StorePreset(self.preset, values, list(document.presets).index(self.preset))
        del document.presets[self.preset]
        return [undo]

    def label(self) -> str:
        return f"Remove the preset {self.preset}"


@dataclass(frozen=True)
class RenamePreset(Command):
    """A preset gets another name, and keeps its place."""

    do = "rename-preset"
    preset: str
    to: str

    def apply(self, document: Document) -> list[Command]:
        values = preset_in(document, self.preset)
        wrong = why_no_preset(self.to, values)
        if wrong:
            raise PatchError(bad_command(f"A preset cannot be called {quoted(self.to)}: {wrong}.", "Give another."))
        if self.to == self.preset:
            return []
        if self.to in document.presets:
            what = f"There is a preset {quoted(self.to)} already."
            raise PatchError(bad_command(what, "Choose another name, or remove that one."))
        names = [self.to if name == self.preset else name for name in document.presets]
        document.presets[self.to] = document.presets.pop(self.preset)
        _in_order(document.presets, names)
        return [RenamePreset(self.to, self.preset)]

    def label(self) -> str:
        return f"Rename the preset {self.preset} to {self.to}"


def preset_in(document: Document, name: str) -> dict[str, float]:
    """The values of a preset. Raises PatchError when there is none of this name."""
    found = document.presets.get(name)
    if found is None:
        raise PatchError(unknown_preset(name, document.presets))
    return found


def unknown_preset(name: str, presets: Mapping[str, object]) -> Problem:
    """There is none of this name."""
    rest = f"There are {listed(presets)}." if presets else "The patch has none; store one."
    return Problem("unknown-preset", f"There is no preset {quoted(name)}.", did_you_mean(name, presets, rest))


def _in_order(presets: dict[str, dict[str, float]], names: list[str]) -> None:
    found = {name: presets[name] for name in names}
    presets.clear()
    presets.update(found)
