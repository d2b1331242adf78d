"""Say that a test needs something real: a program, a library's file, a sound. Missing, the test is skipped on a user's
machine with a line that says what to install; in CI (CI=true) it fails, so nothing is ever skipped there unseen."""

import os
import shutil
from pathlib import Path

import pytest


def needs(what: str | Path, install: str) -> Path:
    """The path of a program (a bare name) or a file or folder (anything with a slash in it).

    install: the command that brings it, such as "apt install jackd2".
    """
    text = os.fspath(what)
    path = Path(text) if os.sep in text else shutil.which(text)
    if path is not None and Path(path).exists():
        return Path(path)
    line = f"{text} is not here: {install}"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{line} (a skip is a failure in CI; .ci/run should install it)", pytrace=False)
    pytest.skip(line)
