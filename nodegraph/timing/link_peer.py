"""Ableton Link in a process of its own: ``python -m nodegraph.timing.link_peer BPM QUANTUM BEAT AT START_STOP``.

It says on its standard output, one JSON object a line, where Link is, and takes on its standard input what the patch
changes. So the engine's process loads none of Link's code (GPL), and a fault there ends nothing but the following.
`BEAT` is the patch's at the monotonic time `AT`; a session that others have begun already goes on as it is.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import threading
import time
from typing import Any, Final

EVERY_S: Final = 0.05
LOOKS: Final = 5
"""Link is asked so often at once, and the look that took the shortest counts."""


def state(link: Any, seen: int) -> dict[str, Any]:
    """Where it is, at a monotonic time."""
    found = []
    for _ in range(LOOKS):
        before = time.monotonic()
        beat = link.beat
        after = time.monotonic()
        found.append((after - before, 0.5 * (before + after), beat))
    _, at, beat = min(found)
    return {"at": at, "beat": beat, "bpm": link.tempo, "on": link.playing, "peers": link.num_peers, "seen": seen}


def say(data: dict[str, Any]) -> None:
    """One line."""
    sys.stdout.write(json.dumps(data) + "\n")
    sys.stdout.flush()


async def main(bpm: float, quantum: float, beat: float, at: float, start_stop: bool) -> None:
    """Take part until the standard input ends."""
    link = importlib.import_module("aalink").Link(bpm)
    link.quantum = quantum
    link.start_stop_sync_enabled = start_stop
    link.force_beat(beat + (time.monotonic() - at) * bpm / 60.0)
    link.enabled = True
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    seen = 0

    def obey(line: str) -> None:
        nonlocal seen
        data = json.loads(line)
        if "bpm" in data:
            link.tempo = data["bpm"]
        if "on" in data:
            link.playing = data["on"]
        seen = data["number"]
        say(state(link, seen))

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(obey, line)
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=read, daemon=True).start()
    while not over.is_set():
        say(state(link, seen))
        try:
            await asyncio.wait_for(over.wait(), EVERY_S)
        except TimeoutError:
            continue
    link.enabled = False


if __name__ == "__main__":
    try:
        numbers = [float(word) for word in sys.argv[1:5]]
        asyncio.run(main(numbers[0], numbers[1], numbers[2], numbers[3], sys.argv[5:] == ["1"]))
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(0)
