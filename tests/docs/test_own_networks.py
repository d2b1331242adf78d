"""docs/own-networks.md runs as it stands; its tables are those of the format; its programs for PyTorch are those with
which the golden networks were exported."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from nodegraph.core.registry import registry
from nodegraph.models import own_networks
from nodegraph.models.onnxfile import MOST_BYTES, OPSETS
from nodegraph.nodes.analysis.own_taggers import OwnTagger
from nodegraph.nodes.analysis.spikes import CHUNK_S, Spikes
from tests.docs.programs import programs_of, run_programs, text_of
from tests.own.nets import GOLDEN
from tests.own.page import exports

TEXT = text_of("own-networks")


def test_its_programs_run_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_programs("own-networks", 2)
    assert all("assert" in program for program in programs_of("own-networks"))


def test_the_golden_networks_were_exported_by_its_programs_for_pytorch() -> None:
    """These need PyTorch, and were run where the golden networks were made."""
    hashes = [hashlib.sha256(program.encode()).hexdigest() for program in exports()]
    assert hashes == np.load(GOLDEN / "answers.npz")["pages"].tolist(), "run: python -m tests.own.make_golden"


def test_its_tables_name_every_key_with_its_bounds() -> None:
    keys = {key for line in re.findall(r"^\| (`.*?) \|", TEXT, re.MULTILINE) for key in re.findall(r"`(\w+)`", line)}
    source = Path(own_networks.__file__).read_text(encoding="utf-8")
    asked = set(re.findall(r'(?:said|inner)\.(?!_)\w+\(\s*"(\w+)"', source)) | {"format"}
    assert keys == asked
    for words in (
        f"from {own_networks.RATES[0]} to {own_networks.RATES[1]}", f"{own_networks.MOST_LABELS} at most",
        f"{own_networks.MOST_NEURONS} at most", f"{own_networks.SECONDS[0]:g} to {own_networks.SECONDS[1]:g}",
        f"Opsets from {OPSETS[0]} to {OPSETS[1]}", f"{MOST_BYTES >> 20} MiB", f"{1e3 * CHUNK_S:g} ms",
        *(f"`{word}`" for word in own_networks.ACTIVATIONS),
    ):  # fmt: skip
        assert words in TEXT, words


def test_its_words_are_those_of_the_nodes() -> None:
    for kind in re.findall(r"`([\w.]+~)`", TEXT):
        assert registry().get(kind) is not None, kind
    names = {item.name for spec in (OwnTagger.spec, Spikes.spec) for item in spec.settings}
    for name in names - {"file"}:
        assert f"`{name}`" in TEXT, name
