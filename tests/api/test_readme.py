"""The README keeps its word: its programs run, its commands end well, its patch is one, its links lead somewhere."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nodegraph.cli import main
from nodegraph.core import check, dumps, loads
from nodegraph.models import Store
from tests.models.weights import fetched

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("nodegraph ")]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the patches and a sound of the reader's own."""
    for name in ("yamnet", "silero-vad", "swift-f0", "basic-pitch", "demo-sound"):
        fetched(Store(), name)
    (tmp_path / "patches").symlink_to(ROOT / "patches")
    sound = np.random.default_rng(0).uniform(-0.1, 0.1, (4_800, 1))
    soundfile.write(tmp_path / "my.wav", sound, 48_000)
    monkeypatch.chdir(tmp_path)
    yield tmp_path


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_its_programs_run(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(blocks("python")[number], "README.md", "exec"), {})
    said = capsys.readouterr().out
    assert said.strip(), "it prints something"
    if number == 0:
        assert re.search(r"^\d\.\d\d s: (Singing|Lullaby|Chant|Mantra|Speech|Music) 0\.\d\d$", said, re.MULTILINE), said


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_end_well(command: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = []
    for word in shlex.split(command)[1:]:
        words += sorted(str(path.relative_to(place)) for path in place.glob(word)) if "*" in word else [word]
    if words[0] == "run":
        words += ["--driver", "null"]  # as on a machine without a sound card
    assert main(words) == 0, capsys.readouterr().err
    for option in ("-o", "--record", "--picture"):
        if option in words:
            assert (place / words[words.index(option) + 1]).stat().st_size > 1_000


def test_its_patch_is_one() -> None:
    (text,) = blocks("json")
    document = loads(text)
    assert dumps(document) == text, "in the form in which nodegraph would save it"
    assert check(document) == []


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) > 10
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert [link for link in links if link not in tracked] == []


def test_every_patch_is_in_its_table() -> None:
    assert {path.stem for path in (ROOT / "patches").glob("*.ng")} == set(
        re.findall(r"^\| \[(\w+)\]", README, re.MULTILINE)
    )


def test_its_first_screen_says_what_it_is_and_the_two_commands() -> None:
    first = README[:1200]
    assert "docs/demo.png" in first and "make run" in first and "make test" in first
