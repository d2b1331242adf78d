"""Sessions that play to nobody, with a server, for editors to join; and a screen for those in a window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nodegraph import Patch
from nodegraph.editor.editing import Editing
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.editor.desktop import end_engines, screen
from tests.editor.editors import joined


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    patch = Patch()
    patch.save(tmp_path / "new.ng")
    with Session(patch, driver="null") as made:
        yield made


@pytest.fixture
def server(session: Session) -> Iterator[Server]:
    with Server(session) as made:
        yield made


@pytest.fixture
def editing(server: Server) -> Iterator[Editing]:
    with joined(server) as made:
        yield made


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """A screen; every test closes what it opens there."""
    with screen() as name:
        yield name


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where an editor in a window works: in the end its engines are ended."""
    yield tmp_path
    end_engines(tmp_path)
