"""The whole workshop, step by step."""

import json
import math
import subprocess
import sys

import pyarrow.parquet as parquet
import pytest

from .conftest import DRAW, prediction


def test_samples_are_the_same_for_the_same_seed(minihost):
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        macro = (*DRAW, "-p", "sample=cartoon-characters", "-p", "count=6", "-p", f"seed={seed}")
        minihost.well(*macro, "-p", f"output_managed_folder={folder}")
    contents = [
        sorted(path.read_bytes() for path in (minihost.folder / folder).rglob("*.jpg")) for folder in ("a", "b", "c")
    ]
    assert len(contents[0]) == 6
    assert contents[0] == contents[1] != contents[2]


def test_the_retrained_model_scores_new_pictures_well(workshop):
    roles = ("-i", "image_folder=more", "-i", "model_folder=egg_model", "-o", "scored_dataset=scored.csv")
    workshop.well("run", "vision-classify", *roles)
    rows = workshop.table("scored.csv")
    assert list(rows[0]) == ["images", "prediction", "error", "label", "probability", "reason", "verdict"]
    assert {row["verdict"] for row in rows} <= {"known", "unsure", "unknown"}
    assert [row["images"] for row in rows] == sorted(row["images"] for row in rows)
    assert len(rows) == 60
    for row in rows:
        labels = prediction(row)
        assert list(labels.values()) == sorted(labels.values(), reverse=True)
        assert next(iter(labels)) == row["label"]
        assert math.isclose(float(row["probability"]), labels[row["label"]], abs_tol=1e-6)
    right = sum(row["images"].startswith(f"/{row['label']}/") for row in rows)
    assert right >= 40  # by guessing, one time in a hundred

    truth = ("-i", "scored_dataset=scored.csv", "-o", "metrics_dataset=metrics.csv", "-p", "label_source=folder_names")
    workshop.well("run", "vision-evaluate", *truth)
    metrics = {row["metric"]: float(row["value"]) for row in workshop.table("metrics.csv") if not row["class"]}
    assert math.isclose(metrics["accuracy"], right / 60)


def test_vectors_go_to_parquet_as_lists_of_floats(workshop):
    roles = ("-i", "image_folder=more", "-i", "model_folder=egg_model", "-o", "feature_dataset=vectors.parquet")
    workshop.well("run", "vision-extract", *roles)
    table = parquet.read_table(workshop.folder / "vectors.parquet")
    assert table.column_names == ["images", "prediction", "error", "reason"]
    assert table.schema.field("prediction").type.value_type in ("double", "float")
    lengths = {len(vector) for vector in table.column("prediction").to_pylist()}
    assert len(lengths) == 1
    assert lengths.pop() > 100


def test_the_retrained_folder_says_what_it_is(workshop):
    folder = workshop.folder / "egg_model"
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["version"] == 3
    assert (folder / "model_labels.csv").read_text(encoding="utf-8").split() == ["id,className", "0,egg", "1,not_egg"]
    for report in ("README.md", "history.csv", "metrics.json", "run.json", "validation.csv"):
        assert (folder / report).stat().st_size > 0


def test_the_retrained_model_leaves_for_other_programs(workshop):
    macro = ("run", "vision-export", "-p", "model_folder=egg_model", "-p", "output_managed_folder=exported")
    workshop.well(*macro, "-p", "export_format=onnx")
    folder = workshop.folder / "exported" / "onnx"
    assert sorted(path.name for path in folder.iterdir()) == ["about.json", "classify.py", "model.onnx"]
    (photo, *_) = sorted((workshop.folder / "more" / "egg").iterdir())
    done = subprocess.run([sys.executable, "-I", folder / "classify.py", photo], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\t")[1] in ("egg", "not_egg")


@pytest.mark.parametrize("streams", [(), ("--streams-only",)])
def test_components_never_need_a_local_path(workshop, streams):
    roles = ("-i", "image_folder=more", "-o", "scored_dataset=streams.csv")
    workshop.well("run", "vision-classify", *roles, *streams)
    assert len(workshop.table("streams.csv")) == 60


def test_a_file_that_is_no_picture_costs_one_row(minihost, photos):
    roles = ("-i", f"image_folder={photos}")
    minihost.well("run", "vision-classify", *roles, "-o", "scored_dataset=scored.csv")
    rows = {row["images"]: row for row in minihost.table("scored.csv")}
    assert {path: (row["error"], row["reason"]) for path, row in rows.items()} == {
        "/good.jpg": ("0", ""),
        "/nothing.png": ("1", "empty"),
        "/words.jpg": ("1", "not_an_image"),
    }
    assert rows["/words.jpg"]["prediction"] == rows["/words.jpg"]["label"] == ""
