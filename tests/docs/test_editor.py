"""docs/editor.md keeps its word about options, keys and bounds; tests/editor shows the rest."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from nodegraph.cli import parser
from nodegraph.commands.edit import arguments
from nodegraph.commands.nodes import arguments as node_arguments
from nodegraph.core.patchfile import read
from nodegraph.core.registry import registry
from nodegraph.editor import dials
from nodegraph.editor.browsing import TAKES
from nodegraph.editor.helping import KEPT_S
from nodegraph.editor.keys import Keys
from nodegraph.editor.motion import SETTLE_S
from nodegraph.editor.objecttext import typed
from nodegraph.editor.scene import Scene
from nodegraph.editor.settings import DECISIONS, GRID, Settings
from nodegraph.editor.settings import LARGEST as SIZE_MOST
from nodegraph.editor.settings import SMALLEST as SIZE_LEAST
from nodegraph.editor.themes import THEMES
from nodegraph.editor.tour import STEPS
from nodegraph.editor.viewport import LARGEST, SMALLEST

PAGE = (Path(__file__).parents[2] / "docs" / "editor.md").read_text(encoding="utf-8")


def test_its_commands_and_options_are_understood() -> None:
    parser = argparse.ArgumentParser()
    arguments(parser)
    for line in re.findall(r"^nodegraph edit (.*)$", PAGE, re.MULTILINE):
        parser.parse_args(line.split())
    told = set(re.findall(r"`(--[a-z-]+)", PAGE.split("| option |")[1].split("\n\n")[0]))
    assert told == {item for action in parser._actions for item in action.option_strings} - {"-h", "--help"}


def test_its_table_of_keys_is_that_of_the_editor() -> None:
    rows = re.findall(r"^\| ([^|]*) \| ([^|]*) \|$", PAGE.split("## Keys")[1], re.MULTILINE)
    assert rows[0] == ("does", "keys")
    assert rows[1:] == [(words, keys) for _, words, keys in Keys().listed()]


def test_its_other_commands_are_understood() -> None:
    for line in (
        "nodegraph outline bells.ng",
        "nodegraph diff bells.ng other.ng",
        "nodegraph diff bells.ng --revision HEAD",
    ):
        assert f"\n{line}\n" in PAGE
        words = line.split()[1:]
        assert parser(words).parse_args(words).command == words[0]


def test_the_keys_in_its_text_are_those_of_their_actions() -> None:
    told = {
        "find": "Ctrl+F finds", "palette": "Ctrl+Shift+P does", "minimap": "Ctrl+Alt+M\nshows",
        "panel-outline": "Ctrl+Shift+O opens", "connect": "Ctrl+Shift+C connects", "keys": "F1 lists",
        "connect-selected": "Ctrl+Shift+J connects", "diff": "Ctrl+Shift+D compares",
    }  # fmt: skip
    for name, said in told.items():
        assert said in PAGE and said.split()[0] == Keys().shown(name)
    assert {"outline-text", "diff-with"} <= Keys().of.keys()


def test_its_own_keys_are_keys() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE.split("## Keys")[1], re.DOTALL)
    assert Keys(json.loads(example)).action["f2"] == "play"


def test_its_box_that_shows_values_is_one() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE.split("## Values")[1].split("\n## ")[0], re.DOTALL)
    nodes = {"cut": {"kind": "svf~"}}
    document, problems = read(json.dumps({"nodegraph": 1, "nodes": nodes, **json.loads(f"{{{example}}}")}))
    assert document is not None and not problems
    scene = Scene()
    scene.follow(document)
    assert scene.boxes["cut"].rows == ("cutoff", "resonance") and scene.boxes["cut"].x == 40


def test_its_values_are_read() -> None:
    cutoff, gain, time = (
        next(item for item in spec.controls if item.name == name)
        for kind, name in (("svf~", "cutoff"), ("gain~", "gain"), ("adsr~", "attack"))
        if (spec := registry().get(kind)) is not None
    )
    assert dials.read(cutoff, "2k") == 2000 and dials.read(cutoff, "2.5 kHz") == 2500
    assert dials.read(time, "30 ms") == 0.03 and abs(dials.read(gain, "-6 dB") - 0.501) < 0.001


def test_its_settings_are_settings(tmp_path: Path) -> None:
    section = PAGE.split("## Looks and settings")[1].split("\n## ")[0]
    (example,) = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    (tmp_path / "editor.json").write_text(example)
    settings = Settings(tmp_path / "editor.json")
    assert not settings.problems and all(settings[key] == value for key, value in json.loads(example).items())
    told = [name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]
    assert set(told) == set(DECISIONS)
    assert f"from {SIZE_LEAST:g} to {SIZE_MOST:g}" in section and f"a grid of {GRID:g} points" in section
    assert f"{SETTLE_S * 1000:.0f} ms" in section and all(f"`{name}`" in section for name in THEMES)


def test_its_tour_is_the_tour() -> None:
    section = PAGE.split("## The first time")[1].split("\n## ")[0]
    (told,) = re.findall(r"by doing it: (.*?)\. `Skip`", section, re.DOTALL)
    assert [word.strip() for word in told.replace("\n", " ").split(",")] == [step.title.lower() for step in STEPS]


def test_its_objects_and_bounds_are_true() -> None:
    assert typed("cycle~", registry()).kind == "sine~"
    assert dict(typed("svf~ 800 resonance=0.4", registry()).values) == {"cutoff": 800, "resonance": 0.4}
    assert f"from {SMALLEST:g} to {LARGEST:g}" in PAGE


def test_what_it_says_of_the_browser_is_true() -> None:
    part = PAGE.split("## The browser")[1].split("\n## ")[0]
    for kinds in TAKES.values():
        assert all(f"`{kind}`" in part for kind in kinds)
    assert KEPT_S == 7 * 24 * 3600 and "a week ago" in part
    keys = {words: shown for _, words, shown in Keys().listed()}
    assert keys["Browser"] == "Ctrl+B" and "Ctrl+H" in keys["Help patch of the object"]
    (command,) = re.findall(r"`nodegraph (nodes [^`]*)`", part)
    parser = argparse.ArgumentParser()
    node_arguments(parser)
    assert parser.parse_args(command.split()[1:]).help_patch == Path("try.ng")
