"""A performance that was recorded live renders to the bytes that were heard."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import soundfile

from nodegraph import Patch, PatchError
from nodegraph.core.messages import Note, Ramp
from nodegraph.core.presets import TIME_CURVES
from nodegraph.runtime.player import Player
from nodegraph.session.session import Session
from tests.api.performing import band, lines
from tests.api.test_performance import waiting
from tests.soak.length import length, report

RATE: Final = 48_000
SECONDS: Final = length(6, 60)
__all__ = ["waiting"]
EVERY_S: Final = 0.005
"""Of sound, from act to act."""


@pytest.mark.usefixtures("waiting")
def test_a_performance_renders_to_the_bytes_that_were_recorded(tmp_path: Path) -> None:
    """Acts come by the clock of the sound, edits whenever they come."""
    choose = random.Random(7)
    number, due = 0, 0.0

    def act() -> None:  # on the player's thread, after each round: not through the session, which waits for this thread
        nonlocal number, due
        playing = session.playing
        while playing is not None and playing.time >= due and due < SECONDS:
            number, due = number + 1, due + EVERY_S
            an_act(playing.player, choose)

    session = Session(
        band(), driver="null", seconds=SECONDS, record=tmp_path / "take.wav",
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


def an_act(player: Player, choose: random.Random) -> None:
    """Something by chance: values, ramps, messages, notes, clock, presets, now or ahead of time."""
    what = choose.randrange(6)
    if what == 0:
        player.act("set", "cut", "cutoff", choose.uniform(100.0, 8_000.0))
    elif what == 1:
        player.act("set", "osc", "freq", Ramp(choose.uniform(100.0, 800.0), choose.uniform(0.0, 0.5)))
    elif what == 2:
        player.act("clock", "go", choose.uniform(60.0, 200.0), choose.choice([0.0, 1.0]))
    elif what == 3:
        values = (("cut", "cutoff", choose.uniform(200.0, 9_000.0)), ("level", "gain", choose.uniform(0.05, 0.3)))
        player.act("recall", values, choose.uniform(0.0, 1.0), choose.choice(TIME_CURVES))
    elif what == 4:
        player.act("set", "voices", "notes", Note(choose.randrange(40, 80), 0.8, choose.uniform(0.05, 0.3)))
    else:
        player.act("set", "colours", "x", choose.random(), frame=player.engine.done + choose.randrange(20_000))


def do_edit(session: Session, number: int) -> None:
    """A tone comes, and one that came before goes."""
    node = f"tone{number}"
    session.edit([
        {"do": "add", "node": node, "kind": "sine~", "values": {"freq": 100 + 7 * (number % 50)}},
        {"do": "connect", "cable": f"{node}.y -> level.x"},
    ])  # fmt: skip
    if number >= 3:
        session.edit([{"do": "remove", "node": f"tone{number - 3}"}])
