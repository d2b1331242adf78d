"""The process that makes one version: ``python -m nodegraph.models.optimize REQUEST``, and REQUEST is JSON.

It ends when its standard input does, so that it never outlives whoever asked.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any

from nodegraph.core.errors import ModelError, NodegraphError, Problem
from nodegraph.models.optimize import hearing, measuring, quantising
from nodegraph.providers import Choice, choose, session_options
from nodegraph.sandbox import confine


def main(words: list[str]) -> int:
    """Make one version of one file, and measure it."""
    request = json.loads(words[0])
    threading.Thread(target=_end_with_asker, daemon=True).start()
    target = Path(request["target"])
    confine([target.parent])
    logging.disable(logging.WARNING)  # the tools' advice is for their own users
    try:
        report = work(request, target)
    except NodegraphError as error:
        _say({"say": "problems", "problems": [problem.as_dict() for problem in error.problems]})
        return 1
    except OSError as error:
        _say({"say": "disk", "errno": error.errno, "strerror": error.strerror})
        return 1
    except MemoryError:
        problem = Problem("too-large", "there is not enough memory to make it.", "Close other programs.")
        _say({"say": "problems", "problems": [problem.as_dict()]})
        return 1
    _say({"say": "done", "report": report})
    return 0


def work(request: dict[str, Any], target: Path) -> dict[str, Any]:
    """Let a node hear, make the version, measure it. Raises ModelError, OSError."""
    to, key = request["to"], request["key"]
    files = {name: Path(path) for name, path in request["files"].items()}
    sounds = hearing.sounds_in(Path(request["sounds"])) if request["sounds"] else []
    _tell(0, "opening it")
    model = quantising.open_model(files[key])
    quantising.check(model, to)
    graph = files[key].read_bytes()
    caught = _caught(request, graph, files, sounds)
    original = _session(graph + caught.fragment, files[key].parent)
    calls = caught.calls[:: max(1, -(-len(caught.calls) // hearing.MOST_FEEDS))] or hearing.fed_by_itself(original)
    if to == "static" and not caught.calls:
        what = "no node uses it, so nobody knows what it is fed when it hears these sounds."
        raise ModelError(Problem("cannot-be-measured", what, "Make it --to int8."))
    _tell(0, f"making it {to}")
    quantising.make(model, to, [call.feed for call in calls], target)
    del model
    made = target.read_bytes() + caught.fragment
    try:
        version = _session(made, target.parent)
        was_ms, is_ms = measuring.speeds(original, version, calls, _tell)
        greatest, mean = measuring.errors(version, calls, _tell)
    except NodegraphError:
        raise
    except Exception as error:  # onnxruntime has a class for each
        what = f"as {to} it does not run: {' '.join(str(error).split())[:300]}."
        raise ModelError(Problem("cannot-be-made", what, "Use it as it is.")) from error
    report = {
        "was_ms": was_ms, "is_ms": is_ms, "greatest": greatest, "mean": mean, "runs": len(calls), "node": caught.kind,
        "heard": "sounds" if sounds and caught.calls else "noise", "sounds": caught.files,
        "clips": len(caught.labels), "labels_changed": 0, "where": "cpu",
    }  # fmt: skip
    if to == "fp16":
        _on_gpu(report, graph + caught.fragment, made, files[key].parent, calls)
    if caught.labels:
        settings = next(user["settings"] for user in request["users"] if user["kind"] == caught.kind)
        others, _ = hearing.labels_of(caught.kind, settings, files | {key: target}, sounds, _tell)
        report["labels_changed"] = sum(a != b for a, b in zip(caught.labels, others, strict=True))
    return report


def _caught(request: dict[str, Any], graph: bytes, files: dict[str, Path], sounds: list[Path]) -> hearing.Caught:
    """What the first node feeds it that opens it at all."""
    for user in request["users"]:
        caught = hearing.hear(graph, user["kind"], user["settings"], files, sounds, _tell)
        if caught.calls:
            return caught
    return hearing.Caught()


def _on_gpu(report: dict[str, Any], graph: bytes, made: bytes, folder: Path, calls: list[hearing.Call]) -> None:
    """The speed where it will be used, if there is a GPU."""
    choice = choose("auto")
    if choice.on_gpu:
        both = (_session(graph, folder, choice), _session(made, folder, choice))
        report["was_ms"], report["is_ms"] = measuring.speeds(*both, calls, _tell)
        report["greatest"], report["mean"] = measuring.errors(both[1], calls, _tell)
        report["where"] = choice.device


def _session(graph: bytes, folder: Path, choice: Choice | None = None) -> Any:
    import onnxruntime

    providers = list((choice or choose("cpu")).providers)
    return onnxruntime.InferenceSession(graph, session_options(folder), providers=providers)


def _tell(done: float, text: str) -> None:
    _say({"say": "progress", "done": done, "text": text})


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _end_with_asker() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
