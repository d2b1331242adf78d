"""What can go wrong, as data that says where and what to do.

    NodegraphError                  every error that a user can meet
    ├── PatchError                  one or more problems in a patch
    │   └── PatchFileError          the file cannot be read or written as a patch
    ├── DeclarationError            a node class is declared wrongly (found at import)
    ├── KernelError                 a node's tick or process cannot become native code
    ├── MediaError                  a sound file is missing, damaged, empty or unwritable
    ├── DeviceError                 an audio device is absent, refuses, or vanished
    ├── ModelError                  a model is missing, altered, or refused
    │   └── WeightsMissing          the model store does not hold it (yet)
    └── WorkerError                 an inference worker failed

A `Problem` is one finding. `check` collects problems and reports them all; an exception carries them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class Fault(str):
    """A line of the log that tells of something that went wrong; others tell of what is so."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: what is wrong, where, and what to do about it.

    `code` is stable and short (``unknown-node``), for programs and for tests. `column` counts from 1; `source` is the
    author's line itself, where the fault is in code.
    """

    code: str
    what: str
    do: str = ""
    file: str | None = None
    line: int | None = None
    node: str | None = None
    port: str | None = None
    column: int | None = None
    source: str | None = None

    def where(self) -> str:
        """``patch.ng:12, node 'cut', port 'cutoff'``; empty when nothing is known."""
        parts = []
        if self.file:
            parts.append(f"{self.file}:{self.line}" if self.line else self.file)
        elif self.line:
            parts.append(f"line {self.line}")
        if self.node:
            parts.append(f"node '{self.node}'")
        if self.port:
            parts.append(f"port '{self.port}'")
        return ", ".join(parts)

    def describe(self) -> str:
        """The whole finding as one line for a person, which a log knows as a fault."""
        where = self.where()
        text = f"{where}: {self.what}" if where else self.what
        return Fault(f"{text} {self.do}" if self.do else text)

    def excerpt(self) -> str:
        """The author's line, and a caret below it where the column is known; empty when there is no line."""
        if not self.source:
            return ""
        text = self.source.strip()
        if self.column is None:
            return f"    {text}"
        at = self.column - 1 - (len(self.source) - len(self.source.lstrip()))
        return f"    {text}\n    {' ' * at}^" if 0 <= at <= len(text) else f"    {text}"

    def as_dict(self) -> dict[str, object]:
        """The finding for ``--json``; absent places are left out."""
        every = {
            "code": self.code, "what": self.what, "do": self.do,
            "file": self.file, "line": self.line, "node": self.node, "port": self.port,
            "column": self.column, "source": self.source,
        }  # fmt: skip
        return {key: value for key, value in every.items() if value not in (None, "")}


class NodegraphError(Exception):
    """Every error that a user can meet. Carries `problems`; its text is theirs."""

    def __init__(self, problems: str | Problem | Iterable[Problem], do: str = "") -> None:
        if isinstance(problems, str):
            problems = Problem(type(self).code(), problems, do)
        found: Sequence[Problem] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        self.problems: tuple[Problem, ...] = tuple(found)
        super().__init__("\n".join(problem.describe() for problem in self.problems))

    @classmethod
    def code(cls) -> str:
        """The code of a problem that was given as text only: ``DeviceError`` → ``device``."""
        return cls.__name__.removesuffix("Error").lower()


class PatchError(NodegraphError):
    """One or more problems in a patch."""


class PatchFileError(PatchError):
    """The file cannot be read, or written, as a patch."""


class DeclarationError(NodegraphError):
    """A node class is declared wrongly; raised when its module is imported."""


class KernelError(NodegraphError):
    """A node's `tick`, `prepare` or `process` cannot become native code."""


class MediaError(NodegraphError):
    """A sound file is missing, damaged, empty or unwritable."""


class DeviceError(NodegraphError):
    """An audio device is absent, refuses the settings, or vanished."""


class ModelError(NodegraphError):
    """A model is missing, altered, or refused."""


class WeightsMissing(ModelError):
    """The model store does not hold these weights (yet)."""


class WorkerError(NodegraphError):
    """An inference worker failed."""
