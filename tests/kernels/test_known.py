"""Our own kernels are found again without being written out; what has changed in any way is written anew."""

import os

import pytest

from nodegraph.core import registry
from nodegraph.nodes.filters import OnePole
from nodegraph.runtime.kernels import forms, known
from nodegraph.runtime.kernels.jit import Jit, cache_folder, jit
from nodegraph.runtime.native import edges
from nodegraph.runtime.native.compiled import native_module
from tests.kernels.make import tick_node

NAMES = ("kernel",)


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """A cache of its own, sources that nobody has just edited, and a compiler that has loaded nothing."""
    monkeypatch.setenv("NODEGRAPH_CACHE", str(tmp_path))
    monkeypatch.setattr(known, "FRESH_S", 0.0)
    known.stamp.cache_clear()

    def begin() -> Jit:
        known.stamp.cache_clear()
        made = Jit()
        monkeypatch.setattr(known, "jit", lambda: made)
        return made

    yield begin
    known.stamp.cache_clear()


def load(name: str = "kernel onepole") -> int:
    """How often the module was made."""
    made = []

    def make():
        made.append(forms.module(OnePole.spec, "lc"))
        return made[-1]

    assert known.load_ours(name, make, NAMES)["kernel"]
    return len(made)


def test_it_is_written_out_once(fresh):
    compiler = fresh()
    assert load() == 1 and compiler.compiled == 1
    compiler = fresh()
    assert load() == 0 and compiler.compiled == 0
    assert load("kernel of another form") == 1


def test_sources_that_change_are_noticed(fresh, tmp_path, monkeypatch):
    source = tmp_path / "package" / "nodes" / "filters.py"
    source.parent.mkdir(parents=True)
    source.write_text("gain = 1.0\n")
    os.utime(source, ns=(10**18, 10**18))
    monkeypatch.setattr(known, "PACKAGE", tmp_path / "package")
    fresh()
    assert load() == 1
    fresh()
    assert load() == 0
    for change in (
        lambda: os.utime(source, ns=(10**18, 10**18 + 1)),
        lambda: (source.write_text("gain = 1.25\n"), os.utime(source, ns=(10**18, 10**18 + 1))),
        lambda: (source.with_name("more.py").write_text(""), os.utime(source.with_name("more.py"), ns=(1, 1))),
    ):
        change()
        fresh()
        assert load() == 1


def test_a_file_that_was_just_edited_is_not_trusted(fresh, tmp_path, monkeypatch):
    monkeypatch.setattr(known, "FRESH_S", 5.0)
    source = tmp_path / "package" / "nodes" / "filters.py"
    source.parent.mkdir(parents=True)
    source.write_text("")
    monkeypatch.setattr(known, "PACKAGE", tmp_path / "package")
    fresh()
    assert known.stamp() is None
    assert load() == 1 and load() == 1
    assert not list(cache_folder().glob("*.known"))


def test_what_is_damaged_or_gone_is_made_anew(fresh):
    fresh()
    load()
    (record,) = cache_folder().glob("*.known")
    (code,) = cache_folder().glob("*.kernel")
    whole = record.read_bytes()
    for content in (b"", b"\xff\xfe", whole[:-1], b"../" + whole[3:], b"0" * 32):
        record.write_bytes(content)
        fresh()
        assert load() == 1, content
        assert record.read_bytes() == whole
    code.write_bytes(code.read_bytes()[:-1])
    compiler = fresh()
    assert load() == 1 and compiler.compiled == 1
    code.unlink()
    fresh()
    assert load() == 1


def test_it_is_the_same_code(fresh):
    fresh()
    load()
    (record,) = cache_folder().glob("*.known")
    assert record.read_text() == jit().key(str(forms.module(OnePole.spec, "lc")))
    assert jit().key(str(native_module(edges.fade))) == jit().key(str(native_module(edges.fade)))


def test_only_what_comes_with_nodegraph_is_ours():
    def half(x):
        return x * 0.5

    assert known.is_ours(OnePole.spec) and known.is_native(edges.fade)
    assert not known.is_ours(tick_node(half)) and not known.is_native(half)
    shaped = next(
        spec.cls.shaped(example) for spec in registry() for example in spec.cls.examples if spec.kind == "expr~"
    )
    assert not known.is_ours(shaped), "its text is in a setting"
