"""docs/codes.md keeps its word: its programs run, its tables and figures are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nodegraph import Patch
from nodegraph.codes import files, kinds, packets, waiting
from nodegraph.codes.door import CodesDoor
from nodegraph.core.registry import registry
from nodegraph.session.session import Session
from tests.docs.programs import programs_of, run_programs, text_of

TEXT = text_of("codes")


def test_its_programs_run_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert all("assert" in program for program in programs_of("codes")[1:])
    run_programs("codes", 5)


def test_its_figures_are_those_of_the_code() -> None:
    name = "encodec-24khz"
    assert f"| {packets.HEADER_BYTES + len(name)} | {(packets.HEADER_BYTES + len(name)) * 8 * 25 / 1_000} |" in TEXT
    assert f"| {packets.packed_bytes(8, 3, kinds.KNOWN[name].bits)} | 6.0 |" in TEXT
    assert f"all late for {waiting.RUN_S} s" in TEXT and f"silent for {waiting.QUIET_S} s" in TEXT
    assert f"by a frame, for {waiting.WINDOW_S:.0f} s" in TEXT
    assert all(f"`{known}`" in TEXT for known in kinds.KNOWN)


def test_its_names_are_those_of_the_code() -> None:
    part = TEXT.split("| metadata | what |")[1].split("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", part)) - {"codes", "arrays"} == {
        "format", "version", "codec", "revision", *files.NUMBERS,
    }  # fmt: skip
    session = Session(Patch("Nothing"), driver="null")
    counters = set(CodesDoor(session).status()) - {"host", "ports"}
    assert all(f"`{name}`" in TEXT for name in counters)
    ours = {spec.kind for spec in registry() if spec.kind.startswith("codes.")}
    assert set(re.findall(r"`(codes\.\w+)`", TEXT)) == ours
