"""Commands: each undoes exactly, is data, and says what is wrong; history takes steps back and does them again."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from nodegraph.core.commands import (
    KINDS,
    Add,
    Command,
    Connect,
    Describe,
    Disconnect,
    Move,
    Remove,
    Rename,
    Replace,
    Restore,
    Set,
    commands,
    perform,
)
from nodegraph.core.document import Document
from nodegraph.core.errors import PatchError
from nodegraph.core.history import History
from nodegraph.core.patchfile import dumps, loads

TEXT = """{
  "nodegraph": 1,
  "title": "Two voices",
  "stranger": {"kept": true},
  "nodes": {
    "bend": {"kind": "expr~", "code": "tanh(drive * x1)", "drive": 3, "shade": "pink"},
    "cut": {"kind": "svf~", "cutoff": 800},
    "loud": {"kind": "gain~", "gain": 99},
    "osc1": {"kind": "sine~", "freq": 110},
    "osc2": {"kind": "saw~", "freq": 220},
    "out": {"kind": "out~"},
    "p": {"kind": "pack~"},
    "who": {"kind": "nobody~", "what": [1, 2, {"three": 3}]}
  },
  "cables": [
    "bend.y -> out.x",
    "cut.low -> bend.drive",
    "cut.low -> bend.x1",
    "osc1.y -> p.x1",
    "osc2.y -> cut.x",
    "p.y -> out.x",
    "who.y -> out.x"
  ],
  "view": {
    "cut": [10, 20],
    "ghost": [1, 1],
    "osc1": [30, 40]
  }
}
"""


def document() -> Document:
    return loads(TEXT)


def here_and_back(made: Document, *done: Command) -> str:
    """Do commands as data, undo them, do them again, undo them again; returns what the document was in between."""
    before = dumps(made)
    read = commands(json.loads(json.dumps([command.as_data() for command in done])))
    assert [command.as_data() for command in read] == [command.as_data() for command in done]
    undo = perform(made, read)
    between = dumps(made)
    again = perform(made, commands(json.loads(json.dumps([command.as_data() for command in undo]))))
    assert dumps(made) == before
    undo = perform(made, again)
    assert dumps(made) == between
    perform(made, undo)
    assert dumps(made) == before
    return between


@pytest.mark.parametrize(
    ("command", "says", "no_more"),
    [
        (Add("n", "noise~"), '"n": {"kind": "noise~"}', "nothing"),
        (Add("n", "cycle~", {"freq": 5}, (3, 4)), '"n": {"kind": "sine~", "freq": 5}', "nothing"),
        (Add("ghost", "noise~", at=(7, 8)), '"ghost": [7, 8]', '"ghost": [1, 1]'),
        (Add("ghost", "noise~"), '"ghost": {"kind": "noise~"}', "nothing"),
        (Remove("cut"), '"out"', "cut"),
        (Remove("who"), '"out"', "nobody~"),
        (Remove("bend"), '"out"', "tanh"),
        (Connect("osc1.y -> out.x"), "osc1.y -> out.x", "nothing"),
        (Disconnect("osc2.y -> cut.x"), '"out"', "osc2.y -> cut.x"),
        (Disconnect("who.y -> out.x"), '"out"', "who.y -> out.x"),
        (Set("cut", {"cutoff": 900, "resonance": 0.5}), '"cutoff": 900, "resonance": 0.5', "800"),
        (Set("cut", {"cutoff": None}), '"cut": {"kind": "svf~"}', "800"),
        (Set("loud", {"gain": 0.5}), '"gain": 0.5', "99"),
        (Set("bend", {"code": "x1 * fold", "fold": 2}), "fold", "cut.low -> bend.drive"),
        (Rename("cut", "filter"), '"filter": [10, 20]', '"cut"'),
        (Rename("bend", "ghost"), "ghost.y -> out.x", "bend"),
        (Replace("osc1", "saw~"), '"osc1": {"kind": "saw~", "freq": 110}', "sine~"),
        (Replace("cut", "onepole~"), "onepole~", "cut.low"),
        (Move({"cut": [1.5, 2], "out": [0, 0]}), '"cut": [1.5, 2]', "[10, 20]"),
        (Move({"cut": None}), '"osc1"', "[10, 20]"),
        (Describe(title="One voice"), "One voice", "Two voices"),
        (Describe(about="Listen."), "Listen.", "nothing"),
        (Restore("osc1", {"kind": "noise~", "odd": 1}, ("osc1.y -> cut.x",), [1, 1]), '"odd": 1', "osc1.y -> p.x1"),
    ],
    ids=lambda item: item.do if isinstance(item, Command) else "",
)
def test_a_command_is_undone_to_the_byte(command: Command, says: str, no_more: str) -> None:
    between = here_and_back(document(), command)
    assert says in between and no_more not in between
    assert command.label()


def test_every_kind_of_command_is_tried_here() -> None:
    assert set(KINDS) == {
        "add", "remove", "connect", "disconnect", "set", "rename", "replace", "move", "describe", "restore",
        "store-preset", "remove-preset", "rename-preset", "show",  # in test_presets.py and test_view.py
        "add-note", "remove-note", "set-note", "present",  # in test_notes.py
    }  # fmt: skip


def test_commands_are_done_all_or_none() -> None:
    made = document()
    before = dumps(made)
    with pytest.raises(PatchError, match="There is no node 'nobody'"):
        perform(made, [Remove("cut"), Rename("osc1", "a"), Move({"a": [0, 0]}), Set("nobody", {"freq": 1})])
    assert dumps(made) == before
    with pytest.raises(PatchError):
        perform(made, [Set("cut", {"cutoff": 900, "resonance": 99})])
    assert dumps(made) == before


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (3, "These are no commands: 3."),
        ([{"do": "ad", "node": "a"}], "Did you mean 'add'?"),
        ([{"node": "a"}], "Command 1 does not say what to do"),
        ([{"do": "remove", "node": "a"}, {"do": "add", "node": "a"}], "Command 2, 'add', lacks 'kind'."),
        ([{"do": "remove", "node": "a", "nod": "b"}], "'remove', has no 'nod'. Did you mean 'node'?"),
        ([{"do": "set", "node": "a", "values": [1]}], "values is [1]. It should be an object."),
        ([{"do": "restore", "node": "a", "entry": {}, "cables": "a"}], "It should be a list of texts."),
        ([{"do": "add", "node": "a", "kind": "sine~", "at": 3}], "It should be a place, [x, y]."),
    ],
)
def test_what_is_no_command_is_refused_in_words(data: Any, says: str) -> None:
    with pytest.raises(PatchError) as caught:
        commands(data)
    assert says in str(caught.value).replace("\n", " ")
    assert caught.value.problems[0].code == "bad-command"


def test_a_restore_that_cannot_be_leaves_everything() -> None:
    made = document()
    before = dumps(made)
    for command in (
        Restore("osc1", {"kind": "sine~"}, ("osc1.y -> gone.x",)),
        Restore("osc1", {"kind": "sine~"}, ("osc2.y -> cut.x",)),
        Restore("no id", {"kind": "sine~"}),
        Restore("osc1", {}),
        Restore("osc1", {"kind": 3}),
    ):
        with pytest.raises(PatchError):
            perform(made, [command])
        assert dumps(made) == before


# -- random commands


def some_command(random: random.Random, made: Document) -> Command:
    nodes = list(made.graph.nodes)
    one, other = random.choice(nodes), random.choice(nodes)
    kinds = ["sine~", "saw~", "svf~", "gain~", "noise~", "expr~", "pack~", "number", "metro"]
    values: list[dict[str, Any]] = [{"freq": random.randint(1, 999)}, {"cutoff": 700.5}, {"gain": None}]
    values += [{"code": random.choice(["x1", "x1 * x2", "a * x1 + b", "y[-1]"])}, {"inlets": random.randint(1, 4)}]
    cables = [str(cable) for cable in made.graph.cables] or ["a.y -> b.x"]
    ports = [f"{one}.{o} -> {other}.{i}" for o in ("y", "low", "bang") for i in ("x", "x1", "freq", "cutoff", "gain")]
    choices: list[Callable[[], Command]] = [
        lambda: Add(f"n{random.randint(0, 20)}", random.choice(kinds), {}, random.choice([None, (1.0, 2.0)])),
        lambda: Remove(one),
        lambda: Connect(random.choice(ports)),
        lambda: Connect(random.choice(ports)),
        lambda: Disconnect(random.choice(cables)),
        lambda: Set(one, random.choice(values)),
        lambda: Set(one, random.choice(values)),
        lambda: Rename(one, random.choice([other, f"m{random.randint(0, 9)}", "ghost"])),
        lambda: Replace(one, random.choice(kinds)),
        lambda: Move({one: [random.random(), 0], other: random.choice([None, [3, 4]])}),
        lambda: Describe(title=str(random.random())),
    ]
    return random.choice(choices)()


@pytest.mark.parametrize("seed", range(20))
def test_random_commands_undone_are_the_document_that_was(seed: int) -> None:
    made = document()
    history = History(made)
    chance = random.Random(seed)
    texts = [dumps(made)]
    while len(texts) < 150:
        try:
            history.do(*(some_command(chance, made) for _ in range(chance.choice([1, 1, 3]))))
        except PatchError:
            assert dumps(made) == texts[-1]
            continue
        if dumps(made) != texts[-1] or history.undo_label is None:
            texts.append(dumps(made))
        elif len(history._done) >= len(texts):
            texts.append(dumps(made))  # a step that ends where it began is a step, too
        if not len(made.graph):
            break
    for text in texts[-2::-1]:
        assert history.undo()
        assert dumps(made) == text
    assert history.undo() is None
    for text in texts[1:]:
        assert history.redo()
        assert dumps(made) == text
    assert history.redo() is None


# -- history


def test_a_drag_is_one_step_and_other_steps_are_not() -> None:
    made = document()
    history = History(made)
    for x in range(50):
        history.do(Move({"cut": [x, x]}), merge="drag 1")
    for freq in range(100, 150):
        history.do(Set("osc1", {"freq": freq}), Set("osc2", {"freq": 2 * freq}), merge="knob 1")
    history.do(Set("osc1", {"freq": 50}))
    assert [step.label for step in history._done] == ["Move cut", "Set osc1.freq", "Set osc1.freq"]
    assert history.undo() == "Set osc1.freq" and made.graph.value("osc1", "freq") == 149
    assert history.undo() == "Set osc1.freq" and made.graph.value("osc2", "freq") == 220
    assert history.undo() == "Move cut" and dumps(made) == TEXT
    assert [history.redo(), history.redo(), history.redo(), history.redo()] == [
        "Move cut", "Set osc1.freq", "Set osc1.freq", None,
    ]  # fmt: skip
    assert made.graph.value("osc1", "freq") == 50 and made.graph.value("osc2", "freq") == 298
    history.undo()
    history.do(Remove("who"))
    assert history.redo_label is None and history.undo_label == "Remove who"


def test_it_knows_whether_the_document_is_saved() -> None:
    made = document()
    history = History(made)
    assert not history.changed
    history.do(Remove("who"))
    assert history.changed
    history.saved()
    history.do(Remove("cut"))
    assert history.changed
    history.undo()
    assert not history.changed
    history.undo()
    assert history.changed
    history.redo()
    assert not history.changed


def test_the_oldest_steps_are_forgotten() -> None:
    made = document()
    history = History(made, most=3)
    for title in "abcde":
        history.do(Describe(title=title))
    while history.undo():
        pass
    assert made.title == "b"


def test_what_changes_nothing_is_no_step() -> None:
    history = History(document())
    history.do(Connect("osc2.y -> cut.x"))
    history.do(Rename("cut", "cut"))
    assert history.undo_label is None
