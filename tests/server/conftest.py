"""A patch that plays to nobody, and a server for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nodegraph import Patch
from nodegraph.server.server import Server
from nodegraph.session.session import Session


def tone() -> Patch:
    patch = Patch("Tone")
    patch.connect(patch.add("sine~", "osc", freq=330), patch.add("gain~", "level", gain=0.25), patch.add("out~", "out"))
    patch.add("transport", "time", tempo=600)
    return patch


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(tone(), driver="null") as made:
        made.play()
        yield made


@pytest.fixture
def server(session: Session) -> Iterator[Server]:
    with Server(session, oscquery=0) as made:
        yield made
