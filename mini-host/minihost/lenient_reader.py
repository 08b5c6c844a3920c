"""One pass over a text that is nearly JSON, noting each place where it is not strict."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from minihost.errors import HostError

MAX_DEPTH = 100
MAX_DIGITS = 400
MAX_NOTES = 100

_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?(?![A-Za-z0-9_.])")
_WORD = re.compile(r"(?:true|false|null)(?![A-Za-z0-9_])")
_PLAIN = {'"': re.compile(r'[^"\\\x00-\x1f]+'), "'": re.compile(r"[^'\\\x00-\x1f]+")}
_UNIT = re.compile(r"\\u([0-9a-fA-F]{4})")
_LOW_UNIT = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": ""}
_UNKNOWN = re.compile(r"[^\s,;:{}\[\]]+")
_PYTHON = {"True": "true", "False": "false", "None": "null"}
_WORDS = {"true": True, "false": False, "null": None}


class LenientJsonError(HostError):
    """A text that even the lenient reader cannot take; the message names the line."""


@dataclass(frozen=True)
class Relaxation:
    """One place where a text is not strict JSON."""

    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


@dataclass(frozen=True)
class Document:
    """What a text says, and where it is not strict JSON (empty for a strict one)."""

    value: Any
    relaxations: tuple[Relaxation, ...] = ()

    @property
    def warnings(self) -> tuple[Relaxation, ...]:
        """The relaxations that no plugin in the wild uses, and that DSS may not take."""
        return tuple(r for r in self.relaxations if r.what in (TRAILING_COMMA, BYTE_ORDER_MARK))


TRAILING_COMMA = "comma before a closing bracket"
BYTE_ORDER_MARK = "byte order mark"


def number_of(text: str) -> int | float:
    """An integer or finite float; raises ValueError for one that is longer or larger than anybody needs."""
    if len(text) > MAX_DIGITS:
        raise ValueError("number too long")
    if text.lstrip("-").isdigit():
        return int(text)
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("number too large")
    return number


@dataclass
class Reader:
    """One pass over a text, recording each place where it is lenient."""

    text: str
    at: int = 0
    found: list[Relaxation] = field(default_factory=list)

    def document(self) -> Document:
        """Read the whole text."""
        if self.text.startswith("\ufeff"):
            self.note(BYTE_ORDER_MARK)
            self.at = 1
        self.skip()
        value = self.value(0)
        self.skip()
        if self.at < len(self.text):
            raise self.error(f"{self.text[self.at]!r} after the end of the value")
        return Document(value, tuple(self.found))

    def note(self, what: str, at: int | None = None) -> None:
        """Remember a place that is not strict; the first hundred are enough for anybody."""
        if len(self.found) < MAX_NOTES:
            self.found.append(Relaxation(self.line(self.at if at is None else at), what))

    def line(self, at: int) -> int:
        """The number of the line that a position is in."""
        return self.text.count("\n", 0, at) + 1

    def error(self, what: str) -> LenientJsonError:
        """The error for the position reached."""
        return LenientJsonError(f"line {self.line(min(self.at, len(self.text)))}: {what}")

    def peek(self) -> str:
        """The next character, empty at the end."""
        return self.text[self.at] if self.at < len(self.text) else ""

    def skip(self) -> None:
        """Go past white space and comments."""
        while True:
            space = _SPACE.match(self.text, self.at)
            if space:
                self.at = space.end()
            char = self.peek()
            if char == "#" or char == "/" and self.text.startswith("//", self.at):
                self.note("# comment" if char == "#" else "// comment")
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif char == "/" and self.text.startswith("/*", self.at):
                self.note("/* comment")
                end = self.text.find("*/", self.at + 2)
                if end < 0:
                    raise self.error("a /* comment that never ends")
                self.at = end + 2
            else:
                return

    def value(self, depth: int) -> Any:
        """Read one value."""
        if depth > MAX_DEPTH:
            raise self.error(f"nested more than {MAX_DEPTH} deep")
        char = self.peek()
        if char == "{":
            return self.object(depth)
        if char == "[":
            return self.array(depth)
        if char and char in "\"'":
            return self.string()
        word = _WORD.match(self.text, self.at)
        if word:
            self.at = word.end()
            return _WORDS[word.group()]
        number = _NUMBER.match(self.text, self.at)
        if number:
            self.at = number.end()
            try:
                return number_of(number.group())
            except ValueError as err:
                raise self.error(f"{err}: {number.group()[:20]}…") from err
        raise self.error(self.no_value() if char else "the text ends too early")

    def no_value(self) -> str:
        """What is wrong with what stands where a value should."""
        found = _UNKNOWN.match(self.text, self.at)
        word = found.group()[:20] if found else self.peek()
        if word in _PYTHON:
            return f"{word} is not a value; JSON writes {_PYTHON[word]}"
        hint = '; texts stand in straight double quotes: "…"' if word[0] in "“”„‘’«»" or word.isalpha() else ""
        return f"{word!r} is not a value{hint}"

    def object(self, depth: int) -> dict[str, Any]:
        """Read an object; the last of several equal keys counts."""
        members: dict[str, Any] = {}
        for _ in self.items("}"):
            start = self.at
            if not self.peek() or self.peek() not in "\"'":
                found = _UNKNOWN.match(self.text, self.at)
                got = f", not {found.group()[:20]}" if found else ""
                raise self.error(f"a name in double quotes is expected{got}")
            name = self.string()
            self.skip()
            if self.peek() != ":":
                raise self.error(f"':' is expected after {name!r}")
            self.at += 1
            self.skip()
            if name in members:
                self.note(f"the key {name!r} again (the last one counts)", start)
            members[name] = self.value(depth + 1)
        return members

    def array(self, depth: int) -> list[Any]:
        """Read an array."""
        return [self.value(depth + 1) for _ in self.items("]")]

    def items(self, closing: str) -> Any:
        """Stop at the start of each item between here and `closing`, and go past the closing bracket."""
        opened = self.line(self.at)
        self.at += 1
        self.skip()
        while self.peek() != closing:
            yield
            self.skip()
            char = self.peek()
            if char and char in ",;":
                if char == ";":
                    self.note("; for ,")
                separator = self.at
                self.at += 1
                self.skip()
                if self.peek() == closing:
                    self.note(TRAILING_COMMA, separator)
            elif char != closing:
                raise self.error(f"',' or '{closing}' is expected (the bracket opened in line {opened})")
        self.at += 1

    def string(self) -> str:
        """Read a string in either kind of quotes."""
        quote = self.peek()
        start = self.at
        if quote == "'":
            self.note("single quotes")
        self.at += 1
        parts: list[str] = []
        while True:
            plain = _PLAIN[quote].match(self.text, self.at)
            if plain:
                parts.append(plain.group())
                self.at = plain.end()
            char = self.peek()
            if char == quote:
                self.at += 1
                return "".join(parts)
            if not char:
                self.at = start
                raise self.error("a string that never ends")
            if char < " ":
                self.note("newline in a string" if char in "\r\n" else "control character in a string")
                parts.append(char)
                self.at += 1
            else:
                parts.append(self.escape())

    def escape(self) -> str:
        """Read what a backslash stands for; before a newline, nothing."""
        char = self.text[self.at + 1 : self.at + 2]
        if char == "u":
            return self.code_units()
        if char == "\r" and self.text.startswith("\r\n", self.at + 1):
            self.at += 1
            char = "\n"
        if char == "\n":
            self.note("backslash before a newline")
        self.at += 2
        return _ESCAPES.get(char, char)

    def code_units(self) -> str:
        """Read one or two `\\uXXXX`, joining a surrogate pair."""
        match = _UNIT.match(self.text, self.at)
        if not match:
            raise self.error(f"{self.text[self.at : self.at + 6]!r} is not \\u and four hexadecimal digits")
        self.at = match.end()
        unit = int(match.group(1), 16)
        low = _LOW_UNIT.match(self.text, self.at)
        if 0xD800 <= unit < 0xDC00 and low:
            self.at = low.end()
            return chr(0x10000 + ((unit - 0xD800) << 10) + (int(low.group(1), 16) - 0xDC00))
        return chr(unit)
