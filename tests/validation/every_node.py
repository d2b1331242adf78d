"""`nodegraph validate --all --level 10` for the tests, in two halves that are tried side by side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from nodegraph.core import registry
from nodegraph.core.listening import OwnModel
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.models.manifest import shipped
from nodegraph.models.sources import WheelFile

ROOT = Path(__file__).parents[2]
HALVES = 2
NOWHERE = frozenset({
    "ast.tag~", "beats.embed~", "beats.tag~", "clap.embed~", "clap.query~", "dac.codec~", "dac.decode~", "dac.encode~",
    "emotion~", "encodec.decode~", "encodec.encode~", "encodec32.decode~", "encodec32.encode~", "encodec32~",
    "encodec48.decode~", "encodec48.encode~", "encodec48~", "encodec~", "epanns.tag~", "oobleck.decode~",
    "oobleck.encode~", "oobleck~", "openl3~", "panns.tag~", "wav2vec2~",
})  # fmt: skip
"""Listeners whose weights no package carries: tests/listeners and tests/codecs hold them to their authors' programs,
with small random weights."""
OWN = frozenset({"nn~", "rave.decode~", "rave.encode~", "rave~"})
"""Those whose model is a file of the user's own: tests/nn has such files made."""


def half(number: int) -> list[str]:
    """The kinds of one half. Of each role every other one, since nodes of one role take about as long."""
    specs = sorted(registry(), key=lambda spec: (spec.role, spec.kind))
    return [spec.kind for spec in specs[number::HALVES]]


def excused() -> tuple[set[str], set[str]]:
    """The listeners whose weights no package carries, and those with files of the user's own, as they are declared."""
    listeners = [spec for spec in registry() if spec.role is Role.INFERENCE]
    own = {spec.kind for spec in listeners if isinstance(spec.cls.weights, OwnModel)}  # type: ignore[attr-defined]
    return {spec.kind for spec in listeners if spec.kind not in own and not carried_by_a_package(spec)}, own


def validated(kinds: list[str]) -> dict[str, list[dict[str, Any]]]:
    """What the command says of these kinds at level 10, by kind: the outcomes of its checks."""
    command = [sys.executable, "-m", "nodegraph", "validate", *kinds, "--level", "10", "--jobs", "1", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout, f"exit code {done.returncode}: {done.stderr}"
    said = json.loads(done.stdout)
    assert "nodes" in said, said
    assert done.returncode == (2 if said["failed"] else 0), done.stderr
    return {node["kind"]: node["checks"] for node in said["nodes"]}


def keeps_its_promises(kind: str, checks: list[dict[str, Any]]) -> None:
    """Raises AssertionError with every finding. A listener without its model in the store is excused, but not in CI
    where a package has it."""
    found = {item["check"]: (item["findings"], item["repeat"]) for item in checks if item["state"] == "failed"}
    assert not found, json.dumps(found, indent=1, ensure_ascii=False)
    assert len(checks) >= 8, "it was hardly looked at"
    skipped = {item["check"]: item["why"] for item in checks if item["state"] != "passed"}
    because = "a file of the user's own" if kind in OWN else "is not in the store"
    assert all(because in why for why in skipped.values()), skipped
    excused = kind in NOWHERE | OWN or os.environ.get("CI") != "true"
    assert not skipped or excused, f"a skip is a failure in CI: {skipped}"


def carried_by_a_package(spec: NodeSpec) -> bool:
    """Whether all files of a listener's model come with a package, or with nothing but a setting."""
    weights = spec.cls.weights  # type: ignore[attr-defined]
    name = weights.of({}, spec.settings)
    manifest = next(item for item in shipped() if item.name == name)
    return all(isinstance(file.source, WheelFile) for file in manifest.files)
