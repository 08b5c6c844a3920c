import pytest
from checkout import ROOT
from plugin_folders import MACRO, META, RECIPE, write, write_plugin, zip_folder

from minihost.cli import main
from minihost.plugins import checking, discovery


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("MINIHOST_HOME", str(tmp_path_factory.mktemp("home")))


def findings(root):
    return [str(finding) for finding in checking.check(discovery.load(root))]


def of_params(tmp_path, *params, **more):
    recipe = {**RECIPE, "params": list(params), **more}
    return findings(write_plugin(tmp_path / "p", recipes=[("r", recipe)], sets={"cloud": []}))


def test_a_good_plugin_has_nothing_wrong(tmp_path):
    params = [
        {"type": "SEPARATOR", "label": "Section"},
        {"name": "a", "type": "SELECT", "selectChoices": [{"value": "x", "label": "X"}], "defaultValue": "x"},
        {"name": "b", "type": "INT", "defaultValue": 3, "minI": 1, "visibilityCondition": "model.a == 'x'"},
        {"name": "c", "type": "PRESET", "parameterSetId": "cloud"},
        {"name": "d", "type": "COLUMN", "columnRole": "input_dataset"},
    ]
    root = write_plugin(
        tmp_path, recipes=["copy", ("r", {**RECIPE, "params": params})], macros=["greet"], sets={"cloud": []}
    )
    assert findings(root) == []


def test_our_own_plugin_has_nothing_wrong():
    assert findings(ROOT) == []


@pytest.mark.parametrize(
    ("param", "reported"),
    [
        (
            {"name": "x", "type": "STRNG"},
            "warning: custom-recipes/r/recipe.json: parameter 'x': type STRNG is unknown. Did you mean",
        ),
        ({"type": "STRING"}, "error: custom-recipes/r/recipe.json: a parameter of type STRING has no name"),
        (
            {"name": "__x", "type": "STRING"},
            "error: custom-recipes/r/recipe.json: parameter '__x': names with two underscores",
        ),
        ({"name": "x", "type": "STRING", "default": 1}, "'default' does nothing; did you mean 'defaultValue'?"),
        ({"name": "x", "type": "STRING", "required": True}, "'required' does nothing; did you mean 'mandatory'?"),
        (
            {"name": "x", "type": "SELECT"},
            "error: custom-recipes/r/recipe.json: parameter 'x': has neither selectChoices",
        ),
        ({"name": "x", "type": "SELECT", "selectChoices": ["a"]}, "a choice is not an object with value and label"),
        ({"name": "x", "type": "SELECT", "selectChoices": [[1]]}, "a choice is not an object with value and label"),
        ({"name": "x", "type": "COLUMN", "columnRole": ["a"]}, "columnRole is ['a']; a text is expected"),
        (
            {"name": "x", "type": "SELECT", "selectChoices": [{"value": 1, "label": "1"}], "defaultValue": 2},
            "warning: custom-recipes/r/recipe.json: parameter 'x': default 2 is not one of 1",
        ),
        (
            {"name": "x", "type": "SELECT", "selectChoices": [{"value": 1, "label": ""}, {"value": 1, "label": ""}]},
            "has the choice '1' twice",
        ),
        (
            {"name": "x", "type": "SELECT", "getChoicesFromPython": True},
            "gets its choices from Python, but there is no",
        ),
        (
            {"name": "x", "type": "INT", "defaultValue": "3"},
            "warning: custom-recipes/r/recipe.json: parameter 'x': default \"3\" is not",
        ),
        (
            {"name": "x", "type": "INT", "defaultValue": "three"},
            "warning: custom-recipes/r/recipe.json: parameter 'x': default \"three\"",
        ),
        ({"name": "x", "type": "INT", "minI": 3, "maxI": 1}, "no value is possible"),
        ({"name": "x", "type": "INT", "minI": 3, "defaultValue": 1}, "default 1 is not a whole number of at least 3"),
        (
            {"name": "x", "type": "COLUMN", "columnRole": "input_datset"},
            "columnRole 'input_datset' is no input role. Did you mean",
        ),
        (
            {"name": "x", "type": "PRESET", "parameterSetId": "clud"},
            "parameter set 'clud' is not in this plugin. Did you mean 'cloud'?",
        ),
        (
            {"name": "x", "type": "INT", "visibilityCondition": "model.y"},
            "visibilityCondition uses 'y', which is not declared",
        ),
        ({"name": "x", "type": "INT", "visibilityCondition": "f(x)"}, "is not understood"),
        (
            {"name": "x", "type": "OBJECT_LIST", "subParams": [{"name": "y", "type": "NONE"}]},
            "parameter 'y': type NONE is unknown",
        ),
    ],
)
def test_what_is_wrong_with_parameters(tmp_path, param, reported):
    found = of_params(tmp_path, param)
    assert any(reported in line for line in found), found
    assert len(found) == 1 or "columnRole" in reported


def test_two_parameters_of_one_name(tmp_path):
    assert "declared 2 times" in of_params(tmp_path, {"name": "x", "type": "INT"}, {"name": "x", "type": "STRING"})[0]


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        ({"version": "1.0"}, "warning: plugin.json: version '1.0'"),
        ({"id": "a.b"}, "error: plugin.json: id 'a.b'"),
        ({"meta": {**META, "icon": "cogs"}}, "warning: plugin.json: icon 'cogs'"),
        ({"meta": {**META, "description": ""}}, "warning: plugin.json: meta has no 'description'"),
        ({"meta": {**META, "licenseInfo": ""}}, "warning: plugin.json: meta has no 'licenseInfo'"),
        ({"meta": None}, "warning: plugin.json: no 'meta' object"),
        (
            {"params": [{"name": "x", "type": "INTEGER"}]},
            "warning: plugin.json: parameter 'x': type INTEGER is unknown",
        ),
    ],
)
def test_what_is_wrong_with_the_manifest(tmp_path, change, reported):
    root = write_plugin(tmp_path, recipes=["r"])
    write(root / "plugin.json", {"id": "sample", "version": "1.0.0", "meta": META, "params": [], **change})
    found = findings(root)
    assert len(found) == 1
    assert found[0].startswith(reported)


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        (
            {"kind": "R"},
            "note: custom-recipes/r/recipe.json: sample/r is an R recipe, which the mini-host does not run",
        ),
        (
            {"kind": "PYTHN"},
            "warning: custom-recipes/r/recipe.json: kind 'PYTHN': one of PYTHON, R, PYSPARK, SPARK_SCALA, JAVA",
        ),
        (
            {"inputRoles": [{"name": "x", "arity": "ONE"}]},
            "error: custom-recipes/r/recipe.json: role 'x': arity 'ONE' is neither",
        ),
        ({"inputRoles": [{"name": "x", "acceptsManagedFolder": True}]}, "role 'x' accepts folders, and datasets too"),
        ({"inputRoles": [{"name": "x", "acceptsDataset": False}]}, "role 'x' accepts nothing"),
        ({"inputRoles": [{"name": "x", "required": "yes"}]}, "role 'x': required is 'yes'; true or false is expected"),
        (
            {"inputRoles": {"name": "x"}},
            "error: custom-recipes/r/recipe.json: inputRoles is {'name': 'x'}; a list is expected",
        ),
        ({"params": "none"}, "error: custom-recipes/r/recipe.json: params is 'none'; a list is expected"),
        ({"params": [3]}, "error: custom-recipes/r/recipe.json: params holds something that is no object: 3"),
        ({"inputRole": [], "inputRoles": None}, "'inputRole' is no key. Did you mean 'inputRoles'?"),
        ({"paramsTemplate": "form.html"}, "paramsTemplate 'form.html' is not a file under resource/"),
        ({"inputRoles": [{"label": "x"}]}, "something without a name"),
        ({"outputRoles": None}, "no list of outputRoles"),
        ({"outputRoles": RECIPE["outputRoles"] * 2}, "has 'output_dataset' twice"),
        ({"selectableFromDataset": "inputs"}, "selectableFromDataset names no input role"),
        ({"paramsPythonSetup": "menu.py"}, "paramsPythonSetup 'menu.py' is not a file under resource/"),
        ({"paramsPythonSetup": "../plugin.json"}, "is not a file under resource/"),
    ],
)
def test_what_is_wrong_with_recipes(tmp_path, change, reported):
    found = of_params(tmp_path, **change)
    assert any(reported in line for line in found), found


def test_what_is_wrong_with_macros(tmp_path):
    macro = {
        **MACRO,
        "resultType": "HTLM",
        "impersonate": "no",
        "macroRoles": [{"type": "DATASET", "targetParamsKey": "d"}],
    }
    found = findings(write_plugin(tmp_path, macros=[("m", macro)]))
    assert [line.partition("runnable.json: ")[2].split("(")[0].split(":")[0].strip() for line in found] == [
        "resultType 'HTLM'",
        "impersonate is 'no'; true or false is expected",
        "a macro role fills the parameter 'd', which is not declared",
    ]


def test_what_is_wrong_with_code(tmp_path):
    root = write_plugin(tmp_path, recipes=["missing", "broken"], macros=["empty"])
    (root / "custom-recipes/missing/recipe.py").unlink()
    write(root / "custom-recipes/broken/recipe.py", "import os\nraise SystemExit('imported')\ndef (:\n")
    write(root / "python-runnables/empty/runnable.py", "raise SystemExit('imported')\n")
    write(root / "python-lib/dataiku/__init__.py", "")
    found = findings(root)
    assert found[0].startswith("error: python-lib/dataiku: hides the host's own module")
    assert "error: custom-recipes/broken/recipe.py: does not compile: invalid syntax in line 3" in found
    assert "error: custom-recipes/missing/recipe.py: there is no such file" in found
    assert any("runnable.py: has no class" in line for line in found)


@pytest.mark.parametrize(
    "line",
    ["print 'x'", "print x", "except IOError, err:", "raise ValueError, 'x'", "exec 'x'", "if a <> b:"]
    + ["x = ur'a'", "x = 0777", "x = 10L", "x = `y`", "if x:\n        y = 1\n\tz = 1"],
)
def test_python_2_is_called_by_its_name(tmp_path, line):
    root = write_plugin(tmp_path, recipes=["r"])
    before = "try:\n    pass\n" if line.startswith("except") else ""
    after = "\n    pass" if line.endswith(":") else ""
    write(root / "custom-recipes/r/recipe.py", f"import os\n{before}{line}{after}\n")
    (found,) = checking.check(discovery.load(root))
    assert (found.level, found.rule) == ("error", "code-python-2")
    assert found.text.startswith("is Python 2: does not compile")


@pytest.mark.parametrize("line", ["print('x'", "def f(:", "x = = 2", "if x", "import"])
def test_other_mistakes_are_not_python_2(tmp_path, line):
    root = write_plugin(tmp_path, recipes=["r"])
    write(root / "custom-recipes/r/recipe.py", f"import os\n{line}\n")
    assert [found.rule for found in checking.check(discovery.load(root))] == ["code-syntax"]


@pytest.mark.parametrize(
    "code", ["from choices import do", "do = make()", "from choices import *", "def do(payload): pass"]
)
def test_a_do_function_may_come_from_elsewhere(tmp_path, code):
    root = write_plugin(tmp_path, recipes=[("r", {**RECIPE, "paramsPythonSetup": "menu.py"})])
    write(root / "resource/menu.py", code + "\n")
    assert findings(root) == []


def test_modules_of_the_library_that_do_not_compile(tmp_path):
    root = write_plugin(tmp_path, recipes=["r"])
    write(root / "python-lib/mine/old.py", "print 'x'\n")
    write(root / "python-lib/mine/good.py", "x = '\\d'\n")
    assert findings(root) == [
        "warning: python-lib/mine/old.py: is Python 2: does not compile: "
        "Missing parentheses in call to 'print'. Did you mean print(...)? in line 1"
    ]


def test_choices_without_a_do_function(tmp_path):
    root = write_plugin(tmp_path, recipes=[("r", {**RECIPE, "paramsPythonSetup": "menu.py"})])
    write(root / "resource/menu.py", "def get_choices(): return []\n")
    assert "has no function do" in findings(root)[0]


def test_json_that_is_not_strict(tmp_path):
    root = write_plugin(tmp_path, recipes=["r"])
    write(root / "plugin.json", "// made by hand\n" + (root / "plugin.json").read_text())
    write(root / "custom-recipes/lost/recipe.json", "{")
    write(root / "custom-recipes/nothing/readme.txt", "")
    found = findings(root)
    assert any(line.startswith("error: custom-recipes/lost/recipe.json: line 1:") for line in found)
    assert "warning: plugin.json: not strict JSON: line 1: // comment" in found
    assert any("custom-recipes/nothing: no recipe.json" in line for line in found)


def test_code_environments(tmp_path):
    root = write_plugin(tmp_path, recipes=["r"])
    write(root / "code-env/python/desc.json", {"acceptedPythonInterpreters": ["3.11"]})
    found = findings(root)
    assert len(found) == 3
    assert all("code-env/python/desc.json" in line for line in found)


def test_the_command(tmp_path, capsys):
    root = write_plugin(tmp_path / "p", recipes=["r"])
    assert main(["check", str(root)]) == 0
    assert "1 component, 0 errors, 0 warnings" in capsys.readouterr().out
    write(root / "custom-recipes/r/recipe.py", "def (:")
    assert main(["check", str(zip_folder(root, tmp_path / "p.zip"))]) == 1
    assert "error: custom-recipes/r/recipe.py: does not compile" in capsys.readouterr().out
    (root / "custom-recipes/r/recipe.py").write_text("")
    write(root / "code-env/python/desc.json", {})
    assert main(["check", str(root)]) == 0
    assert main(["check", "--strict", str(root)]) == 1
    assert main(["check", str(tmp_path)]) == 2
    assert "not a plugin" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("{", "error: plugin.json: line 1:"),
        ("{}", "error: plugin.json: has no 'id'; letters, digits"),
        ('{"id": "a b"}', "error: plugin.json: the id is 'a b'; letters, digits"),
    ],
)
def test_a_plugin_json_that_makes_no_plugin_is_a_finding(tmp_path, capfd, text, reported):
    write(tmp_path / "plugin.json", text)
    assert main(["check", str(tmp_path)]) == 1
    out = capfd.readouterr().out
    assert out.startswith(reported)
    assert "    fix:  " in out
    assert out.endswith(": 0 components, 1 error, 0 warnings\n")


def test_tags_that_are_no_list(tmp_path):
    found = findings(write_plugin(tmp_path, recipes=["r"], meta={**META, "tags": "Vision"}))
    assert found == ["warning: plugin.json: meta: tags is 'Vision'; a list of texts is expected"]


def test_a_macro_needs_a_class_that_derives_from_another(tmp_path):
    plugin = write_plugin(tmp_path, macros=["m"])
    write(plugin / "python-runnables/m/runnable.py", "class Mine:\n    pass\n")
    (found,) = findings(plugin)
    assert "has no class that derives from dataiku.runnables.Runnable" in found


def test_python_with_a_byte_order_mark_compiles(tmp_path):
    plugin = write_plugin(tmp_path, recipes=["r"])
    write(plugin / "custom-recipes/r/recipe.py", "\ufeffimport dataiku\n")
    assert findings(plugin) == []
