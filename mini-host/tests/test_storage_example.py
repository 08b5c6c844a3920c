"""The example of a host plugin from outside, registered by a real entry point."""

import importlib.util
import io
import os
import subprocess
import sys

import pytest
from checkout import HOST, ROOT
from plugin_folders import RECIPE, write, write_plugin

EXAMPLE = ROOT / "examples" / "fsspec-storage"
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
    write(site / "minihost_fsspec.py", (EXAMPLE / "minihost_fsspec.py").read_text())
    write(
        site / "minihost_fsspec-1.0.0.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: minihost-fsspec\nVersion: 1.0.0\n",
    )
    write(site / "minihost_fsspec-1.0.0.dist-info/entry_points.txt", "[minihost]\nfsspec = minihost_fsspec\n")
    return site


def role(name):
    return {"name": name, "arity": "UNARY", "required": True, "acceptsDataset": False, "acceptsManagedFolder": True}


def run(tmp_path, modules, *arguments):
    path = os.pathsep.join([*map(str, modules), str(HOST)])
    environment = {**os.environ, "PYTHONPATH": path, "MINIHOST_HOME": str(tmp_path / "home")}
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
    return ("-i", f"source=file://{tmp_path}/in", "-o", f"target=file://{tmp_path}/out")


def test_a_recipe_reads_and_writes_folders_by_url(tmp_path, installed, arguments):
    done = run(tmp_path, [installed], *arguments, "--streams-only")
    assert done.returncode == 0, done.stderr
    found = {
        path.relative_to(tmp_path / "out").as_posix(): path.read_text() for path in (tmp_path / "out").rglob("*.txt")
    }
    assert found == {"a.txt": "A", "flat/b.txt": "B", "kept.txt": "kept"}


def test_without_the_plugin_urls_are_refused(tmp_path, arguments):
    done = run(tmp_path, [], *arguments)
    assert done.returncode == 2
    assert f"file://{tmp_path}/" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_folder_of_the_example():
    spec = importlib.util.spec_from_file_location("minihost_fsspec", EXAMPLE / "minihost_fsspec.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = module.FsspecFolder("memory://bucket/photos")
    assert folder.paths() == []
    assert folder.facts("/a/b.txt") is None
    folder.write("/a/b.txt", io.BytesIO(b"hello"))
    folder.write("/c.txt", io.BytesIO(b"x"))
    assert folder.paths() == ["/a/b.txt", "/c.txt"]
    assert folder.children("/") == ["a", "c.txt"]
    assert folder.open("/a/b.txt").read() == b"hello"
    assert folder.facts("/a/b.txt").size == 5
    assert folder.facts("/a/b.txt").modified > 0
    folder.delete("/a")
    folder.delete("/nothing")
    assert folder.paths() == ["/c.txt"]
    folder.clear()
    assert folder.paths() == []
