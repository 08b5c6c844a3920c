import json
import os
import zipfile

import pytest
from plugin_folders import RECIPE, write, write_plugin

from minihost.cli import main
from minihost.plugins import discovery, packaging


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIHOST_HOME", str(tmp_path / "home"))
    root = write_plugin(tmp_path / "plugin", recipes=["copy"], macros=["greet"], sets={"cloud": []})
    for name in (
        "LICENSE", "README.md", "CHANGELOG.md", "Makefile", "pyproject.toml", ".gitignore", "tests/test_x.py", "docs/a.md",
        "examples/flow.yaml", "benchmarks/b.py", "python-lib/lib/__init__.py", "python-lib/lib/__pycache__/x.cpython-311.pyc",
        "python-lib/lib.egg-info/PKG-INFO", "python-lib/extra/big.py", "resource/.DS_Store", "resource/menu.json",
        "code-env/python/spec/requirements.txt", "build/lib/x.py", "venv/bin/python",
    ):  # fmt: skip
        write(root / name, "x = 1\n")
    write(
        root / "code-env/python/desc.json",
        {"acceptedPythonInterpreters": ["PYTHON311"], "installCorePackages": True, "forceConda": False},
    )
    return root


def names(path):
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_what_goes_along(plugin, tmp_path):
    made = packaging.package(discovery.load(plugin), tmp_path / "dist")
    assert made.path == tmp_path / "dist" / "dss-plugin-sample-1.0.0.zip"
    assert names(made.path) == [
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "code-env/python/desc.json",
        "code-env/python/spec/requirements.txt",
        "custom-recipes/copy/recipe.json",
        "custom-recipes/copy/recipe.py",
        "parameter-sets/cloud/parameter-set.json",
        "plugin.json",
        "python-lib/extra/big.py",
        "python-lib/lib/__init__.py",
        "python-runnables/greet/runnable.json",
        "python-runnables/greet/runnable.py",
        "resource/menu.json",
    ]
    assert made.files == 14
    assert os.listdir(tmp_path / "dist") == [made.path.name]


def test_what_the_author_leaves_out(plugin, tmp_path):
    write(plugin / "setup.cfg", "[minihost:package]\nexclude =\n    python-lib/extra\n    resource/*.json\n")
    packed = names(packaging.package(discovery.load(plugin), tmp_path).path)
    assert "python-lib/extra/big.py" not in packed
    assert "resource/menu.json" not in packed
    assert "python-lib/lib/__init__.py" in packed


def test_the_same_content_gives_the_same_bytes(plugin, tmp_path):
    first = packaging.package(discovery.load(plugin), tmp_path / "a")
    for path in plugin.rglob("*"):
        os.utime(path, (1, 1))
    second = packaging.package(discovery.load(plugin), tmp_path / "b")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == second.sha256


def test_the_zip_installs_and_checks(plugin, tmp_path, capsys):
    assert main(["package", str(plugin), "-o", str(tmp_path / "dist")]) == 0
    path = tmp_path / "dist" / "dss-plugin-sample-1.0.0.zip"
    assert str(path) in capsys.readouterr().out
    assert main(["check", "--strict", str(path)]) == 0
    assert main(["install", "--yes", str(path)]) == 0
    assert main(["package", str(path), "-o", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_a_plugin_with_errors_is_not_packaged(plugin, tmp_path, capsys):
    write(plugin / "custom-recipes/copy/recipe.json", {**RECIPE, "inputRoles": [{"label": "no name"}]})
    assert main(["package", str(plugin), "-o", str(tmp_path / "dist")]) == 2
    assert "something without a name" in capsys.readouterr().err
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize("version", ["../../1.0.0", "1.0.0/x", "", ["1.0.0"]])
def test_a_version_that_is_no_part_of_a_name_is_refused(plugin, tmp_path, capsys, version):
    write(plugin / "plugin.json", {**json.loads((plugin / "plugin.json").read_text()), "version": version})
    assert main(["package", str(plugin), "-o", str(tmp_path / "dist")]) == 2
    assert "cannot stand in the name of a file" in capsys.readouterr().err


def test_links_are_refused(plugin, tmp_path, capsys):
    (plugin / "resource" / "link").symlink_to("/etc/passwd")
    assert main(["package", str(plugin), "-o", str(tmp_path / "dist")]) == 2
    assert "resource/link is a link" in capsys.readouterr().err
    assert os.listdir(tmp_path / "dist") == []


def test_names_that_would_not_install_are_refused(plugin, tmp_path, capsys):
    write(plugin / "resource/Menu.json", "{}")
    assert main(["package", str(plugin), "-o", str(tmp_path / "dist")]) == 2
    assert "one name on some systems" in capsys.readouterr().err
    assert os.listdir(tmp_path / "dist") == []


def test_a_folder_that_cannot_be_written(plugin, tmp_path, capsys):
    write(tmp_path / "file", "")
    assert main(["package", str(plugin), "-o", str(tmp_path / "file" / "dist")]) == 2
    assert "Nothing can be written" in capsys.readouterr().err
