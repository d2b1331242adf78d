"""From the syntax tree of a small part of Python to LLVM.

The language of `tick`, `prepare` and `process`: numbers, arithmetic, comparisons, ``if``, ``for … in range(…)``,
``while``, array access, and calls of the words in `nodegraph.core.arithmetic`, of a few functions of `math`, and of
plain helper functions (which are lowered in place). There are no strings, objects, exceptions or allocations to begin
with, so the native code cannot contain any.

In the mono form an ``if`` is a branch. In the lanes form both sides are computed and selected per lane. ``a * b + c``
is always one fused multiply-add, in both forms, so that both round alike.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from llvmlite import ir

from nodegraph.core.errors import KernelError, Problem
from nodegraph.runtime.kernels import builtins as words
from nodegraph.runtime.kernels.expressions import MOST_INLINED, Expressions
from nodegraph.runtime.kernels.operators import choose, truth
from nodegraph.runtime.kernels.source import Source
from nodegraph.runtime.kernels.values import (
    I64,
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
)


class Lowering(Expressions):
    """Emits one kernel's body. `variables` maps names to slots, arrays or literals."""

    def __init__(self, builder: ir.IRBuilder, lanes: int, *, fused: bool, origin: str, tick: bool = False) -> None:
        """`tick`: a kernel that is made in lanes, too; what lanes cannot do is refused in the mono form as well."""
        self.tick = tick
        self.builder = builder
        self.lanes = lanes
        self.fused = fused
        self.origin = origin
        self.careful = False
        """Whether no index leads out of its array, whatever it is: the author's code has not been tested."""
        self.variables: dict[str, Any] = {}
        self.source: Source | None = None
        self.mask: Value | None = None
        self.depth = 0
        self.loops: list[tuple[ir.Block, ir.Block]] = []
        self.looped: frozenset[str] = frozenset()  # this function's names that a loop around here carries on

    # -- variables

    def slot(self, type_: Type) -> Any:
        """Stack memory for one variable, made in the entry block so that LLVM turns it into a register."""
        with self.builder.goto_entry_block():
            return self.builder.alloca(ir_type(type_))

    def assign(self, name: str, value: Operand | Array) -> None:
        """Bind or change a variable."""
        old = self.variables.get(name)
        if isinstance(value, Array):
            self.variables[name] = value
            return
        if isinstance(value, Weak):
            type_ = old[1] if isinstance(old, tuple) else Type(_natural(value.number))
            if isinstance(value.number, float) and type_.elem in ("u32", "i64", "bool"):
                type_ = Type("f32", type_.lanes)
            value = constant(value.number, type_)
        if isinstance(old, tuple) and old[1].elem == value.type.elem:
            lanes = max(old[1].lanes, value.type.lanes)
            if lanes > old[1].lanes and name in self.looped:
                raise Unfit(f"'{name}' is one number before this loop and {lanes} in it; begin with vector(…, {lanes})")
            value = splat(self.builder, value, lanes)
            if self.mask is not None:
                held = splat(self.builder, self.read(name), lanes)
                value = choose(self.builder, self.mask, value, held)
            if value.type == old[1]:
                self.builder.store(value.ir, old[0])
                return
        elif isinstance(old, tuple) and (self.loops or self.mask is not None):
            raise Unfit(f"'{name}' was {old[1].elem} and becomes {value.type.elem} here; use another name")
        place = self.slot(value.type)
        self.builder.store(value.ir, place)
        self.variables[name] = (place, value.type)

    def read(self, name: str) -> Any:
        """A variable's value."""
        bound = self.variables[name]
        if isinstance(bound, tuple):
            return Value(self.builder.load(bound[0], typ=ir_type(bound[1])), bound[1])
        return bound

    # -- functions

    def inline(self, function: Callable[..., Any], arguments: dict[str, Any]) -> list[Operand]:
        """Lower a function's body in place with its arguments bound; gives what it returns."""
        source = Source.of(function)
        if self.depth > MOST_INLINED:
            raise Unfit(f"{source.tree.name} calls itself, or calls are nested too deeply")
        outer, outer_source, outer_mask = self.variables, self.source, self.mask
        outer_looped, self.looped = self.looped, frozenset()
        self.variables, self.source, self.mask = {}, source, None
        self.depth += 1
        changed = {
            item.id for item in ast.walk(source.tree) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
        }
        for name, value in arguments.items():
            if isinstance(value, Value) or (isinstance(value, Weak) and name in changed):
                self.assign(name, value)
            else:
                self.variables[name] = value
        returned: list[Operand] = []
        body = source.tree.body
        for number, statement in enumerate(body):
            if isinstance(statement, ast.Return):
                if number != len(body) - 1:
                    self.fail(statement, "return must be the last statement")
                returned = self.at(statement, self._returned, statement)
            else:
                self.statement(statement)
        self.final = self.variables
        self.variables, self.source, self.mask = outer, outer_source, outer_mask
        self.looped = outer_looped
        self.depth -= 1
        return returned

    def _returned(self, statement: ast.Return) -> list[Operand]:
        if statement.value is None:
            return []
        items = statement.value.elts if isinstance(statement.value, ast.Tuple) else [statement.value]
        return [self.number(item) for item in items]

    def fail(self, node: ast.AST, what: str) -> None:
        """Raise a KernelError that points at the author's line."""
        source = self.source
        line = (source.first_line + getattr(node, "lineno", 1) - 1) if source else None
        raise KernelError(
            Problem(
                "kernel", f"{self.origin}: {what}.", "docs/adding-a-node.md says what may stand in a kernel.",
                file=source.file if source else None, line=line,
                column=getattr(node, "col_offset", 0) + 1 + source.indent if source else None,
            )
        )  # fmt: skip

    def at(self, node: ast.AST, call: Callable[..., Any], *args: Any) -> Any:
        """Run a step; what does not fit the language is reported at this node's line."""
        try:
            return call(*args)
        except Unfit as error:
            self.fail(node, str(error))

    # -- statements

    def statement(self, node: ast.stmt) -> None:
        """Lower one statement."""
        method = getattr(self, "do_" + type(node).__name__.lower(), None)
        if method is None:
            self.fail(node, f"a kernel cannot use '{type(node).__name__.lower()}'")
        else:
            self.at(node, method, node)

    def do_expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self.call(node.value)
        elif not isinstance(node.value, ast.Constant):
            raise Unfit("this computes something and drops it")

    def do_return(self, node: ast.Return) -> None:
        raise Unfit("return must be the last statement; give the value a name, and return that in the end")

    def do_pass(self, node: ast.Pass) -> None:
        """Nothing to do."""

    def do_assign(self, node: ast.Assign) -> None:
        if len(node.targets) != 1:
            raise Unfit("assign to one name at a time")
        target = node.targets[0]
        if isinstance(target, ast.Tuple):
            if isinstance(node.value, ast.Tuple):
                values = [self.expression(item) for item in node.value.elts]
            elif isinstance(node.value, ast.Call):
                values = self.call(node.value)
            else:
                raise Unfit("unpack a tuple or a call")
            if len(values) != len(target.elts):
                raise Unfit(f"{len(values)} values for {len(target.elts)} names")
            # values are copied before the first name changes, so that a, b = b, a swaps
            for one, value in zip(target.elts, values, strict=True):
                self.store(one, value)
        else:
            self.store(target, self.expression(node.value))

    def do_annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.store(node.target, self.expression(node.value))

    def do_augassign(self, node: ast.AugAssign) -> None:
        reading = ast.copy_location(
            ast.Subscript(node.target.value, node.target.slice, ast.Load())
            if isinstance(node.target, ast.Subscript)
            else ast.Name(getattr(node.target, "id", ""), ast.Load()),
            node,
        )
        sum_ = ast.copy_location(ast.BinOp(reading, node.op, node.value), node)
        self.store(node.target, self.expression(sum_))

    def store(self, target: ast.expr, value: Any) -> None:
        """Assign to a name or an array element."""
        if isinstance(target, ast.Name):
            self.assign(target.id, value)
        elif isinstance(target, ast.Subscript):
            if self.tick:
                raise Unfit("arrays belong in a BlockNode's process")
            array, place, lanes = self.element(target)
            number = constant(value.number, Type(array.elem)) if isinstance(value, Weak) else value
            if number.type.lanes not in (1, lanes):
                raise Unfit(f"{number.type.lanes} numbers do not fit into '{ast.unparse(target)}'")
            number = splat(self.builder, convert(self.builder, number, array.elem), lanes)
            self.builder.store(number.ir, place).align = SIZES[array.elem]
        else:
            raise Unfit("assign to a name or to an array's element")

    def do_if(self, node: ast.If) -> None:
        condition = self.expression(node.test)
        if isinstance(condition, Weak):
            for statement in node.body if condition.number else node.orelse:
                self.statement(statement)
            return
        test = truth(self.builder, condition)
        if self.lanes == 1:
            self.one(test)
            self._branch(test, node)
            return
        test = splat(self.builder, test, self.lanes)
        outer = self.mask
        for negated, body in ((False, node.body), (True, node.orelse)):
            inner = test.ir if not negated else self.builder.not_(test.ir)
            self.mask = Value(inner if outer is None else self.builder.and_(outer.ir, inner), test.type)
            if not negated and self._is_rare(node.test):
                self._skippable(body)
            else:
                for statement in body:
                    self.statement(statement)
        self.mask = outer

    def _is_rare(self, test: ast.expr) -> bool:
        return isinstance(test, ast.Call) and words.word_for(self.expression(test.func)) == "rarely"

    def _skippable(self, body: list[ast.stmt]) -> None:
        """Masked statements that are jumped over while no lane wants them."""
        stored = {
            item.id
            for one in body
            for item in ast.walk(one)
            if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
        }
        for name in stored:
            bound = self.variables.get(name)
            if isinstance(bound, tuple) and bound[1].lanes != self.lanes:
                # a name that is one number so far gets its sixteen places before the jump, not behind it
                self.variables[name] = (self.slot(Type(bound[1].elem, self.lanes)), Type(bound[1].elem, self.lanes))
                value = Value(self.builder.load(bound[0], typ=ir_type(bound[1])), bound[1])
                self.builder.store(splat(self.builder, value, self.lanes).ir, self.variables[name][0])
        assert self.mask is not None
        known = set(self.variables)
        word = ir.IntType(self.lanes)
        some = self.builder.icmp_unsigned("!=", self.builder.bitcast(self.mask.ir, word), ir.Constant(word, 0))
        with self.builder.if_then(some, likely=False):
            for statement in body:
                self.statement(statement)
        for name in set(self.variables) - known:
            del self.variables[name]  # made behind the jump, so it has no value when nobody went there

    def _branch(self, test: Value, node: ast.If) -> None:
        before = dict(self.variables)
        ends: list[dict[str, Any]] = []
        likely = False if self._is_rare(node.test) else None  # kept as a jump, so that nothing waits for its body
        with self.builder.if_else(test.ir, likely) as (then, otherwise):
            for context, body in ((then, node.body), (otherwise, node.orelse)):
                with context:
                    self.variables = dict(before)
                    # a name made in one branch keeps its slot in the other, so that both write the same place
                    self.variables.update(
                        {name: slot for end in ends for name, slot in end.items() if name not in before}
                    )
                    for statement in body:
                        self.statement(statement)
                    ends.append(self.variables)
        merged = dict(before)
        for end in ends:
            for name, slot in end.items():
                known = merged.get(name)
                if isinstance(known, tuple) and isinstance(slot, tuple) and known[1] != slot[1]:
                    raise Unfit(f"'{name}' is {known[1].elem} on one side of this if and {slot[1].elem} on the other")
                if known is not None and known != slot and name in before:
                    raise Unfit(f"'{name}' changes its kind inside this if")
                merged[name] = slot
        self.variables = merged

    def do_while(self, node: ast.While) -> None:
        self._scalar_only("while")
        head, body, end = (self.builder.append_basic_block() for _ in range(3))
        self.builder.branch(head)
        self.builder.position_at_end(head)
        test = self.expression(node.test)
        test = constant(bool(test.number), Type("bool")) if isinstance(test, Weak) else truth(self.builder, test)
        self.one(test)
        self.builder.cbranch(test.ir, body, end)
        self.builder.position_at_end(body)
        self._loop_body(node.body, head, end)
        self.builder.position_at_end(end)

    def do_for(self, node: ast.For) -> None:
        self._scalar_only("for")
        call = node.iter
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "range"):
            raise Unfit("loop over range(…)")
        if not isinstance(node.target, ast.Name):
            raise Unfit("loop with one name")
        limits = [self.integer(item) for item in call.args]
        start, stop = (constant(0, Type("i64")), limits[0]) if len(limits) == 1 else (limits[0], limits[1])
        step = limits[2] if len(limits) == 3 else constant(1, Type("i64"))
        counter = self.slot(Type("i64"))
        self.builder.store(start.ir, counter)
        head, body, after, end = (self.builder.append_basic_block() for _ in range(4))
        self.builder.branch(head)
        self.builder.position_at_end(head)
        now = self.builder.load(counter, typ=I64)
        self.builder.cbranch(self.builder.icmp_signed("<", now, stop.ir), body, end)
        self.builder.position_at_end(body)
        self.assign(node.target.id, Value(now, Type("i64")))
        self._loop_body(node.body, after, end)
        self.builder.position_at_end(after)
        self.builder.store(self.builder.add(self.builder.load(counter, typ=I64), step.ir), counter)
        self.builder.branch(head)
        self.builder.position_at_end(end)

    def _loop_body(self, body: list[ast.stmt], again: ir.Block, end: ir.Block) -> None:
        self.loops.append((again, end))
        outer, self.looped = self.looped, self.looped | set(self.variables)
        for statement in body:
            self.statement(statement)
        self.looped = outer
        self.loops.pop()
        if not self.builder.block.is_terminated:
            self.builder.branch(again)

    def do_break(self, node: ast.Break) -> None:
        self._leave(1)

    def do_continue(self, node: ast.Continue) -> None:
        self._leave(0)

    def _leave(self, which: int) -> None:
        if not self.loops:
            raise Unfit("break and continue stand inside a loop")
        self.builder.branch(self.loops[-1][which])
        self.builder.position_at_end(self.builder.append_basic_block())

    def _scalar_only(self, what: str) -> None:
        if self.tick:
            raise Unfit(f"a tick has no '{what}'; loops belong in a BlockNode's process")


def _natural(number: float | int | bool) -> str:
    return "bool" if isinstance(number, bool) else "f32" if isinstance(number, float) else "i64"
