"""expr~: the machine code against the interpreter, SciPy and closed forms; lanes, blocks, feedback, parameters, NaN."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from nodegraph.core import registry
from nodegraph.core.expressions import Expression, parse
from nodegraph.core.expressions.tree import Tree
from nodegraph.core.expressions.words import FUNCTIONS
from nodegraph.core.ports import Control
from nodegraph.nodes.expressions import SignalExpression, signal_spec
from nodegraph.runtime.kernels import forms
from tests.contracts.harness import Floats, Unit, db, play, same_bits
from tests.core.expression_texts import text_of, trees

RATE = 48_000
NOISE = (0.3 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)


def played(code: str, frames: int | None = None, **values) -> Floats:
    """What comes out, one channel."""
    given = {
        name: np.atleast_2d(value).astype(np.float32) if np.ndim(value) else value for name, value in values.items()
    }
    frames = frames or max((value.shape[1] for value in given.values() if np.ndim(value)), default=64)
    return play(signal_spec(code), frames, given, split=[64])["y"][0]


def interpreted(expression: Expression, frames: int, **values) -> np.ndarray:
    """The same in Python, sample by sample, in double precision."""
    held = dict.fromkeys(expression.memories, 0.0)
    still = dict.fromkeys(expression.takes, 0.0) | {"rate": float(RATE)}
    found = []
    for k in range(frames):
        now = {name: float(value[k]) if np.ndim(value) else float(value) for name, value in values.items()}
        y, *after = expression.step({**still, **now, **held})
        held = dict(zip(expression.memories, after, strict=True))
        found.append(y)
    return np.array(found)


def residue(found, wanted) -> float:
    return db(np.sqrt(np.mean((found - wanted) ** 2) / np.mean(np.square(wanted))))


# Where each function is tried, and how far it may be off: of the larger of 1 and the value.
DOMAINS = {
    "exp": (-20, 20, 1e-6), "exp2": (-20, 20, 1e-6), "sinh": (-10, 10, 1e-6), "cosh": (-10, 10, 1e-6),
    "tan": (-1.4, 1.4, 5e-5), "mtof": (0, 127, 2e-6), "dbtoa": (-60, 30, 1e-6), "sqrt": (-2, 100, 1e-6),
    "log": (1e-3, 100, 1e-6), "log2": (1e-3, 100, 1e-6), "log10": (1e-3, 100, 1e-6),
    "ftom": (10, 20_000, 1e-5), "atodb": (1e-3, 10, 1e-5), "sin": (-30, 30, 1e-6), "cos": (-30, 30, 1e-6),
    "asin": (-1.2, 1.2, 1e-5), "acos": (-1.2, 1.2, 1e-5), "fmod": (-5, 5, 1e-5), "sin_pi": (-9, 9, 2e-6),
    "cos_pi": (-9, 9, 2e-6),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_in_machine_code_is_what_it_is_in_python(name: str) -> None:
    """At 4000 places of its domain, away from the steps of those that have steps."""
    low, high, bound = DOMAINS.get(name, (-5, 5, 1e-6))
    places = np.random.default_rng(1).uniform(low, high, 4_000).astype(np.float32)
    others = np.random.default_rng(2).uniform(0.3, 2.0, (3, 4_000)).astype(np.float32)
    given = {"x1": places, **{f"x{k + 2}": others[k] for k in range(FUNCTIONS[name].least - 1)}}
    expression = parse(f"{name}({', '.join(given)})")
    found, wanted = played(expression.text, **given), interpreted(expression, 4_000, **given)
    off = np.abs(found - wanted) / np.maximum(1.0, np.abs(wanted))
    if name == "fmod":  # next to a step a rounding may stand on its other side
        off = np.minimum(off, np.abs(np.abs(found - wanted) - others[0]))
    assert off.max() < bound, f"{name}({places[off.argmax()]}) is {found[off.argmax()]}, not {wanted[off.argmax()]}"


@pytest.mark.parametrize("name", ["atan", "asin", "acos", "atan2"])
def test_the_arcs_are_those_of_numpy(name: str) -> None:
    x = np.linspace(-1.0 if name != "atan" else -50.0, 1.0 if name != "atan" else 50.0, 20_001).astype(np.float32)
    if name == "atan2":
        angle = np.linspace(-np.pi + 1e-3, np.pi - 1e-3, 20_001)
        y, x = np.sin(angle).astype(np.float32), np.cos(angle).astype(np.float32)
        found, wanted = played("atan2(x1, x2)", x1=y, x2=x), np.arctan2(y.astype(float), x.astype(float))
    else:
        found, wanted = played(f"{name}(x1)", x1=x), getattr(np, "arc" + name[1:])(x.astype(float))
    assert np.abs(found - wanted).max() < 1e-6


CODES = [
    "x1 + x2 * 3 - x1 / 4", "x1 / x2 + x1 % 0.3", "x1 ^ 2 - x1 ^ 3 + abs(x1) ^ 1.5 + x1 ^ -2", "x1 > x2", "!(x1 > 0)",
    "x1 > 0 && x2 > 0 || x1 < -0.3", "x1 > 0 ? x2 : -x2", "(x1 > 0) + (x2 > 0) * 2", "-0.1 < x1 <= x2", "0.25", "rate",
    "a = x1 * 2; b = a * a; y = b - a", "tanh(5 * x1) * 0.5 + clip(x2, -0.1, 0.1)", "max(x1, x2, 0) + min(x1, x2, 0)",
    "x1 + x1[-1] + x1[-7] - x2[-2]", "x1 + 0.9 * y[-1]", "w = x1 - 0.5 * w[-1]; w + w[-1]",
    "d = x1 - m[-1]; m = m[-1] + 0.1 * d; d", "y[-1] ? 0 : 1", "$v1 * $f2 + $i1",
]  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_the_machine_code_is_what_the_interpreter_says(code: str) -> None:
    expression = parse(code)
    random = np.random.default_rng(4)
    given = {name: random.uniform(-1, 1, 2_000).astype(np.float32) for name in ("x1", "x2")}
    given = {name: value for name, value in given.items() if name in expression.inputs}
    found, wanted = played(code, 2_000, **given), interpreted(expression, 2_000, **given)
    # a quotient or a remainder may be large, or stand on the other side of a step
    off = np.abs(found - wanted) / np.maximum(1.0, np.abs(wanted))
    assert np.quantile(off, 0.998) < 2e-5 and (off > 1e-3).mean() < 2e-3


@settings(max_examples=40, deadline=None)
@given(trees, st.randoms(use_true_random=False))
def test_sixteen_lanes_are_sixteen_monos_in_any_cut(tree: Tree, dice: random.Random) -> None:
    spec = signal_spec(text_of(tree, dice))
    values = np.random.default_rng(5).uniform(-2, 2, (len(spec.inlets), 16, 96)).astype(np.float32)
    driven = dict(zip((item.name for item in spec.inlets), values, strict=True))
    together = play(spec, 96, driven, lanes=16, split=[32, 1, 7])
    for lane in (0, 7, 15):
        alone = play(spec, 96, {name: value[lane : lane + 1] for name, value in driven.items()})
        difference = same_bits({"y": together["y"][lane : lane + 1]}, alone)
        assert not difference, f"{text_of(tree, dice)}: lane {lane}: {difference}"


# What remembers.


@pytest.mark.parametrize(
    ("b", "a"), [signal.butter(2, 1_000, fs=RATE), signal.butter(2, 9_000, "high", fs=RATE),
                 signal.iirpeak(3_000, 8, fs=RATE), signal.cheby1(4, 1, 8_000, fs=RATE)],
)  # fmt: skip
def test_a_filter_written_out_nulls_against_scipy(b, a) -> None:
    """Direct form, of any order; float32 coefficients, and float32 outputs that come back."""
    code = " + ".join(f"{value!r} * x1[-{k}]" for k, value in enumerate(map(float, b)))
    code += "".join(f" - {value!r} * y[-{k}]".replace("- -", "+ ") for k, value in enumerate(map(float, a)) if k)
    assert residue(played(code, x1=NOISE), signal.lfilter(b, a, NOISE)) < -80


def test_the_coefficients_of_a_filter_may_be_its_knobs() -> None:
    b, a = signal.butter(2, 1_000, fs=RATE)
    code = "b0 * x1 + b1 * x1[-1] + b2 * x1[-2] - a1 * y[-1] - a2 * y[-2]"
    found = played(code, x1=NOISE, b0=b[0], b1=b[1], b2=b[2], a1=a[1], a2=a[2])
    biquad = play(registry().get("biquad~"), RATE, {"x": NOISE[None], "b0": b[0], "b1": b[1], "b2": b[2], "a1": a[1],
                                                    "a2": a[2]})["y"][0]  # fmt: skip
    assert residue(found, signal.lfilter(b, a, NOISE)) < -80
    assert residue(found, biquad.astype(float)) < -80, "and it is biquad~"


def test_the_past_is_as_long_as_it_says() -> None:
    taps = np.random.default_rng(3).uniform(-1, 1, 64)
    code = " + ".join(f"{float(value)!r} * x1[-{k}]" for k, value in enumerate(taps, 1))
    code = code.replace("+ -", "- ")
    assert residue(played(code, x1=NOISE), np.convolve(NOISE, [0, *taps])[:RATE]) < -110


def test_what_went_out_comes_back_a_sample_later() -> None:
    found = played("y[-1] + 1", 100)
    assert (found == np.arange(1, 101)).all()
    found = played("x1 + 0.99 * y[-1]", x1=np.eye(1, 2_000)[0])
    np.testing.assert_allclose(found, 0.99 ** np.arange(2_000), rtol=2e-4)


def test_an_oscillator_is_two_statements() -> None:
    code = "p = fract(p[-1] + freq / rate); sin_pi(2 * p)"
    found = played(code, RATE, freq=440.0)
    wanted = np.sin(2 * np.pi * 440.0 / RATE * np.arange(1, RATE + 1))
    assert np.abs(found - wanted).max() < 2e-2, "float32 phases drift by a few thousandths in a second"
    assert abs(np.argmax(np.abs(np.fft.rfft(found))) - 440) <= 0


# Parameters.


def test_a_parameter_is_a_knob_that_takes_sound_as_well() -> None:
    drive = np.linspace(0, 8, RATE).astype(np.float32)
    found = played("tanh(drive * x1)", x1=NOISE, drive=drive)
    np.testing.assert_allclose(found, np.tanh(drive.astype(float) * NOISE), atol=1e-6)
    still = played("tanh(drive * x1)", x1=NOISE, drive=3.0)
    np.testing.assert_allclose(still, np.tanh(3.0 * NOISE.astype(float)), atol=1e-6)
    assert not played("tanh(drive * x1)", x1=NOISE).any(), "it is 0 at first"


def test_ports_are_what_the_expression_names() -> None:
    spec = signal_spec("mix * x3 + (1 - mix) * tanh(drive * x1) + y[-1] * 0")
    assert [item.name for item in spec.inlets] == ["x1", "x3", "mix", "drive"]
    assert [isinstance(item, Control) for item in spec.inlets] == [False, False, True, True]
    assert all(item.default == 0.0 and item.span == (-1e9, 1e9) and item.ramp_s == 0.01 for item in spec.controls)
    assert [item.name for item in spec.outlets] == ["y"] and [item.name for item in spec.settings] == ["code"]
    assert [item.name for item in spec.memories] == ["_y_1"]
    assert spec.kind == "expr~" and spec.family == "expressions" and spec.help == SignalExpression.spec.help
    assert forms.layout(spec, 1).controls == ("mix", "drive")


def test_texts_that_mean_the_same_are_one_spec() -> None:
    assert signal_spec("x1*2") is signal_spec(" x * 2.0 ") is signal_spec("$v1 * (1 + 1)")
    assert signal_spec("x1*2") is not signal_spec("x1*3")
    assert signal_spec("x") is SignalExpression.spec


# What is not a number.


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf], ids=str)
@pytest.mark.parametrize("code", ["x1 + 0.99 * y[-1]", "x1[-3] + x1", "p = fract(p[-1] + x1); p", "m = m[-1] + x1; m"])
def test_feedback_recovers_with_the_next_block(code: str, bad: float) -> None:
    unit = Unit(signal_spec(code))
    good = np.full((1, 64), 0.25, np.float32)
    unit.run(64, {"x1": good})
    unit.run(64, {"x1": np.full((1, 64), bad, np.float32)})
    assert np.isfinite(unit.run(64, {"x1": good})["y"]).all()


def test_what_grows_beyond_all_bounds_starts_anew() -> None:
    unit = Unit(signal_spec("2 * y[-1] + 1"))
    heard = np.concatenate([unit.run(64)["y"][0] for _ in range(5)])
    assert np.isinf(heard[127]), "2^128 is beyond float32"
    assert (heard[128:255] == heard[:127]).all(), "the block after that begins at 0"


def test_a_division_by_zero_is_zero() -> None:
    zero = np.zeros(64, np.float32)
    for code in ("x1 / x2", "1 / x2", "x1 % x2", "fmod(x1, x2)", "x2 ^ -3", "x1 / 0", "atan2(x2, x2)"):
        given = {name: {"x1": zero + 1, "x2": zero}[name] for name in parse(code).inputs}
        assert not played(code, **given).any(), code
