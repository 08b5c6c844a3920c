import datetime as dt

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from minihost.errors import JobError
from minihost.parameters.forms import FORMS, Form
from minihost.parameters.resolving import Given, resolve

SETS = {
    "cloud": {
        "defaultDefinableInline": True,
        "params": [
            {"name": "region", "type": "STRING", "defaultValue": "eu"},
            {"name": "key", "type": "PASSWORD", "visibilityCondition": "model.region == 'us'", "mandatory": True},
            {"name": "tries", "type": "INT", "defaultValue": 3, "minI": 1},
        ],
    },
    "bare": {"params": [{"name": "user", "type": "STRING"}, {"name": "secret", "type": "PASSWORD"}]},
}


def config(params, values=None, texts=(), is_open=False):
    answer = resolve(params, Given(values or {}, tuple(texts), is_open), SETS)
    assert answer.mistakes == []
    return answer.config


def mistakes(params, values=None, texts=()):
    answer = resolve(params, Given(values or {}, tuple(texts)), SETS)
    return [*answer.unknown, *answer.mistakes]


def one(kind, **more):
    return [{"name": "x", "type": kind, "label": "X", **more}]


@pytest.mark.parametrize(
    ("param", "text", "value"),
    [
        (one("STRING"), "a=b, c", "a=b, c"),
        (one("STRING"), "12", "12"),
        (one("STRING"), "", ""),
        (one("TEXTAREA"), "a\nb", "a\nb"),
        (one("PASSWORD"), "p w", "p w"),
        (one("COLUMN"), "1", "1"),
        (one("MANAGED_FOLDER"), "models/net", "models/net"),
        (one("FOLDER"), "f", "f"),
        (one("BOOLEAN"), "true", True),
        (one("BOOLEAN"), "False", False),
        (one("INT"), "5", 5),
        (one("INT"), "-5", -5),
        (one("INT"), "5.0", 5),
        (one("DOUBLE"), "5", 5),
        (one("DOUBLE"), "0.5", 0.5),
        (one("DOUBLE"), "1e-3", 0.001),
        (one("SELECT", selectChoices=[{"value": "a", "label": "A"}, {"value": 1, "label": "One"}]), "1", 1),
        (one("SELECT", selectChoices=[{"value": "1", "label": "One"}]), "1", "1"),
        (one("SELECT", selectChoices=[{"value": None, "label": "None"}]), "null", None),
        (one("SELECT", getChoicesFromPython=True, defaultValue=-2), "-3", -3),
        (one("SELECT", getChoicesFromPython=True, defaultValue="starter"), "3", "3"),
        (
            one("MULTISELECT", selectChoices=[{"value": 1, "label": "1"}, {"value": "b", "label": "B"}]),
            "1, b",
            [1, "b"],
        ),
        (one("MULTISELECT", selectChoices=[{"value": "a,b", "label": "1"}]), '["a,b"]', ["a,b"]),
        (one("COLUMNS"), "a, b c", ["a", "b c"]),
        (one("COLUMNS"), '["a, b"]', ["a, b"]),
        (one("COLUMNS"), "1,2", ["1", "2"]),
        (one("COLUMNS"), "", []),
        (one("STRINGS"), "x", ["x"]),
        (one("INTS"), "1, 2.0", [1, 2]),
        (one("DOUBLES"), "1, 2.5", [1, 2.5]),
        (one("ARRAY"), "1, a", [1, "a"]),
        (one("DATASETS"), "a,P.b", ["a", "P.b"]),
        (one("MAP"), '{"a": 1, "b": true}', {"a": "1", "b": "true"}),
        (one("KEY_VALUE_LIST"), '{"1": 2}', [{"from": "1", "to": "2"}]),
        (one("KEY_VALUE_LIST"), '[{"from": 1, "to": "x"}]', [{"from": "1", "to": "x"}]),
        (
            one("OBJECT_LIST", subParams=[{"name": "n", "type": "INT", "defaultValue": 1}]),
            "[{}, {'n': 2}]",
            [{"n": 1}, {"n": 2}],
        ),
        (one("DATE"), "2026-12-31", "2026-12-31T00:00:00.000Z"),
        (one("DATE"), "2026-12-31T01:30:00+01:00", "2026-12-31T00:30:00.000Z"),
        (one("PRESET", parameterSetId="cloud"), '{"region": "asia"}', {"region": "asia", "tries": 3}),
        (one("CREDENTIAL_REQUEST"), '{"user": "u"}', {"user": "u"}),
        (one("LLM"), "some:llm", "some:llm"),
        (one("NOT_KNOWN_YET"), "[1]", [1]),
        (one("NOT_KNOWN_YET"), "plain", "plain"),
    ],
)
def test_texts_are_read_by_type(param, text, value):
    found = config(param, texts=[("x", text)])["x"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("param", "text", "expected"),
    [
        (one("BOOLEAN"), "yes", "true or false is expected"),
        (one("INT"), "abc", "a whole number is expected"),
        (one("INT"), "1.5", "a whole number is expected"),
        (one("INT"), "true", "a whole number is expected"),
        (one("INT"), "", "a whole number is expected"),
        (one("INT", minI=1, maxI=3), "4", "a whole number from 1 to 3 is expected"),
        (one("INT", minI=1), "0", "a whole number of at least 1 is expected"),
        (one("DOUBLE", maxD=1.5), "1.6", "a number of at most 1.5 is expected"),
        (one("DOUBLE"), "NaN", "a number is expected"),
        (
            one("SELECT", selectChoices=[{"value": "apple", "label": ""}]),
            "aple",
            "one of apple is expected. Did you mean 'apple'?",
        ),
        (one("MULTISELECT", selectChoices=[{"value": "a", "label": ""}]), "a,b", "a list out of a is expected"),
        (one("MAP"), "[1]", "an object of texts"),
        (one("MAP"), "a", "an object of texts"),
        (one("KEY_VALUE_LIST"), "3", "a list of pairs"),
        (one("OBJECT_LIST"), "{}", "a list of objects"),
        (one("INTS"), "1,x", "a list of whole numbers"),
        (one("DATE"), "tomorrow", "a date such as"),
        (one("PRESET", parameterSetId="cloud"), "fast", "an object, as JSON"),
        (one("STRINGS", allowDuplicates=False), "a,a", "No value may occur twice"),
    ],
)
def test_texts_that_do_not_fit(param, text, expected):
    reported = mistakes(param, texts=[("x", text)])
    assert len(reported) == 1
    assert reported[0].startswith("Parameter 'x")
    assert expected in reported[0]


def test_values_keep_integers_and_refuse_wrong_types():
    assert type(config(one("INT"), {"x": 5.0})["x"]) is int
    assert mistakes(one("INT"), {"x": "5"}) == ["Parameter 'x' is \"5\"; a whole number is expected."]
    assert mistakes(one("BOOLEAN"), {"x": "true"}) == ["Parameter 'x' is \"true\"; true or false is expected."]
    assert mistakes(one("DOUBLE"), {"x": float("nan")})
    assert config(one("DATE"), {"x": dt.date(2026, 1, 2)})["x"] == "2026-01-02T00:00:00.000Z"


def test_what_yaml_can_say_becomes_json():
    params = [*one("STRING"), {"name": "m", "type": "MAP"}, {"name": "any", "type": "NOT_KNOWN_YET"}]
    found = config(params, {"x": dt.date(2026, 1, 2), "m": {1: 2}, "any": [dt.datetime(2026, 1, 2, 3), {None: b"b"}]})
    assert found == {"x": "2026-01-02", "m": {"1": "2"}, "any": ["2026-01-02T03:00:00", {"None": "b'b'"}]}


def test_values_without_end_are_refused():
    endless = []
    endless.append(endless)
    laughs = ["ha"]
    for _ in range(40):
        laughs = [laughs, laughs]
    for value in (endless, laughs):
        with pytest.raises(JobError):
            resolve(one("ARRAY"), Given({"x": value}), SETS)


def test_every_mistake_is_told_at_once():
    params = [
        *one("INT", mandatory=True),
        {"name": "y", "type": "BOOLEAN"},
        {"name": "z", "type": "STRING", "mandatory": True},
    ]
    reported = mistakes(params, {"y": 3}, [("x", "a"), ("nme", "1")])
    assert len(reported) == 4
    assert reported[0].startswith("There is no parameter 'nme'")


def test_defaults_also_when_hidden_and_nothing_else():
    params = [
        {"name": "mode", "type": "SELECT", "selectChoices": [{"value": "a", "label": "A"}], "defaultValue": "a"},
        {
            "name": "hidden",
            "type": "INT",
            "defaultValue": 7,
            "visibilityCondition": "model.mode == 'b'",
            "mandatory": True,
        },
        {"name": "permanently", "type": "BOOLEAN", "defaultValue": False, "visibilityCondition": False},
        {"name": "untouched", "type": "BOOLEAN"},
        {"name": "empty", "type": "STRING", "defaultValue": ""},
        {"name": "nothing", "type": "STRING", "defaultValue": None},
        {"name": "section", "type": "SEPARATOR", "defaultValue": "x"},
        {"type": "SEPARATOR"},
    ]
    assert config(params) == {"mode": "a", "hidden": 7, "permanently": False, "untouched": False, "empty": ""}


def test_defaults_are_copies():
    params = one("MAP", defaultValue={"a": "b"})
    config(params)["x"]["a"] = "changed"
    assert config(params)["x"] == {"a": "b"}


def test_hidden_parameters_keep_their_values():
    params = one("INT", visibilityCondition="model.absent")
    assert config(params, {"x": 4}) == {"x": 4}


def test_mandatory_only_when_visible():
    params = [
        {"name": "on", "type": "BOOLEAN", "defaultValue": False},
        *one("STRING", mandatory=True, visibilityCondition="model.on"),
    ]
    assert config(params) == {"on": False}
    assert mistakes(params, {"on": True}) == ["Parameter 'x' is missing: a text is expected."]
    assert mistakes(params, {"on": True, "x": ""}) == ["Parameter 'x' is missing: a text is expected."]
    assert mistakes(params, {"on": True, "x": None}) == ["Parameter 'x' is missing: a text is expected."]


def test_mandatory_boxes_may_stay_unticked():
    assert config(one("BOOLEAN", mandatory=True)) == {"x": False}


@pytest.mark.parametrize("more", [{}, {"defaultValue": None}, {"visibilityCondition": False}, {"default": True}])
def test_a_box_that_nobody_ticked_is_false(more):
    assert config(one("BOOLEAN", **more)) == {"x": False}
    assert config(one("BOOLEAN", **more), {"x": True}) == {"x": True}
    assert config(one("BOOLEAN", **more), texts=[("x", "true")]) == {"x": True}


def test_a_box_with_a_default_keeps_it():
    assert config(one("BOOLEAN", defaultValue=True)) == {"x": True}


def test_boxes_inside_rows_and_presets_that_are_there_are_false():
    sets = {"s": {"params": one("BOOLEAN")}}
    params = [
        {"name": "rows", "type": "OBJECT_LIST", "subParams": one("BOOLEAN")},
        {"name": "given", "type": "PRESET", "parameterSetId": "s"},
        {"name": "nobody_chose", "type": "PRESET", "parameterSetId": "s"},
    ]
    answer = resolve(params, Given({"rows": [{}, {"x": True}], "given": {}}), sets)
    assert answer.config == {"rows": [{"x": False}, {"x": True}], "given": {"x": False}}


def test_settings_that_nobody_opened_are_absent():
    params = [*one("BOOLEAN"), {"name": "on", "type": "BOOLEAN", "defaultValue": True}]
    assert resolve(params, Given(is_unopened=True), SETS).config == {"on": True}
    assert resolve(params, Given({"x": False}, is_unopened=True), SETS).config == {"x": False, "on": True}


@pytest.mark.parametrize("kind", ["COLUMNS", "STRINGS", "MULTISELECT", "KEY_VALUE_LIST", "OBJECT_LIST", "INTS"])
def test_a_list_that_nobody_filled_is_empty(kind):
    more = {"MULTISELECT": {"selectChoices": []}, "OBJECT_LIST": {"subParams": []}}.get(kind, {})
    assert config(one(kind, **more)) == {"x": []}
    assert config(one("MAP")) == {"x": {}}
    assert mistakes(one("COLUMNS", mandatory=True), {}) == mistakes(one("COLUMNS", mandatory=True), {"x": []})
    first, second = config(one(kind, **more)), config(one(kind, **more))
    first["x"].append(1)
    assert second == {"x": []}


def test_mandatory_lists_must_hold_something():
    assert mistakes(one("COLUMNS", mandatory=True), {"x": []})
    assert config(one("COLUMNS"), {"x": []}) == {"x": []}


def test_a_choice_may_be_null_or_empty():
    choices = [{"value": None, "label": "None"}, {"value": "", "label": "Empty"}, {"value": "a", "label": "A"}]
    params = one("SELECT", selectChoices=choices, mandatory=True)
    assert config(params, {"x": None}) == {"x": None}
    assert config(params, {"x": ""}) == {"x": ""}
    assert mistakes(params) == ["Parameter 'x' is missing: one of null, (empty), a is expected."]


@pytest.mark.parametrize(
    ("param", "value"),
    [
        (one("INT", defaultValue="12"), 12),
        (one("INT", defaultValue=12.0), 12),
        (one("DOUBLE", defaultValue="0.5"), 0.5),
        (one("STRINGS", defaultValue="a"), ["a"]),
        (one("STRINGS", defaultValue=""), []),
        (one("COLUMN", defaultValue=False), False),
        (one("SELECT", selectChoices=[{"value": 1, "label": ""}], defaultValue="1"), "1"),
        (one("SELECT", selectChoices=[{"value": "yes", "label": ""}], defaultValue="yse"), "yse"),
        (one("INT", minI=1, defaultValue=0), 0),
        (one("INT", minI="1", defaultValue=3), 3),
        (one("DATE", defaultValue="someday"), "someday"),
    ],
)
def test_dirty_defaults_are_survived(param, value):
    found = config(param)["x"]
    assert found == value
    assert type(found) is type(value)


def test_of_two_parameters_with_one_name_the_visible_one_counts():
    params = [
        {"name": "mode", "type": "STRING", "defaultValue": "a"},
        {"name": "x", "type": "INT", "defaultValue": 1, "visibilityCondition": "model.mode == 'a'"},
        {"name": "x", "type": "STRING", "defaultValue": "two", "visibilityCondition": "model.mode != 'a'"},
    ]
    assert config(params) == {"mode": "a", "x": 1}
    assert config(params, {"mode": "b"}) == {"mode": "b", "x": "two"}
    assert config(params, {"mode": "b", "x": "three"})["x"] == "three"
    assert mistakes(params, {"mode": "b", "x": 3})


def test_presets_are_flat_with_defaults():
    params = one("PRESET", parameterSetId="cloud")
    assert config(params) == {"x": {"region": "eu", "tries": 3}}
    assert config(params, texts=[("x.tries", "5")]) == {"x": {"region": "eu", "tries": 5}}
    both = config(params, {"x": {"region": "us", "key": "k"}}, [("x.region", "eu"), ("x.tries", "5")])
    assert both == {"x": {"region": "eu", "key": "k", "tries": 5}}


def test_mistakes_inside_presets():
    params = one("PRESET", parameterSetId="cloud")
    assert mistakes(params, texts=[("x.tires", "5")]) == [
        "There is no parameter 'x.tires'. Did you mean 'tries'? x has: key, region, tries."
    ]
    assert mistakes(params, texts=[("x.tries", "0")]) == [
        "Parameter 'x.tries' is 0; a whole number of at least 1 is expected."
    ]
    assert mistakes(params, texts=[("x.region", "us")]) == ["Parameter 'x.key' is missing: a text is expected."]


def test_presets_of_a_set_that_is_not_there_take_anything():
    params = one("PRESET", parameterSetId="elsewhere")
    answer = resolve(params, Given({"x": {"a": 1}}, (("x.b", "2"),)), SETS)
    assert (answer.config, answer.mistakes, answer.warnings) == ({"x": {"a": 1, "b": 2}}, [], [])


def test_parameters_of_administrators_are_part_of_a_preset():
    sets = {
        "s": {
            "params": [{"name": "a", "type": "INT"}],
            "pluginParams": [{"name": "b", "type": "INT", "defaultValue": 2}],
        }
    }
    assert resolve(one("PRESET", parameterSetId="s"), Given(texts=(("x.a", "1"),)), sets).config == {
        "x": {"a": 1, "b": 2}
    }


def test_a_preset_that_nobody_chose_and_that_has_no_defaults_stays_absent():
    assert config(one("PRESET", parameterSetId="bare")) == {}
    assert mistakes(one("PRESET", parameterSetId="bare", mandatory=True))


def test_rows_have_their_own_visibility():
    rows = [
        {"name": "kind", "type": "STRING", "defaultValue": "a"},
        {"name": "size", "type": "INT", "mandatory": True, "visibilityCondition": "model.kind == 'b'"},
    ]
    params = [{"name": "kind", "type": "STRING", "defaultValue": "b"}, *one("OBJECT_LIST", subParams=rows)]
    assert config(params, {"x": [{}, {"kind": "b", "size": 2.0}]})["x"] == [{"kind": "a"}, {"kind": "b", "size": 2}]
    assert mistakes(params, {"x": [{"kind": "b"}, {}]}) == [
        "Parameter 'x[0].size' is missing: a whole number is expected."
    ]


def test_maps_take_dotted_texts():
    assert config(one("MAP"), texts=[("x.a.b", "1")]) == {"x": {"a.b": "1"}}


def test_unknown_names():
    answer = resolve(one("INT"), Given({"extra": 1}), SETS)
    assert answer.config == {"extra": 1}
    assert answer.mistakes == answer.unknown == []
    assert answer.warnings == ["There is no parameter 'extra'. Parameters: x. It is passed on."]
    strict = resolve(one("INT"), Given({"extra": 1}, is_strict=True), SETS)
    assert (strict.unknown, strict.warnings) == (["There is no parameter 'extra'. Parameters: x."], [])
    params = one("OBJECT_LIST", subParams=[{"name": "size", "type": "INT"}])
    assert resolve(params, Given({"x": [{"size": 1}, {"sizes": 2}]}, is_strict=True), SETS).unknown == [
        "There is no parameter 'x[1].sizes'. Did you mean 'size'? x[1] has: size."
    ]
    assert mistakes(one("INT"), texts=[("y", "1")]) == ["There is no parameter 'y'. Parameters: x."]
    params = [{"name": f"label_{number}", "type": "INT"} for number in range(20)]
    assert mistakes(params, texts=[("lable_7", "1")])[0].startswith(
        "There is no parameter 'lable_7'. Did you mean 'label_7'"
    )
    assert "Parameters" not in mistakes(params, texts=[("lable_7", "1")])[0]
    assert "Parameters: label_0, " in mistakes(params, texts=[("zzz", "1")])[0]
    assert config([], {"raw": 1}, [("more", "[1]"), ("word", "w")], is_open=True) == {
        "raw": 1,
        "more": [1],
        "word": "w",
    }


def test_secrets_are_named_and_never_shown():
    params = [*one("PASSWORD"), {"name": "p", "type": "PRESET", "parameterSetId": "bare"}]
    answer = resolve(params, Given({"x": "hush", "p": {"secret": "quiet"}}), SETS)
    assert sorted(answer.secrets) == ["hush", "quiet"]
    (reported,) = mistakes(one("PASSWORD"), {"x": ["hush"]})
    assert "hush" not in reported


def test_names_with_dots_and_hyphens():
    params = [{"name": "client-id", "type": "STRING"}, {"name": "a.b", "type": "INT"}]
    assert config(params, texts=[("client-id", "c"), ("a.b", "1")]) == {"client-id": "c", "a.b": 1}


def test_visibility_that_is_not_understood_is_a_warning():
    answer = resolve(one("INT", visibilityCondition="some(thing)"), Given(), SETS)
    assert "not understood" in answer.warnings[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@examples(st.sampled_from(sorted(FORMS)), JSON, JSON)
def test_no_value_and_no_default_breaks_the_reader(kind, value, default):
    params = [{"name": "x", "type": kind, "defaultValue": default, "parameterSetId": "cloud", "mandatory": True}]
    answer = resolve(params, Given({"x": value}), SETS)
    assert all(isinstance(mistake, str) for mistake in answer.mistakes)
    assert resolve(params, Given(), SETS).config.keys() <= {"x"}


@examples(st.sampled_from(sorted(FORMS)), st.text(max_size=20))
def test_no_text_breaks_the_reader(kind, text):
    answer = resolve([{"name": "x", "type": kind, "parameterSetId": "cloud"}], Given(texts=(("x", text),)), SETS)
    assert answer.mistakes or "x" in answer.config


def test_every_form_has_a_type():
    assert set(FORMS.values()) == set(Form)
