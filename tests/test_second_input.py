"""Retraining with a column that changes what a picture means: chosen, told, and the same wherever the model is used."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dataset.conftest import MemoryTable
from training.colours import write_colour_model, write_colours

from vision_recipes.classify import classify
from vision_recipes.model_folder import open_model
from vision_recipes.retrain import retrain
from vision_recipes.settings import ClassifySettings, ComputeSettings
from vision_recipes.stores import LocalStore
from vision_recipes.training.outcome import COLUMNS
from vision_recipes.training_settings import RetrainSettings

COMPUTE = ComputeSettings(use_gpu="false", precision="float32")
RULES: dict[str, Callable[[str, bool, bool], str]] = {
    "interactions": lambda colour, one, two: "yes" if (colour == "red") == one else "no",
    "hidden": lambda colour, one, two: "yes" if (colour == "red") == (one == two) else "no",
    "picture_only": lambda colour, one, two: colour,
}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


def settings(**params: object) -> RetrainSettings:
    given = {"label_source": "dataset", "col_filename": "path", "col_label": "label", "tensorboard": False}
    return RetrainSettings.from_params({**given, "compute": COMPUTE, "extra_columns": ["one", "two"], **params})


def table_of(pictures: LocalStore, rule: Callable[[str, bool, bool], str]) -> MemoryTable:
    draw, rows = np.random.default_rng(0), []
    for path in pictures.paths():
        one, two = (bool(flag) for flag in draw.integers(0, 2, 2))
        rows.append((path.lstrip("/"), rule(path.split("/")[1], one, two), one, two))
    return MemoryTable("labels", ["path", "label", "one", "two"], rows)


def scored(store: LocalStore, pictures: LocalStore, table: MemoryTable, engine: str) -> dict[str, tuple[str, float]]:
    asked = ClassifySettings(compute=ComputeSettings(engine=engine, use_gpu="false", precision="float32"))
    return {row["images"]: (row["label"], row["probability"]) for row in classify(pictures, store, asked, extra=table)}


def read(store: LocalStore, name: str) -> str:
    with store.open("/" + name) as stream:
        return stream.read().decode()


@pytest.mark.parametrize("formula", RULES)
def test_the_model_says_how_its_columns_join_and_uses_them(tmp_path, formula):
    write_colour_model(tmp_path / "model")
    pictures, output = write_colours(tmp_path / "pictures", 50), LocalStore(tmp_path / "mine")
    (tmp_path / "mine").mkdir()
    table = table_of(pictures, RULES[formula])
    retrain(pictures, LocalStore(tmp_path / "model"), output, settings(), table)
    metrics = json.loads(read(output, "metrics.json"))
    assert metrics["columns"]["chosen"] == formula
    assert set(metrics["columns"]) > {"accuracy_picture_only", "accuracy_additive", "accuracy_interactions"}
    assert metrics["accuracy_both"] == metrics["validation"]["accuracy"] > 0.85
    assert metrics["accuracy_both"] >= metrics["accuracy_picture_only"] - 0.02
    assert COLUMNS[formula] in read(output, "README.md")
    found = scored(output, pictures, table, "openvino")
    assert np.mean([found["/" + row[0]][0] == row[1] for row in table.cells]) > 0.9
    retrain(pictures, output, output, settings(extra_columns=[]), table)
    assert json.loads(read(output, "metrics.json"))["columns"]["chosen"] == formula
    assert open_model(output).config.head.columns == (formula if formula != "picture_only" else "additive")


@pytest.mark.slow
@pytest.mark.keras
def test_rooms_and_places(tmp_path, shared):
    """Whether a photo fits depends on the room that it shows and on its place; both engines agree."""
    from vision_recipes.explain import OptionalInputs, explain
    from vision_recipes.import_model import import_model
    from vision_recipes.macro_settings import ImportSettings
    from vision_recipes.settings import ExplainSettings

    shutil.copytree(shared / "models" / "squeezenet_imagenet", tmp_path / "source")
    for name in ("net", "mine", "new"):
        (tmp_path / name).mkdir()
    net, output, photos = LocalStore(tmp_path / "net"), LocalStore(tmp_path / "mine"), LocalStore(shared / "houses200")
    import_model(ImportSettings(), net, LocalStore(tmp_path / "source"), None, lambda done, total: None)
    with (shared / "houses200.csv").open(encoding="utf-8") as stream:
        kinds = {row["path"]: row["label"] for row in csv.DictReader(stream)}
    places = np.random.default_rng(3).integers(1, 4, len(kinds)).tolist()
    rows = [
        (path, str((kind in ("bathroom", "bedroom")) != (place == 2)), place)
        for (path, kind), place in zip(kinds.items(), places, strict=True)
    ]
    table = MemoryTable("labels", ["path", "label", "place"], rows)
    retrain(photos, net, output, settings(extra_columns=["place"]), table)
    metrics = json.loads(read(output, "metrics.json"))
    assert metrics["columns"]["chosen"] == "interactions"
    assert metrics["accuracy_both"] >= 0.8 > metrics["accuracy_picture_only"]
    for path in list(kinds)[:12]:
        shutil.copy(shared / "houses200" / path, tmp_path / "new" / path)
    new = LocalStore(tmp_path / "new")
    one, other = (scored(output, new, table, engine) for engine in ("openvino", "keras"))
    assert {path: label for path, (label, _) in one.items()} == {path: label for path, (label, _) in other.items()}
    assert all(abs(one[path][1] - other[path][1]) < 1e-4 for path in one)
    explained = list(explain(new, output, ExplainSettings(compute=COMPUTE), OptionalInputs(extra=table)))
    assert [row["label"] for row in explained] == [one[row["images"]][0] for row in explained]
