import pytest
from hypothesis import given
from hypothesis import strategies as st

from minihost.parameters.visibility import condition

MODEL = {
    "x": "v",
    "n": 3,
    "zero": 0,
    "empty": "",
    "list": [],
    "items": ["a", "b"],
    "yes": True,
    "no": False,
    "none": None,
}


@pytest.mark.parametrize(
    ("source", "visible"),
    [
        ("model.x == 'v'", True),
        ("model.x === 'v'", True),
        ('model.x == "v"', True),
        ("model.x != 'v'", False),
        ("model.x", True),
        ("!model.x", False),
        ("model.yes == true", True),
        ("model.no == false && model.x == 'v'", True),
        ("['u', 'v'].includes(model.x)", True),
        ("['u', 'v'].indexOf(model.x) >= 0", True),
        ("['u'].indexOf(model.x) >= 0", False),
        ("model.items.includes('a')", True),
        ("model.items.length == 2", True),
        ("model.x.length > 0", True),
        ("model.x.endsWith('v')", True),
        ("model.x.startsWith('w')", False),
        ("model.n >= 3 && (model.n > 4 || model.x == 'v')", True),
        ("false", False),
        ("'cpu' == 'gpu'", False),
        ("false && model.x", False),
        ("model.n > -1", True),
        # JavaScript's truth
        ("model.zero", False),
        ("model.empty", False),
        ("model.none", False),
        ("model.list", True),
        # what is absent is undefined, never an error
        ("model.absent", False),
        ("!model.absent", True),
        ("model.absent.length > 0", False),
        ("model.absent.length == 0", False),
        ("!model.absent.length", True),
        ("model.absent.endsWith('x')", False),
        ("model.absent.deep.deeper == null", True),
        ("model.absent == null", True),
        ("model.absent === null", False),
        ("model.absent === undefined", True),
        ("model.none == null", True),
        ("model.absent != null", False),
        ("model.absent >= 0", False),
        ("model.absent == false", False),
        # JavaScript's ==
        ("model.n == '3'", True),
        ("model.n === '3'", False),
        ("model.yes == 1", True),
        ("model.yes === 1", False),
        ("model.empty == 0", True),
        ("model.x == 0", False),
        ("model.x < 'w'", True),
        ("!model.x == 'v'", False),
        ("model.no || model.n", True),
        (None, True),
        ("", True),
        (True, True),
        (False, False),
    ],
)
def test_answers_are_those_of_javascript(source, visible):
    read = condition(source)
    assert read.warning == ""
    assert read.holds(MODEL) is visible


@pytest.mark.parametrize(
    "source",
    [
        "model.a-b == 1",
        "model.x ? 1 : 2",
        "open('x')",
        "model['x']",
        "model.x | filter",
        "model.x.replace('a', 'b')",
        "x == 1",
        "model.x ==",
        "((model.x)",
        "model.x = 1",
        "/re/.test(model.x)",
        "model.x; model.n",
        "'never closed",
        "model.__class__()",
        "!" * 1900 + "1",
        "(" * 900 + "1" + ")" * 900,
        "1 " * 3000,
        17,
    ],
)
def test_the_unknown_is_visible_with_a_warning(source):
    read = condition(source)
    assert read.warning
    assert read.holds({}) is True


def test_long_chains_have_an_answer():
    assert condition("||".join(["model.a"] * 200)).holds({"a": 1}) is True
    assert condition("||".join(["0"] * 600)).holds({}) in (True, False)


def test_names_that_a_condition_speaks_of():
    assert condition("model.a == 'x' && !model.b.length && ['c'].includes(model.d)").names == {"a", "b", "d"}


@given(st.text(alphabet="model.ab'\"[]()!=<>&|,1 -", max_size=40))
def test_no_text_breaks_the_reader(source):
    assert condition(source).holds({"a": 1}) in (True, False)
