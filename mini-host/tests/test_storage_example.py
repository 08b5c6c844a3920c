"""The example of a host plugin from outside, registered by a real entry point."""

import os
import subprocess
import sys

import pytest
from checkout import HOST, ROOT
from plugin_folders import RECIPE, write, write_plugin

EXAMPLE = ROOT / "examples" / "shared-drive"
SHOUT = """
import dataiku
from dataiku.customrecipe import get_input_names_for_role, get_output_names_for_role

source = dataiku.Folder(get_input_names_for_role("source")[0])
target = dataiku.Folder(get_output_names_for_role("target")[0])
for path in source.list_paths_in_partition():
    with source.get_download_stream(path) as stream:
        target.upload_stream(path.replace("/deep", "/flat"), stream.read().upper())
target.delete_path("/old.txt")
"""


@pytest.fixture
def installed(tmp_path):
    """What `pip install` of the example leaves on the module path."""
    site = tmp_path / "site"
    write(site / "minihost_shared_drive.py", (EXAMPLE / "minihost_shared_drive.py").read_text())
    write(
        site / "minihost_shared_drive-1.0.0.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: minihost-shared-drive\nVersion: 1.0.0\n",
    )
    write(
        site / "minihost_shared_drive-1.0.0.dist-info/entry_points.txt",
        "[minihost]\nshared_drive = minihost_shared_drive\n",
    )
    return site


def role(name):
    return {"name": name, "arity": "UNARY", "required": True, "acceptsDataset": False, "acceptsManagedFolder": True}


def run(tmp_path, modules, *arguments, **more):
    path = os.pathsep.join([*map(str, modules), str(HOST)])
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        "MINIHOST_HOME": str(tmp_path / "home"),
        "SHARED_DRIVE": str(tmp_path),
    } | more
    command = [sys.executable, "-m", "minihost", "run", "shout", "--plugin", str(tmp_path / "plugin"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)


@pytest.fixture
def arguments(tmp_path):
    recipe = {**RECIPE, "inputRoles": [role("source")], "outputRoles": [role("target")]}
    write(write_plugin(tmp_path / "plugin", recipes=[("shout", recipe)]) / "custom-recipes/shout/recipe.py", SHOUT)
    write(tmp_path / "in/a.txt", "a")
    write(tmp_path / "in/deep/b.txt", "b")
    write(tmp_path / "out/old.txt", "old")
    write(tmp_path / "out/kept.txt", "kept")
    return ("-i", "source=drive://in", "-o", "target=drive://out")


def test_a_recipe_reads_and_writes_folders_by_url(tmp_path, installed, arguments):
    done = run(tmp_path, [installed], *arguments, "--streams-only")
    assert done.returncode == 0, done.stderr
    found = {
        path.relative_to(tmp_path / "out").as_posix(): path.read_text() for path in (tmp_path / "out").rglob("*.txt")
    }
    assert found == {"a.txt": "A", "flat/b.txt": "B", "kept.txt": "kept"}


def test_without_the_plugin_its_urls_are_refused(tmp_path, arguments):
    done = run(tmp_path, [], *arguments)
    assert done.returncode == 2
    assert "nothing that is installed opens 'drive://in'" in done.stderr
    assert "nothing that is installed opens 'drive://out'" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_drive_it_says_what_to_set(tmp_path, installed, arguments):
    done = run(tmp_path, [installed], *arguments, SHARED_DRIVE="")
    assert done.returncode == 2
    assert "set SHARED_DRIVE" in done.stderr
