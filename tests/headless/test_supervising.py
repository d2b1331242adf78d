"""The supervising process, over engines that beat as they are told: what it takes for dead, and what it does then."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nodegraph.headless.pulse import FIRST_S, START_S, STARTING_S, Crashes, Pulse
from tests.headless.conftest import ROOT, until

FAKES = Path(__file__).with_name("supervise_fakes.py")


class Watched:
    """A supervising process over fakes, and what it has done."""

    def __init__(
        self, folder: Path, *behaviours: str, environment: dict[str, str] | None = None, **options: Any
    ) -> None:
        self.folder = folder
        options = {"patience_s": 20.0, **options}
        self.process = subprocess.Popen(
            [sys.executable, str(FAKES), str(folder), json.dumps(options), *behaviours], stderr=subprocess.PIPE,
            text=True, env=os.environ | {"PYTHONPATH": str(ROOT)} | (environment or {}),
        )  # fmt: skip

    def engines(self) -> list[list[str]]:
        """Of each engine: behaviour, process, what it was told."""
        path = self.folder / "engines"
        return [line.split(" ", 2) for line in path.read_text().splitlines()] if path.exists() else []

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def wait_for(self, engines: int) -> list[str]:
        return until(lambda: (found := self.engines()) and len(found) >= engines and found, "engines")[-1]

    def wait_said(self, text: str) -> None:
        until(lambda: text in self.log(), f"{text!r} in the log")

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=60)
        return self.process.returncode

    def close(self) -> None:
        for _, process, _ in self.engines():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(process), signal.SIGKILL)
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    made: list[Watched] = []

    def make(*behaviours: str, **options: Any) -> Watched:
        made.append(Watched(tmp_path, *behaviours, **options))
        return made[-1]

    yield make
    for watched in made:
        watched.close()


def test_an_engine_that_dies_is_started_again_and_told_so(watch: Callable[..., Watched]) -> None:
    watched = watch("dies", "plays")
    told = json.loads(watched.wait_for(2)[2])
    assert (told["restarts"], told["safe"], told["ever"]) == (1, "", True)
    watched.wait_said("killed by SIGKILL; it starts again.")
    assert "warning -       what a library says" in watched.log(), "its last words are in the log"
    assert watched.end() == 0


def children(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_a_spare_engine_takes_the_place_of_one_that_dies(watch: Callable[..., Watched]) -> None:
    watched = watch("plays")
    first = int(watched.wait_for(1)[1])
    both = until(lambda: (found := children(watched.process.pid)) and len(found) == 2 and found, "a spare one")
    assert both[0] == first and len(watched.engines()) == 1, "it waits, and has been told nothing"
    os.kill(first, signal.SIGKILL)
    assert int(watched.wait_for(2)[1]) == both[1]
    os.kill(until(lambda: (found := children(watched.process.pid))[1:] and found[1], "a new spare one"), signal.SIGKILL)
    os.kill(both[1], signal.SIGKILL)
    watched.wait_for(3)
    assert watched.end() == 0


def test_it_can_do_without(watch: Callable[..., Watched]) -> None:
    watched = watch("plays", spare=False, patience_s=1.0)
    first = int(watched.wait_for(1)[1])
    os.kill(first, signal.SIGSTOP)
    watched.wait_for(2)
    assert len(children(watched.process.pid)) == 1
    assert watched.end() == 0


def test_an_engine_whose_sound_stands_still_is_ended_although_its_python_beats(watch: Callable[..., Watched]) -> None:
    watched = watch("still", "plays", sound_s=0.5)
    watched.wait_for(2)
    watched.wait_said("the sound has stood still for")
    assert watched.end() == 0


@pytest.mark.parametrize("way", ["stopped", "silent"])
def test_an_engine_without_a_beat_is_ended(watch: Callable[..., Watched], way: str) -> None:
    watched = watch("silent" if way == "silent" else "plays", "plays", patience_s=1.0)
    first = int(watched.wait_for(1)[1])
    if way == "stopped":
        os.kill(first, signal.SIGSTOP)
    watched.wait_for(2)
    watched.wait_said("it has not moved for")
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    assert watched.end() == 0


def test_the_third_crash_opens_in_safe_mode_and_sighup_leaves_it(watch: Callable[..., Watched]) -> None:
    watched = watch("dies")
    safe = json.loads(watched.wait_for(4)[2])
    assert "3 times within a minute" in safe["safe"] and "killed by SIGKILL" in safe["safe"], safe
    watched.wait_said("It opens without playing")
    watched.process.send_signal(signal.SIGHUP)
    assert json.loads(watched.wait_for(5)[2])["safe"] == ""
    assert watched.end() == 0


def test_safe_mode_can_be_ruled_out(watch: Callable[..., Watched]) -> None:
    watched = watch("dies", safe_after=0)
    assert json.loads(watched.wait_for(6)[2])["safe"] == ""


def test_what_the_user_must_mend_is_not_tried_again(watch: Callable[..., Watched]) -> None:
    watched = watch("wrong")
    _, err = watched.process.communicate(timeout=60)
    assert watched.process.returncode == 2 and len(watched.engines()) == 1
    assert "The patch is not there." in err


def test_what_goes_wrong_later_is_tried_again(watch: Callable[..., Watched]) -> None:
    watched = watch("dies", "wrong", "plays")
    watched.wait_for(3)
    assert watched.end() == 0


def test_an_engine_that_comes_to_its_end_ends_the_service(watch: Callable[..., Watched]) -> None:
    watched = watch("ends")
    watched.process.communicate(timeout=60)
    assert watched.process.returncode == 0 and len(watched.engines()) == 1


def test_ctrl_c_ends_it_as_it_ends_a_run(watch: Callable[..., Watched]) -> None:
    watched = watch("plays")
    watched.wait_for(1)
    assert watched.end(signal.SIGINT) == 130


def test_a_supervisor_that_is_killed_takes_its_engine_along(watch: Callable[..., Watched]) -> None:
    watched = watch("plays")
    engine = int(watched.wait_for(1)[1])
    watched.process.kill()
    watched.process.communicate()

    def gone() -> bool:
        try:
            os.kill(engine, 0)
        except ProcessLookupError:
            return True
        return Path(f"/proc/{engine}/stat").read_text().split()[2] == "Z"  # nobody here waits for orphans

    until(gone, "the engine's end")


def test_a_supervisor_that_was_stopped_does_not_blame_the_engine(watch: Callable[..., Watched]) -> None:
    watched = watch("plays", patience_s=1.5)
    watched.wait_for(1)
    watched.process.send_signal(signal.SIGSTOP)
    with pytest.raises(subprocess.TimeoutExpired):
        watched.process.wait(3.0)  # longer than the patience
    watched.process.send_signal(signal.SIGCONT)
    assert watched.end() == 0
    assert len(watched.engines()) == 1, watched.log()


def test_systemd_is_told_what_goes_on(watch: Callable[..., Watched], tmp_path: Path) -> None:
    for name in (str(tmp_path / "notify"), f"@nodegraph-test-{os.getpid()}"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.bind("\0" + name[1:] if name.startswith("@") else name)
            door.settimeout(60)
            watched = watch("plays", environment={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "2000000"})
            first = door.recv(4096).decode().splitlines()
            assert first[:2] == ["READY=1", "WATCHDOG=1"] and first[2] == "STATUS=Playing."
            assert "WATCHDOG=1" in door.recv(4096).decode()
            watched.process.send_signal(signal.SIGTERM)
            told = ""
            while "STOPPING=1" not in told:
                told = door.recv(4096).decode()
            watched.process.communicate(timeout=60)
            watched.close()


def test_the_watchdog_is_not_answered_while_the_sound_stands_still(
    watch: Callable[..., Watched], tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(tmp_path / "notify"))
        watched = watch("still", environment={"NOTIFY_SOCKET": str(tmp_path / "notify")}, sound_s=1.0)
        watched.wait_for(2)
        door.setblocking(False)
        told = []
        try:
            while True:
                told.append(door.recv(4096).decode())
        except BlockingIOError:
            pass
        answered = [text for text in told if "WATCHDOG=1" in text]
        assert not answered and not any("READY=1" in text for text in told), told


def test_it_is_small() -> None:
    """Neither numpy nor anything of ours but its own few modules is loaded by it."""
    program = "import sys, nodegraph.headless.supervising\nprint(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    loaded = set(done.stdout.split())
    ours = {name for name in loaded if name.startswith("nodegraph")}
    assert ours == {"nodegraph", "nodegraph.headless"} | {
        f"nodegraph.headless.{name}" for name in ("logs", "notify", "places", "pulse", "supervising")
    }
    assert not loaded & {"numpy", "asyncio", "argparse", "logging", "platformdirs", "inspect"}


# the judgement, without processes


def test_a_beat_that_tells_of_sound() -> None:
    pulse = Pulse(0.0)
    assert not pulse.hear("starting -1", 0.1) and not pulse.came_up
    assert pulse.hear("playing 0", 0.2) is False, "only that it begins"
    assert pulse.hear("playing 4800", 0.3) and pulse.came_up
    assert not pulse.hear("playing 4800", 0.4)
    assert not pulse.hear("nonsense", 0.5) and not pulse.hear("playing x", 0.5)
    assert pulse.hear("asleep 4800", 0.6) and pulse.hear("asleep 4800", 0.7)


def test_each_fault_has_its_time() -> None:
    pulse = Pulse(0.0, patience_s=2.0, sound_s=5.0)
    assert not pulse.fault(FIRST_S) and pulse.fault(FIRST_S + 0.1)
    pulse.hear("starting -1", 1.0)
    assert not pulse.fault(1.0 + STARTING_S) and pulse.fault(1.1 + STARTING_S)
    pulse.hear("starting -1", START_S + 1.0)
    assert "has not begun" in pulse.fault(START_S + 1.0)
    pulse.hear("playing 0", 1_000.0)
    assert not pulse.fault(1_002.0) and "has not moved" in pulse.fault(1_002.1)
    pulse.excuse(1_003.0)
    assert not pulse.fault(1_004.0)
    for second in range(1_004, 1_009):
        pulse.hear("playing 0", float(second))
        assert not pulse.fault(float(second))
    pulse.hear("playing 0", 1_009.0)
    assert "stood still" in pulse.fault(1_009.0)
    pulse.hear("asleep 0", 1_010.0)
    pulse.hear("asleep 0", 1_100.0)
    assert not pulse.fault(1_100.0), "who sleeps makes no sound"


def test_crashes_are_counted_within_a_minute_and_early_ones_wait_longer() -> None:
    crashes = Crashes(3)
    waits = [crashes.add(float(now), came_up=False) for now in range(0, 200, 25)]
    assert waits == sorted(waits) and waits[-1] == Crashes.LONGEST_S
    assert crashes.too_many
    crashes = Crashes(3)
    assert [crashes.add(40.0 * number, came_up=True) for number in range(9)] == [Crashes.FIRST_S] * 9
    assert not crashes.too_many, "never three within a minute"
