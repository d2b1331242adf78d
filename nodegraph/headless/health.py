"""How a session is: one word with reasons for whoever looks after it, and figures for Prometheus. Plain functions.

Both are made from `Session.status` and what the process knows of itself (`Vitals`), so that any server may show them.

Source of the format: Prometheus, "Text-based format", version 0.0.4.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

STILL_S: Final = 1.0
"""A sound that has not gone on for so long has stopped."""
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
RANKS: Final = ("ok", "degraded", "failed")
Labels = Mapping[str, str]
Sample = tuple[Labels, float]


@dataclass
class Vitals:
    """What the process knows of itself. `mode` is a word of `pulse.STATES`."""

    mode: str = "starting"
    restarts: int = 0
    safe: str = ""
    """Why it does not play, in safe mode."""
    began: float = field(default_factory=time.monotonic)
    done: int = -1
    moved: float = field(default_factory=time.monotonic)
    not_kept: str = ""
    """Why the state is not kept."""
    kept_at: float | None = None
    preset: str | None = None
    acts_late: int = 0
    next_change: float | None = None
    """When the schedule lets it sleep or wake, in seconds since 1970."""

    def see(self, done: int, now: float) -> None:
        """So many frames are played now."""
        if done != self.done:
            self.done, self.moved = done, now

    def still_s(self, now: float) -> float:
        """How long the sound has stood still while it should go on."""
        return now - self.moved if self.mode == "playing" else 0.0


def health(status: Mapping[str, Any], vitals: Vitals, now: float | None = None) -> dict[str, Any]:
    """``health``: ok, degraded or failed, with ``reasons``: pairs of ``code`` and ``what``; and what it does now."""
    now = time.monotonic() if now is None else now
    reasons: list[tuple[int, str, str]] = []
    if vitals.mode == "safe":
        reasons.append((2, "safe-mode", f"It does not play: {vitals.safe}."))
    if vitals.mode == "starting":
        reasons.append((1, "starting", "It is being started."))
    if vitals.still_s(now) > STILL_S:
        reasons.append((2, "audio-still", f"The sound has stood still for {vitals.still_s(now):.1f} s."))
    device = status.get("device", {})
    if device.get("state") == "gone":
        reasons.append((1, "device-gone", f"The sound device is away ({device.get('gone_s', 0.0):.0f} s)."))
    for node, state in status.get("listeners", {}).items():
        if state["state"] in ("restarting", "failed", "unloaded"):
            what = f"The listener '{node}' is {state['state']}"
            reasons.append((1, "listener", f"{what}: {state['error']}" if state["error"] else f"{what}."))
    if vitals.not_kept:
        reasons.append((1, "not-kept", f"The state is not kept: {vitals.not_kept}."))
    found: dict[str, Any] = {
        "health": RANKS[max((rank for rank, _, _ in reasons), default=0)],
        "reasons": [{"code": code, "what": what} for _, code, what in reasons],
        "mode": vitals.mode, "playing": bool(status.get("playing")), "title": status.get("title", ""),
        "uptime_s": round(now - vitals.began, 3), "restarts": vitals.restarts, "frames": max(0, vitals.done),
        "preset": vitals.preset,
    }  # fmt: skip
    if "driver" in status:
        found["driver"] = status["driver"]
    if vitals.next_change is not None:
        found["next_change"] = vitals.next_change
    return found


def metrics(status: Mapping[str, Any], vitals: Vitals, now: float | None = None) -> str:
    """The figures as Prometheus reads them."""
    now = time.monotonic() if now is None else now
    word = health(status, vitals, now)["health"]
    page = _Page()
    page.add("health", "gauge", "1 for what it is: ok, degraded or failed.",
             *(({"is": rank}, float(rank == word)) for rank in RANKS))  # fmt: skip
    page.one("playing", "gauge", "Whether it plays.", float(bool(status.get("playing"))))
    page.one("safe_mode", "gauge", "Whether it was opened without playing.", float(vitals.mode == "safe"))
    page.one("asleep", "gauge", "Whether the schedule lets it rest.", float(vitals.mode == "asleep"))
    page.one("uptime_seconds", "gauge", "Since this engine was started.", now - vitals.began)
    page.one("restarts_total", "counter", "How often the engine was started again.", float(vitals.restarts))
    page.one("audio_still_seconds", "gauge", "Since the sound went on last, while it plays.", vitals.still_s(now))
    page.one("frames_total", "counter", "Frames that were played.", float(max(0, vitals.done)))
    page.one("memory_rss_bytes", "gauge", "What this process holds in memory.", float(resident_bytes()))
    page.one("acts_late_total", "counter", "Acts from outside that came after their frame.", float(vitals.acts_late))
    page.one("state_kept", "gauge", "Whether the last state is in its file.", float(not vitals.not_kept))
    if vitals.kept_at is not None:
        page.one("state_kept_timestamp_seconds", "gauge", "Of when the kept state is.", vitals.kept_at)
    if status.get("playing"):
        _of_playing(page, status)
    return page.text()


def _of_playing(page: _Page, status: Mapping[str, Any]) -> None:
    page.one("engine_load_ratio", "gauge", "Share of a core that the sound takes.", float(status["load"]))
    page.one("latency_seconds", "gauge", "Of device and patch together.", float(status["latency_s"]))
    page.one("xruns_total", "counter", "Deadlines of the device that were missed.", float(status["xruns"]))
    page.one("late_events_total", "counter", "Events that acted later than they should.", float(status["late"]))
    page.add("late_messages_total", "counter", "Messages that came too late, by node.",
             *(({"node": node}, float(count)) for node, count in status["late_messages"].items()))  # fmt: skip
    page.one("lost_events_total", "counter", "Events of native nodes that found no room.", float(status["lost"]))
    page.one("lost_frames_total", "counter", "Frames that a recording lost.", float(status.get("lost_frames", 0)))
    page.one("bad_segments_total", "counter", "Pieces with NaN or infinity, silenced.", float(status["bad"]))
    page.one("limited_segments_total", "counter", "Pieces that the limiter held.", float(status["limited"]))
    device = status.get("device", {})
    page.one("device_up", "gauge", "Whether the device that was asked for plays.",
             float(device.get("state") != "gone"))  # fmt: skip
    page.one("device_losses_total", "counter", "How often the device went.", float(device.get("losses", 0)))
    page.one("device_returns_total", "counter", "How often it came back.", float(device.get("returns", 0)))
    listeners = status.get("listeners", {}).items()
    if not listeners:
        return
    page.add("listener_ready", "gauge", "Whether a listener listens.",
             *(({"node": node}, float(state["state"] == "ready")) for node, state in listeners))  # fmt: skip
    for part, about in (
        ("inference", "How long its model takes, at the median and the 99th percentile."),
        ("queue", "How long a request waits once its sound is there."),
        ("total", "From when the sound is there to when the answer is: queue, inference and the way back."),
    ):
        page.add(f"listener_{part}_seconds", "gauge", about,
                 *(({"node": node, "quantile": quantile}, state[key] / 1e3) for node, state in listeners
                   for quantile, key in (("0.5", f"{part}_p50_ms"), ("0.99", f"{part}_p99_ms"))
                   if state[key] is not None))  # fmt: skip
    page.one("models_memory_rss_bytes", "gauge", "What the processes of the models hold in memory.",
             1e6 * float(status.get("models_memory_mb", 0.0)))  # fmt: skip
    for name, key, about in (
        ("listener_answers_total", "answered", "Requests answered well."),
        ("listener_misses_total", "misses", "Requests that failed or came too late."),
        ("listener_restarts_total", "restarts", "How often its worker was started again."),
    ):
        page.add(name, "counter", about, *(({"node": node}, float(state[key])) for node, state in listeners))


class _Page:
    """Families of samples, each with what it is."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def one(self, name: str, kind: str, about: str, value: float) -> None:
        self.add(name, kind, about, ({}, value))

    def add(self, name: str, kind: str, about: str, *samples: Sample) -> None:
        name = f"nodegraph_{name}"
        self._lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
        self._lines += [f"{name}{_labels(labels.items())} {_number(value)}" for labels, value in samples]

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


def _labels(labels: Iterable[tuple[str, str]]) -> str:
    parts = [f'{name}="{_escaped(value)}"' for name, value in labels]
    return "{" + ",".join(parts) + "}" if parts else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def resident_bytes() -> int:
    """What this process holds in memory now; where the system does not say, the most that it ever held."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
