"""Errors about a model's file say where it lies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from nodegraph.core.errors import ModelError, Problem


@contextmanager
def placed(path: Path) -> Iterator[None]:
    """What is wrong with the file at `path` is said with it. Raises ModelError: what is raised inside, and
    ``unreadable`` where the system does not let it be read."""
    try:
        yield
    except ModelError as error:
        raise ModelError([replace(problem, file=str(path)) for problem in error.problems]) from error
    except OSError as error:
        what = f"it cannot be read: {error.strerror or error}."
        raise ModelError(Problem("unreadable", what, "Correct the path, or its permissions.", str(path))) from error
