"""Reads visibility conditions by a small grammar of our own; nothing is ever evaluated by Python.

They are AngularJS expressions over one object, `model`: comparisons, `&&`, `||`, `!`, arrays, `.includes`, `.indexOf`,
`.length`, `.endsWith`. An absent name is undefined, never an error; truth and `==` are JavaScript's. What the grammar
does not know makes the parameter visible, with a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from minihost.parameters.javascript import COMPARISONS, UNDEFINED, index_of, text, truth

MAX_LENGTH = 2000


Expression = Callable[[Mapping[str, Any]], Any]
"""A condition ready to be asked: model -> JavaScript value."""


class UnknownConstruct(Exception):
    """Something that the grammar does not know."""


@dataclass(frozen=True)
class Condition:
    """A visibility condition that was read: an answer for each model, and what it speaks of."""

    source: Any
    expression: Expression
    names: frozenset[str] = frozenset()
    warning: str = ""

    def holds(self, model: Mapping[str, Any]) -> bool:
        """Whether the parameter is visible when the form holds these values."""
        try:
            return truth(self.expression(model))
        except RecursionError:  # a chain of hundreds of terms
            return True


def condition(source: Any) -> Condition:
    """Read a `visibilityCondition`: a text, a boolean, or None for a parameter that is always visible."""
    if source is None or source is True or source == "":
        return Condition(source, lambda model: True)
    if source is False:
        return Condition(source, lambda model: False)
    if not isinstance(source, str):
        return Condition(
            source, lambda model: True, warning=f"visibilityCondition {source!r} is neither text nor true/false"
        )
    return _read(source)


@lru_cache(maxsize=4096)
def _read(source: str) -> Condition:
    try:
        if len(source) > MAX_LENGTH:
            raise UnknownConstruct(f"more than {MAX_LENGTH} characters")
        reader = _Reader(_tokens(source))
        expression = reader.whole()
    except (UnknownConstruct, RecursionError) as err:
        short = source if len(source) <= 80 else source[:77] + "…"
        return Condition(
            source, lambda model: True, warning=f"visibilityCondition {short!r} is not understood ({err}); shown"
        )
    return Condition(source, expression, frozenset(reader.names))


_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?![\w.]))|(?P<name>[A-Za-z_$][\w$]*)"
    r"|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<sign>===|!==|==|!=|>=|<=|&&|\|\||[<>!()\[\],.-]))",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_LITERALS = {"true": True, "false": False, "null": None, "undefined": UNDEFINED}


def _tokens(source: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    at = 0
    source = source.strip()
    while at < len(source):
        match = _TOKEN.match(source, at)
        if not match:
            raise UnknownConstruct(f"{source[at : at + 10]!r}")
        at = match.end()
        kind = str(match.lastgroup)
        word = match[kind]
        if kind == "number":
            found.append((kind, float(word) if "." in word else int(word)))
        elif kind == "text":
            found.append((kind, re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), word[1:-1], flags=re.DOTALL)))
        else:
            found.append((kind, word))
    return found


class _Reader:
    """Recursive descent: either := both ('||' both)*; both := equality ('&&' equality)*; and so on down to atoms."""

    def __init__(self, tokens: list[tuple[str, Any]]) -> None:
        self.tokens = tokens
        self.at = 0
        self.names: set[str] = set()

    def whole(self) -> Expression:
        expression = self.either()
        if self.at < len(self.tokens):
            raise UnknownConstruct(f"{self.tokens[self.at][1]!r}")
        return expression

    def took(self, *signs: str) -> str:
        """Go past the next token when it is one of these signs, and answer it."""
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "sign" and self.tokens[self.at][1] in signs:
            self.at += 1
            return str(self.tokens[self.at - 1][1])
        return ""

    def need(self, sign: str) -> None:
        if not self.took(sign):
            raise UnknownConstruct(f"{sign!r} is missing")

    def next(self, *kinds: str) -> tuple[str, Any]:
        if self.at >= len(self.tokens) or self.tokens[self.at][0] not in kinds:
            raise UnknownConstruct(
                f"{self.tokens[self.at][1]!r}" if self.at < len(self.tokens) else "it ends too early"
            )
        self.at += 1
        return self.tokens[self.at - 1]

    def either(self) -> Expression:
        left = self.both()
        while self.took("||"):
            left = _or(left, self.both())
        return left

    def both(self) -> Expression:
        left = self.equality()
        while self.took("&&"):
            left = _and(left, self.equality())
        return left

    def equality(self) -> Expression:
        left = self.order()
        while sign := self.took("==", "!=", "===", "!=="):
            left = _compare(sign, left, self.order())
        return left

    def order(self) -> Expression:
        left = self.negation()
        while sign := self.took("<", "<=", ">", ">="):
            left = _compare(sign, left, self.negation())
        return left

    def negation(self) -> Expression:
        if self.took("!"):
            inner = self.negation()
            return lambda model: not truth(inner(model))
        if self.took("-"):
            number = self.next("number")[1]
            return lambda model: -number
        return self.member()

    def member(self) -> Expression:
        value = self.atom()
        while self.took("."):
            name = self.next("name")[1]
            if self.took("("):
                value = _call(value, name, self.list_until(")"))
            else:
                value = _property(value, name)
        return value

    def atom(self) -> Expression:
        if self.took("("):
            inner = self.either()
            self.need(")")
            return inner
        if self.took("["):
            items = self.list_until("]")
            return lambda model: [item(model) for item in items]
        kind, token = self.next("number", "text", "name")
        if kind != "name":
            return lambda model: token
        if token in _LITERALS:
            literal = _LITERALS[token]
            return lambda model: literal
        if token != "model":
            raise UnknownConstruct(f"{token!r}")
        if self.at + 1 < len(self.tokens) and self.tokens[self.at][1] == ".":
            self.names.add(str(self.tokens[self.at + 1][1]))
        return lambda model: model

    def list_until(self, closing: str) -> list[Expression]:
        items: list[Expression] = []
        while not self.took(closing):
            if items:
                self.need(",")
            items.append(self.either())
        return items


def _or(left: Expression, right: Expression) -> Expression:
    def value(model: Mapping[str, Any]) -> Any:
        first = left(model)
        return first if truth(first) else right(model)

    return value


def _and(left: Expression, right: Expression) -> Expression:
    def value(model: Mapping[str, Any]) -> Any:
        first = left(model)
        return right(model) if truth(first) else first

    return value


def _compare(sign: str, left: Expression, right: Expression) -> Expression:
    test = COMPARISONS[sign]
    return lambda model: test(left(model), right(model))


def _property(value: Expression, name: str) -> Expression:
    def found(model: Mapping[str, Any]) -> Any:
        owner = value(model)
        if isinstance(owner, Mapping):
            return owner.get(name, UNDEFINED)
        return len(owner) if name == "length" and isinstance(owner, (str, list)) else UNDEFINED

    return found


_METHODS: dict[str, Callable[[Any, Any], Any]] = {
    "includes": lambda owner, item: index_of(owner, item) >= 0,
    "indexOf": lambda owner, item: index_of(owner, item),
    "startsWith": lambda owner, item: owner.startswith(text(item)) if isinstance(owner, str) else UNDEFINED,
    "endsWith": lambda owner, item: owner.endswith(text(item)) if isinstance(owner, str) else UNDEFINED,
}


def _call(value: Expression, name: str, arguments: list[Expression]) -> Expression:
    if name not in _METHODS or len(arguments) != 1:
        raise UnknownConstruct(f".{name}() with {len(arguments)} arguments")

    def result(model: Mapping[str, Any]) -> Any:
        owner = value(model)
        return _METHODS[name](owner, arguments[0](model)) if isinstance(owner, (str, list)) else UNDEFINED

    return result
