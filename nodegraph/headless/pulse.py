"""Is the engine alive? Beats say what it does and how many frames the audio thread has played; here they are judged.

A beat is a line in a pipe: ``playing 480256``. Its number comes from the audio thread, so that an engine whose Python
beats on while its sound stands still is found out, too.
"""

from __future__ import annotations

from typing import Final

BEAT_S: Final = 0.2
"""How often the engine beats."""
PATIENCE_S: Final = 2.0
"""So long it may be without a beat: a process that is stopped, or hangs."""
SOUND_S: Final = 5.0
"""So long the sound may stand still while Python beats. Devices that hang are replaced before (`runtime.drivers`)."""
FIRST_S: Final = 20.0
"""So long Python may take to come up, until the first beat."""
STARTING_S: Final = 10.0
"""So long it may be without a beat while it comes up: large libraries are read then, at which Python waits."""
START_S: Final = 600.0
"""So long a patch may take to begin, while it beats: kernels are compiled, models read."""
STATES: Final = ("starting", "playing", "waiting", "asleep", "safe", "stopping")
"""``waiting``: nobody has asked it to play; ``asleep``: the schedule says so; ``safe``: it does not play, see why."""


class Pulse:
    """One engine's, from its start on. Times are those of a monotonic clock."""

    def __init__(
        self, now: float, patience_s: float = PATIENCE_S, sound_s: float = SOUND_S, first_s: float = FIRST_S
    ) -> None:
        """`first_s` may pass until the first beat."""
        self.patience_s, self.sound_s, self.first_s = patience_s, sound_s, first_s
        self.state = "starting"
        self.done = -1
        self.advances = 0
        """How many beats told of sound that went on."""
        self._began = self._heard = self._moved = now
        self._beaten = False

    def hear(self, line: str, now: float) -> bool:
        """A beat; gives whether what should go on goes on: the sound while it plays, else the beat itself."""
        state, _, number = line.strip().partition(" ")
        if state not in STATES or not number.lstrip("-").isdigit():
            return False
        done = int(number)
        moved = done != self.done and self.state == state == "playing"
        if state != self.state or done != self.done:
            self._moved = now
        self.advances += moved
        self.state, self.done, self._heard, self._beaten = state, done, now, True
        return moved if state == "playing" else state in ("waiting", "asleep", "safe")

    @property
    def came_up(self) -> bool:
        """Whether it does what it was started for: sound has gone on, or it waits."""
        return bool(self.advances) or self.state in ("waiting", "asleep", "safe")

    def excuse(self, now: float) -> None:
        """Whoever listens was away: nothing that was missed meanwhile counts."""
        self._heard = self._moved = now

    def fault(self, now: float) -> str:
        """Why it cannot go on like this; empty as long as it can."""
        patience = self.patience_s
        if self.state == "starting":
            patience = max(patience, STARTING_S if self._beaten else self.first_s)
        if now - self._heard > patience:
            return f"it has not moved for {now - self._heard:.1f} s"
        if self.state == "starting" and now - self._began > START_S:
            return f"the patch has not begun within {START_S:g} s"
        if self.state == "playing" and self._heard - self._moved > self.sound_s:
            return f"the sound has stood still for {self._heard - self._moved:.1f} s"
        return ""


class Crashes:
    """When an engine has died too often, and how long to wait before the next one."""

    WITHIN_S: Final = 60.0
    FIRST_S: Final = 0.05
    LONGEST_S: Final = 10.0

    def __init__(self, safe_after: int = 3) -> None:
        """`safe_after` crashes within a minute it is opened without playing; 0: never."""
        self.safe_after = safe_after
        self._times: list[float] = []
        self._pause = self.FIRST_S

    def add(self, now: float, came_up: bool) -> float:
        """One more; gives how many seconds to wait. An engine that never came up is waited for longer and longer."""
        self._times = [time for time in self._times if now - time < self.WITHIN_S] + [now]
        self._pause = self.FIRST_S if came_up else min(max(2.0 * self._pause, 0.25), self.LONGEST_S)
        return self._pause

    @property
    def too_many(self) -> bool:
        """Whether the last one was one too many."""
        return 0 < self.safe_after <= len(self._times)

    def forget(self) -> None:
        """Begin to count anew."""
        self._times.clear()
        self._pause = self.FIRST_S

    def __len__(self) -> int:
        return len(self._times)
