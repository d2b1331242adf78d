"""Sessions that play to nobody, with a server, for editors to join."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nodegraph import Patch
from nodegraph.editor.editing import Editing
from nodegraph.server.server import Server
from nodegraph.session.session import Session
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
