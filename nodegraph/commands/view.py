"""The status of a playing patch: one live view on a terminal, a line a second elsewhere, JSON lines for programs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from nodegraph.commands.hearing import Hearing
from nodegraph.commands.output import CYAN, DIM, GREEN, PURPLE, console, decibels, say, say_json
from nodegraph.core.messages import to_wire

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from nodegraph.api.playing import Playing

BAR = 32
FLOOR_DB = -48.0


class Status:
    """Shows one playing patch. Used with ``with``; `show` is called again and again."""

    period_s = 1.0

    def __init__(self, title: str, about: str) -> None:
        self.title, self.about = title, about

    def __enter__(self) -> Status:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def begin(self, playing: Playing) -> None:
        """It plays."""
        say(f"{self.title}: {playing.status()['driver']}")
        if self.about:
            say(self.about)

    def show(self, playing: Playing, hearing: Hearing) -> None:
        """How it is now."""
        status = playing.status()
        now = status["time"]
        parts = [f"{now:6.1f} s", decibels(max(status["outputs"], default=0.0)), f"load {100 * status['load']:.0f} %"]
        parts += [f"{word} {count}" for word, count in trouble(status).items()]
        parts += [f"{node} {state['state']}" for node, state in status["listeners"].items() if _unwell(state)]
        parts += [f"{port}: {text}" for port, text in hearing.words(now).items()]
        say("  ".join(parts))

    def log(self, node: str, text: str) -> None:
        """What a node has to say; of no node: the device, or the patch."""
        say(in_a_line(node, text))


class JsonStatus(Status):
    """One JSON object a line."""

    def begin(self, playing: Playing) -> None:
        say_json({"type": "begin", "title": self.title, **playing.status()})

    def show(self, playing: Playing, hearing: Hearing) -> None:
        status = playing.status()
        heard = {
            port: [to_wire(value) for value in values] for port, values in hearing.answers(status["time"]).items()
        }  # fmt: skip
        say_json({"type": "status", **status, "heard": heard})

    def log(self, node: str, text: str) -> None:
        say_json({"type": "log", "node": node, "text": text})


class LiveStatus(Status):
    """A panel that is drawn anew ten times a second."""

    period_s = 0.1

    def __init__(self, title: str, about: str) -> None:
        from rich.live import Live

        super().__init__(title, about)
        self.live = Live(console=console(), refresh_per_second=12, transient=False)
        self._said: dict[str, str] = {}
        self._load = 0.0

    def __enter__(self) -> Status:
        self.live.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.live.__exit__(*exception)

    def begin(self, playing: Playing) -> None:
        return None

    def show(self, playing: Playing, hearing: Hearing) -> None:
        status = playing.status()
        self._said.update(dict.fromkeys(self._said, "") | hearing.words(status["time"]))
        self.live.update(self._panel(status, playing.seconds))

    def log(self, node: str, text: str) -> None:
        from rich.text import Text

        self.live.console.print(Text(in_a_line(node, text), style="yellow"))

    def _panel(self, status: dict[str, Any], seconds: float | None) -> RenderableType:
        from rich.console import Group
        from rich.panel import Panel
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        table.add_column(style=DIM, no_wrap=True, min_width=10)
        table.add_column()
        self._load += 0.2 * (status["load"] - self._load)
        of = f" of {seconds:g}" if seconds else ""
        table.add_row("time", Text(f"{status['time']:.1f}{of} s   {status['driver']}"))
        for word, peaks in (("in", status["inputs"]), ("out", status["outputs"])):
            for number, peak in enumerate(peaks, 1):
                table.add_row(f"{word} {number}", meter(peak))
        figures = Text(f"{100 * self._load:.1f} %   latency {1e3 * status['latency_s']:.1f} ms")
        for name, count in trouble(status).items():
            figures.append(f"   {name} {count}", style="bold red")
        table.add_row("load", figures)
        if status["late_nodes"]:
            table.add_row("late", Text(lateness(status), style=DIM))
        for node, state in status["listeners"].items():
            table.add_row(node, listener(state))
        for port, words in self._said.items():
            table.add_row(Text(port, style=PURPLE), Text(words, style=GREEN))
        about = Text(self.about, style=DIM)
        return Panel(
            Group(about, Text(), table) if self.about else table, title=f"[bold {CYAN}]{self.title}[/]",
            title_align="left", border_style=PURPLE, padding=(1, 2),
        )  # fmt: skip


def status_view(title: str, about: str, as_json: bool) -> Status:
    """The view that suits where stdout goes."""
    if as_json:
        return JsonStatus(title, about)
    return (LiveStatus if sys.stdout.isatty() else Status)(title, about)


def in_a_line(node: str, text: str) -> str:
    """A line of the log."""
    return f"{node}: {text}" if node else text


def lateness(status: dict[str, Any]) -> str:
    """How late the patch is, and which nodes are: ``2.0 ms: limit 2.0 ms``."""
    rate = status["rate"]
    nodes = ", ".join(f"{node} {1e3 * frames / rate:.1f} ms" for node, frames in status["late_nodes"].items())
    return f"{1e3 * status['latency_frames'] / rate:.1f} ms: {nodes}"


def trouble(status: dict[str, Any]) -> dict[str, int]:
    """What has gone wrong, counted: nothing that is zero."""
    counts = {
        "xruns": status["xruns"], "late": status["late"] + sum(status["late_messages"].values()),
        "NaN": status["bad"], "limited": status["limited"], "lost": status["lost"] + status.get("lost_frames", 0),
    }  # fmt: skip
    return {word: count for word, count in counts.items() if count}


def meter(peak: float) -> Text:
    """A level as a bar from -48 dB to full scale."""
    from math import log10

    from rich.text import Text

    db = 20.0 * log10(peak) if peak > 1e-9 else -200.0
    filled = min(BAR, max(0, round(BAR * (db - FLOOR_DB) / -FLOOR_DB)))
    text = Text()
    text.append("━" * filled, style=CYAN if db < -6.0 else "yellow" if db < -0.5 else "bold red")
    text.append("─" * (BAR - filled), style=DIM)
    text.append(f"  {decibels(peak)}")
    return text


def listener(state: dict[str, Any]) -> Text:
    """How a listener is: its state, how long it takes, what it missed."""
    from rich.text import Text

    text = Text(state["state"], style=CYAN if state["state"] == "ready" else "bold red" if _unwell(state) else DIM)
    if state["inference_p50_ms"] is not None:
        text.append(f"   {state['inference_p50_ms']:.1f} ms", style=DIM)
        text.append(f" (p99 {state['inference_p99_ms']:.1f})", style=DIM)
        if state["total_p50_ms"] is not None:
            text.append(f", with waiting {state['total_p50_ms']:.1f} (p99 {state['total_p99_ms']:.1f})", style=DIM)
        text.append(f"   {state['answered']} answers", style=DIM)
    if state["version"]:
        text.append(f"   {state['version']}", style=DIM)
    if state["misses"]:
        text.append(f"   {state['misses']} missed", style="bold red")
    if state["error"]:
        text.append(f"   {state['error']}", style="bold red")
    return text


def _unwell(state: dict[str, Any]) -> bool:
    return state["state"] in ("restarting", "failed", "unloaded")
