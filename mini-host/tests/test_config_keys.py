"""The keys of the configuration that a component's code reads, found without running it."""

import json

import pytest
from component_plugins import role, write_components

from minihost.cli import main
from minihost.plugins import discovery
from minihost.plugins.config_keys import ABSENT
from minihost.plugins.own_forms import read_keys

OWN_FORM = {"paramsTemplate": "form.html", "paramsModule": "form"}
START = "from dataiku.customrecipe import *\nconfig = get_recipe_config()\n"


def keys_of(tmp_path, code, files=None, start=START):
    root = write_components(tmp_path, {"do": (OWN_FORM, start + code)}, files=files)
    plugin = discovery.load(root)
    return read_keys(plugin.components[0], plugin)


def names(tmp_path, code, files=None, start=START):
    return list(keys_of(tmp_path, code, files, start).keys)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('config["a"]', ["a"]),
        ('config.get("a")', ["a"]),
        ('config.get("a", 3)', ["a"]),
        ('config.pop("a")', ["a"]),
        ('"a" in config', ["a"]),
        ('get_recipe_config()["a"]', ["a"]),
        ("import dataiku.customrecipe\ndataiku.customrecipe.get_recipe_config()['a']", ["a"]),
        ('config["a"] = 1', []),
        ('del config["a"]', []),
        ('other = {}\nother["a"]', []),
        ('same = config\nsame["a"]', ["a"]),
        ('same = dict(config)\nsame["a"]', ["a"]),
        ('same = config.copy()\nsame["a"]', ["a"]),
        ('same = {**config, "b": 1}\nsame["a"]', ["a"]),
        ('import copy\nsame = copy.deepcopy(config)\nsame["a"]', ["a"]),
        ('params = config["params"]\nparams["a"]', ["params", "params.a"]),
        ('params = config.get("params", {}) or {}\nparams.get("a")', ["params", "params.a"]),
        ('config["params"]["a"]["b"]', ["params", "params.a", "params.a.b"]),
        ('for name in ["a", "b"]:\n    config[name]', ["a", "b"]),
        ('{name: config.get(name) for name in ("a",)}', []),
        ('KEY = "a"\nconfig[KEY]', ["a"]),
        ('class Keys:\n    A = "a"\nconfig[Keys.A]', ["a"]),
        ('def read(settings):\n    return settings["a"]\nread(config)', ["a"]),
        ('def read(*, settings):\n    return settings["a"]\nread(settings=config)', ["a"]),
        ('def read(settings):\n    return settings["a"]\nread({})', []),
        ('def load():\n    return get_recipe_config()\nload()["a"]', ["a"]),
        ('def part(settings):\n    return settings["p"]\npart(config)["a"]', ["p", "p.a"]),
        ('def again(settings):\n    settings["a"]\n    again(settings)\nagain(config)', ["a"]),
        ('def train(a, b=2):\n    pass\ntrain(**config)', ["a", "b"]),
        ('class Work:\n    def __init__(self, s):\n        self.s = s\n    def run(self):\n        self.s["a"]\nWork(config)', ["a"]),
        ('class Base:\n    def run(self):\n        self.s["a"]\n'
         'class Work(Base):\n    def __init__(self, s):\n        self.s = s\nWork(config)', ["a"]),
        ('class Work:\n    def run(self, s):\n        s["a"]\nWork().run(config)', ["a"]),
        ('x = 1 if config["a"] else 2', ["a"]),
        ('print(f"{config[\'a\']}", lambda: config["b"])', ["a", "b"]),
        ('def outer():\n    def inner():\n        return config["a"]\n    return inner\n', ["a"]),
    ],
)  # fmt: skip
def test_the_ways_to_read_a_key(tmp_path, code, found):
    if "def outer" in code:
        code = "def outer(config):\n    def inner():\n        return config['a']\n    return inner\nouter(config)"
    assert names(tmp_path, code) == found


def test_code_of_the_library_is_followed(tmp_path):
    files = {
        "python-lib/settings/__init__.py": "from settings.reading import read\nfrom .names import *\n",
        "python-lib/settings/reading.py": "from .names import Names\nimport settings.deep as deep\n"
        "def read(config):\n    deep.more(config)\n    return config[Names.FIRST]\n",
        "python-lib/settings/names.py": 'class Names:\n    FIRST = "first"\nLAST = "last"\n',
        "python-lib/settings/deep.py": 'def more(c):\n    c.get("deep")\n',
    }
    code = "import settings\nfrom settings import read, LAST\nread(config)\nsettings.read(config)\nconfig[LAST]\n"
    found = keys_of(tmp_path, code, files)
    assert list(found.keys) == ["deep", "first", "last"]
    assert found.keys["deep"].place == "python-lib/settings/deep.py:2"
    assert found.keys["last"].place == "custom-recipes/do/recipe.py:7"


def test_defaults_and_what_is_required(tmp_path):
    code = """
config["a"]
config.get("b")
config.get("c", 3)
if "d" in config:
    config["d"]
config.get("e", None)
config["f"]
config.get("f", "x")
config.get("g", COMPUTED)
"""
    found = keys_of(tmp_path, code).keys
    facts = {
        name: (key.is_required, key.default if key.default is not ABSENT else "absent") for name, key in found.items()
    }
    assert facts == {
        "a": (True, "absent"),
        "b": (False, "absent"),
        "c": (False, 3),
        "d": (False, "absent"),
        "e": (False, None),
        "f": (True, "x"),
        "g": (False, None),
    }


def test_a_sample_has_the_type_that_the_code_expects(tmp_path):
    code = """
int(config["n"]), float(config["x"])
if config["flag"]:
    pass
y = 1 if not config["other"] else 2
if config["mode"] == "fast":
    pass
config["text"], config["p"]["q"], config.get("d", [1])
"""
    found = keys_of(tmp_path, code).example()
    assert found == {
        "n": 1, "x": 1.0, "flag": False, "other": False, "mode": "fast", "text": "…", "p": {"q": "…"}, "d": [1],
    }  # fmt: skip


def test_keys_that_are_computed_are_said_to_be(tmp_path):
    found = keys_of(tmp_path, 'name = input()\nconfig["a"]\nconfig[f"x_{name}"]\n')
    assert list(found.keys) == ["a"]
    assert found.computed == ["custom-recipes/do/recipe.py:5"]


@pytest.mark.parametrize("code", ["def (:", "\x00", "print 'x'"])
def test_code_that_does_not_compile_has_no_keys(tmp_path, code):
    assert names(tmp_path, code) == []


def test_macros_get_their_configuration_in_their_class(tmp_path):
    code = (
        "from dataiku.runnables import Runnable\nclass Act(Runnable):\n"
        "    def __init__(self, project_key, config, plugin_config):\n        self.config = config\n"
        "    def run(self, progress_callback):\n        return self.config.get('a', 'x')\n"
    )
    plugin = discovery.load(write_components(tmp_path, macros={"act": (OWN_FORM, code)}))
    assert list(read_keys(plugin.components[0], plugin).keys) == ["a"]


def test_show_lists_the_keys_and_a_file_to_begin_with(tmp_path, capsys):
    descriptor = {**OWN_FORM, "inputRoles": [role("in")], "outputRoles": [role("out")]}
    code = 'config = get_recipe_config()\nint(config["size"])\nconfig.get("label", "x")\n'
    root = write_components(tmp_path, {"do": (descriptor, "from dataiku.customrecipe import *\n" + code)})
    assert main(["show", "--plugin", str(root), "sample/do"]) == 0
    shown = capsys.readouterr().out
    assert "It draws its own form (paramsTemplate: form.html)" in shown
    assert "  size, required  custom-recipes/do/recipe.py:3\n" in shown
    assert '  label = "x"  custom-recipes/do/recipe.py:4\n' in shown
    assert '{\n  "size": 1,\n  "label": "x"\n}' in shown
    assert "--params params.json" in shown
    assert main(["show", "--plugin", str(root), "sample/do", "--json"]) == 0
    form = json.loads(capsys.readouterr().out)["own_form"]
    assert form["params"] == {"size": 1, "label": "x"}
    assert form["keys"][0] == {"name": "size", "required": True, "place": "custom-recipes/do/recipe.py:3"}


def test_the_file_that_is_shown_runs(tmp_path, capsys, minihost_project):
    code = START + (
        'import dataiku\nn = int(config["times"])\n'
        'dataiku.Dataset("out").write_with_schema(dataiku.Dataset("rows").get_dataframe().head(n))\n'
    )
    roles = {"inputRoles": [role("in")], "outputRoles": [role("out")]}
    root = write_components(tmp_path / "p", {"do": ({**OWN_FORM, **roles}, code)})
    found = discovery.load(root)
    params = read_keys(found.components[0], found).example()
    project = minihost_project(plugin=root, datasets={"rows": [{"a": 1}, {"a": 2}]})
    assert project.run("do", inputs={"in": "rows"}, outputs={"out": "out"}, params=params).rows("out") == [{"a": 1}]


def test_a_component_that_declares_its_parameters_has_no_keys_listed(tmp_path, capsys):
    params = [{"name": "a", "type": "STRING"}]
    root = write_components(tmp_path, {"do": ({"params": params}, START + 'config["a"]')})
    assert main(["show", "--plugin", str(root), "sample/do", "--json"]) == 0
    assert "own_form" not in json.loads(capsys.readouterr().out)
