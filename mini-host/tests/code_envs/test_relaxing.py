"""Requirements written for older Pythons, with the nearest versions that this one can install."""

import sys

import pytest
from local_wheels import write_wheel

from minihost.cli import main
from minihost.plugins.code_envs.relaxing import Relaxed
from minihost.plugins.code_envs.requirement_lines import lines_of

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def relaxed(text, wheels, pure=()):
    found = Relaxed(list(lines_of(text)), "3.11")
    found.drop_needless()
    found.find_wheels(lambda name: wheels.get(name, []), lambda name: list(pure))
    return found


@pytest.mark.parametrize(
    ("asked", "wheels", "text"),
    [
        ("a==1.0", ["1.2", "1.1.3", "1.1.4", "0.9"], "a~=1.1.3"),
        ("a==1.0", ["1.0"], "a==1.0"),
        ("a==1.0", [], "a==1.0"),  # it may be built
        ("a>=0.20,<0.21", ["1.1.3", "0.19"], "a~=1.1.3"),
        ("a<2", ["3.0", "2.1"], "a~=2.1"),
        ("a[x,y]==1.0.*; python_version > '3'", ["2.0rc1", "2021.4"], "a[x,y]~=2021.4"),
        ("a==0.1; python_version < '3.8'\na==1.0; python_version >= '3.8'", ["2.0"], "a~=2.0"),
        ("a==5", ["3", "4"], "a==5"),  # it may be built
        ("a==1+cu11", ["7"], "a>=7"),
        ("a>=1", ["7"], "a>=1"),
        ("a", ["7"], "a"),
        ("https://h/a.tar.gz#egg=a", ["7"], "https://h/a.tar.gz#egg=a"),
        ("a===odd", ["7"], "a>=7"),
    ],
)
def test_a_pin_without_a_wheel_goes_to_the_nearest_series(asked, wheels, text):
    assert [line.text for line in relaxed(asked, {"a": wheels}).lines] == [text]


def test_what_is_needless_is_left_out():
    found = relaxed("enum34==1.1.10\nDataClasses\npip==9.0.1\nflask==1.0", {})
    assert [line.text for line in found.lines] == ["flask==1.0"]
    assert found.said() == [
        "enum34==1.1.10 is left out (part of Python since 3.4)",
        "DataClasses is left out (part of Python since 3.7)",
        "pip==9.0.1 is left out (the host installs with its own)",
    ]


def test_steps_lead_from_a_pin_to_nothing():
    found = relaxed("a[x]==1.0 ; python_version > '3'", {"a": ["1.2.3"]})
    texts = []
    while found.loosen(["a"], "why", may_drop=True):
        texts.append([line.text for line in found.lines])
    assert texts == [["a[x]>=1.2.3"], ["a[x]"], []]
    assert found.said() == ["a[x]==1.0 ; python_version > '3' is left out (why)"]
    assert not found.loosen(["absent"], "why", may_drop=True)
    kept = relaxed("a", {})
    assert not kept.loosen(["a"], "why", may_drop=False)


def test_what_is_not_compiled_is_built_as_pinned_first():
    found = relaxed("a==1.0", {"a": ["1.2.3", "2.0"]}, pure=["1.2.3"])
    texts = [found.lines[0].text]
    while found.loosen(["a"], "why", may_drop=False):
        texts.append(found.lines[0].text)
    assert texts == ["a==1.0", "a~=1.2.3", "a>=1.2.3", "a"]
    assert found.copy() == found
    newer = relaxed("a==5", {"a": ["3", "4"]})
    assert newer.loosen(["a"], "why", may_drop=False)
    assert newer.said() == ["a==5 -> a<=4 (why)"]


@pytest.mark.slow
def test_an_environment_for_an_old_python(built, wheel):
    wheel("learner", "1.1.3", requires=["jobs>=1.0"])
    wheel("learner", "1.4")
    wheel("jobs", "0.14.1")
    wheel("jobs", "1.2")
    record, _ = built(
        "learner>=0.20,<0.21\njobs==0.14.1\nenum34==1.1\nlearner-old==1; python_version < '3'\n", relax=True
    )
    assert record.is_relaxed
    assert set(record.relaxed) == {
        f"learner>=0.20,<0.21 -> learner~=1.1.3 (no version for Python {PYTHON})",
        "jobs==0.14.1 -> jobs>=0.14.1 (does not go with the others)",
        "enum34==1.1 is left out (part of Python since 3.4)",
    }
    assert record.failures == ()


def test_what_does_not_exist_is_left_out_and_said(plugin, wheel, capsys):
    wheel("there", "2.0")
    root = plugin("there==1.0\nabsent==1.0\n")
    assert main(["env", str(root), "--relax"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"relaxed: there==1.0 -> there~=2.0 (no version for Python {PYTHON})",
        f"relaxed: absent==1.0 is left out (no version for Python {PYTHON})",
    ]
    assert main(["env", str(root)]) == 0
    assert "relaxed: there==1.0 -> there~=2.0" in capsys.readouterr().out


def test_what_cannot_be_imported_gets_a_newer_version(built, wheel):
    wheel("old", "1.0", {"old.py": "from collections import Mapping"})
    wheel("old", "2.0")
    record, _ = built("old==1.0\n", relax=True)
    assert record.relaxed == ("old==1.0 -> old>=1.0 (cannot be imported)",)
    assert record.failures == ()


def test_a_wheel_for_another_python_is_none(built, wheel, tmp_path):
    write_wheel(tmp_path / "wheels", "native", "1.0", tag="cp36-cp36m-manylinux1_x86_64")
    wheel("native", "1.5")
    record, _ = built("native==1.0\n", relax=True)
    assert record.relaxed == (f"native==1.0 -> native~=1.5 (no version for Python {PYTHON})",)
