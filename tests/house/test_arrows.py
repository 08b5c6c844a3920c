"""The arrows of docs/design.md: who may import whom, and what waits for first use."""

import ast
import subprocess
import sys

import pytest
from conftest import ROOT
from import_graph import cycles, graph, imports, touches

LIB = ROOT / "python-lib"
FLOORS = [
    {"images"},
    {"dataset"},
    {"model_folder"},
    {"model_import", "model_export", "pretrained", "quantisation"},
    {"inference"},
    {"training"},
    {"reports", "serving"},
    {"monitoring", "model_selection", "feature_models", "similarity", "picture_map"},
]
"""The packages, from the ground up; those on one floor never import each other."""
ROOMS = set().union(*FLOORS)
GROUND = {"errors", "pictures", "preprocessing", "resources", "rows", "settings", "stores"}
GROUND |= {
    "compare_settings",
    "feature_model_settings",
    "group_bootstrap",
    "listed_once",
    "local_folders",
    "macro_settings",
    "map_settings",
    "metrics",
    "monitor_settings",
    "report_columns",
    "shards",
    "similar_settings",
    "strict_json",
    "training_settings",
    "webapp_settings",
    "wording",
}
HEAVY = {"tensorflow", "keras", "openvino", "sklearn", "scipy", "pandas", "jinja2", "h5py", "requests", "tensorboard"}
HEAVY |= {"onnx", "onnxruntime", "skops", "openTSNE", "nncf"}
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


def test_packages_only_import_those_below_them():
    core = LIB / "vision_recipes"
    functions = {f"vision_recipes.{path.stem}" for path in core.glob("*.py")} - {
        f"vision_recipes.{ground}" for ground in GROUND
    }
    wrong = []
    for floor, rooms in enumerate(FLOORS):
        above = {f"vision_recipes.{room}" for higher in FLOORS[floor + 1 :] for room in higher}
        for room in rooms:
            beside = {f"vision_recipes.{other}" for other in rooms - {room}}
            for path in (core / room).rglob("*.py"):
                wrong += [(path.name, name) for name in touches(imports(path), above | beside | functions)]
    assert wrong == []


def test_what_all_share_imports_no_package():
    core = LIB / "vision_recipes"
    rooms = {f"vision_recipes.{room}" for room in ROOMS}
    assert {name: found for name in sorted(GROUND) if (found := touches(imports(core / f"{name}.py"), rooms))} == {}


def test_no_files_import_each_other_in_a_circle():
    assert cycles(graph(LIB / "vision_recipes")) == []


def test_scoring_imports_nothing_of_training():
    modules = graph(LIB / "vision_recipes")
    reached, waiting = set(), ["vision_recipes.classify", "vision_recipes.extract"]
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting += modules[module]
    assert "vision_recipes.inference.engine" in reached
    assert [module for module in sorted(reached) if module.startswith("vision_recipes.training.")] == []


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
