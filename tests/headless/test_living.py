"""`nodegraph run --headless` with a real engine on the null driver: it comes back as it was, and ends in order."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nodegraph import Patch
from nodegraph.headless.health import CONTENT_TYPE
from nodegraph.headless.places import take_lock
from tests.cli.conftest import Command, nodegraph
from tests.headless.conftest import TONE, Service, until

__all__ = ["nodegraph"]
TOKEN = "a-token-of-the-tests-own-0123456789"
MOVED = {"/patch/osc/freq": 441.5, "/patch/level/gain": 0.125}


def with_state(service: Service, **changes: object) -> None:
    """Let it play once, and then change what it keeps."""
    service.start("--autostart")
    service.playing()
    assert service.end()[0] == 0, service.log()
    service.place.state.write_text(json.dumps(service.state() | changes))


def test_it_plays_answers_and_ends_with_its_state_kept(service: Service) -> None:
    service.start("--autostart", "--serve", "0", NODEGRAPH_TOKEN=TOKEN)
    assert service.playing()["health"] == "ok"
    code, text = service.get("/metrics")
    assert code == 200 and "nodegraph_playing 1\n" in text
    assert service.get("/nothing")[0] == 404
    panel = until(lambda: re.search(r"the panel: (http://127\.0\.0\.1:\d+)/", service.log()), "the panel")[1]
    with urllib.request.urlopen(f"{panel}/health") as answer:
        assert json.load(answer) == {"ok": True, "playing": True, "health": "ok"}
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{panel}/metrics")
    asked = urllib.request.Request(f"{panel}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(asked) as answer:
        assert answer.headers["Content-Type"] == CONTENT_TYPE
        assert "nodegraph_playing 1\n" in answer.read().decode()
    code, err = service.end()
    assert code == 0 and "Traceback" not in err, err
    state = service.state()
    assert state["playing"] and state["given"] == str(service.patch) and not state["unsaved"]
    assert state["patch"] == str(Patch.open(service.patch))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_it_comes_back_as_it_was(service: Service, number: int) -> None:
    clock = {"on": 1.0, "tempo": 97.0, "beat": 12.0}
    with_state(service, values=MOVED, preset="dawn", clock=clock)
    service.start("--autostart", "--patience", "3")
    assert service.playing()["preset"] == "dawn"
    before = service.state()["at"]
    os.kill(service.engine(), number)
    assert service.playing(restarts=1)["preset"] == "dawn"
    state = until(lambda: (found := service.state())["at"] > before and found, "a newer state")
    assert state["values"] == MOVED and state["preset"] == "dawn" and state["clock"]["tempo"] == 97.0
    assert service.end()[0] == 0


def test_edits_that_were_never_saved_come_back(service: Service) -> None:
    edited = Patch.open(service.patch)
    edited.set("level.gain", 0.0625)
    edited.add("noise~", "wind")
    with_state(service, patch=str(edited), unsaved=True)
    service.start("--autostart")
    service.playing()
    assert service.end()[0] == 0
    assert service.state()["patch"] == str(edited) and service.state()["unsaved"]
    assert service.patch.read_text() == TONE, "the patch's own file is nobody's but the user's"


def test_a_patch_that_was_changed_meanwhile_is_taken(service: Service) -> None:
    with_state(service, values=MOVED)
    other = Patch.open(service.patch)
    other.remove("level")
    other.connect("osc", "out")
    other.save()
    service.start("--autostart")
    service.playing()
    assert service.end()[0] == 0
    assert service.state()["patch"] == str(other)
    assert service.state()["values"] == {"/patch/osc/freq": 441.5}, "what is still there stays where it was moved to"


def test_a_state_that_cannot_be_read_is_put_aside(service: Service) -> None:
    service.place.made().state.write_text('{"nodegraph_state": 1, "patch"')
    service.start("--autostart")
    service.playing()
    assert "cannot be read" in service.log()
    assert service.place.state.with_name("state-aside.json").read_text() == '{"nodegraph_state": 1, "patch"'
    assert service.end()[0] == 0


def test_a_state_that_does_not_play_is_put_aside(service: Service) -> None:
    text = str(Patch.open(service.patch)).replace('"kind": "sine~"', '"kind": "no-such-kind~"')
    with_state(service, patch=text, unsaved=True)
    service.start("--autostart")
    service.playing()
    assert "the kept state does not play" in service.log()
    assert json.loads(service.place.state.with_name("state-aside.json").read_text())["patch"] == text
    assert service.end()[0] == 0


def test_without_autostart_it_waits(service: Service) -> None:
    service.start()
    health = until(lambda: (found := service.health()) and found["mode"] == "waiting" and found, "a waiting engine")
    assert not health["playing"] and health["health"] == "ok"
    assert service.end()[0] == 0


def test_a_second_engine_of_the_same_service_is_refused(service: Service) -> None:
    service.start("--autostart")
    service.playing()
    assert service.process is not None
    second = Service(service.patch, service.root).start("--autostart")
    assert second.process is not None
    _, err = second.process.communicate(timeout=60)
    assert second.process.returncode == 2
    assert f"The service 'show' is being played already, by process {service.process.pid}." in err
    assert "Traceback" not in err
    service.playing()
    assert service.end()[0] == 0


def test_the_third_crash_opens_it_without_playing(service: Service) -> None:
    service.start("--autostart")
    for restarts in range(3):
        service.playing(restarts=restarts)
        kept = service.state()
        os.kill(service.engine(), signal.SIGKILL)
    health = until(lambda: (found := service.health()) and found["mode"] == "safe" and found, "safe mode")
    assert health["health"] == "failed" and health["reasons"][0]["code"] == "safe-mode"
    assert "3 times within a minute" in health["reasons"][0]["what"] and not health["playing"]
    assert service.get("/health")[0] == 503
    assert service.state()["patch"] == kept["patch"] and service.state()["playing"], "the state stays for who looks"
    assert service.process is not None
    service.process.send_signal(signal.SIGHUP)
    service.playing(restarts=4)
    assert service.end()[0] == 0


def test_a_patch_that_is_not_there_is_said_at_once(service: Service) -> None:
    service.patch.unlink()
    service.start("--autostart")
    assert service.process is not None
    _, err = service.process.communicate(timeout=60)
    assert service.process.returncode == 2 and "no such file" in err, err


def test_a_patch_that_does_not_play_is_said_once(service: Service) -> None:
    service.patch.write_text(TONE.replace("sine~", "no-such-kind~"))
    service.start("--autostart")
    assert service.process is not None
    _, err = service.process.communicate(timeout=60)
    assert service.process.returncode == 2 and "no-such-kind~" in err and "Traceback" not in err, err
    assert "starts again" not in service.log()


def test_a_patch_that_is_gone_at_a_restart_plays_from_the_state(service: Service) -> None:
    service.start("--autostart")
    service.playing()
    service.patch.unlink()
    os.kill(service.engine(), signal.SIGKILL)
    service.playing(restarts=1)
    assert "it is played from the kept state" in service.log()
    assert service.end()[0] == 0


def test_it_is_asleep_outside_its_hours(service: Service) -> None:
    now = datetime.now()
    words = [(now + timedelta(hours=hours)).strftime("%H:%M") for hours in (3, 5)]
    service.start("--from", words[0], "--until", words[1])
    health = until(lambda: (found := service.health()) and found["mode"] == "asleep" and found, "sleep")
    assert not health["playing"] and health["health"] == "ok"
    assert health["next_change"] > now.timestamp()
    assert service.end()[0] == 0


def test_it_plays_within_its_hours(service: Service) -> None:
    now = datetime.now()
    words = [(now + timedelta(hours=hours)).strftime("%H:%M") for hours in (-3, 3)]
    service.start("--from", words[0], "--until", words[1])
    service.playing()
    assert service.end()[0] == 0


def test_a_port_in_use_stops_nothing(service: Service) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        service.start("--autostart", "--health", other.getsockname()[1])
        until(lambda: "it is in use" in service.log(), "a word about the port")
        until(lambda: service.state().get("playing"), "sound all the same")
    until(lambda: service.health().get("playing"), "an answer when the port is free")
    assert service.end()[0] == 0


def test_without_a_sound_device_it_begins_and_says_so(service: Service) -> None:
    service.start("--autostart", driver="jack", JACK_DEFAULT_SERVER="no-such-server", JACK_NO_START_SERVER="1")
    health = service.playing()
    assert health["health"] == "degraded" and health["reasons"][0]["code"] == "device-gone", health
    assert "plays without it until it comes" in service.log()
    assert service.end()[0] == 0


def test_the_lock_is_free_only_when_the_engine_is_gone_too(service: Service) -> None:
    service.start("--autostart")
    service.playing()
    assert service.process is not None
    engine = service.engine()
    os.kill(engine, signal.SIGSTOP)
    service.process.kill()
    service.process.wait()
    with pytest.raises(OSError):
        take_lock(service.place.lock)
    os.kill(engine, signal.SIGKILL)

    def free() -> bool:
        try:
            os.close(take_lock(service.place.lock))
        except OSError:
            return False
        return True

    until(free, "a free lock")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--autostart"], "--autostart: only with --headless"),
        (["--from", "09:00", "--until", "10:00"], "--from, --until: only with --headless"),
        (["--headless", "--record", "a.wav"], "--record does not go with --headless"),
        (["--headless", "--from", "09:00"], "belong together"),
        (["--headless", "--from", "9", "--until", "10:00"], "is no time"),
        (["--headless", "--days", "someday"], "no day of the week"),
        (["--headless", "--zone", "Nowhere/At-all", "--days", "mon"], "no time zone"),
        (["--headless", "--zone", "UTC"], "--zone is about times"),
        (["--headless", "--health", "70000"], "is no port"),
        (["--headless", "--autosave", "0"], "cannot be"),
        (["--headless", "--name", "../x"], "cannot be a service's name"),
    ],
)
def test_options_that_cannot_be(tone: Path, nodegraph: Command, words: list[str], says: str) -> None:
    said = nodegraph("run", tone, *words)
    assert said.code == 2 and says in said.err, said
