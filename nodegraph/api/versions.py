"""Other versions of a patch: its file as it lies there, and as git keeps it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from nodegraph.core.errors import PatchFileError, Problem
from nodegraph.core.hints import quoted
from nodegraph.core.patchfile import stored

GIT_S: Final = 10.0
_REVISION: Final = re.compile(r"(?!-)[\w./@{}^~+-]{1,200}")
"""A branch, a tag, a number, ``HEAD~2``, ``main@{yesterday}``; never an option, never another path."""
_QUIET: Final = {
    "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none",
    "GIT_PAGER": "cat", "LC_ALL": "C",
}  # fmt: skip
"""Ask nobody, write nothing, fetch nothing; a git too old for GIT_NO_LAZY_FETCH finds no protocol that it may use."""


def stored_text(path: Path) -> str:
    """The text of a patch file as it lies there. Raises PatchFileError."""
    return _text(stored(str(path)), str(path))


def revision_text(path: Path, revision: str) -> str:
    """The text of a patch file as a revision of its git repository has it. Raises PatchFileError.

    Git only reads: the file's bytes are taken as they are kept (`git cat-file`, which runs no filter of the
    repository's), and nothing is fetched.
    """
    if not _REVISION.fullmatch(revision):
        what = f"{quoted(revision)} is no revision."
        raise PatchFileError(Problem("bad-revision", what, "Name a commit, a branch or a tag: HEAD, HEAD~1, main."))
    git = shutil.which("git")
    if git is None:
        raise PatchFileError(Problem("no-git", "There is no git here.", "Install git, or name another file."))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = [git, "--no-replace-objects", "-c", "core.fsmonitor=false", "cat-file", "blob",
               f"{revision}:./{path.name}"]  # fmt: skip
    try:
        done = subprocess.run(
            command, cwd=path.parent, env=kept | _QUIET, stdin=subprocess.DEVNULL, capture_output=True, timeout=GIT_S,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PatchFileError(Problem("git-failed", f"git did not answer: {error}.", "Try it by hand.")) from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = said[-1].removeprefix("fatal: ").rstrip(".") if said else f"it ended with {done.returncode}"
        what = f"Revision {quoted(revision)} of this file cannot be had: {why}."
        do = "See `git log` in its folder for the revisions that there are."
        raise PatchFileError(Problem("bad-revision", what, do, str(path)))
    return _text(done.stdout, f"{revision}:{path.name}")


def _text(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = "This is not a text in UTF-8."
        raise PatchFileError(Problem("not-json", what, "Name a patch file that nodegraph has saved.", file)) from error
