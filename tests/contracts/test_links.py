"""A node without memory is the same, to the bit, as a link of a chain: its signals in registers instead of memory."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from nodegraph.core.spec import NodeSpec
from nodegraph.runtime.kernels import forms
from nodegraph.runtime.kernels.links import can_link, last_link, link
from nodegraph.runtime.native import chains
from nodegraph.runtime.native.compiled import address
from nodegraph.validation.memory import Guarded
from nodegraph.validation.unit import Unit
from tests.contracts.drive import NASTY, TICKS, drive, kind
from tests.contracts.harness import Floats

BLOCK = 64
CALL = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 4)
LINKED = [spec for spec in TICKS if can_link(spec, 1)]

every_link = pytest.mark.parametrize("spec", LINKED, ids=kind)


def linked(spec: NodeSpec, values: dict, which: int, output: int) -> Floats:
    """One block through a chain of one link; bit k of `which`: signal k comes in registers."""
    unit = Unit(spec)
    modes, signals = "", []
    for name in forms.signal_inlets(spec):
        if np.ndim(values[name]) == 2:
            modes += forms.MOVING
            signals.append(Guarded(name, np.ascontiguousarray(values[name][0], np.float32)))
        else:
            modes += forms.STILL
            unit.field(name)[:] = values[name]
    y = Guarded("y", np.full(BLOCK, np.nan, np.float32))
    ins = np.array([item.address for item in signals], np.int64)
    function = link(spec, modes, 1 << output, which)
    rows = np.array([[function, unit.state.address, ins.ctypes.data, 0], [last_link(), 0, 0, y.address]], np.int64)
    state = np.array([0, 1, 0, rows.ctypes.data], np.int64)
    heard = ins[[k for k in range(len(ins)) if which >> k & 1][:1]].copy()
    CALL(address(chains.chain))(state.ctypes.data, heard.ctypes.data, 0, BLOCK)
    for item in (unit.state, y, *signals):
        item.check()
    return y.array.copy()


@every_link
@pytest.mark.parametrize("moving", [False, True], ids=["still", "moving"])
def test_a_link_is_its_node(spec: NodeSpec, moving: bool) -> None:
    values = drive(spec, BLOCK, 21, moving=moving)
    if moving:
        values |= {item.name: np.roll(np.resize(NASTY, (1, BLOCK)), k) for k, item in enumerate(spec.controls)}
    alone = Unit(spec).run(BLOCK, values)
    signals = [name for name in forms.signal_inlets(spec) if np.ndim(values[name]) == 2]
    for output, name in enumerate(alone):
        for which in range(len(signals)):
            found = linked(spec, values, 1 << which, output)
            wrong = np.flatnonzero(found.view(np.int32) != alone[name][0].view(np.int32))
            same_nan = np.isnan(found) & np.isnan(alone[name][0])
            wrong = wrong[~same_nan[wrong]]
            assert not len(wrong), f"'{name}' frame {wrong[0]}: {found[wrong[0]]!r}, alone {alone[name][0][wrong[0]]!r}"


def test_there_are_links() -> None:
    assert {"+~", "*~", "gain~", "clip~", "abs~"} <= {spec.kind for spec in LINKED}
