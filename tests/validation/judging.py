"""One check of one node, in this process."""

from __future__ import annotations

from pathlib import Path

from nodegraph.core import Node, Registry, registry
from nodegraph.validation.catalogue import NAMES
from nodegraph.validation.finding import Outcome
from nodegraph.validation.naming import Loaded, Named
from nodegraph.validation.running import run


def loaded(cls: type[Node]) -> Loaded:
    """A class of a test as the user's own."""
    return Loaded(cls.spec, Registry([*registry(), cls]), Path.cwd())


def judged(cls: type[Node], check: str, *, level: int = 5, seed: int = 1) -> Outcome:
    """What one check says of one class."""
    assert check in NAMES
    named = Named(f"{cls.__module__}:{cls.__name__}", cls.spec.kind, cls.__module__)
    report = run(loaded(cls), named, level=level, seed=seed, only=[check])
    assert len(report.outcomes) == 1, f"'{check}' does not apply to a node of role {cls.spec.role.value}"
    return report.outcomes[0]
