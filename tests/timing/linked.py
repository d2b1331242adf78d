"""What test_link runs in a network of its own: two sessions in processes of their own, and a third peer that is plain
aalink. ``python -m tests.timing.linked``; prints what it found as JSON."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

PATIENCE_S = 60.0
IN_A_ROW = 10
NEAR_MS = 1.0


def player(tempo: float, block: int, start_stop: bool) -> None:
    """A session that follows Link; a line asks for what it is, or what it is to do."""
    from nodegraph import Patch
    from nodegraph.session.session import Session

    patch = Patch()
    patch.add("transport", "time", tempo=tempo)
    patch.connect(patch.add("phase~", "ramp"), patch.add("out~", "out"))
    with Session(patch, driver="null", block=block) as session:
        session.follow("link", start_stop=start_stop)
        session.play()
        for line in sys.stdin:
            asked = json.loads(line)
            if asked:
                session.transport(**asked)
            playing, found = session.playing, dict[str, Any]()
            assert playing is not None

            def look(playing: Any = playing, found: dict[str, Any] = found) -> None:
                clock, frame = playing.player.messages.clock, playing.player.messages.handled
                at = playing.timebase.time_of(frame) + playing.status()["latency_s"]
                found.update(at=at, beat=clock.beat_at(frame), bpm=clock.tempo_at(frame), on=clock.playing)

            playing.call(look)
            clock = session.status()["clock"]
            sys.stdout.write(json.dumps(found | {"follows": clock["follows"]}) + "\n")
            sys.stdout.flush()


class Other:
    """A session in another process."""

    def __init__(self, tempo: float, block: int, start_stop: bool = False) -> None:
        words = [sys.executable, "-m", "tests.timing.linked", str(tempo), str(block), str(int(start_stop))]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **wanted: Any) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(wanted) + "\n")
        self.process.stdin.flush()
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Plain:
    """aalink by itself."""

    def __init__(self, tempo: float, start_stop: bool) -> None:
        self.link: Any = None
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()

        async def begin() -> None:
            from aalink import Link

            self.link = Link(tempo)
            self.link.quantum = 4.0
            self.link.start_stop_sync_enabled = start_stop
            self.link.enabled = True
            ready.set()

        def run() -> None:
            asyncio.set_event_loop(self.loop)
            self.loop.create_task(begin())
            self.loop.run_forever()

        threading.Thread(target=run, daemon=True).start()
        assert ready.wait(PATIENCE_S)

    def ask(self) -> dict[str, Any]:
        looks = []
        for _ in range(5):
            before = time.monotonic()
            beat = self.link.beat
            after = time.monotonic()
            looks.append((after - before, 0.5 * (before + after), beat))
        _, at, beat = min(looks)
        return {"at": at, "beat": beat, "bpm": self.link.tempo, "on": self.link.playing}


def apart_ms(one: dict[str, Any], other: dict[str, Any]) -> float:
    """How far the second is ahead within a bar of four, at the time of the first."""
    then = other["beat"] + (one["at"] - other["at"]) * other["bpm"] / 60.0
    return float(((then - one["beat"] + 2.0) % 4.0 - 2.0) * 60_000.0 / one["bpm"])


def until(look: Callable[[], tuple[bool, Any]], in_a_row: int = 1) -> tuple[bool, list[Any]]:
    """Look until it is so, so many times in a row. Whether that came, and the last looks."""
    end, found, row = time.monotonic() + PATIENCE_S, list[Any](), 0
    while row < in_a_row and time.monotonic() < end:
        good, said = look()
        row = row + 1 if good else 0
        found.append(said)
        time.sleep(0.05)
    return row >= in_a_row, found[-in_a_row:]


def together(one: Other, other: Other, plain: Plain, bpm: float | None) -> tuple[bool, list[Any]]:
    """Whether all three have one tempo and one phase."""

    def look() -> tuple[bool, Any]:
        a, b, c = one.ask(), other.ask(), plain.ask()
        apart = [apart_ms(a, b), apart_ms(a, c), apart_ms(b, c)]
        tempo = c["bpm"] if bpm is None else bpm
        good = all(abs(item) < NEAR_MS for item in apart) and all(abs(x["bpm"] - tempo) < 0.2 for x in (a, b, c))
        return good and a["follows"]["peers"] == 2, {"apart_ms": apart, "bpm": [x["bpm"] for x in (a, b, c)]}

    return until(look, IN_A_ROW)


def main() -> None:
    found: dict[str, Any] = {}
    one, plain = Other(100.0, 256), Plain(117.0, False)
    other = Other(133.0, 1_024)
    found["met"] = together(one, other, plain, None)
    other.ask(tempo=90.0)
    found["a session leads"] = together(one, other, plain, 90.0)
    plain.link.tempo = 141.0
    found["another leads"] = together(one, other, plain, 141.0)
    before = one.ask()
    for process in (one, other):
        process.close()
    found["jumps"] = before["follows"]["jumps"]
    plain.link.enabled = False

    one, plain = Other(120.0, 256, True), Plain(120.0, True)
    until(lambda: (one.ask()["follows"].get("peers") == 1, None))
    stopped = until(lambda: (not one.ask()["on"], None))[0]  # nobody plays in the session that it joins
    plain.link.playing = True
    started = until(lambda: (one.ask()["on"], None))[0]
    near = until(lambda: (abs(apart_ms(one.ask(), plain.ask())) < NEAR_MS, None), 3)[0]
    one.ask(play=False)
    led = until(lambda: (not plain.link.playing, None))[0]
    found["start and stop"] = [stopped, started, near, led]
    one.close()
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        player(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1")
    else:
        main()
