"""Custom charts: `chart.datasetParamName` is a parameter, the dataset that the chart draws."""

import json
import re

import pytest
from component_plugins import put, write_components

from minihost.errors import JobError
from minihost.plugins.description import describe
from minihost.plugins.manifests import read_plugin
from minihost.projects.planning import Request, plan
from minihost.webapps.page import Page

COLUMN = {"name": "unit", "type": "DATASET_COLUMN", "datasetParamName": "source", "mandatory": True}
BACKEND = """
import dataiku
from dataiku.core.dkujson import DKUJSONEncoder
from flask import jsonify, request
app.json_encoder = DKUJSONEncoder

@app.route("/sum")
def sum():
    column = dataiku.Dataset(request.args["dataset"]).get_dataframe()[request.args["unit"]]
    return jsonify({"sum": column.sum(), "cells": column.to_numpy()})
"""


@pytest.fixture
def made(tmp_path, minihost_project):
    """Return a maker of projects with a chart `bars` of this `chart` section, and a dataset `rows`."""

    def make(**chart):
        root = write_components(tmp_path / "plugin")
        chart = {"datasetParamName": "source", "leftBarParams": [COLUMN], **chart}
        descriptor = {"meta": {"label": "Bars"}, "baseType": "STANDARD", "hasBackend": "true", "chart": chart}
        put(root / "webapps" / "bars" / "webapp.json", json.dumps(descriptor))
        put(root / "webapps" / "bars" / "backend.py", BACKEND)
        put(root / "webapps" / "bars" / "body.html", "")
        return minihost_project(plugin=root, datasets={"rows": [{"a": 1}, {"a": 2}]})

    return make


def params_of(made):
    (component,) = [one for one in read_plugin(made.plugins[0]).components if one.id == "bars"]
    return [param["name"] for param in component.params], component


def planned(made, params):
    from minihost.parameters.resolving import Given
    from minihost.plugins import discovery

    catalogue = discovery.find(discovery.Search(tuple(made.plugins), only_places=True))
    return plan(
        Request("bars", params=Given(texts=params), kinds=("webapp",), ask_choices=False), catalogue, made.project
    )


def test_the_dataset_comes_first_in_form_and_example(made):
    names, component = params_of(project := made())
    assert names == ["source", "unit"]
    facts = describe(component, read_plugin(project.plugins[0]))
    assert (facts["params"][0]["type"], facts["params"][0]["mandatory"]) == ("DATASET", False)
    assert facts["example"] == "minihost webapp bars -p unit=UNIT"


@pytest.mark.parametrize("chart", [{"datasetParamName": None}, {"datasetParamName": 1}, {"datasetParamName": "unit"}])
def test_it_is_asked_for_once_if_at_all(made, chart):
    assert params_of(made(**chart))[0] == ["unit"]


def test_the_page_is_told_its_name(made):
    project = made()
    path = project.table("rows").path
    for given in ("rows", str(path)):
        job = planned(project, (("source", given), ("unit", "a"))).job
        assert job.config == {"source": "rows", "unit": "a"}
        frame = Page(job, path.parent).answer("/")[0].decode()
        assert json.loads(re.search(r"const facts = (.*);", frame)[1])["webAppConfig"]["source"] == "rows"


def test_a_dataset_that_is_not_there(made):
    project = made()
    with pytest.raises(
        JobError, match="The dataset 'row' of the parameter 'source' does not exist .* Did you mean 'rows'"
    ):
        planned(project, (("source", "row"), ("unit", "a")))


def test_the_only_dataset_needs_no_choice_and_of_several_one_is_asked_for(made):
    project = made()
    assert planned(project, (("unit", "a"),)).job.config == {"source": "rows", "unit": "a"}
    project.add_dataset("more", [{"a": 3}])
    several = planned(project, (("unit", "a"),))
    assert several.job.config == {"unit": "a"}
    assert "No dataset to draw was chosen: -p source=NAME. Names: more, rows." in " ".join(several.warnings)


def test_a_chart_with_a_form_of_its_own_takes_any_name(made):
    project = made(leftBarTemplate="form.html")
    assert planned(project, (("source", "rows"), ("unit", "a"), ("colour", "red"))).job.config["colour"] == "red"


def test_the_backend_reads_it_and_writes_json_as_it_says(made):
    with made().webapp("bars", {"source": "rows", "unit": "a"}) as client:
        assert client.get("/sum?dataset=rows&unit=a").json == {"sum": 3, "cells": [1, 2]}
