"""From folders and datasets to neighbours, groups of copies and the page."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from images.test_perceptual_hash import scene
from inference.memory_store import MemoryStore
from inference.tiny import write_tiny_model
from PIL import ImageOps
from test_monitor import Rows

from vision_recipes.dataset.label_table import read_label_table
from vision_recipes.errors import FeatureTableError, OutputError, PictureFolderError, SettingsError
from vision_recipes.report_columns import GROUPED, NEIGHBOURS
from vision_recipes.settings import ComputeSettings
from vision_recipes.similar import PictureSource, SimilarInputs, SimilarOutputs, similar
from vision_recipes.similar_settings import SimilarSettings
from vision_recipes.training_settings import RetrainSettings

COMPUTE = ComputeSettings(use_gpu="false", precision="float32")


class Features:
    """A dataset in memory."""

    def __init__(self, name, rows):
        self.name, self._rows = name, rows
        self.columns = list(rows[0]) if rows else ["images", "prediction"]
        self.types = dict.fromkeys(self.columns, "string")

    def rows(self):
        return iter(self._rows)


def saved(picture, **options):
    content = io.BytesIO()
    picture.save(content, "JPEG", **options)
    return content.getvalue()


def folder(name, files):
    store = MemoryStore()
    store.name = name
    for path, content in files.items():
        store.write(path, content)
    return store


def features(paths, vectors, name="features", **columns):
    cells = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    rows = zip(paths, vectors, cells or [{}] * len(paths), strict=True)
    return Features(name, [{"images": path, "prediction": vector, **more} for path, vector, more in rows])


def run(inputs, **settings):
    outputs = SimilarOutputs(Rows(), Rows(), MemoryStore())
    similar(inputs, SimilarSettings.from_params({"compute": COMPUTE, **settings}), outputs)
    neighbours, groups = outputs.neighbours, outputs.groups
    assert neighbours.columns == NEIGHBOURS and groups.columns == GROUPED
    assert all(set(row) == {column.name for column in NEIGHBOURS} for row in neighbours.rows)
    assert all(set(row) == {column.name for column in GROUPED} for row in groups.rows)
    return neighbours.rows, {row["images"]: row for row in groups.rows}, outputs.report.files["/index.html"].decode()


PHOTO, OTHER = scene(1), scene(2)
PICTURES = {
    "/a'\"ü&<b>.jpg": saved(PHOTO, quality=95),
    "/again.jpg": saved(PHOTO, quality=95),
    "/mirrored.jpg": saved(ImageOps.mirror(PHOTO), quality=80),
    "/other.jpg": saved(OTHER),
    "/small.jpg": saved(PHOTO.resize((120, 100)), quality=90),
    "/broken.jpg": b"no",
}


def test_a_folder_is_read_once_and_one_of_each_group_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
    tiny, store = write_tiny_model(tmp_path / "model"), folder("photos", PICTURES)
    neighbours, groups, page = run(SimilarInputs(PictureSource(pictures=store), model=tiny.store), nb_neighbours=2)
    first, *others = PICTURES
    assert {path for path, row in groups.items() if row["group"] == first} == {first, others[0], others[1], others[3]}
    assert [groups[path]["kind"] for path in (first, *others)] == ["near", "exact", "near", "single", "near", None]
    assert [groups[path]["keep"] for path in (first, *others)] == [1, 0, 0, 1, 0, None]
    assert groups[first]["size"] == 4 and groups["/again.jpg"]["decision"] == "drop"
    assert groups["/broken.jpg"]["reason"] == "not_an_image" and groups["/broken.jpg"]["error"] == 1
    best = [row for row in neighbours if row["images"] == "/again.jpg"]
    assert (best[0]["neighbour"], best[0]["similarity"], best[0]["rank"], len(best)) == (first, 1.0, 1, 2)
    assert (
        "://" not in page.replace("http://www.w3.org", "") and "<b>.jpg" not in page and "script-src 'sha256-" in page
    )
    assert len(json.loads(page.split('id="drawn">')[1].split("</script>")[0])["neighbours"]) == 5


def test_pictures_of_the_stock_are_kept_before_new_ones():
    random = np.random.default_rng(3)
    vectors = {"photo": random.random(6), "else": random.random(6), "third": random.random(6)}
    new = folder("new", {"/x.jpg": saved(PHOTO), "/y.jpg": saved(scene(5)), "/z.jpg": saved(scene(5), quality=60)})
    stock = folder("stock", {"/x.jpg": saved(OTHER), "/s.jpg": saved(PHOTO.resize((80, 70)))})
    mine = features(["/x.jpg", "/y.jpg", "/z.jpg"], [vectors["photo"], vectors["else"], vectors["else"]])
    theirs = features(["/x.jpg", "/s.jpg"], [vectors["third"], vectors["photo"]], "stock_features")
    inputs = SimilarInputs(PictureSource(mine, new), PictureSource(theirs, stock))
    neighbours, groups, _ = run(inputs, nb_neighbours=1)
    assert [row["neighbour"] for row in neighbours][0] == "/s.jpg" and len(neighbours) == 3
    assert (groups["/x.jpg"]["group"], groups["/x.jpg"]["in_other"], groups["/x.jpg"]["keep"]) == (
        "stock_features:/s.jpg",
        1,
        0,
    )
    assert (groups["/y.jpg"]["keep"], groups["/z.jpg"]["keep"], groups["/z.jpg"]["group"]) == (1, 0, "/y.jpg")


def test_features_alone_with_columns_that_restrict_pairs():
    vectors = [[1, 0, 2], [1, 0, 2], [1, 0.1, 2], [0, 3, 0], [0, 0, 0], "none", [1, 0, 2]]
    paths = [f"/{row}" for row in range(7)]
    shops, people = ["a", "a", "a", "b", "a", "a", None], [1, 1, 2, 1, 1, 1, 1]
    table = features(paths, vectors, shop=shops, who=people)
    neighbours, groups, page = run(
        SimilarInputs(PictureSource(table)), same_columns=["shop"], different_columns=["who"]
    )
    listed = {row["images"]: row for row in neighbours}
    assert listed["/0"]["neighbour"] == listed["/1"]["neighbour"] == "/2" and listed["/3"]["reason"] == "no_neighbour"
    assert listed["/6"]["reason"] == "missing_value" and listed["/6"]["error"] == 0
    assert (listed["/4"]["reason"], listed["/5"]["reason"]) == ("zero_vector", "no_vector")
    assert {row["kind"] for row in groups.values()} == {"single", None}  # the same person's: they do not count
    _, groups, _ = run(SimilarInputs(PictureSource(features(paths[:4], vectors[:4]))))
    assert groups["/1"]["kind"] == "same_vector" and groups["/1"]["representative"] == "/0"
    assert "only identical vectors" in page


def test_one_picture_has_no_neighbour():
    neighbours, groups, _ = run(SimilarInputs(PictureSource(features(["/a"], [[1.0, 2.0]]))))
    assert [row["reason"] for row in neighbours] == ["no_neighbour"] and groups["/a"]["size"] == 1


def test_pictures_that_agree_little_need_similar_vectors(monkeypatch):
    monkeypatch.setattr("vision_recipes.similarity.copies.CERTAIN", 1.01)  # whatever agrees is uncertain
    files = {"/a.jpg": saved(PHOTO), "/b.jpg": saved(PHOTO.resize((120, 100))), "/c.jpg": saved(OTHER)}
    for third, kind in (([0.1, 3], "near"), ([3, 2.2], "single")):  # the cosine less the mean is 1.0, or 0.43
        vectors = features(list(files), [[0, 3], third, [3, 0]])
        _, groups, _ = run(SimilarInputs(PictureSource(vectors, folder("photos", files))))
        assert groups["/b.jpg"]["kind"] == kind


def test_many_exact_copies_do_not_hide_another():
    crowds = [("/a", PHOTO, 12), ("/b", PHOTO.resize((120, 100)), 12)]
    files = {f"{name}{number:02}.jpg": saved(picture) for name, picture, many in crowds for number in range(many)}
    vectors = [[1, 0, 3] if path < "/b" else [1, 0.1, 3] for path in files]
    _, groups, _ = run(SimilarInputs(PictureSource(features(list(files), vectors), folder("photos", files))))
    assert {row["group"] for row in groups.values()} == {"/a00.jpg"} and groups["/b05.jpg"]["kind"] == "near"


@pytest.mark.parametrize(
    ("inputs", "settings", "error", "words"),
    [
        (SimilarInputs(PictureSource()), {}, SettingsError, "connect feature_dataset, image_folder"),
        (
            SimilarInputs(
                PictureSource(features(["/a"], [[1, 2]])), PictureSource(features(["/a"], [[1, 2, 3]], "stock"))
            ),
            {},
            FeatureTableError,
            "features have 2 numbers, those of stock 3",
        ),
        (
            SimilarInputs(PictureSource(features(["/a"], [[1, 2]]), folder("photos", {"/q/b.jpg": b"x"}))),
            {},
            FeatureTableError,
            "No path of dataset features",
        ),
        (SimilarInputs(PictureSource(features(["/a"], [[0, 0]]))), {}, FeatureTableError, "consists of zeros"),
        (
            SimilarInputs(PictureSource(features(["/a"], [[1, 2]], shop=["x"]))),
            {"same_columns": ["shops"]},
            FeatureTableError,
            "no column 'shops'",
        ),
    ],
)
def test_what_cannot_be_compared_is_said_before_anything_is_written(inputs, settings, error, words):
    rows = Rows()
    with pytest.raises(error, match=words):
        similar(inputs, SimilarSettings.from_params(settings), SimilarOutputs(rows))
    assert not hasattr(rows, "rows")


def test_an_output_is_needed():
    with pytest.raises(OutputError, match="connect neighbour_dataset"):
        similar(SimilarInputs(PictureSource(features(["/a"], [[1, 2]]))), SimilarSettings(), SimilarOutputs())


def test_retrain_takes_the_groups():
    vectors = [[1, 0], [1, 0], [0, 1], [1, 5]]
    paths = ["/a/0.jpg", "/a/1.jpg", "/b/2.jpg", "/b/3.jpg"]
    _, groups, _ = run(SimilarInputs(PictureSource(features(paths, vectors))))
    table = Features("groups", [{**row, "label": path[1]} for path, row in groups.items()])
    given = {"col_filename": "images", "col_label": "label", "label_source": "dataset"}
    store = folder("photos", dict.fromkeys(paths, b"x"))
    read = read_label_table(store, RetrainSettings.from_params(given | {"col_decision": "decision"}), table)
    assert sorted(read.labels) == ["/a/0.jpg", "/b/2.jpg", "/b/3.jpg"]
    read = read_label_table(store, RetrainSettings.from_params(given | {"group_column": "group"}), table)
    assert read.group["/a/0.jpg"] == read.group["/a/1.jpg"] != read.group["/b/2.jpg"]


def test_a_model_that_takes_table_columns_compares_what_it_sees(tmp_path):
    """Its features do not depend on the columns, so that none have to be connected."""
    model = write_tiny_model(tmp_path / "model", extra=True).store
    inputs = SimilarInputs(PictureSource(pictures=folder("mine", PICTURES)), model=model)
    neighbours, groups, _ = run(inputs)
    assert groups["/again.jpg"]["kind"] == "exact"
    assert neighbours[0]["rank"] == 1


def test_a_folder_without_a_picture_says_why():
    broken = folder("mine", {"/broken.jpg": b"no"})
    with pytest.raises(PictureFolderError, match=r"No file of folder mine could be compared \(.+\)"):
        run(SimilarInputs(PictureSource(pictures=broken)))
