"""Texts as the numbers that language models read, made by the ``tokenizer.json`` that is published with a model.

Two kinds, which most encoders use: byte pairs (GPT-2, RoBERTa) and word pieces (BERT). Special words such as ``<s>``
are plain text when somebody writes them.

Source: R. Sennrich and others, "Neural Machine Translation of Rare Words with Subword Units", ACL 2016; A. Radford and
others, "Language Models are Unsupervised Multitask Learners", 2019, section 2.2; J. Devlin and others, "BERT", 2019.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Protocol

LONGEST_WORD: Final = 100
SHORT_ENDS: Final = re.compile(r"'(?:[stmd]|re|ve|ll)")
SORTS: Final = re.compile(r" ?L+| ?N+| ?O+|[ S]+(?![^ S])|[ S]+")
"""Of a text whose characters stand for what they are: letters, numbers, white space, others. A space belongs to what
follows it."""


class Tokenizer(Protocol):
    """`ids`: the numbers of a text with those that begin and end it, `longest` at most."""

    def ids(self, text: str, longest: int) -> list[int]: ...


def read_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer that a ``tokenizer.json`` describes. Raises ValueError when it is of another kind."""
    data = json.loads(path.read_text(encoding="utf-8"))
    model = data.get("model", {}) if isinstance(data, dict) else {}
    kind = model.get("type") or ("BPE" if "merges" in model else "")
    if kind == "BPE" and _names(data.get("pre_tokenizer")) == {"ByteLevel"}:
        return BytePairs(model["vocab"], [_pair(item) for item in model["merges"]], *_ends(data, "<s>", "</s>"))
    if kind == "WordPiece":
        lower = bool((data.get("normalizer") or {}).get("lowercase", True))
        return WordPieces(model["vocab"], lower, *_ends(data, "[CLS]", "[SEP]"))
    raise ValueError(f"{path.name} describes a tokenizer of kind '{kind or 'unknown'}', which is not read here")


def _names(part: Any) -> set[str]:
    """The kinds of a part of a tokenizer, which may be a row of several."""
    if not isinstance(part, Mapping):
        return set()
    row = part.get("pretokenizers") or [part]
    return {str(item.get("type")) for item in row}


def _pair(item: str | list[str]) -> tuple[str, str]:
    first, second = item.split(" ") if isinstance(item, str) else item
    return first, second


def _ends(data: Mapping[str, Any], begin: str, end: str) -> tuple[int, int]:
    """The numbers that begin and end a text."""
    vocabulary: Mapping[str, int] = data["model"]["vocab"]
    added = {str(item["content"]): int(item["id"]) for item in data.get("added_tokens") or []}
    found = {**vocabulary, **added}
    return found[begin], found[end]


class BytePairs:
    """Byte pairs: words as bytes, of which pairs are joined in the order in which they were learned."""

    def __init__(self, vocabulary: Mapping[str, int], merges: list[tuple[str, str]], begin: int, end: int) -> None:
        self._vocabulary, self._begin, self._end = vocabulary, begin, end
        self._rank = {pair: rank for rank, pair in enumerate(merges)}
        self._joined: Callable[[str], tuple[int, ...]] = lru_cache(maxsize=4_096)(self._join)

    def ids(self, text: str, longest: int) -> list[int]:
        found: list[int] = []
        for word in pieces(text):
            found += self._joined("".join(SIGNS[byte] for byte in word.encode("utf-8", "replace")))
            if len(found) > longest - 2:
                break
        return [self._begin, *found[: longest - 2], self._end]

    def _join(self, word: str) -> tuple[int, ...]:
        parts = list(word)
        while len(parts) > 1:
            ranks = [self._rank.get(pair, len(self._rank)) for pair in pairwise(parts)]
            best = min(ranks)
            if best == len(self._rank):
                break
            at, joined = 0, []
            while at < len(parts):
                if at < len(ranks) and ranks[at] == best:
                    joined.append(parts[at] + parts[at + 1])
                    at += 2
                else:
                    joined.append(parts[at])
                    at += 1
            parts = joined
        return tuple(self._vocabulary[part] for part in parts if part in self._vocabulary)


def pieces(text: str) -> Iterator[str]:
    """A text cut into words with the space before them, numbers, signs, and the English short ends ('s, 've)."""
    sorts, at = "".join(_sort(sign) for sign in text), 0
    while at < len(text):
        found = SHORT_ENDS.match(text, at) or SORTS.match(sorts, at)
        assert found is not None
        yield text[at : found.end()]
        at = found.end()


def _sort(sign: str) -> str:
    if sign == " ":
        return " "
    if sign.isspace() and not "\x1c" <= sign <= "\x1f":
        return "S"
    kind = unicodedata.category(sign)[0]
    return kind if kind in "LN" else "O"


def _signs() -> list[str]:
    """A printable sign for each byte: its own where it has one, others from U+0100 on."""
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


SIGNS: Final = _signs()


class WordPieces:
    """Word pieces: each word as the longest pieces of it that are in the vocabulary, from its beginning on."""

    def __init__(self, vocabulary: Mapping[str, int], lower: bool, begin: int, end: int) -> None:
        self._vocabulary, self._lower, self._begin, self._end = vocabulary, lower, begin, end
        self._unknown = vocabulary["[UNK]"]

    def ids(self, text: str, longest: int) -> list[int]:
        found: list[int] = []
        for word in self._words(text):
            found += self._pieces(word)
            if len(found) > longest - 2:
                break
        return [self._begin, *found[: longest - 2], self._end]

    def _words(self, text: str) -> Iterator[str]:
        """Words and signs, without accents and capitals where the model knows none."""
        if self._lower:
            text = "".join(sign for sign in unicodedata.normalize("NFD", text) if unicodedata.category(sign) != "Mn")
            text = text.lower()
        word = ""
        for sign in text:
            kind = unicodedata.category(sign)
            if sign in "\t\n\r" or kind[0] == "Z":
                apart = ""
            elif kind[0] == "C" or sign == "\ufffd":
                continue
            elif kind[0] == "P" or (sign.isascii() and not sign.isalnum()) or _ideograph(ord(sign)):
                apart = sign
            else:
                word += sign
                continue
            if word:
                yield word
            if apart:
                yield apart
            word = ""
        if word:
            yield word

    def _pieces(self, word: str) -> list[int]:
        if len(word) > LONGEST_WORD:
            return [self._unknown]
        found, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                known = self._vocabulary.get(("##" if start else "") + word[start:end])
                if known is not None:
                    found.append(known)
                    start = end
                    break
            else:
                return [self._unknown]
        return found


IDEOGRAPHS: Final = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip


def _ideograph(code: int) -> bool:
    """Whether a character is a word by itself in Chinese writing."""
    return any(low <= code <= high for low, high in IDEOGRAPHS)
