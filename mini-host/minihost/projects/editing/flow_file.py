"""One version of a flow.yaml: its text, what it says, and where it is wrong."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minihost.errors import HostError, JobError
from minihost.projects import flow
from minihost.projects.editing.facts import Facts
from minihost.projects.editing.history import digest_of
from minihost.projects.editing.yaml_layout import Layout, Node
from minihost.projects.yaml_file import mapping_in
from minihost.regular_files import open_regular

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True)
class Version:
    """A text of the file. A broken one has no `facts`, but mistakes, and the `line` of the first where it is known."""

    text: str
    digest: str
    facts: Facts | None = None
    mistakes: tuple[str, ...] = ()
    line: int | None = None
    encoding: tuple[bytes, str] = (b"", "utf-8")
    """The byte order mark and the encoding."""


def read(path: Path) -> bytes | None:
    """The content of a file, None where there is none; raises `HostError` where it cannot be read."""
    try:
        with open_regular(path) as stream:
            return stream.read()
    except FileNotFoundError:
        if path.is_symlink():
            raise HostError(f"{path} is a link to nothing ({path.readlink()}). Remove or mend it first.") from None
        return None
    except OSError as err:
        raise HostError(f"{path} cannot be read: {err.strerror}.") from err


def decoded(content: bytes) -> tuple[str, tuple[bytes, str]]:
    """The text of a file, and its byte order mark and encoding."""
    mark, encoding = next((one for one in _MARKS if content.startswith(one[0])), (b"", "utf-8"))
    return content[len(mark) :].decode(encoding, errors="replace"), (mark, encoding)


def encoded(text: str, encoding: tuple[bytes, str]) -> bytes:
    """The content of the file with a text; raises ValueError for one that cannot be written."""
    return encoding[0] + text.encode(encoding[1])


def version_of(content: bytes | None, path: Path) -> Version:
    """Return what a content says, or why it says nothing."""
    if content is None:
        return Version("", "", {})
    text, encoding = decoded(content)
    digest = digest_of(content)
    try:
        facts = mapping_in(content, path)
    except JobError as err:
        number = re.search(r"line (\d+)", err.mistakes[0])
        return Version(text, digest, None, tuple(err.mistakes), int(number[1]) if number else None, encoding)
    try:
        flow.of_facts(facts, path.name)
    except JobError as err:
        return Version(text, digest, None, tuple(err.mistakes), _line(text, facts), encoding)
    return Version(text, digest, facts, encoding=encoding)


def _line(text: str, facts: Facts) -> int | None:
    """The line of the first mistake that the schema finds."""
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(flow.SCHEMA).iter_errors(facts)
    layout = Layout(text)
    lines = [layout.line_number(_place(layout.root, list(error.absolute_path), error)) for error in errors]
    return min(lines, default=None)


def _place(node: Node | None, path: list[Any], error: Any) -> int:
    """Where the value at a path stands, as far as it can be found; of an unknown key where the key stands."""
    place = 0
    for part in path:
        if node is None:
            break
        place = node.start
        if node.kind == "map" and (found := node.entry(str(part))):
            place, node = node.items[found[0]][0].start, found[1]
        elif node.kind == "seq" and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            place = node.start if node is not None else place
        else:
            return place
    if error.validator == "additionalProperties" and node is not None and node.kind == "map":
        known = error.schema.get("properties", {})
        place = next((key.start for key, _value in node.items if key.value not in known), place)
    return place
