"""What the parts of a schedule ask of it while it is made: operations, states, and the buffers of signals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodegraph.runtime.compile.operations import Operation
    from nodegraph.runtime.compile.packing import Group
    from nodegraph.runtime.compile.units import Ref, Unit


class Emitting:
    """What `Schedule` has for all of its parts."""

    def operation(
        self, function: int, state: int, ins: list[Any], outs: list[Any], names: tuple[str, ...], factor: int = 1
    ) -> Operation:
        """Append an operation that runs at `factor` times the engine's rate."""
        raise NotImplementedError

    def words(self, *values: int) -> int:
        """A state made of 64-bit words."""
        raise NotImplementedError

    def mono(self, ref: Ref | None) -> int:
        """The buffer of a signal in mono form."""
        raise NotImplementedError

    def side(self, group: Group, output: int) -> int:
        """The buffer of a group's output."""
        raise NotImplementedError

    def out_mono(self, unit: Unit, output: int) -> int:
        """The buffer that a unit's output is written to."""
        raise NotImplementedError

    def out_lanes(self, group: Group, output: int) -> int:
        """The buffer that a group's output is written to."""
        raise NotImplementedError
