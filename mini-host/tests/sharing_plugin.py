"""A plugin whose recipe `sizes` can be shared out over workers, and `gather`, which fills a cache first."""

from pathlib import Path

from component_plugins import role, write_components

LIBRARY = """
import os, time, zlib
import dataiku
from dataiku.customrecipe import get_input_names_for_role, get_output_names_for_role, get_recipe_config

OPENED = []


def paths():
    config, folder = get_recipe_config(), dataiku.Folder(get_input_names_for_role("files")[0])
    number, count = config.get("shard", 1), config.get("shards", 1)
    found = folder.list_paths_in_partition()
    if not found:
        raise SystemExit("the folder is empty")
    return folder, [one for one in found if zlib.crc32(one.encode("utf-8", "surrogatepass")) % count == number - 1]


def noted(path):
    config = get_recipe_config()
    if config.get("notes"):
        with open(config["notes"], "a") as stream:
            stream.write(f"{os.getpid()} {path}\\n")
    time.sleep(config.get("seconds", 0))
    if config.get("fails") == path:
        raise SystemExit(f"{path} cannot be read")
"""
SIZES = """
import time
import dataiku, slices
from dataiku.customrecipe import get_output_names_for_role, get_recipe_config
if not slices.OPENED:
    time.sleep(get_recipe_config().get("opening", 0))
    slices.OPENED.append("model")
    print("opened the model")
folder, paths = slices.paths()
out = dataiku.Dataset(get_output_names_for_role("sizes")[0])
out.write_schema([{"name": "path", "type": "string", "comment": "where"}, {"name": "size", "type": "bigint"}])
with out.get_writer() as writer:
    for path in paths:
        slices.noted(path)
        with folder.get_download_stream(path) as stream:
            writer.write_tuple([path, len(stream.read())])
print(len(paths), "files read")
"""
MERGE = """
import os
import dataiku
from dataiku.customrecipe import get_input_names_for_role, get_output_names_for_role
parts = [dataiku.Dataset(name) for name in get_input_names_for_role("parts")]
assert not get_output_names_for_role("copies") or len(get_input_names_for_role("copies_of_parts")) == len(parts)
rows = sorted(tuple(row) for part in parts for row in part.iter_tuples())
assert [row[0] for row in rows] == dataiku.Folder(get_input_names_for_role("files")[0]).list_paths_in_partition()
out = dataiku.Dataset(get_output_names_for_role("whole")[0])
out.write_schema(parts[0].read_schema())
with out.get_writer() as writer:
    for row in rows:
        writer.write_tuple(row)
print("joined by", os.getpid())
"""
GATHER = """
import dataiku, slices
from dataiku.customrecipe import get_output_names_for_role, get_recipe_config
folder, paths = slices.paths()
cache = get_output_names_for_role("cache")
cache = dataiku.Folder(cache[0]) if cache else None
had = set(cache.list_paths_in_partition()) if cache else set()
for path in paths:
    with folder.get_download_stream(path) as stream:
        stream.read()
    if cache and path not in had:
        slices.noted(path)
        cache.upload_data(path, b"feature")
if get_recipe_config().get("shards", 1) == 1:
    made = len(cache.list_paths_in_partition()) if cache else 0
    dataiku.Folder(get_output_names_for_role("model")[0]).upload_data("model", f"{len(had)} of {made}".encode())
"""
PARAMS = [
    {"name": "shard", "type": "INT", "defaultValue": 1},
    {"name": "shards", "type": "INT", "defaultValue": 1},
    {"name": "notes", "type": "STRING"},
    {"name": "seconds", "type": "DOUBLE", "defaultValue": 0},
    {"name": "opening", "type": "DOUBLE", "defaultValue": 0},
    {"name": "fails", "type": "STRING"},
]
FILES = role("files", folder=True)
PARTS = {
    "sizes": {"parts": "parts", "merged": "whole"},
    "copies": {"parts": "copies_of_parts", "merged": "copies"},
}
SHARED = {"folder": "files", "merge": "join", "parts": PARTS}


def write_sharing_plugin(root: Path) -> Path:
    """The plugin `sharing` with the recipes `sizes`, `join`, `gather` and, without a section, `alone`.

    `sizes` puts nothing into its folder `copies`; `join` wants all parts of it.
    """
    copies = role("copies", folder=True, required=False)
    outputs = [role("sizes"), role("other", required=False), copies]
    sizes = {"inputRoles": [FILES], "outputRoles": outputs, "params": PARAMS}
    parts = [role("parts", many=True), role("copies_of_parts", folder=True, many=True, required=False)]
    cache = role("cache", folder=True, required=False, minihost={"cache": True})
    return write_components(
        root,
        {
            "sizes": ({**sizes, "minihost": {"workers": SHARED}}, SIZES),
            "alone": (sizes, SIZES),
            "join": ({"inputRoles": [FILES, *parts], "outputRoles": [role("whole"), copies]}, MERGE),
            "gather": (
                {
                    "inputRoles": [FILES],
                    "outputRoles": [role("model", folder=True), cache],
                    "params": PARAMS,
                    "minihost": {"workers": {"folder": "files", "cache": "cache"}},
                },
                GATHER,
            ),
        },
        files={"python-lib/slices.py": LIBRARY},
        plugin_id="sharing",
    )
