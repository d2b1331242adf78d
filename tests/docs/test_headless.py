"""docs/headless.md runs as it stands, and its numbers, options and reasons are those of the code."""

from __future__ import annotations

import argparse
import inspect
import re
from pathlib import Path

import pytest

from nodegraph.commands import install_service, run
from nodegraph.headless import health, logs, pulse, running
from nodegraph.headless.keeping import EVERY_S
from nodegraph.headless.pulse import Crashes

TEXT = (Path(__file__).parents[2] / "docs" / "headless.md").read_text(encoding="utf-8")
WORDS = " ".join(TEXT.split())


def test_its_programs_run_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NODEGRAPH_STATE", str(tmp_path / "state"))
    space: dict[str, object] = {}
    programs = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert len(programs) == 3
    for program in programs:
        exec(compile(program, "headless.md", "exec"), space)


def test_its_numbers_are_those_of_the_code() -> None:
    assert f"beats {1 / pulse.BEAT_S:g} times a second".replace("5", "five") in WORDS
    assert f"no beat for {pulse.PATIENCE_S:g} s (`--patience`)" in WORDS
    assert f"the sound has stood still for {pulse.SOUND_S:g} s" in WORDS
    assert f"every {EVERY_S:g} s (`--autosave`)" in WORDS
    assert f"longer and longer pauses, {Crashes.LONGEST_S:g} s at most" in WORDS
    assert "3 crashes within a minute" in WORDS and Crashes.WITHIN_S == 60.0 and Crashes().safe_after == 3
    assert f"{logs.MOST_FILES} files of {logs.MOST_BYTES / 1e6:g} MB at most" in WORDS
    assert f"again within {logs.AGAIN_S:g} s" in WORDS


def test_its_options_exist() -> None:
    known = set()
    for command in (run, install_service):
        parser = argparse.ArgumentParser()
        command.arguments(parser)
        known |= set(parser._option_string_actions)
    found = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", TEXT))
    assert found - known <= {"--user", "--now"}, "systemctl's"
    parser = argparse.ArgumentParser()
    run.arguments(parser)
    for line in re.findall(r"^nodegraph run (.*)$", TEXT, re.MULTILINE):
        running.plan(parser.parse_args(line.split()))


def test_its_reasons_are_all_that_there_are() -> None:
    told = set(re.findall(r"^\| `([a-z-]+)` \| (failed|degraded) \|$", TEXT, re.MULTILINE))
    source = inspect.getsource(health.health)
    made = {(code, health.RANKS[int(rank)]) for rank, code in re.findall(r'\((\d), "([a-z-]+)"', source)}
    assert told == made


def test_its_messages_are_those_of_the_code() -> None:
    assert "is being played already, by process" in TEXT
    assert "End that one first, or give this one another --name." in inspect.getsource(running.run_headless)
