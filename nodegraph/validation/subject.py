"""What a check is given: the node, how much is to be tried, and where chance comes from."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nodegraph.core.registry import Registry
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.validation.driving import extreme_settings, settings_for
from nodegraph.validation.naming import Named

if TYPE_CHECKING:
    from nodegraph.runtime.lane import Lanes

LEVELS: Final = range(1, 11)
USUAL_LEVEL: Final = 5
USUAL_SEED: Final = 1
USUAL_RATE: Final = 48_000
NATIVE: Final = frozenset({Role.KERNEL, Role.BLOCK})
CUTS: Final = ([1], [17], [64], [512], [1024], [3, 64, 1, 300])
OURS: Final = "nodegraph.nodes."

_ROUNDS: Final = {6: 2, 7: 3, 8: 4, 9: 6, 10: 8}
_FRAMES: Final = {1: 1_024, 2: 1_024, 6: 3_072, 7: 4_096, 8: 4_096, 9: 6_144, 10: 8_192}


@dataclass(frozen=True)
class Subject:
    """A node under validation.

    ``kinds``: the registry in which it and the nodes around it are found. ``folder``: for the files that it reads and
    writes; it is empty in the beginning and goes afterwards. ``home``: where files are meant from that the node itself
    names (a patch file's folder). ``named``: how another process finds it.
    ``shape``: the settings from which the spec has its ports, where a kind takes them from its settings.
    ``lanes``: workers that have done nothing wrong yet, by rate: they serve several runs.
    """

    spec: NodeSpec
    kinds: Registry
    folder: Path
    level: int = USUAL_LEVEL
    seed: int = USUAL_SEED
    home: Path = field(default_factory=Path.cwd)
    named: Named | None = None
    shape: Mapping[str, Any] = field(default_factory=dict)
    lanes: dict[int, Lanes] | None = None

    @property
    def rounds(self) -> range:
        """How often what goes by chance is repeated, with another seed each time."""
        return range(_ROUNDS.get(self.level, 1))

    @property
    def frames(self) -> int:
        """How long a run is."""
        return _FRAMES.get(self.level, 2_048)

    @property
    def rates(self) -> tuple[int, ...]:
        """The rates to try."""
        if self.level < 4:
            return (USUAL_RATE,)
        return (44_100, 48_000, 96_000, 8_000, 192_000)

    @property
    def channels(self) -> tuple[int, ...]:
        """The channel counts to try. A listener is given the mean of them all, and hears one everywhere else."""
        if self.spec.role is Role.INFERENCE:
            return (2, 64)
        if self.level < 7:
            return (1, 2, 3, 5, 16, 64)
        return (1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64)

    def cuts(self, *names: Any) -> Iterator[list[int]]:
        """Ways of cutting a run into blocks: usual and odd ones, and some by chance."""
        yield from (list(item) for item in CUTS[: 3 if self.level < 3 else len(CUTS)])
        random = self.random("cuts", *names)
        for _ in range(max(0, self.level - 3)):
            yield [int(length) for length in random.choice([1, 2, 5, 31, 64, 127, 441, 900], 6)]

    def seeds(self, *names: Any) -> list[int]:
        """Where chance comes from: the seed, the kind, and what it is wanted for."""
        return [self.seed, zlib.crc32(repr(names).encode())]

    def random(self, *names: Any) -> np.random.Generator:
        """Chance that repeats."""
        return np.random.default_rng([*self.seeds(*names), *self.spec.kind.encode()])

    def settings(self, frames: int = 1_500) -> dict[str, Any]:
        """The settings that the node cannot do without."""
        return settings_for(self.spec, self.folder, frames) | dict(self.shape)

    def extremes(self, *, shaping: bool = False) -> Iterator[dict[str, Any]]:
        """Settings at their ends, the usual ones first. `shaping`: also those that make another spec."""
        for settings in extreme_settings(self.spec, self.folder, shaping=shaping):
            yield settings | dict(self.shape)

    @property
    def native(self) -> bool:
        """Whether it becomes machine code."""
        return self.spec.role in NATIVE

    @property
    def modules(self) -> list[str]:
        """The modules in which a worker finds it, besides those that are installed."""
        module = self.spec.cls.__module__
        return [] if module.startswith(OURS) or self.spec.role is Role.PATCH else [module]
