"""Components through the fixture that authors of plugins get: what they read, write, answer and refuse."""

import pytest
from conftest import ROOT

from minihost.errors import ComponentFailed, JobError


@pytest.fixture
def project(minihost_project, vision_cache, monkeypatch):
    """The project of a beginner: twelve drawn pictures and a broken one, and no model."""
    monkeypatch.setenv("VISION_RECIPES_CACHE", str(vision_cache))
    project = minihost_project()
    project.plugins.append(ROOT / "examples" / "sample-pictures")
    draw = {"sample": "egg-or-not", "count": 12, "seed": 1, "output_managed_folder": "eggs"}
    drawn = project.run("vision-samples", params=draw, in_process=True)
    assert drawn.answer["type"] == "HTML"
    project.add_folder("photos", {**project.files("eggs"), "/broken.jpg": b"not a picture"})
    return project


def test_pictures_become_rows_from_streams_alone(project):
    roles = {"inputs": {"image_folder": "photos"}, "outputs": {"scored_dataset": "scored"}}
    done = project.run("vision-classify", **roles, params={"max_nb_labels": 2}, streams_only=True)
    rows = done.rows("scored")
    assert [row["images"] for row in rows] == sorted(project.files("photos"))
    types = {column["name"]: column["type"] for column in done.schema("scored")}
    assert (types["error"], types["probability"], types["images"]) == ("int", "double", "string")
    (broken,) = [row for row in rows if row["error"] == 1]
    assert (broken["images"], broken["reason"], broken["label"]) == ("/broken.jpg", "not_an_image", None)
    assert all(0 < row["probability"] <= 1 for row in rows if row is not broken)


def test_what_is_wrong_is_named_at_once(project):
    roles = {"inputs": {"image_folder": "photos"}, "outputs": {"scored_dataset": "scored"}}
    with pytest.raises(JobError) as caught:
        project.run("vision-classify", **roles, params={"max_nb_labels": "many", "batch_size": -1})
    assert len(caught.value.mistakes) == 2
    project.add_folder("empty", {})
    with pytest.raises(ComponentFailed, match="empty"):
        project.run("vision-classify", inputs={"image_folder": "empty"}, outputs=roles["outputs"])


def test_pictures_that_were_corrected_are_trained_on(project):
    """A picture as the page of vision-try keeps it, with its row; the folder's name cannot hold the label."""
    eggs = {path: content for path, content in project.files("eggs").items() if path.endswith((".jpg", ".png"))}
    paths = sorted(eggs)
    wrong = {f"/a_b/{number:016x}.jpg": eggs[path] for number, path in enumerate(paths[:3])}
    project.add_folder("mistakes", wrong)
    rows = [{"path": path, "label": "a/b", "predicted_label": "egg", "probability": 0.6} for path in wrong]
    project.add_dataset("corrections", rows)
    labels = [{"path": path, "label": "egg" if place % 2 else "stone"} for place, path in enumerate(paths)]
    project.add_dataset("labels", labels)
    inputs = {"image_folder": "eggs", "label_dataset": "labels", "feedback_folder": "mistakes"}
    project.run("vision-retrain", inputs=inputs | {"feedback_dataset": "corrections"}, outputs={"model_output": "mine"})
    assert project.files("mine")["/model_labels.csv"].decode().split() == ["id,className", "0,a/b", "1,egg", "2,stone"]
    assert "/reference.npz" in project.files("mine")
