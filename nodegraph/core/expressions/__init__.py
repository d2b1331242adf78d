"""Expressions: arithmetic that a user types, read by a parser of our own. Nothing of it is ever run as Python.

The grammar, in EBNF. Between two tokens there may be white space; a comma, a semicolon or a dollar sign may have a
backslash before it, as in patches of Pd::

    code        = statement { ";" [ statement ] } ;
    statement   = [ name "=" ] choice ;                        the last one is the result; the others have names
    choice      = either [ "?" choice ":" choice | "if" either "else" choice ] ;
    either      = both { ( "||" | "or" ) both } ;
    both        = inverse { ( "&&" | "and" ) inverse } ;
    inverse     = "not" inverse | comparison ;
    comparison  = sum [ "==" sum | "!=" sum | rise sum [ rise sum ] | fall sum [ fall sum ] ] ;
    rise        = "<" | "<=" ;
    fall        = ">" | ">=" ;
    sum         = product { ( "+" | "-" ) product } ;
    product     = sign { ( "*" | "/" | "%" ) sign } ;
    sign        = ( "-" | "+" | "!" ) sign | power ;
    power       = atom [ ( "^" | "**" ) sign ] ;
    atom        = number | value | function "(" choice { "," choice } ")" | "(" choice ")" ;
    value       = ( name | dollar ) [ "[" [ "-" ] digits "]" ] ;
    number      = ( digits [ "." [ digits ] ] | "." digits ) [ ( "e" | "E" ) [ "+" | "-" ] digits ] ;
    digits      = digit { digit } ;
    name        = letter { letter | digit | "_" } ;            ASCII only
    dollar      = "$" ( "v" | "f" | "x" | "i" | "y" ) [ digits ] ;

``x1`` to ``x8`` (and ``x`` for ``x1``) are what comes in, ``y`` is what goes out, ``rate`` the sample rate, ``pi``,
``tau`` and ``e`` what they always are. A name that a statement gives stands for its value from there on. Any other name
is a parameter. ``x1[-1]`` is ``x1`` one sample ago; so are ``y[-1]`` and ``name[-1]`` of a statement's name.

`parse` reads a text and gives an `Expression`, which can be evaluated (`Expression.step`), and made into the `tick` of
a node (`tick_of`). What is hostile is refused at once: every limit is counted while the text is read.
"""

from nodegraph.core.expressions.expression import Expression
from nodegraph.core.expressions.parser import parse
from nodegraph.core.expressions.ticks import tick_of

__all__ = ["Expression", "parse", "tick_of"]
