"""From folders, a model and a log to the row of a run, the pictures that moved and the page."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from images.files import encoded
from inference.memory_store import MemoryStore
from inference.tiny import write_tiny_model
from PIL import Image
from training.colours import SHADES, shade, write_colour_model, write_colours

from vision_recipes.errors import EmbeddingLogError, ModelFolderError, PictureFolderError, SettingsError
from vision_recipes.model_folder import open_model
from vision_recipes.monitor import MonitorInputs, MonitorOutputs, monitor
from vision_recipes.monitor_settings import MonitorSettings
from vision_recipes.monitoring import sources
from vision_recipes.monitoring.comparison import References
from vision_recipes.monitoring.kept_pictures import kept_sample
from vision_recipes.report_columns import MONITORED, MOVED
from vision_recipes.retrain import retrain
from vision_recipes.serving.embedding_log import EmbeddingLog
from vision_recipes.settings import ComputeSettings
from vision_recipes.stores import LocalStore
from vision_recipes.training_settings import RetrainSettings

COMPUTE = ComputeSettings(use_gpu="false", precision="float32")
SETTINGS = MonitorSettings(compute=COMPUTE)


class Rows:
    def write(self, columns, rows):
        self.columns, self.rows = columns, list(rows)
        return len(self.rows)


def written(inputs, settings=SETTINGS):
    moved, report = Rows(), MemoryStore()
    (row,) = monitor(inputs, settings, MonitorOutputs(moved, report))
    assert set(row) == {column.name for column in MONITORED}
    assert all(set(one) == {column.name for column in MOVED} for one in moved.rows)
    return row, moved.rows, report.files["/index.html"].decode()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "user-cache"))
        write_colour_model(folder / "model")
        settings = {"label_source": "folder_names", "compute": COMPUTE, "tensorboard": False}
        (folder / "mine").mkdir()
        pictures = write_colours(folder / "pictures", 40)
        retrain(
            pictures,
            LocalStore(folder / "model"),
            LocalStore(folder / "mine"),
            RetrainSettings.from_params(settings),
        )
    return LocalStore(folder / "mine")


@pytest.fixture
def new(tmp_path):
    """Thirty pictures of the kind that the model was trained on, and a file that is no picture."""
    for name in SHADES:
        for number in range(100, 110):
            (tmp_path / "new").mkdir(exist_ok=True)
            (tmp_path / "new" / f"{name}-{number}.png").write_bytes(shade(name, number))
    (tmp_path / "new" / "broken.jpg").write_bytes(b"no")
    return LocalStore(tmp_path / "new")


def test_pictures_that_have_not_changed(trained, new):
    row, moved, page = written(MonitorInputs(pictures=new, model=trained))
    assert (row["alarm"], row["pictures"], row["unreadable"], row["reasons"]) == (0, 30, 1, "")
    assert (
        row["reference_pictures"] == 120 and row["expected_accuracy_low"] <= 1 and row["expected_flagged_share"] <= 0.2
    )
    assert len(moved) == 30 and moved[0]["score"] == max(one["score"] for one in moved)
    assert moved[0]["nearest"].split("/")[1] == moved[0]["label"] == moved[0]["nearest_label"]
    assert "No sign of a change" in page and "broken.jpg" in page and page.count("data:image/webp") >= 12
    assert written(MonitorInputs(pictures=new, model=trained))[1] == moved


def test_pictures_of_something_else(trained, new, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    draw = np.random.default_rng(0)
    for number in range(25):
        noise = Image.fromarray(draw.integers(0, 255, (20, 30, 3)).astype(np.uint8))
        (other / f"<img onerror=x>{number}.png").write_bytes(encoded(noise, "PNG"))
    row, _, page = written(MonitorInputs(pictures=LocalStore(other), model=trained))
    assert row["alarm"] == 1 and "looks" in row["reasons"].split(",") and row["p_value"] <= 0.01
    assert "The new pictures are different" in page and "What to do next" in page
    assert "<img onerror" not in page and "&lt;img onerror" in page


def test_another_reference_and_a_part_of_the_pictures(trained, new, monkeypatch):
    """Each of the two folders is listed once."""
    listings = [new.paths(), new.paths()]
    monkeypatch.setattr(new, "paths", listings.pop)
    settings = MonitorSettings(compute=COMPUTE, nb_pictures=20, nb_moved=3)
    row, moved, page = written(MonitorInputs(pictures=new, model=trained, reference=new), settings)
    assert row["reference_pictures"] == 30 and row["pictures"] + row["unreadable"] == 20 and len(moved) == 3
    assert "20 of 31 files were drawn at random" in page


def test_a_log_instead_of_pictures(trained):
    model, folder = open_model(trained), MemoryStore()
    kept = model.reference_pictures
    log = EmbeddingLog(folder, model.folder_hash)
    labels = [model.label_keys[number] for number in kept.predicted]
    log.add(kept.features, labels, kept.probability, ["known"] * len(kept), np.arange(len(kept)) + 1e9)
    log.close()
    row, moved, page = written(MonitorInputs(embeddings=folder, model=trained))
    assert row["alarm"] == 0 and row["pictures"] == len(kept)
    assert moved[0]["images"] is None and moved[0]["time"].startswith("2001-09-09T01:")
    assert "The log holds no pictures" in page
    with pytest.raises(EmbeddingLogError, match="only of other models"):
        log = EmbeddingLog(MemoryStore(), "f" * 64)
        log.add(kept.features, labels, kept.probability, ["known"] * len(kept), np.arange(len(kept)))
        log.close()
        monitor(MonitorInputs(embeddings=log._folder, model=trained), SETTINGS)


def test_every_file_unreadable_is_an_alarm(trained, tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.jpg").write_bytes(b"no")
    row, moved, page = written(MonitorInputs(pictures=LocalStore(tmp_path / "bad"), model=trained))
    assert (row["alarm"], row["reasons"], row["p_value"], moved) == (1, "unreadable", None, [])
    assert "None of the new pictures can be read" in page and "not_an_image" in page


def test_what_does_not_go_together_is_said_first(trained, new, tmp_path):
    (tmp_path / "empty").mkdir()
    keeps_nothing = LocalStore(tmp_path / "plain")
    write_tiny_model(tmp_path / "plain")
    bad = LocalStore(shutil.copytree(new.root, tmp_path / "bad", ignore=shutil.ignore_patterns("*.png")))
    for inputs, error, words in [
        (MonitorInputs(model=trained), SettingsError, "neither is connected"),
        (MonitorInputs(new, new, trained), SettingsError, "both are connected"),
        (MonitorInputs(new, model=keeps_nothing), ModelFolderError, "keep_pictures"),
        (MonitorInputs(LocalStore(tmp_path / "empty"), model=trained), PictureFolderError, "has no files"),
        (MonitorInputs(new, model=trained, reference=bad), SettingsError, "no picture of .* could be read"),
        (MonitorInputs(embeddings=new, model=trained), EmbeddingLogError, "no log at all"),
    ]:
        with pytest.raises(error, match=words):
            monitor(inputs, SETTINGS)


def test_a_model_that_keeps_nothing_to_compare_looks_with(trained, new, monkeypatch):
    def without_looks(model, kept, *_, **__):
        return References(*[kept_sample(model, kept).take(np.arange(0))] * 3)

    monkeypatch.setattr(sources, "kept_references", without_looks)
    with pytest.raises(ModelFolderError, match="keeps no validation picture .* Connect a reference_folder"):
        monitor(MonitorInputs(new, model=trained), SETTINGS)


def test_a_model_without_a_head_of_its_own(new, tmp_path):
    write_tiny_model(tmp_path / "plain")
    row, _, _ = written(MonitorInputs(new, model=LocalStore(tmp_path / "plain"), reference=new))
    assert row["alarm"] == 0 and row["expected_accuracy"] is None and row["label_mix_change"] == 0
    model, folder = open_model(LocalStore(tmp_path / "plain")), LocalStore(tmp_path)
    log = EmbeddingLog(folder, model.folder_hash)
    log.add(np.eye(6)[:3], [model.label_keys[1]] * 3, np.ones(3), [""] * 3, np.arange(3))
    log.close()
    assert written(MonitorInputs(embeddings=folder, model=model.store, reference=new))[0]["pictures"] == 3


def test_a_model_with_table_columns(tmp_path, new):
    write_tiny_model(tmp_path / "wide", extra=True)
    inputs = MonitorInputs(new, model=LocalStore(tmp_path / "wide"), reference=new)
    with pytest.raises(SettingsError, match="extra_dataset: .* price, town"):
        monitor(inputs, SETTINGS)
