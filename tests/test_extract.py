"""From a folder to rows of vectors: the layer by index, averaged or flattened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from images.files import encoded, picture
from inference.memory_store import MemoryStore
from inference.tiny import CHANNELS, LABELS, write_tiny_model

from vision_recipes import rows
from vision_recipes.dataset.feature_table import read_feature_table
from vision_recipes.errors import LabelsError, ModelFolderError, PictureFolderError, SettingsError
from vision_recipes.extract import extract
from vision_recipes.model_folder import Model
from vision_recipes.rows import Column
from vision_recipes.settings import ComputeSettings
from vision_recipes.stores import LocalStore, Table
from vision_recipes.training_settings import ExtractSettings

COMPUTE = ComputeSettings(use_gpu="false", precision="float32")


@dataclass
class RowTable:
    """A table in memory, with types."""

    name: str
    held: list[dict[str, Any]]
    types: dict[str, str]

    @property
    def columns(self) -> list[str]:
        return list(self.types)

    def rows(self) -> Iterator[dict[str, Any]]:
        return iter(self.held)


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


def _extracted(folder: LocalStore, model: Model, extra: Table | None = None, **params: Any) -> tuple[list[Column], Any]:
    settings = ExtractSettings.from_params({"compute": {"use_gpu": "false", "precision": "float32"}, **params})
    found = extract(folder, model.store, settings, extra=extra)
    return list(found.columns), list(found)


def test_a_column_for_each_number_holds_the_same_numbers(
    folder: LocalStore, tiny: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (_, arrays), (columns, spread) = _extracted(folder, tiny), _extracted(folder, tiny, features_as="columns")
    names = [f"feature_{number}" for number in range(1, CHANNELS + 1)]
    assert [column.name for column in columns] == ["images", *names, "error", "reason"]
    for array, row in zip(arrays, spread, strict=True):
        assert list(row) == [column.name for column in columns]
        assert [row[name] for name in names] == (array["prediction"] or [None] * CHANNELS)
    kinds = {column.name: column.type for column in columns}
    (tmp_path / "work").mkdir()
    read = read_feature_table(RowTable("features", spread, kinds), tmp_path / "work")
    assert read.vectors.tobytes() == np.array([row["prediction"] for row in arrays if not row["error"]], "f4").tobytes()
    monkeypatch.setattr("vision_recipes.extract.MAX_COLUMNS", 10)
    with pytest.raises(SettingsError, match="features_as: layer 2 .* gives .* numbers .* at most 10 .* flatten off"):
        _extracted(folder, tiny, features_as="columns", flatten=True, extract_layer_index=2)


def test_columns_of_a_table_and_labels_of_file_names_stand_beside_the_vector(folder: LocalStore, tiny: Model) -> None:
    rows = [
        {"file": "pictures/0.png", "price": 7, "Error": "none", "tags": '["a"]', "label": "x"},
        {"file": "pictures/1.png", "price": 8, "Error": "none", "tags": "", "label": "y"},
        {"file": "pictures/1.png", "price": 9, "Error": None, "tags": "", "label": "z"},
        {"file": "pictures/99.png", "price": 10, "Error": None, "tags": "", "label": "z"},
        {"file": "pictures/broken.jpg", "price": 11, "Error": None, "tags": "", "label": "z"},
    ]
    kinds = {"file": "string", "price": "bigint", "Error": "string", "tags": "array", "label": "string"}
    table = RowTable("houses", rows, kinds)
    columns, found = _extracted(folder, tiny, table, label_pattern="{label}.png")
    beside = [(column.name, column.type) for column in columns[4:]]
    assert beside[0] == ("label", "string")
    assert beside[1:] == [("price", "bigint"), ("Error_2", "string"), ("tags", "object"), ("label_2", "string")]
    by_path = {row["images"]: row for row in found}
    first, again, without, broken = (by_path[path] for path in ("/0.png", "/1.png", "/2.png", "/broken.jpg"))
    assert (first["label"], first["price"], first["Error_2"], first["tags"], first["error"]) == (
        "0",
        7,
        "none",
        '["a"]',
        0,
    )
    assert (again["price"], again["label_2"]) == (9, "z") and without["price"] is None and without["label"] == "2"
    assert (broken["price"], broken["error"], broken["label"]) == (11, 1, None)
    columns, _ = _extracted(folder, tiny, table, extra_columns=["price", "file"], col_filename="file")
    assert [column.name for column in columns[4:]] == ["price", "file"]


def test_a_row_of_several_pictures_joins_them_by_the_key_in_their_names(folder: LocalStore, tiny: Model) -> None:
    for number in range(5):
        (folder.root / f"{number}.png").rename(folder.root / f"0{number // 2}_{'ab'[number % 2]}.png")
    rows = [
        {"rooms": 9, "id": 0.0, "price": 5},
        {"rooms": 8, "id": 1.0, "price": 6},
        {"rooms": 7, "id": 77.0, "price": 7},
    ]
    table = RowTable("houses", rows, {"rooms": "bigint", "id": "double", "price": "bigint"})
    columns, found = _extracted(folder, tiny, table, key_pattern="{key}_*")
    assert [column.name for column in columns[4:]] == ["rooms", "id", "price"]
    prices = {row["images"]: row["price"] for row in found}
    assert prices == {
        "/00_a.png": 5,
        "/00_b.png": 5,
        "/01_a.png": 6,
        "/01_b.png": 6,
        "/02_a.png": None,
        "/broken.jpg": None,
    }
    for params, words in (
        ({"key_pattern": "{label}_*"}, "key_pattern '{label}_.*' holds {key} 0 times"),
        ({"key_pattern": "x{key}"}, "no column of houses holds keys .*no file name fits; the first is '/00_a.png'"),
        (
            {"key_pattern": "{key}_*", "col_filename": "rooms"},
            "column 'rooms' of houses holds no key .*first key is '0'",
        ),
    ):
        with pytest.raises((SettingsError, LabelsError), match=words):
            _extracted(folder, tiny, table, **params)


@pytest.mark.parametrize(
    ("params", "error", "words"),
    [
        (
            {"extra_columns": ["price"]},
            SettingsError,
            "extra_columns is about the columns of a dataset, but none is connected",
        ),
        ({"col_filename": "path"}, SettingsError, "Connect it as extra_dataset"),
        ({"label_source": "folder_names"}, LabelsError, "names of sub-folders"),
        ({"label_pattern": "{label}-{number}"}, LabelsError, "None of the 6 files gives a label"),
        ({"label_source": "file_names"}, SettingsError, "label_pattern: labels come from file names"),
        ({"table": {"file": "0.png"}, "extra_columns": ["prise"]}, SettingsError, "'prise' should join .* has 'file'"),
        ({"table": {"file": "0.png"}, "col_filename": "fil"}, SettingsError, "no column 'fil'; .* Did you mean 'file'"),
        ({"table": {"file": "cat", "n": 77}}, SettingsError, "no column of houses holds paths"),
    ],
)
def test_mistakes_about_columns_are_named(folder: LocalStore, tiny: Model, params, error, words: str) -> None:
    row = params.pop("table", None)
    table = row and RowTable("houses", [row], dict.fromkeys(row, "string"))
    with pytest.raises(error, match=words):
        _extracted(folder, tiny, table, **params)


def test_mistakes_are_told_before_the_first_row(tmp_path: Path, folder: LocalStore, tiny: Model) -> None:
    with pytest.raises(ModelFolderError, match="no layer 99"):
        extract(folder, tiny.store, ExtractSettings(99, compute=COMPUTE))
    (tmp_path / "empty").mkdir()
    with pytest.raises(PictureFolderError):
        extract(LocalStore(tmp_path / "empty"), tiny.store, ExtractSettings(compute=COMPUTE))
