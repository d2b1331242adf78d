"""What is typed into an object box: a kind, then its arguments, as a Max or Pd user writes them.

::

    svf~ 800 0.4                the arguments in their order
    sine~ freq=220              or by name
    play~ voice.flac loop=on    a word passes over those that only take numbers
    delay~ 250ms                numbers may have the argument's unit, or its thousandths
    sequence 60 62 64           the last argument takes what is left, when it is a list or a text
    message "two words"         quotes hold a text together, brackets a list

The arguments of a kind are, in this order, the settings from which it takes its ports, its control inlets, and its
other settings. `parse` reads a box, `hint` tells what may be typed next, `written` gives the text of a node that is
there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from nodegraph.core.errors import Problem
from nodegraph.core.hints import listed, quoted
from nodegraph.core.ports import Control, Setting
from nodegraph.core.problems import unknown_kind, unknown_parameter, value_problem
from nodegraph.core.registry import Registry
from nodegraph.core.spec import NodeSpec
from nodegraph.core.view import NodeEntry
from nodegraph.core.view import parameter as parameter_named
from nodegraph.editor.boxwords import Word, escaped, item_of, list_of, number, split, takes, value_of

Parameter = Control | Setting
_THOUSAND: Final = 1_000


@dataclass(frozen=True, slots=True)
class ObjectBox:
    """A box as it was read.

    `kind` is the node kind, whatever word of Max, Pd or SuperCollider was `typed` for it; None when there is none.
    `values` are the legal ones among the arguments, ready for `core.commands.Add`. `problems` say what is wrong with
    the others; the `column` of each is that of the faulty word in the text, from 1. `places` tells where the arguments
    stand, ``[start, end)`` by name.
    """

    typed: str
    kind: str | None
    values: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument as it is shown beside the box: its name, what is legal, its default, and what it is for.

    `text` is what is typed for it, empty when nothing is.
    """

    name: str
    legal: str
    default: Any
    help: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Hint:
    """The arguments of the kind that is typed, in their order, and which of them is being typed now.

    `active` counts in `arguments`; None while the kind itself is typed, when all arguments are given, and when the word
    at the cursor is the name of none.
    """

    kind: str
    arguments: tuple[Argument, ...]
    active: int | None = None


def parse(text: str, registry: Registry) -> ObjectBox:
    """Read an object box. Nothing is raised: what is wrong with it stands in `problems`."""
    words = split(text)
    if not words:
        what = "The box is empty."
        return ObjectBox("", None, {}, (Problem("empty-box", what, "Type a kind: sine~, metro, out~.", column=1),))
    typed = words[0].text
    spec = registry.get(typed)
    if spec is None:
        problem = replace(unknown_kind(typed, registry), column=words[0].start + 1, source=text)
        return ObjectBox(typed, None, {}, (problem,))
    reading = _read(text, spec, words[1:], registry)
    places = {name: (spot[0], spot[1]) for name, spot in reading.places.items()}
    kind = typed if registry.resolve(typed) == typed else spec.kind
    return ObjectBox(typed, kind, reading.values, tuple(reading.problems), places)


def hint(text: str, registry: Registry, at: int | None = None) -> Hint | None:
    """What may be typed into a box whose cursor stands at `at` (at its end without it); None without a known kind."""
    words = split(text)
    spec = registry.get(words[0].text) if words else None
    if spec is None:
        return None
    at = len(text) if at is None else max(0, min(at, len(text)))
    reading = _read(text, spec, words[1:], registry)
    arguments = tuple(
        Argument(item.name, item.legal(), item.default, item.help, text[slice(*reading.places.get(item.name, (0, 0)))])
        for item in reading.order
    )
    return Hint(spec.kind, arguments, _active(text, at, words, spec, reading, registry))


def _active(
    text: str, at: int, words: Sequence[Word], spec: NodeSpec, reading: _Reading, registry: Registry
) -> int | None:
    """Which argument is being typed."""
    if at <= words[0].end:
        return None
    names = [item.name for item in reading.order]
    for name, (start, end) in reading.places.items():
        if start <= at <= end:
            return names.index(name) if name in names else None
    if any(word.start <= at <= word.end for word in words):
        return None  # a word that is no argument's
    before = _read(text[:at], spec, [word for word in words[1:] if word.end < at], registry)
    after = [item.name for item in before.order[before.at :] if item.name not in before.places]
    if after:
        return names.index(after[0]) if after[0] in names else None
    return names.index(before.rest) if before.rest in names else None  # a list or a text goes on


def written(kind: str, values: Mapping[str, Any], registry: Registry) -> str:
    """The text of a box from which `parse` makes this kind with these values.

    Values stand in the order of the arguments as long as none is left out, and by name from there on.
    """
    spec = registry.shaped(kind, values)
    head = _said(kind) if kind else ""
    order = [item.name for item in _order(spec)] if spec else []
    names = [name for name in order if name in values]
    names += [name for name in values if name not in names]
    plain = 0
    while plain < len(names) and plain < len(order) and names[plain] == order[plain]:
        plain += 1
    for count in range(plain, -1, -1):  # the shortest text that says the same
        said = [_said(values[name]) for name in names[:count]]
        named = [f"{name}={_said(values[name])}" for name in names[count:]]
        texts = [" ".join([head, *said, *named])]
        if count:
            texts.insert(0, " ".join([head, *said[:-1], _bare(values[names[count - 1]]), *named]))
        for text in texts:
            if count == 0 or (spec is not None and _same(parse(text, registry), values)):
                return text
    return head


def _bare(value: Any) -> str:
    """A value as the last argument may be written: a text as it is, a list without its brackets."""
    if isinstance(value, list) and value:
        return " ".join(_said(item) for item in value)
    return value if isinstance(value, str) else _said(value)


def _same(box: ObjectBox, values: Mapping[str, Any]) -> bool:
    return not box.problems and _typed(box.values) == _typed(values)


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values that are equal only when their types are: 1 is not true."""
    return {name: (type(value), value) for name, value in values.items()}


def _said(value: Any) -> str:
    import json

    if isinstance(value, str):
        is_word = value != "" and value[0] not in '"[=' and not any(letter.isspace() for letter in value)
        looks_other = number(Word(0, 0, value)) is not None or value in ("true", "false")
        return value if is_word and not looks_other else escaped(value)
    return json.dumps(value, ensure_ascii=False)


def _order(spec: NodeSpec) -> tuple[Parameter, ...]:
    """The arguments of a kind in the order in which they are typed."""
    shapes = spec.cls.shapes
    first = [item for item in spec.settings if item.name in shapes]
    return (*first, *spec.controls, *(item for item in spec.settings if item.name not in shapes))


@dataclass
class _Reading:
    """Arguments on their way to values. `at` is how far the order is used up."""

    text: str
    spec: NodeSpec
    order: tuple[Parameter, ...]
    rest: str | None
    registry: Registry
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    at: int = 0


def _read(text: str, spec: NodeSpec, words: Sequence[Word], registry: Registry) -> _Reading:
    """The arguments of a box. A kind that takes its ports from its settings is read again as what they make of it."""
    order = _order(spec)
    rest = _open_ended(order)
    reading = _Reading(text, spec, order, rest, registry)
    _take_all(reading, words)
    if spec.cls.shapes:
        shaped = registry.shaped(spec.kind, reading.values) or spec
        if shaped is not spec:
            reading = _Reading(text, shaped, _order(shaped), rest, registry)
            _take_all(reading, words)
        for problem in registry.why_not_shaped(spec.kind, reading.values):
            name = problem.port or next((name for name in spec.cls.shapes if name in reading.places), "")
            _fault(reading, problem, reading.places.get(name, (len(text), len(text)))[0])
    return reading


def _open_ended(order: Sequence[Parameter]) -> str | None:
    """The argument that takes all words that are left: a text at the end, or a list after which only flags come."""
    kinds = [item.type if isinstance(item, Setting) else "control" for item in order]
    if kinds and kinds[-1] == "text":
        return order[-1].name
    while kinds and kinds[-1] == "flag":
        kinds.pop()
    return order[len(kinds) - 1].name if kinds and kinds[-1] == "list" else None


def _take_all(reading: _Reading, words: Sequence[Word]) -> None:
    left = list(words)
    while left:
        word = left.pop(0)
        if word.name is not None and (parameter_named(reading.spec, word.name) or not _flat_is_text(reading)):
            _take_named(reading, word)
            continue
        word = word.flat(reading.text)
        target = _target(reading, word)
        if target is None:
            _take_none(reading, word)
        elif target.name == reading.rest:
            _take_rest(reading, target, word, left)
        else:
            reading.at = max(reading.at, reading.order.index(target) + 1)
            _take(reading, target, word, value_of(target, word))


def _flat_is_text(reading: _Reading) -> bool:
    """Whether a word with an ``=`` may be a part of a text: the next argument is one that takes all that is left."""
    free = _free(reading)
    return bool(free) and free[0].name == reading.rest and isinstance(free[0], Setting) and free[0].type == "text"


def _free(reading: _Reading) -> list[Parameter]:
    return [item for item in reading.order[reading.at :] if item.name not in reading.places]


def _target(reading: _Reading, word: Word) -> Parameter | None:
    """For which argument a word is: the next that takes such a word, or one that was passed over before."""
    passed = [item for item in reading.order[: reading.at] if item.name not in reading.places]
    every = (*_free(reading), *passed)
    for item in every:
        if takes(item, word) or (item.name == reading.rest and word.form != "list"):
            return item
    texts = (item for item in every if isinstance(item, Setting) and item.type in ("text", "file"))
    return next(texts, None)


def _take_named(reading: _Reading, word: Word) -> None:
    name = word.name or ""
    target = parameter_named(reading.spec, name)
    if target is None:
        _fault(reading, unknown_parameter(NodeEntry("", reading.spec.kind, spec=reading.spec), name), word.start)
    else:
        _take(reading, target, word, value_of(target, word))


def _take(reading: _Reading, target: Parameter, word: Word, value: Any, end: int | None = None) -> None:
    """Give an argument its value, or say why it cannot be."""
    name = target.name
    if name in reading.places:
        first = reading.text[slice(*reading.places[name])]
        what = f"{name} is given twice: {quoted(first)} and {quoted(reading.text[word.start : word.end])}."
        _fault(reading, Problem("given-twice", what, "Take one of them out.", port=name), word.start)
        return
    reading.places[name] = (word.start, word.end if end is None else end)
    if word.open:
        thing = "text" if word.open == '"' else "list"
        what = f"The {thing} that is {name} does not end."
        _fault(reading, Problem("open-word", what, f"Put a {word.open} at its end.", port=name), word.start)
        return
    problem = value_problem(NodeEntry("", reading.spec.kind, spec=reading.spec), name, value)
    if problem is None:
        reading.values[name] = value
        return
    if problem.code == "out-of-span" and isinstance(target, Control) and _is_milliseconds(target, value):
        problem = replace(problem, do=f"{problem.do} For milliseconds write {value:g}ms.")
    _fault(reading, problem, word.start)


def _is_milliseconds(control: Control, value: float) -> bool:
    """Whether a time was meant as Max and Pd count it."""
    return control.unit == "s" and control.span[0] <= value / _THOUSAND <= control.span[1]


def _take_none(reading: _Reading, word: Word) -> None:
    """A word that is for no argument: say what would be legal where it stands."""
    free = _free(reading)
    if free:
        reading.at = reading.order.index(free[0]) + 1
        _take(reading, free[0], word, value_of(free[0], word))
        return
    names = [item.name for item in reading.order]
    kind = reading.spec.kind
    do = f"It takes {listed(names)}." if names else "It takes none."
    what = f"{quoted(word.text)} is one argument too many for '{kind}'."
    _fault(reading, Problem("too-many-arguments", what, do), word.start)


def _take_rest(reading: _Reading, target: Parameter, word: Word, left: list[Word]) -> None:
    """The last argument takes what is left, up to arguments that have a name."""
    reading.at = len(reading.order)
    assert isinstance(target, Setting)  # only a setting is open-ended
    if target.type == "list":
        words = [word]
        while left and (left[0].name is None or parameter_named(reading.spec, left[0].name) is None):
            words.append(left.pop(0).flat(reading.text))
        if word.form == "list" and len(words) == 1:
            value = list_of(word)
            _take(reading, target, word, word.text if value is None else value)
        else:
            faulty = next((item for item in words if item.open), word)
            value = [item_of(item) for item in words]
            _take(reading, target, replace(word, open=faulty.open), value, words[-1].end)
        return
    count = _words_of_text(reading, target, word, left)
    end = left[count - 1].end if count else word.end
    del left[:count]
    if count:  # as it was typed, quotes and all
        _take(reading, target, replace(word, open=""), reading.text[word.start : end], end)
    else:
        _take(reading, target, word, value_of(target, word))


def _words_of_text(reading: _Reading, target: Setting, word: Word, left: Sequence[Word]) -> int:
    """How many of the words that follow belong to the text, too. A tail of words with names does not: the names may be
    those of ports that the text makes (``expr~ x1 * drive drive=3``)."""
    count = len(left)
    while count and left[count - 1].name is not None:
        count -= 1
    for first in range(count, len(left)):
        end = left[first - 1].end if first else word.end
        said = word.text if first == 0 and word.form == "quoted" else reading.text[word.start : end]
        spec = reading.registry.shaped(reading.spec.kind, {**reading.values, target.name: said})
        if spec is not None and all(parameter_named(spec, item.name or "") for item in left[first:]):
            return first
    return len(left)


def _fault(reading: _Reading, problem: Problem, start: int) -> None:
    reading.problems.append(replace(problem, node=None, column=start + 1, source=reading.text))
