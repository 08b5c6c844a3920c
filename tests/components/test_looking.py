"""Recipes for review: checked labels back into training, the report of an evaluation, saliency maps."""

import csv

import pytest
from PIL import Image


@pytest.fixture
def mislabelled(workshop):
    """The eggs' labels in a table, four of them wrong."""
    paths = sorted(
        path.relative_to(workshop.folder / "eggs").as_posix() for path in (workshop.folder / "eggs").rglob("*.jpg")
    )
    with (workshop.folder / "labels.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "label", "half"])
        for place, path in enumerate(paths):
            label = path.split("/")[0]
            wrong = {"egg": "not_egg", "not_egg": "egg"}[label]
            writer.writerow([path, wrong if place in (3, 17, 40, 55) else label, "a" if place % 2 else "b"])
    return workshop


def test_labels_are_checked_decided_and_used(mislabelled):
    roles = ("-i", "image_folder=eggs", "-i", "label_dataset=labels.csv")
    columns = ("-p", "col_filename=path", "-p", "col_label=label", "-p", "on_wrong_label=drop")
    mislabelled.well("run", "vision-check-labels", *roles, *columns, "-o", "checked_dataset=checked.csv")
    rows = mislabelled.table("checked.csv")
    assert len(rows) == 60
    degrees = [float(row["suspicion"]) for row in rows]
    assert degrees == sorted(degrees, reverse=True)
    dropped = [row for row in rows if row["decision"] == "drop"]
    assert dropped == [row for row in rows if row["issue"] == "wrong_label"]

    roles = ("-i", "image_folder=eggs", "-i", "label_dataset=checked.csv")
    columns = ("-p", "col_filename=images", "-p", "col_label=label", "-p", "col_decision=decision")
    done = mislabelled.well("run", "vision-retrain", *roles, *columns, "-o", "model_output=decided")
    assert f"{60 - len(dropped)} pictures of 2 classes" in done.stdout + done.stderr


def test_an_evaluation_writes_its_report(mislabelled):
    scored = ("run", "vision-classify", "-i", "image_folder=eggs")
    mislabelled.well(*scored, "-i", "model_folder=egg_model", "-o", "scored_dataset=first.csv")
    inputs = (
        "scored_dataset=first.csv",
        "other_dataset=first.csv",
        "label_dataset=labels.csv",
        "image_folder=eggs",
        "model_folder=egg_model",
    )
    outputs = ("metrics_dataset=metrics.csv", "pictures_dataset=judged.csv", "report_folder=report")
    roles = [word for ref in inputs for word in ("-i", ref)] + [word for ref in outputs for word in ("-o", ref)]
    columns = ("-p", "col_filename=path", "-p", "col_label=label", "-p", "slice_columns=half")
    mislabelled.well("run", "vision-evaluate", *roles, *columns)
    metrics = {(row["metric"], row["class"], row["slice"]): row["value"] for row in mislabelled.table("metrics.csv")}
    pictures = mislabelled.table("judged.csv")
    right = sum(row["right"] == "1" for row in pictures)
    assert float(metrics["accuracy", "", ""]) == pytest.approx(right / 60)
    assert float(metrics["compared_p_value", "", ""]) == 1.0
    halves = [float(metrics["slice_accuracy", "", half]) for half in "ab"]
    assert sum(halves) / 2 == pytest.approx(right / 60)
    page = (mislabelled.folder / "report" / "index.html").read_text(encoding="utf-8")
    assert page.count("data:image/webp;base64,") > 10
    assert "pictures shown here were used in training, so the model looks better here than it is" in page
    assert "vision-retrain" in page


@pytest.mark.keras
@pytest.mark.slow
def test_errors_are_explained_with_overlays(mislabelled):
    mislabelled.well(
        "run",
        "vision-classify",
        "-i",
        "image_folder=more",
        "-i",
        "model_folder=egg_model",
        "-o",
        "scored_dataset=s.csv",
        "-p",
        "compute.precision=float32",
    )
    outputs = ("-i", "scored_dataset=s.csv", "-o", "metrics_dataset=m.csv", "-o", "pictures_dataset=j.csv")
    mislabelled.well("run", "vision-evaluate", *outputs, "-p", "label_source=folder_names")
    scored = {row["images"]: row for row in mislabelled.table("s.csv")}
    roles = (
        "-i",
        "image_folder=more",
        "-i",
        "model_folder=egg_model",
        "-o",
        "explained_dataset=e.csv",
        "-o",
        "heat_folder=heat",
    )
    mislabelled.well("run", "vision-explain", *roles, "-p", "nb_pictures=40")
    rows = mislabelled.table("e.csv")
    assert len(rows) == 40
    for row in rows:
        assert row["label"] == scored[row["images"]]["label"]
        assert float(row["probability"]) == pytest.approx(float(scored[row["images"]]["probability"]), abs=2e-3)
        assert (mislabelled.folder / "heat" / row["overlay"].lstrip("/")).stat().st_size > 1000
        assert row["truth"] == ""
        with Image.open(mislabelled.folder / "heat" / row["overlay"].lstrip("/")) as overlay:
            assert max(overlay.width / 2, overlay.height) >= 448
        little = float(row["drop_hottest"]) < float(row["drop_random"]) + 0.02
        assert bool(row["warning"]) == little
    drops = [sum(float(row[name]) for row in rows) / 40 for name in ("drop_hottest", "drop_random")]
    assert drops[0] > drops[1]

    wrong = [row["images"] for row in mislabelled.table("j.csv") if row["right"] == "0"]
    which = ("-i", "judged_dataset=j.csv", "-p", "which=errors", "-p", "nb_pictures=3", "-p", "deletion_test=false")
    mislabelled.well("run", "vision-explain", *roles[:4], *which, "-o", "explained_dataset=e.csv", "-p", "label=egg")
    rows = mislabelled.table("e.csv")
    assert [row["images"] for row in rows] == wrong[:3]
    truths = {row["images"]: row["truth"] for row in mislabelled.table("j.csv")}
    assert [row["truth"] for row in rows] == [truths[path] for path in wrong[:3]]
    assert {(row["label"], row["drop_hottest"], row["overlay"]) for row in rows} == {("egg", "", "")}

    (mislabelled.folder / "all_right.csv").write_text(f"images,right\n{wrong[0]},1\n", encoding="utf-8")
    which = ("-i", "judged_dataset=all_right.csv", "-p", "which=errors")
    mislabelled.well("run", "vision-explain", *roles[:4], *which, "-o", "explained_dataset=none.csv")
    assert mislabelled.table("none.csv") == []
