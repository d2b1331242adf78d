"""docs/threads.md keeps its word: its program and its commands run, and its numbers are those of the code."""

import re
import shlex
from pathlib import Path

import pytest

from nodegraph.cli import main
from nodegraph.runtime import crew
from nodegraph.runtime.compile import tasks
from nodegraph.runtime.crew import thread_count

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "threads.md").read_text(encoding="utf-8")
(PROGRAM,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
(SHELL,) = re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_its_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(PROGRAM, "docs/threads.md", "exec"), {})
    said = re.fullmatch(r"2 threads share (\d+) tasks\n", capsys.readouterr().out)
    assert said and int(said[1]) > 1


@pytest.mark.parametrize("command", SHELL.splitlines())
def test_its_commands_end_well(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "patches").symlink_to(ROOT / "patches")
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command)[1:]
    assert main([*words, "--driver", "null"] if words[0] == "run" else words) == 0


def test_its_numbers_are_those_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "with 4\ncores or more nodegraph plays with half of them, at most 4 threads" in TEXT
    for cores, threads in ((3, 1), (4, 2), (6, 3), (8, 4), (32, 4)):
        monkeypatch.setattr(crew, "usable_cores", lambda cores=cores: cores)
        assert thread_count("auto") == threads
    assert "less than about 10 µs for 64 frames" in TEXT and tasks.WORTH_NS == 10_000 and tasks.FRAMES == 64
    assert "for half a second" in TEXT and 0.4 < crew.RECOVERY * 64 / 48_000 < 0.8
