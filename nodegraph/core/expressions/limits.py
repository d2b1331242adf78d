"""How much an expression may be. All of it is counted while the text is read."""

from typing import Final

MOST_TEXT: Final = 10_000
MOST_NESTED: Final = 64
"""Brackets, signs and choices inside one another."""
MOST_HEIGHT: Final = 200
"""Operations one upon another: no function that walks the tree gets anywhere near Python's own limit."""
MOST_WEIGHT: Final = 4_000
"""What all operations cost together, in additions: a kernel of this size is made in about a second."""
MOST_PAST: Final = 64
"""Samples that are kept, of all names together."""
MOST_PARAMETERS: Final = 32
MOST_NAME: Final = 32
MOST_INPUTS: Final = 8
MOST_NUMBER: Final = 3e38
