"""Code environments: what a plugin asks for, what is built, and who uses it."""

import json
import sys
import zipfile

import pytest
from component_plugins import put, role, write_components

from minihost.cli import main
from minihost.errors import ComponentFailed
from minihost.plugins import code_envs

RECIPE = """
import dataiku, only_in_the_environment, sys
source, target = dataiku.Dataset("rows"), dataiku.Dataset("out")
target.write_schema(source.read_schema())
with target.get_writer() as writer:
    for row in source.iter_rows():
        writer.write_row_dict(row)
print("RAN", only_in_the_environment.WORD, sys.prefix)
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIHOST_HOME", str(tmp_path / "home"))


def plugin_with(tmp_path, requirements, **described):
    descriptor = {"inputRoles": [role("in")], "outputRoles": [role("out")]}
    root = write_components(tmp_path / "plugin", {"do": (descriptor, RECIPE)})
    put(root / "code-env/python/spec/requirements.txt", requirements)
    put(root / "code-env/python/desc.json", json.dumps({"installCorePackages": False, **described}))
    return root


@pytest.fixture
def wheel(tmp_path):
    """A package that is nowhere but in this file."""
    path = tmp_path / "only_in_the_environment-1.0-py3-none-any.whl"
    facts = "only_in_the_environment-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("only_in_the_environment.py", "WORD = 'there'\n")
        archive.writestr(f"{facts}/METADATA", "Metadata-Version: 2.1\nName: only-in-the-environment\nVersion: 1.0\n")
        archive.writestr(
            f"{facts}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{facts}/RECORD", "")
    return path


def test_runs_use_the_environment_once_it_is_built(tmp_path, wheel, minihost_project, capsys):
    plugin = plugin_with(tmp_path, f"# what it needs\nonly-in-the-environment @ file://{wheel}\n")
    project = minihost_project(plugin=plugin, datasets={"rows": [{"a": 1}]})
    with pytest.raises(ComponentFailed, match="only_in_the_environment"):
        project.run("do", inputs={"in": "rows"}, outputs={"out": "out"})
    assert main(["env", str(plugin)]) == 0
    assert "runs with" in capsys.readouterr().out
    done = project.run("do", inputs={"in": "rows"}, outputs={"out": "out"})
    assert done.rows("out") == [{"a": 1}]
    assert f"RAN there {tmp_path / 'home' / 'envs' / 'sample'}" in done.log
    assert main(["env", str(plugin)]) == 0
    assert "has its environment already" in capsys.readouterr().out

    put(plugin / "code-env/python/spec/requirements.txt", "another\n")
    with pytest.raises(ComponentFailed, match="only_in_the_environment"):
        project.run("do", inputs={"in": "rows"}, outputs={"out": "out"})
    logs = [path.read_text() for path in project.root.glob(".minihost/jobs/*/log")]
    assert sum("was built from other requirements" in log for log in logs) == 1
    assert main(["env", str(plugin), "--remove"]) == 0
    assert not (tmp_path / "home" / "envs" / "sample").exists()


def test_what_cannot_be_built_leaves_nothing(tmp_path, capsys):
    plugin = plugin_with(tmp_path, f"nothing @ file://{tmp_path}/nothing-1.0-py3-none-any.whl\n")
    assert main(["env", str(plugin)]) == 1
    assert "was not built" in capsys.readouterr().err.splitlines()[-1]
    assert list((tmp_path / "home" / "envs" / "sample").iterdir()) == []


def test_a_plugin_without_requirements(tmp_path, capsys):
    assert main(["env", str(write_components(tmp_path / "plugin"))]) == 0
    assert "the host's own Python" in capsys.readouterr().out
    assert code_envs.python_for("sample", tmp_path / "plugin") == (None, "")


def test_core_packages_give_way_to_what_the_plugin_pins(tmp_path):
    pins = "Pandas==2.2.3 ; python_version < '3.13'\n--no-binary x\n  # flask\nPy_Arrow\n"
    wanted = code_envs.spec_of("p", plugin_with(tmp_path, pins, installCorePackages=True))
    assert [code_envs._plain(package) for package in wanted.core] == [
        "numpy",
        "pyarrow",
        "openpyxl",
        "requests",
        "flask",
    ]
    assert code_envs.spec_of("p", plugin_with(tmp_path, pins)).core == ()


@pytest.mark.parametrize(
    ("accepted", "there", "chosen", "odd"),
    [
        ([], [], sys.executable, False),
        (["PYTHON36", f"PYTHON{sys.version_info.major}{sys.version_info.minor}"], [], sys.executable, False),
        (["PYTHON399"], ["python3.99"], "/usr/bin/python3.99", False),
        (["PYTHON27", "PYTHON36"], ["python3.6", "python2.7"], sys.executable, True),
        ("nonsense", [], sys.executable, False),
    ],
)
def test_the_python_is_one_that_the_plugin_accepts(tmp_path, monkeypatch, accepted, there, chosen, odd):
    monkeypatch.setattr(code_envs.shutil, "which", lambda name: f"/usr/bin/{name}" if name in there else None)
    wanted = code_envs.spec_of("p", plugin_with(tmp_path, "x\n", acceptedPythonInterpreters=accepted))
    python, warning = code_envs.interpreter(wanted)
    assert python == chosen
    assert bool(warning) == odd
