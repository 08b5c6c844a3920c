"""The arrows of docs/design.md: who may import whom, and what waits for first use."""

import ast
import subprocess
import sys

import pytest
from conftest import ROOT
from import_graph import imports, touches

LIB = ROOT / "python-lib"
FLOORS = [
    {"images"},
    {"dataset"},
    {"model_folder"},
    {"model_import", "model_export", "pretrained"},
    {"inference"},
    {"training"},
    {"reports"},
]
"""The rooms, from the ground up; those on one floor never import each other."""
ROOMS = set().union(*FLOORS)
GROUND = {"errors", "parameters", "pictures", "preprocessing", "processors", "resources", "rows", "settings", "stores"}
GROUND |= {"metrics", "strict_json"}
HEAVY = {"tensorflow", "keras", "openvino", "sklearn", "scipy", "pandas", "jinja2", "h5py", "requests", "tensorboard"}
HEAVY |= {"onnx", "onnxruntime"}
FORBIDDEN = {
    "vision_recipes": {"dataiku", "dss_ports", "minihost"},
    "dss_ports": {"minihost", "keras", "tensorflow", "openvino", "PIL"} | {f"vision_recipes.{room}" for room in ROOMS},
}


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_packages_import_only_what_their_arrows_allow(package):
    files = sorted((LIB / package).rglob("*.py"))
    assert files
    found = {str(path.relative_to(LIB)): touches(imports(path), FORBIDDEN[package]) for path in files}
    assert {path: names for path, names in found.items() if names} == {}


def test_only_the_border_imports_dataiku():
    found = [path for path in LIB.rglob("*.py") if touches(imports(path), {"dataiku"})]
    assert {path.relative_to(LIB).parts[0] for path in found} == {"dss_ports"}


@pytest.mark.parametrize("path", sorted((LIB / "vision_recipes").rglob("*.py")), ids=lambda p: str(p.relative_to(LIB)))
def test_heavy_libraries_wait_inside_functions(path):
    assert touches(imports(path, top_level_only=True), HEAVY) == []


def test_rooms_only_look_down_and_never_at_walks():
    core = LIB / "vision_recipes"
    walks = {f"vision_recipes.{path.stem}" for path in core.glob("*.py")} - {
        f"vision_recipes.{ground}" for ground in GROUND
    }
    wrong = []
    for floor, rooms in enumerate(FLOORS):
        above = {f"vision_recipes.{room}" for higher in FLOORS[floor + 1 :] for room in higher}
        for room in rooms:
            beside = {f"vision_recipes.{other}" for other in rooms - {room}}
            for path in (core / room).rglob("*.py"):
                wrong += [(path.name, name) for name in touches(imports(path), above | beside | walks)]
    assert wrong == []


def test_runners_open_call_write():
    runners = sorted(ROOT.glob("custom-recipes/*/recipe.py")) + sorted(ROOT.glob("python-runnables/*/runnable.py"))
    runners += sorted(ROOT.glob("webapps/*/backend.py"))
    assert len(runners) >= 7
    for path in runners:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 28, path
        roots = {name.split(".")[0] for name in imports(path)}
        assert roots <= {"dss_ports", "vision_recipes", "dataiku", "flask", "werkzeug"}, path
        assert not touches(imports(path), {f"vision_recipes.{room}" for room in ROOMS}), path
        branches = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.If | ast.For | ast.While)]
        assert branches == [], path


def test_the_core_wakes_no_framework():
    walks = ["classify", "extract", "retrain", "evaluate", "download", "import_model", "settings"]
    code = (
        "import sys\n"
        + "\n".join(f"import vision_recipes.{walk}" for walk in walks)
        + f"\nprint(sorted(set(sys.modules).intersection({sorted(HEAVY)!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
