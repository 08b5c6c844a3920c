"""From a model folder to its training curves."""

import math
import shutil
from contextlib import closing

from vision_recipes.stores import LocalStore
from vision_recipes.training.epochs import Epoch
from vision_recipes.training.tensorboard_logs import TensorBoardLogs
from vision_recipes.watch import logs, watch


def train(folder, *losses):
    with closing(TensorBoardLogs(LocalStore(folder))) as written:
        for number, loss in enumerate(losses, start=1):
            written.add("last layer", Epoch(number, loss, 0.5, loss * 2, 0.25, 0.001, 2.0))


def test_curves_by_run_and_figure(tmp_path):
    train(tmp_path, 1.0, 0.5)
    found = watch(LocalStore(tmp_path))
    assert found["model"] == LocalStore(tmp_path).name
    assert 0 <= found["age"] < 600
    curves = {(curve["run"], curve["tag"]): curve["points"] for curve in found["curves"]}
    assert curves["last-layer/train", "epoch_loss"] == [[1, 1.0], [2, 0.5]]
    assert curves["last-layer/validation", "epoch_loss"] == [[1, 2.0], [2, 1.0]]
    assert set(curves) >= {("last-layer/train", tag) for tag in ("epoch_learning_rate", "epoch_seconds")}


def test_what_is_no_number_is_none(tmp_path):
    train(tmp_path, 1.0, math.nan, math.inf)
    (loss,) = [
        c["points"]
        for c in watch(LocalStore(tmp_path))["curves"]
        if (c["run"], c["tag"]) == ("last-layer/train", "epoch_loss")
    ]
    assert loss == [[1, 1.0], [2, None], [3, None]]


def test_a_folder_without_logs(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert watch(LocalStore(tmp_path)) | {"model": ""} == {
        "model": "",
        "curves": [],
        "age": None,
        "tensorboard": True,
    }


def test_a_step_that_is_written_again_counts_as_its_last(tmp_path):
    train(tmp_path, 1.0)
    (log,) = [path for path in logs(LocalStore(tmp_path)) if "/train/" in path]
    first = tmp_path / log.strip("/")
    again = first.with_name(first.name + ".v2")
    train(tmp_path / "other", 0.25)
    shutil.copy(next((tmp_path / "other").rglob("train/events*")), again)
    (loss,) = [
        c["points"]
        for c in watch(LocalStore(tmp_path))["curves"]
        if (c["run"], c["tag"]) == ("last-layer/train", "epoch_loss")
    ]
    assert loss == [[1, 0.25]]
