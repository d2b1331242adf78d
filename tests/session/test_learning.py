"""Any client may have a knob or a fader learned, sees what waits and what was learned, and may have it forgotten."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pythonosc.osc_message_builder import OscMessageBuilder

from nodegraph.midi.session import SessionMidi
from nodegraph.osc.door import Door
from nodegraph.session.protocol import Client
from nodegraph.session.session import Session
from tests.midi.fake_system import FakeSystem
from tests.midi.test_learning import filtered
from tests.midi.waiting import PATIENCE_S, until

CUTOFF = "/patch/cut/cutoff"


def fader(port: int, address: str, value: float) -> None:
    """What another program sends."""
    made = OscMessageBuilder(address)
    made.add_arg(value, "f")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.sendto(made.build().dgram, ("127.0.0.1", port))


@pytest.fixture
def system() -> FakeSystem:
    return FakeSystem(["nanoKONTROL"])


@contextmanager
def learning(system: FakeSystem) -> Iterator[Session]:
    """A session that plays and can learn by MIDI and by OSC."""
    with Session(filtered(), driver="null") as made:
        midi = SessionMidi(made, system=lambda: system, look_s=0.02)
        made.play()
        with Door(made, port=0):
            yield made
        made.stop()
        midi.close()
        assert midi.door is None or midi.door.wait(PATIENCE_S)
    assert not made.learners


@pytest.fixture
def session(system: FakeSystem) -> Iterator[Session]:
    with learning(system) as made:
        yield made


def ask(client: Client, what: str, **fields: Any) -> Any:
    """What is answered; the list of problems when it was refused."""
    answer = client.answer({"id": 1, "do": what, **fields})
    assert answer is not None
    return answer.get("ok") or answer["error"]


def test_a_knob_is_learned_and_everybody_is_told(session: Session, system: FakeSystem) -> None:
    news: list[Any] = []
    desk = Client(session, lambda topic, data: None)
    other = Client(session, lambda topic, data: news.append(data))
    ask(other, "subscribe", topics=["learned"])
    found = ask(desk, "learn", by="midi", address="cut.cutoff", takeover="jump", span=[100, 200], curve="linear")
    assert found["learners"]["midi"]["waiting"] == CUTOFF and found["learners"]["osc"]["waiting"] is None
    assert news[-1]["by"] == "" and news[-1]["learners"]["midi"]["waiting"] == CUTOFF
    until(lambda: system.open, "the port is open")
    system.play("nanoKONTROL", 0xB0, 74, 64)
    until(lambda: news[-1]["by"] == "midi", "it is told")
    bond = news[-1]["learners"]["midi"]["learned"][0]
    assert (bond["address"], bond["what"], bond["number"], bond["span"]) == (CUTOFF, "7 bit", 74, [100.0, 200.0])
    assert news[-1]["learners"]["midi"]["waiting"] is None
    until(lambda: session.get("cut.cutoff") == pytest.approx(100.0 + 100.0 * 64 / 127), "it moves")
    assert ask(desk, "unlearn", address="cut.cutoff")["learners"]["midi"]["learned"] == []
    assert news[-1]["learners"]["midi"]["learned"] == [] and "learned" not in session.patch.document.extra


def test_a_fader_is_learned_where_both_wait_and_the_rest_need_not_wait_on(session: Session) -> None:
    door = session.learners["osc"]
    assert isinstance(door, Door) and door.port is not None
    news: list[Any] = []
    client = Client(session, lambda topic, data: news.append(data))
    ask(client, "subscribe", topics=["learned"])
    ask(client, "learn", by="midi", address="cut.cutoff")
    found = ask(client, "learn", by="osc", address="cut.cutoff", came=[0, 127])
    assert [learner["waiting"] for learner in found["learners"].values()] == [CUTOFF, CUTOFF]
    fader(door.port, "/1/fader3", 127.0)
    until(lambda: news[-1]["by"] == "osc", "it is told")
    assert news[-1]["learners"]["midi"]["waiting"] == CUTOFF
    stopped = ask(client, "stop_learning")["learners"]
    assert stopped == ask(client, "learned")["learners"]
    assert stopped["midi"] == {"waiting": None, "learned": []} and stopped["osc"]["waiting"] is None
    assert [(item["address"], item["to"], item["from"]) for item in stopped["osc"]["learned"]] == [
        ("/1/fader3", CUTOFF, [0.0, 127.0])
    ]
    fader(door.port, "/1/fader3", 127.0)
    until(lambda: session.get("cut.cutoff") == session.parameter("cut.cutoff").control.span[1], "it moves")  # type: ignore[union-attr]


def test_what_cannot_be_learned_is_refused_with_what_can(session: Session) -> None:
    client = Client(session, lambda topic, data: None)
    (problem,) = ask(client, "learn", by="smoke", address="cut.cutoff")
    assert problem["code"] == "no-learner" and "'midi', 'osc'" in problem["what"]
    (problem,) = ask(client, "learn", by="osc", address="cut.cutoff", takeover="jump")
    assert problem["code"] == "bad-request" and "came" in problem["do"]
    (problem,) = ask(client, "learn", by="midi", address="cut.cutof")
    assert problem["code"] == "unknown-address"
    (problem,) = ask(client, "learn", by="midi", address="cut.cutoff", takeover="throw")
    assert problem["code"] == "bad-learned"
    (problem,) = ask(client, "learn", by="midi", address="shown.y")
    assert problem["code"] == "read-only"
    assert all(learner["waiting"] is None for learner in ask(client, "learned")["learners"].values())
    with Session(filtered()) as alone:
        (problem,) = ask(Client(alone, lambda topic, data: None), "learn", by="osc", address="cut.cutoff")
        assert problem["code"] == "no-learner" and "--osc" in problem["do"]


def test_a_client_chooses_what_the_clock_follows(session: Session) -> None:
    news: list[Any] = []
    client = Client(session, lambda topic, data: news.append(data))
    ask(client, "subscribe", topics=["follows"])
    assert ask(client, "follow", source="midi", offset_s=0.01) == {"source": "midi"}
    assert ask(client, "status")["follows"] == "midi" and news[-1] == {"source": "midi"}
    assert ask(client, "follow") == {"source": None}
    assert ask(client, "status")["follows"] is None
    (problem,) = ask(client, "follow", source="midid")
    assert problem["code"] == "unknown-source" and "midi" in problem["do"]
    (problem,) = ask(client, "follow", source="mtc", offset_s=20)
    assert problem["code"] == "bad-offset"
