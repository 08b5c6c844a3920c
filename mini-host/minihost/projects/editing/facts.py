"""What a flow.yaml says, as plain data: when two are the same, and which items of lists are which."""

from __future__ import annotations

from typing import Any

Facts = dict[str, Any]


class Kept(dict[str, Any]):
    """A step that the file has already; `place` is its number there."""

    def __init__(self, facts: Facts, place: int) -> None:
        super().__init__(facts)
        self.place = place


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal and of the same types all through: 1, 1.0 and true are three."""
    if isinstance(one, dict) and isinstance(other, dict):
        return set(map(_typed, one)) == set(map(_typed, other)) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and (one == other or one != one)


def _typed(key: Any) -> tuple[str, Any]:
    return type(key).__name__, key


def unchanged(old: Any, new: Any) -> bool:
    """Whether a step or another value is as it was."""
    return same(old, new) if not isinstance(new, Kept) else same(old, dict(new))


def is_renamed(old: Facts, new: Facts, gone: str, added: str) -> bool:
    """Whether one key has another name at the same place, and its value is the same."""
    keys = [added if name == gone else name for name in old]
    return keys == list(new) and same(old[gone], new[added])


def places_of(old: list[Any], new: list[Any]) -> list[int | None] | None:
    """For each new item the place of the old one that it is; None where that cannot be told."""
    if any(isinstance(item, Kept) for item in new):
        return [item.place if isinstance(item, Kept) else None for item in new]
    if len(old) == len(new):
        return list(range(len(new)))
    head = 0
    while head < min(len(old), len(new)) and same(old[head], new[head]):
        head += 1
    end = 0
    while end < min(len(old), len(new)) - head and same(old[-1 - end], new[-1 - end]):
        end += 1
    if head + end == len(old):
        return [*range(head), *[None] * (len(new) - len(old)), *range(head, len(old))]
    if head + end == len(new):
        return [*range(head), *range(len(old) - end, len(old))]
    return None
