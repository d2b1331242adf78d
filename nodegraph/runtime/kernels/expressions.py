"""Expressions of the kernel language: names, arithmetic, comparisons, calls, array elements."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from typing import Any

from llvmlite import ir

from nodegraph.runtime.kernels import builtins as words
from nodegraph.runtime.kernels.operators import arithmetic, choose, compare, negate, truth
from nodegraph.runtime.kernels.source import Source
from nodegraph.runtime.kernels.values import (
    ELEMENTS,
    I64,
    PTR,
    SIZES,
    Array,
    Operand,
    Type,
    Unfit,
    Value,
    Weak,
    constant,
    convert,
    ir_type,
    splat,
    unify,
)
from nodegraph.runtime.kernels.vectors import WIDTHS

MOST_INLINED = 40


class Expressions:
    """The half of the lowering that computes. `Lowering` adds variables, statements and functions."""

    builder: ir.IRBuilder
    lanes: int
    fused: bool
    variables: dict[str, Any]
    source: Source | None
    mask: Value | None
    depth: int
    careful: bool

    def at(self, node: ast.AST, call: Callable[..., Any], *args: Any) -> Any:
        """Run a step; what does not fit the language is reported at this node's line."""
        raise NotImplementedError

    def fail(self, node: ast.AST, what: str) -> None:
        """Raise a KernelError that points at the author's line."""
        raise NotImplementedError

    def slot(self, type_: Type) -> Any:
        """Stack memory for one variable."""
        raise NotImplementedError

    def read(self, name: str) -> Any:
        """A variable's value."""
        raise NotImplementedError

    def inline(self, function: Callable[..., Any], arguments: dict[str, Any]) -> list[Operand]:
        """Lower a function's body in place."""
        raise NotImplementedError

    def expression(self, node: ast.expr) -> Any:
        """A value, a literal, an array or a function."""
        method = getattr(self, "get_" + type(node).__name__.lower(), None)
        if method is None:
            self.fail(node, f"a kernel cannot use '{ast.unparse(node)[:60]}'")
        return self.at(node, method, node)  # type: ignore[arg-type]

    def number(self, node: ast.expr) -> Operand:
        """An expression that must be a number."""
        found = self.expression(node)
        if not isinstance(found, (Value, Weak)):
            raise Unfit(f"'{ast.unparse(node)}' is not a number")
        return found

    def integer(self, node: ast.expr) -> Value:
        """An expression as a whole number (i64)."""
        found = self.number(node)
        if isinstance(found, Weak):
            if int(found.number) != found.number:
                raise Unfit("a whole number belongs here")
            return constant(int(found.number), Type("i64"))
        if found.type.elem in ("f32", "f64"):
            raise Unfit(f"'{ast.unparse(node)}' is a float; say i64(…)")
        self.one(found)
        return convert(self.builder, found, "i64")

    def get_constant(self, node: ast.Constant) -> Weak:
        if isinstance(node.value, (bool, int, float)):
            return Weak(node.value)
        raise Unfit(f"{node.value!r} is not a number")

    def get_name(self, node: ast.Name) -> Any:
        if node.id in self.variables:
            return self.read(node.id)
        assert self.source is not None
        return self._global(self.source.lookup(node.id), node.id)

    def get_attribute(self, node: ast.Attribute) -> Any:
        if isinstance(node.value, ast.Name) and node.value.id not in self.variables:
            assert self.source is not None
            owner = self.source.lookup(node.value.id)
            if inspect.ismodule(owner) and hasattr(owner, node.attr):
                return self._global(getattr(owner, node.attr), node.attr)
        raise Unfit(f"'{ast.unparse(node)}' is not known here")

    def _global(self, found: Any, name: str) -> Any:
        if isinstance(found, (bool, int, float)):
            return Weak(found)
        if callable(found):
            return found
        raise Unfit(f"'{name}' is a {type(found).__name__}; a kernel knows numbers and functions")

    def get_unaryop(self, node: ast.UnaryOp) -> Operand:
        value = self.number(node.operand)
        if isinstance(node.op, ast.UAdd):
            return value
        if isinstance(node.op, ast.Not):
            if isinstance(value, Weak):
                return Weak(not value.number)
            return Value(self.builder.not_(truth(self.builder, value).ir), Type("bool", value.type.lanes))
        if isinstance(node.op, ast.Invert):
            if isinstance(value, Weak):
                return Weak(~int(value.number))
            return Value(self.builder.not_(value.ir), value.type)
        return Weak(-value.number) if isinstance(value, Weak) else negate(self.builder, value)

    def get_binop(self, node: ast.BinOp) -> Operand:
        if isinstance(node.op, (ast.Add, ast.Sub)):
            fused = self._fused(node)
            if fused is not None:
                return fused
        return arithmetic(self.builder, type(node.op), self.number(node.left), self.number(node.right))

    def _fused(self, node: ast.BinOp) -> Operand | None:
        """``a*b + c``, ``c + a*b``, ``a*b - c``, ``c - a*b`` as one fused multiply-add, if these are floats."""
        product, other, left = node.left, node.right, True
        if not _is_product(product):
            product, other, left = node.right, node.left, False
        if not _is_product(product):
            return None
        a, b = self.number(product.left), self.number(product.right)  # type: ignore[attr-defined]
        c = self.number(other)
        typed = [item for item in (a, b, c) if isinstance(item, Value)]
        floats = any(item.type.elem in ("f32", "f64") for item in typed)
        if not floats or (isinstance(a, Weak) and isinstance(b, Weak)):
            times = arithmetic(self.builder, ast.Mult, a, b)
            first, second = (times, c) if left else (c, times)
            return arithmetic(self.builder, type(node.op), first, second)
        values = unify(self.builder, a, b, c)
        if isinstance(node.op, ast.Sub):
            which = 2 if left else 0
            values[which] = negate(self.builder, values[which])
        return words.fused(self.builder, *values, fused=self.fused)

    def get_compare(self, node: ast.Compare) -> Operand:
        sides = [self.number(node.left), *(self.number(item) for item in node.comparators)]
        found: Operand = Weak(True)
        for number, op in enumerate(node.ops):
            one = compare(self.builder, type(op), sides[number], sides[number + 1])
            found = one if number == 0 else arithmetic(self.builder, ast.BitAnd, found, one)
        return found

    def get_boolop(self, node: ast.BoolOp) -> Operand:
        both = isinstance(node.op, ast.And)
        if self.lanes == 1:
            return self._short(node, both)
        found = self.number(node.values[0])
        for item in node.values[1:]:
            sides = [truth(self.builder, side) for side in unify(self.builder, found)] + [
                truth(self.builder, side) for side in unify(self.builder, self.number(item))
            ]
            found = arithmetic(self.builder, ast.BitAnd if both else ast.BitOr, sides[0], sides[1])
        return found

    def _short(self, node: ast.BoolOp, both: bool) -> Value:
        """``and``/``or`` of the mono form stop early: ``i < n and x[i] > 0`` must not read past the end."""
        place = self.slot(Type("bool"))
        end = self.builder.append_basic_block()
        for number, item in enumerate(node.values):
            value = truth(self.builder, unify(self.builder, self.number(item))[0])
            self.one(value)
            self.builder.store(value.ir, place)
            if number < len(node.values) - 1:
                more = self.builder.append_basic_block()
                self.builder.cbranch(value.ir, more if both else end, end if both else more)
                self.builder.position_at_end(more)
        self.builder.branch(end)
        self.builder.position_at_end(end)
        return Value(self.builder.load(place, typ=ELEMENTS["bool"]), Type("bool"))

    def one(self, test: Value) -> None:
        """Refuse a vector where one number is wanted."""
        if test.type.lanes > 1:
            raise Unfit("one number belongs here, not a vector; where(…), & and | work on each number of one")

    def get_ifexp(self, node: ast.IfExp) -> Operand:
        test = self.number(node.test)
        if isinstance(test, Weak):
            return self.number(node.body if test.number else node.orelse)
        return choose_operands(self.builder, test, self.number(node.body), self.number(node.orelse))

    def get_call(self, node: ast.Call) -> Any:
        found = self.call(node)
        if len(found) != 1:
            raise Unfit(f"{ast.unparse(node.func)} gives {len(found)} values; unpack them")
        return found[0]

    def call(self, node: ast.Call) -> list[Any]:
        """Call a word of the language or a helper function."""
        function = self.expression(node.func)
        if node.keywords:
            raise Unfit("call without keyword arguments")
        arguments = [self.expression(item) for item in node.args]
        name = words.word_for(function)
        if name is not None:
            made = words.emit(self, name, arguments)  # type: ignore[arg-type]
            return made if isinstance(made, list) else [] if made is None else [made]
        if not inspect.isfunction(function):
            raise Unfit(f"'{ast.unparse(node.func)}' cannot be called in a kernel")
        source = Source.of(function)
        if len(arguments) != len(source.parameters):
            raise Unfit(f"{function.__name__} takes {len(source.parameters)} arguments")
        if self.mask is not None and self.depth > MOST_INLINED:
            raise Unfit("calls are nested too deeply")
        return list(self.inline(function, dict(zip(source.parameters, arguments, strict=True))))

    def get_subscript(self, node: ast.Subscript) -> Value:
        array, place, lanes = self.element(node)
        wide = lanes if array.stride else 1
        found = self.builder.load(place, typ=ir_type(Type(array.elem, wide)))
        found.align = SIZES[array.elem]
        return splat(self.builder, Value(found, Type(array.elem, wide)), lanes)

    def element(self, node: ast.Subscript) -> tuple[Array, Any, int]:
        """The address of ``array[i]``, ``array[row, i]`` or the first of ``array[i : i + 16]``, and how many it is."""
        array = self.expression(node.value)
        if not isinstance(array, Array):
            raise Unfit(f"'{ast.unparse(node.value)}' is not an array")
        indices = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        if len(indices) != (1 if array.rows is None else 2):
            raise Unfit(f"'{ast.unparse(node.value)}' takes {1 if array.rows is None else 2} index(es)")
        lanes = 1
        if isinstance(indices[-1], ast.Slice):
            lanes = self.width(indices[-1])
            indices[-1] = indices[-1].lower or ast.Constant(0)
        at = [self.integer(item).ir for item in indices]
        if self.careful:
            at = [
                self.within(one, count) for one, count in zip(at, (array.rows, array.length)[-len(at) :], strict=True)
            ]
        base, index = array.address, at[-1]
        if array.table:
            row = self.builder.gep(base, [at[0]], source_etype=I64)
            base = self.builder.inttoptr(self.builder.load(row, typ=I64), PTR)
        elif array.rows is not None:
            index = self.builder.add(self.builder.mul(at[0], array.length), index)
        if array.stride == 0:
            index = ir.Constant(I64, 0)
        return array, self.builder.gep(base, [index], source_etype=ELEMENTS[array.elem]), lanes

    def width(self, piece: ast.Slice) -> int:
        """The lanes of ``[i : i + 16]``."""
        lower, upper = piece.lower or ast.Constant(0), piece.upper
        more: ast.expr | None
        if piece.step is None and isinstance(upper, ast.BinOp) and isinstance(upper.op, ast.Add):
            same, more = ast.dump(upper.left) == ast.dump(lower), upper.right
        else:
            same, more = isinstance(lower, ast.Constant) and lower.value == 0, upper
        count = self.expression(more) if same and more is not None else None
        if not isinstance(count, Weak) or count.number not in WIDTHS:
            raise Unfit(f"a piece of an array is written [i : i + n], with n one of {WIDTHS}")
        return int(count.number)

    def within(self, index: Any, count: Any) -> Any:
        """An index held between 0 and ``count - 1``."""
        last = self.builder.sub(count, ir.Constant(I64, 1))
        low = self.builder.select(self.builder.icmp_signed("<", index, last), index, last)
        zero = ir.Constant(I64, 0)
        return self.builder.select(self.builder.icmp_signed(">", low, zero), low, zero)


def choose_operands(builder: ir.IRBuilder, test: Operand, a: Operand, b: Operand) -> Value:
    """``a if test else b`` with both computed."""
    first, second = unify(builder, a, b)
    condition = truth(builder, unify(builder, test)[0])
    return choose(builder, condition, first, second)


def _is_product(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)
