"""JACK transport: a patch and another client of the server move each other, and what is heard is at its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.core.errors import DeviceError
from nodegraph.session.session import Session
from nodegraph.timing.jack_transport import JackTransport
from tests.runtime.conftest import JackServer, jack_server
from tests.timing.test_following import until

__all__ = ["jack_server"]
BPM = 100.0


def song() -> Patch:
    patch = Patch("Song")
    patch.add("transport", "time", tempo=BPM)
    patch.connect(patch.add("phase~", "ramp"), patch.add("*~", "soft", b=0.5), patch.add("out~", "out", channels=1))
    return patch


@pytest.fixture
def peer(jack_server: JackServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Another client."""
    import jack

    monkeypatch.setenv("JACK_DEFAULT_SERVER", jack_server.name)
    client = jack.Client("peer", servername=jack_server.name, no_start_server=True)
    client.activate()
    yield client
    client.close()


def place(peer: Any) -> dict[str, Any]:
    """State and position, as the peer sees them."""
    state, position = peer.transport_query()
    return {"rolls": "ROLLING" in str(state).upper(), **position}


def clock(session: Session) -> dict[str, Any]:
    found: dict[str, Any] = session.status()["clock"]
    return found


def go(peer: Any, frame: int) -> None:
    peer.transport_frame = frame


@pytest.mark.parametrize("lead", [False, True])
def test_a_patch_and_another_client_start_stop_and_move_each_other(peer: Any, lead: bool) -> None:
    rate = peer.samplerate
    with Session(song(), driver="null") as session:
        session.follow("jack", lead=lead)
        session.play()
        until(lambda: not clock(session)["on"], "the patch stands, as the transport does")
        go(peer, 60 * rate)
        until(lambda: clock(session)["beat"] == pytest.approx(100.0), "where the peer put it: a minute, 100 beats")
        peer.transport_start()
        until(lambda: clock(session)["on"] and clock(session)["beat"] > 101.0, "it goes with the peer")
        until(lambda: abs(clock(session)["follows"]["error_s"]) < 0.001, "in phase")
        peer.transport_stop()
        until(lambda: not clock(session)["on"], "it stops with the peer")
        session.transport(locate=20.0)
        until(lambda: place(peer)["frame"] == 12 * rate, "the peer is where the patch was put")
        session.transport(play=True)
        until(lambda: place(peer)["rolls"] and place(peer)["frame"] > 12.2 * rate, "the peer goes with the patch")
        assert clock(session)["on"]
        session.transport(play=False)
        until(lambda: not place(peer)["rolls"], "the peer stops with the patch")


def test_a_patch_that_leads_tells_bars_and_beats_and_its_tempo(peer: Any) -> None:
    rate = peer.samplerate
    with Session(song(), driver="null") as session:
        session.follow("jack", lead=True)
        session.play()
        until(lambda: place(peer).get("beats_per_minute") == BPM, "its tempo")
        go(peer, 60 * rate)
        until(lambda: place(peer)["frame"] == 60 * rate and place(peer).get("bar") == 26, "100 beats are 25 bars")
        found = place(peer)
        assert (found["beat"], found["tick"], found["beats_per_bar"], found["beat_type"]) == (1, 0, 4.0, 4.0)
        assert found["bar_start_tick"] == 100 * found["ticks_per_beat"]
        go(peer, round(60.9 * rate))
        until(
            lambda: place(peer)["frame"] == round(60.9 * rate) and place(peer).get("beat") == 2,
            "a beat and a half later",
        )
        assert place(peer)["tick"] == pytest.approx(0.5 * 1_920, abs=1)
        session.transport(tempo=150.0)
        until(lambda: place(peer).get("beats_per_minute") == 150.0, "another tempo")
        assert place(peer)["bar"] == 26, "the music stays where it is"
        with pytest.raises(DeviceError, match="another client"):
            JackTransport(lead=True)
        session.follow(None)
        until(lambda: "bar" not in place(peer) or not place(peer)["bar"], "nobody leads")


def test_a_leaders_tempo_is_followed(peer: Any) -> None:
    def timebase(state: int, count: int, position: Any, new: bool) -> None:
        beats = position.frame / position.frame_rate * 80.0 / 60.0
        position.valid = 0x10
        position.bar, position.beat = int(beats // 3) + 1, int(beats % 3) + 1
        position.tick = int(beats % 1 * 960)
        position.ticks_per_beat, position.beats_per_bar, position.beat_type = 960.0, 3.0, 4.0
        position.beats_per_minute = 80.0

    peer.deactivate()
    peer.set_timebase_callback(timebase)
    peer.activate()
    with Session(song(), driver="null") as session:
        session.follow("jack")
        session.play()
        peer.transport_start()
        until(lambda: clock(session)["tempo"] == pytest.approx(80.0, abs=0.2), "80 beats a minute")
        until(lambda: abs(clock(session)["follows"]["error_s"]) < 0.002, "in phase")
        before = place(peer)["frame"] / peer.samplerate * 80 / 60
        beat = clock(session)["beat"]
        after = place(peer)["frame"] / peer.samplerate * 80 / 60
        assert before - 0.2 < beat < after + 0.2, "the same beat, not only the same phase"
        peer.transport_stop()


def test_in_freewheel_what_is_heard_is_at_its_place_to_the_sample(peer: Any) -> None:
    """The ramp of a beat, as another client hears it, against the transport's position of the same block."""
    heard: list[tuple[int, np.ndarray]] = []
    peer.deactivate()
    port = peer.inports.register("in")

    def process(count: int) -> None:
        state, position = peer.transport_query_struct()
        if int(state) == 1:
            heard.append((int(position.frame), port.get_array().copy()))

    peer.set_process_callback(process)
    with Session(song(), driver="jack") as session:
        session.follow("jack")
        session.play()
        assert session.playing is not None
        name = session.playing.supervisor.driver.client.name  # type: ignore[attr-defined]
        peer.activate()
        peer.connect(f"{name}:out_1", "peer:in")
        peer.set_freewheel(True)
        try:
            peer.transport_start()
            until(lambda: heard and heard[-1][0] > 40 * peer.samplerate, "40 s")
        finally:
            peer.transport_stop()
            peer.set_freewheel(False)
    rate, off = peer.samplerate, []
    for frame, block in heard:
        if frame < 15 * rate or frame > 35 * rate:
            continue
        beats = (frame + np.arange(len(block))) / rate * BPM / 60.0
        error = (block / 0.5 - beats + 0.5) % 1.0 - 0.5
        off.append(error[np.abs(error) < 0.4] * 60.0 / BPM * rate)
    assert len(off) > 1_000
    worst = np.abs(np.concatenate(off)).max()
    assert worst < 1.5, f"{worst:.2f} frames"


def test_without_a_server_it_says_so(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    with Session(song(), driver="null") as session, pytest.raises(DeviceError, match="no JACK server") as refused:
        session.follow("jack", server="nobody-is-there")
    assert refused.value.problems[0].do
    assert session.following is None


def test_a_server_that_ends_leaves_the_patch_playing(jack_server: JackServer) -> None:
    with Session(song(), driver="null") as session:
        session.follow("jack", server=jack_server.name)
        session.play()
        until(lambda: clock(session)["follows"]["heard"], "the server")
        jack_server.kill()
        until(lambda: not clock(session)["follows"]["heard"], "its end")
        assert session.playing is not None
        before = session.playing.time
        until(lambda: session.playing is not None and session.playing.time > before + 0.1, "more sound")
        session.transport(play=True)
        until(lambda: clock(session)["on"], "a clock of its own")
