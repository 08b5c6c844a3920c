"""What a descriptor may say of one parameter, as JSON Schema: what `check` tests and editors complete.

A part with `x-rule` names the rule of `minihost.rules` that a breach of its own keywords breaks.
"""

from __future__ import annotations

from typing import Any

from minihost.parameters.forms import FORMS, Form

RULE = "x-rule"
"""The annotation that names the rule."""

STORAGE_TYPES = [
    *("string", "date", "dateonly", "datetimenotz", "boolean", "double", "float", "bigint", "int", "smallint"),
    *("tinyint", "geopoint", "geometry", "array", "map", "object"),
]


def key(title: str, description: str = "", **more: Any) -> dict[str, Any]:
    """The schema of one key: a title and a description for editors, and what its value must be."""
    return {"title": title, **({"description": description} if description else {}), **more}


def typed(kind: str, title: str, description: str = "", **more: Any) -> dict[str, Any]:
    """A key whose value should be of a JSON type, or null, which says nothing; another type is unusual."""
    return key(title, description, type=[kind, "null"], **{RULE: "param-key-type"}, **more)


def _declared(form: Form) -> list[str]:
    return [name for name, its in FORMS.items() if its is form]


TYPES: dict[str, str] = {**{name: form.value for name, form in FORMS.items()}, "SEPARATOR": "a line between sections"}
"""Type of a parameter -> what value it delivers."""

_HAS_CHOICES = [*_declared(Form.CHOICE), *_declared(Form.CHOICES)]
_UNTRUE: list[Any] = [False, None, "", 0, [], {}]

CHOICE = {
    "type": "object",
    RULE: "param-choice",
    "required": ["value", "label"],
    "properties": {
        "value": key("Value", "What the code gets."),
        "label": key("Label", "What the form shows."),
        "group": key("Group", "The group of the menu that shows it."),
    },
}

KEYS: dict[str, dict[str, Any]] = {
    "type": key(
        "Type",
        "What the form draws and what value the code gets.",
        **{RULE: "param-type"},
        enum=list(TYPES),
        enumDescriptions=list(TYPES.values()),
    ),
    "name": key(
        "Name",
        "The key in the configuration that the code gets: a valid variable name.",
        **{RULE: "param-reserved"},
        pattern="^(?!__)",
        examples=["input_column"],
    ),
    "label": typed("string", "Label", "The name that the form shows.", examples=["Input column"]),
    "description": typed("string", "Description", "Help beside the field; of a SEPARATOR it may hold HTML."),
    "defaultValue": key("Default", "What the form starts with. Its type must match the parameter's type."),
    "mandatory": typed("boolean", "Mandatory", "A visible field must be filled in. False when not given."),
    "visibilityCondition": key(
        "Visibility condition",
        "The field is shown while this holds: an AngularJS expression over `model`, or true or false.",
        **{RULE: "param-condition"},
        type=["string", "boolean", "null"],
        examples=["model.mode == 'advanced'", "model.use_token && !model.is_public"],
    ),
    "selectChoices": key(
        "Choices", "Of a SELECT or MULTISELECT.", items=CHOICE, examples=[[{"value": "a", "label": "A"}]]
    ),
    "getChoicesFromPython": key("Choices from Python", "The file of paramsPythonSetup has them.", examples=[True]),
    "disableAutoReload": typed("boolean", "No reload", "Python is asked for choices once, when the form is drawn."),
    "triggerParameters": typed("array", "Triggers", "The parameters whose change asks for the choices again."),
    "columnRole": typed("string", "Role of the column", "The input role whose columns a COLUMN or COLUMNS offers."),
    "allowedColumnTypes": key(
        "Allowed storage types",
        "Of the columns that may be chosen.",
        **{RULE: "param-key-type"},
        type=["array", "null"],
        items={RULE: "param-key-type", "enum": STORAGE_TYPES},
    ),
    "minI": key("Least value", "Of an INT.", examples=[0]),
    "maxI": key("Largest value", "Of an INT.", examples=[100]),
    "minD": key("Least value", "Of a DOUBLE.", examples=[0.0]),
    "maxD": key("Largest value", "Of a DOUBLE.", examples=[1.0]),
    "allowDuplicates": typed("boolean", "Duplicates", "Of STRINGS: false forbids one text twice."),
    "parameterSetId": typed("string", "Parameter set", "Of a PRESET: the folder under parameter-sets/."),
    "datasetParamName": typed("string", "Parameter of the dataset", "Whose columns a DATASET_COLUMN offers."),
    "apiServiceParamName": typed("string", "Parameter of the API service", "Of an API_SERVICE_VERSION."),
    "visualAnalysisParamName": typed("string", "Parameter of the visual analysis", "Of an ML_TASK."),
    "llmUsagePurpose": typed("string", "Purpose", "Of an LLM: which are offered.", examples=["GENERIC_COMPLETION"]),
    "canSelectForeign": typed("boolean", "Foreign ones", "Also offers what other projects have."),
    "canCreateDataset": typed("boolean", "New datasets", "Of a DATASET: the form may create one."),
    "markCreatedAsBuilt": typed("boolean", "Created as built", "Of a DATASET that the form created."),
    "credentialRequestSettings": typed(
        "object", "Credential request", "Of a CREDENTIAL_REQUEST: SINGLE_FIELD, BASIC or OAUTH2."
    ),
    "subParams": key(
        "Parameters of a row",
        "Of an OBJECT_LIST.",
        **{RULE: "list-expected"},
        type=["array", "null"],
        items={"$ref": "#/$defs/parameter"},
    ),
}
"""Key of a parameter -> its schema. Keys that are not here are left alone: DSS has more than its documentation says."""

UNUSED = {"default": "defaultValue", "required": "mandatory"}
"""Key that authors write by mistake -> the key that DSS reads."""


def parameter() -> dict[str, Any]:
    """The JSON Schema of one parameter; it refers to itself as `#/$defs/parameter`."""
    unused = {
        name: key(f"Does nothing: write {meant}", deprecated=True) | {RULE: "param-unused-key", "not": {}}
        for name, meant in UNUSED.items()
    }
    return {
        "title": "Parameter",
        "description": "One field of the form.",
        "type": "object",
        RULE: "param-object",
        "properties": KEYS | unused,
        "allOf": [{RULE: "param-type", "required": ["type"]}, _named(), _with_choices()],
    }


def parameters(description: str) -> dict[str, Any]:
    """The JSON Schema of a list of parameters."""
    return key(
        "Parameters",
        description,
        **{RULE: "list-expected"},
        type=["array", "null"],
        items={"$ref": "#/$defs/parameter"},
    )


def _named() -> dict[str, Any]:
    """Every parameter but a separator has a name."""
    name = {RULE: "param-name", "type": "string"}
    return {
        "if": {"properties": {"type": {"const": "SEPARATOR"}}, "required": ["type"]},
        "else": {RULE: "param-name", "required": ["name"], "properties": {"name": name}},
    }


def _with_choices() -> dict[str, Any]:
    """What is chosen from has choices: a list, unless they come from Python."""
    return {
        "if": {
            "properties": {"type": {"enum": _HAS_CHOICES}, "getChoicesFromPython": {"enum": _UNTRUE}},
            "required": ["type"],
        },
        "then": {
            RULE: "param-choices",
            "required": ["selectChoices"],
            "properties": {"selectChoices": {RULE: "param-choices", "type": "array"}},
        },
    }
