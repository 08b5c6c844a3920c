"""The picture and the list of a flow: the same facts, whatever the names are, and what is shown of a broken flow."""

import re
from xml.etree import ElementTree

import pytest
import yaml
from component_plugins import role, write_components

from minihost.ui.graph.names import lines

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "\"quotes\" & 'more' ]]> --> <!--",
    "😀" * 30 + " 👩‍👩‍👧‍👦 e\u0301",
    "שלום עולם \u202eevil",
    "n" * 500,
    "control \x01\x0b\x7f and lines\nbelow",
    "{{ 7 * 7 }} ${x} %s",
]
STEP = ({"inputRoles": [role("source", many=True)], "outputRoles": [role("target", many=True)]}, "")
CACHED = (
    {
        "inputRoles": [role("source")],
        "outputRoles": [role("target"), role("kept", folder=True, minihost={"cache": True})],
    },
    "",
)


@pytest.fixture
def project(tmp_path, client_of):
    """Write a flow; return a client of its pages."""
    write_components(tmp_path / "plugin", {"classify-things": STEP, "cached": CACHED})

    def write(**flow):
        (tmp_path / "flow.yaml").write_text(yaml.safe_dump({"plugins": ["plugin"], **flow}, sort_keys=False))
        return client_of(tmp_path)

    return write


def picture(client):
    return ElementTree.fromstring(client.get("/flow/graph").text)


def nodes(client):
    return {node.get("data-id"): node for node in picture(client).iter(f"{SVG}a")}


def test_picture_and_list_say_the_same_of_hostile_names(project):
    steps = [
        {
            "recipe": "classify-things",
            "name": name,
            "inputs": {"source": [f"in {name[:60]}.csv"]},
            "outputs": {"target": f"{name[:60]}.csv"},
        }
        for name in HOSTILE
    ]
    client = project(steps=steps, datasets={"unused <b>": "x.csv"})
    found = nodes(client)
    assert len(found) == 3 * len(HOSTILE) + 1
    page = client.get("/").text
    assert "<img" not in page and "<b>" not in page.replace("<b> ", "")
    rows = ElementTree.fromstring(f"<x>{client.get('/flow/list').text}</x>")
    listed = {row.get("data-row"): row for row in rows.iter("tr") if row.get("data-row")}
    assert listed.keys() == found.keys()
    for key, node in found.items():
        text = " ".join("".join(listed[key].itertext()).split())
        said = " ".join(node.get("aria-label").split())
        for name in re.split(r"; (?:reads|makes|made by|read by) |^\w+ ", said)[2:]:
            assert name in text
        assert listed[key].find(".//a").get("href") == node.get("href")
        assert len(node.findall(f"{SVG}text/{SVG}tspan")) <= 2


def test_kinds_states_and_caches(project):
    steps = [
        {"recipe": "cached", "name": "one", "inputs": {"source": "a"}, "outputs": {"target": "b", "kept": "cache"}},
        {"recipe": "cached", "name": "two", "inputs": {"source": "b"}, "outputs": {"target": "c", "kept": "cache"}},
    ]
    client = project(steps=steps, datasets={"a": "a.csv"})
    found = nodes(client)
    assert found["step:one"].get("class") == "node recipe checking"
    assert found["step:one"].get("aria-label") == "recipe one (cached), checking; reads a; makes b, cache"
    assert found["dataset:a"].get("aria-label") == "dataset a; read by one"
    assert found["folder:cache"].get("class") == "node folder cache "
    assert (found["dataset:b"].get("data-step"), found["dataset:a"].get("data-step")) == ("one", "")
    kinds = [
        (path.get("class"), path.get("data-from"))
        for path in picture(client).iter(f"{SVG}path")
        if path.get("data-from")
    ]
    assert ("edge cache", "step:one") in kinds and ("edge far cache", "step:two") in kinds
    assert [node.get("tabindex") for node in found.values()].count("0") == 1


def test_a_broken_flow_shows_the_line_and_the_last_picture(project, tmp_path):
    client = project(
        steps=[{"recipe": "classify-things", "inputs": {"source": "a.csv"}, "outputs": {"target": "b.csv"}}]
    )
    client.get("/flow/graph")
    text = (tmp_path / "flow.yaml").read_text()
    (tmp_path / "flow.yaml").write_text(text + "folders: {a: [<b>\nmore: x\n")
    shown = client.get("/flow/graph").text
    assert "flow-picture last" in shown and 'data-id="step:classify-things"' in shown
    assert re.search(r'class="it"><b> *\d+</b>', shown) and "{a: [&lt;b&gt;" in shown
    assert "line" in re.search(r'class="mistake">(.*?)</p>', shown)[1]
    assert 'class="mistake"' in client.get("/flow/list").text


def test_an_empty_project_starts_with_pictures(tmp_path, client_of):
    assert "Start with your pictures" in client_of(tmp_path).get("/").text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("metrics", ["metrics"]),
        ("vision-check-labels", ["vision-check-", "labels"]),
        ("results/scored_picture_only.csv", ["results/scored_", "picture_only.csv"]),
        ("results/a_long_name_that_goes_on.csv", ["results/a_long_nam", "e_that_goes_on.csv"]),
        ("x" * 500, ["x" * 18, "…" + "x" * 17]),
        ("", ["\ufffd"]),
    ],
)
def test_names_take_two_lines(name, shown):
    assert lines(name) == shown


def test_joined_characters_stay_together():
    family = "👩‍👩‍👧‍👦"
    assert set("".join(lines(family * 40)).replace("…", "").replace(family, "")) == set()
