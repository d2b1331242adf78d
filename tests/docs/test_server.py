"""docs/server.md and docs/panel.md keep their word."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from nodegraph import Patch
from nodegraph.commands import company
from nodegraph.commands.run import arguments
from nodegraph.server import outbox, wire
from nodegraph.session.news import TOPICS
from nodegraph.session.panel import KINDS
from nodegraph.session.protocol import PERIODS, Client
from nodegraph.session.requests import REQUESTS
from nodegraph.session.session import Session

DOCS = Path(__file__).parents[2] / "docs"
SERVER = (DOCS / "server.md").read_text(encoding="utf-8")
PANEL = (DOCS / "panel.md").read_text(encoding="utf-8")


def test_its_programs_run_one_after_another() -> None:
    space: dict[str, object] = {}
    programs = re.findall(r"^```python\n(.*?)^```", SERVER, re.MULTILINE | re.DOTALL)
    assert len(programs) == 3
    for program in programs:
        exec(compile(program, "server.md", "exec"), space)


def test_its_commands_and_options_are_understood() -> None:
    parser = argparse.ArgumentParser()
    arguments(parser)
    found = re.findall(r"nodegraph run ([^`\n]*)", SERVER + PANEL)
    assert len(found) >= 3
    for line in found:
        parser.parse_args(line.split())
    options = set(re.findall(r"^\| `(--[a-z-]+)", SERVER, re.MULTILINE))
    assert options >= {"--serve", "--listen", "--allow", "--oscquery", "--oscquery-token", "--announce"}
    assert options <= {item for action in parser._actions for item in action.option_strings}


def test_its_table_is_that_of_the_protocol() -> None:
    rows = re.findall(r"^\| (`[a-z_`, ]+) \| ([a-z_`, –]*) \|", SERVER.split("| request |")[1], re.MULTILINE)
    told = {name: set(re.findall(r"\w+", takes)) for names, takes in rows for name in re.findall(r"\w+", names)}
    told["open"], told["unsubscribe"] = {"path"}, {"topics"}
    told["store"] |= {"addresses"}
    assert told == {name: set(item.fields) for name, item in REQUESTS.items()}
    for topic in (*TOPICS, *PERIODS):
        assert f"`{topic}`" in SERVER.split("**Topics**")[1].split("\n\n")[0]


def test_its_numbers_are_those_of_the_code() -> None:
    for said in (
        f"port {company.PORT}", f"of its own, {company.OSCQUERY_PORT}", f"most {wire.LARGEST >> 20} MiB",
        f"more than {outbox.MOST_BYTES >> 20} MiB wait", f"code {wire.TOO_SLOW}",
    ):  # fmt: skip
        assert said in " ".join(SERVER.split()), said


def test_the_panel_of_its_patch_is_whole(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```json\n(.*?)^```", PANEL, re.MULTILINE | re.DOTALL)
    (tmp_path / "tone.ng").write_text(text)
    patch = Patch.open(tmp_path / "tone.ng")
    assert patch.check() == []
    with Session(patch, driver="null") as session:
        answer = Client(session, lambda topic, data: None).answer({"id": 1, "do": "panel"})
    assert answer is not None and answer["ok"]["marked"] and answer["ok"]["missing"] == []
    assert [item["kind"] for item in answer["ok"]["items"]] == ["slider", "xy", "toggle", "button", "tags"]
    told = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`[^|]*) \|", PANEL, re.MULTILINE)))
    assert set(told) == set(KINDS)
