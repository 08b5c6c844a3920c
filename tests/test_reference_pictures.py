"""What a retrained model keeps of its pictures is what the finished network gives for them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_folder.small import write_small_model
from PIL import Image
from test_retrain import COMPUTE, by_folder, by_table, labels_of, read_json
from training.colours import SHADES, write_colour_model, write_colours

from vision_recipes.dataset.splits import SIDES, TRAIN, VALID
from vision_recipes.inference.engine import SCORES_AND_FEATURES
from vision_recipes.inference.forward_pass import Request, forward
from vision_recipes.model_folder import Model, open_model
from vision_recipes.model_folder.reference_pictures import SIDE, ReferencePictures
from vision_recipes.retrain import retrain
from vision_recipes.stores import LocalStore
from vision_recipes.training import reference_pictures as keeping


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


@pytest.fixture
def pictures(tmp_path: Path) -> LocalStore:
    return write_colours(tmp_path / "pictures", 20)


@pytest.fixture
def output(tmp_path: Path) -> LocalStore:
    (tmp_path / "mine").mkdir()
    return LocalStore(tmp_path / "mine")


def kept_by(output: LocalStore) -> tuple[Model, ReferencePictures]:
    opened = open_model(output)
    assert opened.reference_pictures is not None
    return opened, opened.reference_pictures


def assert_as_served(output: LocalStore, pictures: LocalStore, cells: Any = None) -> ReferencePictures:
    """Features, labels, probabilities and scores are those that the finished network gives for the files."""
    model, kept = kept_by(output)
    request = Request(SCORES_AND_FEATURES, extra=cells)
    found = {picture.path: vector for picture, vector in forward(pictures, kept.paths, model, COMPUTE, request)}
    run = {picture["path"]: picture for picture in read_json(output, "run.json")["pictures"]}
    classes = len(model.labels)
    for number, path in enumerate(kept.paths):
        scores, features = found[path][:classes], found[path][classes:]
        assert kept.features[number] == pytest.approx(features, rel=2e-3, abs=1e-3)
        assert kept.predicted[number] == scores.argmax()
        assert kept.probability[number] == pytest.approx(scores.max(), abs=1e-3)
        assert (model.labels[kept.labels[number]], SIDES[kept.sides[number]]) == (
            run[path]["label"],
            run[path]["split"],
        )
        if model.ood_detector is not None:
            assert kept.ood_scores[number] == pytest.approx(model.ood_detector.assess(scores, features)[1], abs=1e-2)
    assert sorted(kept.paths) == sorted(path for path, picture in run.items() if picture["split"] != "test")
    near = kept.nearest(found[kept.paths[0]][classes:], 3)
    assert near[0].number == 0 and near[0].similarity == pytest.approx(1, abs=1e-3)
    return kept


def test_a_last_layer_keeps_what_it_was_made_from(pictures, output, tmp_path):
    write_colour_model(tmp_path / "model")
    retrain(pictures, LocalStore(tmp_path / "model"), output, by_folder())
    kept = assert_as_served(output, pictures)
    assert np.isfinite(kept.ood_scores).all()
    with Image.open(io.BytesIO(kept.thumbnails[0])) as image:
        assert image.format == "WEBP" and max(image.size) <= SIDE
        colour = np.asarray(image).mean(axis=(0, 1))
    assert colour == pytest.approx(SHADES[kept.paths[0].split("/")[1]], abs=30)
    with output.open("/README.md") as stream:
        assert f"of {len(kept)}, for all who have its folder" in stream.read().decode()


@pytest.mark.parametrize(("keep", "thumbnails"), [("thumbnails", True), ("features", False), ("nothing", None)])
def test_less_is_kept_if_less_is_asked_for(pictures, output, tmp_path, keep, thumbnails):
    write_colour_model(tmp_path / "model")
    model, cache = LocalStore(tmp_path / "model"), LocalStore(tmp_path / "cache")
    retrain(pictures, model, output, by_folder(), cache=cache)
    first = kept_by(output)[0].config.files.reference
    retrain(pictures, model, output, by_folder(keep_pictures=keep), cache=cache)
    opened = open_model(output)
    if thumbnails is None:
        assert opened.reference_pictures is None
        assert [path for path in output.paths() if "reference" in path] == []
    else:
        assert {bool(content) for content in opened.reference_pictures.thumbnails} == {thumbnails}
        assert (opened.config.files.reference.sha256 == first.sha256) == thumbnails, "the cache changes nothing"


def test_a_model_with_columns_and_without_a_detector(output, tmp_path):
    few = write_colours(tmp_path / "few", 6)
    write_colour_model(tmp_path / "model")
    table = labels_of(few, price=[float(place) for place in range(18)])
    retrain(few, LocalStore(tmp_path / "model"), output, by_table(extra_columns="price"), table)
    model, kept = kept_by(output)
    price = {f"/{row[0]}": row[2] for row in table.cells}
    (column,) = model.extra_columns
    kept = assert_as_served(
        output, few, lambda picture: np.array([(price[picture.path] - column.mean) / column.scale], np.float32)
    )
    assert model.ood_detector is None and np.isnan(kept.ood_scores).all()


def test_of_many_pictures_some_of_each_class_are_kept(output, tmp_path, monkeypatch):
    many = write_colours(tmp_path / "many", 30)
    write_colour_model(tmp_path / "model")
    monkeypatch.setattr(keeping, "most_pictures", lambda width: 9)
    monkeypatch.setattr(keeping, "MOST_THUMBNAILS", 24)
    retrain(many, LocalStore(tmp_path / "model"), output, by_folder())
    kept = kept_by(output)[1]
    for side in (TRAIN, VALID):
        assert np.bincount(kept.labels[kept.rows(side)]).tolist() == [3, 3, 3]
    assert all(kept.thumbnails[row] for row in kept.rows(TRAIN)), "those with thumbnails come first"
    assert list(kept.paths) == sorted(kept.paths)


@pytest.mark.keras
def test_a_network_that_was_trained_gives_what_is_kept(pictures, output, tmp_path):
    (tmp_path / "small").mkdir()
    base = write_small_model(LocalStore(tmp_path / "small"))
    settings = by_folder(layer_to_retrain="all", initial_weights="random", model_learning_rate=0.01, nb_epochs=2)
    retrain(pictures, base.store, output, settings)
    assert_as_served(output, pictures)
