"""Visibility conditions in words."""

import pytest

from minihost.parameters.condition_text import in_words


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("model.source == 'auto' || model.source == 'dataset'", "when source is auto or dataset"),
        ("model.a != 'x' || model.b != \"y\"", "when a is not x or b is not y"),
        ("model.a != 'x' && model.b === 3", "when a is not x and b is 3"),
        ("model.a == 'x' || model.b == 'x' || model.b == ''", "when a is x or b is x or empty"),
        ("model.flag", "when flag is set"),
        ("!model.folder", "when folder is not set"),
        ("model.flag == true", "when flag is true"),
        ("model.a == 1 || model.b && model.c", "if model.a == 1 || model.b && model.c"),
        ("(model.a || model.b) && model.c", "if (model.a || model.b) && model.c"),
        ("model.list.includes('x')", "if model.list.includes('x')"),
        ("!model.a == 'x'", "if !model.a == 'x'"),
        ("model.a == 'x || y'", "if model.a == 'x || y'"),
        ("model.a != 'x' || model.a != 'y'", "when a is not x or a is not y"),
    ],
)
def test_in_words(source, words):
    assert in_words(source) == words
