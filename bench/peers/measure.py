"""CPU time of other programs, without what they spend on starting."""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

WORK: Final = Path(__file__).parents[1] / "work"
SHORT_S: Final = 2
LONG_S: Final = {"b1": 22, "b2": 22, "b3": 32, "b4": 302, "b5": 32, "b6": 32, "b7": 102, "b8": 152, "b9": 102}
"""How long the long run is: the cheaper the patch, the longer, so that it costs half a second of CPU or more."""


class PeerFailed(Exception):
    """A peer ended with an error; the text is what it said."""


def work(name: str) -> Path:
    """A folder for one peer's patches and sounds."""
    path = WORK / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def cpu_of(command: Sequence[str | Path], folder: Path) -> float:
    """User and system seconds that the command spent, its own children included."""
    log = folder / "said.txt"
    with log.open("wb") as said:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise PeerFailed(f"{command[0]} ended with {process.returncode}:\n{log.read_text(errors='replace')[-2000:]}")
    return used.ru_utime + used.ru_stime


def slope(patch: str, command: Callable[[int], Sequence[str | Path]], folder: Path) -> float:
    """CPU seconds a second of sound, from a short and a long run of command(seconds)."""
    long_s = LONG_S[patch]
    return (cpu_of(command(long_s), folder) - cpu_of(command(SHORT_S), folder)) / (long_s - SHORT_S)
