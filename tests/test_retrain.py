"""From pictures and labels to a model of one's own: right by construction, whole or not at all, the same twice."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from dataset.conftest import MemoryTable
from inference.memory_store import MemoryStore
from model_folder.small import write_small_model
from training.colours import SHADES, shade, write_colour_model, write_colours

from vision_recipes.classify import classify
from vision_recipes.errors import (
    LabelsError,
    OutputError,
    PictureFolderError,
    SettingsError,
    TrainingError,
)
from vision_recipes.model_folder import open_model
from vision_recipes.model_folder.networks import rebuild
from vision_recipes.retrain import retrain
from vision_recipes.settings import ClassifySettings, ComputeSettings
from vision_recipes.stores import LocalStore
from vision_recipes.training import stages
from vision_recipes.training.calibration import Calibration
from vision_recipes.training_settings import RetrainSettings
from vision_recipes.wording import percent

PAGE = "/report/index.html"
COMPUTE = ComputeSettings(use_gpu="false", precision="float32")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


@pytest.fixture
def model(tmp_path: Path) -> LocalStore:
    write_colour_model(tmp_path / "model")
    return LocalStore(tmp_path / "model")


@pytest.fixture
def pictures(tmp_path: Path) -> LocalStore:
    return write_colours(tmp_path / "pictures")


@pytest.fixture
def output(tmp_path: Path) -> LocalStore:
    (tmp_path / "mine").mkdir()
    return LocalStore(tmp_path / "mine")


def by_folder(**params: object) -> RetrainSettings:
    return RetrainSettings.from_params({"label_source": "folder_names", "compute": COMPUTE} | params)


def by_table(**params: object) -> RetrainSettings:
    return RetrainSettings.from_params({"col_filename": "path", "col_label": "label", "compute": COMPUTE} | params)


def labels_of(store: LocalStore, **columns: list[object]) -> MemoryTable:
    paths = store.paths()
    given = [tuple(values[place] for values in columns.values()) for place in range(len(paths))]
    cells = [(path.lstrip("/"), path.split("/")[1], *more) for path, more in zip(paths, given, strict=True)]
    return MemoryTable("labels", ["path", "label", *columns], cells)


def read_csv(store: LocalStore, name: str) -> list[dict[str, str]]:
    with store.open("/" + name) as stream:
        return list(csv.DictReader(io.StringIO(stream.read().decode())))


def read_json(store: LocalStore, name: str) -> dict:
    with store.open("/" + name) as stream:
        return json.loads(stream.read())


def weights(store: LocalStore) -> set[str]:
    files = open_model(store).config.files
    return {entry.sha256 for entry in (files.weights, files.head, files.xml, files.bin) if entry is not None}


def answers(store: LocalStore, pictures: LocalStore, extra: MemoryTable | None = None) -> dict[str, str]:
    return {
        row["images"]: row["label"] for row in classify(pictures, store, ClassifySettings(compute=COMPUTE), extra=extra)
    }


def test_a_model_of_ones_own_with_all_its_reports(model, pictures, output):
    retrain(pictures, model, output, by_folder())
    found = open_model(output)
    assert found.labels == ("blue", "green", "red")
    assert all(label == path.split("/")[1] for path, label in answers(output, pictures).items())
    rows = read_csv(output, "validation.csv")
    assert [*rows[0]] == ["path", "label", "prediction", "probability", "split"]
    assert 4 <= len(rows) <= 8  # about a fifth of 36: pictures that are nearly the same stay together
    assert all(row["path"].split("/")[1] == row["label"] == row["prediction"] for row in rows)
    assert all(1 / 3 < float(row["probability"]) <= 1 for row in rows)
    metrics = read_json(output, "metrics.json")
    assert metrics["validation"]["accuracy"] == 1
    assert metrics["pictures"] == {"train": 36 - len(rows), "validation": len(rows), "test": 0}
    run = read_json(output, "run.json")
    assert len(run["pictures"]) == 36
    assert all(len(picture["sha256"]) == 64 for picture in run["pictures"])
    assert (run["seed"], run["parameters"]["nb_epochs"]) == (1337, 10)
    history = read_csv(output, "history.csv")
    steps = [int(row["number"]) for row in history]
    assert steps == sorted(set(steps)) and steps[0] == 1
    assert float(history[-1]["val_accuracy"]) == metrics["validation"]["accuracy"]
    assert {path.rpartition("/")[0] for path in output.paths() if path.startswith("/tensorboard_logs")} == {
        "/tensorboard_logs/last-layer/train",
        "/tensorboard_logs/last-layer/validation",
    }
    with output.open("/README.md") as stream:
        assert f"Accuracy on {len(rows)} validation pictures: 100 %" in stream.read().decode()


def read_text(store: LocalStore, path: str) -> str:
    with store.open(path) as stream:
        return stream.read().decode()


def test_a_training_leaves_the_report_on_its_validation_pictures(model, pictures, output, caplog, monkeypatch):
    """Labels come from folder names without a word; log, card, metrics and page give the same accuracy; one listing of
    the pictures is enough."""
    caplog.set_level("INFO", "vision_recipes")
    pictures.write("/blue/odd.png", shade("red", 77, noise=90))
    listings: list[list[str]] = [pictures.paths()]
    monkeypatch.setattr(pictures, "paths", listings.pop)
    retrain(pictures, model, output, RetrainSettings(compute=COMPUTE))
    figures = read_json(output, "metrics.json")["validation"]
    right = round(figures["accuracy"] * figures["pictures"])
    page, card = read_text(output, PAGE), read_text(output, "/README.md")
    said = f"accuracy on {figures['pictures']} validation pictures: {percent(figures['accuracy'])} ({right} right)"
    assert said in caplog.text
    assert said[1:] in card
    assert f"<b>{percent(figures['accuracy'])}</b>".replace(" %", "\N{NO-BREAK SPACE}%") in page
    assert f"{right} of {figures['pictures']} pictures" in page
    assert "data:image/webp" in page
    assert "Data leakage:" not in page
    assert "Written by vision-retrain" in page
    assert caplog.messages[-1] == "the report is report/index.html in the model folder"
    assert read_json(output, "run.json")["parameters"]["label_source"] == "folder_names"


def test_a_report_that_cannot_be_made_never_costs_the_model(model, pictures, output, caplog, monkeypatch):
    retrain(pictures, model, output, by_folder())
    before = weights(output)
    monkeypatch.setattr("vision_recipes.reports.page.make_thumbnails", lambda *given: 1 / 0)
    retrain(pictures, model, output, by_folder(random_seed=2))
    assert open_model(output).config.head is not None
    assert weights(output) != before
    assert PAGE not in output.paths(), "the report of the model before would be wrong"
    assert "its report could not be made: division by zero" in caplog.text


def test_the_most_confused_classes_are_named_first(model, pictures, output, caplog):
    caplog.set_level("INFO", "vision_recipes")
    paths = pictures.paths()
    table = labels_of(pictures)
    sides = ["validation" if int(path[-7:-4]) < 4 else "train" for path in paths]
    swapped = [
        (path, "green" if label == "blue" and side == "validation" else label, side)
        for (path, label), side in zip(table.cells, sides, strict=True)
    ]
    labels = MemoryTable("labels", ["path", "label", "part"], swapped)
    retrain(pictures, model, output, RetrainSettings(split_column="part", compute=COMPUTE), labels)
    assert "most often confused: green taken for blue (4 of 8)" in caplog.text


def test_the_calibration_error_is_reported_as_it_was_measured(model, pictures, output, caplog, monkeypatch):
    caplog.set_level("INFO", "vision_recipes")
    monkeypatch.setattr(stages, "calibrate", lambda *_judged: Calibration(0.5, 0.3, 0.1))
    retrain(pictures, model, output, by_folder())
    told = read_json(output, "metrics.json")["calibration"]
    assert told == {"temperature": 2.0, "error_before": 0.3, "error_after": 0.1}
    assert "temperature 2.00, calibration error 0.100 (before: 0.300)" in caplog.text


def test_broken_files_drop_out_with_their_labels(model, pictures, tmp_path):
    """30 rows, 10 of them broken: the same as if the 10 were not there, and the 10 are named."""
    clean, mixed = MemoryTable("clean", ["path", "label"], []), MemoryTable("mixed", ["path", "label"], [])
    spoiled = LocalStore(tmp_path / "spoiled")
    names = list(SHADES)
    for number in range(30):
        name = names[number * 7 % 3]
        path, content = f"{number:02d}.png", shade(name, number)
        if number % 3 == 1:
            content = [b"", b"no picture", content[:60]][number // 3 % 3]
            if number == 16:
                path = "gone.png"
        else:
            clean.cells.append((path, name))
        if path != "gone.png":
            spoiled.write("/" + path, content)
        mixed.cells.append((path, name))
    outputs = []
    for place, table in enumerate((clean, mixed)):
        outputs.append(LocalStore(tmp_path / f"mine{place}"))
        retrain(spoiled, model, outputs[-1], by_table(), table)
    assert weights(outputs[0]) == weights(outputs[1])
    rejected = read_csv(outputs[1], "rejected.csv")
    assert len(rejected) == 9  # the tenth is not in the folder, which the log says
    assert {row["reason"] for row in rejected} == {"empty", "not_an_image", "truncated"}
    assert all(row["label"] in SHADES for row in rejected)
    assert "/rejected.csv" not in outputs[0].paths()


def test_the_same_seed_gives_the_same_bytes(model, pictures, tmp_path):
    for kind in ({}, {"model_optimizer": "adam"}, {"data_augmentation": True}):
        outputs = [LocalStore(tmp_path / f"{len(kind)}{place}{''.join(kind)}") for place in range(2)]
        for output in outputs:
            retrain(pictures, model, output, by_folder(**kind))
        assert weights(outputs[0]) == weights(outputs[1])


def test_a_retrained_model_is_retrained_in_its_own_folder(model, pictures, output, tmp_path):
    retrain(pictures, model, output, by_folder())
    two = LocalStore(tmp_path / "two")
    for path in pictures.paths():
        if "/red/" not in path:
            with pictures.open(path) as stream:
                two.write(path.replace("/blue/", "/007/").replace("/green/", "/NA/"), stream.read())
    retrain(two, output, output, by_folder(model_pooling="max"))
    assert open_model(output).labels == ("007", "NA")
    assert open_model(output).config.head.pooling == "avg", "the pooling of a retrained model is locked"
    assert all(label == path.split("/")[1] for path, label in answers(output, two).items())
    left = {path.strip("/") for path in output.paths() if "head-" in path or "model-" in path}
    assert left <= {entry.name for entry in open_model(output).config.files.entries()}, "old files stay"
    with pytest.raises(SettingsError, match="24 x 16, which stays so"):
        retrain(two, output, output, by_folder(image_width=64, image_height=64))
    with pytest.raises(SettingsError, match="no extra columns"):
        retrain(two, output, output, by_folder(extra_columns="age"))


@pytest.mark.parametrize("pooling", ["avg", "max", "none"])
def test_every_pooling_is_trained_and_scored_alike(model, pictures, output, pooling):
    retrain(pictures, model, output, by_folder(model_pooling=pooling, image_resize="crop"))
    found = open_model(output)
    assert found.config.head.pooling == pooling
    assert found.preprocessing.resize == "crop"
    scored = answers(output, pictures)
    for row in read_csv(output, "validation.csv"):
        assert scored[row["path"]] == row["prediction"]


@pytest.mark.keras
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "adagrad", "sgd", "rmsprop"])
def test_optimizers_by_name_train_the_last_layer(model, pictures, output, optimizer):
    settings = by_folder(model_optimizer=optimizer, model_learning_rate=0.05, nb_epochs=3, early_stopping_patience=0)
    retrain(pictures, model, output, settings)
    assert [row["number"] for row in read_csv(output, "history.csv")] == ["1", "2", "3"]


@pytest.mark.keras
def test_a_learning_rate_beyond_reason_leaves_everything_as_it_was(model, pictures, output):
    retrain(pictures, model, output, by_folder(tensorboard=False))
    before = {path: (output.root / path[1:]).read_bytes() for path in output.paths()}
    with pytest.raises(TrainingError, match="[Ll]earning rate|model_learning_rate"):
        settings = by_folder(model_optimizer="sgd", model_learning_rate=1e30, tensorboard=False)
        retrain(pictures, model, output, settings)
    assert {path: (output.root / path[1:]).read_bytes() for path in output.paths()} == before


def test_one_class_is_not_enough(model, pictures, output):
    one = MemoryTable("labels", ["path", "label"], [(path, "x") for path in pictures.paths()])
    with pytest.raises(LabelsError, match="All labelled pictures have the label 'x'"):
        retrain(pictures, model, output, by_table(), one)
    assert output.paths() == []


def test_one_class_whose_pictures_can_be_read_is_not_enough(model, pictures, output):
    for path in pictures.paths():
        if not path.startswith("/red/"):
            pictures.write(path, b"nothing")
    with pytest.raises(LabelsError, match="All usable pictures have the label 'red'.*no picture of 'blue', 'green'"):
        retrain(pictures, model, output, by_folder())
    assert output.paths() == []


def test_labels_that_are_identifiers_are_told_before_any_picture_is_read(model, output):
    never_read = MemoryStore()
    never_read.files = {f"/{number}.png": b"nothing" for number in range(10_000)}
    cells = [(path, f"product {path}") for path in never_read.paths()]
    with pytest.raises(LabelsError, match="Each of the 10000 labels is on one picture only.*identifiers"):
        retrain(never_read, model, output, by_table(), MemoryTable("labels", ["path", "label"], cells))
    assert output.paths() == []


def test_all_files_broken_is_one_message(model, output, tmp_path):
    broken = LocalStore(tmp_path / "broken")
    for number in range(4):
        broken.write(f"/{'ab'[number % 2]}/{number}.jpg", b"nothing")
    with pytest.raises(PictureFolderError, match="None of the 4 labelled pictures"):
        retrain(broken, model, output, by_folder())
    assert output.paths() == []


def test_a_class_with_one_picture_trains_and_is_named(model, pictures, output, caplog):
    pictures.write("/rare/1.png", shade("blue", 99))
    retrain(pictures, model, output, by_folder())
    assert open_model(output).labels == ("blue", "green", "rare", "red")
    assert "one picture, which is used for training only" in caplog.text
    assert {row["label"] for row in read_csv(output, "validation.csv")} == set(SHADES)


def test_a_class_whose_pictures_are_all_broken_drops_out(model, pictures, output, caplog):
    pictures.write("/lost/1.png", b"broken")
    retrain(pictures, model, output, by_folder())
    assert "lost" not in open_model(output).labels
    assert "1 class is left out, because none of the pictures can be read: lost" in caplog.text


def test_paths_outside_are_never_opened(model, pictures, output, tmp_path):
    (tmp_path / "secret.png").write_bytes(shade("red", 1))
    table = labels_of(pictures)
    table.cells += [("../secret.png", "red"), ("../../etc/passwd", "red"), ("/etc/passwd", "blue")]
    opened = []

    class Watched(LocalStore):
        def open(self, path):
            opened.append(path)
            return super().open(path)

    retrain(Watched(pictures.root), model, output, by_table(), table)
    assert set(opened) == set(pictures.paths())


def test_a_folder_that_cannot_be_written_is_told_at_once(model, pictures):
    class Full(MemoryStore):
        def write(self, path, content):
            raise OSError(28, "No space left on device")

    class Unread(LocalStore):
        def open(self, path):
            raise AssertionError("a picture was read before the output was probed")

    with pytest.raises(OutputError, match="No space left"):
        retrain(Unread(pictures.root), model, Full(), by_folder())


@pytest.mark.keras
def test_random_weights_mean_all_layers_whatever_was_chosen(
    pictures: LocalStore, output: LocalStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    (tmp_path / "small").mkdir()
    base = write_small_model(LocalStore(tmp_path / "small"))
    settings = by_folder(initial_weights="random", nb_epochs=1, model_learning_rate=0.01)
    retrain(pictures, base.store, output, settings)
    assert "so all layers are trained from scratch" in caplog.text
    before, after = rebuild(base).get_layer("convolved"), rebuild(open_model(output)).get_layer("convolved")
    assert np.abs(before.get_weights()[0] - after.get_weights()[0]).mean() > 0.1
    assert "trained from random weights (all)" in caplog.text


def test_config_is_written_last(model, pictures):
    class Ordered(MemoryStore):
        order: list[str] = []

        def write(self, path, content):
            self.order.append(path)
            super().write(path, content)

    store = Ordered()
    retrain(pictures, model, store, by_folder(tensorboard=False))
    assert store.order[-2:] == ["/config.json", PAGE]
    assert {"/history.csv", "/metrics.json", "/run.json", "/validation.csv"} <= set(store.order[:-2])


def test_mistakes_of_both_parameter_lists_are_told_together(model, pictures, output):
    settings = by_folder(
        model_optimizer="sgd",
        model_custom_params_opti=[{"from": "beta_1", "to": "0.9"}],
        data_augmentation=True,
        model_custom_params_data_augmentation=[{"from": "shear", "to": "3"}],
    )
    with pytest.raises(SettingsError, match="model_custom_params_opti.*model_custom_params_data_augmentation"):
        retrain(pictures, model, output, settings)


def test_the_split_and_groups_come_from_columns(model, pictures, output):
    paths = pictures.paths()
    parts = [("test", "validation", "", "train", "train", "train")[place % 6] for place in range(len(paths))]
    retrain(pictures, model, output, by_table(split_column="part"), labels_of(pictures, part=parts))
    told = {picture["path"]: picture["split"] for picture in read_json(output, "run.json")["pictures"]}
    assert told == {path: part for path, part in zip(paths, parts, strict=True) if part}
    assert read_json(output, "metrics.json")["test"]["pictures"] == 6
    assert {row["split"] for row in read_csv(output, "validation.csv")} == {"validation", "test"}
    houses = [place // 4 for place in range(len(paths))]
    retrain(pictures, model, output, by_table(group_column="house"), labels_of(pictures, house=houses))
    sides: dict[int, set[str]] = {}
    for picture in read_json(output, "run.json")["pictures"]:
        sides.setdefault(houses[paths.index(picture["path"])], set()).add(picture["split"])
    assert all(len(split) == 1 for split in sides.values())
    with pytest.raises(LabelsError, match="group_column: no connected dataset has a column 'patient'"):
        retrain(pictures, model, output, by_table(group_column="patient"), labels_of(pictures))


def test_copies_of_a_picture_stay_on_one_side(model, pictures, output):
    for number in range(12):
        pictures.write(f"/red/copy{number:03d}.png", shade("red", number))
    retrain(pictures, model, output, by_folder())
    sides = {picture["path"]: picture["split"] for picture in read_json(output, "run.json")["pictures"]}
    for number in range(12):
        assert sides[f"/red/{number:03d}.png"] == sides[f"/red/copy{number:03d}.png"]


def test_a_label_that_depends_on_picture_and_column_needs_both(model, pictures, output, tmp_path):
    """The third of the photos of a thing shows its back, whatever its colour."""
    draw = np.random.default_rng(0)
    many = write_colours(tmp_path / "many", 40)
    order = draw.integers(1, 4, 120).tolist()
    table = labels_of(many, order=order)
    table.cells = [(path, "back" if place == 3 else label, place) for path, label, place in table.cells]
    retrain(many, model, output, by_table(extra_columns="order"), table)
    metrics = read_json(output, "metrics.json")
    assert metrics["accuracy_both"] >= metrics["accuracy_picture_only"] + 0.1
    assert metrics["accuracy_both"] >= metrics["accuracy_table_only"] + 0.1
    assert metrics["accuracy_both"] == metrics["validation"]["accuracy"]
    asked = answers(output, many, MemoryTable("orders", ["file", "order"], [(row[0], row[2]) for row in table.cells]))
    right = [asked["/" + path] == label for path, label, _ in table.cells]
    assert np.mean(right) > 0.9
    with pytest.raises(SettingsError, match="order"):
        answers(output, many)
    retrain(many, output, output, by_table(), table)
    assert {column.name for column in open_model(output).config.head.extra} == {"order"}


def test_copies_vary_and_are_shown(model, pictures, output, tmp_path):
    cache = LocalStore(tmp_path / "cache")
    settings = by_folder(
        data_augmentation=True,
        n_augmentation=3,
        model_custom_params_data_augmentation=[{"from": "rotate", "to": "[-90, 90]"}],
    )
    retrain(pictures, model, output, settings, cache=cache)
    first = weights(output)
    with output.open("/augmentation.html") as stream:
        page = stream.read().decode()
    assert page.count("<img") == 3 * 4

    class NotDecoded(LocalStore):
        def write(self, path, content):
            raise AssertionError("something was computed again")

    retrain(pictures, model, output, settings, cache=NotDecoded(cache.root))
    assert weights(output) == first
    retrain(pictures, model, output, by_folder())
    assert "/augmentation.html" not in output.paths(), "a report of another training stays"


def test_what_was_computed_before_an_end_is_not_computed_again(model, pictures, output, tmp_path, caplog):
    cache = LocalStore(tmp_path / "cache")
    caplog.set_level("INFO", "vision_recipes")
    for _ in range(2):
        caplog.clear()
        retrain(pictures, model, output, by_folder(), cache=cache)
    assert "36 from the cache" in caplog.text


class Counting(LocalStore):
    """Counts how often each file is opened."""

    def __init__(self, root):
        super().__init__(root)
        self.opened = Counter()

    def open(self, path):
        self.opened[path] += 1
        return super().open(path)


def assert_opened_once(counting, output):
    """The report shows some of the validation pictures: only these are opened again, for their thumbnails."""
    shown = {row["path"] for row in read_csv(output, "validation.csv") if row["split"] == "validation"}
    assert counting.opened.keys() == set(counting.paths())
    assert {path for path, count in counting.opened.items() if count > 1} <= shown
    assert max(counting.opened.values()) <= 2


def test_each_file_is_opened_once_whatever_copies_there_are(model, pictures, output, tmp_path):
    cache = LocalStore(tmp_path / "cache")
    for _ in range(2):
        counting = Counting(pictures.root)
        retrain(counting, model, output, by_folder(data_augmentation=True), cache=cache)
        assert_opened_once(counting, output)


@pytest.mark.keras
def test_each_file_is_opened_once_when_layers_are_fine_tuned(pictures, output, tmp_path):
    (tmp_path / "small").mkdir()
    base = write_small_model(LocalStore(tmp_path / "small"))
    counting = Counting(pictures.root)
    settings = by_folder(data_augmentation=True, n_augmentation=1, layer_to_retrain="n_last", nb_epochs=1)
    retrain(counting, base.store, output, settings)
    assert_opened_once(counting, output)


def test_no_framework_wakes_for_the_last_layer(model, pictures, output):
    import subprocess
    import sys

    code = (
        "import sys; from vision_recipes.retrain import retrain; from vision_recipes.stores import LocalStore;"
        "from vision_recipes.training_settings import RetrainSettings;"
        f"retrain(LocalStore({str(pictures.root)!r}), LocalStore({str(model.root)!r}), LocalStore({str(output.root)!r}),"
        " RetrainSettings.from_params({'label_source': 'folder_names', 'compute': {'use_gpu': 'false'}}));"
        "found = {'tensorflow', 'keras', 'sklearn', 'pandas'} & set(sys.modules); assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_real_photos(shared, output, tmp_path):
    """Photos of rooms with a network that was trained on others: mostly right after seconds."""
    from vision_recipes.import_model import import_model
    from vision_recipes.macro_settings import ImportSettings

    net = LocalStore(tmp_path / "net")
    settings = ImportSettings(
        model_file=str(shared / "models/squeezenet_imagenet/squeezenet.keras"), preprocessing="caffe"
    )
    import_model(settings, net, None, None, lambda done, total: None)
    with open(shared / "houses200.csv", newline="") as stream:
        cells = [(row["path"], row["label"]) for row in csv.DictReader(stream)]
    photos = LocalStore(shared / "houses200")
    retrain(photos, net, output, by_table(), MemoryTable("houses", ["path", "label"], cells))
    assert read_json(output, "metrics.json")["validation"]["accuracy"] >= 0.85


def test_folders_that_are_a_split_judge_and_are_no_labels(model, pictures, output, tmp_path):
    split = LocalStore(tmp_path / "split")
    for number, path in enumerate(pictures.paths()):
        with pictures.open(path) as stream:
            split.write(f"/{('train', 'train', 'val', 'Test')[number % 4]}{path}", stream.read())
    split.write("/test/loose.png", b"nothing")
    split.write("/train/.ipynb_checkpoints/1-checkpoint.png", b"nothing")
    retrain(split, model, output, by_folder())
    assert open_model(output).labels == ("blue", "green", "red")
    rows = read_csv(output, "validation.csv")
    assert len(rows) == 18
    assert all(row["split"] == {"val": "validation", "Test": "test"}[row["path"].split("/")[1]] for row in rows)
