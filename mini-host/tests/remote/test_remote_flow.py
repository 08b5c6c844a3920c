"""Flows whose folders and datasets lie in buckets: options, secrets, and what makes a step run again."""

import json

import pytest
from component_plugins import opened, put, role, write_components
from one_recipe import OUT

from minihost.errors import JobError
from minihost.runs.running import Options

pytestmark = pytest.mark.network
FLOW = """
plugins: [plugin]
folders:
  photos: {{url: {photos}, options: {{endpoint_url: "{endpoint}", key: "${{S3_KEY}}", secret: secret-in-the-file}}}}
datasets:
  done: {done}
steps:
  - {{recipe: names, inputs: {{in: photos}}, outputs: {{out: done}}}}
"""
NAMES = """
import dataiku
import pandas as pd
paths = dataiku.Folder("photos").list_paths_in_partition()
print("the options are secret-in-the-file, are they?")
dataiku.Dataset("done").write_with_schema(pd.DataFrame({"path": paths}))
"""


@pytest.fixture
def photos(bucket):
    bucket.put(**{"in/a.txt": b"a", "in/deep/b.txt": b"b"})
    return bucket


@pytest.fixture
def built(tmp_path, photos, s3_server, monkeypatch):
    monkeypatch.setenv("S3_KEY", "dummy-key-of-the-flow")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_server)
    recipe = ({"inputRoles": [role("in", folder=True)], "outputRoles": OUT}, NAMES)
    write_components(tmp_path / "plugin", {"names": recipe})
    put(
        tmp_path / "flow.yaml",
        FLOW.format(photos=photos.url("in"), endpoint=s3_server, done=photos.url("done.csv")),
    )
    return tmp_path


def build(place, *, in_process=False):
    return opened(place).run([], Options(quiet=True, in_process=in_process), force=False, report=print)


def test_a_flow_with_urls_and_options(built, photos):
    build(built)
    assert photos.content()["done.csv"] == b"path\n/a.txt\n/deep/b.txt\n"
    for path in built.rglob(".minihost/jobs/*/*"):
        if path.is_file():
            assert "secret-in-the-file" not in path.read_text()
    (job,) = built.glob(".minihost/jobs/*/job.json")
    assert "${S3_KEY}" in job.read_text()
    assert json.loads(job.read_text())["inputs"][0]["path"] == photos.url("in")


def test_a_step_is_out_of_date_when_an_object_was_changed_or_deleted(built, photos):
    def states():
        return [state.state for state in opened(built).states()]

    build(built, in_process=True)
    assert states() == ["up to date"]
    photos["in/a.txt"] = b"b"
    assert states() == ["stale"]
    build(built, in_process=True)
    assert states() == ["up to date"]
    del photos["done.csv"]
    assert states() == ["missing"]


def test_url_and_path_together_are_a_mistake(tmp_path):
    put(tmp_path / "flow.yaml", "folders: {a: {url: s3://b/c, path: d}, e: {url: here}}\n")
    with pytest.raises(JobError) as caught:
        opened(tmp_path)
    assert caught.value.mistakes == [
        "flow.yaml: folders > a: give `path` or `url`, not both.",
        "flow.yaml: folders > e: `url` is no URL of a storage such as s3://bucket/key; got 'here'.",
    ]
