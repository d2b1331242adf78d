"""The patch with a node of one's own in patches/yours: like the others, once its node is trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nodegraph import Patch, trust
from nodegraph.usernodes.bringing import brought
from tests.contracts.drive import drive
from tests.contracts.harness import play, same_bits

FOLDER = Path(__file__).parents[2] / "patches" / "yours"


@pytest.fixture(autouse=True)
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODEGRAPH_CONFIG", str(tmp_path / "config"))
    for path in FOLDER.glob("*.py"):
        trust(path)


def test_it_is_well_formed_and_says_what_to_listen_for() -> None:
    path = FOLDER / "rungler.ng"
    patch = Patch.open(path)
    assert patch.check() == []
    assert patch.title and len(patch.about) > 80 and "nodegraph trust patches/yours/rungler.py" in patch.about
    assert path.read_text(encoding="utf-8") == str(patch)
    assert set(patch.document.view) == {node.id for node in patch}


def test_it_sounds_and_does_not_clip() -> None:
    sound = Patch.open(FOLDER / "rungler.ng").render(seconds=3).audio
    assert np.isfinite(sound).all() and np.abs(sound).max() <= 0.9
    assert (np.sqrt((sound * sound).mean(axis=1)) > 0.01).all()


def test_its_node_is_the_register_that_it_says() -> None:
    """Against a register of plain integers."""
    spec = brought(FOLDER / "rungler.py")
    data = np.random.default_rng(2).standard_normal((1, 4_800)).astype(np.float32)
    found = play(spec, 4_800, {"data": data, "freq": 1_000.0})["y"][0]
    bits, angle, expected = 0, 0, []
    step = int(np.float32(1_000.0) / np.float32(48_000) * np.float32(2**32))
    for sample in data[0]:
        angle += step
        if angle >= 1 << 32:
            angle -= 1 << 32
            bits = ((bits << 1) | (int(sample > 0) ^ (bits >> 7))) & 255
        expected.append((bits & 7) / 3.5 - 1.0)
    assert np.abs(found - expected).max() < 1e-6
    assert len(set(found)) == 8


def test_its_node_keeps_the_contract() -> None:
    spec = brought(FOLDER / "rungler.py")
    values = drive(spec, 1_000, 1)
    assert not same_bits(play(spec, 1_000, values), play(spec, 1_000, values, split=[1, 64, 17]))
