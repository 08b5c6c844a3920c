"""The JSON Schema of flow.yaml for editors: what `flow.read` demands, with titles and descriptions."""

from __future__ import annotations

import copy
from typing import Any

from minihost.projects.flow import SCHEMA

DRAFT = "https://json-schema.org/draft/2020-12/schema"

DESCRIPTIONS: dict[str, str] = {
    "project": "The project key that components see; made from the folder's name when not given.",
    "plugins": "Plugin folders or zips, relative to this file; the plugin that came with the host needs no entry.",
    "folders": "Name of a folder: its path, relative to this file, or an object with the path and more.",
    "datasets": "Name of a dataset: its path, relative to this file, or an object with the path and more.",
    "connections": "Name of a connection: the URL of a PostgreSQL or SQLite database.",
    "variables": "The project's variables.",
    "settings": "Id of a plugin: its own settings, by name; ${NAME} stands for an environment variable.",
    "steps": "What `minihost build` runs, each step when its outputs are missing or out of date.",
    "folders.*.path": "Relative to this file; managed by the host when not given.",
    "folders.*.url": "Of a folder in a bucket, such as s3://bucket/photos.",
    "folders.*.options": "How the storage of the URL is opened: endpoint_url, region, timeout and so on.",
    "folders.*.in_place": "Runs write straight into the folder, not into a copy that replaces it in the end.",
    "folders.*.partitioning": "The dimensions of a partitioned folder.",
    "folders.*.customFields": "Metadata that components read, by name.",
    "datasets.*.customFields": "Metadata that components read, by name.",
    "datasets.*.path": "A .csv, .tsv, .parquet or .xlsx file, relative to this file.",
    "datasets.*.url": "Of a file in a bucket, such as s3://bucket/people.csv, or of the database of a SQL table.",
    "datasets.*.options": "How the storage of the URL is opened: endpoint_url, region, timeout and so on.",
    "datasets.*.format": "Where the ending of the path does not say it.",
    "datasets.*.separator": "Between the cells of a CSV file.",
    "datasets.*.encoding": "Of a CSV file, such as utf-8 or cp1252.",
    "datasets.*.sheet": "The sheet of an .xlsx file.",
    "datasets.*.append": "Runs add rows instead of replacing them.",
    "datasets.*.connection": "The connection to the database, for a dataset that is a SQL table.",
    "datasets.*.table": "The SQL table; the dataset's name when not given.",
    "datasets.*.schema": "The schema of the SQL table.",
    "datasets.*.partitioning": "The dimensions of a partitioned dataset.",
    "steps.[].name": "What the step is called in `minihost status`; the component's name when not given.",
    "steps.[].recipe": "The recipe that the step runs: component, or plugin/component.",
    "steps.[].macro": "The macro that the step runs: component, or plugin/component.",
    "steps.[].inputs": "Input role: the name or path of what fills it, or a list of them.",
    "steps.[].outputs": "Output role: the name or path of what fills it, or a list of them.",
    "steps.[].params": "The parameters, by name.",
    "steps.[].creates": "The folders and datasets that a macro fills.",
    "steps.[].partition": "The partition to write.",
}
"""Place in a flow (`*` for any name, `[]` for any item) -> what editors show there."""

EXAMPLES: dict[str, Any] = {
    "project": "MY_PROJECT",
    "plugins": ["../my-plugin"],
    "folders": {"photos": "photos"},
    "datasets": {"scored": "results/scored.csv"},
    "connections": {"warehouse": "postgresql://me:${WAREHOUSE_PASSWORD}@db.example.com/sales"},
    "settings": {"my-plugin": {"api_key": "${MY_API_KEY}"}},
    "steps": [{"recipe": "my-recipe", "inputs": {"input": "scored"}, "outputs": {"output": "done"}}],
}


def flow_schema() -> dict[str, Any]:
    """The schema: an empty value counts as one that is not given, as in `flow.read`."""
    schema = copy.deepcopy(SCHEMA)
    for place, text in DESCRIPTIONS.items():
        _at(schema, place)["description"] = text
    for name, part in schema["properties"].items():
        schema["properties"][name] = part | {"type": [part["type"], "null"]}
        if name in EXAMPLES:
            schema["properties"][name]["examples"] = [EXAMPLES[name]]
    step = _at(schema, "steps.[]")
    step["oneOf"] = [{"required": ["recipe"]}, {"required": ["macro"]}]
    step["errorMessage"] = "A step has a `recipe:` or a `macro:`, one of them."
    nothing: dict[str, Any] = {"enum": [None, {}]}
    step["if"] = {"required": ["macro"]}
    step["then"] = {"properties": {"inputs": nothing, "outputs": nothing}}
    return {"$schema": DRAFT, "title": "flow.yaml", "description": "A project of the mini-host.", **schema}


def _at(schema: dict[str, Any], place: str) -> dict[str, Any]:
    """The part of the schema for a place in the flow."""
    node = schema
    for part in place.split("."):
        node = (
            node["additionalProperties"] if part == "*" else node["items"] if part == "[]" else node["properties"][part]
        )
    return node
