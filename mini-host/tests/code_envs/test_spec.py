"""What a plugin's descriptor and requirements ask for."""

import sys

import pytest

from minihost.plugins.code_envs import spec
from minihost.plugins.code_envs.core_packages import core_packages
from minihost.plugins.code_envs.requirement_lines import lines_of, plain

OWN = (sys.version_info.major, sys.version_info.minor)


def test_core_packages_give_way_to_what_the_plugin_pins(plugin):
    pins = "Pandas==2.2.3 ; python_version < '3.13'\n--no-binary x\n  # flask\nPy_Arrow\n"
    asked = spec.spec_of("p", plugin(pins, installCorePackages=True))
    assert [plain(package) for package in asked.core] == ["numpy", "pyarrow", "openpyxl", "requests", "flask"]
    assert spec.spec_of("p", plugin(pins)).core == ()


@pytest.mark.parametrize(
    ("chosen", "python", "pandas", "numpy", "remark"),
    [
        ("AUTO", (3, 11), "pandas>=2.2,<3", "numpy<2.5", ""),
        (None, (3, 12), "pandas>=2.2,<3", "numpy<2.5", ""),
        ("PANDAS15", (3, 11), "pandas>=1.5,<1.6", "numpy<2", ""),
        ("PANDAS21", (3, 12), "pandas>=2.1,<2.2", "numpy<2", ""),
        ("PANDAS23", (3, 13), "pandas>=2.3,<2.4", "numpy<2.5", ""),
        ("PANDAS10", (3, 11), "pandas>=1.5,<1.6", "numpy<2", "pandas 1.0, which was never published for Python 3.11"),
        ("PANDAS20", (3, 13), "pandas>=2.2,<3", "numpy<2.5", "never published for Python 3.13"),
        ("PANDAS20", (3, 99), "pandas>=2.2,<3", "numpy<2.5", "never published for Python 3.99"),
        ("PANDAS13", (3, 12), "pandas>=2.2,<3", "numpy<2.5", "never published for Python 3.12"),
        ("LEGACY_PANDAS023", (3, 11), "pandas>=1.5,<1.6", "numpy<2", "pandas 0.23"),
        ("POLARS", (3, 11), "pandas>=2.2,<3", "numpy<2.5", "'POLARS' is not known"),
    ],
)
def test_the_set_of_core_packages_leads_to_its_pandas(chosen, python, pandas, numpy, remark):
    packages, said = core_packages(chosen, python)
    assert packages[:2] == (pandas, numpy)
    assert (remark in said) if remark else not said


@pytest.mark.parametrize(
    ("accepted", "python", "pandas", "remark"),
    [
        (((3, 7), (3, 6)), (3, 11), "pandas>=1.5,<1.6", "pandas 1: pandas>=1.5,<1.6 is installed"),
        (((3, 6), (2, 7)), (3, 12), "pandas>=2.2,<3", "pandas 1: pandas>=2.2,<3 is installed"),
        (((3, 8), (3, 6)), (3, 11), "pandas>=2.2,<3", ""),
    ],
)
def test_a_plugin_for_pythons_before_pandas_2_gets_pandas_1_where_there_is_one(accepted, python, pandas, remark):
    packages, said = core_packages(None, python, accepted)
    assert packages[0] == pandas
    assert (remark in said) if remark else not said


@pytest.mark.parametrize(
    ("accepted", "there", "chosen", "odd"),
    [
        ([], [], sys.executable, False),
        (["PYTHON36", f"PYTHON{OWN[0]}{OWN[1]}"], [], sys.executable, False),
        (["PYTHON399"], ["python3.99"], "/usr/bin/python3.99", False),
        (["PYTHON27", "PYTHON36"], ["python3.6", "python2.7"], sys.executable, True),
        ("nonsense", [], sys.executable, False),
    ],
)
def test_the_python_is_one_that_the_plugin_accepts(plugin, monkeypatch, accepted, there, chosen, odd):
    monkeypatch.setattr(spec.shutil, "which", lambda name: f"/usr/bin/{name}" if name in there else None)
    asked = spec.spec_of("p", plugin("x\n", acceptedPythonInterpreters=accepted))
    python = spec.interpreter("p", asked.pythons)
    assert python.path == chosen
    assert bool(python.warning) == odd


def test_lines_of_a_requirements_file():
    text = "# c\n\n A_b[x]==1.0 \\\n ; python_version < '3.8'  # why\n--find-links u\nhttps://h/f.tar.gz#egg=en_core\n"
    found = list(lines_of(text))
    assert [line.name for line in found] == ["a-b", "", "en-core"]
    assert [line.is_pinned for line in found] == [True, False, False]
    assert [line.applies("3.11") for line in found] == [False, True, True]
    assert found[0].with_versions(">=2").text == "A_b[x]>=2"
