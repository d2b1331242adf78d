"""docs/your-own-nodes.md keeps its word: its commands and its program run, its limits and lists are the code's."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from nodegraph import Patch, trust
from nodegraph.cli import main
from nodegraph.core.errors import PatchError
from nodegraph.core.ownfiles import BASES
from nodegraph.core.patchfile import dumps, loads
from nodegraph.runtime.carrying import MOST_WORDS
from nodegraph.usernodes.loading import PACKAGES
from nodegraph.usernodes.reading import LIMITS
from tests.usernodes.files import until

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "your-own-nodes.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the page's patch and its node."""
    monkeypatch.setenv("NODEGRAPH_CONFIG", str(tmp_path / "config"))
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "patch.ng").write_text(blocks("json")[0])
    for line in blocks("sh")[0].splitlines():
        assert main(shlex.split(line, comments=True)[1:]) == 0
    return folder


def test_its_patch_is_one_and_plays(home: Path) -> None:
    assert dumps(loads(blocks("json")[0])) == blocks("json")[0]
    assert main(["check", "patch.ng"]) == 0
    assert main(["run", "patch.ng", "--watch", "--driver", "null", "--seconds", "0.5"]) == 0


def test_its_other_commands_run(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = blocks("sh")[1].splitlines()
    assert main([*shlex.split(line)[1:], "--driver", "null", "--seconds", "0.5"]) == 0
    for words in re.findall(r"`nodegraph (trust --[^`]+)`", TEXT):
        assert main(shlex.split(words)) == 0
    assert main(["check", "patch.ng"]) == 2
    assert "nodegraph trust ./wobble.py" in capsys.readouterr().err


def test_its_program_runs(home: Path) -> None:
    (program,) = blocks("python")
    exec(compile(program, "your-own-nodes.md", "exec"), {})


def test_its_message_is_the_one_that_is_given(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (home / "wobble.py").read_text().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if line.startswith("        return x *"))
    (said,) = re.findall(r"^```\n(wobble\.py:.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    lines[at:] = ["        return sorted(x), angle\n"]
    (home / "wobble.py").write_text("".join(lines))
    trust("wobble.py")
    assert main(["check", "patch.ng"]) == 2
    told = capsys.readouterr().err.replace(f"{home}/", "").replace(", node 'swing'", "")
    assert told == said


def test_its_lists_and_limits_are_those_of_the_code() -> None:
    part = TEXT[TEXT.index("**It may import**") : TEXT.index("no other file beside it")]
    assert set(re.findall(r"`([\w.]+)`", part)) == PACKAGES - {"__future__"}
    part = TEXT[TEXT.index("**One class**") : TEXT.index("Functions and other")]
    assert set(re.findall(r"`(\w+Node)`", part)) == {base.__name__ for base in BASES.values()}
    words = {"import": "imported", "compile": "compiled"}
    for step in words:
        assert f"after {LIMITS[step]:g} s while it is {words[step]}" in TEXT
    assert f"after {LIMITS['trial']:g} s in the trial" in TEXT
    assert f"{MOST_WORDS:,}".replace(",", " ") in TEXT


def test_opening_runs_nothing_and_what_is_not_trusted_does_not_play(home: Path) -> None:
    mark = home / "mark"
    text = (home / "wobble.py").read_text() + f"\nopen({str(mark)!r}, 'w').close()\n"
    (home / "wobble.py").write_text(text)
    patch = Patch.open("patch.ng")
    assert str(patch) == (home / "patch.ng").read_text()
    with pytest.raises(PatchError, match=r"nodegraph trust \./wobble\.py"):
        patch.render(seconds=0.1)
    assert not mark.exists()
    trust("wobble.py")
    again = Patch.open("patch.ng")
    assert not mark.exists(), "a trusted file does not run when a patch is opened, either"
    again.render(seconds=0.1)
    assert mark.exists()


def test_the_same_file_elsewhere_is_trusted(home: Path) -> None:
    (home / "nodes").mkdir()
    (home / "wobble.py").rename(home / "nodes" / "wobble.py")
    data = json.loads(blocks("json")[0])
    data["nodes"]["swing"]["kind"] = "nodes/wobble.py"
    (home / "patch.ng").write_text(json.dumps(data))
    assert Patch.open("patch.ng").check() == []


def test_watching_from_python_is_as_it_says(home: Path) -> None:
    patch = Patch.open("patch.ng")
    with patch.play(driver="null") as playing:
        watch = playing.watch_files(trust_edits=True)
        until(lambda: watch.looks, "the first look")
        (home / "wobble.py").write_text((home / "wobble.py").read_text() + "# saved\n")
        until(lambda: ("swing", "plays wobble.py as it is now.") in playing.log, "it is taken over")
        with playing.changing:
            patch.add("sine~")
            playing.update()
    watch.close()
    assert playing.log[-1][1].endswith("To trust it from now on: nodegraph trust ./wobble.py")


def test_its_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / "docs" / link).resolve().exists(), link
