"""From many messages to the few that do the harm: a finding with two messages can be understood, one with a thousand
cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from nodegraph.validation.messages import shown
from nodegraph.validation.rig import Post

MOST_TRIES: Final = 80
MOST_TOLD: Final = 6


def fewest(posts: Sequence[Post], harm: Callable[[list[Post]], bool]) -> list[Post]:
    """Leave out ever smaller pieces for as long as what remains does the harm.

    Source: A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28, 2002.
    """
    left, tries = list(posts), 0
    size = len(left) // 2
    while size > 0 and tries < MOST_TRIES:
        start = 0
        while start < len(left) and tries < MOST_TRIES:
            fewer = left[:start] + left[start + size :]
            tries += 1
            if fewer and harm(fewer):
                left = fewer
            else:
                start += size
        size //= 2
    return left


def told(posts: Sequence[Post]) -> str:
    """Messages in words, the last of them where there are many."""
    left_out = f"{len(posts) - MOST_TOLD} messages and " if len(posts) > MOST_TOLD else ""
    texts = [f"{shown(value)} to '{inlet}' at frame {frame}" for frame, _, inlet, value in posts[-MOST_TOLD:]]
    return f"after {left_out}{', '.join(texts)}" if texts else ""
