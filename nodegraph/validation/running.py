"""Running the checks of one node, in this process."""

from __future__ import annotations

import tempfile
import time
import traceback
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from pathlib import Path

from nodegraph.core.errors import NodegraphError
from nodegraph.core.spec import NodeSpec
from nodegraph.validation.catalogue import Check, checks_for
from nodegraph.validation.checks import declaration
from nodegraph.validation.finding import Finding, NotApplicable, Note, Outcome, Report
from nodegraph.validation.memory import Trespass
from nodegraph.validation.naming import Loaded, Named, load
from nodegraph.validation.subject import USUAL_LEVEL, USUAL_SEED, Subject

MOST_FINDINGS = 10
"""Of one check; more of them say nothing more."""
OF_THE_KIND = (declaration.help_complete,)
"""Checks of what a kind says of itself, whatever its settings make of it."""


def wanted(spec: NodeSpec, level: int, only: Collection[str] = (), but: Collection[str] = ()) -> list[Check]:
    """The checks of a node: those of its role and level, or `only` these whatever the level is; `but` not those."""
    every = checks_for(spec.role, max(level, 10) if only else level)
    return [item for item in every if (not only or item.name in only) and item.name not in but]


def run(
    loaded: Loaded,
    named: Named | None = None,
    *,
    level: int = USUAL_LEVEL,
    seed: int = USUAL_SEED,
    only: Collection[str] = (),
    but: Collection[str] = (),
    begun: Callable[[str], None] = lambda name: None,
    done: Callable[[Outcome], None] = lambda outcome: None,
) -> Report:
    """Validate one node. `begun` is called with each check's name, `done` with its outcome."""
    spec = loaded.spec
    outcomes: list[Outcome] = []
    usual = Subject(spec, loaded.kinds, Path(), level, seed, loaded.home, named, lanes={})
    try:
        for check in wanted(spec, level, only, but):
            begun(check.name)
            found = []
            for shape in ({}, *(spec.cls.examples if check.run not in OF_THE_KIND else ())):
                shaped = loaded.kinds.shaped(spec.kind, shape) or spec
                with tempfile.TemporaryDirectory(prefix="nodegraph-validate-") as folder:
                    found.append(outcome(check, replace(usual, spec=shaped, folder=Path(folder), shape=shape)))
            outcomes.append(together(found))
            done(outcomes[-1])
    finally:
        for lanes in (usual.lanes or {}).values():
            lanes.close()
    return Report(spec.kind, spec.role.value, tuple(outcomes))


def together(found: list[Outcome]) -> Outcome:
    """One outcome for a check of a kind that takes its ports from its settings: its usual shape, and its examples."""
    first = found[0]
    findings = tuple(finding for item in found for finding in item.findings)
    state = "failed" if findings else "passed" if any(item.state == "passed" for item in found) else first.state
    return replace(first, state=state, took_s=sum(item.took_s for item in found), findings=findings[:MOST_FINDINGS])


def validate(named: Named, **options: object) -> Report:
    """Load a node and validate it. `options` as of `run`."""
    return run(load(named), named, **options)  # type: ignore[arg-type]


def outcome(check: Check, subject: Subject) -> Outcome:
    """What one check says. An error that comes out of the node is a finding, too."""
    began = time.perf_counter()
    findings: list[Finding] = []
    notes: list[Note] = []
    why = ""
    try:
        for said in check.run(subject):
            if isinstance(said, Note):
                notes.append(said)
            else:
                findings.append(said)
            if len(findings) >= MOST_FINDINGS:
                break
    except NotApplicable as reason:
        why = str(reason)
    except Trespass as trespass:
        findings.append(Finding(str(trespass)))
    except NodegraphError as error:
        findings += [Finding(problem.describe()) for problem in error.problems[:MOST_FINDINGS]]
    except Exception as error:
        findings.append(Finding(f"it raises {type(error).__name__}: {error} ({_place(error)})"))
    if subject.shape:
        shape = ", ".join(f"{name} = {value!r}" for name, value in subject.shape.items())
        findings = [replace(item, when=", ".join(text for text in (item.when, shape) if text)) for item in findings]
    state = "failed" if findings else "skipped" if why else "passed"
    return Outcome(check.name, state, time.perf_counter() - began, tuple(findings), tuple(notes), why)


def _place(error: BaseException) -> str:
    """Where an error comes from: the file and the line."""
    frames: Iterable[traceback.FrameSummary] = traceback.extract_tb(error.__traceback__)
    last = list(frames)[-1]
    return f"{last.filename}:{last.lineno}"
