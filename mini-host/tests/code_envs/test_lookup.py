"""Which Python components run with, and what is said where it is not the one of DSS."""

import importlib.machinery
import subprocess
import sys
from pathlib import Path

import minihost
from minihost.plugins.code_envs import lookup
from minihost.user_folders import plugin_store

MISSING = "ModuleNotFoundError: No module named 'faiss.x'"


def pandas_at(folder, version, monkeypatch):
    (folder / f"pandas-{version}.dist-info").mkdir(parents=True)
    found = importlib.machinery.ModuleSpec("pandas", None, origin=str(folder / "pandas" / "__init__.py"))
    monkeypatch.setattr(lookup.importlib.util, "find_spec", lambda name: found)


def test_another_pandas_than_that_of_dss_is_said(tmp_path, monkeypatch):
    pandas_at(tmp_path, "3.1.1", monkeypatch)
    python, warning = lookup.python_for("sample", tmp_path)
    assert python is None
    assert "This host has pandas 3.1.1, but DSS has pandas 2" in warning
    assert "-m pip install 'pandas>=2.2,<3'" in warning


def test_pandas_2_is_not_worth_a_word(tmp_path, monkeypatch):
    pandas_at(tmp_path, "2.3.3", monkeypatch)
    assert lookup.other_pandas() == ""
    monkeypatch.setattr(lookup.importlib.util, "find_spec", lambda name: None)
    assert lookup.other_pandas() == ""


def test_looking_imports_nothing_heavy():
    code = (
        "import sys; from minihost.plugins.code_envs import lookup; lookup.other_pandas(); "
        "print({'pandas', 'numpy', 'packaging', 'importlib.metadata'} & set(sys.modules))"
    )
    folder = str(Path(minihost.__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_missing_module_names_the_command(plugin):
    root = plugin("faiss-cpu\n")
    assert lookup.missing_module_hint("sample", root, MISSING) == (
        "faiss.x may be part of the plugin's code environment, which is not built: minihost env " + str(root)
    )
    assert lookup.missing_module_hint("sample", root, "ValueError: no") == ""
    assert lookup.missing_module_hint("sample", root.parent, MISSING) == ""
    assert lookup.command_for("sample", plugin_store() / "sample") == "minihost env sample"
