"""A plugin for the host alone: `sleep` rests for each file of a folder, in place of an engine; `join` merges."""

from __future__ import annotations

import json
from pathlib import Path

SLEEP = """
import os, time, zlib
import dataiku
from dataiku.customrecipe import get_input_names_for_role, get_output_names_for_role, get_recipe_config

config, folder = get_recipe_config(), dataiku.Folder(get_input_names_for_role("files")[0])
number, count = config["shard"], config["shards"]
found = folder.list_paths_in_partition()
paths = [one for one in found if zlib.crc32(one.encode("utf-8", "surrogatepass")) % count == number - 1]
table = dataiku.Dataset(get_output_names_for_role("table")[0])
table.write_schema([{"name": "path", "type": "string"}, {"name": "length", "type": "bigint"}])
with table.get_writer() as writer, open(config["notes"], "a") as notes:
    for path in paths:
        began = time.time()
        time.sleep(config["seconds"])
        notes.write(f"{os.getpid()} {number} {began:.6f} {time.time():.6f} {path}\\n")
        notes.flush()
        writer.write_tuple([path, len(path)])
"""
JOIN = """
import dataiku
from dataiku.customrecipe import get_input_names_for_role, get_output_names_for_role

parts = [dataiku.Dataset(name) for name in get_input_names_for_role("parts")]
rows = sorted(tuple(row) for part in parts for row in part.iter_tuples())
assert [row[0] for row in rows] == dataiku.Folder(get_input_names_for_role("files")[0]).list_paths_in_partition()
table = dataiku.Dataset(get_output_names_for_role("table")[0])
table.write_schema(parts[0].read_schema())
with table.get_writer() as writer:
    for row in rows:
        writer.write_tuple(row)
"""


def write_sleeping_plugin(root: Path) -> Path:
    """Write the plugin to a folder and return that."""
    files = {"name": "files", "required": True, "acceptsDataset": False, "acceptsManagedFolder": True}
    parts = {"name": "parts", "arity": "NARY", "required": True}
    table = {"name": "table", "required": True}
    params = [{"name": name, "type": "INT", "defaultValue": 1} for name in ("shard", "shards")]
    params += [{"name": "notes", "type": "STRING"}, {"name": "seconds", "type": "DOUBLE", "defaultValue": 0}]
    workers = {"folder": "files", "merge": "join", "parts": {"table": {"parts": "parts", "merged": "table"}}}
    recipes = {
        "sleep": ({"inputRoles": [files], "params": params, "minihost": {"workers": workers}}, SLEEP),
        "join": ({"inputRoles": [files, parts]}, JOIN),
    }
    root.mkdir(parents=True)
    (root / "plugin.json").write_text(json.dumps({"id": "sleeping", "version": "1.0.0"}), encoding="utf-8")
    for name, (descriptor, code) in recipes.items():
        folder = root / "custom-recipes" / name
        folder.mkdir(parents=True)
        facts = {"kind": "PYTHON", "meta": {"label": name}, "outputRoles": [table], **descriptor}
        (folder / "recipe.json").write_text(json.dumps(facts), encoding="utf-8")
        (folder / "recipe.py").write_text(code, encoding="utf-8")
    return root
