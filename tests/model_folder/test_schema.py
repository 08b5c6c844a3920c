"""Strict reading of JSON: what is doubtful is refused with a sentence."""

from dataclasses import dataclass

import pytest

from vision_recipes import strict_json
from vision_recipes.errors import ModelFolderError


@dataclass(frozen=True)
class Inner:
    size: int


@dataclass(frozen=True)
class Outer:
    name: str
    mean: tuple[float, float, float]
    parts: tuple[Inner, ...] = ()
    note: str | None = None
    flags: dict[str, float | bool] = None  # type: ignore[assignment]


GOOD = {"name": "x", "mean": [1, 2.5, 3], "parts": [{"size": 4}], "note": None, "flags": {"a": True, "b": 1.5}}


def test_data_becomes_dataclasses_and_back():
    outer = strict_json.read(Outer, GOOD, "it")
    assert outer == Outer("x", (1.0, 2.5, 3.0), (Inner(4),), None, {"a": True, "b": 1.5})
    assert strict_json.write(outer) == GOOD | {"mean": [1.0, 2.5, 3.0]}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": 5}, "name must be text, not 5"),
        ({"mean": [1, 2]}, "mean must have 3 values, not 2"),
        ({"mean": [1, 2, True]}, r"mean\[2\] must be a number, not true"),
        ({"mean": "1,2,3"}, "mean must be a list"),
        ({"parts": [{"size": 1.5}]}, r"parts\[0\].size must be a whole number"),
        ({"parts": [{"size": True}]}, "whole number, not true"),
        ({"parts": [{}]}, r"parts\[0\].size is missing"),
        ({"colour": "red"}, "colour is not a known key"),
        ({"flags": []}, "flags must be an object"),
    ],
)
def test_other_types_and_keys_are_refused_by_name(change, told):
    with pytest.raises(ModelFolderError, match=told):
        strict_json.read(Outer, GOOD | change, "it")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"a": 1, "a": 2}', "'a' is given twice"),
        (b'{"a": NaN}', "NaN is not a number"),
        (b'{"a": -Infinity}', "not a number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b'{"a": ' * 100_000, "too deeply nested|not valid JSON"),
        (b"[1, 2]", "a list where an object"),
        (b"", "not valid JSON"),
        (b'{"a": "\xff"}', "not valid JSON"),
        (b" " * (strict_json.MAX_BYTES + 1), "larger than"),
    ],
    ids=["twice", "nan", "infinity", "digits", "depth", "list", "empty", "latin", "large"],
)
def test_doubtful_json_is_refused(content, told):
    with pytest.raises(ModelFolderError, match=told):
        strict_json.parse(content, "config.json")


def test_a_byte_order_mark_does_no_harm():
    assert strict_json.parse(b'\xef\xbb\xbf{"a": 1}', "config.json") == {"a": 1}
