"""What commands print: results on stdout, complaints and progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nodegraph.core.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

CYAN, PURPLE, GREEN, DIM = "#00F5FF", "#B026FF", "#39FF14", "grey50"


def complain(problems: Iterable[Problem], as_json: bool = False) -> None:
    """One line a problem on stderr, and the line of code that it is about, if it is about one; for programs all of them
    as one line of JSON on stdout, too."""
    problems = list(problems)
    if as_json:
        say_json({"problems": [problem.as_dict() for problem in problems]})
    for problem in problems:
        sys.stderr.write(problem.describe() + "\n")
        if problem.source:
            sys.stderr.write(problem.excerpt() + "\n")


def say(text: str) -> None:
    """A line on stdout, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say_json(data: Any) -> None:
    """Plain data as one line of JSON on stdout, at once."""
    say(json.dumps(data, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    listed = getattr(value, "tolist", None)
    return listed() if callable(listed) else str(value)


def console(*, stderr: bool = False) -> Console:
    """A console of rich."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else 200)


@contextmanager
def progress(text: str) -> Iterator[Callable[[float, float | None, str], None]]:
    """A bar on stderr while something long goes on: call it with done, all (or None) and what is being done.

    Where stderr is no terminal it says nothing.
    """
    if not sys.stderr.isatty():
        yield lambda done, total, now: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(complete_style=CYAN, finished_style=GREEN), TaskProgressColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, total, now: bar.update(task, completed=done, total=total, description=now or text)


def decibels(peak: float) -> str:
    """``-12.3 dB``; silence is ``-inf dB``."""
    from math import log10

    return f"{20.0 * log10(peak):.1f} dB" if peak > 1e-9 else "-inf dB"
