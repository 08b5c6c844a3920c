"""The shards of a folder, merged: byte for byte what one run writes, or the name of what is wrong and nothing written."""

import os
from pathlib import Path

import pytest
from images.files import encoded, picture
from model_folder.small import write_small_model
from training.colours import write_colour_model, write_colours

from minihost.errors import ComponentFailed
from vision_recipes.retrain import retrain
from vision_recipes.settings import ComputeSettings
from vision_recipes.stores import LocalStore
from vision_recipes.training_settings import RetrainSettings

NAMES = (
    *(b"new\nline.png", b'quo"te,.png', b"\xff\xfe bytes.png", b".hidden.png", b"back\\udcff.png", b"cr\r.png"),
    *(b" blank .png", "\U0001d11e.png".encode(), b"\xef\xbf\xbd.png", "ü\u2028.png".encode(), b"sub/1.png"),
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model with a detector of unusual pictures."""
    root = tmp_path_factory.mktemp("model")
    write_colour_model(root / "base")
    settings = RetrainSettings(train_ratio=0.6, tensorboard=False, compute=ComputeSettings(use_gpu="false"))
    retrain(write_colours(root / "colours", 24), LocalStore(root / "base"), LocalStore(root / "model"), settings)
    return root / "model"


def hostile(root: Path):
    """Names that files can have and tables hardly hold, and files that are no pictures."""
    (root / "sub").mkdir(parents=True)
    jpeg = encoded(picture(90, 70), "JPEG")
    for number, name in enumerate(NAMES):
        Path(os.fsdecode(os.fsencode(root) + b"/" + name)).write_bytes(encoded(picture(30 + 7 * number, 40), "PNG"))
    for name, content in (("empty.jpg", b""), ("text.jpg", b"no"), ("cut.jpg", jpeg[: len(jpeg) // 2])):
        (root / "sub" / name).write_bytes(content)
    (root / "outside.png").symlink_to("/etc/hostname")


@pytest.fixture
def project(minihost_project, monkeypatch, tmp_path, model):
    monkeypatch.setenv("VISION_RECIPES_CACHE", str(tmp_path / "cache"))
    found = minihost_project()
    found.add_folder("model", model)
    return found


def run(project, component, outputs, params=(), **inputs):
    given = {"image_folder": "photos", **inputs}
    project.run(component, inputs=given, outputs=outputs, params=dict(params), in_process=True)


def written(project, name):
    """The bytes of a table, and of the schema file beside it."""
    place = project.root / name
    schema = place.with_name(f"{place.stem}.schema.json")
    return place.read_bytes(), schema.read_bytes() if place.suffix == ".csv" else b""


CLASSIFY = ("vision-classify", "scored_dataset", {})
ARRAYS = ("vision-extract", "feature_dataset", {"label_source": "folder_names"})
COLUMNS = ("vision-extract", "feature_dataset", {"features_as": "columns"})


@pytest.mark.parametrize(
    ("make", "asked", "counts", "of_parts"),
    [
        (write_colours, CLASSIFY, (1, 2), "csv"),
        (hostile, CLASSIFY, (16,), "parquet"),
        (hostile, ARRAYS, (5,), "csv"),
        (hostile, COLUMNS, (3,), "parquet"),
    ],
    ids=("ordinary", "hostile", "vectors", "columns"),
)
def test_merged_shards_are_the_bytes_of_one_run(make, asked, counts, of_parts, project):
    make(project.add_folder("photos"))
    component, role, params = asked
    inputs, reviewed = {"model_folder": "model"}, component == "vision-classify"
    if params.get("features_as"):
        facts = [{"path": "/sub/1.png", "day": "2024-02-29T00:00:00.000Z", "price": "1e-7", "words": "[0.1, 2]"}]
        facts[0] |= {"number": "7", "warning": "hot", "prediction": '["a"]', "verdict": "unknown"}
        types = {"day": "date", "price": "double", "words": "array", "prediction": "array"}
        project.add_dataset("facts", [*facts, {"path": "/ blank .png", "words": ""}], types=types)
        inputs["extra_dataset"] = "facts"
    for ending in ("csv", "parquet"):
        review = {"review_dataset": f"review.{ending}"} if reviewed else {}
        run(project, component, {role: f"one.{ending}", **review}, params, **inputs)
    for count in counts:
        numbers = range(1, count + 1)
        for shard in numbers:
            review = {"review_dataset": f"review-{shard}.parquet"} if reviewed else {}
            given = {**params, "shard": shard, "shards": count}
            run(project, component, {role: f"part-{shard}.{of_parts}", **review}, given, **inputs)
        parts = {"part_datasets": [f"part-{shard}.{of_parts}" for shard in reversed(numbers)]}
        if reviewed:
            parts["review_parts"] = [f"review-{shard}.parquet" for shard in numbers]
        for ending in ("csv", "parquet"):
            review = {"review_dataset": f"merged-review.{ending}"} if reviewed else {}
            run(project, "vision-merge", {"merged_dataset": f"merged.{ending}", **review}, **parts)
            assert written(project, f"merged.{ending}") == written(project, f"one.{ending}")
            if reviewed:
                assert written(project, f"merged-review.{ending}") == written(project, f"review.{ending}")
    if reviewed and make is hostile:
        assert len(project.rows("review.csv")) > 1
        with pytest.raises(ComponentFailed, match="The parts of review_parts have .* are flagged as unsure or unknown"):
            parts["review_parts"] = parts["review_parts"][:1]
            run(project, "vision-merge", outputs := {"merged_dataset": "none.csv", "review_dataset": "no.csv"}, **parts)
        assert not any((project.root / name).exists() for name in outputs.values())


@pytest.mark.slow
@pytest.mark.keras
def test_merged_saliency_maps_are_those_of_one_run(project, tmp_path):
    hostile(project.add_folder("photos"))
    write_small_model(LocalStore(tmp_path / "small"))
    project.add_folder("small", tmp_path / "small")

    def explain(table, maps, **params):
        outputs, given = {"explained_dataset": table, "heat_folder": maps}, {"nb_pictures": 12, **params}
        run(project, "vision-explain", outputs, given, model_folder="small")

    explain("one.csv", "one")
    for shard in (1, 2):
        explain(f"part-{shard}.parquet", f"maps-{shard}", shard=shard, shards=2)
    outputs = {"merged_dataset": "merged.csv", "merged_folder": "merged"}
    parts = {"part_datasets": ["part-2.parquet", "part-1.parquet"], "part_folders": ["maps-1", "maps-2"]}
    run(project, "vision-merge", outputs, **parts)
    assert written(project, "merged.csv") == written(project, "one.csv")
    assert project.files("merged") == project.files("one") and len(project.files("one")) > 6
    for lacking, message in (
        ({"part_datasets": parts["part_datasets"][:1]}, "rows? (is|are) missing, the first is number"),
        ({"part_folders": ["maps-1"]}, "is the saliency map of .*, but no folder of part_folders has such a file"),
        ({"part_folders": []}, "part_folders: merged_folder is to be written, but no parts of it are connected"),
    ):
        with pytest.raises(ComponentFailed, match=message):
            run(project, "vision-merge", outputs | {"merged_dataset": "none.csv"}, **{**parts, **lacking})
    assert not (project.root / "none.csv").exists()


def test_partitions_are_shards_and_are_merged_as_one_dataset(project):
    """As in DSS: the partition to write says which shard; all of them are read by one input."""
    write_colours(project.add_folder("photos"))
    run(project, "vision-classify", {"scored_dataset": "one.csv"}, model_folder="model")
    project.project.flow.datasets["parts"] = {
        "path": str(project.root / "parts"),
        "format": "parquet",
        "partitioning": {"dimensions": [{"name": "shard", "type": "value"}]},
    }
    inputs = {"image_folder": "photos", "model_folder": "model"}
    for shard in ("1", "2", "3"):
        outputs, given = {"scored_dataset": "parts"}, {"shards": 3}
        project.run("vision-classify", inputs=inputs, outputs=outputs, params=given, partition=shard, in_process=True)
    run(project, "vision-merge", {"merged_dataset": "merged.csv"}, part_datasets="parts")
    assert written(project, "merged.csv") == written(project, "one.csv")
    for shard, shards in (("1", 1), ("4", 3), ("east", 3)):
        given = {"params": {"shards": shards}, "partition": shard, "in_process": True}
        with pytest.raises(ComponentFailed, match=f"this is '{shard}' of {shards}. Set shards"):
            project.run("vision-classify", inputs=inputs, outputs={"scored_dataset": "parts"}, **given)


def test_an_empty_folder_is_the_same_error_with_shards(project):
    project.add_folder("photos", {})
    for component, role, params in (CLASSIFY, ARRAYS):
        for given in ({}, {"shard": 2, "shards": 3}):
            with pytest.raises(ComponentFailed, match="'photos' has no files"):
                run(project, component, {role: "none.csv"}, {**params, **given}, model_folder="model")
    project.add_dataset("part", {"images": [], "error": [], "reason": []})
    with pytest.raises(ComponentFailed, match="'photos' has no files"):
        run(project, "vision-merge", {"merged_dataset": "none.csv"}, part_datasets="part")
    assert not (project.root / "none.csv").exists()
