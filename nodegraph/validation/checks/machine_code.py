"""What a native node became: fit for the audio thread, and what it costs there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nodegraph.core.spec import Role
from nodegraph.runtime import lint as linting
from nodegraph.runtime.kernels.forms import LANES
from nodegraph.validation.driving import drive
from nodegraph.validation.finding import Finding, Note
from nodegraph.validation.subject import Subject
from nodegraph.validation.unit import Unit

COST_FRAMES = 16_384
BLOCK = 1_024


def lint(subject: Subject) -> Iterator[Finding]:
    """Its machine code calls nothing, so it cannot allocate, lock, raise or wait."""
    report = linting.lint([subject.spec], [])
    for finding in report.findings:
        yield Finding(f"{finding.where}: {finding.symbol}")


def cost(subject: Subject) -> Iterator[Note]:
    """What it costs, in nanoseconds a sample (a figure; it never fails)."""
    alone = _nanoseconds(subject, 1)
    if subject.spec.role is Role.KERNEL:
        packed = _nanoseconds(subject, LANES)
        yield Note(f"{alone:.1f} ns a sample, {packed:.2f} in lanes", "ns_per_sample", round(alone, 3))
    else:
        yield Note(f"{alone:.1f} ns a frame", "ns_per_sample", round(alone, 3))


def _nanoseconds(subject: Subject, lanes: int) -> float:
    """The shortest of a few runs, per sample of a lane."""
    values: dict[str, Any] = drive(subject.spec, COST_FRAMES, subject.seeds("cost"), lanes=lanes)
    unit = Unit(subject.spec, lanes=lanes, settings=subject.settings())
    took = []
    for _ in range(6):
        unit.run(COST_FRAMES, values, [BLOCK])
        took.append(unit.took_s)
    return min(took) / (COST_FRAMES * lanes) * 1e9
