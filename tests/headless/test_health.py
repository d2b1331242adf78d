"""Health and metrics: what is well, what is not, and figures that Prometheus reads."""

from __future__ import annotations

import re
import time
from typing import Any

from nodegraph import Patch
from nodegraph.headless.health import Vitals, health, metrics
from nodegraph.session.session import Session

SAMPLE = re.compile(r'(nodegraph_[a-z0-9_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.e+-]+|NaN)')


def listener(state: str = "ready", **more: Any) -> dict[str, Any]:
    return {
        "state": state, "inference_p50_ms": 4.0, "inference_p99_ms": 9.5, "queue_p50_ms": 1.0, "queue_p99_ms": 2.0,
        "total_p50_ms": 5.5, "total_p99_ms": 12.0,
        "answered": 7, "misses": 2, "pending": 0, "restarts": 1, "error": "", **more,
    }  # fmt: skip


def playing(**more: Any) -> dict[str, Any]:
    return {
        "playing": True, "title": "Tone", "driver": "card", "load": 0.25, "latency_s": 0.02, "xruns": 3, "late": 1,
        "late_messages": {"a": 2}, "lost": 0, "lost_frames": 5, "bad": 0, "limited": 4, "listeners": {},
        "device": {"state": "playing", "gone_s": 0.0, "losses": 2, "returns": 2}, **more,
    }  # fmt: skip


def alive(now: float = 100.0, **more: Any) -> Vitals:
    vitals = Vitals(mode="playing", began=now - 50.0, **more)
    vitals.see(48_000, now)
    return vitals


def reasons(status: dict[str, Any], vitals: Vitals, now: float = 100.0) -> tuple[str, list[str]]:
    found = health(status, vitals, now)
    return found["health"], [reason["code"] for reason in found["reasons"]]


def test_all_is_well() -> None:
    assert reasons(playing(), alive()) == ("ok", [])
    assert health(playing(), alive(), 100.0)["uptime_s"] == 50.0


def test_what_is_not_well_is_said_with_its_reason() -> None:
    gone = playing(device={"state": "gone", "gone_s": 4.0, "losses": 1, "returns": 0})
    assert reasons(gone, alive()) == ("degraded", ["device-gone"])
    assert reasons(playing(listeners={"ears": listener("failed", error="no model")}), alive()) == (
        "degraded", ["listener"]
    )  # fmt: skip
    assert reasons(playing(listeners={"ears": listener("loading")}), alive())[0] == "ok"
    assert reasons(playing(), alive(not_kept="no space left")) == ("degraded", ["not-kept"])
    assert reasons(playing(), alive(), 102.0) == ("failed", ["audio-still"])
    safe = Vitals(mode="safe", safe="it died", began=0.0)
    assert reasons({"playing": False}, safe) == ("failed", ["safe-mode"])
    for mode in ("asleep", "waiting"):
        assert reasons({"playing": False}, Vitals(mode=mode, began=0.0, moved=0.0)) == ("ok", [])


def test_the_worst_counts() -> None:
    gone = playing(device={"state": "gone", "gone_s": 4.0, "losses": 1, "returns": 0})
    assert reasons(gone, alive(), 110.0) == ("failed", ["audio-still", "device-gone"])


def read(text: str) -> dict[str, float]:
    """The page as a scraper reads it: every family is declared once, before its samples."""
    found: dict[str, float] = {}
    kinds: dict[str, str] = {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# "):
            _, word, name, rest = line.split(" ", 3)
            assert word in ("HELP", "TYPE")
            if word == "TYPE":
                assert name not in kinds and rest in ("counter", "gauge")
                assert (rest == "counter") == name.endswith("_total"), name
                kinds[name] = rest
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        assert match[1] in kinds, f"{line} is not declared"
        key = match[1] + (match[2] or "")
        assert key not in found, f"{key} stands twice"
        found[key] = float(match[3])
    return found


def test_the_figures() -> None:
    status = playing(listeners={'a "b"\\\n': listener(), "cold": listener("loading", inference_p50_ms=None)})
    found = read(metrics(status, alive(restarts=3, acts_late=6, kept_at=5.5), 100.0))
    assert found["nodegraph_engine_load_ratio"] == 0.25 and found["nodegraph_xruns_total"] == 3
    assert found['nodegraph_late_messages_total{node="a"}'] == 2 and found["nodegraph_lost_frames_total"] == 5
    assert found["nodegraph_restarts_total"] == 3 and found["nodegraph_acts_late_total"] == 6
    assert found["nodegraph_frames_total"] == 48_000 and found["nodegraph_device_losses_total"] == 2
    assert found['nodegraph_listener_inference_seconds{node="a \\"b\\"\\\\\\n",quantile="0.99"}'] == 0.0095
    assert 'nodegraph_listener_inference_seconds{node="cold",quantile="0.5"}' not in found
    assert found['nodegraph_health{is="ok"}'] == 1 and found['nodegraph_health{is="failed"}'] == 0
    assert found["nodegraph_memory_rss_bytes"] > 1e6
    assert found["nodegraph_state_kept_timestamp_seconds"] == 5.5


def test_the_figures_while_nothing_plays() -> None:
    found = read(metrics({"playing": False}, Vitals(mode="asleep", began=0.0), 100.0))
    assert found["nodegraph_playing"] == 0 and found["nodegraph_asleep"] == 1


def test_they_fit_what_a_session_says() -> None:
    patch = Patch("Tone")
    patch.connect(patch.add("sine~", "osc"), patch.add("gain~", "level", gain=0.1), patch.add("out~"))
    with Session(patch, driver="null") as session:
        assert health(session.status(), Vitals())["title"] == "Tone"
        session.play()
        vitals = Vitals(mode="playing")
        vitals.see(1, time.monotonic())
        assert health(session.status(), vitals, vitals.moved)["health"] == "ok"
        assert read(metrics(session.status(), vitals))["nodegraph_device_up"] == 1
