"""The rules of `minihost check`: what each demands, why, and what to write instead. `docs/check-rules.md` lists them.

A rule of level `error` is one whose breach stops something from working in DSS or here. `warning` is for what works but
is unusual or probably not meant, `note` for what this host does not run: notes are no mistakes of the plugin.
"""

from __future__ import annotations

from dataclasses import dataclass

ERROR, WARNING, NOTE = "error", "warning", "note"
LEVELS = (ERROR, WARNING, NOTE)


@dataclass(frozen=True)
class Rule:
    """One rule: `why` says who demands what, `fix` what to write."""

    level: str
    why: str
    fix: str


RULES: dict[str, Rule] = {
    "json-unreadable": Rule(
        ERROR, "DSS and this host read descriptors as JSON.", "Correct the file at the line that is named."
    ),
    "json-lenient": Rule(
        WARNING,
        "DSS reads it, but build scripts and editors read strict JSON.",
        "Write strict JSON: double quotes, commas between items only, no comments, no byte order mark.",
    ),
    "key-misspelt": Rule(
        WARNING, "Keys that DSS does not know do nothing.", "Write the key as suggested, or remove it."
    ),
    "list-expected": Rule(ERROR, "Anything but a list is ignored, here and in DSS.", "Write a list: [ … ]."),
    "plugin-id": Rule(
        ERROR,
        "DSS allows letters, digits, '_' and '-' in identifiers; here they begin with a letter or digit.",
        'Write "id": "my-plugin".',
    ),
    "plugin-version": Rule(
        WARNING, "DSS recommends semantic versions, and compares them.", 'Write "version": "1.0.0".'
    ),
    "plugin-version-text": Rule(
        ERROR,
        "The version is part of the name of the plugin's zip.",
        "Write letters, digits and '.', '_', '+', '-' only.",
    ),
    "meta-object": Rule(
        WARNING,
        "DSS shows plugins and components by their 'meta'.",
        'Write "meta": {"label": "…", "description": "…", "icon": "icon-picture"}.',
    ),
    "meta-text": Rule(WARNING, "DSS shows it in its menus.", "Add the key to meta, with a text as its value."),
    "meta-plugin": Rule(WARNING, "DSS shows it on the page of the plugin.", "Add the key to meta of plugin.json."),
    "meta-icon": Rule(
        WARNING,
        "DSS shows icons of FontAwesome, by their class.",
        'Write "icon": "icon-picture" or "icon": "fas fa-image".',
    ),
    "component-id": Rule(
        WARNING,
        "The folder's name is the component's id; DSS allows letters, digits, '_' and '-' in ids.",
        "Rename the folder.",
    ),
    "component-name": Rule(
        ERROR,
        "This host ignores a component whose folder's name has more than letters, digits, spaces and '_.-'.",
        "Rename the folder.",
    ),
    "component-descriptor": Rule(
        WARNING,
        "A component is a folder with a descriptor; without one, DSS does not see it.",
        "Add the descriptor, or remove the folder.",
    ),
    "library-hides-dataiku": Rule(
        ERROR, "python-lib comes first on the module path of every component.", "Rename the module in python-lib."
    ),
    "not-run-here": Rule(
        NOTE,
        "This host runs Python recipes, macros and web apps of type STANDARD; DSS runs the rest.",
        "Nothing: test it in DSS.",
    ),
    "recipe-kind": Rule(WARNING, "DSS chooses the language of a recipe by its kind.", 'Write "kind": "PYTHON".'),
    "recipe-roles": Rule(
        WARNING,
        "DSS asks for the inputs and outputs that the roles declare.",
        "Declare inputRoles and outputRoles; an empty list is one.",
    ),
    "recipe-selectable": Rule(
        WARNING, "The Flow offers the recipe for what the named input role takes.", "Name an input role."
    ),
    "role-object": Rule(
        ERROR, "A role is an object with a name; anything else is ignored.", 'Write {"name": "input_dataset", …}.'
    ),
    "role-twice": Rule(ERROR, "Code finds roles by their names.", "Give each role of a list its own name."),
    "role-arity": Rule(
        ERROR,
        "A role takes one thing (UNARY) or several (NARY); DSS knows no third arity.",
        'Write "arity": "UNARY" or "arity": "NARY".',
    ),
    "role-accepts": Rule(
        WARNING,
        "DSS lets a role take datasets unless told otherwise, and folders and saved models only when told.",
        'Say both: "acceptsDataset": false, "acceptsManagedFolder": true for a folder.',
    ),
    "role-flag": Rule(WARNING, "DSS reads true or false here.", "Write true or false, without quotes."),
    "code-missing": Rule(ERROR, "DSS and this host run that file.", "Add the file, under exactly that name."),
    "code-syntax": Rule(ERROR, "Python cannot compile it.", "Correct the line that is named."),
    "code-python-2": Rule(
        ERROR,
        "This is Python 2. DSS dropped Python 2, and this host runs Python 3.",
        "Port it to Python 3; the tool `2to3` does most of it.",
    ),
    "code-do": Rule(
        ERROR,
        "Choices and custom forms call do(payload, config, plugin_config, inputs).",
        "Define that function at the top of the file.",
    ),
    "code-class": Rule(
        ERROR,
        "A macro is a subclass of dataiku.runnables.Runnable.",
        "Define `class MyMacro(Runnable):` with a method run.",
    ),
    "library-syntax": Rule(
        WARNING,
        "Components that import the module fail; others do not notice.",
        "Correct or port the file, or remove it.",
    ),
    "form-setup": Rule(
        ERROR,
        "paramsPythonSetup names a file under resource/ that forms call.",
        "Write the path of a file, relative to resource/.",
    ),
    "form-template": Rule(
        WARNING,
        "paramsTemplate names an HTML file under resource/; without it, DSS has no form to show.",
        "Write the path of a file, relative to resource/.",
    ),
    "param-object": Rule(
        ERROR,
        "A parameter is an object; anything else is ignored.",
        'Write {"name": "x", "type": "STRING", "label": "X"}.',
    ),
    "param-name": Rule(
        ERROR, "Code reads a parameter by its name; only a SEPARATOR has none.", 'Write "name": "my_parameter".'
    ),
    "param-reserved": Rule(
        ERROR, "DSS reserves names that begin with two underscores.", "Rename the parameter, in the code too."
    ),
    "param-identifier": Rule(
        WARNING,
        "DSS asks for names that are valid variables in Python and JavaScript; conditions cannot use others.",
        "Use letters, digits and '_' only.",
    ),
    "param-twice": Rule(
        WARNING,
        "A name has one value: of two visible parameters, the last one counts.",
        "Rename one, or give them conditions that exclude each other.",
    ),
    "param-type": Rule(
        WARNING,
        "The type decides which field DSS shows; this host passes on values of unknown types as they are.",
        "Write one of the documented types.",
    ),
    "param-unused-key": Rule(
        WARNING, "DSS has no such key.", "Write defaultValue for default, mandatory for required."
    ),
    "param-key-type": Rule(
        WARNING, "DSS expects another type of value for this key.", "Write a value of the type that is named."
    ),
    "param-choices": Rule(
        ERROR,
        "SELECT and MULTISELECT must have selectChoices or getChoicesFromPython.",
        'Write "selectChoices": [{"value": "a", "label": "A"}].',
    ),
    "param-choice": Rule(WARNING, "DSS reads each choice as an object.", 'Write {"value": "a", "label": "A"}.'),
    "param-choice-twice": Rule(
        WARNING, "Code cannot tell choices with the same value apart.", "Give each choice its own value."
    ),
    "param-choices-both": Rule(WARNING, "With getChoicesFromPython, DSS ignores selectChoices.", "Remove one of them."),
    "param-choices-python": Rule(
        ERROR,
        "getChoicesFromPython needs a Python file that returns the choices.",
        'Add "paramsPythonSetup": "choices.py" and resource/choices.py.',
    ),
    "param-default": Rule(
        WARNING,
        "DSS documents that the default's type must match; code gets the default unchanged.",
        "Write a default that the form itself would accept.",
    ),
    "param-bounds": Rule(ERROR, "The bounds leave no possible value.", "Make minI/minD at most maxI/maxD."),
    "param-condition": Rule(
        WARNING,
        "DSS evaluates it as an AngularJS expression over `model`.",
        "Use declared names: model.x == 'a' && !model.y.",
    ),
    "param-preset": Rule(
        ERROR,
        "A PRESET takes its parameters from a parameter set of the plugin.",
        "Name a folder of parameter-sets/ as parameterSetId.",
    ),
    "param-column-role": Rule(
        WARNING, "DSS offers the columns of that input role.", "Name an input role as columnRole."
    ),
    "macro-result": Rule(
        WARNING, "DSS shows a macro's answer by its type.", 'Write "resultType": "HTML", or the type that run returns.'
    ),
    "macro-impersonate": Rule(
        WARNING,
        "DSS runs a macro as the user (true) or as itself (false), and recommends true.",
        'Write "impersonate": true.',
    ),
    "macro-target": Rule(
        WARNING, "A macro role fills that parameter with the selected object.", "Declare a parameter of that name."
    ),
    "webapp-type": Rule(
        WARNING, "DSS chooses the server of a web app by its baseType.", 'Write "baseType": "STANDARD".'
    ),
    "webapp-page": Rule(
        WARNING, "The page of a STANDARD web app is its body.html.", "Add body.html beside webapp.json."
    ),
    "env-interpreters": Rule(
        WARNING,
        "DSS builds the environment with an interpreter of this list.",
        'Write "acceptedPythonInterpreters": ["PYTHON311"].',
    ),
    "env-core-packages": Rule(
        WARNING,
        "Without the core packages, DSS has neither dataiku nor pandas in the environment.",
        'Write "installCorePackages": true.',
    ),
    "env-requirements": Rule(
        WARNING, "DSS installs what spec/requirements.txt lists.", "Add the file; it may be empty."
    ),
    "host-section": Rule(
        ERROR,
        "This host reads the section `minihost` by docs/mini-host.md; DSS ignores it.",
        "Write it as that page shows.",
    ),
}
"""Id of a rule -> the rule, in the order of the page."""
