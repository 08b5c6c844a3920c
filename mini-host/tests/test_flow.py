"""flow.yaml: what it may say, and every mistake at once."""

import pytest

from minihost.errors import JobError
from minihost.projects import flow

GOOD = """
project: eggs
plugins: [../plugin]
folders:
  pictures: data/pictures
  model: {path: models/egg, in_place: true}
datasets:
  labels: labels.csv
  scored: {format: parquet}
variables: {limit: 3}
steps:
  - recipe: classify
    inputs: {images: pictures, tables: [labels, more.csv]}
    outputs: {out: scored}
    params: {n: 3}
  - macro: plugin/fill
    creates: [pictures]
    params: {seed: 1}
  - recipe: classify
    inputs: {images: scored}
    outputs: {out: last}
"""


def read(tmp_path, text):
    path = tmp_path / "flow.yaml"
    path.write_text(text, encoding="utf-8")
    return flow.read(path)


def mistakes(tmp_path, text):
    with pytest.raises(JobError) as caught:
        read(tmp_path, text)
    return caught.value.mistakes


def test_everything_that_it_may_say(tmp_path):
    found = read(tmp_path, GOOD)
    assert (found.key, found.plugins, found.variables) == ("EGGS", ("../plugin",), {"limit": 3})
    assert found.folders == {"pictures": {"path": "data/pictures"}, "model": {"path": "models/egg", "in_place": True}}
    assert found.datasets == {"labels": {"path": "labels.csv"}, "scored": {"format": "parquet"}}
    assert [step.name for step in found.steps] == ["classify", "fill", "classify-2"]
    assert found.steps[0].inputs == (("images", "pictures"), ("tables", "labels"), ("tables", "more.csv"))
    assert found.made == ("scored", "pictures", "last")


def test_dates_are_texts_as_in_json(tmp_path):
    fields = "{since: 2020-01-02, times: [2020-01-02 10:00:00]}"
    text = f"datasets: {{a: {{customFields: {fields}}}}}\nvariables: {{day: 2020-01-02}}\n"
    found = read(tmp_path, text + "steps: [{macro: x, params: {day: 2020-01-02}, partition: 2020-01-02}]")
    assert found.datasets["a"]["customFields"] == {"since": "2020-01-02", "times": ["2020-01-02 10:00:00"]}
    assert (found.variables, found.steps[0].params) == ({"day": "2020-01-02"}, {"day": "2020-01-02"})
    assert found.steps[0].partition == "2020-01-02"


@pytest.mark.parametrize("text", ["", "steps: []", "folders:\n", "folders: {a: }"])
def test_little_is_enough(tmp_path, text):
    assert read(tmp_path, text).steps == ()


def test_all_mistakes_at_once_with_suggestions(tmp_path):
    text = """
step: []
project: "a b"
folders: {a: 3, both: x, b: {paht: x}}
datasets: {both: y, c: {format: xls}}
steps:
  - recipe: r
    macro: m
  - {}
  - macro: m
    inputs: {a: b}
  - recipe: r
    input: {}
    outputs: {o: {}}
"""
    found = "\n".join(mistakes(tmp_path, text))
    for wanted in (
        "flow.yaml: there is no 'step'. Did you mean 'steps'?",
        "project: 'a b' does not match",
        "folders > a: 3 is not of type",
        "folders > b: there is no 'paht'. Did you mean 'path'? Known: customFields, in_place, options, partitioning, path, url.",
        "datasets > c > format: 'xls' is not one of ['csv', 'parquet', 'tsv', 'xlsx']",
        "step 1 needs a `recipe:` or a `macro:`, one of them.",
        "step 2 needs a `recipe:` or a `macro:`",
        "step 3: a macro has no inputs and outputs",
        "step 4: there is no 'input'. Did you mean 'inputs'?",
        "step 4 > outputs > o: a name or path, or a list of them, is wanted; got {}",
        "'both' is declared as a folder and as a dataset",
    ):
        assert wanted in found


LAUGHS = "variables:\n  a0: &a0 [" + "x," * 9 + "]\n"
LAUGHS += "".join(f"  a{n}: &a{n} [{f'*a{n - 1},' * 9}]\n" for n in range(1, 10))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a: [", "is not YAML: line "),
        ("datasets:\n\tx: y", "flow.yaml is not YAML: line 2, column 1: "),
        ("datasets:\n\tx: y", "; YAML is indented with spaces, not tabs."),
        ("- x", "a flow is a mapping"),
        ("steps: []\nsteps: []", "line 2: 'steps' is given twice"),
        ("folders:\n  a: x\n  a: y", "line 3: 'a' is given twice"),
        ("datasets: true\nfolders: {a: b}", "datasets: True is not of type"),
        ("steps: 3", "steps: 3 is not of type"),
        ("stpes:", "there is no 'stpes'. Did you mean 'steps'?"),
        ("a: !!python/object/apply:os.system ['true']", "is not YAML"),
        ("variables: &v {a: *v}", "is not YAML"),
        (LAUGHS, "more than 200,000 values"),
        (LAUGHS.replace("[", "{<<: [").replace("]", "]}").replace("x,", "{a: b},"), "more than 200,000 values"),
    ],
)
def test_files_that_are_no_flow(tmp_path, text, wanted):
    assert wanted in mistakes(tmp_path, text)[0]


def test_a_mapping_may_take_over_another(tmp_path):
    found = read(tmp_path, "variables: {b: &b {recipe: x}}\nsteps:\n- {<<: *b}\n- {<<: *b, recipe: y}\n")
    assert [step.component for step in found.steps] == ["x", "y"]
