"""A session played by OSC: what each address does, what is answered, and what is refused."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from nodegraph import BANG, DeviceError, Note, Patch, PatchError
from nodegraph.osc.building import bundle, message, time_tag
from nodegraph.osc.door import Door
from nodegraph.osc.framing import FRAMINGS, Framing, frame, framed
from nodegraph.osc.packets import parse
from nodegraph.osc.timebase import Anchored, ntp_now
from nodegraph.runtime.acts import Act
from nodegraph.session.session import Session
from tests.osc.conftest import PATIENCE_S, Client, until


def acts_of(session: Session) -> list[Act]:
    """Every act that is taken from now on."""
    session.play()
    assert session.playing is not None
    found: list[Act] = []
    session.playing.player.acts.noted.append(found.append)
    return found


@pytest.mark.parametrize("playing", [False, True], ids=["silent", "playing"])
def test_a_number_sets_and_none_asks(session: Session, client: Client, playing: bool) -> None:
    if playing:
        session.play()
    assert client.ask("/patch/level/gain") == 0.25
    for value in (0.5, 1, True, "0.75"):
        client.send("/patch/level/gain", value)
        assert client.ask("/patch/level/gain") == float(value), "who sets and asks hears what was set"
    assert session.get("level.gain") == 0.75


def test_beyond_its_span_a_value_is_held_and_its_sender_told(session: Session, client: Client) -> None:
    high = session.parameter("level.gain").control.span[1]
    client.send("/patch/level/gain", high + 1_000.0)
    assert client.until("/patch/level/gain") == (high,)
    client.send("/patch/level/gain", high + 1.0, 100)
    assert client.until("/patch/level/gain") == (high,)


def test_two_numbers_are_a_ramp_in_milliseconds(session: Session, client: Client) -> None:
    acts = acts_of(session)
    client.send("/patch/level/gain", 0.5, 250)
    act = until(lambda: [act for act in acts if act.what == "set"], "the ramp")[0]
    assert act.args == ("level", "gain", (0.5, 0.25))


@pytest.mark.parametrize(
    ("address", "args", "message"),
    [
        ("/patch/n/x", (), BANG),
        ("/patch/n/x", (3,), 3),
        ("/patch/n/x", ("word",), "word"),
        ("/patch/n/x", (1, 2.5, "a"), (1, 2.5, "a")),
        ("/patch/voices/notes", (60, 0.5), Note(60, 0.5)),
        ("/patch/voices/notes", (60.5, 0.5, 1.5), Note(60.5, 0.5, 1.5)),
        ("/patch/voices/notes", (60,), 60),
    ],
)
def test_an_inlet_for_messages_gets_them(
    session: Session, client: Client, address: str, args: Any, message: Any
) -> None:
    acts = acts_of(session)
    client.send(address, *args)
    act = until(lambda: [act for act in acts if act.what == "set"], "the message")[0]
    assert act.args[2] == message and type(act.args[2]) is type(message)


def test_a_pattern_means_all_that_it_matches(session: Session, client: Client) -> None:
    client.send("/patch/{level,other}/gain", 0.125)
    until(lambda: session.get("level.gain") == session.get("other.gain") == 0.125, "both")
    client.send("/patch/*/gain")
    assert sorted([client.hear()[0].address, client.hear()[0].address]) == ["/patch/level/gain", "/patch/other/gain"]
    client.send("//gain", 0.5)
    until(lambda: session.get("level.gain") == session.get("other.gain") == 0.5, "both again")


@pytest.mark.parametrize(
    ("address", "args", "says"),
    [
        ("/patch/level/gian", (1.0,), "There is no '/patch/level/gian'"),
        ("/patch/*/nothing", (1.0,), "There is no"),
        ("/nowhere", (1.0,), "nothing receives it"),
        ("/patch/level/gain", ("loud",), "takes a number"),
        ("/patch/level/gain", (None,), "takes a number"),
        ("/patch/level/gain", (b"x",), "takes a number"),
        ("/patch/level/gain", (float("nan"),), "takes a number"),
        ("/patch/level/gain", (1.0, "fast"), "milliseconds"),
        ("/patch/level/gain", (1.0, 2.0, 3.0), "milliseconds"),
        ("/patch/level/gain", (1.0, -5), "milliseconds"),
        ("/patch/n/y", (1.0,), "outlet"),
        ("/patch/[level", (1.0,), "no pattern"),
        ("/transport/tempo", ("fast",), "takes a number"),
        ("/transport/play", (), "does not play"),
        ("/subscribe", (), "names the addresses"),
        ("/subscribe", ("nothing",), "no pattern"),
        ("/subscribe", ("/patch/*", 99_999), "no port"),
    ],
)
def test_what_makes_no_sense_is_answered_and_changes_nothing(
    session: Session, client: Client, address: str, args: Any, says: str
) -> None:
    before = dict(session.live)
    client.send(address, *args)
    about, text = client.until("/error")
    assert about == address and says in text
    assert session.live == before
    assert client.ask("/patch/level/gain") == 0.25


def test_an_error_is_never_answered(session: Session, door: Door, client: Client) -> None:
    """Two doors that tell each other what they do not understand would never end."""
    client.send("/error", "/x", "There is no '/x'.")
    client.send("/patch/level/gain")
    assert client.hear()[0].address == "/patch/level/gain"
    assert door.counters.unmatched == 1


def test_malformed_packets_are_counted_told_once_a_second_and_nothing_stops(
    session: Session, door: Door, client: Client
) -> None:
    said: list[str] = []
    session.news.listen(lambda topic, data: said.append(data["text"]), ("log",))
    begins = time.monotonic()
    for _ in range(20):
        for data in (b"", b"abc", b"/a\0\0,i\0\0", b"\xff" * 64, b"#bundle\0" + b"\xff" * 24):
            client.send_bytes(data)
        assert client.ask("/patch/level/gain") == 0.25
    until(lambda: door.counters.malformed == 100, "all of them")
    assert said and len(said) <= time.monotonic() - begins + 1


def test_feedback_goes_to_all_who_subscribed_but_the_mover(session: Session, door: Door, client: Client) -> None:
    session.play()
    other, third = Client(door), Client(door)
    try:
        for listener in (client, other):
            listener.send("/subscribe", "/patch/*/gain")
            assert [item.address for item in listener.hear()] == ["/patch/level/gain", "/patch/other/gain"]
        third.send("/subscribe", "/patch/osc/freq", client.port)  # to another port of the same machine
        assert client.hear()[0].address == "/patch/osc/freq"
        until(lambda: len(door.status()["listeners"]) == 2, "two listeners")
        client.send("/patch/level/gain", 0.75)
        assert other.until("/patch/level/gain") == (0.75,)
        session.set("level.gain", 0.5)
        assert client.until("/patch/level/gain") == other.until("/patch/level/gain") == (0.5,)
        other.send("/unsubscribe", "/patch/*/gain")
        until(lambda: len(door.status()["listeners"]) == 1, "one listener")
    finally:
        other.close()
        third.close()


def test_messages_of_outlets_are_told_too(session: Session, client: Client) -> None:
    session.play()
    client.send("/subscribe", "/patch/n/y")
    client.send("/patch/n/x", 4.5)
    assert client.until("/patch/n/y") == (4.5,)


def test_a_listener_that_is_gone_or_does_not_renew_is_dropped(session: Session, door: Door, client: Client) -> None:
    session.play()
    gone = Client(door)
    gone.send("/subscribe", "/patch/level/gain")
    gone.hear()
    client.send("/subscribe", "/patch/level/gain")
    client.hear()
    assert len(door.status()["listeners"]) == 2
    gone.close()
    value = 0.0

    def dropped() -> bool:
        nonlocal value
        value = (value + 0.01) % 1.0
        session.set("level.gain", value)
        return len(door.status()["listeners"]) == 1

    until(dropped, "the system tells that nobody is there")
    clock = time.monotonic
    door.feedback._clock = lambda: clock() + 1_000.0
    until(lambda: not door.status()["listeners"], "its minute is over")
    until(lambda: not session.news.wanted("values"), "nobody is told for nothing")


def test_there_is_an_end_to_listeners(session: Session, door: Door, client: Client) -> None:
    for number in range(65):
        client.send("/subscribe", f"/patch/level/gain{'x' * number}*")
    assert "64 patterns" in client.until("/error")[1]
    for port in range(20_001, 20_070):
        client.send("/subscribe", "/none/such", port)
    assert "listen already" in client.until("/error")[1]


def test_the_transport_and_the_session(session: Session, client: Client, tmp_path: Path) -> None:
    client.send("/session/play")
    until(lambda: session.playing is not None and session.playing.running, "it plays")
    client.send("/transport/tempo", 96.0)
    until(lambda: session.status()["clock"]["tempo"] == 96.0, "the tempo")
    assert client.ask("/transport/tempo") == 96.0
    client.send("/transport/tempo", 9_999.0)
    assert client.until("/transport/tempo") == (1_000.0,)
    client.send("/transport/stop")
    until(lambda: not session.status()["clock"]["on"], "it stands still")
    client.send("/transport/locate", 16)
    until(lambda: session.status()["clock"]["beat"] == 16.0, "the beat")
    client.send("/transport/play", 1)
    until(lambda: session.status()["clock"]["on"], "it goes on")
    client.send("/transport/play", 0)
    until(lambda: not session.status()["clock"]["on"], "it stands still again")

    session.edit([{"do": "set", "node": "osc", "values": {"freq": 500}}])
    client.send("/session/undo")
    until(lambda: session.get("osc.freq") == 330, "undone")
    client.send("/session/redo")
    until(lambda: session.get("osc.freq") == 500, "redone")
    client.send("/session/save")
    assert client.until("/error")[0] == "/session/save", "it has no file yet"
    session.save(tmp_path / "it.ng")
    session.edit([{"do": "set", "node": "osc", "values": {"freq": 600}}])
    client.send("/session/save")
    until(lambda: '"freq": 600' in (tmp_path / "it.ng").read_text(), "saved")
    client.send("/session/stop")
    until(lambda: not session.playing.running, "it stops")


def test_an_edit_changes_the_addresses_at_once(session: Session, client: Client) -> None:
    session.play()
    client.send("/patch/level/gain", 0.5)
    session.edit([{"do": "rename", "node": "level", "to": "loud"}])
    client.send("/patch/level/gain", 0.5)
    assert client.until("/error")[0] == "/patch/level/gain"
    client.send("/patch/loud/gain", 0.625)
    assert client.ask("/patch/loud/gain") == 0.625


@pytest.mark.parametrize("framing", FRAMINGS)
def test_tcp_finds_out_how_it_is_framed_and_answers_likewise(session: Session, door: Door, framing: Framing) -> None:
    with socket.create_connection(("127.0.0.1", door.tcp_port), timeout=PATIENCE_S) as stream:
        data = frame(message("/patch/level/gain", (0.5,)), framing) + frame(message("/patch/level/gain"), framing)
        for cut in (data[:7], data[7:]):
            stream.sendall(cut)
        reader, found = framed(framing), list[bytes]()
        while not found:
            found += reader.feed(stream.recv(4_096))
        assert parse(found[0])[0].args == (0.5,)
        stream.sendall(frame(message("/subscribe", ("//gain",)), framing))
        until(lambda: len(door.status()["listeners"]) == 1, "it listens")
    until(lambda: not door.status()["listeners"] and not door.status()["connections"], "it is gone")


def test_a_stream_that_is_none_is_cut_off(door: Door) -> None:
    with socket.create_connection(("127.0.0.1", door.tcp_port), timeout=PATIENCE_S) as stream:
        stream.sendall(struct.pack(">I", 0x00FFFFFF))
        assert stream.recv(10) == b""
    assert door.counters.malformed == 1


def test_a_client_that_does_not_read_is_cut_off_and_the_others_are_served(
    session: Session, door: Door, client: Client
) -> None:
    with socket.socket() as stream:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        stream.connect(("127.0.0.1", door.tcp_port))
        stream.settimeout(0.2)
        ask = frame(message("/patch/*/gain"), "length") * 200

        def cut() -> bool:
            with suppress(OSError):
                stream.sendall(ask)
            return door.status()["connections"] == 0

        until(cut, "it is cut off")
    assert client.ask("/patch/level/gain") == 0.25


def test_a_port_in_use_an_address_of_nobody_and_an_open_door_are_named(session: Session, door: Door) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"port": door.port}, "port-in-use"),
        ({"port": None, "tcp_port": door.tcp_port}, "port-in-use"),
        ({"port": 0, "tcp_port": door.tcp_port}, "port-in-use"),
        ({"port": 0, "host": "192.0.2.1", "allow": ["192.0.2.0/24"]}, "bad-host"),
        ({"port": 70_000}, "port"),
        ({"port": 0, "host": "0.0.0.0"}, "open-to-all"),
        ({"port": 0, "host": "::"}, "open-to-all"),
    ]
    for options, code in cases:
        with pytest.raises(DeviceError) as caught:
            Door(session, **options).start()
        assert caught.value.problems[0].code == code, options
        assert caught.value.problems[0].do
    with pytest.raises(PatchError, match="no network"):
        Door(session, allow=["everywhere"])
    assert not [thread for thread in threading.enumerate() if thread.name == "osc" and thread is not door._thread]


def test_only_sources_that_are_allowed_may_send(session: Session) -> None:
    """127.0.0.2 stands in for another machine: loopback is taken off the list."""
    with Door(session, port=0, tcp_port=0, host="0.0.0.0", allow=["127.0.0.2/32"]) as door:
        door._allowed.networks = door._allowed.networks[2:]
        door._allowed._known.clear()
        refused = Client(door)
        refused.send("/patch/level/gain", 0.5)
        until(lambda: door.counters.refused == 1, "it is refused")
        where = ("127.0.0.1", door.tcp_port)
        with socket.create_connection(where, timeout=PATIENCE_S) as stream, suppress(ConnectionResetError):
            assert stream.recv(10) == b""
        until(lambda: door.counters.refused == 2, "so is the stream")
        allowed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        allowed.bind(("127.0.0.2", 0))
        allowed.sendto(message("/patch/level/gain", (0.75,)), ("127.0.0.1", door.port))
        until(lambda: session.get("level.gain") == 0.75, "it is let in")
        allowed.close()
        refused.close()


def test_a_fresh_door_listens_on_loopback_only(session: Session) -> None:
    with Door(session, port=0, tcp_port=0) as door:
        assert door._udp is not None and door._udp.sock.getsockname()[0] == "127.0.0.1"
        outside = [
            line for name in ("udp", "tcp") for line in Path(f"/proc/net/{name}").read_text().splitlines()
            if f":{door.port:04X} " in line.split()[1] + " " and not line.split()[1].startswith("0100007F")
        ]  # fmt: skip
        assert not outside


def test_time_tags_late_ones_and_those_beyond_the_horizon(session: Session) -> None:
    acts = acts_of(session)
    assert session.playing is not None
    player = session.playing.player
    now = ntp_now()
    with Door(session, port=0, timebase=Anchored(now, player.messages.handled, 48_000), horizon_s=60.0) as door:
        client = Client(door)
        handled = player.messages.handled
        soon = bundle([message("/patch/level/gain", (0.5,))], time_tag(now + 30.0))
        late = bundle([message("/patch/level/gain", (0.125,))], time_tag(now - 10.0))
        far = bundle([message("/patch/level/gain", (0.75,))], time_tag(now + 500.0))
        for data in (soon, late, far):
            client.send_bytes(data)
        until(lambda: door.counters.refused == 1 and door.counters.late == 1, "counted")
        until(lambda: len(acts) == 2, "two acts")
        assert acts[0].frame == door.timebase(player).frame_of(now + 30.0)
        assert handled <= acts[1].frame < acts[0].frame
        client.close()


def test_the_next_address_is_learned_and_forgotten(session: Session, door: Door, client: Client) -> None:
    bound: list[Any] = []
    session.patch.history.saved()
    assert door.forget("/nowhere") == 0 and not session.patch.history.changed
    door.learn("cut.cutoff", (0, 127), bound.append)
    client.send("/patch/level/gain", 0.5)  # one of our own is never learned
    client.send("/1/label", "no number")
    client.send("/1/fader3", 64)
    until(lambda: bound, "it is bound")
    assert session.patch.history.changed, "it is to be saved"
    session.patch.history.saved()
    low, high = session.parameter("cut.cutoff").control.span
    assert door.learned == [
        {"address": "/1/fader3", "to": "/patch/cut/cutoff", "from": [0.0, 127.0], "span": [low, high], "curve": "log"}
    ]
    assert session.patch.document.extra["learned"]["osc"] == door.learned
    client.send("/1/fader3", 127)
    until(lambda: session.get("cut.cutoff") == pytest.approx(high), "it moves")
    client.send("/1/fader3", 0)
    until(lambda: session.get("cut.cutoff") == pytest.approx(low), "it moves back")
    assert door.forget(to="cut.cutoff") == 1 and session.patch.history.changed
    client.send("/1/fader3", 64)
    while client.until("/error")[0] != "/1/fader3":
        pass
    assert "learned" not in session.patch.document.extra
    with pytest.raises(PatchError, match="outlet"):
        door.learn("n.y")
    with pytest.raises(PatchError, match="no span"):
        door.learn("cut.cutoff", (1, 1))
    with pytest.raises(PatchError, match="no parameter"):
        door.learn("cut.cutof")


def test_what_was_learned_comes_with_the_patch(tmp_path: Path) -> None:
    patch = Patch()
    patch.connect(patch.add("sine~", "osc"), patch.add("out~"))
    patch.document.extra["learned"] = {"osc": [{"address": "/f", "to": "/patch/osc/freq"}, "nonsense"]}
    patch.save(tmp_path / "it.ng")
    said: list[str] = []
    with Session(Patch(), report=lambda node, text: said.append(text)) as session, Door(session, port=0) as door:
        session.open(tmp_path / "it.ng")
        until(lambda: door.learned, "it is loaded")
        client = Client(door)
        client.send("/f", 500.0)
        until(lambda: session.get("osc.freq") == 500.0, "it moves")
        client.close()
    assert any("nonsense" in text for text in said)


def test_a_door_opens_and_closes_many_times_and_leaves_nothing(session: Session) -> None:
    before = threading.active_count()
    for _ in range(20):
        with Door(session, port=0, tcp_port=0) as door:
            door.start()
        door.close()
    assert threading.active_count() == before
    assert not session.news.wanted("values")
