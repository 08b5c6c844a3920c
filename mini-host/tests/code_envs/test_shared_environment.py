"""The environment that plugins without requirements share, in place of DSS's built-in one."""

import json

import pytest
from component_plugins import put

from minihost.cli import main
from minihost.errors import ComponentFailed
from minihost.plugins.code_envs import lookup
from minihost.plugins.code_envs.core_packages import BUILT_IN, FOR_TABLES, MODULES_OF_BASE, REQUIREMENTS, core_packages
from minihost.plugins.code_envs.requirement_lines import plain
from minihost.plugins.code_envs.spec import shared_spec

RECIPE = """
import dataiku, sklearn
from dataiku.customrecipe import *
rows = [{"word": sklearn.WORD}]
with dataiku.Dataset(get_output_names_for_role("out")[0]).get_writer() as writer:
    dataiku.Dataset(get_output_names_for_role("out")[0]).write_schema([{"name": "word", "type": "string"}])
    writer.write_row_dict(rows[0])
"""
VERSIONS = {"pandas": "2.3.3", "numpy": "2.4.0", "sqlalchemy": "2.1.0", "psycopg": "3.3"}


@pytest.fixture
def bare(plugin, wheel):
    """Return a plugin without requirements whose recipe imports sklearn, and an index with the base's packages."""
    root = plugin("", RECIPE)
    (root / REQUIREMENTS).unlink()
    for package in (*BUILT_IN, *FOR_TABLES, *core_packages("AUTO", (3, 11))[0]):
        name = plain(package)
        module = {"scikit-learn": "sklearn", "python-dateutil": "dateutil"}.get(name, name)
        wheel(name, VERSIONS.get(name, "1.0"), {f"{module}/__init__.py": "WORD = 'shared'\n"})
    return root


def run(project):
    return project.run("do", inputs={"in": "rows"}, outputs={"out": "out"})


def test_a_run_that_lacks_a_module_of_dss_names_the_command_and_then_has_it(bare, minihost_project, capsys):
    project = minihost_project(plugin=bare, datasets={"rows": [{"a": 1}]})
    put(bare / "python-lib" / "sklearn" / "__init__.py", "raise ModuleNotFoundError(\"No module named 'sklearn'\")")
    with pytest.raises(
        ComponentFailed, match=r"sklearn is in the built-in environment of DSS; .* minihost env --base$"
    ):
        run(project)
    (bare / "python-lib" / "sklearn" / "__init__.py").unlink()
    assert main(["env", "--base"]) == 0
    assert "Every plugin without code-env/python/spec/requirements.txt runs with" in capsys.readouterr().out
    assert lookup.python_for("sample", bare) == (str(shared_spec().python), "")
    assert json.loads((shared_spec().place / "environment.json").read_text())["failures"] == []


def test_asking_for_the_plugins_environment_builds_the_shared_one(bare, capsys):
    assert main(["env", str(bare)]) == 0
    assert lookup.python_for("sample", bare)[0] == str(shared_spec().python)
    assert main(["env", str(bare)]) == 0
    assert "has its environment already" in capsys.readouterr().out
    assert main(["env", str(bare), "--remove"]) == 0
    assert "minihost env --base --remove" in capsys.readouterr().out
    assert lookup.python_for("sample", bare)[0] is not None
    assert main(["env", "--base", "--remove"]) == 0
    assert lookup.python_for("sample", bare) == (None, "")


def test_plugins_with_requirements_do_not_use_it(bare, plugin):
    assert main(["env", "--base"]) == 0
    root = plugin("only-here\n")
    assert lookup.python_for("sample", root) == (None, "")


def test_one_of_an_older_host_is_not_used(bare):
    place = shared_spec().place.parent / "0123456789ab"
    put(place / "bin" / "python", "")
    python, warning = lookup.python_for("sample", bare)
    assert python is None
    assert "The code environment of DSS base was built from other requirements" in warning
    assert warning.endswith("minihost env --base")


def test_other_modules_are_nobodys_business(bare):
    assert lookup.missing_module_hint("sample", bare, "ModuleNotFoundError: No module named 'mine'") == ""
    assert "minihost env --base" in lookup.missing_module_hint(
        "sample", bare, "ModuleNotFoundError: No module named 'sklearn.base'"
    )


def test_the_modules_named_are_those_of_the_packages():
    packages = {plain(package) for package in (*BUILT_IN, *core_packages("AUTO", (3, 11))[0])} - {"pandas", "numpy"}
    names = {"scikit-learn": "sklearn", "python-dateutil": "dateutil"}
    assert {names.get(package, package) for package in packages} == MODULES_OF_BASE


def test_base_takes_no_plugin(bare, capsys):
    assert main(["env", str(bare), "--base"]) == 2
    assert "it takes no PLUGIN" in capsys.readouterr().err
