"""A folder of wheels that pip takes everything from, and plugins that ask for them."""

import json

import pytest
from component_plugins import put, role, write_components
from local_wheels import write_wheel

from minihost.plugins.code_envs import building, spec


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIHOST_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """Return a maker of wheels in the one folder where pip looks."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "cache"))  # it knows packages by their path, and paths return
    return lambda name, version="1.0", files=None, **more: write_wheel(folder, name, version, files, **more)


@pytest.fixture
def plugin(tmp_path):
    """Return a maker of plugins with a recipe `do` and these requirements."""

    def make(requirements, code="", **described):
        descriptor = {"inputRoles": [role("in")], "outputRoles": [role("out")]}
        root = write_components(tmp_path / "plugin", {"do": (descriptor, code)})
        put(root / "code-env/python/spec/requirements.txt", requirements)
        put(root / "code-env/python/desc.json", json.dumps({"installCorePackages": False, **described}))
        return root

    return make


@pytest.fixture
def built(plugin):
    """Return a builder of environments: their record, with what was reported."""

    def build(requirements, *, relax=False, **described):
        said = []
        wanted = spec.spec_of("sample", plugin(requirements, **described))
        return building.build(wanted, said.append, relax=relax), said

    return build
