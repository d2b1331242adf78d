"""Ableton Link: two sessions and a peer that others wrote, in a network of the test's own, are within a millisecond."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nodegraph.core.errors import DeviceError
from nodegraph.timing.link import Link
from tests.needs import needs

ROOT = Path(__file__).parents[2]


def test_three_peers_keep_one_tempo_one_phase_and_start_and_stop_together() -> None:
    unshare, ip = needs("unshare", "apt install util-linux"), needs("ip", "apt install iproute2")
    alone = [str(unshare), "-n"] if os.geteuid() == 0 else [str(unshare), "-rn"]
    script = f'"{ip}" link set lo up && exec "{sys.executable}" -m tests.timing.linked'
    done = subprocess.run(
        [*alone, "sh", "-c", script], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for name in ("met", "a session leads", "another leads"):
        good, looks = found[name]
        assert good, f"{name}: {looks}"
        assert max(abs(item) for look in looks for item in look["apart_ms"]) < 1.0
    assert found["start and stop"] == [True, True, True, True], found


def test_without_its_extra_it_says_which_to_install_and_under_which_licence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DeviceError, match=r"nodegraph\[link\].*GPL"):
        Link()


def test_the_engines_process_loads_nothing_of_it() -> None:
    program = "import sys, nodegraph.timing.link, nodegraph.session.session; print('aalink' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
