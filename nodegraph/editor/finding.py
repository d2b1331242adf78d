"""The object box: which kinds a few typed letters may mean, and what a cable that hangs in the void can be joined to.

`complete` lists kinds, likeliest first; what is typed after the kind is read by `nodegraph.editor.boxtext`, whose
`parse` and `hint` are found here too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Literal, NamedTuple
from weakref import WeakKeyDictionary

from nodegraph.core.cable import natural
from nodegraph.core.hints import close
from nodegraph.core.ports import Control, Inlet, Outlet
from nodegraph.core.registry import Registry
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.editor.boxtext import Argument, Hint, ObjectBox, hint, parse, written

Why = Literal["kind", "alias", "description"]
Spans = tuple[tuple[int, int], ...]
LONGEST: Final = 64
"""No name is longer, nearly; it parts whole words from beginnings of words among the ranks."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One kind that the typed text may mean.

    `why` says where the text was found, `matched` is the text that it was found in (the kind, one of its aliases, or a
    line of its help), and `spans` are the places in `matched` to draw bright, ``[start, end)``; there are none where
    nothing was typed, or where a name is only spelt nearly so. `description` is one line about the kind. `port` is the
    inlet or outlet that the hanging cable would be joined to, when there is such a cable.
    """

    kind: str
    why: Why
    matched: str
    spans: Spans
    description: str
    role: Role
    family: str
    port: str | None = None


class _Tier(IntEnum):
    """How a text was found: the smaller, the likelier it is meant."""

    KIND = 0
    ALIAS = 1
    ALMOST_KIND = 2  # but for capitals and the tilde
    ALMOST_ALIAS = 3
    KIND_BEGINS = 4
    ALIAS_BEGINS = 5
    KIND_WORD_BEGINS = 6
    ALIAS_WORD_BEGINS = 7
    KIND_LETTERS = 8
    ALIAS_LETTERS = 9
    SUMMARY = 10
    HELP = 11


class _Hit(NamedTuple):
    """Where one word was found. `rank` is smaller where it fits better within its tier."""

    tier: int
    rank: int
    why: Why
    text: str
    spans: Spans


class _Name:
    """A kind or alias, made ready for being searched.

    `folded` is in small letters, `bare` without the tilde, too; `letters` are those that are in it, and `starts` the
    places where its words begin.
    """

    __slots__ = ("bare", "folded", "letters", "starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = _folded(text)
        self.bare = self.folded.rstrip("~") or self.folded
        self.letters = frozenset(self.folded)
        self.starts = tuple(at for at in range(len(text)) if _begins_word(text, at))


class _Entry:
    """What is searched of one kind.

    `help` has small letters, a space for every other sign, and one before and after it all: " tag" is a word that
    begins so. It has no hyphens: "lowpass" finds "Low-pass"; `hyphens` are the places in it where they were.
    """

    __slots__ = ("aliases", "help", "hyphens", "kind", "summary_end")

    def __init__(self, spec: NodeSpec) -> None:
        self.kind = _Name(spec.kind)
        self.aliases = tuple(_Name(alias) for alias in spec.aliases)
        self.help = f" {_spaced(spec.help)} "
        hyphens = (at for at, letter in enumerate(spec.help) if letter == "-")
        self.hyphens = [at - before for before, at in enumerate(hyphens)]
        self.summary_end = len(_spaced(spec.summary)) + 2


_entries: WeakKeyDictionary[NodeSpec, _Entry] = WeakKeyDictionary()


def complete(text: str, registry: Registry, limit: int = 12, fits: Inlet | Outlet | None = None) -> list[Completion]:
    """The kinds that `text` may mean, likeliest first, at most `limit`.

    Found in kinds, aliases (the words of Max, Pd and SuperCollider) and helps; of several words each must be found.
    The order: the kind itself, an alias, what begins so, what has a word that begins so, what has these letters in
    this order, and where the help says the word. Kinds that fit equally well stand in natural order. Without any text
    every kind fits. Where nothing is found, kinds that are spelt nearly so are given.

    `fits` is the outlet or inlet of a node from which a cable hangs: then only kinds with a port that can be joined to
    it are given, each with that port; those whose port is no parameter come first among equals.
    """
    words = text.split()
    found: list[tuple[tuple[Any, ...], NodeSpec, _Hit, Inlet | Outlet | None]] = []
    for spec in _candidates(words, registry):
        port = port_for(spec, fits) if fits is not None else None
        if fits is not None and port is None:
            continue
        hit = _find(spec, words, registry)
        if hit is not None:
            key = (hit.tier, hit.rank, isinstance(port, Control), natural(spec.kind))
            found.append((key, spec, hit, port))
    limit = max(0, limit)
    if words and not found:
        return _spelt_nearly(text.strip(), registry, fits)[:limit]
    found.sort(key=lambda item: item[0])
    return [_completion(spec, hit, port) for _, spec, hit, port in found[:limit]]


def fit(text: str, words: Iterable[str]) -> tuple[int, int] | None:
    """How well words fit a text that is no kind, such as the name of an action: the smaller the better, None where one
    of them is not found. They are found as those of `complete` are: at its beginning, where a word of it begins, or as
    letters in this order.
    """
    name = _Name(text)
    tier = rank = 0
    for word in words:
        typed = _folded(word)
        found = _match(name, typed, word) if frozenset(typed) - {"~"} <= name.letters else None
        if found is None:
            return None
        tier, rank = max(tier, found[0]), rank + found[1]
    return tier, rank


def port_for(spec: NodeSpec, hangs: Inlet | Outlet) -> Inlet | Outlet | None:
    """The port of a new node of this kind to which the other end of a cable would be joined that hangs from `hangs`.

    It is the first inlet that takes what comes from there, or the first outlet that gives what is taken there; None
    when the kind has none.
    """
    if isinstance(hangs, Outlet):
        return next((inlet for inlet in spec.inlets if hangs.kind in inlet.takes), None)
    return next((outlet for outlet in spec.outlets if outlet.kind in hangs.takes), None)


def _candidates(words: list[str], registry: Registry) -> Iterator[NodeSpec]:
    """The registry's kinds, and the file that is typed as one."""
    yield from registry
    typed = registry.get(words[0]) if words else None
    if typed is not None and all(spec is not typed for spec in registry):
        yield typed


def _completion(spec: NodeSpec, hit: _Hit, port: Inlet | Outlet | None) -> Completion:
    name = port.name if port else None
    return Completion(spec.kind, hit.why, hit.text, hit.spans, spec.summary, spec.role, spec.family, name)


def _spelt_nearly(word: str, registry: Registry, fits: Inlet | Outlet | None) -> list[Completion]:
    names = {name: spec for spec in registry for name in (*spec.aliases, spec.kind)}
    found: dict[str, Completion] = {}
    for name in close(word, names, most=5):
        spec = registry.get(name) or names[name]
        port = port_for(spec, fits) if fits is not None else None
        if fits is None or port is not None:
            hit = _Hit(0, 0, "kind" if name == spec.kind else "alias", name, ())
            found.setdefault(spec.kind, _completion(spec, hit, port))
    return list(found.values())


def _find(spec: NodeSpec, words: list[str], registry: Registry) -> _Hit | None:
    """Where all the words are found in a kind; None when one of them is not."""
    if not words:
        return _Hit(_Tier.KIND, 0, "kind", spec.kind, ())
    first = words[0]
    if first == spec.kind or registry.resolve(first) == spec.kind:  # what stands after it are its arguments
        whole = ((0, len(first)),)
        if first == spec.kind:
            return _Hit(_Tier.KIND, 0, "kind", first, whole)
        return _Hit(_Tier.ALIAS, 0, "alias", first, whole)
    entry = _entries.get(spec)
    if entry is None:
        entry = _entries[spec] = _Entry(spec)
    hits = []
    for word in words:
        hit = _find_name(entry, word) or _find_said(spec, entry, word)
        if hit is None:
            break
        hits.append(hit)
    found = _joined(hits) if len(hits) == len(words) else None
    if len(words) > 1:
        joined = "".join(words)  # "midi in" is midiin, "low pass" is low-pass
        together = _find_name(entry, joined)
        if together is None or together.tier >= _Tier.KIND_LETTERS:
            together = _find_said(spec, entry, joined)
        if together is not None:
            found = together if found is None else min(found, together)
    return found


def _joined(hits: list[_Hit]) -> _Hit:
    """The hits of several words as one: as good as the worst of them, shown where the best was found."""
    best, worst = min(hits), max(hits)
    spans: list[tuple[int, int]] = []
    for start, end in sorted({span for hit in hits if hit.text == best.text for span in hit.spans}):
        if spans and start <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((start, end))
    return best._replace(tier=worst.tier, rank=worst.rank, spans=tuple(spans))


def _find_name(entry: _Entry, word: str) -> _Hit | None:
    """The best place of a word in the kind and its aliases."""
    typed = _folded(word)
    letters = frozenset(typed) - {"~"}
    best: _Hit | None = None
    for name in (entry.kind, *entry.aliases):
        found = _match(name, typed, word) if letters <= name.letters else None
        if found is not None:
            tier, rank, spans = found
            is_alias = name is not entry.kind
            hit = _Hit(tier + is_alias, rank, "alias" if is_alias else "kind", name.text, spans)
            if best is None or hit < best:
                best = hit
    return best


def _match(name: _Name, typed: str, word: str) -> tuple[int, int, Spans] | None:
    """How a word fits a name: the tier that a kind has for it, the rank, and the places."""
    size = len(typed)
    if name.bare == (typed.rstrip("~") or typed):
        same = name.text.rstrip("~") == word.rstrip("~")
        return _Tier.ALMOST_KIND, not same, ((0, min(size, len(name.text))),)
    if name.folded.startswith(typed):
        return _Tier.KIND_BEGINS, len(name.text) - size, ((0, size),)
    for start in name.starts:
        if name.folded.startswith(typed, start):
            end = start + size
            is_whole = end in name.starts or not name.folded[end : end + 1].isalnum()
            return _Tier.KIND_WORD_BEGINS, len(name.text) + LONGEST * (not is_whole), ((start, end),)
    found = _letters(name, typed)
    return None if found is None else (_Tier.KIND_LETTERS, found[-1] - found[0], _runs(found))


def _letters(name: _Name, typed: str) -> list[int] | None:
    """Where the letters stand in the name in their order, from the beginning of a word and close together."""
    if len(typed) < 2:
        return None
    inside = name.folded.find(typed) if len(typed) > 2 else -1
    if inside >= 0:
        return list(range(inside, inside + len(typed)))
    best: list[int] | None = None
    for start in name.starts:
        at = start - 1
        places: list[int] = []
        for letter in typed:
            at = name.folded.find(letter, at + 1)
            if at < 0 or (not places and at != start):
                break
            places.append(at)
        is_close = len(places) == len(typed) and places[-1] - start < 2 * len(typed)
        if is_close and (best is None or places[-1] - start < best[-1] - best[0]):
            best = places
    return best


def _runs(places: Iterable[int]) -> Spans:
    """Single places as spans: 1, 2, 5 are [1, 3) and [5, 6)."""
    spans: list[tuple[int, int]] = []
    for at in places:
        if spans and spans[-1][1] == at:
            spans[-1] = spans[-1][0], at + 1
        else:
            spans.append((at, at + 1))
    return tuple(spans)


def _find_said(spec: NodeSpec, entry: _Entry, word: str) -> _Hit | None:
    """Where the help or the family says a word, or one that begins so; "tag" is not found in "stage"."""
    typed = _spaced(word).strip()
    if len(typed) < 2:
        return None
    for end, tier in ((entry.summary_end, _Tier.SUMMARY), (len(entry.help), _Tier.HELP)):
        for pattern, is_part in ((f" {typed} ", False), (f" {typed}", True)):
            start = entry.help.find(pattern, 0, end)
            if start >= 0:
                rank = 2 * is_part + (start > 0)
                return _Hit(tier, rank, "description", *_line(spec.help, entry, start, start + len(typed)))
        if tier is _Tier.SUMMARY and (hit := _find_family(spec, typed)) is not None:
            return hit
    return None


def _find_family(spec: NodeSpec, typed: str) -> _Hit | None:
    family = _folded(spec.family)
    if typed not in family:
        return None
    for start in (at for at in range(len(family)) if _begins_word(family, at)):
        if family.startswith(typed, start):
            return _Hit(_Tier.SUMMARY, 4, "description", spec.family, ((start, start + len(typed)),))
    return None


def _line(text: str, entry: _Entry, start: int, end: int) -> tuple[str, Spans]:
    """The line of a help in which something stands, and where; it was found at [start, end) without hyphens."""
    start, end = start + bisect_right(entry.hyphens, start), end + bisect_right(entry.hyphens, end - 1)
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    line = text[first:] if last < 0 else text[first:last]
    cut = first + len(line) - len(line.lstrip())
    return line.strip(), ((start - cut, end - cut),)


def _begins_word(text: str, at: int) -> bool:
    """Whether a word of a name begins there: ``Play|Buf``, ``ast.|tag~``, ``delread|4~``."""
    if at == 0:
        return True
    before, letter = text[at - 1], text[at]
    if not letter.isalnum():
        return False
    return (
        not before.isalnum()
        or (before.islower() and letter.isupper())
        or before.isdigit() != letter.isdigit()
    )  # fmt: skip


def _folded(text: str) -> str:
    """In small letters, each at its place."""
    folded = text.casefold()
    if len(folded) == len(text):
        return folded
    return "".join(letter if len(small := letter.casefold()) != 1 else small for letter in text)


def _spaced(text: str) -> str:
    """In small letters, without hyphens, a space for every other sign."""
    return "".join(letter if letter.isalnum() else " " for letter in _folded(text).replace("-", ""))


__all__ = ["Argument", "Completion", "Hint", "ObjectBox", "complete", "fit", "hint", "parse", "port_for", "written"]
