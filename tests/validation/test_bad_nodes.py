"""Every check can fail: nodes that each break one promise are found by the check for it, at the right frame."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from nodegraph.core import Node
from nodegraph.models import Store
from nodegraph.runtime.engine import LONGEST_BLOCK, Engine
from nodegraph.runtime.lane import supervisor
from nodegraph.runtime.lane.process import Process
from nodegraph.validation.catalogue import CHECKS, NAMES
from nodegraph.validation.checks import bits, edges, patch
from nodegraph.validation.naming import resolve
from nodegraph.validation.running import validate
from nodegraph.validation.stimuli import HOSTILE
from tests.validation import bad_native as native
from tests.validation import bad_python as python
from tests.validation import bad_sound as sound
from tests.validation.judging import judged

ANY = object()
APART = 37  # frames between two messages of the check 'messages'
FIRST_TEXT = APART * (1 + next(number for number, value in enumerate(HOSTILE) if isinstance(value, str)))

# Node, check, words of the finding, port, channel, frame. ANY: it depends on chance.
FOUND = [
    (native.BadAlias, "instantiate", "the alias 'sine~' leads to 'sine~'", "", None, None),
    (native.Unmade, "instantiate", "made by nobody", "line", None, None),
    (native.Unhelpful, "help", "not one sentence", "", None, None),
    (native.Undocumented, "ports", "it has no help", "x", None, None),
    (native.Undocumented, "ports", "its default is not legal: knob is 2", "knob", None, None),
    (native.Undocumented, "ports", "a logarithmic knob cannot reach 0", "log_knob", None, None),
    (native.Undocumented, "ports", "should be a label", "y", None, None),
    (native.Tildeless, "ports", "ends in ~", "", None, None),
    (sound.Divided, "silence", "not finite", "y", 0, 0),
    (sound.Unwritten, "silence", "not finite", "y", 0, 10),
    (sound.Clicked, "impulse", "not finite", "y", 0, 0),
    (sound.Negative, "noise", "not finite", "y", 0, ANY),
    (sound.LowSound, "sweep", "not finite", "y", 0, sound.LONG),
    (sound.Keeps, "recovery", "does not forget", "y", 0, 128),
    (sound.Mute, "recovery", "silent for ever", "y", 0, 2047),
    (native.LastOfBlock, "blocks", "depends on how it is cut", "y", 0, 0),
    (native.Unlike, "still", "sound different", "y", 0, 0),
    (native.Unseeded, "reset", "a fresh state does not repeat", "y", 0, 0),
    (native.Late, "latency", "later than declared", "y", 0, native.LATE),
    (native.Early, "latency", "earlier than declared", "y", 0, 0),
    (sound.Inverse, "parameters", "not finite", "y", 0, ANY),
    (native.Beside, "memory", "memory after array 'line' was written to, 0 bytes after it", "", None, None),
    (native.Reads, "memory", "depends on memory beside its arrays", "y", 0, 0),
    (native.Shared, "repeat", "not the same", "out", ANY, ANY),
    (native.LastOfBlock, "callbacks", "the device's block changes it", "out", 0, 0),
    (native.OneRate, "rates", "raises KeyError: 8000", "", None, None),
    (native.Shared, "channels", "many channels are not many monos", "y", 0, 0),
    (python.Unseeded, "repeat", "not the same", "y", None, ANY),
    (python.OwnTime, "callbacks", "the device's block changes it", "y", None, ANY),
    (python.OwnTime, "save", "sounds different", "y", None, ANY),
    (python.OwnTime, "repeat", "not the same", "y", None, ANY),
    (python.RateError, "rates", "raises RuntimeError: too slow", "", None, 0),
    (python.NumbersOnly, "messages", "raises ValueError: no number", "", None, FIRST_TEXT),
    (python.OneChoice, "messages", "raises RuntimeError: it cannot", "", None, APART),
    (python.SendsDicts, "messages", "this is a dict", "y", None, APART),
    (python.NotThree, "chunks", "raises IndexError: three is too many", "", None, ANY),
    (python.NotThree, "channels", "raises IndexError: three is too many", "", None, ANY),
    (python.NoStride, "chunks", "stride() gives no count", "", None, None),
    (python.OtherShape, "chunks", "the shape (3,) is not the declared one, (4,)", "y", None, ANY),
    (python.KeepsMean, "forgetting", "still answers with what is no number", "y", None, ANY),
    (python.Undeclared, "hears", "does not say what it hears", "", None, None),
    (python.Undeclared, "hears", "which model it wants", "", None, None),
    (python.Undeclared, "hears", "no infer", "", None, None),
    (python.Undeclared, "hears", "what shape it has", "scores", None, None),
    (python.WrongShape, "clips", "'scores' has the shape (3,); declared is (4,)", "", None, None),
    (python.Remembers, "clips", "after reset the same sound gives other answers", "", None, None),
    (python.RaisesOnNaN, "clips", "infer raises ValueError: cannot convert float NaN", "", None, None),
    (python.Exits, "clips", "takes the process down (exit code 3)", "", None, None),
]  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def store(tmp_path_factory):
    """A model store with the one file that the listeners of these tests want."""
    root = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch_:
        patch_.setenv("NODEGRAPH_MODELS", str(root))
        np.save(root / "model.npy", np.arange(4))
        Store().add(root / "model.npy", python.MODEL)
        yield


@pytest.fixture(autouse=True)
def clean():
    native.shared[:] = 0.0


@pytest.mark.parametrize(
    ("cls", "check", "words", "port", "channel", "frame"),
    FOUND,
    ids=[f"{item[0].spec.kind}-{item[1]}" for item in FOUND],
)
def test_a_broken_promise_is_found_where_it_is(cls, check, words, port, channel, frame):
    outcome = judged(cls, check)
    told = [finding.describe() for finding in outcome.findings]
    assert outcome.state == "failed"
    found = [item for item in outcome.findings if words in item.what and item.port == port]
    assert found, told
    assert channel is ANY or found[0].channel == channel, told
    assert frame is ANY or found[0].frame == frame, told


def test_a_call_of_a_library_is_found(monkeypatch):
    """The kernel language has no word that becomes a call, so the root is made one here."""
    from nodegraph.runtime.kernels import builtins
    from nodegraph.runtime.kernels.values import Value, intrinsic, unify

    def cosine(lowering, x):
        (value,) = unify(lowering.builder, x, floats=True)
        return Value(intrinsic(lowering.builder, "llvm.cos", value.ir.type, [value.ir], [value.ir.type]), value.type)

    monkeypatch.setitem(builtins._SIMPLE, "sqrt", cosine)
    assert "node 'bad.root~' (modes l, lanes 1): " in judged(native.Root, "lint").findings[0].what


# What the compiler and the engine guarantee for every node cannot be broken by one: the check itself is shown a fault.


def test_a_lane_that_differs_is_found(monkeypatch):
    real = bits.play

    def play(spec, frames, values=None, **options):
        made = real(spec, frames, values, **options)
        if options.get("lanes") == 16:
            made["y"][3, 17] = np.nextafter(made["y"][3, 17], np.float32(9))
        return made

    monkeypatch.setattr(bits, "play", play)
    (finding,) = judged(native.Settled, "lanes").findings
    assert (finding.port, finding.frame, finding.when[:6]) == ("y", 17, "lane 3")
    assert finding.values[0] != finding.values[1]


def spoilt(monkeypatch, module, spoil, when=lambda options: True):
    real = module.play

    def play(*given, **options):
        heard = real(*given, **options)
        if when(options):
            spoil(heard.audio)
        return heard

    monkeypatch.setattr(module, "play", play)


def test_a_packed_voice_that_differs_is_found(monkeypatch):
    def spoil(audio):
        audio[0, 100] += 1e-3

    spoilt(monkeypatch, patch, spoil, lambda options: options.get("packing"))
    (finding,) = judged(native.Settled, "packing").findings
    assert (finding.port, finding.channel, finding.frame) == ("out", 0, 100)


def test_a_block_larger_than_was_prepared_for_that_differs_is_found(monkeypatch):
    def spoil(audio):
        audio[0, LONGEST_BLOCK] += 1e-3

    spoilt(monkeypatch, patch, spoil, lambda options: options.get("block", 0) > LONGEST_BLOCK)
    (finding,) = judged(native.Settled, "callbacks").findings
    assert (finding.port, finding.channel, finding.frame) == ("out", 0, LONGEST_BLOCK)


def test_the_engine_is_given_blocks_of_every_size(monkeypatch):
    given = set()
    process = Engine.process

    def noting(engine, ins, outs, block):
        given.add(min(block, outs.shape[1]))
        process(engine, ins, outs, block)

    monkeypatch.setattr(Engine, "process", noting)
    assert judged(native.Settled, "callbacks").state == "passed"
    assert {1, 17, 64, 512, 1_024} <= given and max(given) > LONGEST_BLOCK


@pytest.mark.parametrize("value", [np.nan, np.inf, 1.5])
def test_a_number_that_leaves_a_patch_and_should_not_is_found(monkeypatch, value):
    def spoil(audio):
        audio[1, 77] = value

    spoilt(monkeypatch, patch, spoil)
    (finding,) = judged(native.Settled, "output").findings
    assert (finding.channel, finding.frame, finding.values) == (1, 77, (str(np.float32(value)), "-1 to 1"))


def test_sound_that_does_not_go_through_as_it_is_is_found(monkeypatch):
    from nodegraph.nodes.edges import Input

    def spoil(audio):
        audio[0, 5] += 1e-6

    spoilt(monkeypatch, edges, spoil)
    (finding,) = judged(Input, "through").findings
    assert (finding.channel, finding.frame) == (0, 5)


def test_a_value_that_is_saved_otherwise_is_found(monkeypatch):
    real = patch.loads

    def loads(text, **options):
        document = real(text, **options)
        document.graph.set("it", "count", 7.0)
        return document

    monkeypatch.setattr(patch, "loads", loads)
    (finding,) = judged(native.Settled, "save").findings
    assert "written otherwise" in finding.what and '"count": 7' in finding.values[1]


def test_a_node_that_raises_is_told_with_the_fewest_messages():
    bang, nan = (APART * (1 + HOSTILE.index(text)) for text in ("bang", "nan"))
    (finding,) = judged(python.Remembering, "messages").findings
    assert (finding.frame, finding.when) == (nan, f"after 'bang' to 'x' at frame {bang}, 'nan' to 'x' at frame {nan}")


def test_what_goes_wrong_in_one_shape_of_a_kind_is_told_with_that_shape():
    (finding,) = judged(python.OneExample, "messages").findings
    assert "not in this shape" in finding.what and "code = 'bad'" in finding.when


def test_each_check_is_proven_here():
    """`cost` is a figure and never fails."""
    by_hand = {"lint", "lanes", "packing", "output", "through", "save"}
    assert {check for _, check, *_ in FOUND} | by_hand == set(NAMES) - {"cost"}
    assert all(check.promise.endswith(".") for check in CHECKS)


@pytest.mark.parametrize("check", ["clips", "repeat", "rates", "forgetting", "messages", "channels", "hears"])
def test_a_good_listener_passes(check):
    outcome = judged(python.Good, check)
    assert outcome.state == "passed", [item.describe() for item in outcome.findings] or outcome.why


def test_runs_share_a_worker_that_has_done_nothing_wrong(monkeypatch):
    started = []

    class Counted(Process):
        def __init__(self, *given):
            started.append(given)
            super().__init__(*given)

    monkeypatch.setattr(supervisor, "Process", Counted)
    for cls, lanes in ((python.Good, 1), (python.Exits, 4)):  # two runs each check
        started.clear()
        (named,) = resolve([f"{python.__name__}:{cls.__name__}"])
        validate(named, only=["repeat", "callbacks"])
        assert len({group for _, group in started}) == lanes, started
        assert lanes > 1 or len(started) == 1, started
    assert not [line for line in children() if "lane.worker" in line], "all of them have ended"


def children() -> list[str]:
    """The command lines of the processes that this one has started."""
    found = []
    for path in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        found += [Path(f"/proc/{child}/cmdline").read_text() for child in path.read_text().split()]
    return found


def test_a_listener_without_its_model_is_skipped_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path))
    outcome = judged(python.Good, "clips")
    assert outcome.state == "skipped" and f"nodegraph models fetch {python.MODEL}" in outcome.why


def test_the_same_seed_finds_the_same_and_another_may_find_another_frame():
    frames = [judged(sound.Negative, "noise", seed=seed).findings[0].frame for seed in (1, 1, 2, 3, 4, 5, 6)]
    assert frames[0] == frames[1] and len(set(frames)) > 1


@pytest.mark.parametrize(
    ("cls", "what"),
    [(python.Mute, "it has no infer"), (python.NoSound, "StreamNode with a signal outlet"),
     (python.ClipsOfSound, "does not hear all of it"), (python.SoundOfListener, "StreamNode with a signal outlet")],
)  # fmt: skip
def test_a_stream_that_cannot_be_is_found(cls: type[Node], what: str) -> None:
    assert any(what in finding.what for finding in judged(cls, "hears").findings)
