"""The object box: what is typed finds its kind, arguments are read as in Max and Pd, errors show where."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph import editor
from nodegraph.core import Document, Graph, registry
from nodegraph.core.cable import Cable
from nodegraph.core.commands import Add, perform
from nodegraph.core.ports import Control, Inlet
from nodegraph.core.spec import NodeSpec
from nodegraph.core.subpatches import PatchKinds
from nodegraph.core.values import misfit
from nodegraph.core.view import NodeEntry
from nodegraph.editor.boxwords import number, split
from nodegraph.editor.finding import complete, hint, parse, port_for, written

KINDS = registry()
SPECS = list(KINDS)
few = settings(max_examples=60)


def kinds(text: str, **more: object) -> list[str]:
    return [item.kind for item in complete(text, KINDS, **more)]  # type: ignore[arg-type]


# completion

FIRST = {
    # Max
    "cycle~": "sine~", "ezdac~": "out~", "adc~": "in~", "groove~": "play~", "lores~": "svf~", "tapin~": "delay~",
    "counter": "counter", "zmap": "scale", "sel": "select", "mc.pack~": "pack~", "spigot": "gate",
    "live.gain~": "gain~", "poly~": "voices~", "sfrecord~": "record~", "pak": "pack", "messagebox": "message",
    "omx.peaklim~": "limiter~", "nn~": "nn~", "snapshot": "preset", "fexpr~": "expr~",
    # Pd
    "osc~": "sine~", "lop~": "onepole~", "hip~": "highpass~", "vcf~": "svf~", "readsf~": "play~", "bob~": "ladder~",
    "r": "receive", "s": "send", "f": "number", "vline~": "line~", "fiddle~": "pitch.swift~", "bonk~": "onset~",
    "moses": "threshold", "tabosc4~": "wavetable~", "samphold~": "sah~", "clone": "voices~", "del": "delay",
    # SuperCollider
    "SinOsc": "sine~", "PinkNoise": "pink~", "RLPF": "svf~", "EnvGen": "adsr~", "FreeVerb": "reverb~", "Pan2": "pan~",
    "LFNoise1": "lfo~", "PlayBuf": "play~", "Pbjorklund": "euclid", "MoogFF": "ladder~", "midicps": "mtof",
    "sinosc": "sine~", "Splay": "spread~", "CombN": "comb~",
    # TouchDesigner, and words of everybody
    "lfo": "lfo~", "noise": "noise~", "midi in": "midiin", "osc in": "osc.receive", "beat": "beat~",
    "limit": "limiter~", "audio in": "in~", "timer": "timer", "spectrum": "spectrum~",
    # beginnings, letters, descriptions, misspelt
    "rev": "reverb~", "tri": "triangle~", "trg": "triangle~", "cmprsr": "compressor~", "vibrato": "lfo~",
    "echo": "comb~", "sidechain": "compressor~", "revreb": "reverb~",
    "lowpas": "ladder~", "taggers": "tagger~", "karplus": "pluck~", "svf~ 800 0.4": "svf~", "record sound": "record~",
}  # fmt: skip


@pytest.mark.parametrize(("typed", "kind"), FIRST.items())
def test_what_is_typed_finds_its_kind_first(typed, kind):
    assert kinds(typed)[:1] == [kind]


AMONG_THREE = {
    "filter": "svf~", "lowpass": "svf~", "low pass": "svf~", "osc out": "osc.send", "delay": "delay~", "clip": "clip~",
    "osc": "osc.send", "env": "adsr~", "seq": "sequence", "voice": "voices~", "note": "notein", "lag": "onepole~",
    "bang": "loadbang", "level": "*~", "gate": "gate~", "speech": "denoise~", "hold": "sah~", "trigger": "sah~",
    "pitch": "pitch.crepe~", "arp": "arpeggio", "loop": "latent.loop", "fade": "crossfade~", "reverb": "allpass~",
    "count": "counter", "random": "random", "fft": "spectrum~", "tempo": "transport", "impulse": "metro",
}  # fmt: skip


@pytest.mark.parametrize(("typed", "kind"), AMONG_THREE.items())
def test_what_is_typed_has_its_kind_among_the_first_three(typed, kind):
    assert kind in kinds(typed)[:3]


def test_tag_finds_every_tagger():
    found = kinds("tag")
    assert {spec.kind for spec in SPECS if spec.kind.endswith(("tag~", "tagger~"))} <= set(found)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.kind)
def test_each_kind_and_each_of_its_aliases_come_first_by_their_own_names(spec):
    first = complete(spec.kind, KINDS)[0]
    assert (first.kind, first.why, first.matched) == (spec.kind, "kind", spec.kind)
    assert (first.description, first.role, first.family) == (spec.summary, spec.role, spec.family)
    for alias in spec.aliases:
        if KINDS.resolve(alias) == spec.kind:
            found = complete(alias, KINDS)[0]
            assert (found.kind, found.why, found.matched) == (spec.kind, "alias", alias)


typed_texts = st.one_of(
    st.text(max_size=8),
    st.sampled_from([name for spec in SPECS for name in (spec.kind, *spec.aliases)]).flatmap(
        lambda name: st.lists(st.sampled_from(name), max_size=6).map("".join)
    ),
    st.sampled_from([word for spec in SPECS for word in spec.summary.split()]),
)


@few
@given(typed_texts, st.integers(-1, 30))
def test_completions_are_well_formed_whatever_is_typed(text, limit):
    found = complete(text, KINDS, limit)
    assert len(found) <= max(0, limit) and len({item.kind for item in found}) == len(found)
    assert found == complete(text, KINDS, limit)
    for item in found:
        spec = KINDS.get(item.kind)
        assert list(item.spans) == sorted(item.spans)
        assert all(start < end <= len(item.matched) for start, end in item.spans)
        assert {"kind": item.matched == spec.kind, "alias": item.matched in spec.aliases}.get(
            item.why, item.matched in spec.help or item.matched == spec.family
        )
        said = "".join(item.matched[start:end] for start, end in item.spans).casefold()
        others = set(said) - set(text.casefold())  # any sign between words is as good as another: "0:0" finds "0.0"
        assert not any(letter.isalnum() for letter in others)


@few
@given(typed_texts)
def test_fewer_are_the_first_of_more(text):
    assert kinds(text, limit=5) == kinds(text, limit=1000)[:5]


def test_without_any_text_every_kind_is_there_in_natural_order():
    assert kinds(" ", limit=1000) == [spec.kind for spec in SPECS]


def test_the_spans_show_where_the_letters_were_found():
    def shown(text: str) -> tuple[str, str]:
        item = complete(text, KINDS)[0]
        return item.matched, "".join("^" if any(a <= at < b for a, b in item.spans) else " "
                                     for at in range(len(item.matched))).rstrip()  # fmt: skip

    assert shown("cmprsr") == ("compressor~", "^ ^^^ ^  ^")
    assert shown("SINE") == ("sine~", "^^^^")
    assert shown("crepe") == ("crepe~", "^^^^^")
    assert shown("vibrato")[0].startswith("Swing between two values") and shown("vibrato")[1].count("^") == 7
    assert complete("revreb", KINDS)[0].spans == ()


# what a hanging cable can be joined to

PORTS = {
    (type(port).__name__, port.kind): (spec, port) for spec in SPECS for port in (*spec.inlets, *spec.outlets)
}  # fmt: skip


@pytest.mark.parametrize(("spec", "port"), PORTS.values(), ids=["-".join(map(str, key)) for key in PORTS])
def test_only_kinds_are_offered_to_which_the_cable_could_be_laid(spec, port):
    """The graph itself is asked about every kind: the offered port is the first that it would join."""
    graph = Graph(KINDS)
    graph.put(NodeEntry("here", spec.kind, spec=spec))
    offered = {item.kind: item.port for item in complete("", KINDS, 1000, port)}
    for other in SPECS:
        graph.put(NodeEntry("there", other.kind, spec=other))
        if isinstance(port, Inlet):
            cables = [Cable("there", item.name, "here", port.name) for item in other.outlets]
            legal = [cable.from_port for cable in cables if graph.why_not(cable) is None]
        else:
            cables = [Cable("here", port.name, "there", item.name) for item in other.inlets]
            legal = [cable.to_port for cable in cables if graph.why_not(cable) is None]
        assert offered.get(other.kind) == (legal[0] if legal else None), other.kind
        graph.remove("there")


def test_a_hanging_signal_is_offered_sound_inlets_before_parameters():
    sine = KINDS.get("sine~")
    found = complete("", KINDS, 1000, sine.outlets[0])
    is_parameter = [isinstance(KINDS.get(item.kind).inlet_named[item.port], Control) for item in found]
    assert is_parameter == sorted(is_parameter) and any(is_parameter)
    assert complete("svf", KINDS, fits=sine.outlets[0])[0].port == "x"
    assert complete("metro", KINDS, fits=sine.inlets[0])[0].port == "bang"
    assert "out~" not in kinds("out~", fits=sine.inlets[0]) and port_for(KINDS.get("out~"), sine.inlets[0]) is None


# arguments

READ = {
    "svf~ 800 0.4": ("svf~", {"cutoff": 800, "resonance": 0.4}),
    "sine~ freq=220": ("sine~", {"freq": 220}),
    "cycle~ 440.": ("sine~", {"freq": 440.0}),
    "SinOsc 440 phase=.25": ("sine~", {"freq": 440, "phase": 0.25}),
    "*~ 0.5": ("*~", {"b": 0.5}),
    "- -3": ("-", {"b": -3}),
    "play~ voice.flac": ("play~", {"file": "voice.flac"}),
    "play~ 0.5 voice.flac on": ("play~", {"speed": 0.5, "file": "voice.flac", "loop": True}),
    'play~ "my voice.flac" loop=no': ("play~", {"file": "my voice.flac", "loop": False}),
    "convolve~ 2 room.wav": ("convolve~", {"channels": 2, "file": "room.wav"}),
    "delay~ 250ms": ("delay~", {"time": 0.25}),
    "delay~ 0.25s 0.5": ("delay~", {"time": 0.25, "feedback": 0.5}),
    "svf~ 1.5kHz": ("svf~", {"cutoff": 1500.0}),
    "svf~ cutoff=800 0.3": ("svf~", {"cutoff": 800, "resonance": 0.3}),
    "eq~ peak 1000 -6": ("eq~", {"shape": "peak", "freq": 1000, "gain_db": -6}),
    "eq~ shape=PEAK": ("eq~", {"shape": "peak"}),
    "metro 0.5 on": ("metro", {"interval": 0.5, "on": True}),
    "osc.send localhost 9000 tcp": ("osc.send", {"to": "localhost", "port": 9000, "protocol": "tcp"}),
    "sequence 60 62 c4": ("sequence", {"values": [60, 62, "c4"]}),
    "sequence 60 62 loop=false": ("sequence", {"values": [60, 62], "loop": False}),
    'sequence [60, [62, 100], "a b"]': ("sequence", {"values": [60, [62, 100], "a b"]}),
    "partials~ levels=[1 0.5 0.25] 110": ("partials~", {"levels": [1, 0.5, 0.25], "freq": 110}),
    "message hello, world": ("message", {"text": "hello, world"}),
    "message x=1 y=2": ("message", {"text": "x=1 y=2"}),
    'message "two  words"': ("message", {"text": "two  words"}),
    "message text=5": ("message", {"text": "5"}),
    "select 5": ("select", {"value": "5"}),
    "print the cutoff": ("print", {"label": "the cutoff"}),
    "r freq": ("receive", {"name": "freq"}),
    "expr~ tanh(drive * x1) drive=3": ("expr~", {"code": "tanh(drive * x1)", "drive": 3}),
    "expr~ p = x1 * 2; p": ("expr~", {"code": "p = x1 * 2; p"}),
    "pack~ 3": ("pack~", {"inlets": 3}),
    "param 440 20 2000 Hz log value=500": (
        "param", {"default": 440, "low": 20, "high": 2000, "unit": "Hz", "curve": "log", "value": 500},
    ),
    "out~ compensate=false": ("out~", {"compensate": False}),
    "out~ $left": ("out~", {"channel": "$left"}),
    "  sine~   ": ("sine~", {}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "meant"), READ.items())
def test_a_box_is_read_as_it_is_meant(text, meant):
    box = parse(text, KINDS)
    assert (box.kind, dict(box.values)) == meant and box.problems == ()
    assert [type(value) for value in box.values.values()] == [type(value) for value in meant[1].values()]
    perform(Document(Graph(KINDS)), [Add("new", box.kind, box.values)])


FAULTS = {
    "": ("empty-box", "", "sine~"),
    "svv~ 800": ("unknown-kind", "svv~", "Did you mean 'svf~'?"),
    "svf~ abc": ("wrong-type", "abc", "It takes a number, 10 to 20000 Hz."),
    "svf~ 5": ("out-of-span", "5", "It takes 10 to 20000 Hz."),
    "svf~ cutof=800": ("unknown-parameter", "cutof=800", "Did you mean 'cutoff'?"),
    "svf~ 800 cutoff=900": ("given-twice", "cutoff=900", "Take one of them out."),
    "svf~ 800 0.4 3": ("too-many-arguments", "3", "It takes 'cutoff', 'resonance'."),
    "noise~ 1 2": ("too-many-arguments", "2", "It takes 'seed'."),
    "abs~ 1": ("too-many-arguments", "1", "It takes none."),
    "svf~ 800ms": ("wrong-type", "800ms", "It takes a number, 10 to 20000 Hz."),
    "svf~ 1e999": ("wrong-type", "1e999", "It takes a number"),
    "svf~ $f": ("wrong-type", "$f", "It takes a number"),
    "adsr~ 0.01 300": ("out-of-span", "300", "For milliseconds write 300ms."),
    "eq~ peek": ("bad-choice", "peek", "Did you mean 'peak'?"),
    "pack~ 300": ("out-of-span", "300", "It takes"),
    'play~ "voice.flac': ("open-word", '"voice.flac', 'Put a " at its end.'),
    "sequence [1 2": ("open-word", "[1 2", "Put a ] at its end."),
    "expr~ x1 *": ("expression", "x1", "Write one there"),
    "sine~ x=1": ("unknown-parameter", "x=1", "'freq', 'phase'"),
    "svf~ x=1": ("unknown-parameter", "x=1", "Connect a cable to it."),
}


@pytest.mark.parametrize(("text", "fault"), FAULTS.items())
def test_a_fault_shows_what_where_and_what_to_do(text, fault):
    code, word, advice = fault
    box = parse(text, KINDS)
    assert len(box.problems) == 1, box
    problem = box.problems[0]
    assert (problem.code == code and advice in problem.do and problem.what.endswith((".", "^"))) or code == "expression"
    assert text[problem.column - 1 :].startswith(word)


def test_every_fault_is_told_and_what_is_legal_is_kept():
    box = parse("svf~ 5 resonance=no extra=1", KINDS)
    assert [problem.column for problem in box.problems] == [6, 8, 21] and box.values == {}
    box = parse("svf~ 5 0.5", KINDS)
    assert box.values == {"resonance": 0.5} and box.places == {"cutoff": (5, 6), "resonance": (7, 10)}


def test_a_patch_file_is_a_kind_with_arguments(tmp_path):
    inner = {"nodegraph": 1, "nodes": {"cutoff": {"kind": "param"}, "out": {"kind": "outlet~"}}}
    (tmp_path / "voice.ng").write_text(json.dumps(inner))
    near = PatchKinds(KINDS, tmp_path)
    box = parse("voice.ng 0.5", near)
    assert (box.kind, box.values, box.problems) == ("voice.ng", {"cutoff": 0.5}, ())
    assert complete("voice.ng", near)[0].kind == "voice.ng"


def legal_value(item):
    """Values of a parameter as a file may hold them."""
    texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    items = st.one_of(st.integers(), st.floats(-1e9, 1e9), texts, st.booleans(), st.lists(texts))
    if isinstance(item, Control):
        if item.curve in ("integer", "switch"):
            whole = st.integers(int(item.span[0]), int(min(item.span[1], 2**40)))
            return st.one_of(whole, st.booleans()) if item.curve == "switch" else whole
        return st.floats(*item.span, allow_nan=False)
    return {
        "number": st.floats(*(item.span or (-1e9, 1e9))),
        "choice": st.sampled_from(item.choices or ("",)),
        "flag": st.booleans(),
        "list": st.lists(items, max_size=4),
        "any": st.one_of(texts, st.booleans(), st.floats(-1e9, 1e9), st.integers(-9, 9)),
    }.get(item.type, texts)  # fmt: skip


def a_node(spec: NodeSpec):
    items = [*spec.controls, *(item for item in spec.settings if item.name not in spec.cls.shapes)]
    values = st.fixed_dictionaries({}, optional={item.name: legal_value(item) for item in items})
    return st.tuples(st.just(spec), st.sampled_from(spec.cls.examples or ({},)), values)


@settings(max_examples=150)
@given(st.sampled_from(SPECS).flatmap(a_node))
def test_what_is_written_for_a_node_reads_as_that_node(made):
    spec, shape, values = made
    shaped = KINDS.shaped(spec.kind, shape)
    both = {**{name: value for name, value in shape.items() if shaped.setting_named.get(name)}, **values}
    both = {
        name: value
        for name, value in both.items()
        if (item := shaped.inlet_named.get(name) or shaped.setting_named.get(name)) and not misfit(item, value)
    }
    text = written(spec.kind, both, KINDS)
    box = parse(text, KINDS)
    assert (box.kind, dict(box.values), box.problems) == (spec.kind, both, ()), text


def test_a_node_is_written_as_a_user_would():
    assert written("svf~", {"cutoff": 800, "resonance": 0.4}, KINDS) == "svf~ 800 0.4"
    assert written("svf~", {"resonance": 0.4}, KINDS) == "svf~ resonance=0.4"
    assert written("message", {"text": "hello world"}, KINDS) == "message hello world"
    assert written("sequence", {"values": [60, 62], "loop": False}, KINDS) == "sequence 60 62 loop=false"
    assert written("expr~", {"code": "x1 * drive", "drive": 2}, KINDS) == "expr~ x1 * drive drive=2"
    assert written("select", {"value": "5"}, KINDS) == "select 5"


@few
@given(st.one_of(st.text(max_size=20), st.lists(st.sampled_from(
    ["svf~", "message", "sequence", "expr~", "800", "-.5", '"', "[", "]", "\\", "=", "cutoff=", "x1", "$a", "on", " "]
)).map(" ".join)), st.integers(-2, 22))  # fmt: skip
def test_no_text_breaks_the_box(text, at):
    box, found = parse(text, KINDS), hint(text, KINDS, at)
    assert (box.kind is None) == (found is None)
    assert all(1 <= problem.column <= len(text) + 1 for problem in box.problems)
    assert found is None or found.active is None or 0 <= found.active < len(found.arguments)
    for word in split(text):
        assert 0 <= word.start < word.end <= len(text)


@pytest.mark.parametrize(
    ("text", "active"),
    {
        "svf~": None, "svf~ ": "cutoff", "svf~ 8": "cutoff", "svf~ 800": "cutoff", "svf~ 800 ": "resonance",
        "svf~ resonance=": "resonance", "svf~ resonance=0.4 ": "cutoff", "svf~ 800 0.4 ": None, "svf~ cut=4": None,
        "play~ a.wav": "file", "play~ a.wav ": "loop", "print a b": "label", "print a ": "label",
        "sequence 1 2 ": "values", "expr~ x1 * ": "code", "expr~ x1*a a=": "a", "abs~ ": None,
        "delay~ 1 0.5": "feedback",
    }.items(),
)  # fmt: skip
def test_the_hint_says_which_argument_is_being_typed(text, active):
    found = hint(text, KINDS)
    assert (None if found.active is None else found.arguments[found.active].name) == active


def test_the_hint_names_the_arguments():
    found = hint("lores~ 800 0.4", KINDS, at=7)
    assert found.kind == "svf~" and found.active == 0
    cutoff, resonance = found.arguments
    assert (cutoff.name, cutoff.legal, cutoff.text) == ("cutoff", "10 to 20000 Hz", "800")
    assert (resonance.name, resonance.text) == ("resonance", "0.4") and cutoff.help and cutoff.default > 0
    assert hint("", KINDS) is None and hint("nothing~ 3", KINDS) is None


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.kind)
def test_every_kind_can_be_typed_with_each_argument_by_name(spec):
    found = hint(f"{spec.kind} ", KINDS)
    assert {item.name for item in found.arguments} == {item.name for item in (*spec.controls, *spec.settings)}
    for item in (*spec.controls, *(item for item in spec.settings if item.name not in spec.cls.shapes)):
        text = written(spec.kind, {item.name: item.default}, KINDS)
        box = parse(text, KINDS)
        assert box.problems == () and box.values == {item.name: item.default}, text


def test_numbers_are_read_in_the_unit_of_the_argument():
    def read(text: str, unit: str) -> object:
        return number(split(f"x {text}")[1], unit)

    assert [read(text, "s") for text in ("1", "1.", "-.5", "1e3", "250ms", "2S")] == [1, 1.0, -0.5, 1000.0, 0.25, 2]
    assert [read(text, "Hz") for text in ("2khz", "2kHz", "3hz", "3ms")] == [2000.0, 2000.0, 3, None]
    assert [read(text, "") for text in ("nan", "inf", "1_000", "0x10", "--1", "1ms", "१")][:6] == [None] * 6


def test_the_model_of_the_editor_loads_no_window_and_no_help_before_it_is_asked_for():
    names = [f"nodegraph.editor.{path.stem}" for path in Path(editor.__file__).parent.glob("*.py")]
    assert len(names) > 20
    program = f"import sys, {', '.join(names)}; print({{'dearpygui', 'nodegraph.core.helppatch'}} & {{*sys.modules}})"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "set()\n"
