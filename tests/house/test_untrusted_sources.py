"""What comes from untrusted sources: no code of ours can run it, and the page of faults names tests that exist."""

import ast
import re

import pytest
from conftest import ROOT

LIB = ROOT / "python-lib"
UNPICKLING = {"pickle", "cPickle", "marshal", "shelve", "dill", "joblib", "tables", "cloudpickle"}
LOADING = {"eval", "exec", "load_model", "model_from_json", "model_from_config", "deserialize_keras_object"}
PAGE = ROOT / "docs" / "faults.md"


@pytest.mark.parametrize("path", sorted((LIB / "vision_recipes").rglob("*.py")), ids=lambda p: str(p.relative_to(LIB)))
def test_nothing_unpickles_or_loads_foreign_code(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not {name.split(".")[0] for name in names} & UNPICKLING
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert called not in LOADING, f"line {node.lineno}"
            allowed = [key.value for key in node.keywords if key.arg == "allow_pickle"]
            assert all(isinstance(value, ast.Constant) and value.value is False for value in allowed)
            library = getattr(getattr(node.func, "value", None), "id", "") if called == "load" else ""
            assert library != "torch", f"line {node.lineno}"
            assert allowed or library not in ("np", "numpy"), f"line {node.lineno}: np.load without allow_pickle=False"


def rows():
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"\| ([A-Z]\d+) \|.*\| ([^|]*) \|", line):
            yield match[1], re.findall(r"`((?:mini-host/)?tests/[\w/]+\.py)::(\w+)`", match[2])


def test_every_fault_has_a_test_that_exists():
    told = dict(rows())
    assert len(told) > 60
    missing = []
    for fault, tests in told.items():
        for file, name in tests:
            path = ROOT / file
            if not path.is_file() or not re.search(rf"^ *def {name}\(", path.read_text(encoding="utf-8"), re.M):
                missing.append(f"{fault}: {file}::{name}")
    assert missing == []
    assert [fault for fault, tests in told.items() if not tests] == []


def test_every_known_fault_has_a_row(shared):
    known = (shared.parent / "FAULTS.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| ([A-Z]\d+) \|", known, re.M)) <= {fault for fault, _ in rows()}
