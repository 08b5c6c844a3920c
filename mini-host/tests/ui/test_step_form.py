"""The form of a step over HTTP: drawn, checked, its choices asked for, saved; nothing hostile in it does anything."""

import html
import json
import re

import pytest
from component_plugins import put
from form_plugin import ACCESS, CHOICES, HOSTILE, PARAMS, write_project

from minihost.parameters.entries import entries
from minihost.projects import flow
from minihost.ui.component_form import plain_text

SETS = {"access": ACCESS}
NAMES = [param.get("name") for param in PARAMS]


def key(name):
    return str(NAMES.index(name))


def body(params=None, held=None, **more):
    """A posted form of the step `every`: what was drawn for its parameters, and what somebody changed."""
    params = entries(PARAMS, params or {}, SETS) | {key(name): value for name, value in (held or {}).items()}
    sides = {"inputs": {"0": "rows", "1": []}, "outputs": {"0": "done.csv"}}
    return {"step": "every", "component": "every", "kind": "recipe", **sides, "params": params} | more


def drawn(client, **query):
    answer = client.get("/step", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.fixture
def client(tmp_path, client_of):
    return client_of(write_project(tmp_path))


def step(folder):
    return flow.read(folder / "flow.yaml").steps[-1]


def test_every_control_is_drawn_with_its_label(client):
    page = drawn(client, name="every")
    form = drawn(client, name="every", part="form")
    assert "<html" in page and "<html" not in form and form.count("<form") == 1
    for name in filter(None, NAMES):
        assert f'data-name="{name}"' in form
    ids = re.findall(r' id="([^"]+)"', form)
    assert len(ids) == len(set(ids))
    for target in re.findall(r'<label for="([^"]+)"', form):
        assert target in ids
    assert "<h1" in page and "<h2" in page and "<h3" in form and "<h2" not in form  # no level is left out
    described = " ".join(re.findall(r'aria-describedby="([^"]+)"', form)).split()
    assert set(described) <= set(ids)
    assert HOSTILE not in form and html.escape(HOSTILE) in form.replace("&#34;", "&quot;")
    assert "javascript:" not in form and "Read this\nfirst" in form
    assert not re.search(r'\s(on\w+|style)="', form)


def test_what_the_flow_holds_is_shown_and_passwords_are_not(tmp_path, client_of):
    values = {"secret": "hush", "preset": {"region": "us", "key": "hush2"}, "count": "${n}", "nobody": {"a": 1},
              "title": "</textarea><script>", "words": ["</template>"], "login": {"user": "me", "password": "pw"}}  # fmt: skip
    client = client_of(write_project(tmp_path, values))
    form = drawn(client, name="every", part="form")
    for secret in ("hush", "hush2", '"pw"'):
        assert secret not in form
    assert "${n}" in form and "nobody" in form and "<script" not in form and "</template>&" not in form
    posted = body(values, {"title": "new"})
    posted["params"]["+nobody"] = '{"a": 1}'
    answer = client.post("/step/check", json=posted).get_json()
    assert answer["command"] == "minihost set every -p title=new"
    posted["params"][key("preset")] = {"0": "asia", "1": ""}
    answer = client.post("/step/check", json=posted)
    assert "hush2" not in answer.text and "…" in answer.get_json()["command"]
    saved = client.post("/step/save", json=posted)
    assert saved.status_code == 200 and "hush2" not in saved.text
    assert step(tmp_path).params == {**values, "title": "new", "preset": {"region": "asia", "key": "hush2"}}


def test_an_edit_of_the_page_tells_its_command_without_passwords_and_needless_words(tmp_path, client_of):
    client = client_of(write_project(tmp_path))
    changes = [
        {"kind": "set_step", "step": "every", "params": {"secret": "hush3", "title": "new"}},
        {"kind": "add_step", "component": "every", "component_kind": "recipe", "inputs": {"in": "rows"},
         "outputs": {"out": "more.csv"}, "params": {"preset": {"region": "us", "key": "hush4"}}},
    ]  # fmt: skip
    for change in changes:
        answer = client.post("/edit", json={"change": change})
        assert answer.status_code == 200, answer.text
        assert "stands in flow.yaml, which everybody" in answer.json["summary"]
        assert "hush" not in answer.text and "…" in answer.json["command"] and "--kind" not in answer.json["command"]


def test_an_unchanged_form_says_that_there_is_nothing_to_save(client, tmp_path):
    before = (tmp_path / "flow.yaml").read_bytes()
    answer = client.post("/step/check", json=body()).get_json()
    assert (answer["changed"], answer["command"], answer["right"]) == (False, "", True)
    assert client.post("/step/save", json=body()).status_code == 422
    assert (tmp_path / "flow.yaml").read_bytes() == before


def test_conditions_and_mistakes_while_somebody_types(client):
    held = {"count": "99", "mode": '"own"', "column": "gone", "rows": [{"from": None, "fields": {"1": "big"}}]}
    answer = client.post("/step/check", json=body(held=held, outputs={"0": ""}, inputs={"0": "nothing.csv"})).get_json()
    params = answer["params"]
    first, second = (number for number, name in enumerate(NAMES) if name == "own")
    assert [params[str(first)]["visible"], params[str(second)]["visible"]] == [False, True]
    assert params[key("count")]["mistakes"] == ["Parameter 'count' is 99; a whole number from 1 to 10 is expected."]
    inside = params[key("rows")]["groups"][0]
    assert inside["0"]["mistakes"] and inside["1"]["mistakes"] and not params[key("rows")]["mistakes"]
    assert "does not exist" in answer["inputs"]["0"]["mistakes"][0]
    assert "is empty" in answer["outputs"]["0"]["mistakes"][0]
    assert not answer["right"] and answer["mistakes"] == []
    answer = client.post("/step/check", json=body(held={"column": "gone"})).get_json()
    assert "no column 'gone'" in answer["params"][key("column")]["mistakes"][0]


def test_columns_and_choices_are_the_real_ones(client, tmp_path):
    form = drawn(client, name="every", part="form")
    assert '<option value="size">size (bigint)</option>' in form
    fields = [{"id": "a", "path": [key("layer")]}, {"id": "b", "path": [key("cell")]}, {"id": "c", "path": ["99", "x"]}]
    held = {"table": "rows", "count": "99"}
    layer, cell = client.post("/step/choices", json=body(held=held, fields=fields)).get_json()["fields"]
    assert '<option value="7">Seven of in</option>' in layer["html"] and layer["problem"] == ""
    assert '<option value="name">name</option>' in cell["html"] and 'id="b"' in cell["html"]
    put(tmp_path / "plugin" / "resource" / "choices.py", CHOICES.replace('== "own"', '== "plain"'))
    layer = client.post("/step/choices", json=body(fields=fields[:1])).get_json()["fields"][0]
    assert "no layers there" in layer["problem"] and "data-typed" in layer["html"]


def test_choices_that_read_what_a_step_has_not_made_yet_say_so(client, tmp_path):
    later = {"recipe": "every", "name": "later", "inputs": {"in": "done.csv"}, "outputs": {"out": "end.csv"}}
    put(tmp_path / "flow.yaml", (tmp_path / "flow.yaml").read_text() + f"  - {json.dumps(later)}\n")
    posted = body(step="later", inputs={"0": "done.csv"}, fields=[{"id": "a", "path": [key("layer")]}])
    assert client.post("/step/choices", json=posted).get_json()["fields"][0]["problem"] == ""  # it reads no input
    put(tmp_path / "plugin" / "resource" / "choices.py", CHOICES.replace('== "own"', '== "plain"'))
    asked = client.post("/step/choices", json=posted).get_json()["fields"][0]
    assert asked["problem"].startswith("What there is to choose is known when done.csv can be read")


def test_a_step_is_saved_with_its_types(client, tmp_path):
    held = {"count": "7", "level": '"1"', "numbers": ["0.5", "2"], "flag": True, "map": [["a.b", "<i>"]],
            "rows": [{"from": None, "fields": {"0": 'q"uote', "2": [{"from": None, "fields": {"0": "4"}}]}}],
            "columns": ["size"], "layer": "7", "day": "2026-12-31", "presets": [{"from": None, "fields": {"0": "eu"}}]}  # fmt: skip
    answer = client.post("/step/save", json=body(held=held))
    assert answer.status_code == 200, answer.text
    assert step(tmp_path).params == {
        "count": 7, "level": "1", "numbers": [0.5, 2], "flag": True, "map": {"a.b": "<i>"},
        "rows": [{"a.b[0]": 'q"uote', "inner": [{"x": 4}]}], "columns": ["size"], "layer": 7, "day": "2026-12-31",
        "presets": [{}],
    }  # fmt: skip
    # what is set back to its default leaves the flow
    values = step(tmp_path).params
    answer = client.post("/step/save", json=body(values, {"count": "3", "flag": False}))
    assert answer.get_json()["command"] == "minihost set every --unset flag --unset count"
    assert step(tmp_path).params.keys() & {"count", "flag"} == set()


def test_an_edit_by_hand_meanwhile_is_not_lost(client, tmp_path):
    base = client.post("/step/check", json=body()).get_json()
    digest = re.search(r'data-base="(\w+)"', drawn(client, name="every"))[1]
    assert not client.post("/step/check", json=body(base=digest)).get_json()["moved"] and base["moved"]
    text = (tmp_path / "flow.yaml").read_text()
    put(tmp_path / "flow.yaml", text.replace("params: {}", "params: {count: 5}"))
    answer = client.post("/step/save", json=body(held={"count": "7"}, base=digest))
    assert answer.status_code == 409 and "count: 5" in (tmp_path / "flow.yaml").read_text()


def test_new_steps(client, tmp_path):
    form = drawn(client, component="every", kind="recipe", **{"from": "folder:pictures"})
    assert 'data-step=""' in form and "Add step" in form
    change = {"component": "fill", "component_kind": "macro", "params": {"target": "fresh"}, "creates": ["fresh"]}
    assert 'value="fresh"' in client.post("/step/draft", json=change).text
    macro = {"component": "fill", "kind": "macro", "step": "", "name": "again"}
    posted = macro | {"params": {"0": "more pictures", "1": "3"}, "creates": []}
    assert client.post("/step/save", json=posted).status_code == 200
    assert (step(tmp_path).name, step(tmp_path).creates) == ("again", ("more pictures",))
    # another name in the parameter is another name of what it makes; a folder that was there is not made
    changed = posted | {"step": "again", "params": {"0": "other", "1": "3"}, "creates": ["more pictures"]}
    assert client.post("/step/save", json=changed).status_code == 200
    assert (step(tmp_path).creates, step(tmp_path).params["target"]) == (("other",), "other")
    posted = macro | {"name": "third", "params": {"0": "pictures"}}
    assert client.post("/step/save", json=posted).status_code == 200
    assert step(tmp_path).creates == ()


def test_a_component_with_a_form_of_its_own_has_the_keys_that_it_reads(client, tmp_path):
    form = drawn(client, component="drawn", kind="recipe", part="form")
    assert "What the code reads" in form and "The code takes 5 without it." in form and "The code needs it." in form
    sides = {"inputs": {"0": "rows"}, "outputs": {"0": "out.csv"}}
    facts = {"component": "drawn", "kind": "recipe", "step": "", **sides}
    names = dict(re.findall(r'data-field="(\d+)"[^>]* data-name="(\w+)"', form[form.index('data-group="params"') :]))
    keys = {name: number for number, name in names.items()}
    held = {keys["size"]: "7", keys["name"]: "x", keys["strict"]: "false"}
    assert client.post("/step/save", json=facts | {"params": held}).status_code == 200
    assert step(tmp_path).params == {"size": 7, "name": "x", "strict": False}


def test_a_step_of_a_plugin_that_is_gone_keeps_all_that_it_says(client, tmp_path):
    text = (tmp_path / "flow.yaml").read_text().replace("recipe: every", "recipe: gone/every\n    name: every")
    put(tmp_path / "flow.yaml", text.replace("params: {}", "params: {a: [1]}"))
    form = drawn(client, name="every", part="form")
    assert "+in" in form and "[1]" in form
    held = {"inputs": {"+in": ["rows"]}, "outputs": {"+out": ["done.csv"]}, "params": {"+a": "[1]"}}
    answer = client.post("/step/check", json=body() | held).get_json()
    assert not answer["changed"] and "gone" in answer["mistakes"][0]


@pytest.mark.parametrize(
    "facts",
    [
        [], {"step": 1}, {"kind": "x"}, {"inputs": []}, {"inputs": {"0": 1}}, {"params": 1}, {"creates": "a"},
        {"step": "gone"}, {"params": {key("rows"): [1]}}, {"outputs": {"*": 3, "0": [[]]}}, {"partition": {}},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_bodies_that_do_not_fit_are_refused_in_sentences(client, facts):
    for address in ("/step/check", "/step/save", "/step/choices"):
        posted = facts if isinstance(facts, list) else body() | facts
        answer = client.post(address, json=posted, headers={"Accept": "application/json"})
        assert answer.status_code in (400, 422)
        assert answer.get_json()["mistakes"]
    assert client.get("/step").status_code == client.get("/step?name=gone").status_code == 422
    assert client.get("/step?component=gone").status_code == 422


def test_html_of_descriptions_is_read_as_text():
    assert plain_text('a <b>c</b>&nbsp;<a href="x">d</a><br>e<p>f') == "a c\xa0d\ne\nf"
    assert plain_text("0 < x and y > 1") == "0 < x and y > 1"
