"""The style of a flow.yaml, read off what it has already."""

from __future__ import annotations

from collections.abc import Iterator

from minihost.projects.editing.yaml_layout import Layout, Node
from minihost.projects.editing.yaml_values import Style

_ROLES = ("inputs", "outputs", "params")


def style_of(layout: Layout) -> Style:
    """Return the style of a text; that of the examples where it says nothing."""
    steps = _section(layout, "steps")
    items = steps.items if steps is not None and steps.kind == "seq" and not steps.is_flow else []
    values = [value for item in items for key, value in _pairs(item) if key.value in _ROLES and value.kind == "map"]
    return Style(
        eol="\r\n" if "\r\n" in layout.text else "\n",
        indent=_indent(layout, items),
        dash=layout.column(steps.start) if steps is not None and items else 2,
        is_flow=not values or any(value.is_flow for value in values),
        is_spaced=len(items) < 2 or _is_spaced(layout, items),
    )


def _section(layout: Layout, name: str) -> Node | None:
    found = layout.root.entry(name) if layout.root is not None else None
    return found[1] if found else None


def _pairs(node: Node) -> Iterator[tuple[Node, Node]]:
    yield from node.items if node.kind == "map" else ()


def _indent(layout: Layout, steps: list[Node]) -> int:
    """How far a mapping in a mapping is indented."""
    for outer in [*([layout.root] if layout.root is not None else []), *steps]:
        for key, value in _pairs(outer):
            is_block = value.kind == "map" and not value.is_flow and value.items
            if is_block and (indent := layout.column(value.start) - layout.column(key.start)) > 0:
                return indent
    return 2


def _is_spaced(layout: Layout, items: list[Node]) -> bool:
    """Whether blank lines stand between most steps."""
    spaced = 0
    for item in items[1:]:
        start = layout.lead(item.start, layout.column(item.start))
        spaced += start > 0 and layout.is_blank(layout.line_start(start - 1))
    return spaced * 2 >= len(items) - 1
