"""Forms as data: what they show is what a run gets, and what was posted unchanged changes nothing."""

import json

import pytest
from checkout import ROOT
from form_plugin import ACCESS, PARAMS

from minihost.errors import JobError
from minihost.parameters.controls import CONTROLS, Option
from minihost.parameters.entries import entries, read
from minihost.parameters.fields import fields
from minihost.parameters.forms import FORMS
from minihost.parameters.resolving import Given, resolve
from minihost.plugins import discovery

SETS = {"access": ACCESS}
ALL = [
    (component.full_id, component.params, plugin.parameter_sets)
    for plugin in [discovery.load(ROOT)]
    for component in plugin.components
] + [("every", PARAMS, SETS)]


def field(name, values=None, params=PARAMS, offer=lambda param: None):
    return [one for one in fields(params, values or {}, SETS, offer) if one.name == name][-1]


def typed(param, held, given=None):
    """The values after the control of one parameter holds something."""
    return read([param], given or {}, {"0": held}, SETS)


@pytest.mark.parametrize(("params", "sets"), [one[1:] for one in ALL], ids=[one[0] for one in ALL])
def test_what_a_form_holds_is_what_a_run_gets(params, sets):
    config = resolve(params, Given({}), sets).config
    drawn = entries(params, {}, sets)
    assert read(params, {}, drawn, sets) == {}
    assert json.loads(json.dumps(drawn)) == drawn
    # every default written down is drawn and read as it was, and typed in anew resolves to the same
    held = entries(params, config, sets)
    assert read(params, config, held, sets) == config
    assert resolve(params, Given(read(params, {}, held, sets)), sets).config == config
    drawn_fields = [one for one in fields(params, {}, sets) if one.control != "separator"]
    assert [one.key for one in drawn_fields] == list(drawn)


@pytest.mark.parametrize("kind", FORMS)
def test_every_type_has_a_control_that_keeps_its_value(kind):
    for value in (
        None,
        "x",
        "${name}",
        "a\r\nb",
        1,
        2.5,
        True,
        [1],
        ["a", {"b": 1}],
        {"a": [1]},
        [{"from": "a", "to": 1}],
    ):
        param = {"name": "p", "type": kind, "parameterSetId": "access"}
        given = {} if value is None else {"p": value}
        drawn = fields([param], given, SETS)[0]
        assert drawn.control in CONTROLS | {"day"}
        assert read([param], given, entries([param], given, SETS), SETS) == given
        if kind in ("PASSWORD", "CREDENTIAL_REQUEST") and isinstance(value, str):
            assert value not in str(drawn)


@pytest.mark.parametrize(
    ("param", "held", "value"),
    [
        ({"type": "INT", "defaultValue": 3}, "7", 7),
        ({"type": "INT", "defaultValue": 3}, "abc", "abc"),
        ({"type": "INT", "defaultValue": 3}, "", None),
        ({"type": "DOUBLE"}, "1e3", 1000.0),
        ({"type": "STRING", "defaultValue": "a"}, "", ""),
        ({"type": "STRING"}, "12", "12"),
        ({"type": "BOOLEAN", "defaultValue": True}, False, False),
        ({"type": "SELECT", "selectChoices": [{"value": 1}, {"value": "1"}]}, '"1"', "1"),
        ({"type": "SELECT", "selectChoices": [{"value": 1}, {"value": "1"}]}, "1", 1),
        ({"type": "SELECT", "getChoicesFromPython": True}, {"typed": "12"}, "12"),
        ({"type": "MULTISELECT", "selectChoices": [{"value": "a"}]}, ['"a"'], ["a"]),
        ({"type": "STRINGS"}, ["a", "", "b,c"], ["a", "b,c"]),
        ({"type": "INTS"}, ["1", "x"], [1, "x"]),
        ({"type": "MAP"}, [["a.b", "1"], ["", ""]], {"a.b": "1"}),
        ({"type": "KEY_VALUE_LIST"}, [["a", "b"]], [{"from": "a", "to": "b"}]),
        ({"type": "COLUMN"}, "size", "size"),
        ({"type": "DATE"}, "2026-12-31", "2026-12-31"),
        ({"type": "PRESET", "parameterSetId": "access"}, {"0": "us", "1": ""}, {"region": "us"}),
        ({"type": "CREDENTIAL_REQUEST", "credentialRequestSettings": {"type": "BASIC"}}, {"user": "u", "password": "p"},
         {"user": "u", "password": "p"}),
        ({"type": "NEW"}, '{"a": 1}', {"a": 1}),
        ({"type": "NEW"}, "bare text", "bare text"),
    ],
)  # fmt: skip
def test_values_keep_their_types(param, held, value):
    assert typed({"name": "p", **param}, held) == {"p": value}


def test_only_what_differs_from_the_default_is_kept():
    count = {"name": "count", "type": "INT", "defaultValue": 3}
    assert typed(count, "3") == {}
    assert typed(count, "3", {"count": 5}) == {}
    assert typed(count, "3", {"count": 3}) == {"count": 3}  # as somebody wrote it
    assert typed({"name": "t", "type": "STRING"}, "", {"t": "x"}) == {}
    assert typed({"name": "s", "type": "PASSWORD"}, "", {"s": "hush"}) == {"s": "hush"}
    assert typed({"name": "s", "type": "PASSWORD"}, False, {"s": "hush"}) == {}
    assert typed({"name": "s", "type": "PASSWORD"}, "new", {"s": "hush"}) == {"s": "new"}


def test_rows_keep_what_they_were_when_others_go():
    rows = {"name": "rows", "type": "OBJECT_LIST", "subParams": [{"name": "a", "type": "INT", "defaultValue": 1}]}
    given = {"rows": [{"a": 5, "own": True}, {"a": 6}]}
    new = {"from": None, "fields": {"0": "1"}}
    held = [{"from": 1, "fields": {"0": "6"}}, {"from": 0, "fields": {"0": "9", "+own": "true"}}, new]
    assert typed(rows, held, given) == {"rows": [{"a": 6}, {"a": 9, "own": True}, {}]}


def test_of_two_fields_of_one_name_the_visible_one_counts():
    params = [one for one in PARAMS if one.get("name") in ("mode", "own")]
    held = {"0": '"own"', "1": "1", "2": "text"}
    assert read(params, {}, held, SETS) == {"mode": "own", "own": "text"}
    drawn = fields(params, {"mode": "own"}, SETS)
    assert [one.is_visible for one in drawn] == [True, False, True]
    # a hidden value stays
    assert read(params[:2], {"own": 4}, {"0": '"own"', "1": "4"}, SETS) == {"own": 4, "mode": "own"}


def test_mistakes_stand_beside_what_they_are_about():
    values = {"count": 30, "rows": [{"a.b[0]": "x", "size": "big"}, {}], "nobody": 1}
    drawn = {one.name: one for one in fields(PARAMS, values, SETS)}
    assert drawn["count"].mistakes == ("Parameter 'count' is 30; a whole number from 1 to 10 is expected.",)
    first, second = drawn["rows"].groups
    assert [bool(one.mistakes) for one in first] == [False, True, False]
    assert [bool(one.mistakes) for one in second] == [True, False, False]
    assert (drawn["nobody"].key, drawn["nobody"].entry) == ("+nobody", "1")
    hidden = [{"name": "a", "type": "INT", "visibilityCondition": False}]
    assert fields(hidden, {"a": "x"}, SETS)[0].is_visible  # or nobody could mend it


def test_choices_hold_what_is_there_already():
    offer = lambda param: [Option("name", "name"), Option("size", "size (bigint)")]  # noqa: E731
    drawn = field("column", {"column": "gone"}, offer=offer)
    assert [(one.key, one.is_chosen, one.is_known) for one in drawn.choices] == [
        ("name", False, True), ("size", False, True), ("gone", True, False),
    ]  # fmt: skip
    assert [group for group, _ in field("kinds").grouped] == ["", "More"]
    assert [one.key for one in field("level").choices] == ["1", '"1"']
    assert (field("layer").is_dynamic, field("layer").watches) == (True, ("mode",))


def test_a_default_of_another_type_is_not_shown_and_stays_until_somebody_chooses():
    param = {"name": "c", "type": "COLUMN", "columnRole": "in", "defaultValue": False}
    drawn = field("c", params=[param], offer=lambda _param: [Option("size", "size")])
    assert (drawn.control, drawn.entry, drawn.mistakes) == ("select", "", ())
    assert typed(param, "") == {} and typed(param, "size") == {"c": "size"}
    lines = {"name": "t", "type": "STRING", "defaultValue": "a\nb"}
    assert (field("t", params=[lines]).control, field("t", params=[lines]).entry) == ("textarea", "a\nb")


@pytest.mark.parametrize(
    ("name", "held"),
    [("title", 1), ("flag", "yes"), ("words", "a"), ("words", [1]), ("map", [["a"]]), ("map", [1]), ("rows", {}),
     ("rows", [{"from": 0}]), ("preset", []), ("secret", True), ("login", "u"), ("kinds", {}), ("layer", {"typed": 1})],
)  # fmt: skip
def test_what_no_control_holds_is_refused_in_a_sentence(name, held):
    key = str([one.get("name") for one in PARAMS].index(name))
    with pytest.raises(JobError, match="Load the page anew"):
        read(PARAMS, {}, {key: held}, SETS)
