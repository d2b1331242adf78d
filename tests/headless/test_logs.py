"""The log of a service: one line an event, bounded files, and what comes again counted."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from nodegraph.headless.logs import AGAIN_S, LONGEST_LINE, MOST_COUNTED, Log, LogFile, marked, stamp, unmarked


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def log_to(path: Path, clock: Clock) -> Log:
    return Log(LogFile(path), clock=clock, wall=lambda: 1_767_225_600.123 + clock.now - 100.0)


def test_a_line_says_when_how_grave_who_and_what(tmp_path: Path) -> None:
    log = log_to(tmp_path / "log", Clock())
    log.write("warning", "cut", "made NaN\nor infinity\x1b[31m\u2028")
    log.write("info", "", "it plays.")
    first, second = (tmp_path / "log").read_text().splitlines()
    when = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.123[+-]\d{4}"
    assert re.fullmatch(when + r" warning cut     made NaN or infinity \[31m", first)
    assert second.endswith(" info    -       it plays.")


def test_what_comes_again_is_counted_even_in_turns(tmp_path: Path) -> None:
    clock = Clock()
    log = log_to(tmp_path / "log", clock)
    for number in range(1_000):
        log.write("info", "a", "late")
        if number % 2:
            log.write("info", "b", "late")
    assert len((tmp_path / "log").read_text().splitlines()) == 2
    clock.now += AGAIN_S
    log.tend()
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.split("-       ")[-1].split(maxsplit=3)[-1] for line in lines[2:]] == [
        "late (999 times more in 10 s)", "late (499 times more in 10 s)"
    ]  # fmt: skip
    log.write("info", "a", "late")
    assert len((tmp_path / "log").read_text().splitlines()) == 5, "later it is news again"


def test_many_kinds_of_lines_are_not_remembered_for_ever(tmp_path: Path) -> None:
    log = log_to(tmp_path / "log", Clock())
    for number in range(10 * MOST_COUNTED):
        log.write("info", "", f"line {number}")
    assert len(log._seen) <= MOST_COUNTED
    log.close()
    assert len((tmp_path / "log").read_text().splitlines()) == 10 * MOST_COUNTED


def test_files_are_bounded_in_size_and_number(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "log", most_bytes=1_000, most_files=3)
    lines = [f"line {number:05}" for number in range(1_000)]
    for line in lines:
        file.write(line)
    found = sorted(tmp_path.iterdir())
    assert [path.name for path in found] == ["log", "log.1", "log.2"]
    assert all(path.stat().st_size <= 1_000 for path in found)
    text = "".join(path.read_text() for path in reversed(found))
    assert text.splitlines() == lines[-len(text.splitlines()) :], "the newest lines, none lost, none twice"
    file.close()
    LogFile(tmp_path / "log", most_bytes=1_000, most_files=3).write("again")
    assert (tmp_path / "log").read_text().endswith("again\n"), "another process goes on in the same file"


def test_one_file_alone_begins_anew(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "log", most_bytes=100, most_files=1)
    for number in range(100):
        file.write(f"line {number}")
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
    assert (tmp_path / "log").stat().st_size <= 100


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    log = Log(LogFile(tmp_path / "no" / "such" / "folder" / "log"), said.append)
    log.write("error", "", "the disk is full")
    assert len(said) == 1
    (tmp_path / "no" / "such" / "folder").mkdir(parents=True)
    log.write("info", "", "it is there again")
    assert "there again" in (tmp_path / "no" / "such" / "folder" / "log").read_text()


def test_the_journal_gets_the_level_in_front_and_no_time() -> None:
    said: list[str] = []
    log = Log(None, said.append, journal=True)
    log.write("error", "cut", "gone")
    assert said == ["<3>cut: gone"]


@given(st.sampled_from(["info", "warning", "error"]), st.text(st.characters(exclude_categories=["C", "Z"])), st.text())
def test_what_the_engine_marks_is_read_back(level: str, node: str, text: str) -> None:
    line = marked(level, node, text)
    assert "\n" not in line and "\r" not in line
    found = unmarked(line)
    assert found[0] == level and found[1] == node
    assert len(found[2]) <= LONGEST_LINE


def test_what_others_say_is_a_warning() -> None:
    assert unmarked("ALSA lib pcm.c:8526: underrun") == ("warning", "", "ALSA lib pcm.c:8526: underrun")
    assert unmarked("<0>kernel style") == ("error", "", "kernel style")
    assert unmarked("<7>whispered") == ("info", "", "whispered")


@given(st.floats(0.0, 4e9))
def test_a_stamp_has_one_form(wall: float) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}", stamp(wall))
