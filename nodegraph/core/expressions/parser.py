"""From text to an expression. The grammar is in the package's docstring."""

from __future__ import annotations

import math
import re
from typing import Final

from nodegraph.core.expressions.expression import RESULT, Expression, applied, whole_exponent
from nodegraph.core.expressions.limits import (
    MOST_HEIGHT,
    MOST_INPUTS,
    MOST_NAME,
    MOST_NESTED,
    MOST_NUMBER,
    MOST_PARAMETERS,
    MOST_PAST,
    MOST_TEXT,
    MOST_WEIGHT,
)
from nodegraph.core.expressions.tokens import Token, refusal, tokens
from nodegraph.core.expressions.tree import Apply, Name, Number, Past, Tree, height, names
from nodegraph.core.expressions.words import ALIASES, CONSTANTS, FUNCTIONS, WORDS
from nodegraph.core.hints import did_you_mean

TAKEN: Final = {
    "code": "the text of the expression",
    "kind": "the kind of the node",
    "rate": "the sample rate",
    **dict.fromkeys(CONSTANTS, "a number that never changes"),
}
_INPUT: Final = re.compile(r"x([0-9]*)")
_POWERS: Final = {
    "?": 1, "if": 1, "||": 2, "or": 2, "&&": 3, "and": 3, "<": 5, "<=": 5, ">": 5, ">=": 5, "==": 5, "!=": 5,
    "+": 6, "-": 6, "*": 7, "/": 7, "%": 7, "^": 9,
}  # fmt: skip
_LOWEST: Final = 1
_NOT: Final = 4
_SIGN: Final = 8
_RISE, _FALL = frozenset({"<", "<="}), frozenset({">", ">="})


def parse(text: str, *, history: bool = True) -> Expression:
    """Read an expression. Raises PatchError that marks the first place where it cannot be one.

    `history`: whether it may use what was some samples ago.
    """
    if len(text) > MOST_TEXT:
        what = f"The text goes on for {len(text)} characters and may have {MOST_TEXT}"
        raise refusal(text, MOST_TEXT, "expression-size", what, "Use several nodes.")
    return _Parser(text, history).program()


class _Parser:
    """One pass over the tokens; names are resolved on the way."""

    def __init__(self, text: str, history: bool) -> None:
        self.text, self.history = text, history
        self.tokens = tokens(text)
        self.index = 0
        self.nested = 0
        self.weight = 0
        self.inputs: set[str] = set()
        self.free: dict[str, int] = {}
        self.given: set[str] = set()
        self.pasts: dict[str, tuple[int, int]] = {}
        self.uses_rate = False

    @property
    def now(self) -> Token:
        return self.tokens[self.index]

    def take(self) -> Token:
        token = self.tokens[self.index]
        self.index += 1
        return token

    def refuse(self, at: int, what: str, do: str, code: str = "expression-form") -> Exception:
        return refusal(self.text, at, code, what, do)

    # statements

    def program(self) -> Expression:
        statements: list[tuple[str, Tree, Token]] = []
        while self.now.kind != "end":
            if self.now.kind == ";":
                self.take()
                continue
            if statements and not statements[-1][0]:
                do = "Give it one (a = …;), or use a second node: there is one outlet."
                raise self.refuse(statements[-1][2].at, "Only the last statement may be without a name", do)
            if statements and statements[-1][0] == RESULT:
                do = "Let the statement that begins here stand before it."
                raise self.refuse(self.now.at, "'y' is the result and stands last", do)
            statements.append(self.statement())
        if not statements:
            raise self.refuse(len(self.text), "The expression is empty", "Write one, such as x1 * 0.5.")
        self.check_pasts()
        *before, (name, last, _) = statements
        found = [(given, tree) for given, tree, _ in before]
        found += [(RESULT, last)] if name in ("", RESULT) else [(name, last), (RESULT, Name(name))]
        named: list[str] = []
        for _, tree in found:
            names(tree, named)
        return Expression(
            tuple(found),
            tuple(sorted(self.inputs)),
            tuple(item for item in dict.fromkeys(named) if item in self.free),
            tuple((given, most) for given, (most, _) in sorted(self.pasts.items())),
            self.uses_rate,
            self.text,
        )

    def statement(self) -> tuple[str, Tree, Token]:
        first = self.now
        name = ""
        if first.kind in ("name", "dollar") and self.tokens[self.index + 1].kind == "=":
            name = self.new_name(self.take())
            self.take()
        tree = self.expression(_LOWEST)
        if self.now.kind not in (";", "end"):
            raise self.unexpected(self.now)
        if name in self.free:
            do = f"Let the statement that gives it stand first, or write {name}[-1] for what it was a sample ago."
            raise self.refuse(self.free[name], f"'{name}' is used before it has a value", do, "expression-name")
        if name:
            self.given.add(name)
        return name, tree, first

    def new_name(self, token: Token) -> str:
        """The name that a statement gives."""
        name = token.text
        wrong = "an inlet" if token.kind == "dollar" or _INPUT.fullmatch(name) else TAKEN.get(name)
        if name in FUNCTIONS or name in ALIASES:
            wrong = "a function"
        if wrong:
            do = "Choose another name, or write == to compare."
            raise self.refuse(token.at, f"'{name}' is {wrong} and cannot be given a value", do, "expression-name")
        if name in self.given:
            do = f"Choose another name. What it was a sample ago is {name}[-1]."
            raise self.refuse(token.at, f"'{name}' has a value already", do, "expression-name")
        self.long_name(token)
        return name

    def check_pasts(self) -> None:
        kept = 0
        for name, (most, at) in self.pasts.items():
            if name not in self.inputs and name not in self.given and name != RESULT:
                do = did_you_mean(name, self.given, "It is kept of x1 to x8, of y, and of names that statements give.")
                raise self.refuse(at, f"There is no past of '{name}'", do, "expression-name")
            kept += most
            if kept > MOST_PAST:
                do = "Use delay~ for what is longer ago."
                raise self.refuse(at, f"More than {MOST_PAST} samples of the past are used", do, "expression-size")

    # operators

    def expression(self, least: int) -> Tree:
        """Operators that bind at least so tightly."""
        left = self.operand(least)
        while True:
            token = self.now
            power = _POWERS.get(token.kind, 0)
            if power < least or not power:
                return left
            self.take()
            if power == _LOWEST:
                left = self.choice(token, left)
            elif power == _POWERS["<"]:
                left = self.comparison(token, left)
            elif token.kind == "^":
                left = self.apply("^", (left, self.inside(_SIGN)), token)
            else:
                word = {"or": "||", "and": "&&"}.get(token.kind, token.kind)
                left = self.apply(word, (left, self.expression(power + 1)), token)

    def choice(self, token: Token, first: Tree) -> Tree:
        """``first ? a : b`` or ``first if c else b``, behind the sign."""
        if token.kind == "?":
            yes = self.inside(_LOWEST)
            self.expect(":", "The other half of '?' is missing", "Write it as c ? a : b.")
            return self.apply("where", (first, yes, self.inside(_LOWEST)), token)
        test = self.inside(_LOWEST + 1)
        self.expect("else", "The 'else' of this 'if' is missing", "Write it as a if c else b.")
        return self.apply("where", (test, first, self.inside(_LOWEST)), token)

    def comparison(self, token: Token, left: Tree) -> Tree:
        """``a < b``, or ``a < b <= c`` in one direction."""
        power = _POWERS["<"]
        args = [left, self.expression(power + 1)]
        word = token.kind
        if _POWERS.get(self.now.kind) == power:
            second = self.take()
            if not any({token.kind, second.kind} <= side for side in (_RISE, _FALL)):
                do = "Put brackets around one of the two, or && between them."
                raise self.refuse(second.at, f"After '{token.kind}' it is not clear what '{second.kind}' compares", do)
            word = f"{token.kind} {second.kind}"
            args.append(self.expression(power + 1))
            if _POWERS.get(self.now.kind) == power:
                raise self.refuse(self.now.at, "That is one comparison too many", "Put && between them.")
        return self.apply(word, tuple(args), token)

    def inside(self, least: int) -> Tree:
        """An expression one level further in."""
        self.nested += 1
        if self.nested > MOST_NESTED:
            what = f"More than {MOST_NESTED} brackets, signs or choices stand inside one another"
            do = "Give the inner part a name: a = …; and use it."
            raise self.refuse(self.now.at, what, do, "expression-size")
        found = self.expression(least)
        self.nested -= 1
        return found

    # operands

    def operand(self, least: int) -> Tree:
        token = self.take()
        kind = token.kind
        if kind == "number":
            return self.number(float(token.text), token)
        if kind == "name":
            return self.call(token) if self.now.kind == "(" else self.value(token, token.text)
        if kind == "dollar":
            return self.dollar(token)
        if kind == "(":
            found = self.inside(_LOWEST)
            self.expect(")", "A bracket is not closed", "Write ) here.")
            return found
        if kind in ("-", "+", "!"):
            found = self.inside(_SIGN)
            return found if kind == "+" else self.apply("-x" if kind == "-" else "!", (found,), token)
        if kind == "not" and least <= _NOT:
            return self.apply("!", (self.inside(_NOT),), token)
        if kind == "not":
            raise self.refuse(token.at, "'not' does not bind so tightly", "Put brackets around it, or write !.")
        if kind == "if" and self.now.kind == "(":
            return self.call(token)
        do = "Write one there, or take the sign before it away." if self.index > 1 else "Write one there."
        where = "is missing" if kind == "end" else f"belongs where {token.shown()} is"
        raise self.refuse(token.at, f"A number, a name or '(' {where}", do)

    def number(self, number: float, token: Token) -> Tree:
        if not abs(number) <= MOST_NUMBER:
            do = f"Numbers reach to {MOST_NUMBER:g}."
            raise self.refuse(token.at, "This number is too large", do, "expression-size")
        return Number(number)

    def call(self, token: Token) -> Tree:
        """``function(a, b)``"""
        word = ALIASES.get(token.text, token.text)
        if word not in WORDS:
            do = did_you_mean(token.text, (*FUNCTIONS, *ALIASES), f"Functions are {', '.join(FUNCTIONS)}.")
            if token.text in self.given or token.text in self.free or _INPUT.fullmatch(token.text):
                do = "Write * for times."
            what = f"There is no function '{token.text[:MOST_NAME]}'"
            raise self.refuse(token.at, what, do, "expression-name")
        self.take()
        args: list[Tree] = []
        if self.now.kind != ")":
            args.append(self.inside(_LOWEST))
            while self.now.kind == "," and len(args) <= WORDS[word].most:
                self.take()
                args.append(self.inside(_LOWEST))
        if not WORDS[word].least <= len(args) <= WORDS[word].most and self.now.kind in (",", ")"):
            count = "none" if not args else "more" if self.now.kind == "," else str(len(args))
            what = f"'{token.text}' takes {WORDS[word].takes()} and gets {count}"
            raise self.refuse(token.at, what, "Put them between its brackets, with commas between.", "expression-name")
        self.expect(")", f"The bracket of '{token.text}' is not closed", "Write ) here.")
        return self.apply(word, tuple(args), token)

    def dollar(self, token: Token) -> Tree:
        """Pd's and Max's ways of writing what comes in and went out."""
        letter, digits = token.text[1:2], token.text[2:]
        if letter == "y" and digits in ("", "1"):
            return self.value(token, RESULT) if self.now.kind == "[" else self.past(RESULT, 1, token)
        if letter in ("v", "f", "x", "i") and letter:
            found = self.value(token, "x" + digits)
            return self.apply("trunc", (found,), token) if letter == "i" else found
        do = "What comes in is x1 to x8 (also $v1, $f1, $x1, $i1), what went out y[-1] (also $y[-1])."
        raise self.refuse(token.at, f"{token.shown()} has no meaning here", do, "expression-name")

    def value(self, token: Token, name: str) -> Tree:
        """A name, or its past."""
        if name in CONSTANTS:
            return Number(CONSTANTS[name])
        if name in FUNCTIONS or name in ALIASES:
            do = f"Write {name}(…)."
            raise self.refuse(token.at, f"'{name}' is a function and takes values in brackets", do, "expression-name")
        number = _INPUT.fullmatch(name)
        if number:
            digits = number[1] or "1"
            if len(digits) > 1 or not 1 <= int(digits) <= MOST_INPUTS:
                do = f"There are x1 to x{MOST_INPUTS}."
                raise self.refuse(token.at, f"There is no inlet '{name[:MOST_NAME]}'", do, "expression-name")
            name = f"x{digits}"
        back = self.bracket(name) if self.now.kind == "[" else 0
        if back:
            return self.past(name, back, token)
        if number:
            self.inputs.add(name)
        elif name == "rate":
            self.uses_rate = True
        elif name == RESULT:
            do = "Write y[-1] for what went out a sample ago." if self.history else "Choose another name."
            raise self.refuse(token.at, "'y' is what the expression gives", do, "expression-name")
        elif name in TAKEN:
            what = f"'{name}' is {TAKEN[name]} and cannot be a parameter"
            raise self.refuse(token.at, what, "Choose another name.", "expression-name")
        elif name not in self.given:
            self.parameter(name, token)
        return Name(name)

    def parameter(self, name: str, token: Token) -> None:
        self.long_name(token)
        self.free.setdefault(name, token.at)
        if len(self.free) > MOST_PARAMETERS:
            what = f"More than {MOST_PARAMETERS} names are parameters"
            raise self.refuse(token.at, what, "Use several nodes.", "expression-size")

    def bracket(self, name: str) -> int:
        """``[-3]`` behind a name: how many samples ago."""
        opening = self.take()
        minus = self.now.kind == "-"
        if minus:
            self.take()
        number = self.take()
        if number.kind != "number" or not re.fullmatch("[0-9]{1,9}", number.text):
            do = f"Write {name}[-1] for the last sample, {name}[-2] for the one before."
            raise self.refuse(number.at, "A whole number of samples belongs here", do)
        back = int(number.text)
        if back and not minus:
            do = f"Write {name}[-{back}] for what was so long ago."
            raise self.refuse(opening.at, "Nobody knows the future", do)
        self.expect("]", "A bracket is not closed", "Write ] here.")
        return back

    def past(self, name: str, back: int, token: Token) -> Tree:
        if not self.history:
            do = "Use expr~, or let a number go round through a node of its own."
            raise self.refuse(token.at, "Messages have no past here", do, "expression-past")
        if name in CONSTANTS or name in TAKEN:
            do = "Leave the bracket away."
            raise self.refuse(token.at, f"There is no past of '{name}'", do, "expression-name")
        if back > MOST_PAST:
            what = f"{back} samples ago is longer than {MOST_PAST}"
            raise self.refuse(token.at, what, "Use delay~ for what is longer ago.", "expression-size")
        if _INPUT.fullmatch(name):
            self.inputs.add(name)
        most, at = self.pasts.get(name, (0, token.at))
        self.pasts[name] = (max(most, back), at)
        return Past(name, back)

    # building

    def apply(self, word: str, args: tuple[Tree, ...], token: Token) -> Tree:
        """An operation; of known numbers its result."""
        self.weight += WORDS[word].weight
        exponent = args[1] if word == "^" else None
        if isinstance(exponent, Number) and (whole := whole_exponent(exponent.number)) is not None:
            self.weight += abs(whole) - WORDS[word].weight
        if self.weight > MOST_WEIGHT:
            what = "There is too much to compute up to here"
            raise self.refuse(token.at, what, "Use several nodes.", "expression-size")
        known = [item.number for item in args if isinstance(item, Number)]
        if len(known) == len(args):
            number = float(applied(word, known))
            if math.isnan(number):
                raise self.refuse(token.at, "This has no value", "Take it out.")
            return self.number(number, token)
        high = 1 + max(map(height, args))
        if high > MOST_HEIGHT:
            what = f"More than {MOST_HEIGHT} operations stand one upon another"
            do = "Give a part a name: a = …; and use it."
            raise self.refuse(token.at, what, do, "expression-size")
        return Apply(word, args, high)

    def expect(self, kind: str, what: str, do: str) -> None:
        token = self.take()
        if token.kind != kind:
            if token.kind in ("number", "name", "dollar", "(", "="):
                raise self.unexpected(token)
            raise self.refuse(token.at, what, do)

    def unexpected(self, token: Token) -> Exception:
        """Something stands where an operator, or nothing, could."""
        if token.kind == "=":
            do = "Write == to compare. A statement that gives a name begins with it: a = …;"
            return self.refuse(token.at, "'=' does not stand inside an expression", do)
        if token.kind in ("number", "name", "dollar", "("):
            return self.refuse(token.at, f"An operator is missing before {token.shown()}", "Write * for times.")
        do = "Take it out." if token.kind in (")", "]") else "Write the rest before it, or take it out."
        return self.refuse(token.at, f"{token.shown()} belongs to nothing", do)

    def long_name(self, token: Token) -> None:
        if len(token.text) > MOST_NAME:
            what = f"This name has {len(token.text)} characters and may have {MOST_NAME}"
            raise self.refuse(token.at, what, "Choose a shorter one.", "expression-size")
