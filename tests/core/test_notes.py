"""Notes and the presentation: kept as they are written, undone to the byte, refused in words where they are wrong."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.core.commands import (
    Add,
    AddNote,
    Command,
    Present,
    Remove,
    RemoveNote,
    Rename,
    Restore,
    SetNote,
    commands,
    perform,
)
from nodegraph.core.document import Document
from nodegraph.core.errors import PatchError, PatchFileError
from nodegraph.core.history import History
from nodegraph.core.notes import COLOURS, KINDS, LEGAL, why_no_note
from nodegraph.core.patchfile import dumps, loads
from tests.core.patches import documents, notes
from tests.core.test_commands import here_and_back

TEXT = """{
  "nodegraph": 1,
  "nodes": {
    "osc1": {"kind": "sine~"},
    "out": {"kind": "out~"}
  },
  "cables": [
    "osc1.y -> out.x"
  ],
  "view": {
    "osc1": [30, 40]
  },
  "presentation": {
    "ghost": [5, 5],
    "osc1": [10, 20]
  },
  "notes": {
    "n1": {"kind": "comment", "text": "Turn this\\nfirst.", "at": [40, 20.5], "points": 20, "colour": "cyan"},
    "n2": {"kind": "panel", "text": "Voices", "at": [20, 0], "size": [300, 200], "shadow": null, "by": "Ada"},
    "n10": {"kind": "image", "file": "score.png", "at": [400, 0], "size": [320, 200], "present": [0, 0]},
    "n11": {"kind": "sticker", "at": "nowhere", "colour": null, "deep": [1, {"two": 2}]}
  },
  "later": 1
}
"""


def document() -> Document:
    return loads(TEXT)


def test_notes_and_the_presentation_are_written_as_they_were_read() -> None:
    made = document()
    assert dumps(made) == TEXT
    assert list(made.notes) == ["n1", "n2", "n10", "n11"]
    assert made.presentation == {"osc1": [10, 20]} and made.unpresented == {"ghost": [5, 5]}
    shuffled = json.loads(TEXT)
    shuffled["notes"] = {id: dict(reversed(note.items())) for id, note in reversed(shuffled["notes"].items())}
    again = loads(json.dumps({key: shuffled[key] for key in reversed(shuffled)}))
    assert again.notes == made.notes and list(json.loads(dumps(again))["notes"]) == list(made.notes)
    assert dumps(again).split('"n1": ')[1].split("\n")[0] == TEXT.split('"n1": ')[1].split("\n")[0]


def test_a_version_that_knows_no_notes_keeps_them() -> None:
    found = json.loads(TEXT)
    found["extra notes"], found["extra places"] = found.pop("notes"), found.pop("presentation")
    assert loads(dumps(loads(json.dumps(found)))).extra["extra notes"] == document().notes


@given(documents(), st.dictionaries(st.from_regex(r"[a-z][0-9]{0,3}", fullmatch=True), notes(), max_size=5))
def test_any_notes_come_back_and_the_text_is_always_the_same(made: Document, found: dict[str, Any]) -> None:
    made.notes = found
    text = dumps(made)
    again = loads(text, kinds=made.graph.registry)
    assert again.notes == found and dumps(again) == text


@pytest.mark.parametrize(
    ("note", "says"),
    [
        (3, "it is 3, and should be an object"),
        ({}, "it has no kind; give it one of 'comment', 'panel', 'image'"),
        ({"kind": ""}, "it has no kind"),
        ({"kind": "comment", "at": [0, 0]}, "a note of kind 'comment' needs 'text', a text"),
        ({"kind": "panel", "at": [0, 0]}, "needs 'size'"),
        ({"kind": "image", "at": [0, 0], "file": ""}, 'its file is "", and should be the name of a file'),
        ({"kind": "comment", "text": "a", "at": [0]}, "its at is [0], and should be a place, [x, y]"),
        ({"kind": "comment", "text": 1, "at": [0, 0]}, "its text is 1, and should be a text"),
        ({"kind": "panel", "at": [0, 0], "size": [0, 9]}, "a width and a height, [w, h], of 1 to 100000 points"),
        ({"kind": "comment", "text": "", "at": [0, 0], "points": 1000}, "a number from 4 to 400"),
        (
            {"kind": "comment", "text": "", "at": [0, 0], "colour": "pink"},
            "its colour is \"pink\", and should be 'cyan'",
        ),
        ({"kind": "comment", "text": "", "at": [0, 0], "present": True}, "its present is true"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_note_is_said_with_its_line_and_by_the_command(note: Any, says: str) -> None:
    data = {"nodegraph": 1, "nodes": {}, "notes": {"n1": note, "n2": {"kind": "comment", "text": "", "at": [1, 2]}}}
    with pytest.raises(PatchFileError) as caught:
        loads(json.dumps(data, indent=1), file="my.ng")
    (problem,) = caught.value.problems
    assert problem.code == "bad-note" and (problem.file, problem.line) == ("my.ng", 5)
    assert problem.what.startswith("The note 'n1': ") and says in problem.what
    if isinstance(note, dict):
        with pytest.raises(PatchError, match="The note 'n9': "):
            perform(document(), [AddNote("n9", note)])


def test_an_id_is_an_id_and_a_presented_place_a_place() -> None:
    with pytest.raises(PatchFileError, match="'no id'"):
        loads('{"nodegraph": 1, "notes": {"no id": {"kind": "comment", "text": "", "at": [0, 0]}}}')
    with pytest.raises(PatchFileError, match="'osc' in the presentation is 3") as caught:
        loads('{"nodegraph": 1,\n"presentation": {"osc": 3}}')
    assert caught.value.problems[0].line == 2
    with pytest.raises(PatchFileError, match='"notes" is a list'):
        loads('{"nodegraph": 1, "notes": []}')


COMMENT = {"kind": "comment", "text": "Hello", "at": [1, 2]}


@pytest.mark.parametrize(
    ("command", "says", "no_more"),
    [
        (AddNote("n3", COMMENT), '"n3": {"kind": "comment", "text": "Hello", "at": [1, 2]}', "nothing"),
        (RemoveNote("n2"), '"n10"', "Voices"),
        (RemoveNote("n11"), '"n10"', "sticker"),
        (SetNote("n1", {"text": "Then\nthis", "points": 30}), '"text": "Then\\nthis"', "first"),
        (SetNote("n1", {"colour": None, "size": [100, 50]}), '"size": [100, 50]', "cyan"),
        (SetNote("n2", {"shadow": 3}), '"shadow": 3', '"shadow": null'),
        (SetNote("n2", {"by": None, "at": [0, 0]}), '"shadow": null', "Ada"),
        (SetNote("n10", {"present": None}), "score.png", '"present"'),
        (SetNote("n11", {"colour": "cyan"}), '"colour": "cyan"', '"colour": null'),
        (SetNote("n11", {"at": [1, 2], "colour": None}), '"at": [1, 2]', '"colour": null'),
        (Present({"osc1": [7, 8], "out": [1.5, 2]}), '"out": [1.5, 2]', "[10, 20]"),
        (Present({"osc1": None}), '"ghost": [5, 5]', '"osc1": [10, 20]'),
        (Remove("osc1"), '"ghost": [5, 5]', '"osc1": [10, 20]'),
        (Add("ghost", "noise~"), '"ghost": {"kind": "noise~"}', '"ghost": [5, 5]'),
        (Rename("osc1", "lead"), '"lead": [10, 20]', "osc1"),
        (Rename("osc1", "ghost"), '"ghost": [10, 20]', "osc1"),
    ],
    ids=lambda item: item.do if isinstance(item, Command) else "",
)
def test_a_command_is_undone_to_the_byte(command: Command, says: str, no_more: str) -> None:
    between = here_and_back(document(), command)
    assert says in between and no_more not in between
    assert command.label()


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (AddNote("n1", COMMENT), "There is a note 'n1' already."),
        (RemoveNote("n12"), "There is no note 'n12'. Did you mean "),
        (SetNote("n1", {"points": -1}), "its points is -1"),
        (SetNote("n1", {"text": None}), "needs 'text'"),
        (Present({"osc1": 3}), "'osc1' cannot be presented at 3."),
        (Present({"nobody": [0, 0]}), "There is no node 'nobody'"),
        (Restore("osc1", {"kind": "noise~"}, present="here"), "'osc1' cannot be presented at \"here\"."),
        (Restore("new", {"kind": "noise~"}, present=(1, float("nan"))), "'new' cannot be presented at"),
    ],
    ids=lambda item: item.do if isinstance(item, Command) else "",
)
def test_what_cannot_be_done_is_said_and_leaves_everything(command: Command, says: str) -> None:
    made = document()
    with pytest.raises(PatchError) as caught:
        perform(made, [AddNote("n5", COMMENT), command])
    assert says in str(caught.value).replace("\n", " ")
    assert dumps(made) == TEXT


def test_a_new_node_does_not_get_the_places_that_stood_under_its_id() -> None:
    made = loads(TEXT.replace('"osc1": [30, 40]', '"ghost": [1, 1],\n    "osc1": [30, 40]'))
    perform(made, [Add("ghost", "noise~")])
    again = loads(dumps(made))
    assert again.place("ghost") is None and again.presented("ghost") is None
    perform(made, [Present({"ghost": [3, 4]}), Remove("ghost")])
    again = loads(dumps(made))
    assert again.strangers == {"ghost": [1, 1]} and again.unpresented == {"ghost": [5, 5]}


@pytest.mark.parametrize("seed", range(10))
def test_random_commands_undone_are_the_document_that_was(seed: int) -> None:
    made, chance = document(), random.Random(seed)
    history, texts = History(made), [TEXT]
    for _ in range(200):
        id, node = f"n{chance.randint(1, 6)}", chance.choice(["osc1", "out", "ghost"])
        values = {
            "text": chance.choice(["a", "b\nc"]), "at": [chance.randint(0, 9), 1.5], "points": chance.choice([9, None]),
            "colour": chance.choice([*COLOURS, None]), "odd": chance.choice([1, None, [2]]),
        }  # fmt: skip
        names = chance.sample(list(values), 2)
        do: Command = chance.choice([
            AddNote(id, {**COMMENT, "odd": 1}), RemoveNote(id), SetNote(id, {name: values[name] for name in names}),
            Present({node: chance.choice([None, [1, 2]])}), Remove(node), Add(node, "sine~"), Rename(node, "ghost"),
        ])  # fmt: skip
        try:
            history.do(do)
        except PatchError:
            assert dumps(made) == texts[-1]
            continue
        if len(history._done) == len(texts):
            texts.append(dumps(made))
    assert len(texts) > 50
    for text in texts[-2::-1]:
        assert history.undo() and dumps(made) == text
    for text in texts[1:]:
        assert history.redo() and dumps(made) == text


def test_a_drag_of_a_note_is_one_step() -> None:
    made = document()
    history = History(made)
    for x in range(20):
        history.do(SetNote("n1", {"at": [x, x]}), merge="drag")
    assert history.undo() == "Move n1" and dumps(made) == TEXT


def test_commands_come_from_data_with_words_for_what_is_wrong() -> None:
    (made,) = commands({"do": "add-note", "note": "n1", "entry": COMMENT})
    assert made == AddNote("n1", COMMENT) and not made.sounds
    with pytest.raises(PatchError, match="note is 3"):
        commands({"do": "remove-note", "note": 3})
    with pytest.raises(PatchError, match="entry is 3"):
        commands({"do": "add-note", "note": "n1", "entry": 3})


def test_every_legal_key_is_told_in_words() -> None:
    assert all(words for _, words in LEGAL.values())
    assert why_no_note("n1", {"kind": "whatever"}) is None and set(KINDS) == {"comment", "panel", "image"}
