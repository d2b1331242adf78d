"""`nodegraph validate --all --level 10` for the tests, in two halves that are tried side by side.

Listeners whose model is a stand-in are tried at level 3 in every run of the tests: what they answer, that they repeat,
at any block, and forget what is no number. `make soak` tries them at level 10, too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from nodegraph.core import Weights, registry
from tests.soak.length import length
from tests.validation.stand_ins import MAKERS, fill

ROOT = Path(__file__).parents[2]
HALVES = 2


def half(number: int) -> list[str]:
    """The kinds of one half. Of each role every other one, since nodes of one role take about as long."""
    specs = sorted(registry(), key=lambda spec: (spec.role, spec.kind))
    return [spec.kind for spec in specs[number::HALVES]]


def validated(kinds: list[str], store: Path) -> dict[str, list[dict[str, Any]]]:
    """What the command says of these kinds, by kind: the outcomes of its checks. `store` is made, with a stand-in for
    each model that no package carries."""
    fill(store)
    played = [kind for kind in kinds if stood_in(kind)]
    return _said([kind for kind in kinds if kind not in played], 10, store) | _said(played, length(3, 10), store)


def stood_in(kind: str) -> bool:
    """Whether it is a listener whose model is a stand-in here."""
    spec = registry().get(kind)
    wanted = getattr(spec.cls, "weights", None) if spec is not None else None
    return spec is not None and isinstance(wanted, Weights) and wanted.of({}, spec.settings) in MAKERS


def _said(kinds: list[str], level: int, store: Path) -> dict[str, list[dict[str, Any]]]:
    command = [sys.executable, "-m", "nodegraph", "validate", *kinds, "--level", str(level), "--jobs", "1", "--json"]
    environment = os.environ | {"NODEGRAPH_MODELS": str(store)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout, f"exit code {done.returncode}: {done.stderr}"
    said = json.loads(done.stdout)
    assert "nodes" in said, said
    assert done.returncode == (2 if said["failed"] else 0), done.stderr
    return {node["kind"]: node["checks"] for node in said["nodes"]}


def keeps_its_promises(checks: list[dict[str, Any]]) -> None:
    """Raises AssertionError with every finding. A listener without its model in the store is excused, but not in CI."""
    found = {item["check"]: (item["findings"], item["repeat"]) for item in checks if item["state"] == "failed"}
    assert not found, json.dumps(found, indent=1, ensure_ascii=False)
    assert len(checks) >= 8, "it was hardly looked at"
    skipped = {item["check"]: item["why"] for item in checks if item["state"] != "passed"}
    assert all("is not in the store" in why for why in skipped.values()), skipped
    assert not skipped or os.environ.get("CI") != "true", f"a skip is a failure in CI: {skipped}"
