"""Pictures that people corrected join a training: as they are written by the page, and however a folder is left."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from dataset.conftest import MemoryTable
from test_retrain import answers, by_folder, by_table, labels_of, read_csv, read_json, weights
from training.colours import shade, write_colour_model, write_colours

from vision_recipes.errors import LabelsError
from vision_recipes.model_folder import open_model
from vision_recipes.retrain import retrain
from vision_recipes.stores import LocalStore

COLUMNS = ["path", "label", "predicted_label", "probability", "time"]


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


@pytest.fixture
def feedback(tmp_path: Path) -> LocalStore:
    (tmp_path / "mistakes").mkdir()
    return LocalStore(tmp_path / "mistakes")


def keep(store: LocalStore, folder: str, content: bytes) -> str:
    """Write a picture as vision-try does and return its path."""
    path = f"/{folder}/{hashlib.sha256(content).hexdigest()[:16]}.png"
    store.write(path, content)
    return path


def corrections(*rows: tuple[str, str | None]) -> MemoryTable:
    return MemoryTable("corrections", COLUMNS, [(*row, "red", 0.9, "2026-11-28T01:00:00Z") for row in rows])


def trained(output: LocalStore) -> dict[str, tuple[str, str]]:
    """The label and the side of each picture that was used, by path."""
    return {one["path"]: (one["label"], one["split"]) for one in read_json(output, "run.json")["pictures"]}


def test_feedback_is_trained_on_and_the_validation_pictures_stay_the_same(model, pictures, output, feedback):
    retrain(pictures, model, output, by_folder())
    before = trained(output)
    given = [keep(feedback, "red", shade("red", number, noise=120)) for number in range(100, 110)]
    retrain(pictures, model, output, by_folder(), feedback=feedback)
    after = trained(output)
    assert {path: after[path] for path in before} == before
    assert {after[f"/feedback{path}"] for path in given} == {("red", "train")}
    page = (output.root / "README.md").read_text(encoding="utf-8")
    assert "10 pictures come from feedback, 10 of them to train on" in page


def test_without_any_feedback_nothing_changes(model, pictures, output, feedback, caplog):
    retrain(pictures, model, output, by_folder())
    before = weights(output)
    caplog.set_level("INFO")
    for table in (None, corrections(), MemoryTable("new", [], [])):
        retrain(pictures, model, output, by_folder(), feedback=feedback, corrections=table)
        assert weights(output) == before
    assert "feedback: there is none" in caplog.text


def test_the_same_picture_with_another_label_has_that_of_the_feedback(model, pictures, output, feedback, caplog):
    keep(feedback, "blue", shade("red", 3))
    keep(feedback, "red", shade("red", 4))
    retrain(pictures, model, output, by_folder(), feedback=feedback)
    used = trained(output)
    assert len(used) == 36 and not any(path.startswith("/feedback") for path in used)
    assert used["/red/003.png"][0] == "blue" and used["/red/004.png"][0] == "red"
    assert "'/red/003.png' ('red', now 'blue')" in caplog.text


LABELS = ("a/b", "..", "tête à tête 🥚", "x" * 900)


def test_the_label_of_the_table_counts_before_the_name_of_the_folder(model, pictures, output, feedback, caplog):
    rows = []
    for place, label in enumerate(LABELS):
        rows += [(keep(feedback, f"safe-{place}", shade("red", 200 + 9 * place + n)), label) for n in range(3)]
    retrain(pictures, model, output, by_folder(), feedback=feedback, corrections=corrections(*rows))
    assert set(open_model(output).labels) == {"red", "green", "blue", *LABELS}
    assert "leading folders" not in caplog.text
    sides = {label: {side for given, side in trained(output).values() if given == label} for label in LABELS}
    assert set().union(*sides.values()) == {"train", "validation"}, "labels that only the feedback has are split"
    assert all("train" in found for found in sides.values())


def test_what_a_table_says_that_cannot_be_used_is_told(model, pictures, output, feedback, caplog):
    path = keep(feedback, "red", shade("red", 100))
    again = keep(feedback, "green", shade("red", 100))
    lost = ("/red/0123456789abcdef.png", "red")
    unknown = keep(feedback, "blue", shade("blue", 100))
    rows = corrections(lost, (path, "blue"), (again, "green"), (path.lstrip("/"), "red"), (unknown, None))
    retrain(pictures, model, output, by_folder(), feedback=feedback, corrections=rows)
    used = trained(output)
    assert used[f"/feedback{path}"][0] == "red" and f"/feedback{again}" not in used, "the last row counts"
    assert used[f"/feedback{unknown}"][0] == "blue"
    assert "1 row names a picture that is not in the folder: '/red/0123456789abcdef.png'" in caplog.text
    with pytest.raises(LabelsError, match="feedback_dataset: labels has no column 'label'"):
        table = MemoryTable("labels", ["path", "right"], [("/a.png", "red")])
        retrain(pictures, model, output, by_folder(), feedback=feedback, corrections=table)


def test_two_labels_and_no_row_leave_a_picture_out(model, pictures, output, feedback, caplog):
    kept = {keep(feedback, folder, shade("red", 100)) for folder in ("red", "green")}
    keep(feedback, "red", shade("red", 101))
    for name in ("green", "blue"):
        for number in range(100, 106):
            keep(feedback, name, shade(name, number))
    retrain(pictures, model, output, by_folder(), feedback=feedback)
    assert not {f"/feedback{path}" for path in kept} & set(trained(output)) and len(trained(output)) == 49
    assert "1 picture lies under several labels" in caplog.text
    retrain(feedback, model, output, by_folder(), feedback=feedback)
    assert set(trained(output)) & kept == set()


def test_the_feedback_may_lie_in_the_folder_of_the_training(model, pictures, output):
    path = keep(pictures, "blue", shade("red", 3))
    retrain(pictures, model, output, by_folder(), feedback=LocalStore(pictures.root))
    used = trained(output)
    assert used["/red/003.png"][0] == "blue" and path not in used and len(used) == 36
    retrain(pictures, model, output, by_folder(), corrections=corrections((path, "green")))
    assert trained(output)["/red/003.png"][0] == "green"


def test_a_feedback_folder_is_enough(model, output, feedback):
    rows = [(keep(feedback, f"{name}-1", shade(name, n)), name) for name in ("red", "green") for n in range(8)]
    retrain(feedback, model, output, by_folder(), corrections=corrections(*rows))
    assert open_model(output).labels == ("green", "red")
    assert {side for _, side in trained(output).values()} == {"train", "validation"}
    retrain(feedback, model, output, by_table(col_filename="", col_label=""), corrections(*rows))
    assert open_model(output).labels == ("green", "red")
    retrain(feedback, model, output, by_folder(), feedback=feedback)
    assert open_model(output).labels == ("green-1", "red-1")


def test_near_duplicates_of_validation_pictures_join_those(model, pictures, output, feedback):
    retrain(pictures, model, output, by_folder())
    held_out = {path for path, (_, side) in trained(output).items() if side == "validation" and "/red/" in path}
    for path in held_out:
        with pictures.open(path) as stream:
            feedback.write(path, stream.read() + b"\0")  # other bytes, the same pixels
    retrain(pictures, model, output, by_folder(), feedback=feedback)
    assert {trained(output)[f"/feedback{path}"][1] for path in held_out} == {"validation"}


def test_columns_and_splits_that_the_feedback_lacks(model, pictures, output, feedback):
    keep(feedback, "red", shade("red", 100))
    pictures.write("/feedback/red/000.png", shade("red", 50))
    sides = ["validation" if number % 4 == 0 else "train" for number in range(37)]
    prices = [float(number) for number in range(37)]
    table = labels_of(pictures, price=prices, side=sides)
    table.cells = [(path, path.split("/")[-2], *rest) for path, _, *rest in table.cells]
    settings = by_table(extra_columns="price", split_column="side")
    retrain(pictures, model, output, settings, table, feedback=feedback)
    used = trained(output)
    (path,) = [path for path in used if path.startswith("/feedback-2/")]
    assert used[path] == ("red", "train")
    rows = {row["path"] for row in read_csv(output, "validation.csv")}
    assert len(rows) == sides.count("validation")
    assert answers(output, pictures, table)
