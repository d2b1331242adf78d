"""The registry: which kinds there are, by which words they are found, and what a broken package does to it."""

import sys
import types

import pytest

from nodegraph.core import DeclarationError, EventNode, Registry, node
from nodegraph.core import registry as installed
from nodegraph.core.cable import natural
from tests.core.kinds import CLASSES, KINDS, Filter, Sine

module = sys.modules["nodegraph.core.registry"]


class Entry:
    """An entry point as importlib.metadata gives it."""

    def __init__(self, name: str, loads: object) -> None:
        self.name, self.value, self.loads = name, f"{name}.nodes", loads

    def load(self) -> object:
        if isinstance(self.loads, BaseException):
            raise self.loads
        return self.loads


@pytest.fixture
def with_packages(monkeypatch):
    """The installed registry as it is with these entry points."""

    def build(*entries: Entry) -> Registry:
        monkeypatch.setattr(module, "_built_in", lambda: CLASSES)
        monkeypatch.setattr(module, "_entry_points", lambda: entries)
        return installed.__wrapped__()

    return build


def declared(kind: str, **more: object) -> type:
    @node(kind, **more)
    class Some(EventNode):
        """Do something."""

    return Some


def a_module(*classes: type, own: bool = True) -> types.ModuleType:
    """A module that declares these classes, or only imports them."""
    found = types.ModuleType("somebody.nodes")
    for number, cls in enumerate(classes):
        if own:
            cls.__module__ = found.__name__
        setattr(found, f"class_{number}", cls)
    return found


def test_kinds_are_iterated_in_natural_order():
    kinds = [spec.kind for spec in KINDS]
    assert kinds == sorted(kinds, key=natural) and len(kinds) == len(CLASSES) == len(KINDS)


def test_kinds_and_aliases_are_found():
    assert KINDS.get("sine~") is Sine.spec and KINDS.get("SinOsc") is Sine.spec and KINDS.get("nothing") is None
    assert KINDS.resolve("cycle~") == "sine~" and KINDS.resolve("sine~") == "sine~" and KINDS.resolve("x") == "x"
    assert "svf~" in KINDS and "SVF" in KINDS and "svf" not in KINDS


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("sine~", "sine~"), ("sine", "sine~"), ("cycle~", "sine~"), ("SinOsc", "sine~"), ("sinosc", "sine~"),
        ("tag", "choir.tag~"), ("tagger", "choir.tag~"), ("filter", "svf~"), ("low high", "svf~"), ("sin", "sine~"),
        ("sinne", "sine~"), ("del", "delay"), ("record", "record~"), ("wave", "sine~"),
    ],
)  # fmt: skip
def test_a_word_finds_the_node_that_is_meant(word, first):
    assert next(spec.kind for spec in KINDS.search(word)) == first


def test_help_is_searched_by_the_beginnings_of_words():
    assert [spec.kind for spec in KINDS.search("agai")] == ["metro"]
    assert KINDS.search("gain") == []  # inside "again"


def test_search_without_a_word_gives_all_and_nonsense_gives_none():
    assert KINDS.search("") == list(KINDS)
    assert KINDS.search("zzzzzzzz") == []
    assert KINDS.search("sine zzzzzzzz") == []


@pytest.mark.parametrize(
    ("word", "first"),
    [("sine", "sine~"), ("cycl~", "sine~"), ("Svf~", "svf~"), ("metronome", "metro"), ("dac", "out~")],
)
def test_a_misspelt_kind_is_suggested_by_its_own_name(word, first):
    assert KINDS.suggest(word)[0] == first


def test_two_classes_of_one_kind_are_refused():
    with pytest.raises(DeclarationError, match="'sine~'"):
        Registry([*CLASSES, declared("sine~")])
    assert len(Registry([Sine, Sine, Sine.spec])) == 1  # the same class twice is no harm


def test_an_alias_that_two_kinds_claim_is_told():
    kinds = Registry([declared("b~", aliases=("osc~", "a~")), declared("a~", aliases=("osc~",))])
    assert kinds.resolve("osc~") == "a~" and kinds.resolve("a~") == "a~"
    assert sorted(problem.what for problem in kinds.problems) == [
        "The alias 'a~' of 'b~' belongs to 'a~' already.",
        "The alias 'osc~' of 'b~' belongs to 'a~' already.",
    ]


def test_nodes_of_an_installed_package_join(with_packages):
    kinds = with_packages(Entry("one", a_module(declared("one~"), declared("two~"))), Entry("two", declared("three~")))
    assert "one~" in kinds and "two~" in kinds and "three~" in kinds and "sine~" in kinds
    assert kinds.problems == []


@pytest.mark.parametrize(
    ("loads", "code", "says"),
    [
        (ImportError("no module named torchh"), "nodes-not-loaded", "torchh"),
        (ZeroDivisionError("division by zero"), "nodes-not-loaded", "ZeroDivisionError"),
        (SystemExit(3), "nodes-not-loaded", "SystemExit"),
        (DeclarationError("tick returns 3 values"), "declaration", "3 values"),
        (a_module(), "nodes-not-loaded", "declares no node"),
        (a_module(Filter, own=False), "nodes-not-loaded", "declares no node"),
        (int, "nodes-not-loaded", "declares no node"),
        ("not a module", "nodes-not-loaded", "do not load"),
        (a_module(declared("svf~")), "duplicate-kind", "'svf~'"),
    ],
)
def test_a_broken_package_is_told_and_the_rest_works(with_packages, loads, code, says):
    kinds = with_packages(Entry("bad", loads), Entry("good", declared("good~")))
    (problem,) = kinds.problems
    assert problem.code == code and says in problem.what
    assert kinds.get("good~") is not None and kinds.get("svf~") is Filter.spec


def test_the_installed_families_load_and_agree():
    kinds = installed()
    assert kinds is installed()
    assert "onepole~" in kinds and kinds.resolve("lop~") == "onepole~"
    assert all(spec.cls.__module__.startswith("nodegraph.nodes.") for spec in kinds)


def test_importing_the_language_imports_no_node():
    import subprocess

    code = "import sys, nodegraph.core; print([name for name in sys.modules if name.startswith('nodegraph.nodes')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=_root())
    assert done.stdout.strip() == "[]"


def _root() -> str:
    from pathlib import Path

    import nodegraph

    return str(Path(nodegraph.__file__).parents[1])
