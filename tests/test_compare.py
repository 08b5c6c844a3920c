"""From pictures, labels and networks to a leaderboard and the winner's model, whatever is among them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from dataset.conftest import MemoryTable
from model_folder.small import write_small_model
from training.colours import write_colour_model, write_colours

from vision_recipes.compare import CompareInputs, CompareOutputs, compare
from vision_recipes.compare_settings import CompareSettings
from vision_recipes.errors import LabelsError, ModelFolderError, PictureFolderError, SettingsError
from vision_recipes.inference import forward_pass
from vision_recipes.model_folder import open_model
from vision_recipes.report_columns import COMPARED
from vision_recipes.reports.rendering import PAGE
from vision_recipes.retrain import retrain
from vision_recipes.settings import ComputeSettings
from vision_recipes.stores import LocalStore
from vision_recipes.training_settings import RetrainSettings

COMPUTE = ComputeSettings(use_gpu="false", precision="float32")
SPEEDS = ("pictures_per_second", "pareto")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


@pytest.fixture
def pictures(tmp_path: Path) -> LocalStore:
    return write_colours(tmp_path / "pictures")


@pytest.fixture
def models(tmp_path: Path) -> list[LocalStore]:
    write_colour_model(tmp_path / "colours")
    write_small_model(LocalStore(tmp_path / "small"))
    return [LocalStore(tmp_path / "colours", "colours"), LocalStore(tmp_path / "small", "small")]


def run(pictures, models, outputs=CompareOutputs(), labels=None, **settings):  # noqa: B008 - frozen
    settings = CompareSettings.from_params({"compute": COMPUTE, **settings})
    return list(compare(CompareInputs(pictures, models, labels), settings, outputs))


def test_the_winner_is_trained_from_cached_features_and_retrain_takes_its_row(pictures, models, tmp_path, monkeypatch):
    stores = {name: LocalStore(tmp_path / name, name) for name in ("mine", "report", "again", "cache")}
    computed: list[int] = []
    add = forward_pass.Progress.add
    monkeypatch.setattr(
        forward_pass.Progress, "add", lambda tally, one: (computed.append(one.cached is None), add(tally, one))[1]
    )
    (pictures.root / "red" / "broken.png").write_bytes(b"not a picture")
    rows = run(pictures, models, CompareOutputs(stores["mine"], stores["report"], stores["cache"]))
    networks = len({row["model_hash"] for row in rows})
    assert sum(computed) == networks * 36 + (networks + 1)  # each picture once; the broken one has nothing to cache
    assert [set(row) <= {column.name for column in COMPARED} for row in rows] == [True] * len(rows)
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["chosen"] for row in rows] == [1] + [0] * (len(rows) - 1)
    accuracies = [row["accuracy"] for row in rows]
    assert accuracies == sorted(accuracies, reverse=True)
    assert accuracies[0] > 0.9
    assert {row["pictures"] for row in rows} == {36}
    trained = open_model(stores["mine"])
    assert trained.labels == ("blue", "green", "red")
    assert stores["mine"].size("/report/index.html")
    page = stores["report"].open(PAGE).read().decode()
    assert "http" not in page.replace("http-equiv", "")
    assert rows[0]["candidate"] in page

    columns = [column.name for column in COMPARED]
    table = MemoryTable("leaderboard", columns, [tuple(row.get(name) for name in columns) for row in rows])
    winner = next(store for store in models if store.name == rows[0]["folder"])
    retrain(pictures, winner, stores["again"], RetrainSettings(compute=COMPUTE), leaderboard=table)
    used = json.loads(stores["again"].open("/run.json").read())["parameters"]
    assert {name: used[name] for name in ("head_features", "image_resize")} == {
        name: rows[0][name] for name in ("head_features", "image_resize")
    }
    assert stores["again"].open("/validation.csv").read() == stores["mine"].open("/validation.csv").read()


def test_bad_folders_are_rows_and_the_same_network_takes_part_once(pictures, models, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{")
    broken, empty = LocalStore(tmp_path / "broken", "broken"), LocalStore(tmp_path / "empty", "empty")
    rows = run(pictures, [broken, models[0], empty, models[0]], head_features="last")
    assert [row.get("rank") for row in rows][-2:] == [None, None]
    assert {row["folder"] for row in rows if row.get("rank")} == {"colours"}
    assert all(row["reason"] for row in rows[-2:])
    with pytest.raises(ModelFolderError, match="No network can take part in the comparison: broken: "):
        run(pictures, [broken])


def test_other_resize_methods_and_copies_are_tried_by_the_leader(pictures, models):
    rows = run(pictures, models[:1], image_resize="all", data_augmentation=True)
    methods = {row["image_resize"] for row in rows}
    assert {"model", "crop", "pad"} <= methods | {"squash"}
    assert any(row["data_augmentation"] for row in rows)
    tried = [row for row in rows if row["image_resize"] != "model" or row["data_augmentation"]]
    assert all(row["accuracy"] is not None or row["reason"] for row in tried)


def test_the_same_run_gives_the_same_rows(pictures, models):
    one, other = (run(pictures, models, budget_pictures=24) for _ in range(2))
    assert {row["pictures"] for row in one} == {24}
    assert [{k: v for k, v in row.items() if k not in SPEEDS} for row in one] == [
        {k: v for k, v in row.items() if k not in SPEEDS} for row in other
    ]


def test_a_few_pictures_end_well(models, tmp_path):
    few = write_colours(tmp_path / "few", 2)
    (few.root / "red" / "001.png").unlink()
    rows = run(few, models[:1], head_features="last")
    assert rows[0]["pictures"] == 5
    assert rows[0]["accuracy"] is None or rows[0]["accuracy_low"] < 0.8
    for path in few.paths():
        (few.root / path[1:]).write_bytes(b"no picture")
    with pytest.raises(PictureFolderError, match="None of the 5 labelled pictures can be read"):
        run(few, models[:1])


def test_labels_that_cannot_be_compared_on(pictures, models):
    one_label = MemoryTable("labels", ["path", "label"], [(path, "x") for path in pictures.paths()])
    with pytest.raises(LabelsError, match="at least two classes"):
        run(pictures, models, labels=one_label)
    prices = [(path, f"{1000 * max(place, 1)}.50") for place, path in enumerate(pictures.paths())]
    with pytest.raises(LabelsError, match="vision-train-features"):
        run(pictures, models, labels=MemoryTable("prices", ["path", "label"], prices))


def test_a_leaderboard_of_other_models_is_refused(pictures, models, tmp_path):
    rows = run(pictures, models[:1], head_features="last")
    columns = [column.name for column in COMPARED]
    table = MemoryTable("board", columns, [tuple(row.get(name) for name in columns) for row in rows])
    output = LocalStore(tmp_path / "out")
    with pytest.raises(SettingsError, match="no row of the model.*vision-compare again"):
        retrain(pictures, models[1], output, RetrainSettings(compute=COMPUTE), leaderboard=table)
    with pytest.raises(SettingsError, match="has no column rank"):
        retrain(pictures, models[0], output, RetrainSettings(), leaderboard=MemoryTable("x", ["a"], []))
    assert output.paths() == []


def test_sizes_are_checked_at_the_door():
    with pytest.raises(SettingsError, match="'big' is not a size in pixels.*'9999' is outside"):
        CompareSettings.from_params({"image_sizes": "big, 9999"})
    assert CompareSettings.from_params({"image_sizes": "320, 200x100"}).sizes == [(320, 320), (200, 100)]
    assert np.isclose(CompareSettings().train_ratio, RetrainSettings().train_ratio)
