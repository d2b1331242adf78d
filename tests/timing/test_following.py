"""A session that plays follows by name, and leaves it again; what goes wrong with a source stops nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nodegraph import Patch, PatchError
from nodegraph.core.messages import MidiIn
from nodegraph.runtime.player import LOOKAHEAD_S
from nodegraph.session.session import Session
from nodegraph.timing.following import SOURCES
from nodegraph.timing.midi_clock import MidiClock
from nodegraph.timing.places import Here

PATIENCE_S = 60.0


def song() -> Patch:
    patch = Patch("Song")
    patch.connect(patch.add("every", "grid", beats=0.25), patch.add("count", "steps"))
    patch.connect(patch.add("phase~", "ramp"), patch.add("*~", "soft", b=0.1), patch.add("out~", "out"))
    return patch


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(song(), driver="null") as made:
        yield made


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, f"it never came: {what}"
        time.sleep(0.01)


class Leader:
    """Sends MIDI clock as a device does: each tick with the frame at which it came, and a lookahead later."""

    def __init__(self, session: Session, bpm: float) -> None:
        self.session, self.bpm = session, bpm
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        second, sent = None, 0
        while not self._over.wait(0.005):
            playing = self.session.playing
            assert playing is not None
            player = playing.player
            now = player.engine.done / player.rate
            second = now + 0.02 if second is None else second
            while second <= now:
                if not sent:
                    self._send(player, second, b"\xfa")
                self._send(player, second, b"\xf8")
                sent += 1
                second += 60.0 / (24.0 * self.bpm)

    def _send(self, player: Any, second: float, data: bytes) -> None:
        player.act("arrive", "midi", MidiIn("in", data), frame=round((second + LOOKAHEAD_S) * player.rate))

    def __enter__(self) -> Leader:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def follows(session: Session) -> dict[str, Any]:
    found: dict[str, Any] = session.status()["clock"]["follows"]
    return found


def test_midi_clock_is_followed_live_and_left_again(session: Session) -> None:
    session.follow("midi")
    session.play()
    with Leader(session, 97.0):
        until(lambda: follows(session)["heard"], "a tick")
        until(lambda: abs(session.status()["clock"]["tempo"] - 97.0) < 0.2, "the tempo")
        until(lambda: abs(follows(session)["error_s"]) < 0.001, "the phase")
        session.follow(None)
    assert session.status()["clock"]["follows"] is None
    session.transport(tempo=140.0)
    until(lambda: session.status()["clock"]["tempo"] == 140.0, "a tempo of its own")


def test_it_goes_on_at_another_rate_of_the_device(session: Session) -> None:
    session.play()
    session.follow("midi", port="in")
    with Leader(session, 90.0):
        until(lambda: abs(session.status()["clock"]["tempo"] - 90.0) < 0.5, "the tempo")
        assert session.playing is not None
        session.playing.switch(rate=44_100)
        until(lambda: follows(session)["tempo"] and abs(follows(session)["tempo"] - 90.0) < 0.2, "the tempo, again")
        until(lambda: abs(follows(session)["error_s"]) < 0.002, "the phase, again")
    assert session.playing.running and session.playing.rate == 44_100


def test_a_patch_of_its_own_tempo_does_not_fight_long(session: Session) -> None:
    """The source decides: a tempo that somebody sets meanwhile is put right."""
    session.play()
    session.follow("midi")
    with Leader(session, 97.0):
        until(lambda: abs(session.status()["clock"]["tempo"] - 97.0) < 0.2, "the tempo")
        session.transport(tempo=60.0)
        until(lambda: abs(session.status()["clock"]["tempo"] - 97.0) < 2.0, "the source's tempo")


@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("midy", {}, "unknown-source"),
        ("midi", {"prot": "x"}, "unknown-option"),
        ("midi", {"offset_s": 5.0}, "bad-offset"),
        ("midi", {"offset_s": float("nan")}, "bad-offset"),
        ("link", {"quantum": 0.0}, "bad-quantum"),
    ],
)
def test_what_cannot_be_followed_is_named_and_changes_nothing(
    session: Session, name: str, options: dict[str, Any], code: str
) -> None:
    session.follow("midi")
    with pytest.raises(PatchError) as refused:
        session.follow(name, **options)
    assert refused.value.problems[0].code == code and refused.value.problems[0].do
    assert session.following is not None and isinstance(session.following.source, MidiClock)


class Faulty(MidiClock):
    def place(self, here: Here, frame: float) -> None:
        raise ZeroDivisionError("no time")


def test_a_fault_of_the_source_ends_the_following_and_not_the_playing(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SOURCES, "midi", Faulty)
    session.follow("midi")
    session.play()
    assert session.playing is not None
    log = session.playing.log
    until(lambda: any("no time" in text for _, text in log), "the report")
    before = session.playing.time
    until(lambda: session.playing is not None and session.playing.time > before + 0.1, "more sound")
    assert sum("no time" in text for _, text in log) == 1
