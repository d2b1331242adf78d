"""docs/latents.md runs as it stands, and names the nodes that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nodegraph.core.registry import registry
from nodegraph.nodes.generation.nn import ScriptedModel
from tests.codecs.tiny import shelved, write_audioldm
from tests.docs.programs import programs_of, run_programs, text_of

TEXT = text_of("latents")


def test_its_programs_run_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a tiny model in the place of the published one."""
    shelved(tmp_path / "models", "audioldm2", write_audioldm(tmp_path / "made"))
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    run_programs("latents", 4)
    assert all("assert" in program for program in programs_of("latents"))


def test_its_table_names_every_node_for_latents() -> None:
    listed = set(re.findall(r"^\| `([\w.]+)` \|", TEXT, re.MULTILINE))
    assert listed == {spec.kind for spec in registry() if spec.kind.startswith("latent.")}
    for kind in re.findall(r"`([\w.]+~)`", TEXT):
        assert registry().get(kind) is not None, kind


def test_its_words_are_those_of_the_node() -> None:
    names = {item.name for item in ScriptedModel.spec.settings}
    assert names >= {"method", "latents", "batch", "buffer", "time", "lag", "rate", "seed", "late"}
    for name in names - {"file"}:
        assert f"`{name}`" in TEXT, name
