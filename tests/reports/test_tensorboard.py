"""TensorBoard as an application over a model folder."""

import json
from contextlib import closing

import pytest
from werkzeug.test import Client

from vision_recipes.reports import tensorboard
from vision_recipes.stores import LocalStore
from vision_recipes.training.epochs import Epoch
from vision_recipes.training.tensorboard_logs import TensorBoardLogs
from vision_recipes.watch import logs

pytest.importorskip("tensorboard")


def train(folder, *losses):
    with closing(TensorBoardLogs(LocalStore(folder))) as written:
        for number, loss in enumerate(losses, start=1):
            written.add("last layer", Epoch(number, loss, 0.5, loss, 0.5, 0.001, 2.0))


def test_it_shows_the_runs_and_copies_what_grows(tmp_path, monkeypatch):
    monkeypatch.setattr(tensorboard, "EVERY", 0)
    train(tmp_path, 1.0)
    pages = tensorboard.TensorBoardPages(LocalStore(tmp_path), logs)
    client = Client(pages)
    assert b"TensorBoard" in client.get("/").data or client.get("/").status_code == 200
    assert json.loads(client.get("/data/environment").data)["window_title"] == ""
    copies = sorted(path.parent.name for path in pages._target("/").rglob("events*"))
    assert copies == ["train", "validation"]
    for path in tmp_path.rglob("events*"):
        path.write_bytes(path.read_bytes() + b"more")
    client.get("/data/environment")
    assert all(path.read_bytes().endswith(b"more") for path in pages._target("/").rglob("events*"))
    for path in list(tmp_path.rglob("train/events*")):
        path.unlink()
    client.get("/data/environment")
    assert [path.parent.name for path in pages._target("/").rglob("events*")] == ["validation"]


def test_copies_stay_in_their_folder(tmp_path):
    pages = tensorboard.TensorBoardPages(LocalStore(tmp_path), logs)
    assert pages._target("/tensorboard_logs/../../../x").is_relative_to(pages._target("/"))


def test_tensorflow_is_not_imported(tmp_path):
    import subprocess
    import sys

    code = (
        "import sys\nfrom vision_recipes.reports.tensorboard import _application\n"
        f"_application({str(tmp_path)!r})\nprint('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
