"""What a distribution imports it declares, and what it declares it imports; the host alone needs no framework."""

import configparser
import re
import sys
from importlib.metadata import packages_distributions

import pytest
from conftest import ROOT
from import_graph import imports

from vision_recipes.model_folder import catalogue

HOST, PLUGIN = ROOT / "mini-host", ROOT
CODE = {HOST: ["minihost"], PLUGIN: ["python-lib", "custom-recipes", "python-runnables", "webapps"]}
OWN = {"minihost", "vision_recipes", "dss_ports", "dataiku", "dataikuapi"}
"""Our own packages, and the modules that the host makes in memory."""
SERVE = {"starlette", "uvicorn", "httptools", "prometheus_client", "multipart"}
OPTIONAL = {
    HOST: {"fsspec", "ray", "sqlalchemy", "psycopg"},
    PLUGIN: {"torch", "pillow_heif", "nncf", *SERVE},
}
"""Imported only where it is installed for another reason: for storages and tables, Keras on another backend, HEIC, the
endpoint, int8."""
UNIMPORTED = {HOST: set(), PLUGIN: {"dss-minihost"}}
"""What is declared for its command alone."""
OF_DSS = {"dss-minihost", "numpy", "flask", "werkzeug"}
"""What DSS brings along itself, or does not need."""
HEAVY = {"tensorflow", "keras", "openvino", "onnx", "onnxruntime", "scikit-learn", "matplotlib", "requests", "pillow"}


def plain(requirement):
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def declared(folder):
    setup = configparser.ConfigParser()
    setup.read(folder / "setup.cfg", encoding="utf-8")
    return {plain(line) for line in setup["options"]["install_requires"].split("\n") if line.strip()}


def imported(folder):
    """The distributions that the packages which a folder's code imports come from."""
    files = [path for place in CODE[folder] for path in (folder / place).rglob("*.py")]
    names = {name.partition(".")[0] for path in files for name in imports(path)}
    distributions = packages_distributions()
    found = names - OWN - set(sys.stdlib_module_names) - OPTIONAL[folder]
    return {plain(one) for name in found for one in distributions.get(name, [f"{name} (not installed)"])}


@pytest.mark.parametrize("folder", [HOST, PLUGIN], ids=["host", "plugin"])
def test_declared_is_imported(folder):
    assert declared(folder) - UNIMPORTED[folder] == imported(folder)


def test_the_host_alone_needs_no_framework():
    assert declared(HOST) & HEAVY == set()
    assert "dss-minihost" in declared(PLUGIN)


def test_the_code_environment_has_what_the_plugin_imports():
    listed = (ROOT / "code-env/python/spec/requirements.txt").read_text(encoding="utf-8").split()
    setup = configparser.ConfigParser()
    setup.read(PLUGIN / "setup.cfg", encoding="utf-8")
    weights = {plain(line) for line in setup["options.extras_require"]["imagenet"].split("\n") if line.strip()}
    assert {plain(line) for line in listed} == (declared(PLUGIN) - OF_DSS) | weights
    packages = {plain(row.package) for row in catalogue.architectures().values() if row.name == catalogue.DEFAULT}
    assert weights == packages
