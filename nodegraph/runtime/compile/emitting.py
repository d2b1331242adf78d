"""What the parts of a schedule ask of it while it is made: operations, states, and the buffers of signals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodegraph.runtime.compile.operations import Operation
    from nodegraph.runtime.compile.packing import Group
    from nodegraph.runtime.compile.units import Ref, Unit


class Emitting(ABC):
    """What `Schedule` has for all of its parts."""

    @abstractmethod
    def operation(
        self, function: int, state: int, ins: list[Any], outs: list[Any], names: tuple[str, ...], factor: int = 1
    ) -> Operation:
        """Append an operation that runs at `factor` times the engine's rate."""

    @abstractmethod
    def words(self, *values: int) -> int:
        """A state made of 64-bit words."""

    @abstractmethod
    def mono(self, ref: Ref | None) -> int:
        """The buffer of a signal in mono form."""

    @abstractmethod
    def side(self, group: Group, output: int) -> int:
        """The buffer of a group's output."""

    @abstractmethod
    def out_mono(self, unit: Unit, output: int) -> int:
        """The buffer that a unit's output is written to."""

    @abstractmethod
    def out_lanes(self, group: Group, output: int) -> int:
        """The buffer that a group's output is written to."""
