"""docs/notes.md keeps its word: its program runs, its piece of a file is legal, its table is that of the notes."""

from __future__ import annotations

import re

from nodegraph.core.notes import COLOURS, KINDS, LARGEST, LEGAL, NEEDED, SMALLEST, WIDEST
from nodegraph.core.patchfile import dumps, loads
from nodegraph.editor.notes import POINTS
from tests.docs.programs import run_programs, text_of

PAGE = text_of("notes")


def test_its_program_runs() -> None:
    run_programs("notes", 1)


def test_its_piece_of_a_file_is_written_as_it_stands() -> None:
    (piece,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    nodes = '"nodegraph": 1, "nodes": {"cut": {"kind": "svf~"}, "osc": {"kind": "sine~"}}, '
    document = loads("{" + nodes + piece + "}")
    assert {note["kind"] for note in document.notes.values()} == set(KINDS) and document.presentation
    indented = "".join(f"  {line}\n" for line in piece.splitlines())
    assert dumps(document).endswith(indented + "}\n")


def test_its_table_is_that_of_the_notes() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*)\|$", PAGE, re.MULTILINE))
    assert rows.keys() == {"kind", *LEGAL}
    for name in LEGAL:
        needed = [kind for kind, names in NEEDED.items() if name in names]
        told = rows[name].rpartition("|")[2].strip()
        assert told == ("all" if len(needed) == len(KINDS) else " and ".join(f"{kind}s" for kind in needed)), name
    assert f"from {SMALLEST:g} to {LARGEST:g}; else {POINTS:g}" in PAGE and f"to {WIDEST:.0f} points" in PAGE
    assert all(f"`{colour}`" in rows["colour"] for colour in COLOURS)
