"""The cache of machine code: kept under a hash of everything that it is made of, and never trusted blindly."""

import subprocess
import sys
from types import FunctionType

import numpy as np

from nodegraph import Patch
from nodegraph.core import node
from nodegraph.core.arithmetic import cos_pi, signed
from nodegraph.core.registry import Registry, registry
from nodegraph.nodes import sweeps
from nodegraph.nodes.oscillators import HALF
from nodegraph.nodes.sweeps import Chorus
from nodegraph.runtime.kernels import forms
from nodegraph.runtime.kernels.jit import Jit, cache_folder, jit
from tests.kernels.make import tick_node


def doubled(x):
    return x * 2.0


def tripled(x):
    return x * 3.0


def half(x):
    return x * 0.5


def scaled(x):
    return half(x)


def test_a_kernel_is_compiled_once_and_then_read_from_disk():
    module = forms.module(tick_node(doubled), "l")
    first = Jit()
    first.load(module, ("kernel",))
    second = Jit()
    second.load(forms.module(tick_node(doubled), "l"), ("kernel",))
    assert second.compiled == 0, "the second process would compile again"
    assert (cache_folder() / f"{first.key(str(module))}.kernel").exists()


def test_a_change_in_a_helper_is_another_kernel(monkeypatch):
    before = jit().key(str(forms.module(tick_node(scaled), "l")))
    monkeypatch.setitem(globals(), "half", tripled)
    assert jit().key(str(forms.module(tick_node(scaled), "l"))) != before


def test_a_damaged_file_is_compiled_again(tmp_path, monkeypatch):
    monkeypatch.setenv("NODEGRAPH_CACHE", str(tmp_path))  # nobody else is given what is damaged here
    module = forms.module(tick_node(tripled), "l")
    Jit().load(module, ("kernel",))
    path = cache_folder() / f"{jit().key(str(module))}.kernel"
    whole = path.read_bytes()
    for wrong in (b"", b"not an object", whole[:-100], whole[:2000] + b"\x90" * 8 + whole[2008:]):
        path.write_bytes(wrong)
        again = Jit()
        again.load(module, ("kernel",))
        assert again.compiled == 1, f"{wrong[:20]!r} was taken for machine code"


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path):
    """Run apart, since a damaged cache must not stop the program even at its start."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    program = (
        "import numpy as np\nfrom nodegraph.core import registry\nfrom nodegraph.runtime.kernels import forms\n"
        "assert forms.kernel(registry().get('gain~'), 'lc')\n"
    )
    environment = {"NODEGRAPH_CACHE": str(blocked / "below"), "PYTHONPATH": ".", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_no_fast_math_is_asked_for():
    """Reassociated sums would differ between the forms."""
    text = str(forms.module(tick_node(doubled), "l", 16))
    assert not any(f" {flag} " in text for flag in ("fast", "reassoc", "contract", "nnan", "ninf", "afn", "arcp"))
    assert np.finfo(np.float32).bits == 32


def cosine(angle):
    """The numbers of `oscillators.cosine_of`, by another order of operations."""
    return cos_pi(signed(angle) * HALF)


@node("swings~")
class Swings(Chorus):
    """`chorus~`, but for its cosine: a kernel that needs more than 16 registers and tests signs in some of them."""

    process = staticmethod(FunctionType(Chorus.process.__code__, vars(sweeps) | {"cosine_of": cosine}, "process"))


def test_the_compiler_reads_the_registers_that_it_wrote():
    """LLVM 22 takes register 6 for 22 here, where a processor has AVX-512: places far beyond the line were read."""
    kinds = Registry([*(spec.cls for spec in registry()), Swings])
    heard = []
    for kind in ("chorus~", "swings~"):
        patch = Patch(kinds=kinds)
        patch.connect(patch.add("saw~", "saw", freq=110.0), patch.add(kind, "wide"), patch.add("out~", "out"))
        heard.append(patch.render(seconds=0.2).audio)
    assert np.abs(heard[0]).max() > 0.1
    np.testing.assert_allclose(heard[1], heard[0], atol=1e-5)
