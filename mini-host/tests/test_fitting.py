"""What fits at a glance fits for the validator, too."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from minihost.parameters.fitting import fits
from minihost.parameters.schema import schema

PARAMS = [
    {"name": "text", "type": "STRING", "mandatory": True},
    {"name": "flag", "type": "BOOLEAN"},
    {"name": "whole", "type": "INT", "minI": 1, "maxI": 5},
    {"name": "number", "type": "DOUBLE", "minD": 0.5},
    {"name": "one", "type": "SELECT", "selectChoices": [{"value": 1}, {"value": "a"}, {"value": None}]},
    {"name": "some", "type": "MULTISELECT", "selectChoices": [{"value": "a"}, {"value": "b"}]},
    {"name": "free", "type": "SELECT", "getChoicesFromPython": True},
    {"name": "map", "type": "MAP"},
    {"name": "pairs", "type": "KEY_VALUE_LIST"},
    {"name": "texts", "type": "STRINGS", "allowDuplicates": False},
    {"name": "rows", "type": "OBJECT_LIST", "subParams": [{"name": "n", "type": "INT", "mandatory": True}]},
    {"name": "preset", "type": "PRESET", "parameterSetId": "set"},
]
SETS = {"set": {"params": [{"name": "k", "type": "INT", "minI": 2}]}}
FITTING = {
    "text": "x", "flag": False, "whole": 5, "number": 1, "one": None, "some": ["b"], "free": 3, "map": {"a": "1"},
    "pairs": [{"from": "a", "to": "b"}], "rows": [{"n": 1}], "preset": {"k": 2},
}  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 7) | st.floats(-1, 6) | st.sampled_from(["", "a", "b", "from", "n"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["from", "to", "n", "k", "a"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([param["name"] for param in PARAMS]), values))
def test_the_validator_agrees(config):
    wanted = schema(PARAMS, config, SETS)
    if fits(config, wanted):
        assert Draft202012Validator(wanted).is_valid(config)


def test_the_usual_fits():
    assert fits(FITTING, schema(PARAMS, FITTING, SETS))


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(5, {"type": "string"}), (True, {"type": "integer"}), (True, {"enum": [1]}), (0, {"minimum": 1}),
     (9, {"maximum": 8}), ({}, {"required": ["a"]}), ({"a": 1}, {"additionalProperties": {"type": "string"}}),
     ([1], {"items": {"type": "string"}}), ("x", {"unheardOf": 1})],
)  # fmt: skip
def test_what_does_not_fit_or_is_not_known(value, wanted):
    assert not fits(value, wanted)
