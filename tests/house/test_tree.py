"""The shape of the repository: strict manifests, names, file lengths, packaging that forgets nothing."""

import configparser
import json
import re
import subprocess
from fnmatch import fnmatch

import pytest
from conftest import ROOT

LIB = ROOT / "python-lib"
BANNED = {"utils", "util", "misc", "common", "helper", "helpers", "manager", "handler", "base", "shared"}
MANIFESTS = sorted(
    path
    for pattern in ("plugin.json", "*/*/*.json", "code-env/python/desc.json", "examples/sample-pictures/**/*.json")
    for path in ROOT.glob(pattern)
    if path.name in ("plugin.json", "recipe.json", "runnable.json", "parameter-set.json", "webapp.json", "desc.json")
)


def no_repeats(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), f"a key stands twice among {names}"
    return dict(pairs)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_manifests_are_strict_json_without_repeats(path):
    assert json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=no_repeats)


def test_every_component_has_its_two_files():
    for folder, files in {
        "custom-recipes": {"recipe.json", "recipe.py"},
        "python-runnables": {"runnable.json", "runnable.py"},
        "webapps": {"webapp.json", "backend.py", "body.html", "app.js", "style.css"},
    }.items():
        for component in (ROOT / folder).iterdir():
            assert {path.name for path in component.iterdir() if path.is_file()} >= files, component


def test_nothing_on_disk_is_called_dataiku():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    names = tracked or [str(path.relative_to(ROOT)) for path in LIB.rglob("*")]
    assert not [name for name in names if "dataiku" in [part.split(".")[0] for part in name.split("/")]]


def test_no_tracked_file_is_large():
    """Weights and wheels come from the package index; pictures of the docs are small."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    sizes = {name: (ROOT / name).stat().st_size for name in tracked if (ROOT / name).is_file()}
    assert {name: size for name, size in sizes.items() if size > 300_000} == {}


@pytest.mark.parametrize("path", sorted(LIB.rglob("*.py")), ids=lambda p: str(p.relative_to(LIB)))
def test_files_are_one_concept(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 310
    assert path.stem not in BANNED
    assert path.parent.name not in BANNED


def test_versions_agree():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    version = setup["metadata"]["version"]
    assert json.loads((ROOT / "plugin.json").read_text(encoding="utf-8"))["version"] == version
    assert re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)


def test_an_installed_copy_has_every_component_and_resource():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    patterns = [line for value in setup["options.data_files"].values() for line in value.split()]
    tops = ("custom-recipes", "python-runnables", "parameter-sets", "resource", "webapps", "code-env")
    files = [str(path.relative_to(ROOT)) for top in tops for path in (ROOT / top).rglob("*") if path.is_file()]
    files = [name for name in files if "__pycache__" not in name]
    # fnmatch's star also crosses folders, so count the slashes as well
    lost = [n for n in files if not any(fnmatch(n, p) and n.count("/") == p.count("/") for p in patterns)]
    assert lost == []
    for target, value in setup["options.data_files"].items():
        for pattern in value.split():
            inside = target.removeprefix("share/minihost/plugins/vision-recipes").strip("/")
            assert pattern.rpartition("/")[0] == inside


def test_requirements_of_the_code_environment_are_those_of_the_core():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    declared = setup["options"]["install_requires"] + setup["options.extras_require"]["imagenet"]
    wanted = {line.replace(" ", "") for line in declared.split("\n") if line.strip()}
    listed = (ROOT / "code-env/python/spec/requirements.txt").read_text(encoding="utf-8").split()
    assert listed
    assert set(listed) <= wanted
