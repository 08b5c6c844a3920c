"""From a folder to rows of labels: one row per file, results kept, mistakes told before the first row."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from images.files import bad_files, encoded, good_files, picture
from inference.memory_store import MemoryStore
from inference.tiny import LABELS, tiny_scores, write_tiny_model

from vision_recipes import rows
from vision_recipes.classify import classify
from vision_recipes.errors import ModelFolderError, PictureFolderError, SettingsError
from vision_recipes.images.decoding import decode
from vision_recipes.inference import forward_pass
from vision_recipes.model_folder import Model
from vision_recipes.pictures import Picture
from vision_recipes.settings import ClassifySettings, ComputeSettings
from vision_recipes.stores import LocalStore

COMPUTE = ComputeSettings(use_gpu="false", precision="float32")
SETTINGS = ClassifySettings(compute=COMPUTE)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


@pytest.fixture
def tiny(tmp_path: Path) -> Model:
    return write_tiny_model(tmp_path / "model")


@pytest.fixture
def folder(tmp_path: Path) -> LocalStore:
    """A folder that is half hostile."""
    root = tmp_path / "pictures"
    (root / "sub").mkdir(parents=True)
    for name, content in good_files().items():
        (root / name).write_bytes(content)
    for name, (content, _) in bad_files().items():
        (root / "sub" / name).write_bytes(content)
    (root / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1")
    return LocalStore(root, "pictures")


class Rows:
    """A table in memory."""

    name = "facts"

    def __init__(self, columns: list[str], cells: list[tuple[Any, ...]]) -> None:
        self.columns, self.cells = columns, cells

    def rows(self) -> Iterator[Mapping[str, Any]]:
        return (dict(zip(self.columns, row, strict=True)) for row in self.cells)


def test_one_row_per_file_in_order_with_the_networks_answers(
    folder: LocalStore, tiny: Model, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    found = list(classify(folder, tiny.store, SETTINGS))
    assert [row["images"] for row in found] == folder.paths()
    assert all(list(row) == [column.name for column in rows.CLASSIFIED] for row in found)
    reasons = {f"/sub/{name}": reason for name, (_, reason) in bad_files().items()} | {"/.DS_Store": "not_an_image"}
    for row in found:
        if row["images"] in reasons:
            assert (row["error"], row["reason"]) == (1, reasons[row["images"]])
            assert row["prediction"] is row["label"] is row["probability"] is None
        else:
            scores = tiny_scores(tiny, decode(good_files()[row["images"][1:]], tiny.preprocessing))
            told = json.loads(row["prediction"])
            assert (row["error"], row["reason"]) == (0, "")
            assert list(told) == [tiny.label_keys[place] for place in np.argsort(-scores)]
            assert np.allclose(list(told.values()), np.sort(scores)[::-1], atol=1e-5)
            assert (row["label"], row["probability"]) == next(iter(told.items()))
    assert "1 hidden or system file is" in caplog.text and "/.DS_Store" in caplog.text
    assert f"classified {len(good_files())} of {len(found)} files" in caplog.text
    truncated = sum(reason == "truncated" for reason in reasons.values())
    assert f"{len(reasons)} files have no result: truncated {truncated}, " in caplog.text


def test_only_broken_files_are_rows_and_a_warning(
    tmp_path: Path, tiny: Model, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.jpg").write_bytes(b"no picture")
    (row,) = classify(LocalStore(tmp_path / "broken"), tiny.store, SETTINGS)
    assert (row["error"], row["reason"]) == (1, "not_an_image")
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_labels_are_cut_by_number_and_threshold() -> None:
    scores = np.array([0.1, 0.5, 0.3, 0.07, 0.03], np.float32)
    keys = ("a", "b", "c", "d", "e")

    def told(**options: Any) -> dict[str, float]:
        row = rows.classified(Picture("/x"), scores, keys, ClassifySettings(**options))
        assert (row["label"], row["probability"]) == ("b", 0.5)
        return dict(json.loads(row["prediction"]))

    assert list(told()) == ["b", "c", "a", "d", "e"]
    assert list(told(max_nb_labels=2)) == ["b", "c"]
    assert list(told(min_threshold=0.1)) == ["b", "c", "a"]
    assert told(min_threshold=0.9) == {}


def test_the_best_labels_are_those_of_a_stable_sort_whatever_is_equal() -> None:
    draw = np.random.default_rng(0)
    for classes in (1, 2, 5, 6, 1000):
        for steps in (1, 3, 10_000):  # how many different scores there are
            scores = (draw.integers(0, steps, classes) / steps).astype(np.float32)
            keys = tuple(f"class {place}" for place in range(classes))
            for most in (1, 5, 11, 2000):
                best = np.argsort(-scores, kind="stable")[:most]
                expected = {keys[place]: rows.rounded(scores[place]) for place in best}
                row = rows.classified(Picture("/x"), scores, keys, ClassifySettings(max_nb_labels=most))
                assert row["prediction"] == json.dumps(expected) and row["label"] == keys[best[0]]


def test_labels_are_text_as_written() -> None:
    row = rows.classified(Picture("/x"), np.array([0.4, 0.6], np.float32), ('é\n"', "007"), ClassifySettings())
    assert json.loads(row["prediction"]) == {"007": 0.6, 'é\n"': 0.4}


def test_mistakes_are_told_before_the_first_row(tmp_path: Path, folder: LocalStore, tiny: Model) -> None:
    (tmp_path / "empty").mkdir()
    empty = LocalStore(tmp_path / "empty", "empty")
    with pytest.raises(PictureFolderError, match="'empty' has no files"):
        classify(empty, tiny.store, SETTINGS)
    with pytest.raises(ModelFolderError, match=r"no config\.json"):
        classify(folder, empty, SETTINGS)


class _Counting:
    """Counts the pictures that reach a network, through every engine that is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        plain = forward_pass.open_engine

        def counted(*args: Any, **options: Any) -> Any:
            engine = plain(*args, **options)
            run = engine.run

            def counting(pictures: Iterator[Picture], *more: Any) -> Any:
                for found, vector in run(pictures, *more):
                    self.count += found.pixels is not None and found.cached is None
                    yield found, vector

            engine.run = counting
            return engine

        monkeypatch.setattr(forward_pass, "open_engine", counted)


def test_a_second_run_with_a_cache_computes_nothing_and_says_the_same(
    folder: LocalStore, tiny: Model, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    counting, cache = _Counting(monkeypatch), MemoryStore()
    first = list(classify(folder, tiny.store, SETTINGS, cache))
    assert counting.count == len(good_files())
    assert list(classify(folder, tiny.store, SETTINGS, cache)) == first
    assert counting.count == len(good_files())
    assert f"({len(good_files())} from the cache)" in caplog.text
    assert list(classify(folder, tiny.store, SETTINGS)) == first


def test_new_pictures_are_all_that_a_later_run_costs(
    folder: LocalStore, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting, cache = _Counting(monkeypatch), MemoryStore()
    list(classify(folder, tiny.store, SETTINGS, cache))
    before = counting.count
    for number in range(10):
        (folder.root / f"new_{number}.png").write_bytes(encoded(picture(20 + number, 20), "PNG"))
    again = list(classify(folder, tiny.store, ClassifySettings(max_nb_labels=1, compute=COMPUTE), cache))
    assert counting.count == before + 10
    assert [row["images"] for row in again] == folder.paths()


def test_another_model_does_not_take_the_results_of_the_first(
    folder: LocalStore, tiny: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting, cache = _Counting(monkeypatch), MemoryStore()
    first = list(classify(folder, tiny.store, SETTINGS, cache))
    other = write_tiny_model(tmp_path / "other", seed=5)
    assert list(classify(folder, other.store, SETTINGS, cache)) != first
    assert counting.count == 2 * len(good_files())


def test_a_run_that_stops_half_way_is_continued(
    folder: LocalStore, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting, cache = _Counting(monkeypatch), MemoryStore()
    for number in range(300):
        (folder.root / f"x_{number:03}.png").write_bytes(encoded(picture(9 + number, 20), "PNG"))
    whole = list(classify(folder, tiny.store, SETTINGS))
    counting.count = 0
    interrupted = classify(folder, tiny.store, SETTINGS, cache)
    rows = iter(interrupted)
    for _ in range(200):
        next(rows)
    snapshot, done = MemoryStore(), counting.count
    snapshot.files = dict(cache.files)  # what lies in the storage at the moment of a kill
    interrupted.rows.close()
    counting.count = 0
    assert list(classify(folder, tiny.store, SETTINGS, snapshot)) == whole
    total = sum(row["error"] == 0 for row in whole)
    assert counting.count + done - total <= 0.05 * total


def test_a_damaged_cache_costs_only_time(folder: LocalStore, tiny: Model) -> None:
    cache = MemoryStore()
    first = list(classify(folder, tiny.store, SETTINGS, cache))
    cache.files = {path: content[:-1] for path, content in cache.files.items()}
    assert list(classify(folder, tiny.store, SETTINGS, cache)) == first


def test_table_columns_are_joined_by_path(folder: LocalStore, tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "extra", extra=True)
    cells = [(path.lstrip("/"), float(place), "Rome", "x") for place, path in enumerate(folder.paths())]
    table = Rows(["file", "price", "town", "other"], cells)
    joined = list(classify(folder, model.store, SETTINGS, MemoryStore(), table))
    assert [row["images"] for row in joined] == folder.paths()
    moved = Rows(table.columns, [(path, 999.0, "Oslo", "x") for path, *_ in cells])
    cache = MemoryStore()
    others = list(classify(folder, model.store, SETTINGS, cache, moved))
    assert sum(a["probability"] != b["probability"] for a, b in zip(joined, others, strict=True)) > 10
    assert list(classify(folder, model.store, SETTINGS, cache, table)) == joined


def test_a_missing_or_unfit_table_is_told(folder: LocalStore, tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "extra", extra=True)
    with pytest.raises(SettingsError, match="price, town beside the pictures; none is connected"):
        classify(folder, model.store, SETTINGS)
    with pytest.raises(SettingsError, match="facts has 'file', 'price'"):
        classify(folder, model.store, SETTINGS, None, Rows(["file", "price"], []))
    with pytest.raises(SettingsError, match="no column of facts holds paths"):
        classify(folder, model.store, SETTINGS, None, Rows(["file", "price", "town"], [("elsewhere.jpg", 1.0, "Rome")]))


def test_every_label_has_a_key_of_its_own(tiny: Model) -> None:
    assert tiny.labels == LABELS and len(set(tiny.label_keys)) == len(LABELS)
