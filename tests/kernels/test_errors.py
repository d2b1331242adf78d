"""What is not in the kernel language is refused with one sentence that points at the author's line."""

import ast
from pathlib import Path

import numpy as np
import pytest

from nodegraph.core import DeclarationError, KernelError, KernelNode, inlet, node, outlet
from nodegraph.core.arithmetic import u32, where
from nodegraph.runtime.kernels import forms
from tests.kernels.make import block_node, tick_node

TABLE = [1.0, 2.0]


def text(a):
    b = "loud"  # noqa: F841 HERE
    return a


def loop(a):
    for _ in range(3):  # HERE
        a = a + 1.0
    return a


def listed(a):
    b = [a, a]  # noqa: F841 HERE
    return a


def comprehension(a):
    return sum(a for _ in range(3))  # HERE


def unknown(a):
    return a + missing  # noqa: F821 HERE


def global_list(a):
    return a + TABLE[0]  # HERE


def numpy_call(a):
    return np.sin(a)  # HERE


def raising(a):
    if a > 0.0:
        raise ValueError  # HERE
    return a


def early(a):
    if a > 0.0:
        return a  # HERE
    return a


def mixed(a):
    return u32(a) + a  # HERE


def attribute(a):
    return a.real  # HERE


def keyword(a):
    return where(condition=a > 0.0, a=a, b=a)  # HERE


def power(a):
    return a**0.5  # HERE


def recursive(a):
    return recursive(a)  # HERE


def dropped(a):
    a + 1.0  # HERE
    return a


def wrong_count(a):
    b, c = pair(a), a  # noqa: F841 HERE
    return b


def pair(a):
    return a, a


def delete(a):
    del a  # HERE
    return 0.0


def branch_types(a):
    if a > 0.0:
        b = 1.0
    else:
        b = u32(a)
    return where(b > 0.5, a, a)


TICKS = [
    text, listed, comprehension, unknown, global_list, numpy_call, raising, mixed, attribute, keyword, power,
    recursive, dropped, wrong_count, delete, early,
]  # fmt: skip


def line_of(function):
    code = function.__code__
    lines = Path(code.co_filename).read_text(encoding="utf-8").splitlines()
    return next(k for k in range(code.co_firstlineno, len(lines) + 1) if "HERE" in lines[k - 1])


@pytest.mark.parametrize("lanes", [1, 16])
@pytest.mark.parametrize("function", TICKS, ids=lambda item: item.__name__)
def test_the_authors_line_is_named(function, lanes):
    spec = tick_node(function)
    with pytest.raises(KernelError) as caught:
        forms.kernel(spec, "l" * len(spec.inlets), lanes)
    (problem,) = caught.value.problems
    assert problem.file == __file__
    assert problem.line == line_of(function), problem.describe()
    assert "made~" in problem.what and "docs/adding-a-node.md" in problem.do


@pytest.mark.parametrize("lanes", [1, 16])
def test_a_loop_in_a_tick_is_refused_in_every_form(lanes: int) -> None:
    with pytest.raises(KernelError, match="loops belong in a BlockNode's process") as caught:
        forms.kernel(tick_node(loop), "l", lanes)
    assert caught.value.problems[0].line == line_of(loop)


def test_a_name_of_two_kinds_is_refused():
    with pytest.raises(KernelError, match="is f32 on one side of this if and u32 on the other"):
        forms.kernel(tick_node(branch_types), "l", 1)


def float_index(x, y, line, frames):
    for i in range(frames):
        y[i] = line[x[i]]  # HERE


def two_indices(x, y, line, frames):
    y[0, 0] = x[0]  # HERE


def enumerated(x, y, line, frames):
    for i in enumerate(x):  # HERE
        y[i] = 0.0


def sliced(x, y, line, frames):
    y[0:5] = x[0:5]  # HERE


def called_method(x, y, line, frames):
    y.fill(0.0)  # HERE


def lost_break(x, y, line, frames):
    if frames > 1:
        pass
    y[0] = TABLE  # HERE


@pytest.mark.parametrize(
    "function",
    [float_index, two_indices, enumerated, sliced, called_method, lost_break],
    ids=lambda item: item.__name__,
)
def test_the_line_of_a_process_is_named(function):
    spec = block_node(function)
    with pytest.raises(KernelError) as caught:
        forms.kernel(spec, "l")
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == (__file__, line_of(function)), problem.describe()


def test_the_line_of_a_helper_is_named():
    def calls_a_helper(a):
        return helper_with_text(a)

    with pytest.raises(KernelError) as caught:
        forms.kernel(tick_node(calls_a_helper), "l")
    assert caught.value.problems[0].line == line_of(helper_with_text)


def helper_with_text(a):
    b = "no"  # noqa: F841 HERE
    return a


def no_return(x):
    x = x + 1.0


def stranger(x, z):
    return x, z


def too_many(x):
    return x, x


@pytest.mark.parametrize(
    ("tick", "words"),
    [
        (no_return, "no_return returns nothing"),
        (
            stranger,
            "stranger asks for 'z', which is no port, setting, memory or context here; names are 'frames', 'rate'",
        ),
        (too_many, r"tick returns 2 values; it must return 1 for the outlets \('y'\) and then 0 for the memories"),
    ],
)
def test_a_tick_that_does_not_fit_its_ports_is_refused_at_import(tick, words):
    ports = {"x": inlet.signal("in"), "y": outlet.signal("out"), "tick": staticmethod(tick)}
    cls = type("Wrong", (KernelNode,), {"__doc__": "Wrong.", **ports})
    with pytest.raises(DeclarationError, match=words) as caught:
        node("wrong~")(cls)
    assert caught.value.problems[0].file == __file__


def test_a_tick_that_carries_its_tree_is_named_by_its_title():
    """Made without a text (an expression), it has no file; it says itself what stands in a file's place."""

    def tick(x):
        return x

    tree = ast.parse("def tick(x):\n    return _twice(x) + _missing").body[0]
    vars(tick).update(kernel_tree=tree, kernel_title="the expression 'x'", kernel_names={"_twice": twice})
    with pytest.raises(KernelError) as caught:
        forms.kernel(tick_node(tick), "l")
    (problem,) = caught.value.problems
    assert problem.where() == "the expression 'x':2" and "'_missing' is not known" in problem.what


def twice(a):
    return a * 2.0
