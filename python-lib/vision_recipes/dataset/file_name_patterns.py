"""Labels written into file names: a pattern with placeholders, such as `{label}_pic_{number}.jpg`."""

from __future__ import annotations

import re
from collections.abc import Callable

from vision_recipes.errors import LabelsError

MOST_FREE_PARTS = 3
LONGEST_NAME = 300
_PART = re.compile(r"\{([^{}]*)\}|(\*+)")
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")
_FREE = {"label", "any"}


def reader(pattern: str) -> Callable[[str], str | None]:
    """Return a function from a picture's path to the label its name holds, or None when the name does not fit.

    Placeholders: `{label}` (once), `{number}` (digits), `{any}` or `*` (any text, not across folders). All else
    stands for itself, in any case. A pattern without a slash is about the file name, one with slashes about that
    many last parts of the path; without a dot in its last part it is about the name without extension. Free parts
    take the shortest text that fits. At most three of them in one name, and never two side by side, so that no name
    can make the matching slow. Raises LabelsError for a pattern that breaks these rules.
    """
    segments = pattern.strip().strip("/").split("/")
    named = sum(segment.count("{label}") for segment in segments)
    if named != 1:
        raise LabelsError(
            f"label_pattern {pattern!r} holds {{label}} {named} times; write it exactly once, "
            "as in {label}_pic_{number}.jpg or {label}/{any}"
        )
    shapes = [_shape(segment, pattern) for segment in segments]
    whole_name = "." in segments[-1]

    def read(path: str) -> str | None:
        parts = path.strip("/").split("/")
        if not whole_name:
            parts[-1] = _EXTENSION.sub("", parts[-1])
        if len(parts) < len(shapes):
            return None
        label = None
        for shape, part in zip(reversed(shapes), reversed(parts), strict=False):
            found = shape.fullmatch(part) if len(part) <= LONGEST_NAME else None
            if found is None:
                return None
            label = found.groupdict().get("label") or label
        return label

    return read


def _shape(segment: str, pattern: str) -> re.Pattern[str]:
    expression, free, end, after_free = [], 0, 0, False
    for part in _PART.finditer(segment):
        literal = segment[end : part.start()]
        name = "any" if part.group(2) else part.group(1)
        if name not in _FREE | {"number"}:
            raise LabelsError(
                f"label_pattern {pattern!r} holds {part.group()}, which is none of {{label}}, {{number}}, {{any}} and *"
            )
        if name in _FREE:
            if after_free and not literal:
                raise LabelsError(
                    f"label_pattern {pattern!r} has two free parts side by side, so nothing says where one ends; "
                    "put the text between them that your file names have, such as _"
                )
            free += 1
        expression.append(re.escape(literal))
        expression.append({"label": "(?P<label>.+?)", "any": ".*?", "number": "[0-9]++"}[name])
        after_free, end = name in _FREE, part.end()
    if free > MOST_FREE_PARTS:
        raise LabelsError(
            f"label_pattern {pattern!r} has {free} free parts in {segment!r}; at most {MOST_FREE_PARTS} are read"
        )
    expression.append(re.escape(segment[end:]))
    return re.compile("".join(expression), re.IGNORECASE | re.DOTALL)
