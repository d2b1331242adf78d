"""What is seen of the signals of one engine: how loud each is, and the last samples of those that are probed.

All methods are called on the player's thread, but for what is read of `gauges` and of a probe.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from nodegraph.runtime.compile.gauges import Gauges, Probe
from nodegraph.runtime.native import words as w
from nodegraph.runtime.renaming import Names


class Probes:
    """The probes of one engine: they stay over its edits."""

    def __init__(self, words: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        """`words` are the engine's block."""
        self.watched = False
        """Whether schedules that are compiled from now on measure every signal with a cable."""
        self.gauges: Gauges | None = None
        """What the signals with cables are like, while they are watched."""
        self._words = words
        self._epoch = 0
        self._probes: dict[Probe, None] = {}
        self._left: deque[tuple[int, int, Probe]] = deque()

    def add(self, node: str, outlet: str) -> Probe:
        """Keep the last samples of an outlet from now on, as long as it is watched."""
        made = Probe((node, outlet), self._words.ctypes.data)
        self._probes[made] = None
        if self.gauges is not None:
            self.gauges.probe(made)
        return made

    def remove(self, probe: Probe) -> None:
        """Keep them no more."""
        if self._probes.pop(probe, self) is None:
            if self.gauges is not None:
                self.gauges.only(list(self._probes))
            self._left.append((int(self._words[w.CALLBACKS]), self._epoch, probe))

    def __len__(self) -> int:
        """How many there are, with those that the audio thread may still write to."""
        return len(self._probes) + len(self._left)

    @property
    def settled(self) -> bool:
        """Whether the schedule that was installed last is the one that plays."""
        return int(self._words[w.EPOCH_SEEN]) == self._epoch

    def follow(self, gauges: Gauges | None, epoch: int) -> None:
        """Another schedule is installed."""
        self.gauges, self._epoch = gauges, epoch
        if gauges is not None:
            gauges.only(list(self._probes))

    def rename(self, names: Names) -> None:
        """Nodes have other ids from now on."""
        for probe in self._probes:
            probe.port = names.get(probe.port[0], probe.port[0]), probe.port[1]

    def release(self, epoch: int) -> None:
        """The audio thread plays `epoch`: let go of the probes that it has left."""
        while self._left and self._left[0][1] <= epoch and self._left[0][0] + 2 <= self._words[w.CALLBACKS]:
            self._left.popleft()
