"""Copies are found in a folder, and training keeps them together or leaves them out, as a person runs it."""

import csv

import pytest
from PIL import Image, ImageOps


@pytest.mark.slow
def test_copies_are_found_and_training_takes_the_groups(minihost, workshop):
    eggs = sorted((workshop.folder / "eggs").rglob("*.jpg"))[10:34]
    for place, path in enumerate(eggs):
        target = minihost.folder / "photos" / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
        if place % 3 == 0:
            picture = ImageOps.mirror(Image.open(path))
            picture.resize((picture.width // 2, picture.height // 2)).save(target.with_name(f"copy_{path.name}"))
    outputs = ("-o", "neighbour_dataset=near.csv", "-o", "group_dataset=groups.csv", "-o", "report_folder=report")
    cache = ("-o", "cache_folder=cache")
    minihost.well("run", "vision-similar", "-i", "image_folder=photos", *outputs, *cache, "-p", "nb_neighbours=3")
    groups = minihost.table("groups.csv")
    assert len(groups) == 32 and len(minihost.table("near.csv")) == 3 * 32
    copies = {row["images"]: row["representative"] for row in groups if row["decision"] == "drop"}
    assert copies == {path: path.replace("copy_", "") for path in copies} and len(copies) == 8
    assert (minihost.folder / "report" / "index.html").read_text(encoding="utf-8").count("data:image/webp;base64,") > 16

    with (minihost.folder / "labels.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [*groups[0], "label"])
        writer.writeheader()
        writer.writerows(row | {"label": row["images"].split("/")[-2]} for row in groups)
    train = ("run", "vision-retrain", "-i", "image_folder=photos", "-i", "label_dataset=labels.csv", *cache)
    columns = ("-p", "label_source=dataset", "-p", "col_filename=images", "-p", "col_label=label")
    done = minihost.well(*train, *columns, "-p", "group_column=group", "-o", "model_output=together")
    assert "32 pictures of 2 classes" in done.stderr
    done = minihost.well(*train, *columns, "-p", "col_decision=decision", "-o", "model_output=without")
    assert "24 pictures of 2 classes" in done.stderr
