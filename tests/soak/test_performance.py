"""A performance that was recorded live, through JACK in freewheel, renders to the bytes that were heard."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import soundfile

from nodegraph import Patch, PatchError
from nodegraph.session.session import Session
from tests.api.test_performance import band, do_something, lines
from tests.runtime.conftest import JackServer
from tests.soak.length import length, report

RATE: Final = 48_000
SECONDS: Final = length(10, 60)
EVERY_S: Final = 0.005
"""Of sound, from act to act."""


@pytest.fixture
def freewheel(jack_server: JackServer) -> Iterator[JackServer]:
    import jack

    other = jack.Client("wheel", servername=jack_server.name, no_start_server=True)
    other.activate()
    other.set_freewheel(True)
    yield jack_server
    other.set_freewheel(False)
    other.deactivate()
    other.close()


def test_a_performance_renders_to_the_bytes_that_were_recorded(freewheel: JackServer, tmp_path: Path) -> None:
    """Acts come by the clock of the sound, edits whenever they come."""
    choose = random.Random(7)
    number, due = 0, 0.0

    def act() -> None:  # on the player's thread, after each round
        nonlocal number, due
        playing = session.playing
        while playing is not None and playing.time >= due and due < SECONDS:
            number, due = number + 1, due + EVERY_S
            do_something(session, choose, number, edits=False)

    session = Session(
        band(), driver="jack", device=freewheel.name, seconds=SECONDS, record=tmp_path / "take.wav",
        keep_performance=tmp_path / "take.ngp",
    )  # fmt: skip
    flush = session._flush
    session._flush = lambda: (flush(), act())  # type: ignore[method-assign, assignment]
    session.play()
    playing = session.playing
    assert playing is not None
    edits = 0
    while playing.running:
        try:
            do_edit(session, edits)
            edits += 1
        except PatchError as error:  # it was over meanwhile
            assert error.problems[0].code == "not-playing", error
        time.sleep(0.02)
    playing.wait(60)
    assert playing.error is None and playing.lost == 0
    end = lines(tmp_path / "take.ngp")[-1]
    assert end["exact"] and end["end"] == SECONDS * RATE and end["acts"] > 0.9 * SECONDS / EVERY_S
    heard: Any = soundfile.read(tmp_path / "take.wav", dtype="float32")[0].T
    began = time.monotonic()
    rendered = Patch.open(tmp_path / "take.wav").render(performance=tmp_path / "take.ngp")
    report(f"{SECONDS} s, {end['acts']} acts, {edits} edits; rendered in {time.monotonic() - began:.1f} s")
    assert rendered.log == []
    assert np.abs(heard).max() > 0.05 and rendered.audio.shape == heard.shape
    assert rendered.audio.tobytes() == np.ascontiguousarray(heard).tobytes()


def do_edit(session: Session, number: int) -> None:
    """A tone comes, and one that came before goes."""
    node = f"tone{number}"
    session.edit([
        {"do": "add", "node": node, "kind": "sine~", "values": {"freq": 100 + 7 * (number % 50)}},
        {"do": "connect", "cable": f"{node}.y -> level.x"},
    ])  # fmt: skip
    if number >= 3:
        session.edit([{"do": "remove", "node": f"tone{number - 3}"}])
