"""Labels written into file names: a pattern with placeholders, such as `{label}_pic_{number}.jpg`."""

from __future__ import annotations

import re
from collections.abc import Callable

from vision_recipes.errors import LabelsError

MOST_FREE_PARTS = 3
LONGEST_NAME = 300
_PART = re.compile(r"\{([^{}]*)\}|(\*+)")
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")


def reader(pattern: str, part: str = "label") -> Callable[[str], str | None]:
    """Return a function from a picture's path to the label its name holds, or None when the name does not fit.

    Placeholders: `{label}` (once), `{number}` (digits), `{any}` or `*` (any text, not across folders). All else
    stands for itself, in any case. A pattern without a slash is about the file name, one with slashes about that
    many last parts of the path; without a dot in its last part it is about the name without extension. Free parts
    take the shortest text that fits. At most three of them in one name, and never two side by side, so that no name
    can make the matching slow. Raises LabelsError for a pattern that breaks these rules. `part` is the name of the part
    that is read in place of {label}, the parameter being called {part}_pattern.
    """
    segments = pattern.strip().strip("/").split("/")
    placeholder = f"{{{part}}}"
    named = sum(segment.count(placeholder) for segment in segments)
    if named != 1:
        raise LabelsError(
            f"{part}_pattern {pattern!r} holds {placeholder} {named} times; write it exactly once, "
            f"as in {placeholder}_pic_{{number}}.jpg or {placeholder}/{{any}}"
        )
    shapes = [_shape(segment, pattern, part) for segment in segments]
    whole_name = "." in segments[-1]

    def read(path: str) -> str | None:
        parts = path.strip("/").split("/")
        if not whole_name:
            parts[-1] = _EXTENSION.sub("", parts[-1])
        if len(parts) < len(shapes):
            return None
        label = None
        for shape, text in zip(reversed(shapes), reversed(parts), strict=False):
            found = shape.fullmatch(text) if len(text) <= LONGEST_NAME else None
            if found is None:
                return None
            label = found.groupdict().get("read") or label
        return label

    return read


def _shape(segment: str, pattern: str, read: str) -> re.Pattern[str]:
    expression, free, end, after_free = [], 0, 0, False
    forms = {read: "(?P<read>.+?)", "any": ".*?", "number": "[0-9]++"}
    for part in _PART.finditer(segment):
        literal = segment[end : part.start()]
        name = "any" if part.group(2) else part.group(1)
        if name not in forms:
            raise LabelsError(
                f"{read}_pattern {pattern!r} holds {part.group()}, which is none of {{{read}}}, {{number}}, {{any}} "
                "and *"
            )
        if name != "number":
            if after_free and not literal:
                raise LabelsError(
                    f"{read}_pattern {pattern!r} has two free parts side by side, so nothing says where one ends; "
                    "put the text between them that your file names have, such as _"
                )
            free += 1
        expression.append(re.escape(literal))
        expression.append(forms[name])
        after_free, end = name != "number", part.end()
    if free > MOST_FREE_PARTS:
        raise LabelsError(
            f"{read}_pattern {pattern!r} has {free} free parts in {segment!r}; at most {MOST_FREE_PARTS} are read"
        )
    expression.append(re.escape(segment[end:]))
    return re.compile("".join(expression), re.IGNORECASE | re.DOTALL)
