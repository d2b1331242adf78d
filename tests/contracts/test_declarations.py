"""Every registered node says what it is: help, units, legal defaults, words by which it is found."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

from nodegraph.core import Graph, NodeSpec, registry
from nodegraph.core.spec import Role
from nodegraph.validation.checks import declaration
from nodegraph.validation.subject import Subject
from tests.contracts.drive import NATIVE, kind

EVERY = list(registry())
every = pytest.mark.parametrize("spec", EVERY, ids=kind)
UNITS = {"", "s", "Hz", "dB", "cycles", "st", "BPM", "kbit/s"}


def test_the_registry_has_no_problems():
    assert not registry().problems


def told(check, spec) -> list[str]:
    """What a check of `nodegraph validate` finds."""
    subject = Subject(spec, registry(), Path())
    return [finding.describe() for finding in check(subject)]


@every
def test_the_help_is_complete(spec):
    """What it does, how, where that comes from; of native nodes, how late."""
    assert not told(declaration.help_complete, spec)


@every
def test_every_port_and_setting_is_explained_with_a_legal_default_and_a_span_that_makes_sense(spec):
    assert not told(declaration.ports, spec)


@every
def test_units_are_those_that_everybody_knows(spec):
    for item in (*spec.controls, *spec.settings):
        assert item.unit in UNITS, f"'{item.name}' has the unit {item.unit!r}"


@every
def test_the_spec_is_plain_data_and_survives_json(spec):
    data = json.loads(json.dumps(spec.as_dict()))
    assert data == spec.as_dict()
    assert [port["name"] for port in data["inlets"]] == [item.name for item in spec.inlets]
    assert [port["name"] for port in data["outlets"]] == [item.name for item in spec.outlets]
    assert {item["name"] for item in data["settings"]} == {item.name for item in spec.settings}
    assert data["role"] in set(Role) and data["kind"] == spec.kind


@every
def test_a_node_of_it_can_stand_in_a_graph(spec):
    graph = Graph()
    graph.add(spec.kind, "it")
    assert graph.nodes["it"].spec is spec
    for alias in spec.aliases:
        assert registry().get(alias) is spec, f"the alias {alias!r} does not find it"


@every
def test_words_from_other_systems_find_it(spec):
    """Each has at least one word from Max, Pd or SuperCollider, but for what these do not have."""
    ours = {"pitch.swift~", "notes~", "vad~", "yamnet.tag~"}
    theirs = {"inlet~", "outlet~", "expr"}  # called so in Max and in Pd
    assert spec.aliases or spec.kind in ours | theirs, "no alias: what do Max, Pd and SuperCollider call it?"


def test_the_catalogue_is_whole():
    """The nodes that the first engine promises."""
    promised = """
        in~ out~ play~ record~ sine~ saw~ square~ triangle~ phasor~ noise~ line~ adsr~ gain~ +~ -~ *~ /~ mix~ pan~
        onepole~ svf~ biquad~ comb~ allpass~ delay~ reverb~ limiter~ env~ spectrum~ onset~ metro number message random
        mtof ftom print send receive delay yamnet.tag~ vad~ pitch.swift~ notes~
        lfo~ sah~ slew~ crossfade~ wrap~ fold~ abs~ round~ highpass~ eq~ ladder~ compressor~ gate~ chorus~ flanger~
        phaser~ wavetable~ partials~ pluck~ counter sequence euclid chance arpeggio makenote mono quantise toggle gate
        switch pack unpack change average clip timer + - * / mod
    """
    kinds = {spec.kind for spec in EVERY}
    assert not [kind for kind in promised.split() if kind not in kinds]


@pytest.mark.parametrize("spec", NATIVE, ids=kind)
def test_the_layout_knows_every_field(spec):
    from nodegraph.runtime.kernels import forms

    about = forms.layout(spec, 1)
    scalars = {item.name for item in spec.memories if not item.array}
    assert set(about.offsets) == {*about.controls, *about.constants, *about.counters, *scalars}
    assert set(about.arrays) == {item.name for item in spec.memories if item.array}
    arranged = getattr(spec.cls, "arrange", None)
    sized = {item.name for item in spec.memories if item.array and item.size is None}
    assert bool(sized) <= (arranged is not None), f"nobody makes {sized}"
    if arranged is not None:
        legal = {item.name for item in spec.settings} | {"rate"}
        assert set(inspect.signature(arranged).parameters) <= legal


def test_spec_is_hashable_by_identity():
    assert len({spec: 0 for spec in EVERY if isinstance(spec, NodeSpec)}) == len(EVERY)


def test_a_port_that_a_subclass_names_again_stands_where_it_is_named() -> None:
    """So what a node shares with others does not come before what it is for."""
    read, write = (registry().get(kind) for kind in ("codes.read", "codes.write"))
    assert read is not None and write is not None
    assert [item.name for item in read.outlets] == ["codes", "done"]
    assert [item.name for item in read.settings] == ["file", "codec", "rate", "hop", "bits", "loop"]
    assert [item.name for item in write.inlets] == ["codes", "on"]
