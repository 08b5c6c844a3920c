"""The whole way on real photos and a real network, where they lie beside the checkout."""

import csv

import pytest

pytestmark = [pytest.mark.keras, pytest.mark.slow]


def test_real_photos_are_imported_classified_and_learnt(minihost, shared):
    source = shared / "models" / "squeezenet_imagenet"
    model = ("-p", f"model_file={source / 'squeezenet.keras'}", "-p", f"labels_file={source / 'labels.csv'}")
    minihost.well("run", "vision-import", *model, "-p", "preprocessing=caffe", "-p", "output_managed_folder=net")

    pictures = ("-i", f"image_folder={shared / 'houses200'}")
    minihost.well("run", "vision-classify", *pictures, "-i", "model_folder=net", "-o", "scored_dataset=general.csv")
    rows = minihost.table("general.csv")
    assert len(rows) == 200
    kitchens = {row["label"] for row in rows if "kitchen" in row["images"]}
    assert {"microwave", "stove", "dishwasher"} & kitchens

    labels = ("-i", f"label_dataset={shared / 'houses200.csv'}", "-p", "col_filename=path", "-p", "col_label=label")
    retrain = ("run", "vision-retrain", *pictures, "-i", "model_folder=net", *labels)
    minihost.well(*retrain, "-o", "model_output=mine")
    with (minihost.folder / "mine" / "validation.csv").open(encoding="utf-8", newline="") as stream:
        validation = list(csv.DictReader(stream))
    assert sum(row["label"] == row["prediction"] for row in validation) >= 0.9 * len(validation)

    minihost.well("run", "vision-classify", *pictures, "-i", "model_folder=mine", "-o", "scored_dataset=scored.csv")
    rows = minihost.table("scored.csv")
    assert len(rows) == 200
    assert {row["error"] for row in rows} == {"0"}
