"""All checks: what each is called, to which nodes it applies, and from which level on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from nodegraph.core.spec import Role
from nodegraph.validation.checks import (
    bits,
    declaration,
    edges,
    forgetting,
    latency,
    limits,
    listening,
    machine_code,
    patch,
    sound,
    talking,
    tapping,
)
from nodegraph.validation.finding import Said
from nodegraph.validation.subject import Subject

Run = Callable[[Subject], Iterator[Said]]


@dataclass(frozen=True)
class Check:
    """One promise, and how it is put to the test."""

    name: str
    run: Run
    level: int
    roles: frozenset[Role]

    @property
    def promise(self) -> str:
        """The promise as a sentence."""
        return (self.run.__doc__ or self.name).strip().split("\n", 1)[0]

    @property
    def whom(self) -> str:
        """The roles of the nodes that it is for, in words."""
        others = sorted(EVERY - self.roles)
        if not others:
            return "all"
        return ", ".join(sorted(self.roles)) if len(others) > 2 else f"all but {', '.join(others)}"


EVERY: Final = frozenset(Role)
NATIVE: Final = frozenset({Role.KERNEL, Role.BLOCK})
KERNEL: Final = frozenset({Role.KERNEL})
HEARING: Final = EVERY - {Role.EVENT}

CHECKS: Final = (
    Check("instantiate", declaration.instantiate, 1, EVERY),
    Check("help", declaration.help_complete, 1, EVERY),
    Check("ports", declaration.ports, 1, EVERY),
    Check("hears", listening.hears, 1, frozenset({Role.INFERENCE})),
    Check("lint", machine_code.lint, 2, NATIVE),
    Check("silence", sound.silence, 1, NATIVE),
    Check("impulse", sound.impulse, 2, NATIVE),
    Check("noise", sound.white_noise, 2, NATIVE),
    Check("sweep", sound.sweep, 2, NATIVE),
    Check("recovery", sound.recovery, 3, NATIVE),
    Check("blocks", bits.blocks, 3, NATIVE),
    Check("still", bits.still, 3, NATIVE),
    Check("reset", bits.reset, 3, NATIVE),
    Check("lanes", bits.lanes, 4, KERNEL),
    Check("latency", latency.latency, 4, NATIVE),
    Check("parameters", limits.parameters, 5, NATIVE),
    Check("memory", limits.memory, 5, NATIVE),
    Check("through", edges.through, 2, frozenset({Role.DEVICE})),
    Check("repeat", patch.repeat, 2, EVERY),
    Check("callbacks", patch.callbacks, 3, EVERY),
    Check("save", patch.save, 4, EVERY),
    Check("rates", patch.rates, 4, EVERY),
    Check("output", patch.output, 3, EVERY - {Role.EVENT, Role.INFERENCE}),
    Check("channels", patch.channels, 5, HEARING),
    Check("packing", patch.packing, 5, KERNEL),
    Check("messages", talking.messages, 5, EVERY - {Role.DEVICE}),
    Check("chunks", tapping.chunks, 3, frozenset({Role.TAP})),
    Check("forgetting", forgetting.forgetting, 3, frozenset({Role.TAP, Role.INFERENCE})),
    Check("clips", listening.clips, 3, frozenset({Role.INFERENCE})),
    Check("cost", machine_code.cost, 1, NATIVE),
)
NAMES: Final = tuple(item.name for item in CHECKS)


def checks_for(role: Role, level: int) -> list[Check]:
    """The checks of a node of this role at this level, in order."""
    return [item for item in CHECKS if role in item.roles and item.level <= level]
