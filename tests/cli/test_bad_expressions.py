"""Bad expressions through the command line: one finding each, with file, line, node, port, and the place marked."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command

BAD = {
    "a bracket that is not closed": ("expr~", "tanh(drive * x1", ["bracket of 'tanh' is not closed", "Write ) here."]),
    "nothing where a number belongs": ("expr~", "x1 * (2 +)", ["belongs where ')' is", "at character 10"]),
    "an unknown function": ("expr~", "sinn(x1)", ["no function 'sinn'", "Did you mean 'sin'"]),
    "operations on bits": ("expr", "$i1 & 255", ["'&' has no meaning", "Write &&"]),
    "an inlet too many": ("expr", "$f1 + $f9", ["no inlet 'x9'", "x1 to x8"]),
    "a past of messages": ("expr", "x1 - x1[-1]", ["no past", "expr~"]),
    "nothing at all": ("expr~", "", ["empty", "such as x1 * 0.5"]),
    "Python": ("expr~", "__import__('os').system('true')", ["'_' has no meaning", "begin with a letter"]),
    "a text without end": ("expr~", "x1 + " * 30_000, ["150000 characters", "10000"]),
    "brackets without end": ("expr~", "(" * 5_000, ["More than 64 brackets", "give"]),
}


def written(folder: Path, kind: str, code: str) -> Path:
    """A patch whose line 5 is the code; cables and values depend on the ports that it should have made."""
    path = folder / "bad.ng"
    path.write_text(
        '{"nodegraph": 1,\n"nodes": {\n'
        '"osc": {"kind": "sine~"}, "clock": {"kind": "metro"},\n'
        f'"bend": {{"kind": "{kind}",\n"code": {json.dumps(code)}, "drive": 3}},\n'
        '"out": {"kind": "out~"}},\n"cables": ["osc.y -> bend.x2", "osc.y -> out.x"]}\n'
    )
    return path


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("command", ["check", "render", "run"])
def test_a_bad_expression_is_told_with_its_place(command: str, name: str, tmp_path: Path, nodegraph: Command) -> None:
    kind, code, says = BAD[name]
    path = written(tmp_path, kind, code)
    more = {"render": ("-o", tmp_path / "out.wav"), "run": ("--record", tmp_path / "out.wav")}.get(command, ())
    said = nodegraph(command, path, *more)
    assert said.code == 2, said
    lines = said.err.splitlines()
    assert len(lines) == 3, f"one finding: what, the text, the mark:\n{said.err}"
    assert lines[0].startswith(f"{path}:5, node 'bend', port 'code': "), lines[0]
    assert lines[1].strip() in ("", *code.splitlines()) or "…" in lines[1]
    assert lines[2].lstrip().startswith("^ ")
    assert all(word.lower() in said.err.lower() for word in says), said.err
    assert [item.name for item in tmp_path.iterdir()] == ["bad.ng"], "something was left behind"


def test_a_code_that_is_no_text_is_told_once(tmp_path: Path, nodegraph: Command) -> None:
    path = tmp_path / "bad.ng"
    path.write_text('{"nodegraph": 1, "nodes": {\n"bend": {"kind": "expr~", "code": ["x1"]}}}')
    said = nodegraph("check", path)
    assert said.code == 2 and len(said.err.splitlines()) == 1
    assert said.err.startswith(f"{path}:2, node 'bend', port 'code': ") and "It takes text" in said.err


def test_a_code_that_is_set_is_checked(tmp_path: Path, nodegraph: Command) -> None:
    path = written(tmp_path, "expr~", "x2 * drive")
    said = nodegraph("render", path, "-o", tmp_path / "out.wav", "--seconds", "0.1", "--set", "bend.code=x2 * * 2")
    assert said.code == 2 and "node 'bend', port 'code': " in said.err and "^ Write one there" in said.err
    said = nodegraph("render", path, "-o", tmp_path / "out.wav", "--seconds", "0.1", "--set", "bend.code=x2 * 2")
    assert said.code == 0, said
    assert (tmp_path / "out.wav").exists()


def test_findings_for_programs_are_data(tmp_path: Path, nodegraph: Command) -> None:
    path = written(tmp_path, "expr~", "x1 +")
    said = nodegraph("check", path, "--json")
    (problem,) = json.loads(said.out)["problems"]
    assert (problem["code"], problem["node"], problem["port"], problem["line"]) == (
        "expression-form", "bend", "code", 5,
    )  # fmt: skip
