"""Plugins written as outsiders write them, in the idioms of public ones, run from a folder and from a zip."""

import json
import shutil

import pytest
from component_plugins import put, role, write_components

from minihost.cli import main
from minihost.projects import project as projects
from minihost.testing.project import ProjectUnderTest

SWEEP = """
import dataiku, logging
import pandas as pd
from dataiku.runnables import Runnable, ResultTable
from utils import names_of

logging.basicConfig(format="%(asctime)s [%(levelname)s] %(message)s", level=logging.INFO)

class MyRunnable(Runnable):
    def __init__(self, project_key, config, plugin_config):
        self.project_key, self.config = project_key, config

    def get_progress_target(self):
        return None

    def run(self, progress_callback):
        table = ResultTable()
        for column in ("dataset", "kind", "rows"):
            table.add_column(column, column.title(), "STRING")
        project = dataiku.api_client().get_project(self.project_key)
        recipes = project.list_recipes()
        read = [name for recipe in recipes for name in names_of(recipe["inputs"])]
        written = [name for recipe in recipes for name in names_of(recipe["outputs"])]
        shared = [one["localName"] for one in project.get_settings().settings["exposedObjects"]["objects"]]
        assert shared == []
        for one in project.list_datasets():
            name = one["name"]
            assert len(one["partitioning"]["dimensions"]) == 0
            kind = "INPUT" if name not in written else "OUTPUT" if name not in read else "INTERMEDIATE"
            if kind == "INTERMEDIATE" and not self.config.get("is_dry_run"):
                project.get_dataset(name).clear()
            table.add_record([name, kind, len(dataiku.Dataset(name).get_dataframe())])
        logging.info("swept %s", len(table.records))
        return table
"""
UTILS = """
def names_of(roles):
    return [item["ref"] for role in roles.values() for item in role["items"]]
"""
COPY = """
import dataiku
from dataiku.customrecipe import *
dataiku.Dataset(get_output_names_for_role('Output Dataset')[0]).write_with_schema(
    dataiku.Dataset(get_input_names_for_role('Input Dataset')[0]).get_dataframe())
"""


@pytest.fixture(params=["folder", "zip"])
def packed(request, tmp_path, monkeypatch):
    """Return what hands a plugin's folder over as a folder or as a zip."""
    monkeypatch.setenv("MINIHOST_HOME", str(tmp_path / "home"))

    def pack(root):
        return shutil.make_archive(str(root), "zip", root) if request.param == "zip" else root

    return pack


def test_a_macro_over_the_flow_and_a_recipe_with_a_space_in_its_name(tmp_path, packed, monkeypatch, capsys):
    roles = {"inputRoles": [role("Input Dataset")], "outputRoles": [role("Output Dataset")]}
    plugin = write_components(
        tmp_path / "plugin",
        {"copy between datasets": (roles, COPY)},
        {"sweep": ({"resultType": "RESULT_TABLE", "params": [{"name": "is_dry_run", "type": "BOOLEAN"}]}, SWEEP)},
        {"python-lib/utils.py": UTILS},
    )
    flow = {
        "plugins": [str(packed(plugin))],
        "datasets": {"raw": "raw.csv"},
        "steps": [
            {"recipe": "copy between datasets", "inputs": {"Input Dataset": "raw"}, "outputs": {"Output Dataset": "middle"}},
            {"recipe": "copy between datasets", "inputs": {"Input Dataset": "middle"}, "outputs": {"Output Dataset": "end"}},
        ],
    }  # fmt: skip
    put(tmp_path / "work" / "flow.yaml", json.dumps(flow))
    put(tmp_path / "work" / "raw.csv", "a\n1\n2\n")
    monkeypatch.chdir(tmp_path / "work")
    assert main(["build", "-q"]) == 0
    capsys.readouterr()
    assert main(["run", "sweep", "-p", "is_dry_run=false"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line]
    assert sorted(lines[2:5]) == [["end", "OUTPUT", "2"], ["middle", "INTERMEDIATE", "0"], ["raw", "INPUT", "2"]]


CHUNKED = """
# -*- coding: utf-8 -*-
import logging, inspect, json, os
import dataiku
import pandas as pd
from dataiku import pandasutils as pdu
from dataiku.customrecipe import get_recipe_config, get_input_names_for_role, get_output_names_for_role

logging.basicConfig(level=logging.INFO, format="%(levelname)s - %(message)s")

def count_records(dataset):
    metric_id = "records:COUNT_RECORDS"
    project = dataiku.api_client().get_project(dataset.project_key)
    record_count = 0
    partitions = dataset.read_partitions
    project.get_dataset(dataset.short_name).compute_metrics(metric_ids=[metric_id])
    metric = dataset.get_last_metric_values()
    if dataset.read_partitions is None or len(dataset.read_partitions) == 0:
        record_count = dataiku.ComputedMetrics.get_value_from_data(metric.get_global_data(metric_id=metric_id))
    else:
        for partition in partitions:
            record_count += dataiku.ComputedMetrics.get_value_from_data(
                metric.get_partition_data(partition=partition, metric_id=metric_id))
    return record_count

def process(input_dataset, output_dataset, func, chunksize=3, **kwargs):
    logging.info("%s rows", count_records(input_dataset))
    with output_dataset.get_writer() as writer:
        for i, df in enumerate(input_dataset.iter_dataframes(chunksize=chunksize, infer_with_pandas=False)):
            output_df = func(df=df, **kwargs)
            if i == 0:
                output_dataset.write_schema_from_dataframe(output_df, dropAndCreate=bool(not output_dataset.writePartition))
            writer.write_dataframe(output_df)

def describe(output_dataset, descriptions, input_dataset=None):
    schema = output_dataset.read_schema()
    for column in schema:
        column["comment"] = descriptions.get(column["name"], "")
    output_dataset.write_schema(schema)

source = dataiku.Dataset(get_input_names_for_role("input_dataset")[0])
language = get_input_names_for_role("input_dataset")[0].split(".")[1]
target = dataiku.Dataset(get_output_names_for_role("output_dataset")[0])
config = get_recipe_config()
if "use_nullable_integers" in inspect.signature(source.get_dataframe).parameters:
    logging.info("nullable: %s", source.get_dataframe(infer_with_pandas=False, use_nullable_integers=True).dtypes.to_dict())
def func(df, times):
    df = df.copy()
    df["twice"] = df["n"] * times
    df["from"] = language
    df["facts"] = [{"n": n} for n in df["n"].tolist()]
    return df
process(source, target, func, times=config["times"])
describe(target, {"twice": "The number, doubled"})
assert get_input_names_for_role("optional_dataset") == []
assert not source.read_partitions and not target.writePartition
assert len(source.get_dataframe(limit=0)) == 0
"""


def test_chunks_written_before_there_is_a_schema(tmp_path, packed):
    roles = {
        "inputRoles": [role("input_dataset"), role("optional_dataset", required=False)],
        "outputRoles": [role("output_dataset")],
        "params": [{"name": "times", "type": "INT", "defaultValue": 2}],
    }
    plugin = write_components(tmp_path / "plugin", {"chunks": (roles, CHUNKED)})
    made = ProjectUnderTest(tmp_path, [packed(plugin)], {})
    rows = [{"code": f"0{n}", "n": n} for n in range(7)]
    made.add_dataset("words", rows)
    done = made.run("chunks", inputs={"input_dataset": "words"}, outputs={"output_dataset": "out"})
    assert [row["twice"] for row in done.rows("out")] == [0, 2, 4, 6, 8, 10, 12]
    assert done.rows("out")[1] == {"code": "01", "n": 1, "twice": 2, "from": "words", "facts": '{"n": 1}'}
    assert {one["name"]: one.get("comment") for one in done.schema("out")}["twice"] == "The number, doubled"
    assert "INFO - 7 rows" in done.log
    assert "Int64" in done.log


FOLDERS = """
import io, json, os, tempfile
import xml.etree.ElementTree as ET
import dataiku
from dataiku.core.flow import FLOW
from dataiku.core import dkujson
from dataiku.customrecipe import *

for side in ("in", "out"):
    assert FLOW[side][0].get("partitions", [""]) == [""]
source = dataiku.Folder(get_input_names_for_role("input_folder")[0])
target = dataiku.Folder(get_output_names_for_role("output_folder")[0])
paths = sorted(source.list_paths_in_partition())
rows = []
for path in paths:
    details = source.get_path_details(path)
    rows.append([details["fullPath"], details["name"], details["pathElts"], details["size"], details.get("mimeType")])
    with source.get_download_stream(path) as stream:
        try:
            stream.seek(0)
            raise AssertionError("it seeks")
        except io.UnsupportedOperation:
            pass
        content = stream.read()
    prefix = path.split(".")[0]
    target.upload_stream("{0}/{0}_copy.bin".format(prefix), content)
children = [(one["name"], one["directory"]) for one in source.get_path_details("")["children"]]
tree = ET.parse(source.get_download_stream("b/facts.xml"))
with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
    file.write("temporary"); file.flush()
    target.upload_file("/from/local.txt", file.name)
with target.get_writer("text.txt") as writer:
    writer.write("text ")
    writer.write(b"bytes")
target.write_json("facts.json", {"rows": rows, "children": children, "root": tree.getroot().tag,
                                 "missing": source.get_path_details("nowhere")["exists"],
                                 "project": source.project_key, "id": source.get_id()})
target.delete_path("never there")
assert dkujson.loads(dkujson.dumps({"a": 1})) == {"a": 1}
assert target.read_json("facts.json")["root"] == "facts"
with open(os.path.join(get_recipe_resource(), "words", "list.txt")) as words:
    target.upload_stream("words.txt", words)
"""


@pytest.mark.parametrize("streams_only", [True, False])
def test_folders_by_streams(tmp_path, packed, streams_only):
    roles = {
        "inputRoles": [role("input_folder", folder=True)],
        "outputRoles": [role("output_folder", folder=True)],
    }
    files = {"resource/words/list.txt": "one\ntwo\n"}
    plugin = write_components(tmp_path / "plugin", {"folders": (roles, FOLDERS)}, files=files)
    made = ProjectUnderTest(tmp_path, [packed(plugin)], {})
    made.add_folder("pictures", {"/a.txt": "A", "/b/facts.xml": "<facts/>"})
    done = made.run(
        "folders", inputs={"input_folder": "pictures"}, outputs={"output_folder": "out"}, streams_only=streams_only
    )
    found = done.files("out")
    assert found["/a/a_copy.bin"] == b"A"
    assert found["/b/facts/b/facts_copy.bin"] == b"<facts/>"
    assert found["/from/local.txt"] == b"temporary"
    assert found["/text.txt"] == b"text bytes"
    assert found["/words.txt"] == b"one\ntwo\n"
    facts = json.loads(found["/facts.json"])
    assert facts["rows"] == [
        ["/a.txt", "a.txt", ["", "a.txt"], 1, "text/plain"],
        ["/b/facts.xml", "facts.xml", ["", "b", "facts.xml"], 8, "application/xml"],
    ]
    assert facts["children"] == [["a.txt", False], ["b", True]]
    assert (facts["missing"], facts["project"], facts["id"]) == (False, "TEST", "pictures")


EVERY = {
    "SEPARATOR": None,
    "STRING": "text", "TEXTAREA": "a\nb", "PASSWORD": "secret", "BOOLEAN": True, "INT": 3, "DOUBLE": 0.5,
    "COLUMN": "a", "COLUMNS": ["a", "b"], "STRINGS": ["x"], "DATASET": "rows", "DATASET_COLUMN": "a",
    "MANAGED_FOLDER": "pictures", "FOLDER": "pictures", "SAVED_MODEL": "m", "API_SERVICE": "s", "BUNDLE": "b",
    "CODE_ENV": "env", "CONNECTION": "c", "CONNECTIONS": ["c"], "CLUSTER": "k", "DATE": "2026-01-02T00:00:00.000Z",
    "MAP": {"k": "v"}, "KEY_VALUE_LIST": [{"from": "1", "to": "one"}], "DOUBLES": [0.5, 2], "INTS": [1, 2], "ARRAY": [1],
    "DATASETS": ["rows"], "LLM": "l", "PROJECT": "P", "PLUGIN": "p", "SCENARIO": "s", "CREDENTIAL_REQUEST": {"user": "u"},
    "OF_TOMORROW": {"any": ["thing"]},
}  # fmt: skip


def test_every_type_of_parameter_arrives_as_it_was_given(tmp_path, packed):
    code = "from dataiku.customrecipe import *\nimport json\nprint('CONFIG' + json.dumps(get_recipe_config()))\n"
    params = [{"type": "SEPARATOR", "label": "<b>no name</b>"}]
    params += [{"name": kind.lower(), "type": kind, "columnRole": "in", "wt1Loggable": True} for kind in EVERY]
    params += [
        {"name": "select", "type": "SELECT", "selectChoices": [{"value": 1, "label": "One"}, {"value": "2", "label": "Two"}]},
        {"name": "some", "type": "MULTISELECT", "selectChoices": [{"value": v, "label": v} for v in "ab"], "defaultValue": ["a"]},
        {"name": "preset", "type": "PRESET", "parameterSetId": "login"},
        {"name": "rows", "type": "OBJECT_LIST", "subParams": [{"name": "n", "type": "INT"}, {"name": "d", "type": "INT", "defaultValue": 5}]},
        {"name": "hidden", "type": "INT", "defaultValue": 7, "visibilityCondition": "model.string == 'never' && model.int > 1"},
        {"name": "untouched", "type": "BOOLEAN"},
        {"name": "client-id", "type": "STRING", "required": True, "default": "ignored"},
    ]  # fmt: skip
    roles = {"inputRoles": [role("in")], "outputRoles": []}
    login = {
        "params": [{"name": "region", "type": "STRING", "defaultValue": "eu"}, {"name": "key", "type": "PASSWORD"}]
    }
    plugin = write_components(
        tmp_path / "plugin",
        {"every": ({**roles, "params": params}, code)},
        files={"parameter-sets/login/parameter-set.json": "/* a set */ " + json.dumps(login)},
    )
    made = ProjectUnderTest(tmp_path, [packed(plugin)], {})
    made.add_dataset("rows", [{"a": 1, "b": 2}])
    made.add_folder("pictures", {})
    given = {kind.lower(): value for kind, value in EVERY.items() if value is not None}
    more = {"select": 1, "preset": {"key": "hush-hush"}, "rows": [{"n": 1}]}
    done = made.run("every", inputs={"in": "rows"}, params={**given, **more})
    config = json.loads(done.log.split("CONFIG")[1].splitlines()[0])
    secrets = {"password": "*****", "preset": {"region": "eu", "key": "*****"}, "rows": [{"n": 1, "d": 5}]}
    assert config == {**given, **more, **secrets, "some": ["a"], "hidden": 7, "untouched": False} | {
        "credential_request": {"user": "u"}
    }
    assert type(config["int"]) is int


CACHED = """
import shelve
import dataiku
from dataiku.customrecipe import *  # brings json, os and sys along
config = json.loads(json.dumps(get_recipe_config()))
assert sys.argv
if not os.path.isdir(config["cache_folder"]):
    os.makedirs(config["cache_folder"])
cache = shelve.open(os.path.join(config["cache_folder"], "cache"), writeback=True)
known = "domains" in cache
cache["domains"] = {}
cache.close()
writer = dataiku.Dataset(get_output_names_for_role("out")[0])
writer.write_schema([{"name": "known", "type": "boolean"}, {"name": "said", "type": "string"}])
with writer.get_writer() as rows:
    rows.write_row_dict({"known": known, "said": config["said"][0]["to"]})
"""


def test_variables_in_parameters_and_a_cache_in_the_data_folder(tmp_path, packed):
    params = [
        {"name": "cache_folder", "type": "STRING", "defaultValue": "${dip.home}/tmp/cached"},
        {"name": "said", "type": "KEY_VALUE_LIST"},
    ]
    roles = {"inputRoles": [], "outputRoles": [role("out")], "params": params}
    plugin = write_components(tmp_path / "plugin", {"cached": (roles, CACHED)})
    made = ProjectUnderTest(tmp_path, [packed(plugin)], {"year": 2026, "unset": None})
    said = {"said": [{"from": "k", "to": "${year}-${nobody}-$${projectKey}-{{ row }}-${unset}."}]}
    for known in (False, True):
        done = made.run("cached", outputs={"out": "out"}, params=said)
        assert done.rows("out") == [{"known": known, "said": "2026-${nobody}-$TEST-{{ row }}-."}]


def test_the_project_of_a_plugin_run_knows_its_recipes(tmp_path):
    put(
        tmp_path / "flow.yaml",
        "steps: [{recipe: p/do it, inputs: {in: a.csv}, outputs: {out: [b, c]}, params: {n: 1}}]",
    )
    (recipe,) = projects.open(tmp_path).recipes()
    assert recipe["type"] == "CustomCode_do it"
    assert recipe["inputs"] == {"in": {"items": [{"ref": "a", "deps": []}]}}
    assert [item["ref"] for item in recipe["outputs"]["out"]["items"]] == ["b", "c"]
    assert recipe["params"] == {"customConfig": {"n": 1}}
