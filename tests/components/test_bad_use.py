"""Bad use is answered in one breath: one clear message, the right exit code, nothing half-written."""

import os

import pytest


@pytest.fixture
def classify(minihost, photos):
    def run(**changes):
        roles = {"image_folder": photos, "scored_dataset": "out.csv"}
        roles.update(changes)
        sides = {"scored_dataset": "-o"}
        words = [word for role, ref in roles.items() for word in (sides.get(role, "-i"), f"{role}={ref}")]
        return minihost("run", "vision-classify", *words)

    return run


def names(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_unknown_component(minihost):
    done = minihost("run", "vision-clasify")
    assert done.returncode == 2
    assert "vision-clasify" in done.stderr
    assert "vision-classify" in done.stderr


def test_several_mistakes_at_once(minihost, photos):
    done = minihost(
        "run", "vision-classify", "-i", f"image_folder={photos}", "-i", "picture_folder=x", "-p", "max_nb_labels=many",
        "-p", "min_treshold=0.2", "-p", "compute.precision=double",
    )  # fmt: skip
    assert done.returncode == 2
    for part in ("picture_folder", "scored_dataset", "many", "min_threshold", "double"):
        assert part in done.stderr, part
    assert names(minihost.folder) == ["photos"]


def test_a_model_folder_without_config(minihost, classify):
    (minihost.folder / "model").mkdir()
    (minihost.folder / "model" / "notes.txt").write_text("x")
    before = names(minihost.folder)
    done = classify(model_folder="model")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "config.json" in last
    assert "Traceback" not in done.stderr
    assert names(minihost.folder) == before


def test_an_empty_picture_folder(minihost, classify):
    (minihost.folder / "none").mkdir()
    before = names(minihost.folder)
    done = classify(image_folder="none")
    assert done.returncode == 1
    assert "none" in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert names(minihost.folder) == before


def test_a_folder_with_only_broken_files_gives_rows(minihost, photos, classify):
    (photos / "good.jpg").unlink()
    done = classify()
    assert done.returncode == 0
    assert [row["reason"] for row in minihost.table("out.csv")] == ["empty", "not_an_image"]


def test_retraining_on_only_broken_files_stops(minihost, photos):
    (photos / "good.jpg").unlink()
    (minihost.folder / "labels.csv").write_text("path,label\nwords.jpg,a\nnothing.png,b\n")
    done = minihost(
        "run", "vision-retrain", "-i", f"image_folder={photos}",
        "-i", "label_dataset=labels.csv", "-o", "model_output=mine", "-p", "col_filename=path", "-p", "col_label=label",
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not (minihost.folder / "mine" / "config.json").exists()


def test_a_missing_input_is_a_mistake_of_the_job(minihost, classify):
    done = classify(image_folder="nowhere")
    assert done.returncode == 2
    assert "nowhere" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_an_output_without_rights(minihost, classify):
    locked = minihost.folder / "locked"
    locked.mkdir(mode=0o500)
    done = classify(scored_dataset="locked/out.csv")
    assert done.returncode == 2
    assert "locked" in done.stderr


def test_an_output_that_cannot_be_written(minihost, classify):
    (minihost.folder / "file").write_text("in the way")
    done = classify(scored_dataset="file/out.csv")
    assert done.returncode == 2
    assert "file" in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert (minihost.folder / "file").read_text() == "in the way"


def test_an_earlier_result_survives_a_failure(minihost, classify):
    (minihost.folder / "out.csv").write_text("images\nold\n")
    (minihost.folder / "none").mkdir()
    assert classify(image_folder="none").returncode == 1
    assert (minihost.folder / "out.csv").read_text() == "images\nold\n"
