"""`nodegraph diff`: the same, different, unreadable; and a patch against what git keeps of it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from nodegraph.api import versions
from nodegraph.core.errors import PatchFileError
from tests.cli.conftest import Command
from tests.needs import needs


def git(folder: Path, *words: str) -> None:
    who = {f"GIT_{role}_{what}": "tester@localhost" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = os.environ | who | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    command = [needs("git", "apt install git"), *words]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


@pytest.fixture
def kept(tone: Path) -> Path:
    """The tone in a repository, and louder since."""
    git(tone.parent, "init", "-q")
    git(tone.parent, "add", tone.name)
    git(tone.parent, "commit", "-qm", "A tone")
    tone.write_text(tone.read_text().replace("0.25", "0.5"))
    return tone


def test_the_same_patches_are_the_same(tone: Path, nodegraph: Command) -> None:
    said = nodegraph("diff", tone, tone)
    assert (said.code, said.out, said.err) == (0, "", "")
    assert json.loads(nodegraph("diff", tone, tone, "--json").out) == {"same": True, "changes": []}


def test_what_is_different_is_said(tone: Path, tmp_path: Path, nodegraph: Command) -> None:
    other = tmp_path / "other.ng"
    other.write_text(tone.read_text().replace('"freq": 330', '"freq": 440').replace("osc", "tone"))
    said = nodegraph("diff", tone, other)
    assert said.code == 1 and said.out.splitlines() == [
        "- osc: sine~ freq=330", "+ tone: sine~ freq=440", "- osc.y -> level.x", "+ tone.y -> level.x",
    ]  # fmt: skip
    told = json.loads(nodegraph("diff", tone, other, "--json").out)
    assert not told["same"] and [item["sign"] for item in told["changes"]] == ["-", "+", "-", "+"]
    assert told["changes"][1]["after"] == {"kind": "sine~", "freq": 440}


def test_what_cannot_be_read_is_told(tone: Path, tmp_path: Path, nodegraph: Command) -> None:
    assert nodegraph("diff", tone).code == 2
    gone = nodegraph("diff", tone, tmp_path / "gone.ng")
    assert gone.code == 2 and "gone.ng" in gone.err


def test_a_patch_is_compared_with_a_revision(kept: Path, nodegraph: Command) -> None:
    said = nodegraph("diff", kept, "--revision", "HEAD")
    assert (said.code, said.out) == (1, "~ level: gain 0.25 → 0.5\n")


@pytest.mark.parametrize("revision", ["--help", "-p", "HEAD:../secret", "HEAD --", "$(id)", "", "nothing", "HEAD~7"])
def test_what_is_no_revision_is_told(kept: Path, nodegraph: Command, revision: str) -> None:
    said = nodegraph("diff", kept, f"--revision={revision}")
    assert said.code == 2 and "revision" in said.err.lower() and "Traceback" not in said.err and not said.out


def test_a_filter_of_the_repository_is_not_run(kept: Path, nodegraph: Command) -> None:
    (kept.parent / ".gitattributes").write_text("*.ng diff=bad filter=bad\n")
    for name in ("diff.bad.textconv", "filter.bad.smudge", "core.pager", "core.fsmonitor"):
        git(kept.parent, "config", name, f"touch {kept.parent / 'ran'}; cat")
    assert nodegraph("diff", kept, "--revision", "HEAD").code == 1
    assert not (kept.parent / "ran").exists()


@pytest.mark.parametrize("old", [False, True], ids=["this git", "an old git"])
def test_what_a_partial_clone_lacks_is_not_fetched(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: bool
) -> None:
    git(kept.parent, "commit", "-qam", "Another")
    git(kept.parent, "config", "uploadpack.allowFilter", "true")
    part = tmp_path / "part"
    git(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{kept.parent}", str(part))  # HEAD's files alone
    if old:  # one that does not know the word
        monkeypatch.delitem(versions._QUIET, "GIT_NO_LAZY_FETCH")
    before = sorted(part.rglob("*.pack"))
    assert versions.revision_text(part / kept.name, "HEAD") == kept.read_text()
    with pytest.raises(PatchFileError, match="HEAD~1"):
        versions.revision_text(part / kept.name, "HEAD~1")
    assert sorted(part.rglob("*.pack")) == before
