"""What the tree as a whole promises: it names no machine, and no file outgrows its room."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_LINES = 450
SOURCES = {".py", ".sh", ".glsl", ".frag", ".vert", ".js", ".ts", ".css", ".html"}
PLACES = re.compile(
    r"(?<![\w.~*-])/(?:wor[k]|roo[t]|far[m])/"  # a folder of somebody's machine
    r"|pypi\.or[g]|pythonhosted\.or[g]|registry\.npmj[s]|deb\.debian\.or[g]|proxy\.golan[g]|crates\.i[o]"
)


def tree() -> list[Path]:
    """Every file that is or would be under version control."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    """What a text file says; nothing for any other."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in tree()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if PLACES.search(line)
    ]
    assert not found, "\n".join(found)


def test_no_source_file_outgrows_its_room() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tree()
        if path.suffix in SOURCES and (lines := len(text_of(path).splitlines())) > MOST_LINES
    }
    assert not long, f"over {MOST_LINES} lines, split by meaning: {long}"


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "LICENSE", "docs/glossary.md"])
def test_the_pages_everybody_looks_for_are_there(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8").strip()


def test_decision_records_are_numbered_one_after_another() -> None:
    names = sorted(path.name for path in (ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1)), names
