"""A plugin whose forms have a control of every kind, and a project with a step of it, for tests of forms."""

import json

from component_plugins import put, role, write_components

HOSTILE = '<img src=x onerror="alert(1)">'
MODES = [{"value": "plain", "label": "Plain"}, {"value": "own", "label": "Own", "group": "More"}]
PARAMS = [
    {"type": "SEPARATOR", "label": "Basics", "description": 'Read <a href="javascript:alert(1)">this</a><br>first'},
    {"name": "title", "type": "STRING", "label": f"Title {HOSTILE}", "defaultValue": "untitled"},
    {"name": "text", "type": "TEXTAREA", "description": "Several lines"},
    {"name": "secret", "type": "PASSWORD"},
    {"name": "flag", "type": "BOOLEAN"},
    {"name": "count", "type": "INT", "minI": 1, "maxI": 10, "defaultValue": 3, "mandatory": True},
    {"name": "rate", "type": "DOUBLE", "defaultValue": 0.5},
    {"name": "mode", "type": "SELECT", "selectChoices": MODES, "defaultValue": "plain", "mandatory": True},
    {"name": "level", "type": "SELECT", "selectChoices": [{"value": 1, "label": "One"}, {"value": "1", "label": "1"}]},
    {"name": "kinds", "type": "MULTISELECT", "selectChoices": MODES},
    {"name": "own", "type": "INT", "defaultValue": 1, "visibilityCondition": "model.mode == 'plain'"},
    {"name": "own", "type": "STRING", "defaultValue": "b", "visibilityCondition": "model.mode == 'own'"},
    {"name": "words", "type": "STRINGS"},
    {"name": "numbers", "type": "DOUBLES"},
    {"name": "map", "type": "MAP"},
    {"name": "pairs", "type": "KEY_VALUE_LIST"},
    {"name": "rows", "type": "OBJECT_LIST", "subParams": [
        {"name": "a.b[0]", "type": "STRING", "mandatory": True},
        {"name": "size", "type": "INT", "defaultValue": 2},
        {"name": "inner", "type": "OBJECT_LIST", "subParams": [{"name": "x", "type": "INT"}]},
    ]},
    {"name": "preset", "type": "PRESET", "parameterSetId": "access"},
    {"name": "presets", "type": "PRESETS", "parameterSetId": "access"},
    {"name": "day", "type": "DATE"},
    {"name": "column", "type": "COLUMN", "columnRole": "in"},
    {"name": "columns", "type": "COLUMNS", "columnRole": "in", "allowedColumnTypes": ["bigint"]},
    {"name": "table", "type": "DATASET"},
    {"name": "cell", "type": "DATASET_COLUMN", "datasetParamName": "table"},
    {"name": "place", "type": "FOLDER"},
    {"name": "layer", "type": "SELECT", "getChoicesFromPython": True, "triggerParameters": ["mode"]},
    {"name": "login", "type": "CREDENTIAL_REQUEST", "credentialRequestSettings": {"type": "BASIC"}},
    {"name": "odd", "type": "SOMETHING_NEW"},
]  # fmt: skip
ACCESS = {
    "meta": {"label": "Access"},
    "params": [{"name": "region", "type": "STRING", "defaultValue": "eu"}, {"name": "key", "type": "PASSWORD"}],
}
CHOICES = """
def do(payload, config, plugin_config, inputs):
    if config.get("mode") == "own":
        raise ValueError("no layers there")
    return {"choices": [{"value": 7, "label": "Seven of " + inputs[0]["role"]}]}
"""
ROLES = {
    "inputRoles": [role("in"), role("more", folder=True, many=True, required=False)],
    "outputRoles": [role("out")],
}
RECIPE = {**ROLES, "params": PARAMS, "paramsPythonSetup": "choices.py"}
DRAWN_BY_ITSELF = """
import dataiku
from dataiku.customrecipe import get_recipe_config
config = get_recipe_config()
size = config.get("size", 5)
name = config["name"]
deep = config.get("strict", True)
"""
FLOW = """\
plugins: [plugin]
datasets:
  rows: rows.csv
folders:
  pictures: pictures
steps:
  - recipe: every
    inputs: {in: rows}
    outputs: {out: done.csv}
    params: {}
"""


def write_project(root, params=None):
    """Write the plugin and a project with the step `every`; return the project's folder."""
    recipes = {"every": (RECIPE, "pass"), "drawn": ({**ROLES, "paramsTemplate": "form.html"}, DRAWN_BY_ITSELF)}
    macro = {
        "params": [{"name": "target", "type": "MANAGED_FOLDER", "mandatory": True}, {"name": "n", "type": "INT"}],
        "macroRoles": [{"type": "MANAGED_FOLDER", "targetParamsKey": "target"}],
    }
    files = {"resource/choices.py": CHOICES, "parameter-sets/access/parameter-set.json": json.dumps(ACCESS)}
    write_components(root / "plugin", recipes, {"fill": (macro, "pass")}, files)
    put(root / "rows.csv", "name,size\na,1\n")
    columns = [{"name": "name", "type": "string"}, {"name": "size", "type": "bigint"}]
    put(root / "rows.schema.json", json.dumps({"columns": columns}))
    (root / "pictures").mkdir(exist_ok=True)
    put(root / "flow.yaml", FLOW.replace("params: {}", f"params: {json.dumps(params or {})}"))
    return root
