"""docs/midi.md runs as it stands, and its numbers are those of the code."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from nodegraph.commands.run import arguments
from nodegraph.core.registry import registry
from nodegraph.midi import bonds, door, files, mpe, parsing, saying
from nodegraph.runtime.player import LOOKAHEAD_S, LOOKAHEADS_S, TRIGGER_S

TEXT = (Path(__file__).parents[2] / "docs" / "midi.md").read_text(encoding="utf-8")
WORDS = " ".join(TEXT.split())


def test_its_programs_run_one_after_another() -> None:
    space: dict[str, object] = {}
    programs = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert len(programs) == 3
    for program in programs:
        exec(compile(program, "midi.md", "exec"), space)


def test_its_commands_are_understood() -> None:
    parser = argparse.ArgumentParser()
    arguments(parser)
    (line,) = re.findall(r"^nodegraph run (.*)$", TEXT, re.MULTILINE)
    assert parser.parse_args(line.split()).lookahead == 0.008
    assert parser.parse_args(["a.ng"]).lookahead == LOOKAHEAD_S


def test_its_nodes_are_those_that_there_are() -> None:
    listed = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", TEXT, re.MULTILINE)))
    kinds = {spec.kind for spec in registry() if getattr(spec.cls, "door", "") == door.DOOR}
    assert set(listed) == kinds | {"midifile", "midirecord"}


def test_what_it_shows_of_a_file_is_read() -> None:
    (text,) = re.findall(r"^```json\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    data = json.loads("{" + text + "}")["learned"]["midi"][0]
    assert bonds.Learned.of(data).as_data() == data
    assert all(f"`{word}`" in TEXT for word in bonds.TAKEOVERS)


def test_its_numbers_are_those_of_the_code() -> None:
    for said in (
        f"up to {parsing.MOST_SYSEX} bytes",
        f"Messages run {1e3 * LOOKAHEAD_S:.0f} ms ahead",
        f"{1e3 * TRIGGER_S:.0f} ms after what it heard, or {1e3 * (TRIGGER_S - LOOKAHEAD_S):.0f} ms behind",
        f"It can be {LOOKAHEADS_S[0]} to {LOOKAHEADS_S[1]:.0f} s",
        f"{mpe.MOST_MEMBERS} members and bends of {mpe.MEMBER_BEND_ST:.0f} semitones",
        f"a bend of {mpe.PLAIN_BEND_ST:.0f} semitones",
        f"writes {files.TICKS} ticks a beat",
        f"{door.MOST_ARRIVED} messages may wait",
        f"after the first {saying.AT_FIRST}",
    ):
        assert said in WORDS, said
    assert (door.LOOK_S, saying.APART_S) == (1.0, 1.0), "every second; a line a second"
