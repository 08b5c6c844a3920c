"""Pictures that are posted get the rows that vision-classify gives for files, with little loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from images.files import encoded, picture
from inference.tiny import write_tiny_model

from vision_recipes.classify import classify
from vision_recipes.model_folder import Model
from vision_recipes.serving.scorer import Scorer
from vision_recipes.settings import ClassifySettings, ComputeSettings
from vision_recipes.stores import LocalStore

SETTINGS = ClassifySettings(max_nb_labels=3, compute=ComputeSettings(engine="openvino"))


class Positions:
    """A table with the columns that the tiny model takes, for every picture but the first."""

    name, columns = "positions", ["path", "price", "town"]

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths[1:]

    def rows(self):
        for number, path in enumerate(self.paths):
            yield {"path": path, "price": str(8 + number), "town": "Rome" if number % 2 else "Oslo"}


@pytest.fixture
def pictures(tmp_path: Path) -> LocalStore:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, kind in enumerate(("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")):
        (folder / f"{number}.{kind.lower()}").write_bytes(encoded(picture(20 + 9 * number, 40), kind))
    jpeg = encoded(picture(64, 64), "JPEG")
    for name, content in {"cut": jpeg[:300], "empty": b"", "text": b"hello", "endless": jpeg[:-2]}.items():
        (folder / name).write_bytes(content)
    return LocalStore(folder)


@pytest.mark.parametrize("extra", [False, True])
def test_a_posted_picture_gets_the_row_of_the_recipe(pictures: LocalStore, tmp_path: Path, extra: bool) -> None:
    model = write_tiny_model(tmp_path / "model", extra=extra)
    paths = pictures.paths()
    table = Positions(paths) if extra else None
    expected = list(classify(pictures, model.store, SETTINGS, extra=table))
    contents = [(pictures.root / path[1:]).read_bytes() for path in paths]
    cells = [None, *table.rows()] if table else None
    scorer = Scorer(model, SETTINGS)
    scored = scorer.score(contents, cells, names=paths)
    assert [one.row for one in scored] == expected
    assert [one.row for row in range(len(paths)) for one in _alone(scorer, contents, cells, paths, row)] == expected
    scorer.close()
    assert {row["reason"] for row in expected} == {"", "truncated", "empty", "not_an_image"}


def _alone(scorer: Scorer, contents, cells, paths, row: int):
    return scorer.score([contents[row]], cells and [cells[row]], [paths[row]])


def test_features_come_on_request(pictures: LocalStore, tmp_path: Path) -> None:
    model: Model = write_tiny_model(tmp_path / "model")
    contents = [encoded(picture(40, 40), "PNG"), b"no picture"]
    plain, more = Scorer(model, SETTINGS).score(contents), Scorer(model, SETTINGS, features=True).score(contents)
    assert [one.row for one in plain] == [one.row for one in more]
    assert plain[0].features is None and more[1].features is None
    assert more[0].features is not None and more[0].features.dtype == np.float32 and more[0].features.ndim == 1


def test_scoring_needs_openvino_numpy_and_pillow_alone(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "model")
    code = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[2].split():
            raise ImportError(f"{name} is not in the endpoint's environment")
sys.meta_path.insert(0, Blocked())
from vision_recipes.model_folder import open_model
from vision_recipes.serving.scorer import Scorer
from vision_recipes.stores import LocalStore
print(Scorer(open_model(LocalStore(sys.argv[1]))).score([b"x"])[0].row["reason"])
"""
    others = "tensorflow keras pandas scipy h5py filelock platformdirs flask jinja2 onnx requests minihost dataiku"
    done = subprocess.run(
        [sys.executable, "-c", code, model.store.name, others], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "not_an_image"
