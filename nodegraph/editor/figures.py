"""How it plays, in figures: what the engine tells again and again, kept for those who draw it, with a past."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import log10
from typing import TYPE_CHECKING, Any, Final

from nodegraph.editor.texts import cut

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

METERS_S: Final = 0.1
STATUS_S: Final = 1.0
REMEMBERED: Final = 120
"""Measurements that are kept: two minutes."""
FLOOR_DB: Final = -60.0
SILENT: Final = 1e-3
FALL_DB_S: Final = 30.0
"""How fast a meter falls: a peak is seen."""


def _past() -> deque[float]:
    return deque(maxlen=REMEMBERED)


@dataclass
class LanePast:
    """What one listener's model took, and how often it came too late, a second apart."""

    inference_ms: deque[float] = field(default_factory=_past)
    misses: deque[float] = field(default_factory=_past)
    missed: int = 0


class Figures:
    """The figures of one editor's engine."""

    def __init__(self, editing: Editing, now: Callable[[], float] = time.monotonic) -> None:
        self.editing = editing
        self.status: Mapping[str, Any] = {}
        """The last that the engine told of how it plays (docs/server.md); empty before."""
        self.meters: Mapping[str, Any] = {}
        self.load: deque[float] = _past()
        self.xruns: deque[float] = _past()
        """Blocks that were lost, a second apart."""
        self.lanes: dict[str, LanePast] = {}
        self.version = 0
        """Another number whenever the status is another."""
        self._now = now
        self._lost: int | None = None
        self._levels: dict[str, list[float]] = {"inputs": [], "outputs": []}
        self._at = now()
        editing.hear("meters", self._metered, period=METERS_S)
        editing.hear("status", self._told, period=STATUS_S)
        editing.hear("playing", self._plays)

    # -- what comes

    def _plays(self, data: Mapping[str, Any]) -> None:
        if not data["playing"]:
            self.status, self.meters = {}, {}
        self._lost = None
        self._levels = {"inputs": [], "outputs": []}
        self.version += 1

    def _metered(self, data: Mapping[str, Any]) -> None:
        self.meters = data if data.get("playing") else {}
        now = self._now()
        fallen, self._at = FALL_DB_S * (now - self._at), now
        for name, held in self._levels.items():
            peaks = self.meters.get(name, [])
            before = held if len(held) == len(peaks) else [FLOOR_DB] * len(peaks)
            self._levels[name] = [
                max(decibels(peak), level - fallen, FLOOR_DB) for peak, level in zip(peaks, before, strict=True)
            ]

    def _told(self, data: Mapping[str, Any]) -> None:
        self.version += 1
        self.status = data if data.get("playing") else {}
        if not self.status:
            return
        self.load.append(float(data["load"]))
        xruns = int(data["xruns"])
        self.xruns.append(float(max(0, xruns - self._lost)) if self._lost is not None else 0.0)
        self._lost = xruns
        listeners = data.get("listeners", {})
        for node in self.lanes.keys() - listeners.keys():
            del self.lanes[node]
        for node, one in listeners.items():
            past = self.lanes.get(node)
            if past is None:
                past = self.lanes[node] = LanePast(missed=one["misses"])
            past.inference_ms.append(one["inference_p50_ms"] or 0.0)
            past.misses.append(float(max(0, one["misses"] - past.missed)))
            past.missed = one["misses"]

    # -- what it says, in words

    @property
    def playing(self) -> bool:
        """Whether it plays, as far as is known here."""
        return self.editing.link.up and self.editing.playing

    @property
    def sounding(self) -> bool:
        """Whether a meter moves."""
        return any(level > FLOOR_DB for levels in self._levels.values() for level in levels)

    def levels(self, name: str) -> list[float]:
        """The meters of ``inputs`` or ``outputs``, in dB of full scale, a channel each."""
        return self._levels[name]

    def cpu(self) -> float | None:
        """The share of one core that the sound takes; None when nothing plays."""
        found = self.meters.get("load", self.status.get("load"))
        return None if found is None or not self.playing else float(found)

    def unheard(self) -> str:
        """Why nobody hears it although somebody should, and what to do; empty when all is well."""
        why = str(self.status.get("unheard", ""))
        gone = self.status.get("device", {}).get("state") == "gone"
        if not why:
            return ""
        what = f"Nobody hears it: {why[:1].lower()}{why[1:].rstrip('.')}."
        if gone:
            return f"{what} It is looked for, and played on as soon as it is back."
        return f"{what} Connect a sound device, then stop, and play again."

    def device(self) -> str:
        """What plays, short: ``JACK 48 kHz/256``."""
        status = self.status
        if not status:
            return "stopped" if self.editing.link.up else "no engine"
        if self.unheard():
            return "no sound device"
        driver = str(status["driver"])
        name = driver.split(",")[0]
        name = "plays to nobody" if name.startswith("null driver") else name
        rate = f"{status['rate'] / 1000:g} kHz"
        short = cut(name, 24)
        return f"{short} {rate}/{status['block']}"

    def about_device(self) -> str:
        """The same in full, for who wants to know."""
        status = self.status
        if not status:
            return "Nothing plays." if self.editing.link.up else "The engine is away."
        lines = [str(status["driver"]), self.unheard()]
        lost, back = status["device"]["losses"], status["device"]["returns"]
        if lost:
            lines.append(f"The device has gone {lost} times and come back {back} times.")
        if status.get("threads", 1) > 1:
            lines.append(f"{status['threads']} threads share {status['tasks']} tasks.")
        return "\n".join(line for line in lines if line)

    def latency(self) -> str:
        """From the input to the ear: ``12.3 ms``."""
        return f"{1e3 * self.status['latency_s']:.1f} ms" if self.status else ""

    def about_latency(self) -> str:
        """Of what it is made."""
        if not self.status:
            return ""
        patch = 1e3 * self.status["latency_frames"] / self.status["rate"]
        lines = [f"{patch:.1f} ms in the patch, the rest in the device"]
        late = sorted(self.status["late_nodes"].items(), key=lambda item: -item[1])[:12]
        lines += [f"{node}: {1e3 * frames / self.status['rate']:.1f} ms late" for node, frames in late]
        return "\n".join(lines)

    def clock(self) -> str:
        """Tempo, and the bar and the beat, both from 1: ``120.0  3:2``."""
        clock = self.meters.get("clock") or self.status.get("clock")
        if not clock or not self.playing:
            return ""
        a_bar = max(1, int(clock["meter"]))
        beat = float(clock["beat"])
        bar = int(beat // a_bar)
        still = "" if clock["on"] else " stands"
        return f"{clock['tempo']:.1f}  {bar + 1}:{int(beat - bar * a_bar) + 1}{still}"

    def lost(self) -> int:
        """Blocks that were lost since it plays."""
        return int(self.status.get("xruns", 0))

    def troubles(self) -> list[tuple[str, int]]:
        """What went wrong since it plays, counted; nothing that is zero."""
        status = self.status
        if not status:
            return []
        late = sum(status.get("late_messages", {}).values()) + status["late"]
        found = [
            ("blocks lost (xruns)", status["xruns"]), ("messages that came late", late),
            ("segments with NaN", status["bad"]), ("segments that the limiter held", status["limited"]),
            ("frames that a recording lost", status.get("lost_frames", 0)),
            ("waits for another thread", status.get("held_up", 0)),
        ]  # fmt: skip
        return [(words, count) for words, count in found if count]


def decibels(peak: float) -> float:
    """A level, 1.0 being full scale, in dB."""
    return 20.0 * log10(peak) if peak > SILENT else FLOOR_DB


def milliseconds(value: float | None) -> str:
    """``1.2``, ``120``; ``–`` without a measurement."""
    return "–" if value is None else f"{value:.1f}" if value < 100.0 else f"{value:.0f}"
