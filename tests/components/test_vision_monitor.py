"""The recipe as a person runs it: a row for checks, the pictures that moved, a page that loads nothing."""

import json


def test_new_pictures_are_compared_with_those_of_the_training(workshop):
    roles = ("-i", "image_folder=more", "-i", "model_folder=egg_model", "-o", "moved_dataset=moved.csv")
    done = workshop.well("run", "vision-monitor", *roles, "-o", "metrics_dataset=now.csv", "-o", "report_folder=page")
    (row,) = workshop.table("now.csv")
    trained = json.loads((workshop.folder / "egg_model" / "run.json").read_text(encoding="utf-8"))
    assert (
        row["alarm"] == "0" and row["pictures"] == "60" and row["reference_pictures"] == str(len(trained["pictures"]))
    )
    assert row["summary"] in done.stderr and len(workshop.table("moved.csv")) == 60
    page = (workshop.folder / "page" / "index.html").read_text(encoding="utf-8")
    assert "No sign of a change" in page and page.count("<img") == 24 and "://" not in page


def test_what_is_missing_is_said(workshop):
    done = workshop("run", "vision-monitor", "-i", "image_folder=more", "-o", "metrics_dataset=none.csv")
    assert done.returncode == 1 and "Connect a reference_folder" in done.stdout + done.stderr
    assert not (workshop.folder / "none.csv").exists()
