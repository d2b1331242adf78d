"""The words of a block node that works on vectors: pieces of arrays, sixteen numbers or fewer, as one value.

Every operator works on them number by number, as on one number; these words say what else there is. Vectors are for
algorithms whose loops LLVM does not see through by itself. Where the processor's registers are shorter, one becomes
several instructions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from llvmlite import ir

from nodegraph.runtime.kernels.values import I32, Operand, Type, Unfit, Value, Weak, splat, unify

if TYPE_CHECKING:
    from nodegraph.runtime.kernels.lowering import Lowering

WIDTHS: Final = (4, 8, 16)


def _vector(lowering: Lowering, x: Operand, lanes: Operand) -> Value:
    if lowering.tick or not isinstance(lanes, Weak) or lanes.number not in WIDTHS:
        raise Unfit(f"vector(x, n) is for a BlockNode's process, and n one of {WIDTHS}")
    return splat(lowering.builder, unify(lowering.builder, x, floats=True)[0], int(lanes.number))


def _beside(lowering: Lowering, *vectors: Operand) -> Value:
    found = [item for item in vectors if isinstance(item, Value)]
    lanes = sum(item.type.lanes for item in found)
    if lowering.tick or len(found) != len(vectors) or len({item.type for item in found}) != 1 or lanes not in WIDTHS:
        raise Unfit(f"beside(…) takes like vectors, of together {WIDTHS} numbers, in a BlockNode's process")
    while len(found) > 1:
        places = list(range(2 * found[0].type.lanes))
        found = [_chosen(lowering.builder, a, b, places) for a, b in zip(found[::2], found[1::2], strict=True)]
    return found[0]


def _swap_places(lowering: Lowering, *vectors: Operand) -> list[Value]:
    """In two steps of instructions that stay within a quad."""
    a, b, c, d = _sixteens(lowering, vectors)
    builder = lowering.builder
    by_turns, in_pairs = ("a0 b0 a1 b1", "a2 b2 a3 b3"), ("a0 a1 b0 b1", "a2 a3 b2 b3")
    (low, high), (lows, highs) = _in_quads(builder, a, b, by_turns), _in_quads(builder, c, d, by_turns)
    return [*_in_quads(builder, low, lows, in_pairs), *_in_quads(builder, high, highs, in_pairs)]


def _in_quads(builder: ir.IRBuilder, a: Value, b: Value, masks: tuple[str, ...]) -> list[Value]:
    """Two vectors mixed, in each quad alike: ``a2`` is the third number of the first one's quad."""
    found = []
    for mask in masks:
        picks = [int(word[1]) + (16 if word[0] == "b" else 0) for word in mask.split()]
        found.append(_chosen(builder, a, b, [pick + first for first in range(0, 16, 4) for pick in picks]))
    return found


def _swap_quads(lowering: Lowering, *vectors: Operand) -> list[Value]:
    """In two steps of instructions that move whole quads."""
    a, b, c, d = _sixteens(lowering, vectors)
    builder = lowering.builder
    (even, odd), (evens, odds) = _every_other_quad(builder, a, b), _every_other_quad(builder, c, d)
    (first, third), (second, fourth) = _every_other_quad(builder, even, evens), _every_other_quad(builder, odd, odds)
    return [first, second, third, fourth]


def _every_other_quad(builder: ir.IRBuilder, a: Value, b: Value) -> list[Value]:
    """The even and the odd quads of two vectors."""
    return [_chosen(builder, a, b, [4 * quad + k for quad in range(odd, 8, 2) for k in range(4)]) for odd in (0, 1)]


def _sixteens(lowering: Lowering, vectors: tuple[Operand, ...]) -> list[Value]:
    found = [item for item in vectors if isinstance(item, Value) and item.type == Type("f32", 16)]
    if lowering.tick or len(found) != 4 or len(vectors) != 4:
        raise Unfit("this takes four vectors of sixteen float32 numbers, in a BlockNode's process")
    return found


def _chosen(builder: ir.IRBuilder, a: Value, b: Value, places: list[int]) -> Value:
    mask = ir.Constant(ir.VectorType(I32, len(places)), [I32(k) for k in places])
    return Value(builder.shuffle_vector(a.ir, b.ir, mask), Type(a.type.elem, len(places)))


WORDS: Final[dict[str, Callable[..., Any]]] = {
    "vector": _vector, "beside": _beside, "swap_places": _swap_places, "swap_quads": _swap_quads,
}  # fmt: skip
