"""The live view of `nodegraph run`: what it shows, and what the listeners say in words."""

from rich.console import Console

from nodegraph import BANG, Event, Note, Patch, Tag
from nodegraph.commands.hearing import Hearing, in_words, key_name
from nodegraph.commands.view import LiveStatus, meter, trouble

LISTENER = {
    "state": "ready", "inference_p50_ms": 3.2, "inference_p99_ms": 8.0, "queue_p50_ms": 1.0, "queue_p99_ms": 1.0,
    "total_p50_ms": 4.5, "total_p99_ms": 9.0, "version": "", "note": "",
    "answered": 12, "misses": 0, "pending": 0, "restarts": 0, "error": "",
}  # fmt: skip
STATUS = {
    "driver": "null driver", "time": 2.5, "latency_s": 0.005, "load": 0.5, "xruns": 0, "late": 0, "late_messages": {},
    "bad": 0, "limited": 0, "lost": 0, "lost_frames": 0, "inputs": [0.1], "outputs": [0.5, 0.0],
    "listeners": {"ears": LISTENER}, "rate": 48_000, "latency_frames": 0, "late_nodes": {},
}  # fmt: skip


def text(renderable: object) -> str:
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(renderable)
    return console.export_text()


def test_the_panel_shows_levels_load_latency_listeners_and_answers() -> None:
    view = LiveStatus("A patch", "What to listen for.")
    view._said = {"ears.tags": "Bell 0.90"}
    shown = text(view._panel(STATUS, 10.0))
    for word in ("A patch", "What to listen for.", "2.5 of 10 s", "null driver", "-6.0 dB", "latency 5.0 ms", "ready",
                 "12 answers", "ears.tags", "Bell 0.90"):  # fmt: skip
        assert word in shown, f"{word!r} is not in\n{shown}"
    assert "xruns" not in shown and "late  " not in shown, "what has not happened is not shown"
    late = STATUS | {"latency_frames": 96, "late_nodes": {"limit": 96, "after": 96}}
    assert "2.0 ms: limit 2.0 ms, after 2.0 ms" in text(view._panel(late, 10.0))


def test_the_panel_shows_what_went_wrong() -> None:
    broken = LISTENER | {"state": "restarting", "misses": 3, "error": "the worker died"}
    status = STATUS | {"xruns": 2, "late": 1, "late_messages": {"ears": 4}, "listeners": {"ears": broken}}
    shown = text(LiveStatus("A patch", "")._panel(status, None))
    for word in ("xruns 2", "late 5", "restarting", "3 missed", "the worker died"):
        assert word in shown, f"{word!r} is not in\n{shown}"
    assert trouble(STATUS) == {}


def test_a_meter_is_full_at_full_scale_and_empty_at_48_db() -> None:
    assert [meter(level).plain.count("━") for level in (1.0, 0.5, 10 ** (-48 / 20), 0.0)] == [32, 28, 0, 0]


def test_the_newest_answer_is_told_in_words_while_it_is_new() -> None:
    patch = Patch()
    patch.connect(patch.add("sine~"), patch.add("yamnet.tag~", "ears"))
    patch.connect("sine1", patch.add("pitch.swift~", "pitch"))
    hearing = Hearing(patch.graph.view)
    for event in (
        Event(100, 1.0, Tag("Dog", 0.9), "ears", "tags"), Event(200, 2.0, Tag("Bell", 0.8), "ears", "tags"),
        Event(200, 2.0, Tag("Chime", 0.2), "ears", "tags"), Event(210, 2.1, 440.0, "pitch", "pitch"),
        Event(210, 2.1, BANG, "elsewhere", "bang"),
    ):  # fmt: skip
        hearing(event)
    assert hearing.words(2.2) == {"ears.tags": "Bell 0.80, Chime 0.20", "pitch.pitch": "440.0 Hz"}
    assert hearing.words(3.05) == {"pitch.pitch": "440.0 Hz"}
    assert hearing.words(9.0) == {}


def test_messages_in_words() -> None:
    assert [in_words(value) for value in (Tag("Bell", 0.9), Note(61, 0.5), BANG, 0.256, 1, "on")] == [
        "Bell 0.90", "C#4", "bang", "0.26", "1", "on",
    ]  # fmt: skip
    assert (key_name(69), key_name(0)) == ("A4", "C-1")
