"""Operations of a schedule while it is made, and the rows that native code walks."""

from __future__ import annotations

from typing import Any


class Operation:
    """One operation: its function, the address of its state, its inputs and outputs, and the nodes that it runs.

    Inputs and outputs are buffers (negative numbers until they have addresses), addresses, or lists of these. `row` is
    where native code finds function and state, once that is known. `form` is a node's kernel form; `chain`, in a chain,
    is the address of how many of its operations ramp. `about` says more of a node's kernel (its form and state) or of
    an island (its operations), `memory` what else it writes to; both are for those who plan threads.
    """

    __slots__ = ("about", "chain", "factor", "form", "function", "ins", "memory", "names", "outs", "row", "state")

    def __init__(
        self, function: int, state: int, ins: list[Any], outs: list[Any], names: tuple[str, ...], factor: int
    ) -> None:
        self.function = function
        self.state = state
        self.ins = ins
        self.outs = outs
        self.names = names
        self.factor = factor
        self.row = 0
        self.chain = 0
        self.form: Any = None
        self.about: Any = None
        self.memory = 0
