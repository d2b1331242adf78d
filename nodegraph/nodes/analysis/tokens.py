"""Texts as the numbers that language models read, by the ``tokenizer.json`` that is published with a model.

The library tokenizers reads it. Special words such as ``<s>`` are plain text when somebody writes them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


class Tokenizer:
    """The tokenizer of one model."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def ids(self, text: str, longest: int) -> list[int]:
        """The numbers of a text with those that begin and end it, `longest` at most."""
        self._inner.enable_truncation(longest)
        found: list[int] = self._inner.encode(text).ids
        return found


def read_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer that a ``tokenizer.json`` describes. Raises ValueError when it describes none."""
    import tokenizers

    try:
        inner = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise ValueError(f"{path.name} describes no tokenizer that can be read: {error}") from error
    inner.no_padding()
    inner.encode_special_tokens = True
    return Tokenizer(inner)
