"""The modules that an endpoint's code is packed from."""

import io
import zipfile
from pathlib import Path

from conftest import ROOT
from import_graph import graph

from vision_recipes.model_export.packed_code import needed_files, pack

LIB = ROOT / "python-lib"
SCORER = "vision_recipes.serving.scorer"


def reached(module: str) -> set[str]:
    """What a module imports of this package, as the tests of the arrows read it, and the packages around that."""
    modules, found, waiting = graph(LIB / "vision_recipes"), set(), [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [*modules[name], *([name.rpartition(".")[0]] if "." in name else [])]
    return found


def test_every_module_that_is_imported_is_packed():
    found = {path.relative_to(LIB).with_suffix("").parts for path in needed_files(SCORER)}
    assert {".".join(parts[:-1] if parts[-1] == "__init__" else parts) for parts in found} == reached(SCORER)


def test_nothing_of_training_is_packed():
    folders = {path.relative_to(LIB / "vision_recipes").parts[0] for path in needed_files(SCORER)}
    assert not folders & {"training", "reports", "model_import", "model_export", "pretrained"}


def test_the_same_code_gives_the_same_bytes():
    packed = pack(SCORER)
    assert packed == pack(SCORER)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert all(name.startswith("vision_recipes/") and name.endswith(".py") for name in archive.namelist())
        assert archive.read("vision_recipes/errors.py") == Path(LIB, "vision_recipes", "errors.py").read_bytes()
