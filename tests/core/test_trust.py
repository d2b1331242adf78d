"""What is trusted is a content: a byte more or less is another file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from nodegraph.core import trust
from nodegraph.core.errors import PatchError


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NODEGRAPH_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a node.py"
    path.write_text("x = 1\n")
    return path


def is_trusted(path: Path) -> bool:
    real = Path(os.path.realpath(path))
    return trust.is_trusted(real, trust.digest_of(real.read_bytes()))


def test_a_file_is_trusted_as_it_is_and_no_other(file: Path, config: Path) -> None:
    assert not is_trusted(file)
    made = trust.trust(file)
    assert (made.path, made.size, len(made.sha256)) == (str(file), 6, 64)
    assert is_trusted(file)
    kept = list((config / "trusted").iterdir())
    assert [path.name for path in kept] == [f"{made.sha256}.json"], "one file, nothing half-written beside it"
    assert json.loads(kept[0].read_text())["path"] == str(file)
    assert (config / "trusted").stat().st_mode & 0o077 == 0, "nobody else may add to it"
    file.write_text("x = 2\n")
    assert not is_trusted(file)
    file.write_text("x = 1\n")
    assert is_trusted(file), "the content that was trusted is trusted again"


def test_what_was_trusted_is_listed_and_revoked(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text("y = 1\n")
    first, second = trust.trust(file), trust.trust(other)
    file.write_text("x = 2\n")
    third = trust.trust(file)
    assert {item.sha256 for item in trust.trusted()} == {first.sha256, second.sha256, third.sha256}
    assert len(trust.revoke(str(file))) == 2, "every content that lay there"
    assert trust.revoke(second.sha256[:12]) == [second]
    assert trust.trusted() == []
    with pytest.raises(PatchError, match="not trusted"):
        trust.revoke("a" * 64)


@pytest.mark.parametrize("name", ["nothing.py", ".", "large.py"])
def test_what_is_no_small_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "large.py").write_bytes(b"#" * (trust.MOST_BYTES + 1))
    with pytest.raises(PatchError, match=r"no such file|no ordinary file|larger than"):
        trust.trust(tmp_path / name)


def test_a_decision_that_cannot_be_kept_is_told(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blocked").write_text("")
    monkeypatch.setenv("NODEGRAPH_CONFIG", str(tmp_path / "blocked"))
    with pytest.raises(PatchError, match="NODEGRAPH_CONFIG"):
        trust.trust(file)
    assert not is_trusted(file)


def test_a_record_that_was_spoilt_still_shows(file: Path, config: Path) -> None:
    made = trust.trust(file)
    (config / "trusted" / f"{made.sha256}.json").write_text("{")
    assert [item.sha256 for item in trust.trusted()] == [made.sha256], "what is trusted must be seen"


def test_edits_are_trusted_by_path_as_long_as_that_is_said(file: Path, tmp_path: Path) -> None:
    with trust.edits([file]), trust.edits([file]):
        file.write_text("anything")
        assert is_trusted(file)
        other = tmp_path / "other.py"
        other.write_text("anything")
        assert not is_trusted(other), "the path is what counts here"
    assert not is_trusted(file)
    assert trust.trusted() == []
