"""The JSON Schemas of descriptors: what `check` tests and what `minihost schema` writes for editors, from one table."""

from __future__ import annotations

from typing import Any

from minihost.parameters.declarations import RULE, key, parameter, parameters, typed
from minihost.plugins import host_schemas
from minihost.plugins.host_section import KEY as HOST_KEY
from minihost.rules import ERROR, RULES

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
DSS_ID = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
VERSION = r"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$"
VERSION_TEXT = "^[0-9A-Za-z][0-9A-Za-z._+-]{0,63}$"
"""What may stand in the name of a zip."""
ICON = r"^\s*((icon|fas?|far|fab|dku-icon)-[\w.-]+|fa[srb]? fa-[\w-]+)(\s+[\w.-]+)*\s*$"
"""One class of an icon font, and further ones."""
ARITIES = {"UNARY": "one thing", "NARY": "one or several"}
RECIPE_KINDS = {
    "PYTHON": "runs recipe.py, here too",
    "R": "runs recipe.R, in DSS only",
    "PYSPARK": "in DSS only",
    "SPARK_SCALA": "in DSS only",
    "JAVA": "in DSS only",
}
RESULT_TYPES = {
    "HTML": "a page as text",
    "URL": "an address as text",
    "RESULT_TABLE": "a dataiku.runnables.ResultTable",
    "FILE": "a file; see extension and mimeType",
    "FOLDER_FILE": "a file of a folder",
    "JSON_OBJECT": "an object, of project creation macros",
    "JSON": "any JSON",
    "NONE": "no answer",
}
WEBAPP_TYPES = {
    "STANDARD": "HTML, JavaScript and a Flask backend; served here too",
    "BOKEH": "in DSS only",
    "DASH": "in DSS only",
    "SHINY": "in DSS only",
    "STREAMLIT": "in DSS only",
}


def _one_of(table: dict[str, str], rule: str, title: str, description: str = "") -> Schema:
    return key(title, description, **{RULE: rule}, enum=list(table), enumDescriptions=list(table.values()))


def _text(title: str, description: str = "", rule: str = "meta-text", **more: Any) -> Schema:
    return key(title, description, **{RULE: rule}, type="string", minLength=1, **more)


def _flag(title: str, description: str) -> Schema:
    return key(title, description, **{RULE: "role-flag"}, type=["boolean", "null"])


def _meta(*more: str) -> Schema:
    """What is shown to people: label, description and icon, and for a plugin some more."""
    properties = {
        "label": _text("Label", "The name that DSS shows: short.", examples=["My plugin"]),
        "description": _text("Description", "What it does, for its users."),
        "icon": key(
            "Icon",
            "A class of FontAwesome 3.2.1 (icon-…) or 5 (fas fa-…).",
            **{RULE: "meta-icon"},
            pattern=ICON,
            examples=["icon-picture", "fas fa-image"],
        ),
        "iconColor": key("Colour of the icon", examples=["red", "blue", "green", "sky", "orange"]),
        "author": _text("Author", rule="meta-plugin"),
        "licenseInfo": _text("Licence", rule="meta-plugin", examples=["Apache Software License"]),
        "tags": key("Tags", "To filter plugins by.", **{RULE: "meta-plugin"}, type="array", minItems=1),
        "url": key("Address", "Where to read more."),
        "category": key("Category", "The group in DSS's menus."),
        "displayOrderRank": key("Rank", "The place in DSS's menus."),
    }
    rules = [{RULE: "meta-text", "required": ["label", "description", "icon"]}]
    rules += [{RULE: "meta-plugin", "required": list(more)}] if more else []
    wanted = {name: its for name, its in properties.items() if name in more or its.get(RULE) != "meta-plugin"}
    return key("About", "What DSS shows of it.", **{RULE: "meta-object"}, type="object", properties=wanted, allOf=rules)


def _role(side: str) -> Schema:
    properties = {
        "name": key("Name", "Code asks for the role by it.", **{RULE: "role-object"}, type="string", minLength=1),
        "label": key("Label", "The name that DSS shows."),
        "description": key("Description"),
        "arity": key(
            "Arity",
            "How many things the role takes. UNARY when not given.",
            **{RULE: "role-arity"},
            enum=[*ARITIES, None],
            enumDescriptions=[*ARITIES.values(), "as if not given"],
        ),
        "required": _flag("Required", "It must be filled. False when not given."),
        "acceptsDataset": _flag("Accepts datasets", "True when not given."),
        "acceptsManagedFolder": _flag("Accepts managed folders", "False when not given."),
        "acceptsSavedModel": _flag("Accepts saved models", "False when not given. This host has none."),
        "mustBeSQL": _flag("Must be SQL", "Only datasets of SQL databases."),
    }
    if side == "output":
        properties[HOST_KEY] = host_schemas.of_output_role()
    return {"title": f"{side.capitalize()} role", "type": "object", RULE: "role-object", "required": ["name"],
            "properties": properties}  # fmt: skip


def _roles(side: str) -> Schema:
    return key(
        f"{side.capitalize()} roles",
        f"The {side}s that DSS asks for.",
        **{RULE: "list-expected"},
        type=["array", "null"],
        items=_role(side),
    )


def _form(of: str) -> dict[str, Schema]:
    """The keys of every component that has a form."""
    return {
        "meta": _meta(),
        "params": parameters("The fields of the form, in order."),
        "paramsPythonSetup": key("Python of the form", "A file under resource/ with a function do."),
        "paramsTemplate": key("Own form", "An HTML file under resource/ in place of the fields of params."),
        "paramsModule": key("Module of the own form", "An Angular module, in a file under js/."),
        HOST_KEY: host_schemas.of_component(of),
    }


def _document(title: str, description: str, properties: dict[str, Schema], *rules: Schema) -> Schema:
    return {
        "$schema": DRAFT,
        "title": title,
        "description": description,
        "type": "object",
        RULE: "json-unreadable",
        "properties": properties,
        "allOf": [{RULE: "meta-object", "required": ["meta"]}, *rules],
        "$defs": {"parameter": parameter()},
    }


def _plugin() -> Schema:
    properties = {
        "id": key("Id", "Unique in DSS.", **{RULE: "plugin-id"}, type="string", pattern=DSS_ID, examples=["my-plugin"]),
        "version": key(
            "Version",
            **{RULE: "plugin-version"},
            type="string",
            pattern=VERSION,
            examples=["1.0.0"],
            allOf=[{RULE: "plugin-version-text", "type": ["string", "number", "null"], "pattern": VERSION_TEXT}],
        ),
        "meta": _meta("author", "licenseInfo", "tags"),
        "params": parameters("The settings of the plugin, for administrators."),
    }
    rules = ({RULE: "plugin-id", "required": ["id"]}, {RULE: "plugin-version", "required": ["version"]})
    return _document("plugin.json", "A DSS plugin.", properties, *rules)


def _recipe() -> Schema:
    selectable = {
        f"selectableFrom{what}": key(f"Offered for a {what}", "The input role that takes what is selected in the Flow.")
        for what in ("Dataset", "Folder", "SavedModel", "MLModel", "PromptableModel")
    }
    properties = {
        **_form("recipe"),
        "kind": _one_of(RECIPE_KINDS, "recipe-kind", "Kind", "The language of the recipe."),
        "inputRoles": _roles("input"),
        "outputRoles": _roles("output"),
        **selectable,
        "resourceKeys": key("Resource keys", "Keys by which administrators limit concurrent runs.", examples=[[]]),
    }
    return _document(
        "recipe.json", "A recipe of a DSS plugin.", properties, {RULE: "recipe-kind", "required": ["kind"]}
    )


def _macro() -> Schema:
    role = {
        "properties": {
            "type": key("Type", "Where DSS offers the macro.", examples=["DATASET", "MANAGED_FOLDER"]),
            "targetParamsKey": key("Parameter", "Which takes what was selected."),
            "targetParamsKeys": key("Parameters", "Of an API_SERVICE_VERSION."),
            "applicableToForeign": key("Foreign ones", "Also for what other projects have."),
        },
    }  # fmt: skip
    properties = {
        **_form("macro"),
        "adminParams": parameters("Further fields, for administrators."),
        "impersonate": key("Impersonate", "Runs as the user.", **{RULE: "macro-impersonate"}, type="boolean"),
        "permissions": key("Permissions", "Those of the project that the user must have.", examples=[["READ_CONF"]]),
        "requiresGlobalAdmin": key("Administrators only"),
        "resultType": _one_of(RESULT_TYPES, "macro-result", "Result", "What run returns."),
        "resultLabel": key("Label of the result"),
        "extension": key("Extension", "Of the file of a FILE macro."),
        "mimeType": key("MIME type", "Of the file of a FILE macro."),
        "macroRoles": key("Macro roles", "Where DSS offers the macro.", items=role),
    }
    rules = (
        {RULE: "macro-impersonate", "required": ["impersonate"]},
        {RULE: "macro-result", "required": ["resultType"]},
    )
    return _document("runnable.json", "A macro of a DSS plugin.", properties, *rules)


def _webapp() -> Schema:
    chart = {
        "datasetParamName": key("Parameter of the dataset", "Of a custom chart."),
        "leftBarParams": parameters("Fields at the left of a custom chart."),
        "topBarParams": parameters("Fields above a custom chart."),
    }
    properties = {
        **_form("webapp"),
        "baseType": _one_of(WEBAPP_TYPES, "webapp-type", "Type", "The server of the web app."),
        "hasBackend": key("Has a backend", "Runs backend.py.", examples=["true", "false"]),
        "standardWebAppLibraries": key("Libraries", examples=[["jquery", "dataiku"]]),
        "noJSSecurity": key("No security of JavaScript", examples=["true", "false"]),
        "chart": key("Custom chart", type=["object", "null"], **{RULE: "param-key-type"}, properties=chart),
        "roles": key("Roles", "Where DSS offers the web app."),
    }
    return _document(
        "webapp.json", "A web app of a DSS plugin.", properties, {RULE: "webapp-type", "required": ["baseType"]}
    )


def _parameter_set() -> Schema:
    properties = {
        "meta": _meta(),
        "params": parameters("What users fill in."),
        "pluginParams": parameters("What administrators fill in."),
        "defaultDefinableInline": typed("boolean", "Inline", "Users may fill it in without a preset."),
        "defaultDefinableAtProjectLevel": typed("boolean", "In projects", "Projects may have presets of their own."),
        "definableInline": key("Inline", "The older name of defaultDefinableInline."),
        "definableAtProjectLevel": key("In projects", "The older name of defaultDefinableAtProjectLevel."),
    }
    return _document("parameter-set.json", "Parameters that components of a DSS plugin share.", properties)


SCHEMAS: dict[str, Schema] = {
    "plugin.json": _plugin(),
    "recipe.json": _recipe(),
    "runnable.json": _macro(),
    "webapp.json": _webapp(),
    "parameter-set.json": _parameter_set(),
}
"""Name of a descriptor -> its schema, with the rules that `check` warns of too."""

_CONSTRAINTS = ("type", "enum", "pattern", "required", "minLength", "minItems", "not", "additionalProperties")


def published(schema: Any) -> Any:
    """The schema for editors: it refuses what `check` calls an error; what it warns of is offered, but not demanded."""
    if isinstance(schema, list):
        return [published(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    node = {name: published(part) for name, part in schema.items() if name not in (RULE, "enumDescriptions")}
    if "allOf" in node:  # whose parts may all be about what is only unusual
        rest = [part for part in node.pop("allOf") if part]
        node |= {"allOf": rest} if rest else {}
    rule = RULES.get(schema.get(RULE, ""))
    if rule is None:
        return node
    offered = {name: schema[name] for name in ("type", "enum", "enumDescriptions") if name in schema}
    if rule.level == ERROR:
        return node | offered | {"errorMessage": rule.fix}
    node = {name: part for name, part in node.items() if name not in _CONSTRAINTS}
    return node | ({"anyOf": [offered, {}]} if offered else {})
