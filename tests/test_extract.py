"""From a folder to rows of vectors: the layer by index, averaged or flattened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from images.files import encoded, picture
from inference.memory_store import MemoryStore
from inference.tiny import CHANNELS, LABELS, write_tiny_model

from vision_recipes import rows
from vision_recipes.errors import ModelFolderError, PictureFolderError
from vision_recipes.extract import extract
from vision_recipes.model_folder import Model
from vision_recipes.settings import ComputeSettings, ExtractSettings
from vision_recipes.stores import LocalStore

COMPUTE = ComputeSettings(use_gpu="false", precision="float32")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


@pytest.fixture
def tiny(tmp_path: Path) -> Model:
    return write_tiny_model(tmp_path / "model")


@pytest.fixture
def folder(tmp_path: Path) -> LocalStore:
    root = tmp_path / "pictures"
    root.mkdir()
    for number in range(5):
        (root / f"{number}.png").write_bytes(encoded(picture(20 + 9 * number, 20), "PNG"))
    (root / "broken.jpg").write_bytes(b"no")
    return LocalStore(root)


def _vectors(folder: LocalStore, tiny: Model, index: int, *, flatten: bool = False) -> np.ndarray:
    settings = ExtractSettings(extract_layer_index=index, flatten=flatten, compute=COMPUTE)
    found = list(extract(folder, tiny.store, settings))
    assert [row["images"] for row in found] == folder.paths()
    assert all(list(row) == [column.name for column in rows.EXTRACTED] for row in found)
    bad = [row for row in found if row["error"]]
    assert [(row["images"], row["prediction"], row["reason"]) for row in bad] == [("/broken.jpg", None, "not_an_image")]
    assert all(type(number) is float for row in found if not row["error"] for number in row["prediction"])
    return np.array([row["prediction"] for row in found if not row["error"]])


def test_the_penultimate_layer_is_the_default(folder: LocalStore, tiny: Model) -> None:
    vectors = _vectors(folder, tiny, -2)
    assert vectors.shape == (5, CHANNELS)
    assert np.array_equal(vectors, _vectors(folder, tiny, 3))
    assert ExtractSettings().extract_layer_index == -2


def test_spatial_layers_are_averaged_unless_flattened(folder: LocalStore, tiny: Model) -> None:
    flat = _vectors(folder, tiny, 2, flatten=True)
    assert flat.shape == (5, 7 * 11 * CHANNELS)
    assert np.allclose(_vectors(folder, tiny, 2), flat.reshape(5, 77, CHANNELS).mean(1), atol=1e-5)
    assert np.allclose(_vectors(folder, tiny, 2), _vectors(folder, tiny, -2), atol=1e-5)


def test_the_last_layer_gives_the_scores(folder: LocalStore, tiny: Model) -> None:
    scores = _vectors(folder, tiny, -1)
    assert scores.shape == (5, len(LABELS)) and np.allclose(scores.sum(1), 1, atol=1e-5)


def test_vectors_of_other_layers_are_kept_apart(folder: LocalStore, tiny: Model) -> None:
    cache = MemoryStore()

    def found(index: int, *, flatten: bool = False) -> list[dict[str, object]]:
        settings = ExtractSettings(extract_layer_index=index, flatten=flatten, compute=COMPUTE)
        return list(extract(folder, tiny.store, settings, cache))

    for index, flatten in ((2, False), (2, True), (3, False), (-1, False), (2, False)):
        assert found(index, flatten=flatten) == list(
            extract(folder, tiny.store, ExtractSettings(index, flatten, compute=COMPUTE))
        )


def test_a_model_with_table_columns_gives_what_it_sees_in_the_picture(tmp_path: Path, folder: LocalStore) -> None:
    model = write_tiny_model(tmp_path / "extra", extra=True)
    (plain, *_), (joined, *_) = (
        list(extract(folder, store, ExtractSettings(-2, compute=COMPUTE)))
        for store in (write_tiny_model(tmp_path / "plain").store, model.store)
    )
    assert joined["error"] == 0 and joined["prediction"] == plain["prediction"]
    with pytest.raises(ModelFolderError, match="columns of a table .*price.* vision-classify"):
        extract(folder, model.store, ExtractSettings(-1, compute=COMPUTE))


def test_mistakes_are_told_before_the_first_row(tmp_path: Path, folder: LocalStore, tiny: Model) -> None:
    with pytest.raises(ModelFolderError, match="no layer 99"):
        extract(folder, tiny.store, ExtractSettings(99, compute=COMPUTE))
    (tmp_path / "empty").mkdir()
    with pytest.raises(PictureFolderError):
        extract(LocalStore(tmp_path / "empty"), tiny.store, ExtractSettings(compute=COMPUTE))
